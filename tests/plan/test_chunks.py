"""Chunk sizes: by time, shrinking at the tail, never past the buffer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autopar._plan.chunks import next_chunksize

TABLE: list[tuple[str, float, int | None, int, float, int | None, int]] = [
    ("several milliseconds of work", 1e-4, 100_000, 2, 1e-4, None, 40),
    ("forty times an expensive dispatch", 1e-4, 100_000, 2, 1e-3, None, 400),
    ("what a parent keeps up with among many workers", 1e-4, 100_000, 100, 1e-4, None, 150),
    ("heavy items go alone", 1.0, 100, 2, 1e-4, None, 1),
    ("nothing known", 0.0, 100, 2, 1e-4, None, 1),
    ("a quarter of the rest for 2 workers", 1e-4, 100, 2, 1e-4, None, 25),
    ("an eighth of the rest for 4 workers", 1e-4, 100, 4, 1e-4, None, 13),
    ("a tail that the parent keeps up with", 1e-3, 200, 100, 1e-4, None, 5),
    ("the last item", 1e-4, 1, 2, 1e-6, None, 1),
    ("a tail no finer than twice its dispatch", 1e-6, 1000, 2, 2e-4, None, 400),
    ("never more than is left", 1e-6, 300, 2, 2e-4, None, 300),
    ("unknown length goes by time", 1e-4, None, 2, 1e-4, None, 40),
    ("no more than the buffer", 1e-4, 100_000, 2, 1e-4, 7, 7),
    ("an empty buffer still gives one", 1e-4, 100_000, 2, 1e-4, 0, 1),
    ("nothing left still gives one", 1e-4, 0, 2, 1e-4, None, 1),
]


@pytest.mark.parametrize(
    ("seconds", "remaining", "workers", "dispatch", "buffered", "size"),
    [c[1:] for c in TABLE],
    ids=[c[0] for c in TABLE],
)
def test_the_size_follows_from_time_tail_and_buffer(
    seconds: float, remaining: int | None, workers: int, dispatch: float, buffered: int | None, size: int
) -> None:
    """By time in the middle, a share of the rest at the end, never past the buffer."""
    assert next_chunksize(seconds, remaining, workers, dispatch, buffered=buffered) == size


@given(
    seconds=st.floats(1e-8, 10.0),
    items=st.integers(1, 3000),
    workers=st.integers(1, 64),
    dispatch=st.floats(0.0, 1e-2),
    buffered=st.none() | st.integers(1, 100),
)
def test_chunks_cover_all_items_exactly_once(
    seconds: float, items: int, workers: int, dispatch: float, buffered: int | None
) -> None:
    """Taken one after the other, chunks are never empty, never past the end, and end with the last item."""
    left = items
    while left:
        size = next_chunksize(seconds, left, workers, dispatch, buffered=buffered)
        assert 1 <= size <= left
        assert buffered is None or size <= buffered
        left -= size
    assert left == 0


@given(seconds=st.floats(1e-6, 1.0), workers=st.integers(1, 64), left=st.integers(1, 10**6), more=st.integers(0, 10**6))
def test_chunks_never_grow_towards_the_end(seconds: float, workers: int, left: int, more: int) -> None:
    """With less left a chunk is at most as large."""
    assert next_chunksize(seconds, left, workers, 1e-4) <= next_chunksize(seconds, left + more, workers, 1e-4)


@given(seconds=st.floats(1e-5, 1e-2), workers=st.integers(2, 16))
def test_the_last_chunk_is_short(seconds: float, workers: int) -> None:
    """No chunk is longer than half a worker's share of what is left, or what the parent needs to feed all workers."""
    dispatch = 1e-4
    left = 1000
    while left:
        size = next_chunksize(seconds, left, workers, dispatch)
        assert size * seconds <= max(seconds, left * seconds / (2 * workers) + seconds, workers * dispatch + seconds)
        left -= size
