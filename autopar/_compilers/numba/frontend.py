"""From a function and the types of a call to a kernel: as it is, or with its whole-array code made into loops."""

from __future__ import annotations

from dataclasses import replace
from types import FunctionType

from autopar._compilers.arrays import NO_ARRAYS, as_loops
from autopar._kernel.kernel import Fact, Kernel
from autopar._kernel.lower import lower
from autopar._kernel.refusal import Refused
from autopar._kernel.types import Type
from autopar._model.compiler import Function, NotCompiled, Terms


def kernel_of(function: Function, types: tuple[Type, ...], terms: Terms) -> Kernel:
    """The kernel of a function for these types of all its parameters.

    Raises
    ------
    NotCompiled
        The function or the types are outside of what is compiled; the line says where.
    """
    if type(function) is not FunctionType:
        raise NotCompiled(f"{type(function).__name__} is not compiled, but only functions made by def")
    positional = function.__code__.co_argcount
    by_name = dict(zip(function.__code__.co_varnames[positional:], types[positional:], strict=False))
    try:
        return _lowered(function, types[:positional], by_name, terms)
    except Refused as refused:
        raise NotCompiled(refused.reason, refused.line) from None
    except RecursionError:
        raise NotCompiled("its expressions nest too deep", function.__code__.co_firstlineno) from None


def _lowered(function: FunctionType, types: tuple[Type, ...], by_name: dict[str, Type], terms: Terms) -> Kernel:
    """As the function stands, or else as loops; of two refusals that of the whole-array code tells more."""
    try:
        return lower(function, types, by_name, rtol=terms.rtol)
    except Refused as refused:
        try:
            loops = as_loops(function, types, by_name, terms.rtol)
        except Refused as other:
            raise (refused if other.reason == NO_ARRAYS else other) from None
        kernel = lower(function, types, by_name, loops.source, rtol=terms.rtol)
        known = set(map(_identity, kernel.facts))
        more = [fact for fact in loops.facts if _identity(fact) not in known]
        return replace(kernel, facts=(*kernel.facts, *more), lookups=None, whole_arrays=True)


def _identity(fact: Fact) -> tuple[str, int]:
    return fact.name, id(fact.value[0] if fact.by == "function" else fact.value)
