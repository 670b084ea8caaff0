"""Numba as it is, on the user's word: no check of ours stands between its answers and the program."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from autopar._compilers.native.binding import as_call, bind
from autopar._compilers.numba.jit import import_numba
from autopar._model.compiler import Counters, Function, NotCompiled, Refusal
from autopar._model.light_dataclass import dataclass

NOTE = "Numba's answers are taken as they are, unchecked, since exact=False was given"


@dataclass(frozen=True, slots=True)
class NumbaType:
    """What Numba takes a value for."""

    kind: Any

    def __str__(self) -> str:
        return str(self.kind)


def types_of(function: Function, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[NumbaType, ...] | Refusal:
    """The types of a call's parameters as Numba has them."""
    try:
        numba = import_numba()
    except NotCompiled as refused:
        return refused.refusal
    except Exception as error:  # whatever a broken installation raises
        return Refusal(f"Numba cannot be used: {type(error).__name__}: {error}")
    bound = bind(function, args, kwargs)
    if bound is None:
        return Refusal("the call does not fit the function's parameters, or they are not all named")
    try:
        return tuple([NumbaType(numba.typeof(value)) for value in bound])
    except ValueError as error:
        return Refusal(str(error).strip().splitlines()[0])


class Trusted:
    """A function as Numba has compiled it; see :class:`autopar._model.compiler.Compiled`.

    Raises
    ------
    NotCompiled
        Numba does not take it.
    """

    def __init__(self, function: Function, types: tuple[NumbaType, ...]) -> None:
        numba = import_numba()
        self.compiler, self.certain = "numba", True
        self.function = function
        self.counters = Counters()
        self.withdrawn = ""
        self.notes: tuple[str, ...] = (NOTE,)
        self.python_seconds: float | None = None
        self.listener: Callable[[Function], object] | None = None
        self.otherwise: Callable[[tuple[Any, ...]], Any] | None = None
        self._types = types
        self._dispatcher = numba.njit(nogil=True)(function)
        try:
            self._dispatcher.compile(tuple([each.kind for each in types]))
        except Exception as error:  # Numba's own, and its assertions
            raise NotCompiled(f"Numba does not compile it: {_first_words(error)}") from None
        self._dispatcher.disable_compile()
        self.calls = 0
        self.call: Function = self._call

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.call(*args, **kwargs)

    @property
    def types(self) -> tuple[NumbaType, ...]:
        """What it was compiled for."""
        return self._types

    @property
    def types_text(self) -> str:
        """The same in words."""
        return f"compiled for ({', '.join(map(str, self._types))})"

    @property
    def pure(self) -> bool:
        """Nobody has looked."""
        return False

    @property
    def comparing_seconds(self) -> float:
        """Nothing: no call is compared."""
        return 0.0

    @property
    def holds_gil(self) -> bool:
        """It does not."""
        return False

    def _call(self, *args: Any, **kwargs: Any) -> Any:
        bound = bind(self.function, args, kwargs)
        if bound is None:
            return self.function(*args, **kwargs)  # which says what is wrong with the call
        if types_of(self.function, args, kwargs) != self._types:
            other = None if self.otherwise is None else self.otherwise(bound)
            args, kwargs = as_call(self.function, bound)
            if other is not None and other is not self:
                return other.call(*args, **kwargs)
            self.counters.misses += 1
            return self.function(*args, **kwargs)
        self.calls += 1
        return self._dispatcher(*bound)

    def withdraw(self, reason: str) -> None:
        """From now on every call runs in Python."""
        self.withdrawn = reason
        self.call = self.function
        if self.listener is not None:
            self.listener(self.call)

    def mismatch(self, found: str) -> None:
        """Nothing: the user has taken that upon themselves."""


def _first_words(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    telling = [line for line in lines if not line.startswith(("Failed in", "During", "[1]", "- "))]
    return (telling or lines or [type(error).__name__])[0][:200]
