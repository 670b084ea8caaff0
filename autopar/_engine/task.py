"""What all parts of one map share: its function, its input, its hints, and how far it has come."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

from autopar import _effects
from autopar._backends.standing import standing_at
from autopar._compilers.native.portable import PortableFunction
from autopar._engine.blocks import Block
from autopar._engine.compiling import Compiling
from autopar._engine.functions import ArgumentTypes, FunctionState
from autopar._engine.lessons import OnPool, key_of
from autopar._engine.machine import THIS_MACHINE, Machine, cores_here
from autopar._engine.naming import add_note, named
from autopar._engine.notice import users_line
from autopar._engine.source import Source
from autopar._engine.streams import draws_from_numpy, may_draw, root_seed
from autopar._engine.times import ChunkTimes
from autopar._engine.watch import Watch
from autopar._model.cluster import Cluster
from autopar._model.effects import Effect, EffectKind
from autopar._model.hints import Settings
from autopar._model.learned import ProfileKey
from autopar._model.observation import Profile, Traits
from autopar._model.plan import BACKENDS, LOOP, Plan
from autopar._model.work import FLAT_KINDS, UNCHANGING, Chunk, Failure, Job, Outcome, Pool, RemoteItem, Wear
from autopar._native_api import exact_types, shared_dtype
from autopar._observe.traits import without_array_arguments
from autopar.errors import DeadlineError, UnavailableError

UNLIMITED = 1 << 62
COMPILED_LOOP = Plan(compiler="native")


class PoolsUsed(threading.local):
    """How often a map of this thread has gone to a pool; an item that makes it grow is parallel by itself.

    Attributes
    ----------
    box
        Holds the number; other threads may look into it.
    """

    def __init__(self) -> None:
        self.box = [0]


pools_used = PoolsUsed()


def note_pool() -> None:
    """A map of this thread goes to a pool."""
    pools_used.box[0] += 1


UNSEEN_ITEMS = Effect(EffectKind.UNKNOWN, "argument tuples of the program's own types", "starmap")
SHORT_ITEM = 1e-3
SHORT_AHEAD, LONG_AHEAD = 1024, 64
"""Items that a lazy map without a ``buffersize`` may take ahead of its consumer: many if they take under a
millisecond, few if not. They bound memory; no measurement stands behind them."""


class Cancelled(BaseException):
    """Whoever asked for the map does not want the rest."""


class MapTask:
    """One map.

    Parameters
    ----------
    state
        The function's memory.
    source
        The input.
    kwargs
        Keyword arguments for every item.
    settings
        Resolved hints.
    lazy
        Results are handed out one by one, so nothing with effects may run ahead of the consumer.
    ordered
        Results, and what items print and log, come in input order.
    buffersize
        Most items taken from the input and not yet handed out; None for the engine's own choice.
    cancel
        Set from outside when the rest is not wanted any more.
    machine
        Where it runs.
    seed
        Root of the items' random streams, if that is known already.

    Attributes
    ----------
    careful
        Items need more than a plain call each: retries, own random streams, errors as values, results to be kept.
    profile
        What this map's items took when they ran alone.
    scattered
        Some items have run elsewhere, so those that run here may not be the next in order.
    delivered
        Items handed to a lazy map's consumer.
    stop_at
        Position of the first item known to have failed; nothing after it is wanted.
    tried
        Plans in the order in which they ran, with the items each one did.
    worked
        Seconds of the loop that the items are known to have taken: wall time here, CPU time elsewhere.
    fallbacks
        What went differently from the plan, in words.
    on_pool
        What items took on pools.
    times
        Which worker ran what, and when.
    maps_inside
        Items go to pools themselves, so their times say nothing about other plans.
    cluster
        What the cluster offers, once it has been looked at.
    types
        Types of the first item's arguments, once it is known.
    assumed
        The types on which the choice of a plan rests, or None if it holds for all items.
    watch
        Follows the map for those who want to know of it; None where nobody does.
    sample_item, sample_result
        The first item and its result, kept to learn their size.
    """

    def __init__(
        self,
        state: FunctionState,
        source: Source,
        kwargs: dict[str, Any],
        settings: Settings,
        *,
        lazy: bool = False,
        ordered: bool = True,
        buffersize: int | None = None,
        cancel: threading.Event | None = None,
        machine: Machine = THIS_MACHINE,
        seed: int | None = None,
    ) -> None:
        self.state = state
        self.source = source
        self.kwargs = kwargs
        self.settings = settings
        self.line = users_line()
        source.stand = standing_at(self.line)
        self.lazy = lazy
        self.ordered = ordered
        self.buffersize = buffersize
        self.cancel = cancel
        self.machine = machine
        self.seed = root_seed(settings.seed) if seed is None else seed
        self.careful = not settings.direct
        self.host = machine.host()
        self.cores = cores_here(self.host)
        self.profile = Profile()
        self.scattered = False
        self.delivered = 0
        self.stop_at: int | None = None
        self.tried: list[tuple[Plan, int]] = []
        self.fallbacks: list[str] = []
        self.worked = 0.0
        self.types: ArgumentTypes | None = None
        self.assumed: ArgumentTypes | None = None
        self._accepted: set[ArgumentTypes | None] = set()
        self._looked_at: set[type] = set()  # of items that hold nothing
        self._dtypes: set[Any] = set()  # of arrays that hold numbers
        self._other_effects: tuple[Effect, ...] = ()
        self.on_pool = OnPool()
        self.maps_inside = False
        self.watch: Watch | None = None
        self.cluster: Cluster | None = None
        self._connection: Any = None
        self._key: ProfileKey | None = None
        self.compiling = Compiling(self)
        self.sample_item: Any = None
        self.sample_result: Any = None
        self.started = machine.now()
        self.deadline_at = None if settings.deadline is None else self.started + settings.deadline
        self.started_unix = time.time()
        self.times = ChunkTimes(self.started)

    def not_compiled(self) -> UnavailableError:
        """The error for compiled code that is demanded and cannot be had."""
        compiler = self.settings.compiler
        return UnavailableError(f'compiler="{compiler}" cannot compile {self.state.name}: {self.compiling.why_not}')

    @property
    def best_concurrency(self) -> int | None:
        """Items under way at which an earlier map of this function over such items did best."""
        if self.profile.best_concurrency is not None:
            return self.profile.best_concurrency
        known = self.state.memory.recall(self.key)
        return None if known is None else known.facts.best_concurrency

    @property
    def remembered(self) -> Profile | None:
        """What earlier maps over items of this type have learned."""
        memory = self.state.memory
        known = memory.recall(self.key)
        return memory.latest.get(type(self.sample_item)) if known is None else known.facts.profile()

    @property
    def key(self) -> ProfileKey:
        """Under which name its items are remembered."""
        if self._key is not None:
            return self._key
        key = key_of(self)
        if self.types is not None:
            self._key = key
        return key

    def another_function(self) -> None:
        """The function was compiled, or is not used compiled any more: items are measured and remembered anew."""
        self.on_pool = OnPool()
        self._key = None

    @property
    def loop(self) -> Plan:
        """The loop in the caller's thread, over the function as it is or compiled."""
        form = self.compiling.form
        if form is None:
            return LOOP
        return COMPILED_LOOP if form.compiler == COMPILED_LOOP.compiler else Plan(compiler=form.compiler)

    @property
    def demanded(self) -> bool:
        """The user named the backend."""
        return self.settings.backend is not None

    @property
    def follows_results(self) -> bool:
        """Somebody waits for each result: a consumer, a file, those who watch, or the input."""
        return self.lazy or self.watch is not None or self.source.waits or self.settings.checkpoint is not None

    @property
    def collects(self) -> bool:
        """Errors of items are values, or become some."""
        return self.settings.on_error != "raise"

    @property
    def repeatable(self) -> bool:
        """Items may run twice: nothing they do outlives them, or the user says so."""
        return self.settings.may_repeat or not self.traits().report.effects

    def repeatable_on(self, backend: str) -> bool:
        """The same where a process of its own may die in the middle: what items do to the outside world counts too."""
        if self.settings.may_repeat or BACKENDS[backend].same_process:
            return self.repeatable
        return self.repeatable and not self.traits().outside_calls

    def look_at_cluster(self) -> None:
        """See what the cluster offers; once a map.

        Raises
        ------
        UnavailableError
            It cannot be used.
        """
        if self.cluster is None:
            self._connection, self.cluster = self.machine.look_at_cluster(self.settings, self.host.cores)

    def open(self, plan: Plan) -> Pool:
        """The plan's pool."""
        if plan.backend == "dask":
            return self.machine.open_on(plan, self._connection, self.settings)
        return self.machine.open(plan)

    def see(self, item: Any) -> None:
        """Note the types of the first item; what an item on a cluster is, nobody here knows."""
        if _on_cluster(item):
            return
        self.compiling.see(item)
        self._looked_at.clear()
        self._dtypes.clear()
        if not self.source.star:
            self.types = ArgumentTypes.of((item,), self.kwargs)
        elif type(item) in (tuple, list):
            self.types = ArgumentTypes.of(tuple(item), self.kwargs)

    def traits(self) -> Traits:
        """Static facts of the function, for items of all types that have been looked at."""
        traits = self._first_traits()
        if not self._other_effects:
            return traits
        return replace(traits, report=replace(traits.report, effects=traits.report.effects + self._other_effects))

    def _first_traits(self) -> Traits:
        """Static facts; of calls with the first item's types, if that finds fewer effects."""
        traits = self.state.traits()
        if self.types is None or (not traits.report.effects and self.types.plain):
            self.assumed = None
            return without_array_arguments(traits) if self.types is not None and self.types.all_seen else traits
        # Operators on objects of the program's own classes call methods that only the types name.
        typed = self.state.traits(self.types)
        if self.types.plain and len(typed.report.effects) >= len(traits.report.effects):
            return without_array_arguments(traits) if self.types.all_seen else traits
        self.assumed = self.types
        return typed

    def fits(self, items: Sequence[Any]) -> bool:
        """Whether the analysis that the plan rests on holds for these items; types that are new are looked at.

        If it does not, what the new types add is among the effects from now on.
        """
        kinds = {int} if type(items) is range else set(exact_types(items))
        if kinds <= self._looked_at or self.settings.pure or RemoteItem in kinds:
            return True
        if tuple in kinds and any(map(_on_cluster, items)):
            return True
        dtype = _dtype_of(items) if len(kinds) == 1 else None
        if dtype is not None and dtype.type in self._dtypes:
            return True
        fitting = True
        for types in self._types_of(items, self.types or ArgumentTypes(())) - self._accepted:
            self._accepted.add(types)
            more = self._effects_beyond(types)
            self._other_effects += more
            fitting = fitting and not more
        if not self.source.star:
            self._looked_at |= kinds & UNCHANGING
            self._dtypes |= set() if dtype is None else {dtype.type}
        return fitting

    def _effects_beyond(self, types: ArgumentTypes | None) -> tuple[Effect, ...]:
        """Effects of calls with arguments of these types, of kinds that are not reckoned with yet."""
        if types is None:
            effects: tuple[Effect, ...] = () if self.demanded else (UNSEEN_ITEMS,)
        elif types.plain and self.assumed is None:
            return ()
        else:
            effects = self.state.traits(types).report.effects
        known = {effect.kind for effect in self.traits().report.effects}
        return tuple(effect for effect in effects if effect.kind not in known)

    def _types_of(self, items: Sequence[Any], first: ArgumentTypes) -> set[ArgumentTypes | None]:
        """The types of the items' arguments, each with all that any of the items or the first one holds."""
        if not self.source.star:
            held = _effects.join_held(first.held, _effects.held_types(items))
            return {ArgumentTypes((kind,), first.keyword, held) for kind in set(map(type, items))}
        rows = [item for item in items if type(item) in (tuple, list)]
        held = _effects.join_held(first.held, _effects.held_types(list(chain.from_iterable(rows))))
        found: set[ArgumentTypes | None] = {ArgumentTypes(tuple(map(type, row)), first.keyword, held) for row in rows}
        return found if len(rows) == len(items) else found | {None}

    @property
    def ended(self) -> bool:
        """No further item is to be taken."""
        return self.source.exhausted or self.stop_at is not None

    @property
    def items_done(self) -> int:
        """Items with a result."""
        return sum(items for _, items in self.tried)

    def check_cancelled(self) -> None:
        """Leave the map if nobody wants the rest, or its time is up."""
        if self.cancel is not None and self.cancel.is_set():
            raise Cancelled
        if self.deadline_at is not None and self.machine.now() >= self.deadline_at:
            raise self.too_late(None)

    def too_late(self, index: int | None) -> DeadlineError:
        """The error of a map, or of an item, that has no result by the deadline."""
        which = "" if index is None else f"item {index}: "
        return DeadlineError(f"{which}the map did not end within deadline={self.settings.deadline:g} s", index=index)

    def job(self, cores: int, *, elsewhere: bool = False, repeatable: bool = True) -> Job:
        """What is done to each item; ``elsewhere`` adds what another process needs to find the function."""
        function, portable = self.state.function, False
        if self.compiling.form is not None:
            form, portable = self.compiling.form, elsewhere
            function = PortableFunction(form, self.settings.terms) if elsewhere else form
        return Job(
            function,
            star=self.source.star,
            kwargs=self.kwargs,
            collect=self.collects,
            retry=self.settings.retry,
            seed=self.seed,
            draws=self.seed is not None and may_draw(self.traits()),
            reference=self.state.reference() if elsewhere and not portable else None,
            shared=self.state.shared_globals() if elsewhere else {},
            name=self.state.name,
            cores=cores,
            ordered=self.ordered,
            numpy_random=self.seed is not None and draws_from_numpy(self.state.traits()),
            line=self.line,
            items_stay=self.source.inert and not self.lazy and not callable(self.settings.on_error),
            leaves_all_as_it_is=elsewhere and self._writes_nothing(),
            repeatable=repeatable,
            timeout=self.settings.timeout,
            wear=Wear(self.settings.max_tasks_per_worker, self.settings.worker_memory),
        )

    def _writes_nothing(self) -> bool:
        """By the analysis of the function, and by what was seen of its first item; the user's word does not count."""
        report = self.traits().report
        return report.complete and all(effect.kind is EffectKind.OUTPUT for effect in report.effects)

    def room(self, seconds_per_item: float, workers: int) -> int:
        """Items that may still be taken before the consumer catches up."""
        if not self.lazy:
            return UNLIMITED
        ahead = self.source.taken - self.delivered
        if self.buffersize is not None:
            return self.buffersize - ahead
        usual = SHORT_AHEAD if seconds_per_item < SHORT_ITEM else LONG_AHEAD
        return max(usual, 8 * workers) - ahead

    def count(self, plan: Plan, items: int) -> None:
        """Note that a plan has done so many items more."""
        last, before = self.tried[-1] if self.tried else (None, 0)
        if last is plan or last == plan:
            self.tried[-1] = (plan, before + items)
        elif items:
            self.tried.append((plan, items))

    def note(self, text: str) -> None:
        """Have the decision say what went differently, once however many items it was so for."""
        if text not in self.fallbacks:
            self.fallbacks.append(text)

    def stop(self, index: int) -> None:
        """An item failed: nothing after it is wanted any more."""
        self.stop_at = index if self.stop_at is None else min(index, self.stop_at)

    # -- outcomes into blocks ---------------------------------------------------------------------------------------

    def block_of(self, chunk: Chunk, outcome: Outcome, plan: Plan) -> Block:
        """A chunk's results; errors that the user wants to answer are noted, to be answered in input order."""
        block = Block(chunk.start, outcome.values, outcome.error, outcome.emitted)
        if self.collects:
            block.failed = [
                (place, self._explained(value.error, chunk.start + place, plan), chunk.items[place])
                for place, value in enumerate(block.values)
                if isinstance(value, Failure)
            ]
        self.count(plan, len(block.values))
        if block.error is not None:
            self.stop(block.end)
        return block

    def give_up(self, chunk: Chunk, error: BaseException, plan: Plan) -> Block:
        """Where an item could not be run to an answer its error takes its place, or ends the map."""
        error = named(error, chunk.start, len(chunk.items))
        if not self.collects or not isinstance(error, Exception):
            self.stop(chunk.start)
            return Block(chunk.start, [], error)
        return self.block_of(chunk, Outcome([Failure(error) for _ in chunk.items]), plan)

    def answer(self, block: Block) -> None:
        """Put the user's answers in the place of errors; an answer that raises ends the map there."""
        if block.failed:
            answer(block, self.settings.on_error)
            if block.error is not None:
                self.stop(block.end)

    def _explained(self, error: BaseException, index: int, plan: Plan) -> Any:
        error = named(error, index)
        add_note(error, f"item {index} of {self.state.name}, on {plan}")
        return error


def _dtype_of(items: Sequence[Any]) -> Any:
    """The dtype of items that all are arrays of numbers, and of nothing else; or None."""
    numpy = sys.modules.get("numpy")
    ndarray = getattr(numpy, "ndarray", None)
    if type(items) is not list or type(items[0]) is not ndarray:
        return None
    dtype = shared_dtype(items, ndarray)
    return dtype if dtype is not None and dtype.kind in FLAT_KINDS else None


def _on_cluster(item: Any) -> bool:
    kind = type(item)
    return kind is RemoteItem or (kind is tuple and any(type(each) is RemoteItem for each in item))


def answer(block: Block, on_error: Any) -> None:
    """Put the user's answers in the place of errors; one that raises ends the block there."""
    for place, error, item in block.failed:
        try:
            block.values[place] = on_error(error, item) if callable(on_error) else error
        except BaseException as raised:
            del block.values[place:]
            block.error = raised
            return
