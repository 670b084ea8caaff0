"""CPython without a GIL: threads compute."""

from __future__ import annotations

import os
import sys
import threading
from dataclasses import replace

import pytest

import autopar as ap
from autopar._classify import classify
from autopar._engine.functions import state_of
from autopar._model.hints import Settings
from autopar._model.observation import Profile, Sample
from autopar._native_api import NATIVE
from autopar._observe.host import current_host
from autopar._plan import Situation, choose
from autopar.errors import UnavailableError
from tests.routes import own_log

__all__ = ["own_log"]

pytestmark = pytest.mark.skipif(getattr(sys, "_is_gil_enabled", lambda: True)(), reason="this Python has a GIL")


def counts(number: int) -> int:
    """Compute in Python for some milliseconds."""
    total = 0
    for i in range(number, number + 60_000):
        total += i * i % 7
    return total


def letters(text: str) -> dict[str, int]:
    return {letter: text.count(letter) for letter in text}


def test_the_host_says_so() -> None:
    """Nothing of autopar's has turned the GIL on: its extension declares that it needs none."""
    assert not current_host().gil
    assert NATIVE or os.environ.get("AUTOPAR_NATIVE") == "0"


def test_a_map_that_computes_is_planned_on_threads() -> None:
    """Threads cost less than processes, and here they compute at the same time."""
    host, traits, profile = replace(current_host(), cores=2), state_of(counts).traits(), Profile()
    profile.add(Sample(items=10, wall=0.05, cpu=0.05, process_cpu=None, waits=0))
    workload = classify(traits, profile, host)
    settings = Settings(compiler="python")
    choice = choose(Situation(traits, workload, profile, host, settings, 400, seen=10, cores=2, forkable=True))
    assert (choice.plan.backend, choice.plan.workers) == ("threads", 2)
    assert workload.gil_share == 0.0


def test_results_are_those_of_the_loop() -> None:
    """Whatever the map does on the way."""
    assert ap.map(counts, range(100)) == [counts(number) for number in range(100)]


def test_items_overlap() -> None:
    """Two items that each wait for the other to compute end: neither keeps the interpreter to itself."""
    barrier = threading.Barrier(2)

    def meets(number: int) -> int:
        barrier.wait()
        return counts(number)

    mapped = ap.parallel(meets, backend="threads", workers=2, chunksize=1, thread_safe=True)
    assert mapped.map(range(2)) == [counts(0), counts(1)]


def test_effects_still_keep_their_order() -> None:
    """No GIL does not make a function thread-safe."""
    seen: list[int] = []
    assert ap.map(seen.append, range(100)) == [None] * 100
    assert seen == list(range(100))


def test_nothing_of_cythons_is_loaded() -> None:
    """Its modules would switch the GIL on for the whole program: a demand is refused, with that as the reason."""
    with pytest.raises(UnavailableError, match="switches the GIL on"):
        ap.parallel(letters, compiler="cython")("abc")
    assert not current_host().gil
