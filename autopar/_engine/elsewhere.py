"""The part of a map that runs on a pool: keeps it filled, takes outcomes back, and finds who is to blame."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from autopar._backends.pending import PendingChunk
from autopar._engine.again import Again, called_back, first_failure, not_twice, one_by_one, unclear, without_the_begun
from autopar._engine.blocks import Block
from autopar._engine.completions import LINGER, enough
from autopar._engine.discreet import discreet
from autopar._engine.leaving import leave
from autopar._engine.lessons import SideBySide, learn_gil_share, seconds_on_trust, slower_than_the_loop
from autopar._engine.machine import THIS_MACHINE
from autopar._engine.naming import named
from autopar._engine.pace import Pace
from autopar._engine.patience import patience
from autopar._engine.pressure import Pressure
from autopar._engine.prices import costs_on
from autopar._engine.task import UNLIMITED, MapTask, note_pool
from autopar._model.observation import Sample
from autopar._model.plan import BACKENDS, Plan
from autopar._model.retry import NO_RETRY
from autopar._model.work import Chunk, Job, Outcome, Pending, Pool
from autopar._plan import Climb, Rounds, climb_start, items_that_fit, next_chunksize
from autopar.errors import ItemTimeoutError, TransportError, UnavailableError, WorkerDiedError

AHEAD_ON_A_CLUSTER, SMALL_ITEM = 15_000, 1024
"""Items that a lazy map without a ``buffersize`` may take further ahead on a cluster, if an item and its result have at
most so many pickled bytes each: 30 MB in all."""


class Elsewhere:
    """One pool at work for one map.

    Parameters
    ----------
    task
        The map.
    plan
        What to open.
    leave
        Called when this way cannot go on, with the reason and whether the backend works; what is left is in
        ``requeue``.

    Attributes
    ----------
    requeue
        Chunks to run again, or elsewhere.
    warming
        The workers are still starting, and are not forked: those are there at once.
    fresh
        Worker processes have just been sent for.
    left
        This way cannot go on.
    unproven
        It was chosen on a guess that its first chunks are to check.
    side_by_side
        What its chunks have lost to one another.
    """

    def __init__(self, task: MapTask, plan: Plan, leave: Callable[[str, bool], None]) -> None:
        self.task = task
        self.plan = plan
        note_pool()
        self.requeue: deque[Chunk] = deque()
        warm = task.machine.warm_workers().get(plan.backend, 0)
        self._now = task.machine.now
        cold = plan.backend == "processes" and not warm
        forked = cold and task.machine.forkable()
        if cold:
            task.on_pool.cold.append((self._now(), plan.workers, forked))
        self.pool = task.open(plan)
        self._earlier: list[Pool] = []
        self.fresh = not BACKENDS[plan.backend].same_process and warm < plan.workers
        self.warming = self.fresh and not forked
        self._costs = costs_on(task.machine)
        self.climb = self._new_climb(plan)
        task.scattered = True
        self._leave = leave
        self.left = self.unproven = False
        self._pressure = Pressure(task.settings, plan)
        self._again = Again(task.settings, self._now)
        self._job = self._new_job(plan)
        self._pace = Pace(task.profile.seconds_per_item)
        self._rounds = Rounds()
        self._in_flight: dict[Pending, Chunk] = {}
        self._done = task.machine.completions()
        self._began: float | None = None
        self._finished = 0
        self._spent = self._worked = 0.0
        self._unsent: deque[Block] = deque()
        self._small = False
        self.side_by_side = SideBySide()
        self._races = plan.backend == "threads" and not task.demanded

    # -- keeping it filled ------------------------------------------------------------------------------------------

    def renew(self) -> None:
        """Run the following chunks with the function as it is now: compiled, or not any more."""
        self.plan = replace(self.plan, compiler=self.task.loop.compiler)
        self._job = self._new_job(self.plan)

    def _new_job(self, plan: Plan) -> Job:
        task = self.task
        cores = task.cores if task.cluster is None or plan.backend != "dask" else task.cluster.cores
        job = task.job(
            max(1, cores // max(1, plan.workers)),
            elsewhere=not BACKENDS[plan.backend].same_process,
            repeatable=BACKENDS[plan.backend].same_process or task.repeatable_on(plan.backend),
        )
        if BACKENDS[plan.backend].same_process and not job.draws:
            job = replace(job, seed=None)  # The streams stay those of the caller, who may draw from them meanwhile.
        return replace(job, retry=NO_RETRY) if self._again.here else job

    def adjust(self, plan: Plan) -> None:
        """Follow a better-informed plan for the same backend."""
        before, self.plan = self.plan, plan
        if (plan.workers, plan.adaptive) != (before.workers, before.adaptive):
            self._earlier.append(self.pool)
            self.pool = self.task.open(plan)
        if not plan.adaptive or self.climb is None:
            self.climb = self._new_climb(plan)

    def _new_climb(self, plan: Plan) -> Climb | None:
        """Concurrency control that starts from what this function's last map found."""
        if not plan.adaptive:
            return None
        start = climb_start(plan.backend, self.task.cores, self.task.best_concurrency, self._costs)
        return Climb(plan.workers, start=start, alone=self.task.profile.seconds_per_item or None)

    def fill(self) -> None:
        """Keep as many chunks submitted as the plan says and the buffer allows."""
        limit = self.pool.capacity if self.climb is None else self.pool.admit(self.climb.limit)
        if self.unproven and self.climb is None:
            limit = min(limit, 3 * self.plan.workers)  # If the guess is wrong, these are to be waited for.
        elif self._in_a_kernel and not self._pace.seconds:
            limit = min(limit, 2 * self.plan.workers)  # Small ones, on trust: the first tells more (benchmarks/native).
        limit = min(limit, self._pressure.most or limit)
        while len(self._in_flight) < limit and not self.left:
            chunk = self._next_chunk()
            if chunk is None:
                return
            try:
                future = self.pool.submit(chunk)
            except TransportError as error:
                self._cannot_send(chunk, error)
                continue
            self._in_flight[future] = chunk
            future.add_done_callback(self._done.put)
            limit = min(limit, self.pool.capacity)  # It has less where it had to start anew.

    @property
    def _in_a_kernel(self) -> bool:
        """Items run without the GIL and wait for nothing, on threads of this process."""
        form = self.task.compiling.form
        return form is not None and self._job.function is form and not form.holds_gil and self.climb is None

    @property
    def waits_for_consumer(self) -> bool:
        """Items draw from the streams that a lazy map's consumer draws from, so none runs while it does."""
        return self.task.lazy and self._job.seed is not None and BACKENDS[self.plan.backend].same_process

    @property
    def busy(self) -> bool:
        """Something is under way or waits to be handed out."""
        return bool(self._in_flight or self._unsent or self._again)

    @property
    def typical(self) -> bool:
        """What has ended tells of all: of items that wait at the same time the shortest end first."""
        return self.climb is None or self._pace.typical

    def next_requeued(self) -> Chunk | None:
        """The next chunk to run again that is still wanted."""
        if self.task.stop_at is not None:
            self._again.drop_beyond(self.task.stop_at)
        while (chunk := self.requeue.popleft() if self.requeue else self._again.next()) is not None:
            if self.task.stop_at is None or chunk.start < self.task.stop_at:
                return chunk
        return None

    def _next_chunk(self) -> Chunk | None:
        chunk = self.next_requeued()
        if chunk is not None:
            return chunk
        source = self.task.source
        room = self._room()
        if self.task.ended or room <= 0:
            return None
        if source.waits and self.busy and not source.ready(self.nudge):
            return None
        start, watched = source.taken, source.watched
        take = source.take_part if self._job.function is self.task.compiling.form else source.take
        items = take(1 if source.waits else self._chunksize(room))
        if not items:
            return None
        chunk = Chunk(self._job, start, items)
        if source.watched and not watched:
            self.requeue.append(chunk)
            self._go(f"item {source.taken - 1} can be changed by the input, unlike those before it", works=True)
            return None
        if not self.task.fits(items):
            self.requeue.append(chunk)
            self._go(f"an item from {start} on has another type, for which it may have effects", works=True)
            return None
        return chunk

    def _room(self) -> int:
        """Items that may be taken now: the way to a cluster is long, so small ones are taken further ahead."""
        task = self.task
        if not task.lazy:
            return UNLIMITED
        room = task.room(self._pace.seconds, self.plan.workers)
        if self._small and task.buffersize is None:
            room += AHEAD_ON_A_CLUSTER
        return room

    def _chunksize(self, room: int) -> int:
        task, plan, workers = self.task, self.plan, self.plan.workers
        chunksize, room = plan.chunksize, min(room, task.settings.max_tasks_per_worker or room)
        if self.climb is not None:
            # Short waits go several to a chunk, which together keep as many workers waiting; long ones one by one.
            # Of an input that may end at any moment each item waits by itself, until it is known how many at a time.
            workers = self.climb.limit
            unclear = task.source.remaining is None and not self.climb.settled
            chunksize = 1 if unclear and task.settings.chunksize is None else task.settings.chunksize
        if task.settings.timeout is not None or self._again.here:
            chunksize = 1
        if chunksize is not None:
            return min(chunksize, room)
        dispatch, remaining = self._dispatch(), task.source.remaining
        seconds = self._pace.seconds or (seconds_on_trust(task) if self.climb is None else 0.0)
        if not self._pace.seconds or task.buffersize is not None or (task.lazy and plan.backend == "dask"):
            # Every worker gets its share of a small buffer, and a small share, a guess, of what goes out on trust.
            room = max(1, min(room, remaining or room) // ((2 if self._pace.seconds else 32) * workers))
        waits, same_process = self.climb is not None, BACKENDS[plan.backend].same_process
        if not same_process:
            profile = task.profile
            transport = (profile.bytes_in or 0.0) + (profile.bytes_out or 0.0)
            room = min(room, items_that_fit(task.host.memory, workers, transport))
        if waits and remaining and seconds > 0 and same_process:
            return max(1, min(room, self._rounds.next(seconds, remaining, workers, dispatch)))
        return next_chunksize(seconds, remaining, workers, dispatch, buffered=room, waits=waits)

    def _dispatch(self) -> float:
        if self.plan.backend == "dask" and self.task.cluster is not None:
            return self.task.cluster.chunk
        same = BACKENDS[self.plan.backend].same_process
        return self._costs.lost_with_a_chunk(same_process=same, waits=self.climb is not None)

    # -- taking outcomes back -----------------------------------------------------------------------------------------

    def ready(self) -> list[Block]:
        """Blocks of what has finished; does not wait."""
        unsent = list(self._unsent)
        self._unsent.clear()
        return unsent + [block for future in self._done.take() for block in self._finish(future)]

    def wait(self) -> list[Block]:
        """Blocks of at least one finished chunk, if anything is under way."""
        blocks = list(self._unsent)
        self._unsent.clear()
        if not blocks and (self._in_flight or self._again):
            blocks = [block for future in self._wait_for_any() for block in self._finish(future)]
        return blocks

    def nudge(self) -> None:
        """Make somebody who waits here look up; called from another thread."""
        self._done.put(PendingChunk())

    def drain(self) -> Iterator[Block]:
        """Everything that is still under way."""
        self.requeue.extend(self._again.rest())
        while self.busy:
            yield from self.wait()
            self.requeue.extend(self._again.rest())

    def surrender(self) -> list[Chunk]:
        """Give up what runs; all that has no result yet."""
        chunks = [*self._in_flight.values(), *self.requeue, *self._again.rest()]
        for future in list(self._in_flight):
            self.pool.abandon(future)
        self._in_flight.clear()
        self.requeue.clear()
        return chunks

    def close(self, *, interrupted: bool) -> None:
        """Cancel what waits; end what runs too, where that is possible: after Ctrl-C at once, else in a moment."""
        leave(self.pool, list(self._in_flight), at_once=interrupted, wait=self.task.machine is THIS_MACHINE)
        if self.climb is not None:
            self.task.profile.best_concurrency = self.climb.accepted
        self._learn_gil_share()
        if self.plan.backend == "processes" and self._began is not None:
            self.task.on_pool.steady.append((self.plan.workers, self._finished, self._now() - self._began))
        for pool in (*self._earlier, self.pool):
            pool.close()

    def _learn_gil_share(self) -> None:
        """Where threads were tried because nobody knew the share, the next map knows it."""
        computed = self.climb is None and self.plan.backend == "threads" and self.plan.workers <= self.task.cores
        if self.task.profile.gil_share is None and computed and self._began is not None:
            seconds = self._now() - self._began
            learn_gil_share(self.task, self.plan.workers, self._finished, self._spent, self._worked, seconds)

    def slower_than_the_loop(self) -> str:
        """What shows that this way is slower than the loop was, or an empty string."""
        if self.climb is not None or self._began is None:
            return ""
        elapsed = self._now() - self._began
        return slower_than_the_loop(self.task, self.plan, self._finished, self._spent, self._worked, elapsed)

    def _wait_for_any(self) -> list[Pending]:
        wanted = self._enough()
        while True:
            timeout = patience(self.task, self._in_flight, self._again.due, self._now())
            linger = wanted > 1 and (timeout is None or timeout > LINGER)
            if ended := self._done.wait(wanted, LINGER if linger else timeout):
                return ended
            wanted = 1
            if linger:
                continue
            self.task.check_cancelled()
            if self.task.watch is not None:
                self.task.watch.tick()
            expired = self._expire()
            if expired or self._again.due is not None:
                return expired

    def _enough(self) -> int:
        """Chunks worth being woken for: one, or several where threads have others to go on with."""
        if self.climb is None or self.plan.backend != "threads" or self.task.follows_results:
            return 1
        return enough(len(self._in_flight), len(self._in_flight) - self.climb.limit, more=not self.task.ended)

    def _expire(self) -> list[Pending]:
        """Give up items past their time-out."""
        timeout = self.task.settings.timeout
        if timeout is None:
            return []
        now = self._now()
        expired: list[Pending] = []
        for future in list(self._in_flight):
            started = getattr(future, "started", None)
            if started is None or now - started < timeout or future.done():
                continue
            self.pool.abandon(future)
            stand_in = PendingChunk()
            stand_in.set_exception(ItemTimeoutError(f"took longer than timeout={timeout:g} seconds"))
            self._in_flight[stand_in] = self._in_flight.pop(future)
            expired.append(stand_in)
        return expired

    def _finish(self, future: Pending) -> Iterable[Block]:
        chunk = self._in_flight.pop(future, None)
        if chunk is None or future.cancelled():
            return ()
        error = future.exception()
        if error is not None:
            return self._around(chunk, error)
        outcome = future.result()
        self.warming = False
        now = self._now()
        self._learn(outcome, now)
        if self._races:
            self.side_by_side.add(getattr(future, "started", None), outcome, getattr(future, "worker", None))
        self.task.times.chunk(self.plan.backend, future, outcome, now)
        if self._again.raised(chunk, outcome):
            return ()
        if outcome.lost is not None and not (self.task.demanded and self.task.collects):
            return (self._lost_result(chunk, outcome, outcome.lost),)
        if self.plan.backend == "dask" and (failed := first_failure(outcome)) is not None and self._may_be_the_node():
            return (self._again_here(chunk, outcome, failed),)
        block = self.task.block_of(chunk, outcome, self.plan)
        if block.error is not None:
            self._cancel_beyond(block.end)
        return (block,)

    @property
    def _repeatable(self) -> bool:
        return self.task.repeatable_on(self.plan.backend)

    def _may_be_the_node(self) -> bool:
        """An error on another machine may be that machine's: a file that is not there. What may run twice tells."""
        cluster = self.task.cluster
        return cluster is not None and cluster.elsewhere and not self.task.demanded and self._repeatable

    def _again_here(self, chunk: Chunk, outcome: Outcome, failed: int) -> Block:
        """Let the loop decide what becomes of an item that has raised; the results before it are right."""
        index = chunk.start + failed
        self.requeue.append(Chunk(chunk.job, index, chunk.items[failed:]))
        self._go(f"item {index} raised on the cluster, which may be the node's doing: it runs again here")
        emitted = [said for said in outcome.emitted if said[0] < failed]
        return self.task.block_of(chunk, Outcome(outcome.values[:failed], emitted=emitted), self.plan)

    def _learn(self, outcome: Outcome, now: float) -> None:
        items = len(outcome.values)
        self.task.worked += outcome.cpu
        self.task.on_pool.add(outcome)
        if self._began is None:
            # Starting the workers is paid for once; what counts from here on is how fast they are.
            self._began = now
        else:
            self._finished += items
            self._worked += outcome.cpu
            self._spent += outcome.wall
        # The thread may have waited for the GIL before and after its kernel.
        self._pace.add(items, (self._in_a_kernel and outcome.cpu) or outcome.wall, len(self._in_flight) + 1)
        if self.plan.backend == "dask":
            sent = getattr(self.pool, "bytes_per_item", 0.0)
            self._small = items > 0 and sent <= SMALL_ITEM and outcome.transport <= SMALL_ITEM * items
        if self.climb is not None and not self._rounds.few:
            under_way = min(len(self._in_flight) + 1, self.climb.limit)
            latency = outcome.wall / max(1, items)
            self.climb.complete(now, latency, ok=outcome.error is None, in_flight=under_way)
        profile = self.task.profile
        if items and not profile.items:
            profile.add(Sample(items, outcome.wall, outcome.cpu, None, outcome.waits, self.plan.workers))

    def _cancel_beyond(self, index: int) -> None:
        for future, chunk in self._in_flight.items():
            if chunk.start > index:
                future.cancel()

    # -- what goes wrong around the items -----------------------------------------------------------------------------

    def _around(self, chunk: Chunk, error: BaseException) -> Iterator[Block]:
        """Find the item to blame, and run what can be run."""
        if self.task.watch is not None and isinstance(error, WorkerDiedError):
            self.task.watch.died(self.plan, chunk.start, len(chunk.items), error)
        if isinstance(error, WorkerDiedError) and (note := self._pressure.relieved(error)):
            self.task.fallbacks.append(note)
            self.requeue.extend(called_back(self._in_flight))
            if self._repeatable:
                self.requeue.append(chunk)
                return
        if isinstance(error, TransportError):
            self._cannot_send(chunk, error)
        elif isinstance(error, UnavailableError) and not self.task.demanded and self._repeatable:
            self.requeue.append(chunk)
            self._go(discreet(error))
        elif isinstance(error, WorkerDiedError) and unclear(chunk, error, self.pool) and self._repeatable:
            self.requeue.extend(one_by_one(chunk))
            self.task.fallbacks.append(f"{discreet(error)}; the {len(chunk.items)} items it held ran again, one by one")
        elif isinstance(error, WorkerDiedError) and error.begun is not None and len(chunk.items) > 1:
            lost, rest = without_the_begun(chunk, error, error.begun, self.task.traits())
            self.requeue.extend(rest)
            for each, why in lost:
                yield self._give_up(each, why)
        elif isinstance(error, (WorkerDiedError, ItemTimeoutError)) and self._again.failed(chunk, error):
            if self.task.watch is not None:
                self.task.watch.retried(chunk.start, error)
        else:
            yield self._give_up(chunk, error)

    def _give_up(self, chunk: Chunk, error: BaseException) -> Block:
        block = self.task.give_up(chunk, error, self.plan)
        if block.error is not None:
            self._cancel_beyond(chunk.start)
        return block

    def _cannot_send(self, chunk: Chunk, error: TransportError) -> None:
        """An item or the function does not travel: in the caller's thread it need not."""
        if not self.task.demanded:
            self.requeue.append(chunk)
            self._go(discreet(named(error, chunk.start, len(chunk.items))))
        elif error.about == "item" and len(chunk.items) > 1:
            self.requeue.extend(one_by_one(chunk))
        elif (renew := getattr(self.pool, "renew", None)) is not None and renew(error):
            self.requeue.append(chunk)
            self.task.note(discreet(error))
        else:
            self._unsent.append(self._give_up(chunk, error))

    def _lost_result(self, chunk: Chunk, outcome: Outcome, place: int) -> Block:
        """A result could not leave its worker; without effects its item may run again where it need not travel."""
        error = outcome.values[place].error
        index = chunk.start + place
        again = not self.task.demanded and self._repeatable
        last = place - 1 if again else place
        emitted = [said for said in outcome.emitted if said[0] <= last]
        if again:
            self.requeue.append(Chunk(chunk.job, index, chunk.items[place:]))
            self._go(discreet(named(error, index)))
            return self.task.block_of(chunk, Outcome(outcome.values[:place], emitted=emitted), self.plan)
        if self.task.collects:
            return self.task.block_of(chunk, outcome, self.plan)
        if not self.task.demanded and isinstance(error, TransportError):
            error = TransportError(f"{error}; {not_twice(self.task.traits())}", about=error.about)
        ended = Outcome(outcome.values[:place], named(error, index), emitted=emitted)
        block = self.task.block_of(chunk, ended, self.plan)
        self._cancel_beyond(block.end)
        return block

    def _go(self, reason: str, *, works: bool = False) -> None:
        if not self.left:
            self.left = True
            self._leave(reason, works)
