"""Cython: object-heavy functions compiled as a whole, and numeric kernels that hold no GIL.

============= =======================================================================================================
generate      functions into the text of a Cython module
admission     what stands against compiling a function as a whole, with its line
statements    statements as Cython text; `expressions`: expressions; `lines`: text that keeps the user's lines
names, bound  where names live; which variables surely have a value
support       the C beside it: CPython's ways where Cython has others; `support_flow`: calls, errors, and the way in
typed         kernels as typed Cython text
surroundings  what a function reaches: its module's names, cells, constants
builder       from text to module: cache, Cython, C compiler
compiled      `CompiledObjects`: the form that the engine calls
============= =======================================================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import FunctionType
from typing import TYPE_CHECKING, Any, cast

from autopar._model.compiler import EXACT, NotCompiled, Refusal, Terms, Types
from autopar._model.light_dataclass import dataclass

if TYPE_CHECKING:
    from autopar._kernel.types import Type
    from autopar._model.compiler import Compiled

COMPILE_SECONDS = 4.0
"""Cython and the C compiler take 2.5 to 5 s for a function on a core (benchmarks/object_functions)."""

CACHED_SECONDS = 0.02
"""Reading the function and loading a module from the cache (benchmarks/object_functions)."""

__all__ = [
    "CACHED_SECONDS",
    "COMPILE_SECONDS",
    "compile_for",
    "remember",
    "signature",
    "was_worth_compiling",
]

_ARRAYS = frozenset({"numpy", "pandas", "scipy", "polars", "torch"})


@dataclass(frozen=True, slots=True)
class Object:
    """The type of an argument of a function that is compiled as a whole."""

    kind: type

    def __str__(self) -> str:
        return self.kind.__qualname__


def signature(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any], *, terms: Terms = EXACT
) -> Types | Refusal:
    """What a call would be compiled for, or why it would not: types of a kernel, or else those of any objects."""
    from autopar._compilers import native

    kinds = native.signature(function, args, kwargs)
    return of_objects(function, args, kwargs) if isinstance(kinds, Refusal) else kinds


def of_objects(function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Types | Refusal:
    """The types of a call of a function that is compiled as a whole, or why it is not."""
    from autopar._compilers.native.binding import bind

    if type(function) is not FunctionType:
        return Refusal(f"Cython compiles functions written with def; this is of type {type(function).__name__}")
    bound = bind(function, args, kwargs)
    if bound is None:
        return Refusal("the call does not fit the function's parameters, or they are not all named")
    arrays = next((value for value in bound if type(value).__module__.partition(".")[0] in _ARRAYS), None)
    if arrays is not None:
        return Refusal(f"an argument is a {type(arrays).__name__}, whose warnings name the line of Python that runs")
    return tuple(Object(type(value)) for value in bound)


def compile_for(
    function: Callable[..., Any], types: Types, *, terms: Terms = EXACT, deadline: float | None = None
) -> Compiled | Refusal:
    """Compile a function for these types of its parameters.

    Parameters
    ----------
    function
        A plain Python function.
    types
        As :func:`signature` gives them.
    terms
        What the user allows; code of Cython's is exact whatever that is.
    deadline
        Seconds that Cython and the C compiler may take together.
    """
    from autopar._compilers.cython.builder import DEADLINE, cython_version

    assert isinstance(function, FunctionType)  # noqa: S101 - signature() takes nothing else
    limit = DEADLINE if deadline is None else deadline
    try:
        cython_version()
    except NotCompiled as refused:
        return refused.refusal
    if any(isinstance(each, Object) for each in types):
        return _as_a_whole(function, types, limit)
    kernel = _as_a_kernel(function, types, limit)
    if not isinstance(kernel, Refusal):
        return kernel
    if any("ndarray" in str(each) or ("[" in str(each) and "list" not in str(each)) for each in types):
        return kernel
    whole = _as_a_whole(function, types, limit)
    if isinstance(whole, Refusal):
        return Refusal(f"{whole.reason}; and as a kernel: {kernel}", whole.line)
    return whole


def _as_a_kernel(function: FunctionType, types: Types, deadline: float) -> Compiled | Refusal:
    """The exact numeric fragment, without the GIL."""
    from autopar._compilers.cython.builder import library
    from autopar._compilers.cython.typed import typed_text
    from autopar._compilers.native.compiled import CompiledFunction
    from autopar._compilers.native.frontend import kernel_of

    try:
        kernel, _ = kernel_of(function, cast("tuple[Type, ...]", types))
        return CompiledFunction(function, kernel, library(typed_text(kernel), deadline=deadline), compiler="cython")
    except NotCompiled as refused:
        return refused.refusal


def _as_a_whole(function: FunctionType, types: Types, deadline: float) -> Compiled | Refusal:
    """Any objects, with the GIL."""
    from autopar._compilers.cython.builder import build
    from autopar._compilers.cython.compiled import CompiledObjects
    from autopar._compilers.cython.generate import module_text, write

    try:
        written = write(function, _called(function))
        text, before = module_text([written])
        return CompiledObjects(function, types, written, build(text, deadline=deadline), before=before[0])
    except NotCompiled as refused:
        return refused.refusal


def remember(function: Callable[..., Any], types: Types) -> None:
    """Note for later processes that the function was worth compiling for these types."""
    from autopar._compilers.native.cache import ObjectCache, function_key

    ObjectCache.from_environment().remember(function_key(function, ("cython", *types)))


def was_worth_compiling(function: Callable[..., Any], types: Types) -> bool:
    """Whether an earlier process has noted that."""
    from autopar._compilers.native.cache import ObjectCache, function_key

    return ObjectCache.from_environment().remembers(function_key(function, ("cython", *types)))


def _called(function: FunctionType) -> tuple[Any, ...]:
    """The code of the Python functions that it calls, as far as the analysis of effects finds them."""
    from autopar._effects import analyse

    return analyse(function).codes
