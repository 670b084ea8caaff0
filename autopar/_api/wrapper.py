"""What ``@parallel`` returns: a transparent proxy of the function, with maps and the decision log on it."""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeVar, overload

from wrapt import BaseObjectProxy

from autopar._api.arguments import check_buffersize, check_iterables, split_keywords
from autopar._api.config import settings_for
from autopar._engine.calls import Reading, submit_call, take_sample, target_of
from autopar._engine.functions import FunctionState, bound_state, state_for
from autopar._engine.journal import decisions_of, explanation
from autopar._engine.maps import map_iterator, map_list
from autopar._model.hints import Settings, check_hints, settle
from autopar._native_api import counted_call_type

if TYPE_CHECKING:
    from asyncio import Future as AsyncFuture
    from concurrent.futures import Future

    from autopar._model.decision import Decision

P = ParamSpec("P")
Q = ParamSpec("Q")
R = TypeVar("R")
T = TypeVar("T")
S = TypeVar("S")

SAMPLE_SECONDS = 5e-6
"""What it takes to measure a call (benchmarks/main_job.py)."""

SAMPLE_SHARE = 0.01
"""Part of a function's time that measuring its calls may take."""


if TYPE_CHECKING:

    class _CountedCall(BaseObjectProxy[Callable[P, R]], Generic[P, R]):
        _self_target: list[Callable[..., Any]]
        _self_countdown: int
        _self_sampling: bool

        def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R: ...

else:
    _CountedCall = {(P, R): counted_call_type(BaseObjectProxy)}  # the type itself cannot be subscripted


class Explanation(str):
    """The text of an explanation; at a prompt its own echo stays short."""

    def __repr__(self) -> str:
        return f"<explanation of {len(self.splitlines())} lines>"


class Parallel(_CountedCall[P, R], Generic[P, R]):
    """A function that can be mapped in parallel; called, it is the function itself.

    Made by :func:`autopar.parallel`. Attributes, signature, documentation, ``isinstance`` and pickling are those of the
    function.
    """

    _of_a_function = False  # not annotated: annotations of the class would hide those of the function

    def __init__(self, function: Callable[P, R], hints: dict[str, Any], state: FunctionState | None = None) -> None:
        super().__init__(function)
        self._self_hints = hints
        state = state if state is not None else state_for(function)
        self._self_alone = settle(hints)  # what is asked where nothing else asks for more
        self._self_state = state.under(self._self_alone.terms)
        self._self_distance = 1
        self._self_target = target_of(self._self_state, hints.get("compiler"))

    # -- one call -------------------------------------------------------------------------------------------------

    def _sampled(self, target: Any, args: Any, kwargs: Any, before: Reading, after: Reading) -> None:
        """Take in the call whose turn to be measured it was; all others go straight to the target."""
        counted = self._self_distance
        far_enough = int(SAMPLE_SECONDS / SAMPLE_SHARE * 1e9 / max(after[0] - before[0], 1)) + 1
        self._self_distance = self._self_countdown = min(2 * counted, far_enough)
        state = self._self_state
        take_sample(state, target, args, kwargs, before, after, counted if self._self_target is state.target else None)

    @overload
    def __get__(self, instance: None, owner: type) -> Parallel[P, R]: ...
    @overload
    def __get__(self: Parallel[Concatenate[S, Q], R], instance: S, owner: type[S] | None = None) -> Parallel[Q, R]: ...
    def __get__(self, instance: Any, owner: Any = None) -> Any:
        wrapped = self.__wrapped__
        bind = getattr(type(wrapped), "__get__", None)
        if bind is None:
            return self
        bound = bind(wrapped, instance, owner)
        if bound is wrapped:
            return self
        kind: Any = type(self).__base__ if self._of_a_function else type(self)
        return kind(bound, self._self_hints, bound_state(self._self_state, bound))

    # -- maps -----------------------------------------------------------------------------------------------------

    def map(self, *iterables: Iterable[Any], **keywords: Any) -> list[R]:
        """Call the function with each item and return the results in order.

        Parameters
        ----------
        *iterables
            One iterable of items, or several that give one positional argument each; the shortest ends the map.
        **keywords
            Keyword arguments of the function, the same for every item; names that are not parameters of the function
            are hints for this one call.

        Returns
        -------
        list
            What ``[f(x) for x in xs]`` would return.

        Raises
        ------
        BaseException
            What the first failing item in input order raised, as in the loop.
        autopar.errors.HintError, autopar.errors.DemandError
            A hint is wrong or cannot be met.

        Examples
        --------
        >>> from autopar import parallel
        >>> @parallel
        ... def power(base, exponent=2):
        ...     return base**exponent
        >>> power.map([1, 2, 3], exponent=3)
        [1, 8, 27]
        """
        return self._list(iterables, keywords, "map", star=False)

    def starmap(self, iterable: Iterable[Iterable[Any]], **keywords: Any) -> list[R]:
        """Like :meth:`map` for items that are tuples of positional arguments.

        Examples
        --------
        >>> from autopar import parallel
        >>> parallel(pow).starmap([(2, 5), (3, 2)])
        [32, 9]
        """
        return self._list((iterable,), keywords, "starmap", star=True)

    def imap(self, *iterables: Iterable[Any], buffersize: int | None = None, **keywords: Any) -> Iterator[R]:
        """Like :meth:`map`, but lazy: an iterator of the results in order.

        Parameters
        ----------
        buffersize
            Most items taken from the input and not yet handed out, at least 1. Without it a small multiple of the
            workers.

        Examples
        --------
        >>> from autopar import parallel
        >>> from itertools import count, islice
        >>> list(islice(parallel(abs).imap(count(-2), buffersize=2), 3))
        [2, 1, 0]
        """
        return self._iterator(iterables, keywords, "imap", ordered=True, buffersize=buffersize)

    def imap_unordered(
        self, *iterables: Iterable[Any], buffersize: int | None = None, **keywords: Any
    ) -> Iterator[tuple[int, R]]:
        """Like :meth:`imap`, but gives ``(index, result)`` as items complete.

        Examples
        --------
        >>> from autopar import parallel
        >>> sorted(parallel(abs).imap_unordered([-5, 7]))
        [(0, 5), (1, 7)]
        """
        return self._iterator(iterables, keywords, "imap_unordered", ordered=False, buffersize=buffersize)

    def _prepare(self, keywords: dict[str, Any], operation: str) -> tuple[dict[str, Any], Settings]:
        own, hints = split_keywords(self.__wrapped__, keywords, operation)
        return own, settings_for(hints, self._self_hints, self._self_alone)

    def _list(self, iterables: tuple[Any, ...], keywords: dict[str, Any], operation: str, *, star: bool) -> list[R]:
        check_iterables(iterables, operation)
        own, settings = self._prepare(keywords, operation)
        return map_list(self._self_state, iterables, own, settings, star=star, operation=operation)

    def _iterator(
        self, iterables: tuple[Any, ...], keywords: dict[str, Any], operation: str, *, ordered: bool, buffersize: Any
    ) -> Iterator[Any]:
        check_iterables(iterables, operation)
        buffersize = check_buffersize(buffersize)
        own, settings = self._prepare(keywords, operation)
        return map_iterator(
            self._self_state, iterables, own, settings, ordered=ordered, buffersize=buffersize, operation=operation
        )

    # -- asynchronous ---------------------------------------------------------------------------------------------

    def submit(self, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Start one call and return a :class:`concurrent.futures.Future` for it.

        Examples
        --------
        >>> from autopar import parallel
        >>> parallel(abs).submit(-3).result()
        3
        """
        return submit_call(self._self_state, args, dict(kwargs), settings_for({}, self._self_hints, self._self_alone))

    def asubmit(self, *args: P.args, **kwargs: P.kwargs) -> AsyncFuture[R]:
        """Start one call from asynchronous code; await the result.

        Raises
        ------
        RuntimeError
            No event loop is running.
        """
        import asyncio

        asyncio.get_running_loop()
        return asyncio.wrap_future(self.submit(*args, **kwargs))

    def amap(self, *iterables: Iterable[Any] | AsyncIterable[Any], **keywords: Any) -> Awaitable[list[R]]:
        """Like :meth:`map`, to be awaited: the event loop never blocks. Asynchronous iterables are taken too."""
        import asyncio

        from autopar._engine.bridge import as_iterable, run_in_thread

        check_iterables(iterables, "amap", asynchronous=True)
        own, settings = self._prepare(keywords, "amap")

        async def run() -> list[Any]:
            loop, stop = asyncio.get_running_loop(), threading.Event()
            sources = tuple(as_iterable(each, loop, stop) for each in iterables)
            return await run_in_thread(  # type: ignore[no-any-return]
                lambda: map_list(self._self_state, sources, own, settings, operation="amap", cancel=stop), stop
            )

        return run()

    def aimap(
        self, *iterables: Iterable[Any] | AsyncIterable[Any], buffersize: int | None = None, **keywords: Any
    ) -> AsyncIterator[R]:
        """Like :meth:`imap`, for ``async for``."""
        import asyncio

        from autopar._engine.bridge import BATCH_ITEMS, as_iterable, iterate_in_thread

        check_iterables(iterables, "aimap", asynchronous=True)
        size = check_buffersize(buffersize)
        own, settings = self._prepare(keywords, "aimap")

        async def deliver() -> AsyncIterator[Any]:
            loop, stop = asyncio.get_running_loop(), threading.Event()
            sources = tuple(as_iterable(each, loop, stop) for each in iterables)
            start = functools.partial(
                map_iterator, self._self_state, sources, own, settings, buffersize=size, operation="aimap"
            )
            # What waits on this side of the bridge counts as taken: with a buffersize it is one result at a time.
            async for value in iterate_in_thread(start, stop, BATCH_ITEMS if size is None else 1):
                yield value

        return deliver()

    # -- hints and the log ----------------------------------------------------------------------------------------

    def options(self, **hints: Any) -> Parallel[P, R]:
        """The same function with other hints; the rest of its own stays.

        Examples
        --------
        >>> from autopar import parallel
        >>> parallel(abs, workers=2).options(backend="threads").map([-1])
        [1]
        """
        merged = {**self._self_hints, **check_hints(hints, where="options()")}
        return type(self)(self.__wrapped__, merged, self._self_state)

    @property
    def decisions(self) -> list[Decision]:
        """The decisions made for this function in this process, newest last."""
        return decisions_of(self._self_state)

    def explain(self) -> str:
        """Print, and return, why the last operation ran as it did."""
        decisions = self.decisions
        if decisions:
            text = explanation(decisions[-1])
        else:
            text = f"{self._self_state.name} has not been mapped yet: there is no decision to explain."
        print(text)  # noqa: T201
        return Explanation(text)

    # -- a transparent proxy ----------------------------------------------------------------------------------------

    def __autopar_unwrap__(self) -> Any:
        return self.__wrapped__

    def __autopar_reduce__(self) -> Any:
        """How it travels: by name where that leads back here, else the function and its hints."""
        function = self.__wrapped__
        owner = getattr(function, "__self__", None)
        if inspect.ismethod(function):
            return getattr, (owner, function.__name__)
        reference = self._self_state.reference()
        if reference is not None and _leads_to(reference, self):
            return reference[1]
        # A client is a connection of this process; elsewhere a map inside an item has no use for it.
        hints = {name: value for name, value in self._self_hints.items() if name != "cluster" or isinstance(value, str)}
        return _restore, (type(self), function, hints)

    def __reduce_ex__(self, protocol: Any) -> Any:
        found = self.__autopar_reduce__()
        if isinstance(found, tuple) and found[0] is _restore and "<" not in self.__qualname__:
            return self.__qualname__
        return found

    def __reduce__(self) -> Any:
        return self.__reduce_ex__(2)

    def __repr__(self) -> str:
        return f"<parallel {self.__wrapped__!r}>"

    def __copy__(self) -> Parallel[P, R]:
        return self

    def __deepcopy__(self, memo: Any) -> Parallel[P, R]:
        return self


def _leads_to(reference: tuple[str, str], wrapper: Any) -> bool:
    import sys

    found: Any = sys.modules[reference[0]]
    for part in reference[1].split("."):
        found = vars(found)[part]
    return found is wrapper


def _restore(kind: type[Parallel[..., Any]], function: Any, hints: dict[str, Any]) -> Any:
    return kind(function, hints)
