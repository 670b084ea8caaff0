"""Which worker ran which chunk: what is noted, how it is bounded, and what it is for real maps."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

import autopar as ap
from autopar._engine.times import ROOM, ChunkTimes
from autopar._model.decision import Decision
from autopar._model.timeline import MOST_SPANS, MOST_WORKERS, Span, Timeline, condensed

seconds = st.floats(0, 100)
spans = st.lists(
    st.tuples(st.integers(0, 5), seconds, seconds, st.integers(1, 50)).map(
        lambda one: Span(one[0], one[1], one[1] + one[2], one[3], 1, one[2])
    ),
    max_size=300,
)


@given(spans, st.integers(1, 50))
def test_condensing_keeps_the_sums(some: list[Span], most: int) -> None:
    """Whatever goes together, items, chunks and time at work stay, each with its worker, and few spans are left."""
    kept, _ = condensed(some, most)
    assert len(kept) <= max(most, len({span.worker for span in some}))
    for worker in {span.worker for span in some}:
        before, after = ([span for span in found if span.worker == worker] for found in (some, kept))
        assert sum(span.items for span in after) == sum(span.items for span in before)
        assert sum(span.chunks for span in after) == len(before)
        assert sum(span.busy for span in after) == pytest.approx(sum(span.busy for span in before))
        assert min(span.start for span in after) == min(span.start for span in before)
        assert max(span.end for span in after) == max(span.end for span in before)


def test_a_long_chunk_stands_by_itself() -> None:
    """Among thousands of short chunks one that took long is not put together with any."""
    short = [Span(0, number * 1e-3, (number + 1) * 1e-3, 1, 1, 1e-3) for number in range(5000)]
    kept, grain = condensed([*short, Span(1, 0.0, 4.0, 1, 1, 4.0)])
    assert Span(1, 0.0, 4.0, 1, 1, 4.0) in kept
    assert grain < 1.0


@pytest.mark.parametrize("workers", [1, 3, 500])
def test_what_is_kept_is_bounded(workers: int) -> None:
    """However many chunks and workers a map has, few spans are kept, and no item is lost."""
    times = ChunkTimes(0.0)
    for number in range(5 * ROOM):
        times.elsewhere("threads", number % workers, number * 1e-3, (number + 1) * 1e-3, items=2)
    found = times.timeline()
    assert found is not None
    assert len(found.spans) <= MOST_SPANS
    assert len(found.workers) == min(workers, MOST_WORKERS + 1)
    assert sum(span.items for span in found.spans) == 10 * ROOM
    assert len(times._spans) <= ROOM


def test_workers_that_are_not_known_are_those_that_were_free() -> None:
    """Chunks that overlap in time are on different workers, others on the same."""
    times = ChunkTimes(0.0)
    for start, end in ((1.0, 2.0), (2.0, 3.0), (0.0, 10.0), (3.0, 4.0)):
        times.elsewhere("dask", None, start, end, items=1)
    found = times.timeline()
    assert found is not None
    assert Counter(span.worker for span in found.spans) == {0: 1, 1: 3}
    assert found.workers == ("place on the cluster 1", "place on the cluster 2")


def test_a_map_in_the_callers_thread_has_no_timeline() -> None:
    """There is nothing to show of the loop."""
    assert latest(ap.map(abs, [-1, 2], backend="serial")).timeline is None


def latest(_: object) -> Decision:
    return ap.decisions()[-1]


def timeline_of(decision: Decision) -> Timeline:
    """The timeline, and what holds of every one."""
    found = decision.timeline
    assert found is not None
    assert sum(span.items for span in found.spans) == decision.items
    assert {span.worker for span in found.spans} == set(range(len(found.workers)))
    assert all(0 <= span.start <= span.end <= decision.actual + 0.01 for span in found.spans)
    assert [span.start for span in found.spans] == sorted(span.start for span in found.spans)
    return found


def test_threads_are_told_apart() -> None:
    """Two items that wait for one another ran on two threads."""
    meeting = threading.Barrier(2)
    found = timeline_of(latest(ap.map(lambda _: meeting.wait(30), [1, 2], backend="threads", workers=2, chunksize=1)))
    assert found.workers == ("thread 1", "thread 2")
    assert sorted((span.worker, span.items) for span in found.spans) == [(0, 1), (1, 1)]


@pytest.mark.slow
def test_processes_have_their_chunks() -> None:
    """Each chunk is a span, on a process by its number; two at a time, of those that earlier maps have left."""
    found = timeline_of(latest(ap.map(abs, range(40), backend="processes", workers=2, chunksize=10)))
    assert found.workers == tuple(f"process {number}" for number in range(1, len(found.workers) + 1))
    for span in found.spans:
        assert sum(other.start <= span.start < other.end for other in found.spans) <= 2
    assert sorted(span.items for span in found.spans) == [10, 10, 10, 10]


def test_coroutines_overlap() -> None:
    """Coroutines of one map are workers like others."""

    async def double(number: int) -> int:
        await asyncio.sleep(0.001)
        return 2 * number

    found = timeline_of(latest(ap.map(double, range(6))))
    assert all(name.startswith("coroutine ") for name in found.workers)
    assert max(span.start for span in found.spans[:2]) < min(span.end for span in found.spans[:2])


def test_the_part_in_the_callers_thread_is_there_too() -> None:
    """A map that went to threads after its first items shows both."""

    @ap.parallel
    def nap(number: int) -> int:
        time.sleep(0.01)
        return number

    decision = latest(nap.map(range(30)))
    if decision.plan.backend == "threads":
        assert "the caller's thread" in timeline_of(decision).workers
