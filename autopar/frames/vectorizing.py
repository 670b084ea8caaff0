"""`numpy.vectorize`, with its calls planned.

NumPy does everything but the calls, three times over: a first pass writes down with what NumPy would call the function,
a map makes the calls, and a last pass of NumPy's gets their results.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import chain
from typing import Any

import numpy

from autopar._api.config import settings_for
from autopar._engine.functions import FunctionState, state_of
from autopar._engine.maps import map_iterator, map_list
from autopar._model.hints import Settings, check_hints
from autopar._observe.traits import returns_coroutine, returns_generator
from autopar.errors import UnavailableError
from autopar.frames.calls import VectorCall
from autopar.frames.states import state_over
from autopar.frames.stepping import write_down

OPERATION = "vectorize"
_NO_VALUE: Any = object()


class vectorize:  # noqa: N801
    """Make a function take arrays and broadcast them, as `numpy.vectorize` does, and run its calls in parallel.

    Results, dtypes, shapes, exceptions and the number and order of calls are those of `numpy.vectorize`.

    Parameters
    ----------
    pyfunc
        The function, decorated with ``@parallel`` or not. Without it, this is a decorator.
    otypes : str or list of dtypes, optional
        Types of the outputs. Without them, NumPy calls the function once more with the first elements to see.
    doc : str, optional
        The docstring; by default that of the function.
    excluded : set of str and int, optional
        Parameters that are not vectorized: they are the same in every call.
    cache : bool, default False
        Keep what that first call gave instead of calling again.
    signature : str, optional
        Core dimensions, as in ``"(n),(n)->()"``.
    **hints
        Hints of :func:`autopar.parallel`.

    Raises
    ------
    HintTypeError, HintValueError
        A hint is unknown or has a wrong type or value. What else is wrong raises what NumPy raises.

    Notes
    -----
    The name is that of NumPy's class, whose reference tells the rest. `autopar.decisions` says how calls ran, and why.

    Examples
    --------
    >>> import autopar as ap
    >>> def clipped_difference(a, b):
    ...     return a - b if a > b else 0
    >>> ap.vectorize(clipped_difference)([1, 5, 9], 4)
    array([0, 1, 5])
    """

    def __init__(
        self,
        pyfunc: Any = _NO_VALUE,
        otypes: Any = None,
        doc: str | None = None,
        excluded: Any = None,
        cache: bool = False,
        signature: str | None = None,
        **hints: Any,
    ) -> None:
        self._hints = check_hints(hints, where="vectorize()")
        self._arguments = {"doc": doc, "excluded": excluded, "cache": cache, "signature": signature}
        self._otypes = otypes
        self._state: FunctionState | None = None
        if pyfunc is _NO_VALUE:
            numpy.vectorize(otypes=otypes, **self._arguments)  # NumPy's errors come where NumPy raises them
            self.__doc__ = doc
            return
        self._take(pyfunc)

    def _take(self, pyfunc: Any) -> None:
        own_hints: dict[str, Any] = {}
        unwrap = getattr(type(pyfunc), "__autopar_unwrap__", None)
        if unwrap is not None:
            self._state, own_hints, pyfunc = pyfunc._self_state, pyfunc._self_hints, unwrap(pyfunc)
        self._hints = {**own_hints, **self._hints}
        self._numpy = numpy.vectorize(pyfunc, otypes=self._otypes, **self._arguments)
        if self._state is None:
            self._state = state_of(pyfunc)
        self.pyfunc = pyfunc
        self.cache, self.signature = self._numpy.cache, self._numpy.signature
        self.excluded, self.otypes = self._numpy.excluded, self._numpy.otypes
        self.__doc__ = self._numpy.__doc__
        if hasattr(self._numpy, "__name__"):
            self.__name__ = self._numpy.__name__

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Arrays with the results of the function, broadcast over all arguments that are not excluded."""
        if self._state is None:
            self._take(*args, **kwargs)
            return self
        settings = settings_for({}, self._hints)
        why = self._obstacle(args, kwargs)
        if why:
            return self._by_numpy(args, kwargs, settings, self._state, why)
        return _Vectorized(self, self._state, settings, args, kwargs).outputs()

    def _obstacle(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
        """Why NumPy has to make the calls; empty if a map can."""
        if returns_coroutine(self.pyfunc) or returns_generator(self.pyfunc):
            return "its calls give coroutines or generators, which run later"
        vectorized = [place for place in range(len(args)) if place not in self.excluded]
        if not vectorized and not any(name not in self.excluded for name in kwargs):
            return "nothing is vectorized, so there is one call"
        return ""

    def _by_numpy(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], settings: Settings, state: FunctionState, why: str
    ) -> Any:
        if settings.backend not in (None, "serial"):
            raise UnavailableError(f"backend={settings.backend!r} cannot be met by vectorize(): {why}")
        started, unix = time.perf_counter(), time.time()
        result = self._numpy(*args, **kwargs)
        write_down(state, f"by NumPy: {why}", 1, unix, time.perf_counter() - started, None, OPERATION)
        return result


class _Vectorized:
    """One call of a vectorized function."""

    def __init__(
        self,
        owner: vectorize,
        state: FunctionState,
        settings: Settings,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> None:
        self._owner = owner
        self._state = state
        self._settings = settings
        self._places = tuple(place for place in range(len(args)) if place not in owner.excluded)
        self._names = tuple(name for name in kwargs if name not in owner.excluded)
        self._args, self._kwargs = args, kwargs
        self._simple = not kwargs and len(self._places) == len(args)

    def outputs(self) -> Any:
        """What NumPy makes of the results."""
        if self._owner.signature is not None:
            first, items = self._calls_of_arrays()
        else:
            first, items = self._calls()
        if not items:
            return self._pass(self._owner.pyfunc if first is _NO_VALUE else _giving(iter([first])))
        following = self._results(items)
        return self._pass(_giving(following if first is _NO_VALUE else chain([first], following)))

    def _calls_of_arrays(self) -> tuple[Any, list[Any]]:
        """The result of the first call, whose shape says that of the output, and the items of all others."""
        seen: list[Any] = []
        items: list[Any] = []

        def note(*args: Any, **kwargs: Any) -> Any:
            if seen:
                items.append(self._item(args, kwargs))
            else:
                seen.append(self._owner.pyfunc(*args, **kwargs))
            return seen[0]

        self._pass(note)
        return (seen[0] if seen else _NO_VALUE), items

    def _calls(self) -> tuple[Any, list[Any]]:
        """The result of the call that NumPy makes to see what it gives, if it does, and the items of all others."""
        owner = self._owner
        first = self._first() if owner.otypes is None else _NO_VALUE
        items: list[Any] = []
        count = 1 if first is not _NO_VALUE and not isinstance(first, tuple) else len(owner.otypes or first)
        if self._simple and len(self._args) == 1:
            note: Callable[..., Any] = _noting_one(items, count)
        elif self._simple:
            note = _noting_all(items, count)
        else:
            note = _noting(items, self._item, count)
        numpy.vectorize(note, otypes="O" * count, excluded=owner.excluded)(*self._args, **self._kwargs)
        return first, items[1:] if first is not _NO_VALUE and owner.cache else items

    def _first(self) -> Any:
        """What the call gives that NumPy makes to see the types of the outputs, and no other call."""
        seen: list[Any] = []

        def look(*args: Any, **kwargs: Any) -> Any:
            if seen:
                raise _SeenError
            seen.append(self._owner.pyfunc(*args, **kwargs))
            return seen[0]

        with suppress(_SeenError):
            self._pass(look)
        return seen[0]

    def _item(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """What differs from call to call: for one positional argument itself, else a tuple."""
        if self._simple:
            return args[0] if len(args) == 1 else args
        return (*(args[place] for place in self._places), *(kwargs[name] for name in self._names))

    def _results(self, items: list[Any]) -> Iterator[Any]:
        """Map the items; where NumPy looks at each result before it asks for the next, one by one."""
        given: dict[str, Any] = {}
        star = False
        state = self._state
        if self._simple:
            star = len(self._args) > 1
        else:
            state = state_over(state, VectorCall)
            same = tuple(None if place in self._places else value for place, value in enumerate(self._args))
            named = {name: value for name, value in self._kwargs.items() if name not in self._names}
            given = {"places": self._places, "names": self._names, "args": same, "kwargs": named}
        checked = self._owner.signature is not None or len(self._owner.otypes or "1") > 1
        if checked:
            return map_iterator(state, (items,), given, self._settings, star=star, operation=OPERATION)
        return iter(map_list(state, (items,), given, self._settings, star=star, operation=OPERATION))

    def _pass(self, function: Callable[..., Any]) -> Any:
        """Let NumPy do its part with a function in place of the user's."""
        owner = self._owner
        vectorized = numpy.vectorize(
            function, otypes=owner.otypes, excluded=owner.excluded, cache=owner.cache, signature=owner.signature
        )
        return vectorized(*self._args, **self._kwargs)


class _SeenError(Exception):
    """NumPy has seen what it wanted to see."""


def _noting_one(items: list[Any], count: int) -> Callable[..., Any]:
    """A function that takes down its only argument, and gives as many outputs as it should."""
    append = items.append
    return append if count == 1 else lambda item: (append(item),) * count


def _noting_all(items: list[Any], count: int) -> Callable[..., Any]:
    """A function that takes down its arguments."""
    append = items.append
    return (lambda *args: append(args)) if count == 1 else lambda *args: (append(args),) * count


def _noting(items: list[Any], item_of: Callable[..., Any], count: int) -> Callable[..., Any]:
    """A function that takes down those of its arguments that differ from call to call."""

    def note(*args: Any, **kwargs: Any) -> Any:
        items.append(item_of(args, kwargs))
        return None if count == 1 else (None,) * count

    return note


def _giving(results: Iterator[Any]) -> Callable[..., Any]:
    """A function that gives one result after the other, whatever it is called with."""

    def result(*_: Any, **__: Any) -> Any:
        return next(results)

    return result
