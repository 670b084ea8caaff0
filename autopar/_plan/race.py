"""Races: some items on several threads at once, to find out whether they hold the GIL."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from autopar._model.light_dataclass import dataclass
from autopar._model.workload import Kind
from autopar._plan.eligibility import barriers
from autopar._plan.model import Load, load, seems_to_release
from autopar._plan.rivals import best_plan, clearly_better
from autopar._plan.situation import Situation

RACERS = 8
"""Threads of a race, on as many cores: a share of a tenth hardly shows between two threads, but between eight."""

LEAST_RACE = 2e-3
"""Seconds of work below which a race shows the wake-up of its threads (thread start) and not the GIL."""

FEWEST_ITEMS = 4
"""Items below which the first two of a race would be half of all."""

ALL_BY_CHANCE = 100
"""Items in a row of which the first hardly counts any more."""

RELEASED, RELEASED_IF_KNOWN = 0.5, 0.9
"""Chance that work whose GIL share nobody has measured hardly holds it: of any library call, and of one that is known
to release it or runs on several cores at once. Guesses; a race costs what they are worth."""

NOTICED = 50e-3
"""Seconds after which threads that were taken on a wrong guess are left: their first chunks have to end, and what was
handed out besides (45 to 100 ms for ``numpy-small`` of benchmarks/regret)."""


def on_trial(situation: Situation) -> bool:
    """Tell whether threads are tried on all that is left, because nobody knows the GIL share and no other way is open.

    If the GIL is held after all, they take what the loop would have taken: then a race beforehand gains nothing.
    """
    workload = situation.workload
    if workload.kind not in (Kind.CPU, Kind.MIXED) or workload.gil_share is not None or not situation.measured:
        return False
    return situation.settings.backend is None and bool(barriers("processes", situation))


@dataclass(frozen=True, slots=True)
class Race:
    """Items that run on several threads at once, to see how much of their time they share.

    Attributes
    ----------
    threads, size
        How many, and items for each.
    """

    threads: int
    size: int


def best_race(situation: Situation) -> Race | None:
    """The race to run before the rest is planned, or None where none is expected to save anything.

    There is something to find out when threads may be used and the share of the GIL is unknown. What a race takes and
    what it opens is weighed for both outcomes: threads take the rest, or the GIL is held, and the race took as long as
    the loop and the rest is left to the best of the other ways.
    """
    if not _is_open(situation):
        return None
    work = load(situation)
    if work.items < FEWEST_ITEMS or work.each <= 0:
        return None
    known = seems_to_release(situation)
    chance = RELEASED_IF_KNOWN if known else RELEASED
    at_once = _without_threads(situation, work)
    free = best_plan("threads", situation, replace(work, gil=0.0))
    if not clearly_better(free.plan, at_once, situation):
        return None
    if known:
        guessed = best_plan("threads", situation, work).cost
        if situation.workload.cores_per_item <= 1.0:  # nothing that holds the GIL works on several cores
            guessed = max(guessed, _on_a_guess(free.cost, situation, work))
        at_once = min(at_once, guessed)
    best, least = None, at_once
    for race in _races(situation, work):
        expected = _expected(race, situation, work, chance)
        if expected < least:
            best, least = race, expected
    return best


def _is_open(situation: Situation) -> bool:
    """Whether threads may be used, and nobody knows what they gain."""
    workload, settings = situation.workload, situation.settings
    if workload.kind not in (Kind.CPU, Kind.MIXED) or workload.gil_share is not None or not situation.measured:
        return False
    if settings.backend is not None or settings.workers == 1 or on_trial(situation):
        return False
    return situation.cores >= 2 and situation.threads >= 2 and not barriers("threads", situation)


def _races(situation: Situation, work: Load) -> Iterator[Race]:
    """Races that could be run: of as many threads as show a small share, or of all items where few are left."""
    most = min(situation.cores, situation.threads, work.items)
    size = max(1, int(situation.costs.race_chunk / work.each))
    for threads in sorted({max(2, min(RACERS, most, work.items // 2)), work.items}):
        each = max(1, min(size, work.items // (2 * threads)))
        if threads <= most and threads * each * work.each >= LEAST_RACE:
            yield Race(threads, each)


def _without_threads(situation: Situation, work: Load) -> float:
    if not work.items:
        return 0.0
    ways = [best_plan(name, situation, work) for name in ("serial", "processes")]
    return min(way.cost for way in ways if not way.against or way.plan.backend == "serial")


def _on_a_guess(free: float, situation: Situation, work: Load) -> float:
    """Seconds if threads are taken at once, which finish at ``free`` seconds unless the GIL is held after all."""
    done = min(work.items, int(NOTICED / work.each))
    left = replace(situation, remaining=work.items - done)
    if_held = NOTICED + _without_threads(left, replace(work, items=work.items - done))
    return RELEASED_IF_KNOWN * free + (1.0 - RELEASED_IF_KNOWN) * if_held


def _expected(race: Race, situation: Situation, work: Load, chance: float) -> float:
    """Seconds until the last item is done, over both outcomes of a race."""
    ran = race.threads * race.size
    start = race.threads * situation.costs.thread_start
    rest = replace(work, items=work.items - ran)
    left = replace(situation, remaining=rest.items, warm={**situation.warm, "threads": race.threads}, forkable=False)
    free = best_plan("threads", left, replace(rest, gil=0.0)).cost if rest.items else 0.0
    if_released = start + race.size * work.each + free
    # Threads that a race leaves behind have to end before workers can be forked; these are priced as spawned.
    if_held = start + ran * work.each + _without_threads(left, rest)
    return chance * if_released + (1.0 - chance) * if_held


def gil_share_from_race(
    alone_seconds: float, together_seconds: float, workers: float, in_a_row: float = math.inf
) -> float:
    """GIL share out of the wall time of the same work, on one thread and on several at once.

    Parameters
    ----------
    alone_seconds, together_seconds
        Wall time on one thread, and divided over ``workers`` threads.
    workers
        Threads of the second; not a whole number where some of them ran for a part of the time only.
    in_a_row
        Items that each of them ran one after another.

    Returns
    -------
    float
        0 to 1. Within 15 % of the ideal gain counts as 0, within 5 % of no gain as 1: clock noise.

    Notes
    -----
    The inverse of :func:`autopar._plan.model.throughput_time`: with share ``g``, ``w`` threads take
    ``(1 + (w - 1) g**2) / w`` of the time alone, but never less than ``g`` of it. That holds for items that meet by
    chance. The first item of each thread starts together with the others, and meets them all: ``g`` in place of
    ``g**2``.

    Examples
    --------
    >>> gil_share_from_race(1.0, 0.5, 2), gil_share_from_race(1.0, 1.02, 2)
    (0.0, 1.0)
    """
    if alone_seconds <= 0 or workers <= 1:
        return 1.0
    ratio = together_seconds / alone_seconds
    if ratio <= 1.15 / workers:
        return 0.0
    if ratio >= max(0.95, 1.0 - 0.1 * (1.0 - 1.0 / workers)):
        return 1.0
    lost = (workers * ratio - 1.0) / (workers - 1)
    share = math.sqrt(lost)
    if in_a_row < ALL_BY_CHANCE:
        later = in_a_row - 1.0
        share = (math.sqrt(1.0 + 4.0 * later * in_a_row * lost) - 1.0) / (2.0 * later) if later > 0 else lost
    return round(min(1.0, ratio, share), 2)
