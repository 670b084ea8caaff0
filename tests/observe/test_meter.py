"""Measuring a run of items."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from autopar._observe.meter import Meter, Probe


def probe_of(*readings: tuple[int, int, int, int, int]) -> Probe:
    left: Iterator[tuple[int, int, int, int, int]] = iter(readings)
    return lambda: next(left)


START = (1_000_000_000, 500_000_000, 700_000_000, 10, 3)
END = (3_000_000_000, 1_500_000_000, 4_700_000_000, 14, 9)


def test_a_sample_is_the_difference_of_two_readings() -> None:
    """Nanoseconds become seconds, voluntary switches become waits, involuntary ones are left out."""
    sample = Meter(probe_of(START, END)).sample(8)
    assert (sample.items, sample.wall, sample.cpu, sample.process_cpu, sample.waits) == (8, 2.0, 1.0, 4.0, 4)
    assert sample.concurrency == 1


@pytest.mark.parametrize(("concurrency", "alone"), [(2, True), (1, False), (2, False)])
def test_process_time_counts_only_for_items_that_ran_alone(concurrency: int, alone: bool) -> None:
    """CPU time of the process belongs to the items only if nothing else ran."""
    sample = Meter(probe_of(START, END)).sample(8, concurrency=concurrency, alone=alone)
    assert sample.process_cpu is None
    assert sample.concurrency == concurrency


def test_what_threads_of_autopars_own_take_is_not_the_items() -> None:
    """What they took meanwhile is left out, and where that cannot be told nothing is said of the process."""
    found = [
        Meter(probe_of(START, END), iter(own).__next__).sample(8).process_cpu
        for own in ([0.25, 2.0], [None, 1.0], [1.0, None])
    ]
    assert found == [pytest.approx(2.25), None, None]


def test_a_meter_can_be_read_again() -> None:
    """Each reading counts from when the meter was made."""
    meter = Meter(probe_of(START, END, END), lambda: 0.0)
    assert meter.sample(8) == meter.sample(8)


def test_another_thread_may_not_read_it() -> None:
    """Clocks of two threads have no difference: the meter says so instead of giving one."""
    meter = Meter(probe_of(START, END))
    errors: list[BaseException] = []

    def read() -> None:
        try:
            meter.sample(1)
        except RuntimeError as error:
            errors.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    thread.join()
    assert [str(error) for error in errors] == ["a Meter must be read by the thread that made it"]


def test_computing_costs_cpu_time() -> None:
    """With the real probe, work on this thread shows as wall time and CPU time of thread and process."""
    meter = Meter()
    total = sum(n * n for n in range(20_000))
    sample = meter.sample(1)
    assert total > 0
    assert sample.wall > 0
    # The clocks are read one after the other, and not all of them tick as finely.
    assert 0 < sample.cpu <= (sample.process_cpu or 0.0) + 1e-2
