"""What ``@parallel`` returns for a coroutine function."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Coroutine, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Generic

from autopar._api.later import engine
from autopar._api.variables import P, T
from autopar._api.wrapper import Parallel

if TYPE_CHECKING:
    from asyncio import Future as AsyncFuture
    from concurrent.futures import Future

    from autopar._engine.coroutines import CoroutineRun


class AsyncParallel(Parallel[P, Coroutine[Any, Any, T]], Generic[P, T]):
    """A coroutine function that can be mapped; its maps give results, not coroutines."""

    if TYPE_CHECKING:

        def options(self, **hints: Any) -> AsyncParallel[P, T]: ...
        def map(self, *iterables: Iterable[Any], **keywords: Any) -> list[T]: ...  # type: ignore[override]
        def starmap(self, iterable: Iterable[Iterable[Any]], **keywords: Any) -> list[T]: ...  # type: ignore[override]
        def imap(  # type: ignore[override]
            self, *iterables: Iterable[Any], buffersize: int | None = None, **keywords: Any
        ) -> Iterator[T]: ...
        def imap_unordered(  # type: ignore[override]
            self, *iterables: Iterable[Any], buffersize: int | None = None, **keywords: Any
        ) -> Iterator[tuple[int, T]]: ...

    def _off_the_loop(self, keywords: dict[str, Any]) -> Parallel[P, Any] | None:
        """The function as a plain one, where it never waits and nothing shows where it runs."""
        from autopar._engine.driven import driven_state

        _, settings = (
            self._prepare(keywords, "a map")
            if keywords
            else ({}, engine.settings_for({}, self._self_hints, self._self_alone))
        )
        state = driven_state(self._self_state, settings)
        return None if state is None else Parallel(state.function, self._self_hints, state)

    def _run(
        self,
        iterables: tuple[Any, ...],
        keywords: dict[str, Any],
        operation: str,
        *,
        star: bool = False,
        lazy: bool = False,
        buffersize: Any = None,
    ) -> CoroutineRun:
        from autopar._engine.async_items import items_of
        from autopar._engine.coroutines import CoroutineRun

        engine.check_iterables(iterables, operation, asynchronous=operation.startswith("a"))
        size = engine.check_buffersize(buffersize)
        own, settings = self._prepare(keywords, operation)
        items, star = items_of(iterables, star)
        return CoroutineRun(
            self._self_state,
            items,
            own,
            settings,
            star=star,
            lazy=lazy,
            buffersize=size,
            operation=operation,
        )

    def _list(self, iterables: tuple[Any, ...], keywords: dict[str, Any], operation: str, *, star: bool) -> Any:
        from autopar._engine.own_loop import map_on_own_loop, refuse_running_loop

        plain = self._off_the_loop(keywords)
        if plain is not None:
            refuse_running_loop(operation, self._self_state.name)
            return plain._list(iterables, keywords, operation, star=star)
        return map_on_own_loop(self._run(iterables, keywords, operation, star=star))

    def _iterator(
        self, iterables: tuple[Any, ...], keywords: dict[str, Any], operation: str, *, ordered: bool, buffersize: Any
    ) -> Iterator[Any]:
        from autopar._engine.own_loop import iterate_on_own_loop, refuse_running_loop

        plain = self._off_the_loop(keywords)
        if plain is not None:
            refuse_running_loop(operation, self._self_state.name)
            return plain._iterator(iterables, keywords, operation, ordered=ordered, buffersize=buffersize)
        run = self._run(iterables, keywords, operation, lazy=True, buffersize=buffersize)
        return iterate_on_own_loop(run, ordered=ordered)

    def submit(self, *args: P.args, **kwargs: P.kwargs) -> Future[T]:  # type: ignore[override]
        """Start one call on autopar's own event loop."""
        from autopar._backends.aio import run_on_loop
        from autopar._engine.one_coroutine import one_call

        plain = self._off_the_loop({})
        if plain is not None:
            return plain.submit(*args, **kwargs)
        settings = engine.settings_for({}, self._self_hints, self._self_alone)
        return run_on_loop(one_call(self._self_state, args, dict(kwargs), settings))

    def asubmit(self, *args: P.args, **kwargs: P.kwargs) -> AsyncFuture[T]:  # type: ignore[override]
        """Start one call as a task of the running event loop."""
        import asyncio

        from autopar._engine.one_coroutine import one_call

        asyncio.get_running_loop()
        plain = self._off_the_loop({})
        if plain is not None:
            return plain.asubmit(*args, **kwargs)
        settings = engine.settings_for({}, self._self_hints, self._self_alone)
        return asyncio.ensure_future(one_call(self._self_state, args, dict(kwargs), settings))

    def amap(  # type: ignore[override]
        self, *iterables: Iterable[Any] | AsyncIterable[Any], **keywords: Any
    ) -> Awaitable[list[T]]:
        """Like :meth:`map`, on the running event loop; beside it, if the function never waits and may run anywhere."""
        plain = self._off_the_loop(keywords)
        if plain is not None:
            return plain.amap(*iterables, **keywords)
        return self._run(iterables, keywords, "amap").collect()

    def aimap(  # type: ignore[override]
        self, *iterables: Iterable[Any] | AsyncIterable[Any], buffersize: int | None = None, **keywords: Any
    ) -> AsyncIterator[T]:
        """Like :meth:`imap`, for ``async for``; runs where :meth:`amap` would."""
        plain = self._off_the_loop(keywords)
        if plain is not None:
            return plain.aimap(*iterables, buffersize=buffersize, **keywords)
        return self._run(iterables, keywords, "aimap", lazy=True, buffersize=buffersize).ordered()
