"""The end of a map: what it has shown goes into its function's memory and into the prices of the host."""

from __future__ import annotations

import sys
from statistics import median
from typing import TYPE_CHECKING

from autopar._engine.calibrating import measure_after_map
from autopar._engine.lessons import WORTH_NOTING, Trials, lesson_of
from autopar._engine.machine import THIS_MACHINE
from autopar._engine.prices import host_prices
from autopar._model.learned import ItemFacts, Learned, Lesson, ProfileKey, log_ratio
from autopar._model.observation import Profile

if TYPE_CHECKING:
    from autopar._engine.functions import FunctionState
    from autopar._engine.task import MapTask

ENOUGH_TRIPS = 8
SMALL_BYTES = 4096
"""Pickled bytes of an item and its result up to which a chunk's way is dispatch and not transport."""

ENOUGH_ITEMS, ENOUGH_SECONDS = 8, 0.1
"""Items of each worker, and seconds, from which the end of a map, when workers idle, hardly counts."""


def teach(task: MapTask, trials: Trials, relied_on: Learned | None) -> None:
    """Learn from a map that has ended; one too short to tell anything is only kept in mind."""
    memory, profile = task.state.memory, task.profile
    if profile.items and task.loop.compiler == "python":
        memory.latest[type(task.sample_item)] = profile
    elif profile.items:
        on_pool = task.on_pool
        each = on_pool.wall / on_pool.items if on_pool.items else profile.seconds_per_item
        task.compiling.note_seconds(min(each, profile.seconds_per_item))
    seconds = task.machine.now() - task.started
    if seconds < WORTH_NOTING or not profile.items or task.maps_inside:
        return
    whole = task.stop_at is None and task.source.error is None
    # What a lazy map takes is up to its consumer, and how long a map that ends early would have taken nobody knows.
    comparable = whole and not task.lazy
    lesson = lesson_of(task, task.key, trials, relied_on, comparable=comparable)
    memory.note(lesson)
    if task.machine is not THIS_MACHINE:
        return
    prices = host_prices()
    for run in lesson.runs:
        ratio = log_ratio(run)
        if ratio is not None:
            prices.take_outcome(run.backend, ratio)
    _price_pool(task, lesson, relied_on)
    if comparable:
        measure_after_map(seconds)


def _price_pool(task: MapTask, lesson: Lesson, relied_on: Learned | None) -> None:
    """What the map has shown of worker processes: their start, a chunk's way, and what another core adds."""
    prices, seen = host_prices(), task.on_pool
    processes = sys.modules.get("autopar._backends.processes")
    if processes is None:
        return
    for opened, workers, forked in seen.cold:
        ready = processes.arrivals(opened)
        if len(ready) == workers:
            prices.take_cold_start(workers, max(ready) - opened, forked=forked)
    if len(seen.dispatches) >= ENOUGH_TRIPS and _small(task.profile):
        prices.take_round_trip(median(seen.dispatches))
    facts = lesson.facts if relied_on is None else relied_on.facts
    if facts is None or not lesson.alone or not facts.computes:
        return
    for workers, items, spent in seen.steady:
        if 2 <= workers <= task.cores and items >= ENOUGH_ITEMS * workers and spent >= ENOUGH_SECONDS:
            cores = items * facts.cpu / spent
            prices.take_observed({"second_process": min(1.0, max(0.0, (cores - 1) / (workers - 1)))})


def _small(profile: Profile) -> bool:
    return (profile.bytes_in or 0.0) + (profile.bytes_out or 0.0) < SMALL_BYTES


def teach_coroutines(state: FunctionState, key: ProfileKey, profile: Profile, started: float) -> None:
    """Learn from a map over a coroutine function."""
    state.memory.latest[type(None)] = profile
    if profile.wall >= WORTH_NOTING:
        state.memory.note(Lesson(key, state.name, started, ItemFacts.of(profile)))
