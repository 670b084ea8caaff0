"""Chunks that have ended, handed over one by one or several at a time; and none that is waited for is missed."""

from __future__ import annotations

import threading

import pytest

from autopar import parallel
from autopar._backends.pending import PendingChunk
from autopar._engine.completions import MOST, CompletionQueue, enough
from autopar._model.work import Outcome

PATIENCE = 30.0


def ended(error: BaseException | None = None) -> PendingChunk:
    """Make a chunk that has ended."""
    pending = PendingChunk()
    pending.settle(Outcome([], error), None)
    return pending


@pytest.mark.parametrize(
    ("under_way", "queued", "more", "expected"),
    [
        (0, 0, False, 1),
        (1, 0, False, 1),
        (2, 1, True, 1),
        (12, 4, True, 2),
        (12, -3, True, 1),
        (12, 0, False, 6),
        (999, 333, True, MOST),
    ],
)
def test_how_many_are_worth_being_woken_for(under_way: int, queued: int, more: bool, expected: int) -> None:
    """Half of what is queued, or of what is left, but never more than a few."""
    assert enough(under_way, queued, more=more) == expected


def test_what_is_there_is_taken_without_waiting() -> None:
    """All that have ended come, in that order, and each once."""
    queue, chunks = CompletionQueue(), [ended() for _ in range(3)]
    for chunk in chunks:
        queue.put(chunk)
    assert queue.wait(3, None) == chunks
    assert queue.take() == []


def test_a_wait_lasts_until_enough_have_ended() -> None:
    """Fewer wake nobody, however they arrive."""
    queue, first = CompletionQueue(), ended()
    queue.put(first)
    assert queue.wait(2, 0.0) == [first]
    sender = threading.Thread(target=lambda: list(map(queue.put, [ended() for _ in range(50)])))
    sender.start()
    got = 0
    while got < 50:
        got += len(queue.wait(min(20, 50 - got), PATIENCE))
    sender.join(PATIENCE)
    assert got == 50


def test_a_failure_is_not_waited_with() -> None:
    """A chunk that an item has ended wakes whoever waits, before and during the wait."""
    queue, failed = CompletionQueue(), ended(ValueError("no"))
    queue.put(ended())
    queue.put(failed)
    assert queue.wait(10, None)[-1] is failed
    sender = threading.Timer(0.0, queue.put, [ended(ValueError("again"))])
    sender.start()
    got: list[object] = []
    while not got:  # a ring for the one before may end this early
        got = [*queue.wait(10, PATIENCE)]
    sender.join(PATIENCE)
    assert len(got) == 1


def test_items_may_wait_for_one_of_their_own_map() -> None:
    """It runs whatever the others do, and all results come, in order."""
    leave = threading.Event()

    def wait_for_the_fourth(number: int) -> int:
        if number >= 5:
            leave.wait(PATIENCE)
        elif number == 4:
            leave.set()
        return number

    wait = parallel(
        wait_for_the_fourth, backend="threads", thread_safe=True, workers=64, chunksize=1, compiler="python"
    )
    assert wait.map(range(64)) == list(range(64))
