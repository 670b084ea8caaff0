"""What chunks say of the items to come."""

from __future__ import annotations

import pytest

from autopar._engine.pace import Pace


def test_it_follows_a_drift() -> None:
    """Ten chunks of slower items are enough to be near their time; a chunk without items says nothing."""
    pace = Pace(0.001)
    for _ in range(10):
        pace.add(5, 0.05)
        pace.add(0, 1.0)
    assert pace.seconds == pytest.approx(0.01, rel=0.05)


def test_a_chunk_of_many_items_outweighs_those_of_one() -> None:
    """What a chunk costs by itself counts for little where many items share it, and such a chunk is believed."""
    pace = Pace()
    for _ in range(16):
        pace.add(1, 100e-6)
    pace.add(1000, 100e-6 + 1000 * 1e-6)
    assert pace.seconds == pytest.approx(1.2e-6, rel=0.1)


@pytest.mark.parametrize(("under_way", "ended", "expected"), [(1, 0, False), (1, 1, True), (8, 5, False), (8, 6, True)])
def test_the_first_to_end_are_the_shortest(under_way: int, ended: int, expected: bool) -> None:
    """Of chunks that went out together most must have ended before their mean is that of the items."""
    pace = Pace()
    for done in range(ended):
        pace.add(1, 0.001, under_way - done)
    assert pace.typical is expected
