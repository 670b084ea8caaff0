"""Numeric functions through Numba's LLVM, exactly, and Python wherever that is not enough.

========= =============================================================================================
frontend  a function and types into a kernel, or why not
emit      a kernel as LLVM's intermediate representation
jit       Numba's code generator: found, put to work within a deadline, its failures put in words
trusting  Numba as it is, for ``exact=False``
========= =============================================================================================

Kernels are those of :mod:`autopar._kernel`, which knows where compiled code would differ from Python; guards, undoing,
results and comparing are the native route's. So no type inference of Numba's has a part in an answer, and neither have
its cache and its thread pool. Nothing is kept between processes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from autopar._model.compiler import EXACT, Compiled, Function, NotCompiled, Refusal, Terms, Types

if TYPE_CHECKING:
    from autopar._compilers.native.compiled import CompiledFunction
    from autopar._compilers.numba.trusting import NumbaType, Trusted
    from autopar._kernel.types import Type

__all__ = ["CACHED_SECONDS", "COMPILE_SECONDS", "compile_for", "remember", "signature", "was_worth_compiling"]

COMPILE_SECONDS = 1.0
"""The first kernel of a process: importing Numba takes 0.5 to 1 s, and a small kernel 0.1 s (benchmarks/native)."""

CACHED_SECONDS = COMPILE_SECONDS
"""The same: nothing is kept between processes."""


def signature(
    function: Function, args: tuple[Any, ...], kwargs: Mapping[str, Any], *, terms: Terms = EXACT
) -> Types | Refusal:
    """The types of a call's parameters, or why no such call is compiled."""
    if not terms.exact:
        from autopar._compilers.numba.trusting import types_of

        return types_of(function, args, kwargs)
    from autopar._compilers import native

    return native.signature(function, args, kwargs)


def compile_for(
    function: Function, types: Types, *, terms: Terms = EXACT, deadline: float | None = None
) -> Compiled | Refusal:
    """Compile a function for these types of its parameters.

    Parameters
    ----------
    function
        A plain Python function.
    types
        As `signature` gives them for the same ``terms``.
    terms
        With ``rtol`` functions that differ from Python's by rounding are compiled too; with ``exact=False`` all that
        Numba takes, with no check.
    deadline
        Seconds that Numba may take; 30 if left out.

    Returns
    -------
    Compiled or Refusal
        The compiled function, or why there is none.
    """
    from autopar._compilers.numba.jit import DEADLINE, within

    work = _exact if terms.exact else _trusting
    try:
        return cast("Compiled", within(deadline or DEADLINE, lambda: work(function, types, terms)))
    except NotCompiled as refused:
        return refused.refusal


def _exact(function: Function, types: Types, terms: Terms) -> CompiledFunction:
    from autopar._compilers.native.compiled import CompiledFunction
    from autopar._compilers.numba.frontend import kernel_of
    from autopar._compilers.numba.jit import compile_kernel

    kernel = kernel_of(function, cast("tuple[Type, ...]", types), terms)
    library = compile_kernel(kernel)
    return CompiledFunction(function, kernel, library, rtol=terms.rtol, compiler="numba")


def _trusting(function: Function, types: Types, terms: Terms) -> Trusted:
    from autopar._compilers.numba.trusting import Trusted

    return Trusted(function, cast("tuple[NumbaType, ...]", types))


def remember(function: Function, types: Types) -> None:
    """Nothing: what is noted for later processes is that there is an object in a cache."""


def was_worth_compiling(function: Function, types: Types) -> bool:
    """Whether there may be such an object: there is none."""
    return False
