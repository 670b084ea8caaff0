"""Maps of plain functions as users see them: a list, or results one by one."""

from __future__ import annotations

import builtins
import functools
import itertools
import sys
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from typing import Any

from autopar._backends.replay import replay
from autopar._engine import loaded  # noqa: F401 - for what it loads
from autopar._engine.blocks import Block, Reorder
from autopar._engine.cluster import with_remote_inputs
from autopar._engine.early import early
from autopar._engine.functions import FunctionState
from autopar._engine.journal import record_map
from autopar._engine.naming import note_item
from autopar._engine.run import MapRun
from autopar._engine.source import Source
from autopar._engine.streams import root_seed
from autopar._engine.task import MapTask
from autopar._engine.watch import Watch, watched
from autopar._model import listening
from autopar._model.decision import Decision
from autopar._model.hints import Settings
from autopar.errors import AutoparError, DeadlineError, UnavailableError


def map_list(
    state: FunctionState,
    iterables: tuple[Iterable[Any], ...],
    kwargs: dict[str, Any],
    settings: Settings,
    *,
    star: bool = False,
    operation: str = "map",
    cancel: threading.Event | None = None,
) -> list[Any]:
    """All results in order. The error of the first failing item in input order is raised, as in the loop."""
    if sys.is_finalizing():
        return _while_all_ends(state, iterables, kwargs, settings, star=star)
    iterables, settings = with_remote_inputs(iterables, settings)
    if (terms := settings.terms) is not state.terms:
        state = state.under(terms)
    # Who listens hears of each map as it begins, and pays for the ordinary way through it.
    briefly = cancel is None and not listening.subscribers
    begun = early(state, iterables, settings, star=star) if briefly else None
    if begun is not None and begun.run(state, kwargs, operation, star=star):
        return begun.results
    run, blocks = _prepared(state, iterables, kwargs, settings, star=star, cancel=cancel)
    results: list[Any] = []
    if begun is not None:
        results = begun.results
        run.go_on(begun)
    run.collect(results)
    order = Reorder(len(results))
    error: BaseException | None = None
    with watched(run, operation, nests=True) as watch, closing(blocks):
        try:
            for block in blocks:
                if watch is not None:
                    _note(watch, run, block)
                for ready in order.put(block):
                    results = _with(results, ready, run)
                    error = ready.error
                if error is not None:
                    break
            error = error if error is not None else _incomplete(run, len(results))
        except BaseException as raised:
            _say_where(raised, len(results))
            _record(run, operation, raised)
            raise
    decision = _record(run, operation, error)
    if error is not None:
        _explain_error(error, run, len(results), operation, decision.number)
        raise error
    return results


def _incomplete(run: MapRun, results: int) -> BaseException | None:
    """What has kept a map without an error of its items from its last result: the input, or a mistake here."""
    source = run.task.source
    if source.error is None and not (source.exhausted and results == source.taken):
        return AutoparError(f"autopar has {results} results for {source.taken} items of this map; please report it")
    return source.error


def _with(results: list[Any], ready: Block, run: MapRun) -> list[Any]:
    """The results so far and those of the block that follows."""
    if ready.emitted:
        replay(ready.emitted, run.task.note)
    if ready.failed:
        run.task.answer(ready)
    if len(ready.values) <= len(results):
        results.extend(ready.values)
        return results
    # Slices double: putting the few before the many moves pointers, but copies only the few.
    ready.values[:0] = results
    run.collect(ready.values)
    return ready.values


def _while_all_ends(
    state: FunctionState,
    iterables: tuple[Iterable[Any], ...],
    kwargs: dict[str, Any],
    settings: Settings,
    *,
    star: bool,
) -> list[Any]:
    """The plain loop, for finalizers of objects that live until modules are taken apart, those of autopar too.

    Raises
    ------
    UnavailableError
        Something else was demanded.
    """
    beyond = settings.retries or settings.on_error != "raise" or settings.seed is not None
    if settings.backend not in (None, "serial") or settings.timeout is not None or beyond:
        raise UnavailableError("the interpreter is shutting down: a map can be a plain loop only, without retries etc.")
    function = functools.partial(state.function, **kwargs) if kwargs else state.function
    return list(itertools.starmap(function, *iterables) if star else builtins.map(function, *iterables))


def _note(watch: Watch, run: MapRun, block: Block) -> None:
    run.tell()
    watch.take(block)


def _record(run: MapRun, operation: str, error: BaseException | None) -> Decision:
    """Write down how a map went, and tell of it."""
    decision = record_map(run, operation, error)
    watch = run.task.watch
    if watch is not None:
        run.tell()
        watch.finish()
        watch.ended(decision)
    return decision


def map_iterator(
    state: FunctionState,
    iterables: tuple[Iterable[Any], ...],
    kwargs: dict[str, Any],
    settings: Settings,
    *,
    star: bool = False,
    ordered: bool = True,
    buffersize: int | None = None,
    operation: str = "imap",
) -> Iterator[Any]:
    """Results one by one: in order, or as ``(index, result)`` in order of completion."""
    iterables, settings = with_remote_inputs(iterables, settings)
    state = state.under(settings.terms)
    run, blocks = _prepared(
        state, iterables, kwargs, settings, star=star, lazy=True, ordered=ordered, buffersize=buffersize
    )
    deliver = _in_order(run, blocks) if ordered else _as_completed(run, blocks)
    return _recorded(run, deliver, operation)


def _prepared(
    state: FunctionState,
    iterables: tuple[Iterable[Any], ...],
    kwargs: dict[str, Any],
    settings: Settings,
    *,
    star: bool,
    **how: Any,
) -> tuple[MapRun, Generator[Block]]:
    """A map that is ready to run, and its blocks to come; with ``checkpoint`` each is kept before it comes."""
    if settings.checkpoint is None:
        run = MapRun(MapTask(state, Source(iterables, star=star), kwargs, settings, **how))
        return run, run.blocks()
    from autopar._engine.checkpoints import Kept, KnownItems

    star = star or len(iterables) > 1
    kept = Kept(state, kwargs, settings, star=star, seed=root_seed(settings.seed))
    source = KnownItems(iterables, kept, star=star)
    run = MapRun(MapTask(state, source, kwargs, settings, seed=kept.seed, **how))
    return run, kept.blocks(run, source)


def _recorded(run: MapRun, deliver: Iterator[Any], operation: str) -> Iterator[Any]:
    error: BaseException | None = None
    with watched(run, operation, nests=False):
        try:
            for result in deliver:  # noqa: UP028 - a consumer that leaves is written down before the pool is closed
                yield result
        except GeneratorExit:
            if not sys.is_finalizing():
                _record(run, operation, None)
            raise
        except BaseException as raised:
            _say_where(raised, run.task.delivered)
            error = raised
    decision = _record(run, operation, error)
    if error is not None:
        _explain_error(error, run, run.task.delivered, operation, decision.number)
        raise error


def _in_order(run: MapRun, blocks: Generator[Block]) -> Iterator[Any]:
    order, watch = Reorder(), run.task.watch
    with closing(blocks):
        for block in blocks:
            if watch is not None:
                _note(watch, run, block)
            for ready in order.put(block):
                run.task.answer(ready)
                for value in _heard(ready, run.task.note):
                    run.task.delivered += 1
                    yield value
                if ready.error is not None:
                    raise ready.error
    if (error := _incomplete(run, run.task.delivered)) is not None:
        raise error


def _as_completed(run: MapRun, blocks: Generator[Block]) -> Iterator[tuple[int, Any]]:
    watch = run.task.watch
    with closing(blocks):
        for block in blocks:
            if watch is not None:
                _note(watch, run, block)
            run.task.answer(block)
            for index, value in enumerate(_heard(block, run.task.note), block.start):
                run.task.delivered += 1
                yield index, value
            if block.error is not None:
                raise block.error
    if (error := _incomplete(run, run.task.delivered)) is not None:
        raise error


def _heard(block: Block, note: Callable[[str], object]) -> Iterator[Any]:
    """The results of a block, each after what its item has said; at the end what was said by the item that raised."""
    if not block.emitted:
        yield from block.values
        return
    emitted = iter(block.emitted)
    waiting = next(emitted, None)
    for place, value in enumerate(block.values):
        while waiting is not None and waiting[0] <= place:
            replay([waiting], note)
            waiting = next(emitted, None)
        yield value
    if waiting is not None:
        replay([waiting, *emitted], note)


def _say_where(error: BaseException, index: int) -> None:
    """A map that ended by its deadline has no result from this item on."""
    if isinstance(error, DeadlineError) and error.index is None:
        error.index = index


def _explain_error(error: BaseException, run: MapRun, index: int, operation: str, decision: int) -> None:
    """Add a note that says which item it was; an error of the input itself is left as it is."""
    if error is run.task.source.error:
        return
    note_item(error, index, run.task.state.name, operation, run.plan, decision)
