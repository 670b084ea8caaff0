"""Exact native code: a numeric function compiled to C for the types of a call, and Python wherever that is not enough.

============= =======================================================================================================
frontend      a function and types into a kernel and its C text, or why not
toolchain     the system's compiler: found, run within a deadline, its failures put in words
cache         compiled objects on disk
loader        from C text to code in memory, through the cache or the compiler
manifest      what a later process has to know of a compiled kernel
programs      a kernel's types as the little programs that pack and unpack
entry         the callable: guard, pack, call without the GIL, undo or unpack
facts         what a kernel rests on besides its arguments
warning_state what NumPy does about floating-point errors at the moment
binding       from a call as written to the values of the parameters, and their types
results       results in memory of the kernel's own
compiled      `CompiledFunction`: counts, compares with Python, withdraws
sampling      which calls are compared with Python
rehearsal     copies of arguments for that
comparing     whether two results are the same
blocks        many items of a map in one call
refusal       why something is not compiled
portable      compiled functions on their way to another machine
annotations   C types out of annotations, for users' own C functions
own_function  users' own C functions
============= =======================================================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from autopar._compilers.native.refusal import NotCompiled, Refusal
from autopar._model.compiler import EXACT, Terms

if TYPE_CHECKING:
    from autopar._compilers.native.compiled import CompiledFunction
    from autopar._kernel.types import Type

COMPILE_SECONDS = 0.15
"""A small kernel takes gcc 0.08 to 0.14 s on a core (benchmarks/native)."""

CACHED_SECONDS = 0.01
"""Reading the function and loading an object from the cache (benchmarks/native)."""

__all__ = [
    "CACHED_SECONDS",
    "COMPILE_SECONDS",
    "NotCompiled",
    "Refusal",
    "as_call",
    "compile_for",
    "compile_function",
    "remember",
    "signature",
    "was_worth_compiling",
]


def compile_function(
    function: Callable[..., Any],
    args: tuple[Any, ...] = (),
    kwargs: Mapping[str, Any] | None = None,
    *,
    terms: Terms = EXACT,
    deadline: float | None = None,
) -> CompiledFunction | Refusal:
    """Compile a function for the types of one call.

    Parameters
    ----------
    function
        A plain Python function.
    args, kwargs
        The call. Only its types count, and it is not made.
    terms
        With ``rtol`` above 0 sums that NumPy adds in an order of its own, and functions that it approximates in a way
        of its own, are compiled as well.
    deadline
        Seconds that the compiler may take; 30 if left out.

    Returns
    -------
    CompiledFunction or Refusal
        A callable that gives what the function gives, faster for calls of these types; or why there is none.

    Examples
    --------
    >>> from autopar._compilers.native import compile_function
    >>> def triple(number):
    ...     return 3 * number
    >>> compile_function(triple, ({},))
    Refusal(reason="a parameter's value is not of a type of the native fragment: dict", line=None)
    """
    kinds = signature(function, args, kwargs or {})
    return kinds if isinstance(kinds, Refusal) else compile_for(function, kinds, terms=terms, deadline=deadline)


def as_call(function: Callable[..., Any], bound: tuple[Any, ...]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The values of all parameters as a call: those to be passed by position, and those by name."""
    from autopar._compilers.native.binding import as_call

    return as_call(function, bound)


def signature(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any], *, terms: Terms = EXACT
) -> tuple[Type, ...] | Refusal:
    """The types of a call's parameters, or why native code takes no such call."""
    from autopar._compilers.native.binding import bind, types_of
    from autopar._kernel.types import type_of

    bound = bind(function, args, kwargs)
    if bound is None:
        return Refusal("the call does not fit the function's parameters, or they are not all named")
    kinds = types_of(bound)
    if kinds is None:
        other = next(value for value in bound if type_of(value) is None)
        return Refusal(f"a parameter's value is not of a type of the native fragment: {type(other).__name__}")
    return kinds


def remember(function: Callable[..., Any], types: tuple[Type, ...]) -> None:
    """Note for later processes that the function was worth compiling for these types."""
    from autopar._compilers.native.cache import ObjectCache, function_key

    ObjectCache.from_environment().remember(function_key(function, types))


def was_worth_compiling(function: Callable[..., Any], types: tuple[Type, ...]) -> bool:
    """Whether an earlier process compiled it for these types, so that its object is likely to be in the cache."""
    from autopar._compilers.native.cache import ObjectCache, function_key

    return ObjectCache.from_environment().remembers(function_key(function, types))


def compile_for(
    function: Callable[..., Any], types: tuple[Type, ...], *, terms: Terms = EXACT, deadline: float | None = None
) -> CompiledFunction | Refusal:
    """Compile a function for these types of its parameters; as :func:`compile_function` otherwise."""
    from autopar._compilers.native import manifest
    from autopar._compilers.native.compiled import CompiledFunction
    from autopar._compilers.native.loader import load
    from autopar._compilers.native.toolchain import DEADLINE, KERNEL_FLAGS

    rtol = terms.rtol
    try:
        notes: list[str] = []
        found = manifest.find(function, types, notes, rtol=rtol, flags=KERNEL_FLAGS)
        if found is not None:
            compiled = CompiledFunction(function, *found, rtol=rtol)
            compiled.notes = tuple(notes)
            return compiled
        from autopar._compilers.native.frontend import kernel_of

        kernel, text = kernel_of(function, types, rtol=rtol)
        library = load(text, flags=KERNEL_FLAGS, deadline=DEADLINE if deadline is None else deadline)
        compiled = CompiledFunction(function, kernel, library, rtol=rtol)
        compiled.notes = tuple(dict.fromkeys((*notes, *library.notes)))
        if library.cached:
            manifest.keep(kernel, text, function, rtol=rtol, flags=KERNEL_FLAGS)
        return compiled
    except NotCompiled as refused:
        return refused.refusal
