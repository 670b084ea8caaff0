"""Compiled functions on their way to another machine: as the function and the types, compiled anew there.

Machine code is made for the processor and the libraries of its machine. A node compiles a function once and keeps the
object in its own cache; where it has no compiler, or refuses, the function runs there in Python, with the same result.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from autopar._compilers.native.refusal import Refusal

if TYPE_CHECKING:
    from autopar._compilers.native.compiled import CompiledFunction
    from autopar._kernel.types import Type


class PortableFunction:
    """Stands for a compiled function in what is pickled; unpickled it is one.

    Parameters
    ----------
    form
        The compiled function of here.
    """

    def __init__(self, form: CompiledFunction) -> None:
        self._function = form.function
        self._types = form.types

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._function(*args, **kwargs)

    def __reduce__(self) -> tuple[Any, ...]:
        return compiled_here, (self._function, self._types)


def compiled_here(function: Callable[..., Any], types: tuple[Type, ...]) -> Callable[..., Any]:
    """The function compiled on this machine, or as it is where that cannot be."""
    from autopar._compilers.native import compile_for

    form = compile_for(function, types)
    return function if isinstance(form, Refusal) else form
