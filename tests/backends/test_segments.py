"""Large buffers on their way to worker processes: once, private, and without a name."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autopar as ap
from autopar import parallel
from autopar._backends import segments
from autopar._backends.segments import BYTES_RECENT, LASTING, MOST_RECENT, RECENT, Arrived, Sharing, at_hand
from autopar._backends.transport import dump_items, load_items

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(not segments.available(), reason="this system has no way to send descriptors")


def crossed(packed: Any, arrived: Arrived) -> Any:
    """What a worker would load, in this process."""
    arrived.take({each.number: (os.dup(each.fd), each.size) for each in packed.segments})
    value = load_items(packed.data, packed.refs, arrived)
    arrived.keep(packed.lasting)
    return value


def first(x: int, a: Any) -> tuple[float, bool]:
    a[0] += 1
    return float(a[0]), bool(a.flags.writeable)


def folder_of_names() -> set[str]:
    return set(os.listdir("/dev/shm")) if os.path.isdir("/dev/shm") else set()


def test_values_arrive_as_they_were() -> None:
    """Arrays of any layout, read-only ones included, are equal on the other side."""
    frozen = np.arange(LASTING, dtype=np.uint8)
    frozen.flags.writeable = False
    values: list[Any] = [
        np.arange(100_000.0),
        frozen,
        np.asfortranarray(np.ones((500, 600))),
        np.ones(4),
        b"x" * LASTING,
    ]
    packed = dump_items(values, Sharing(stays=False))
    assert len(packed.refs) == 3
    arrived = crossed(packed, Arrived(once=False))
    assert all(np.array_equal(one, other) for one, other in zip(values, arrived, strict=True))
    assert [each.flags.writeable for each in arrived[:3]] == [True, False, True]


def test_a_buffer_that_comes_again_is_written_once() -> None:
    """While items stay as they are, the second chunk with the same array refers to the same segment."""
    array, sharing = np.zeros(LASTING, np.uint8), Sharing(stays=True)
    one, other = dump_items([array, 1], sharing), dump_items([array, 2], sharing)
    assert one.segments == other.segments
    assert one.lasting == ((one.segments[0].number, LASTING),)


def test_items_that_may_change_are_written_each_time() -> None:
    """A generator may hand out one array again and again, with other numbers in it."""
    array, sharing = np.zeros(LASTING, np.uint8), Sharing(stays=False)
    one = dump_items([array], sharing)
    array += 1
    other = dump_items([array], sharing)
    assert one.segments != other.segments
    assert crossed(one, Arrived(once=False))[0][0] == 0
    assert crossed(other, Arrived(once=False))[0][0] == 1


def test_what_a_worker_writes_stays_its_own() -> None:
    """Neither the caller nor the next chunk sees what one has written into an array that it was given."""
    array = np.zeros(LASTING)
    results = ap.map(first, range(4), a=array, backend="processes", pure=True, chunksize=1, workers=1)
    assert results[0] == (1.0, True)
    assert array[0] == 0
    again = parallel(lambda a, x: first(x, a)[0], pure=True, backend="processes", chunksize=1, workers=1)
    assert again.starmap([(array, n) for n in range(4)]) == [1.0] * 4


@pytest.mark.parametrize(
    ("size", "kept"),
    [(LASTING, MOST_RECENT), (BYTES_RECENT // 8, 8), (BYTES_RECENT, RECENT), (4 * BYTES_RECENT, RECENT)],
)
def test_both_sides_count_alike_what_is_at_hand(size: int, kept: int) -> None:
    """The newest few segments stay, and more where they are small; one that is used again is new again."""
    held: dict[int, int] = {}
    for number in range(MOST_RECENT + 2):
        held = at_hand(held, [(number, size)])
    assert list(held) == list(range(MOST_RECENT + 2 - kept, MOST_RECENT + 2))
    oldest = next(iter(held))
    assert list(at_hand(held, [(oldest, size)])) == [*range(oldest + 1, MOST_RECENT + 2), oldest]


def test_arrays_that_come_in_turn_are_written_once() -> None:
    """A dozen large arrays, again and again, take a dozen segments in all, and the worker has each once."""
    arrays, sharing = [np.full(LASTING, n, np.uint8) for n in range(12)], Sharing(stays=True)
    arrived, sent = Arrived(once=True), set[int]()
    for turn in range(3):
        for n, array in enumerate(arrays):
            packed = dump_items([array], sharing)
            fresh = [each for each in packed.segments if each.number not in sent]
            assert len(fresh) == (turn == 0)
            sent.update(each.number for each in fresh)
            (loaded,) = crossed(packed._replace(segments=tuple(fresh)), arrived)
            assert loaded[0] == n


def test_without_room_buffers_stay_in_the_pickle(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system that has no memory or descriptors left for a segment costs speed, and nothing else."""

    def full() -> int:
        raise OSError("no space")

    monkeypatch.setattr(segments, "_anonymous_file", full)
    packed = dump_items([np.arange(100_000.0)], Sharing(stays=True))
    assert packed.refs == ()
    assert np.array_equal(load_items(packed.data)[0], np.arange(100_000.0))


def test_a_segment_that_did_not_arrive_is_an_error() -> None:
    """A worker that may open no more files says so, where mapping nothing would give zeros."""
    packed = dump_items([np.ones(100_000)], Sharing(stays=False))
    arrived = Arrived(once=False)
    arrived.take({each.number: (segments.MISSING, each.size) for each in packed.segments})
    with pytest.raises(OSError, match="too many open files"):
        load_items(packed.data, packed.refs, arrived)


def test_descriptors_are_closed() -> None:
    """After maps over large arrays this process has no more files open than before."""
    arrays = [np.full(LASTING // 8, n, float) for n in range(6)]
    total = parallel(np.sum, pure=True, backend="processes", workers=2, chunksize=1)
    assert total.map(arrays) == [float(each.sum()) for each in arrays]
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        total.map(arrays)
    assert len(os.listdir("/proc/self/fd")) <= before + 2
