"""A function compiled as a whole: the same objects, names and exceptions, without the interpreter's loop."""

from __future__ import annotations

import struct
from collections.abc import Callable
from types import FunctionType
from typing import Any

from autopar._compilers.cython.builder import Built
from autopar._compilers.cython.generate import Written
from autopar._compilers.cython.surroundings import surroundings_of
from autopar._compilers.native.binding import bind
from autopar._model.compiler import Counters, Types

__all__ = ["CompiledObjects"]


class CompiledObjects:
    """A function that Cython has compiled for objects of any types.

    Called like the function itself, with the same result. Calls whose arguments have to be sorted out, calls deep in a
    recursion, and all calls while a debugger or profiler looks on, run in Python.

    Attributes
    ----------
    function, counters, withdrawn, notes, call, python_seconds, listener, otherwise
        See :class:`autopar._model.compiler.Compiled`.
    """

    def __init__(
        self, function: FunctionType, types: Types, written: Written, built: Built, *, number: int = 0, before: int = 0
    ) -> None:
        self.function: Callable[..., Any] = function
        self.counters = Counters()
        self.withdrawn = ""
        self.notes: tuple[str, ...] = built.notes
        self.python_seconds: float | None = None
        self.listener: Callable[[Callable[..., Any]], object] | None = None
        self.otherwise: Callable[[tuple[Any, ...]], Any] | None = None
        self._types = types
        self._code = function.__code__
        lines = (("", 0),) * before + written.places
        self._around = surroundings_of(function, written.constants, lines, self._miss)
        self.call: Callable[..., Any]
        self.call, self._run = built.module.bind(number, self._around)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.call(*args, **kwargs)

    @property
    def compiler(self) -> str:
        """Its compiler's name."""
        return "cython"

    @property
    def comparing_seconds(self) -> float:
        """No call is run a second time to be compared: it may do more than give a value."""
        return 0.0

    @property
    def certain(self) -> bool:
        """It is not: what a function gains depends on what it works on, and is measured."""
        return False

    @property
    def types(self) -> Types:
        """The types of the call that it was compiled for, though it takes any."""
        return self._types

    @property
    def types_text(self) -> str:
        """In words."""
        return "compiled for objects of any types"

    @property
    def calls(self) -> int:
        """Calls that compiled code ran to their end."""
        return int(struct.unpack("q", self._around[6])[0])

    @property
    def pure(self) -> bool:
        """Whether nothing that outlives a call is written: that is not known of objects."""
        return False

    @property
    def holds_gil(self) -> bool:
        """It works on objects, and so it does."""
        return True

    def withdraw(self, reason: str) -> None:
        """From now on every call runs in Python."""
        self.withdrawn = reason
        self.call = self.function
        if self.listener is not None:
            self.listener(self.call)

    def mismatch(self, found: str) -> None:
        """Withdraw it with a warning."""
        import warnings
        from contextlib import suppress

        from autopar.errors import KernelMismatchWarning

        self.withdraw(f"compiled code differs from Python: {found}")
        with suppress(KernelMismatchWarning):  # where warnings are errors this one must not cost the true result
            warnings.warn(
                f"{self._code.co_qualname} runs in Python from now on, since {self.withdrawn}. Please report this",
                KernelMismatchWarning,
                stacklevel=2,
            )

    def _miss(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run a call that the quick way in has not taken."""
        if self.function.__code__ is not self._code:
            self.withdraw(f"{self._code.co_qualname} has other code since it was compiled")
        elif (bound := bind(self.function, args, kwargs)) is not None:
            made = self._run(*bound)
            if made is not self._around:
                return made
        self.counters.misses += 1
        return self.function(*args, **kwargs)
