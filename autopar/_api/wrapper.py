"""What ``@parallel`` returns: a transparent proxy of the function, with maps and the decision log on it."""

from __future__ import annotations

import functools
import sys
from _thread import RLock
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Iterator
from types import MethodType
from typing import TYPE_CHECKING, Any, Concatenate, Generic, overload

from autopar._api.later import engine
from autopar._api.proxy import base_object_proxy, leads_to, restore
from autopar._api.sampling import FAR, WORTH_LOADING
from autopar._api.variables import P, Q, R, S
from autopar._native_api import counted_call_type

if TYPE_CHECKING:
    from asyncio import Future as AsyncFuture
    from concurrent.futures import Future

    from wrapt import BaseObjectProxy

    from autopar._engine.calls import Reading
    from autopar._engine.functions import FunctionState
    from autopar._model.decision import Decision
    from autopar._model.hints import Settings

_knowing = RLock()


if TYPE_CHECKING:

    class _CountedCall(BaseObjectProxy[Callable[P, R]], Generic[P, R]):
        _self_target: list[Callable[..., Any]]
        _self_countdown: int
        _self_sampling: bool

        def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R: ...

else:
    _CountedCall = {(P, R): counted_call_type(base_object_proxy())}  # the type itself cannot be subscripted


class Parallel(_CountedCall[P, R], Generic[P, R]):
    """A function that can be mapped in parallel; called, it is the function itself.

    Made by :func:`autopar.parallel`. Attributes, signature, documentation, ``isinstance`` and pickling are those of the
    function.
    """

    _of_a_function = False  # not annotated: annotations of the class would hide those of the function

    def __init__(
        self,
        function: Callable[P, R],
        hints: dict[str, Any],
        state: FunctionState | None = None,
        *,
        bound_from: Parallel[..., Any] | None = None,
    ) -> None:
        super().__init__(function)
        self._self_hints = hints
        self._self_bound_from = bound_from
        self._self_distance = 1
        self._self_spent = 0
        self._self_known: FunctionState | None = None
        self._self_settled: Settings | None = None
        self._self_target = [function]
        if state is not None or hints.get("compiler") is not None:
            self._know(state)
        elif hints:
            self._settle()

    @property
    def _self_state(self) -> FunctionState:
        """What the engine remembers of the function, which is found or begun when it is first needed."""
        return self._self_known or self._know()

    @property
    def _self_alone(self) -> Settings:
        """What is asked where nothing asks for more than the decorator's hints."""
        return self._self_settled or self._settle()

    def _settle(self) -> Settings:
        from autopar._model.hints import settle

        self._self_settled = settle(self._self_hints)
        return self._self_settled

    def _know(self, state: FunctionState | None = None) -> FunctionState:
        if state is None:
            origin = self._self_bound_from
            function = self.__wrapped__
            state = engine.state_for(function) if origin is None else engine.bound_state(origin._self_state, function)
        found = state.under(self._self_alone.terms)
        target = engine.target_of(found, self._self_hints.get("compiler"))
        with _knowing:
            if self._self_known is None:
                self._self_first_target = self._self_target  # a call on another thread may still be reading it
                self._self_known, self._self_target = found, target
            return self._self_known

    # -- one call -------------------------------------------------------------------------------------------------

    def _sampled(self, target: Any, args: Any, kwargs: Any, before: Reading, after: Reading) -> None:
        """Take in the call whose turn to be measured it was; all others go straight to the target."""
        counted, wall = self._self_distance, max(after[0] - before[0], 1)
        self._self_distance = self._self_countdown = min(2 * counted, int(FAR / wall) + 1)
        if self._self_known is None:
            first = self if self._self_bound_from is None else self._self_bound_from
            first._self_spent += counted * wall
            if (first._self_spent < WORTH_LOADING and not engine.loaded) or sys.is_finalizing():
                return
        state = self._self_state
        stands_for = counted if self._self_target is state.target else None
        engine.take_sample(state, target, args, kwargs, before, after, stands_for)

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
        return kind(bound, self._self_hints, bound_from=self)

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

        Parameters
        ----------
        iterable
            Tuples, lists or other iterables of arguments.
        **keywords
            As for :meth:`map`.

        Returns
        -------
        list
            What ``[f(*args) for args in iterable]`` would return.

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
        *iterables, **keywords
            As for :meth:`map`.
        buffersize
            Most items taken from the input and not yet handed out, at least 1. Without it a small multiple of the
            workers.

        Returns
        -------
        iterator
            Of the results; what an item raised is raised in its place, and ends it.

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

        Parameters
        ----------
        *iterables, buffersize, **keywords
            As for :meth:`imap`.

        Returns
        -------
        iterator
            Of tuples: an item's place in the input, from 0, and its result.

        Examples
        --------
        >>> from autopar import parallel
        >>> sorted(parallel(abs).imap_unordered([-5, 7]))
        [(0, 5), (1, 7)]
        """
        return self._iterator(iterables, keywords, "imap_unordered", ordered=False, buffersize=buffersize)

    def _prepare(self, keywords: dict[str, Any], operation: str) -> tuple[dict[str, Any], Settings]:
        own, hints = engine.split_keywords(self.__wrapped__, keywords, operation) if keywords else (keywords, keywords)
        return own, engine.settings_for(hints, self._self_hints, self._self_settled or self._settle())

    def _list(self, iterables: tuple[Any, ...], keywords: dict[str, Any], operation: str, *, star: bool) -> list[R]:
        if len(iterables) != 1 or type(iterables[0]) is not list:
            engine.check_iterables(iterables, operation)
        (own, settings), state = self._prepare(keywords, operation), self._self_known or self._know()
        return engine.map_list(state, iterables, own, settings, star=star, operation=operation)

    def _iterator(
        self, iterables: tuple[Any, ...], keywords: dict[str, Any], operation: str, *, ordered: bool, buffersize: Any
    ) -> Iterator[Any]:
        engine.check_iterables(iterables, operation)
        buffersize = engine.check_buffersize(buffersize)
        own, settings = self._prepare(keywords, operation)
        return engine.map_iterator(
            self._self_state, iterables, own, settings, ordered=ordered, buffersize=buffersize, operation=operation
        )

    # -- asynchronous ---------------------------------------------------------------------------------------------

    def submit(self, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Start one call and return a :class:`concurrent.futures.Future` for it.

        Parameters
        ----------
        *args, **kwargs
            The function's own arguments; hints come from the decorator or :meth:`options`.

        Returns
        -------
        concurrent.futures.Future
            Its result, or what the call raised.

        Examples
        --------
        >>> from autopar import parallel
        >>> parallel(abs).submit(-3).result()
        3
        """
        return engine.submit_call(
            self._self_state, args, dict(kwargs), engine.settings_for({}, self._self_hints, self._self_alone)
        )

    def asubmit(self, *args: P.args, **kwargs: P.kwargs) -> AsyncFuture[R]:
        """Start one call from asynchronous code; await the result.

        Parameters
        ----------
        *args, **kwargs
            As for :meth:`submit`.

        Returns
        -------
        asyncio.Future
            To be awaited.

        Raises
        ------
        RuntimeError
            No event loop is running.

        Examples
        --------
        >>> import asyncio
        >>> from autopar import parallel
        >>> async def main():
        ...     return await parallel(abs).asubmit(-3)
        >>> asyncio.run(main())
        3
        """
        import asyncio

        asyncio.get_running_loop()
        return asyncio.wrap_future(self.submit(*args, **kwargs))

    def amap(self, *iterables: Iterable[Any] | AsyncIterable[Any], **keywords: Any) -> Awaitable[list[R]]:
        """Like :meth:`map`, to be awaited: the event loop never blocks. Asynchronous iterables are taken too.

        Parameters
        ----------
        *iterables, **keywords
            As for :meth:`map`; iterables may be asynchronous.

        Returns
        -------
        awaitable
            Of the list of results, in order.

        Examples
        --------
        >>> import asyncio
        >>> from autopar import parallel
        >>> async def main():
        ...     return await parallel(abs).amap([-1, 2])
        >>> asyncio.run(main())
        [1, 2]
        """
        import asyncio
        import threading

        from autopar._engine.bridge import as_iterable, run_in_thread

        engine.check_iterables(iterables, "amap", asynchronous=True)
        own, settings = self._prepare(keywords, "amap")

        async def run() -> list[Any]:
            loop, stop = asyncio.get_running_loop(), threading.Event()
            sources = tuple(as_iterable(each, loop, stop) for each in iterables)
            return await run_in_thread(  # type: ignore[no-any-return]
                lambda: engine.map_list(self._self_state, sources, own, settings, operation="amap", cancel=stop), stop
            )

        return run()

    def aimap(
        self, *iterables: Iterable[Any] | AsyncIterable[Any], buffersize: int | None = None, **keywords: Any
    ) -> AsyncIterator[R]:
        """Like :meth:`imap`, for ``async for``.

        Parameters
        ----------
        *iterables, buffersize, **keywords
            As for :meth:`imap`; iterables may be asynchronous.

        Returns
        -------
        asynchronous iterator
            Of the results, in order.

        Examples
        --------
        >>> import asyncio
        >>> from autopar import parallel
        >>> async def main():
        ...     return [result async for result in parallel(abs).aimap([-1, 2])]
        >>> asyncio.run(main())
        [1, 2]
        """
        import asyncio
        import threading

        from autopar._engine.bridge import BATCH_ITEMS, as_iterable, iterate_in_thread

        engine.check_iterables(iterables, "aimap", asynchronous=True)
        size = engine.check_buffersize(buffersize)
        own, settings = self._prepare(keywords, "aimap")

        async def deliver() -> AsyncIterator[Any]:
            loop, stop = asyncio.get_running_loop(), threading.Event()
            sources = tuple(as_iterable(each, loop, stop) for each in iterables)
            start = functools.partial(
                engine.map_iterator, self._self_state, sources, own, settings, buffersize=size, operation="aimap"
            )
            # What waits on this side of the bridge counts as taken: with a buffersize it is one result at a time.
            async for value in iterate_in_thread(start, stop, BATCH_ITEMS if size is None else 1):
                yield value

        return deliver()

    # -- hints and the log ----------------------------------------------------------------------------------------

    def options(self, **hints: Any) -> Parallel[P, R]:
        """The same function with other hints; the rest of its own stays.

        Parameters
        ----------
        **hints
            As for :func:`autopar.parallel`, apart from those that are for the decorator only.

        Returns
        -------
        Parallel
            Another one; this one stays as it is.

        Examples
        --------
        >>> from autopar import parallel
        >>> parallel(abs, workers=2).options(backend="threads").map([-1])
        [1]
        """
        from autopar._model.hints import check_hints

        merged = {**self._self_hints, **check_hints(hints, where="options()")}
        return type(self)(self.__wrapped__, merged, self._self_state)

    @property
    def decisions(self) -> list[Decision]:
        """The decisions made for this function in this process, newest last."""
        from autopar._api.shown import Decisions

        return Decisions(engine.decisions_of(self._self_state))

    def explain(self) -> str:
        """Print, and return, why the last operation ran as it did.

        Returns
        -------
        str
            The text that was printed.

        Examples
        --------
        >>> from autopar import parallel
        >>> same = parallel(abs)
        >>> results = same.map([-1, 2], backend="serial")
        >>> same.explain().splitlines()[0]  # doctest: +ELLIPSIS
        builtins.abs: map over 2 items ran in the plain loop in ...
        """
        from autopar._api.explanation import Explanation

        decisions = self.decisions
        if decisions:
            text = engine.explanation(decisions[-1])
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
        if isinstance(function, MethodType):
            return getattr, (owner, function.__name__)
        reference = self._self_state.reference()
        if reference is not None and leads_to(reference, self):
            return reference[1]
        # A client is a connection of this process; elsewhere a map inside an item has no use for it.
        hints = {name: value for name, value in self._self_hints.items() if name != "cluster" or isinstance(value, str)}
        return restore, (type(self), function, hints)

    def __reduce_ex__(self, protocol: Any) -> Any:
        found = self.__autopar_reduce__()
        if isinstance(found, tuple) and found[0] is restore and "<" not in self.__qualname__:
            return self.__qualname__
        return found

    def __reduce__(self) -> Any:
        return self.__reduce_ex__(2)

    def __repr__(self) -> str:
        return f"<parallel {self.__wrapped__!r}>"

    def _repr_html_(self) -> str:
        from autopar._api.html import function_html

        return function_html(self._self_state.name, self._self_hints, self.decisions)

    def __copy__(self) -> Parallel[P, R]:
        return self

    def __deepcopy__(self, memo: Any) -> Parallel[P, R]:
        return self
