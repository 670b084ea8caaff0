"""Chunks of waiting items in rounds: all items once, of about the same size, and none longer than it has to be."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from autopar._plan.chunks import chunk_seconds
from autopar._plan.rounds import FEW, Rounds


def sizes(seconds: float, items: int, workers: int, dispatch: float) -> list[int]:
    """All chunks of a map."""
    rounds, found = Rounds(), list[int]()
    while items:
        found.append(rounds.next(seconds, items, workers, dispatch))
        items -= found[-1]
    return found


@given(
    seconds=st.floats(1e-6, 10.0),
    items=st.integers(1, 3000),
    workers=st.integers(1, 256),
    dispatch=st.floats(1e-6, 1e-3),
)
def test_rounds_of_about_equal_chunks_cover_all_items(
    seconds: float, items: int, workers: int, dispatch: float
) -> None:
    """Chunks differ by one item at most, give each worker as many, and are as short as a dispatch allows."""
    found = sizes(seconds, items, workers, dispatch)
    assert sum(found) == items
    assert min(found) >= 1
    assert max(found) - min(found) <= 1
    assert max(found) == 1 or (max(found) - 1) * seconds <= chunk_seconds(dispatch, workers, waits=True)
    assert max(found) == 1 or len(found) % workers == 0


@given(seconds=st.floats(1e-4, 1e-2), taken=st.lists(st.integers(1, 50), max_size=20))
def test_items_that_somebody_else_takes_are_no_longer_shared_out(seconds: float, taken: list[int]) -> None:
    """Where items go elsewhere meanwhile, the rest is shared out anew, and still none is left or sent twice."""
    rounds, left = Rounds(), 1000
    for others in taken:
        size = rounds.next(seconds, left, 8, 3e-5)
        assert 1 <= size <= left
        left -= size
        left -= min(left, others)
        if not left:
            return
    assert sum(sizes(seconds, left, 8, 3e-5)) == left


def test_only_short_items_that_soon_end_are_few() -> None:
    """Long waits may still show how many should wait at a time, and so may many rounds of short ones."""
    cases = [(1e-3, 300, True), (1e-3, 100_000, False), (20e-3, 64, False)]
    for seconds, items, few in cases:
        rounds = Rounds()
        rounds.next(seconds, items, 64, 3e-5)
        assert rounds.few is few
    rounds, left = Rounds(), 100_000
    while left and not rounds.few:
        left -= rounds.next(1e-3, left, 64, 3e-5)
    assert left <= FEW * 64 * chunk_seconds(3e-5, 64, waits=True) / 1e-3
