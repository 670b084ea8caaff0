"""What a worker process keeps of one job for the next."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autopar._backends import payload
from autopar._backends.payload import BYTES_KEPT, LARGE, PARTS_KEPT, Kept, Part, pack
from autopar._backends.transport import PackedJob, dump_job, load_job
from autopar._model.retry import Retry
from autopar._model.work import Job
from tests.scripts import run_python

NUMBERS = list(range(LARGE))


def look(x: int) -> int:
    return NUMBERS[x]


def looks_in(values: Any) -> Callable[[int], Any]:
    def look(x: int) -> Any:
        return values[x]

    return look


def sent(job: Job, caller: Kept) -> PackedJob:
    """A job as it reaches a worker of which the caller knows what it keeps."""
    packed = dump_job(job)
    parts = caller.without_kept(packed.parts)
    caller.take(parts, [None] * len(parts))
    arrived: PackedJob = pickle.loads(pickle.dumps(packed._replace(parts=parts)))
    return arrived


def captured(job: Job) -> Any:
    (cell,) = job.function.__closure__ or ()
    return cell.cell_contents


def test_the_second_job_with_the_same_large_values_sends_their_digests() -> None:
    """A closure and a global that have not changed are neither sent nor loaded again."""
    caller, worker = Kept(), Kept()
    function, values = looks_in(NUMBERS), {(__name__, "NUMBERS"): list(NUMBERS)}
    jobs = [Job(function, shared=values, leaves_all_as_it_is=True, retry=Retry(n)) for n in (0, 1)]
    first, second = (sent(job, caller) for job in jobs)
    assert [data is None for data, _ in first.parts + second.parts] == [False, False, True, True]
    own = NUMBERS
    try:
        one = load_job(first, worker)
        shared = NUMBERS
        other = load_job(second, worker)
        assert NUMBERS is shared is not own
        assert captured(one) is captured(other)
        assert (one.retry.times, other.retry.times) == (0, 1)
    finally:
        load_job(dump_job(Job(abs)), worker)
    assert NUMBERS is own


def test_a_value_that_has_changed_is_sent_again() -> None:
    """Its digest is another one."""
    caller, worker = Kept(), Kept()
    values = list(range(LARGE))
    function = looks_in(values)
    assert load_job(sent(Job(function, leaves_all_as_it_is=True), caller), worker).function(3) == 3
    values[3] = -3
    assert load_job(sent(Job(function, leaves_all_as_it_is=True), caller), worker).function(3) == -3


def test_where_items_may_write_nothing_is_kept() -> None:
    """What they have changed in one job, another must not see."""
    caller, worker = Kept(), Kept()
    job = Job(looks_in(NUMBERS), leaves_all_as_it_is=False)
    first, second = load_job(sent(job, caller), worker), load_job(sent(job, caller), worker)
    assert captured(first) is not captured(second)


def test_a_class_that_travels_by_value_keeps_nothing() -> None:
    """A worker has it once, and each job that loads it sets its attributes to those of its caller."""

    class Factor:
        value = 1

    caller, worker = Kept(), Kept()
    function = looks_in([Factor, NUMBERS])
    results = []
    for value in (1, 2, 1):
        Factor.value = value
        results.append(load_job(sent(Job(function, leaves_all_as_it_is=True), caller), worker).function(0).value)
    assert results == [1, 2, 1]
    assert all(not digest for _, digest in dump_job(Job(function, leaves_all_as_it_is=True)).parts)


def test_small_and_huge_parts_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loading a small one costs nothing, and a huge one would push out all others."""
    monkeypatch.setattr(payload, "BYTES_KEPT", 2 * LARGE)
    kept = [bool(pack("x", bytes(size), lasting=True).digest) for size in (LARGE - 1, LARGE, 2 * LARGE, 2 * LARGE + 1)]
    assert kept == [False, True, True, False]


def test_equal_values_of_two_names_stay_two_objects() -> None:
    """Whether one is the other is the same in the worker as here."""
    data = bytes(LARGE)
    assert pack("a:x", data, lasting=True).digest != pack("a:y", data, lasting=True).digest


@given(
    jobs=st.lists(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 40)), max_size=5, unique_by=lambda p: p[0])),
)
def test_caller_and_worker_keep_the_same(jobs: list[list[tuple[int, int]]]) -> None:
    """Whatever jobs come, all that is left out is there, and memory is bounded."""
    caller, worker = Kept(), Kept()
    for job in jobs:
        parts = [Part(bytes(size << 20), bytes((name, size))) for name, size in job]
        left = caller.without_kept(parts)
        caller.take(left, [None] * len(left))
        values = [worker[digest] if data is None else digest for data, digest in left]
        worker.take(left, values)
        assert values == [digest for _, digest in parts]
        assert [*caller._parts] == [*worker._parts]
        assert len(worker._parts) <= PARTS_KEPT
        assert worker._bytes == sum(size for size, _ in worker._parts.values()) <= BYTES_KEPT


MAPS_OF_A_CLOSURE = """
import autopar as ap

def closure():
    values = list(range({large}))
    def identity(x):
        return id(values), values[0]
    return values, identity
values, identity = closure()
def run():
    return ap.map(identity, range(4), backend="processes", workers=1)
first, second = run(), run()
values[0] = -1
third = run()
print(len({{*first, *second}}) == 1, third[0][1] == -1, third[0][0] != first[0][0])
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="the time to start a worker")
def test_a_worker_uses_what_it_has_for_the_next_map() -> None:
    """By the identity of a captured list in the only worker; a list that was changed in between is another."""
    assert run_python("-c", MAPS_OF_A_CLOSURE.format(large=LARGE)) == "True True True\n"
