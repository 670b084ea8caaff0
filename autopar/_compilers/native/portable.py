"""Compiled functions on their way to another machine: as the function and the types, compiled anew there.

Machine code is made for the processor and the libraries of its machine. A node compiles a function once and keeps the
object in its own cache; where it has no compiler, or refuses, the function runs there in Python, with the same result.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from autopar._model.compiler import EXACT, Refusal, Terms

if TYPE_CHECKING:
    from autopar._model.compiler import Compiled, Types


class PortableFunction:
    """Stands for a compiled function in what is pickled; unpickled it is one.

    Parameters
    ----------
    form
        The compiled function of here.
    terms
        What it may differ in.
    """

    def __init__(self, form: Compiled, terms: Terms = EXACT) -> None:
        self._function = form.function
        self._types = form.types
        self._compiler = form.compiler
        self._terms = terms

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._function(*args, **kwargs)

    def __reduce__(self) -> tuple[Any, ...]:
        return compiled_here, (self._function, self._types, self._compiler, self._terms)


def compiled_here(
    function: Callable[..., Any], types: Types, compiler: str = "native", terms: Terms = EXACT
) -> Callable[..., Any]:
    """The function compiled on this machine, or as it is where that cannot be."""
    from autopar._compilers import load

    form = load(compiler).compile_for(function, types, terms=terms)
    return function if isinstance(form, Refusal) else form
