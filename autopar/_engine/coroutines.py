"""Maps of coroutine functions: on the caller's event loop, or on one of our own for callers without.

As many coroutines as the plan allows take the items in turn, each one the next. A function whose effects need the
loop's order gets one such coroutine, which is the loop.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import (
    AsyncGenerator,
    Awaitable,
)
from contextlib import aclosing
from typing import Any

from autopar._backends.chunk import pause_before
from autopar._backends.standing import awaiting_at
from autopar._backends.streams import OwnStreams
from autopar._classify import classify
from autopar._engine.adaptive_limit import AdaptiveLimit
from autopar._engine.async_items import Input, Items, Taken, traits_of
from autopar._engine.blocks import Block, Reorder
from autopar._engine.checkpoints import Kept, KeptCoroutines
from autopar._engine.functions import FunctionState
from autopar._engine.journal import record
from autopar._engine.limits import Late, Limits
from autopar._engine.machine import cores_here, threads_left, warm_workers
from autopar._engine.naming import add_note
from autopar._engine.notice import WORTH_A_WARNING, hint_where_it_hurts, users_line
from autopar._engine.streams import draws_from_numpy, root_seed
from autopar._engine.task import answer
from autopar._engine.teaching import teach_coroutines
from autopar._engine.times import ChunkTimes
from autopar._engine.watch import watch_for
from autopar._model.decision import Decision
from autopar._model.hints import Settings
from autopar._model.learned import ProfileKey
from autopar._model.observation import Profile, Sample
from autopar._model.plan import Choice
from autopar._native_api import thread_probe
from autopar._observe.host import current_host
from autopar._plan import Situation, choose

TURN_SECONDS = 5e-3
"""Seconds after which a map lets other tasks of its loop run: one switch interval of CPython's threads."""

UNBOUNDED = 1 << 62
"""Items that a map which gives a list may have taken and not handed out."""

SAMPLES = 64
"""Items whose times are told apart, which is enough for their spread; of the others there is a sum."""


class CoroutineRun:
    """The state of one map over a coroutine function.

    Parameters
    ----------
    state, kwargs, settings
        As in :class:`autopar._engine.run.MapRun`.
    items
        One iterable, synchronous or asynchronous.
    star
        Items are tuples of positional arguments.
    lazy, buffersize
        Results leave one by one; most items taken and not yet handed out.
    """

    def __init__(
        self,
        state: FunctionState,
        items: Items,
        kwargs: dict[str, Any],
        settings: Settings,
        *,
        star: bool = False,
        lazy: bool = False,
        buffersize: int | None = None,
        operation: str = "map",
    ) -> None:
        self.state = state
        self.settings = settings
        self.operation = operation
        self.delivered = 0
        self._kwargs = kwargs
        self._star = star
        self._input = Input(items)
        self._walls: list[float] = []
        self._at_ease = not settings.timed
        self._limits = Limits(settings, single=operation == "submit")
        self._seed = root_seed(settings.seed)
        self._kept: KeptCoroutines | None = None
        if settings.checkpoint is not None and operation != "submit":
            self._kept = KeptCoroutines(Kept(state, kwargs, settings, star=star, seed=self._seed))
            self._seed = self._kept.seed
        self._numpy_random = self._seed is not None and draws_from_numpy(state.traits())
        unanswered = settings.on_error == "raise" and not settings.retry.times
        self._plain = self._at_ease and unanswered and self._seed is None and self._kept is None
        self._started = time.perf_counter()
        self._started_unix = time.time()
        self._times = ChunkTimes(self._started)
        self._stop_at: int | None = None
        self._failure: tuple[int, BaseException] | None = None
        self._results = 0
        self._give_way_at = 0.0

        self._line = users_line()
        self._await = awaiting_at(self._line)
        self._traits = traits_of(state, items, star=star, kwargs=kwargs)
        self._key = ProfileKey(state.memory.code, "await", 0)
        learned = state.memory.recall(self._key)
        known = Profile() if learned is None else learned.facts.profile()
        self._choice = self._choose(known, self._input.length)
        self.plan = self._choice.plan
        workers = 1 if self.plan.backend == "serial" else self.plan.workers
        if lazy:
            self._buffer = buffersize if buffersize is not None else max(64, 2 * workers)
            workers = min(workers, self._buffer)
        else:
            self._buffer = UNBOUNDED
        in_order = self.plan.backend == "serial" and settings.backend is None
        self._look_at = self._started + WORTH_A_WARNING if in_order else math.inf
        self._workers = max(1, workers if self._input.length is None else min(workers, self._input.length))
        self._limit = self._new_limit(known)

    def _new_limit(self, known: Profile) -> AdaptiveLimit | None:
        """Concurrency that gives way where more only queue; nothing of it where all items are under way at once."""
        few = self._input.length is not None and self._input.length <= self._workers
        if few or self._workers == 1 or self.settings.workers is not None or not self._at_ease:
            return None
        return AdaptiveLimit(self._workers, known.best_concurrency)

    def _choose(self, profile: Profile, remaining: int | None) -> Choice:
        host = current_host()
        return choose(
            Situation(
                traits=self._traits,
                workload=classify(self._traits, profile, host),
                profile=profile,
                host=host,
                settings=self.settings,
                remaining=remaining,
                seen=self._input.taken,
                cores=cores_here(host),
                threads=threads_left(),
                warm=warm_workers(),
            )
        )

    def _hint(self) -> None:
        """Once a map has gone on for a while, one item after the other, say what that costs the rest."""
        self._look_at = math.inf
        remaining = None if self._input.length is None else self._input.length - self._input.taken
        choice = self._choose(self._measured(), remaining)
        if choice.plan.backend == "serial":
            hint_where_it_hurts(self.state, choice, self._line)

    @property
    def choice(self) -> Choice:
        """The choice of its plan."""
        return self._choice

    # -- the story ------------------------------------------------------------------------------------------------

    async def collect(self) -> list[Any]:
        """All results in order."""
        results: list[Any] = []
        order = Reorder()
        async with aclosing(self._recorded()) as batches:
            async for blocks in batches:
                for ready in order.put_all(blocks):
                    self._answer(ready)
                    results.extend(ready.values)
                    self._note_failure(ready)
                if self._failure is not None:
                    break
        if self._failure is not None:
            # Raised here, not in a generator, which would turn StopAsyncIteration into something else.
            raise self._failure[1]
        return results

    async def ordered(self) -> AsyncGenerator[Any]:
        """Results in order."""
        order = Reorder()
        async with aclosing(self._recorded()) as batches:
            async for blocks in batches:
                for ready in order.put_all(blocks):
                    self._answer(ready)
                    for value in ready.values:
                        self._deliver()
                        yield value
                    self._note_failure(ready)
                if self._failure is not None:
                    break
        if self._failure is not None:
            raise self._failure[1]

    async def completed(self) -> AsyncGenerator[tuple[int, Any]]:
        """``(index, result)`` in order of completion."""
        async with aclosing(self._recorded()) as batches:
            async for blocks in batches:
                for block in blocks:
                    self._answer(block)
                    for index, value in enumerate(block.values, block.start):
                        self._deliver()
                        yield index, value
                    self._note_failure(block)
                    if self._failure is not None:
                        break
                if self._failure is not None:
                    break
        if self._failure is not None:
            raise self._failure[1]

    def _answer(self, block: Block) -> None:
        """Put the user's answers in the place of errors, in the order in which results leave."""
        if block.failed:
            answer(block, self.settings.on_error)
            if block.error is not None:
                self._stop(block.end)

    def _note_failure(self, block: Block) -> None:
        if block.error is not None:
            self._failure = block.end, block.error

    def _deliver(self) -> None:
        self.delivered += 1
        self._room.set()

    async def _recorded(self) -> AsyncGenerator[list[Block]]:
        """The blocks, as many as there are each time; at the end, however it comes, the decision."""
        before = thread_probe()
        if self._kept is not None:
            self._kept.open()
        ended: BaseException | None = None
        watch = watch_for(self.state.name, self.operation, self._input.length, self.settings)
        if watch is not None:
            watch.look(self)
        try:
            async with aclosing(self._blocks()) as batches:
                async for blocks in batches:
                    if watch is not None:
                        watch.take_all(blocks)
                    yield blocks
        except BaseException as raised:
            ended = raised
            raise
        finally:
            after = thread_probe()
            error = self._failure[1] if self._failure is not None else self._input.error or ended
            decision = self._record(error, (after[1] - before[1]) / 1e9)
            if watch is not None:
                watch.finish()
                watch.ended(decision)
            if self._failure is not None:
                where = f"item {self._failure[0]} of {self.state.name}.{self.operation}(), on {self.plan}"
                add_note(self._failure[1], f"{where} (decision {decision.number})")
        if self._input.error is not None:
            raise self._input.error

    async def _blocks(self) -> AsyncGenerator[list[Block]]:
        self._finished: list[Block] = []
        self._limits.start()
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._input.start()
        tasks = [asyncio.ensure_future(self._work(number)) for number in range(self._workers)]
        left = len(tasks)

        def end(_: object) -> None:
            nonlocal left
            left -= 1
            if not left:
                self._news.set()

        for task in tasks:
            task.add_done_callback(end)
        try:
            while True:
                await self._news.wait()
                self._news.clear()
                blocks, self._finished = self._finished, []
                if blocks:
                    yield blocks
                if not left and not self._finished:
                    break
            for task in tasks:
                task.result()
        finally:
            unfinished = [task for task in tasks if not task.done()]
            for task in unfinished:
                task.cancel()
            if unfinished:
                await asyncio.gather(*unfinished, return_exceptions=True)

    async def _next(self) -> Taken:
        """The next item, once there is room for it; None if no more are to be taken."""
        while True:
            while self._input.taken - self.delivered >= self._buffer and not self._input.exhausted:
                self._room.clear()
                await self._room.wait()
            if self._limit is not None:
                await self._limit.turn()
            if self._limits.over and self._input.length is None and not self._input.exhausted:
                self._input.end(self._limits.too_late(self._input.taken))
            if self._input.exhausted or self._stop_at is not None:
                return None
            source = self._input
            taken: Taken | Late = await self._limits.waited(source.take_async()) if source.waits else source.take()
            if not isinstance(taken, Late):
                return taken

    async def _work(self, number: int) -> None:
        """Take items in turn until none is left."""
        source, limit, function, kwargs = self._input, self._limit, self.state.function, self._kwargs
        at_once = self._plain and not source.waits and self._buffer == UNBOUNDED
        while True:
            if not at_once:
                taken = await self._next()
            else:
                if limit is not None and not limit.enter():
                    await limit.turn()
                taken = None if self._stop_at is not None else source.take()
            if taken is None:
                self._let_others_end()
                return
            index, item = taken
            began = time.perf_counter()
            if self._plain:
                try:
                    call = function(*item, **kwargs) if self._star else function(item, **kwargs)
                    block = Block(index, [await self._await(call)])
                    self._results += 1
                except BaseException as error:
                    block = self._broken(error, index)
            else:
                block = await self._kept_or_run(item, index)
            now = time.perf_counter()
            self._times.coroutine(number, began, now)
            if block.error is None:
                self._walls.append(now - began)
            else:
                self._stop(index)
            if self._limit is not None:
                self._limit.complete(now, now - began, ok=block.error is None)
            self._finished.append(block)
            self._news.set()
            if now >= self._look_at:
                self._hint()
            if now >= self._give_way_at:
                # Coroutines that never wait would keep the loop from everybody else.
                self._give_way_at = now + TURN_SECONDS
                await asyncio.sleep(0)

    def _let_others_end(self) -> None:
        """Nothing is left to take."""
        self._room.set()
        if self._limit is not None:
            self._limit.open()

    def _stop(self, index: int) -> None:
        """An item failed: nothing after it is wanted any more."""
        self._stop_at = index if self._stop_at is None else min(index, self._stop_at)

    async def _kept_or_run(self, item: Any, index: int) -> Block:
        block = None if self._kept is None else self._kept.find(index, item)
        if block is None:
            block = await self._run_item(item, index)
            if self._kept is not None:
                self._kept.keep(block)
        return block

    async def _run_item(self, item: Any, index: int) -> Block:
        retry = self.settings.retry
        failures = 0
        while True:
            if self._limits.over:
                return self._failed(self._limits.too_late(index), item, index)
            try:
                value = await (self._started_call(item, index) if self._at_ease else self._call(item, index))
            except asyncio.CancelledError as error:
                return self._broken(error, index)
            except Exception as error:
                failures += 1
                if retry.again(error, failures) and not self._limits.over:
                    if retry.backoff:
                        await asyncio.sleep(self._limits.shortened(pause_before(retry, failures)))
                    continue
                return self._failed(error, item, index)
            except BaseException as error:
                return Block(index, [], error)
            self._results += 1
            return Block(index, [value])

    def _broken(self, error: BaseException, index: int) -> Block:
        """What an item has raised; called where that is handled, since who cancels the map gets it at once."""
        if isinstance(error, asyncio.CancelledError):
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise error
        return Block(index, [], error)

    async def _call(self, item: Any, index: int) -> Any:
        async with self._limits.of(index):
            return await self._started_call(item, index)

    def _started_call(self, item: Any, index: int) -> Awaitable[Any]:
        function, kwargs = self.state.function, self._kwargs
        if self._seed is None:
            return self._await(function(*item, **kwargs) if self._star else function(item, **kwargs))

        async def call() -> Any:
            return await self._await(function(*item, **kwargs) if self._star else function(item, **kwargs))

        return OwnStreams(call(), self._seed, index, numpy_random=self._numpy_random)

    def _failed(self, error: Exception, item: Any, index: int) -> Block:
        on_error = self.settings.on_error
        if on_error == "raise":
            return Block(index, [], error)
        self._results += 1
        add_note(error, f"item {index} of {self.state.name}, on {self.plan}")
        return Block(index, [error], failed=[(0, error, item)])

    def _measured(self) -> Profile:
        """What the items took so far that have ended."""
        profile = Profile()
        for wall in self._walls[:SAMPLES]:
            profile.add(Sample(1, wall, 0.0, None, 1, self._workers))
        if others := self._walls[SAMPLES:]:
            profile.add(Sample(len(others), sum(others), 0.0, None, len(others), self._workers))
            profile.slowest = max(profile.slowest, *others)
        if self._limit is not None:
            profile.best_concurrency = self._limit.accepted
        return profile

    def _record(self, error: BaseException | None, cpu: float) -> Decision:
        profile = self._measured()
        if profile.items:
            # The loop's CPU time belongs to all items together; the wall time of each was its own.
            profile.cpu = min(cpu, profile.wall)
            teach_coroutines(self.state, self._key, profile, self._started_unix)
        items = self._results
        return record(
            self.state,
            operation=self.operation,
            started=self._started_unix,
            items=items,
            workload=classify(self.state.traits(), profile, current_host()),
            plan=self.plan,
            rejected=self._choice.rejected,
            why=self._choice.why,
            predicted=self._choice.plan.predicted,
            actual=time.perf_counter() - self._started,
            serial_estimate=profile.seconds_per_item * items if profile.items else None,
            tried=((self.plan, items),),
            notes=self._choice.notes,
            fallbacks=() if self._kept is None else self._kept.close(),
            error="" if error is None or isinstance(error, GeneratorExit) else type(error).__qualname__,
            timeline=self._times.timeline() if self._workers > 1 else None,
        )
