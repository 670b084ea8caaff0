"""Which backends keep the loop's answer, for each effect and each hint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from autopar._model.cluster import Cluster
from autopar._model.effects import Effect
from autopar._model.effects import EffectKind as E
from autopar._model.observation import Host
from autopar._model.plan import BACKENDS
from autopar._plan import Situation
from autopar._plan.eligibility import HINT_ORDER, RULES, barriers, lifting_hint
from tests.plan.cases import HOST, situation

BUILT = ("serial", "threads", "processes")
WRITES = (
    E.WRITES_GLOBAL,
    E.WRITES_CLOSURE,
    E.WRITES_DEFAULT,
    E.WRITES_SELF,
    E.WRITES_ARGUMENT,
    E.WRITES_SHARED,
    E.READS_SHARED,
)


LIKE_PROCESSES = {name for name, spec in BACKENDS.items() if spec.module is not None and not spec.same_process} - {
    "processes",
    "dask",  # which needs a cluster besides
}


def open_ways(case: Situation) -> set[str]:
    """Backends that may be used; processes stand for all that are like them."""
    return {name for name in BACKENDS if not barriers(name, case)} - LIKE_PROCESSES


def test_every_kind_of_effect_has_a_rule() -> None:
    """The table is complete, and its hints are known ones."""
    assert set(RULES) == set(E)
    for rule in RULES.values():
        assert set(rule.overlap or ()) | set(rule.elsewhere or ()) <= set(HINT_ORDER)


OPEN: list[tuple[E, Mapping[str, Any], set[str]]] = [
    *((kind, {}, {"serial"}) for kind in WRITES),
    *((kind, {"thread_safe": True}, {"serial", "threads"}) for kind in WRITES),
    *((kind, {"pure": True}, {"serial", "threads", "processes"}) for kind in WRITES),
    *((kind, {"seed": 7}, {"serial"}) for kind in WRITES),
    (E.RANDOM, {}, {"serial"}),
    (E.RANDOM, {"seed": 0}, {"serial", "processes"}),
    (E.RANDOM, {"thread_safe": True}, {"serial"}),
    (E.RANDOM, {"pure": True}, {"serial", "threads", "processes"}),
    (E.OUTPUT, {}, {"serial"}),
    (E.OUTPUT, {"thread_safe": True}, {"serial"}),
    (E.OUTPUT, {"pure": True}, {"serial", "threads", "processes"}),
    (E.LOCK, {}, {"serial", "threads"}),
    (E.LOCK, {"pure": True}, {"serial", "threads", "processes"}),
    (E.CONTEXT, {}, {"serial"}),
    (E.CONTEXT, {"thread_safe": True}, {"serial"}),
    (E.CONTEXT, {"pure": True}, {"serial", "threads", "processes"}),
    (E.PROCESS_STATE, {}, {"serial"}),
    (E.PROCESS_STATE, {"pure": True}, {"serial", "threads", "processes"}),
    (E.NOT_THREAD_SAFE, {}, {"serial", "processes"}),
    (E.NOT_THREAD_SAFE, {"thread_safe": True}, {"serial", "threads", "processes"}),
    (E.NOT_THREAD_SAFE, {"pure": True}, {"serial", "threads", "processes"}),
    (E.THREAD_IDENTITY, {}, {"serial"}),
    (E.THREAD_IDENTITY, {"backend": "threads"}, {"serial", "threads"}),
    (E.THREAD_IDENTITY, {"backend": "processes"}, {"serial", "processes"}),
    (E.GENERATOR, {}, {"serial", "threads"}),
    (E.GENERATOR, {"pure": True}, {"serial", "threads"}),
    (E.UNKNOWN, {}, {"serial"}),
    (E.UNKNOWN, {"thread_safe": True}, {"serial", "threads"}),
    (E.UNKNOWN, {"pure": True}, {"serial", "threads", "processes"}),
    (E.UNKNOWN, {"backend": "threads"}, {"serial", "threads"}),
    (E.UNKNOWN, {"backend": "processes"}, {"serial", "processes"}),
]


@pytest.mark.parametrize(("kind", "hints", "ways"), OPEN, ids=[f"{k.name}-{h}" for k, h, _ in OPEN])
def test_effects_and_hints_decide_which_ways_are_open(kind: E, hints: Mapping[str, Any], ways: set[str]) -> None:
    """Each effect closes the ways that would lose it, and only its own hints open them again."""
    assert open_ways(situation(5e-3, 200, kind, **hints)) == ways


SAID: list[tuple[str, Mapping[str, Any], set[str]]] = [
    *((what, {}, {"serial", "threads", "processes"}) for what in ("print()", "sys.stdout", "sys.stderr")),
    ("logging.getLogger(): info()", {}, {"serial", "threads", "processes"}),
    ("logging.warning()", {}, {"serial", "threads", "processes"}),
    ("warnings.warn()", {}, {"serial", "processes"}),
    ("warnings.warn()", {"pure": True}, {"serial", "threads", "processes"}),
    ("global 'log_file'", {}, {"serial"}),
    ("logging.shutdown()", {}, {"serial"}),
    ("os.write()", {}, {"serial"}),
    ("input()", {}, {"serial"}),
]


def output(what: str, **facts: Any) -> Situation:
    """A planning for a function that writes to something."""
    case = situation(5e-3, 200, **facts)
    report = replace(case.traits.report, effects=(Effect(E.OUTPUT, what, "case.item", line=1),))
    return replace(case, traits=replace(case.traits, report=report))


@pytest.mark.parametrize("name", sorted(LIKE_PROCESSES))
@pytest.mark.parametrize("kind", list(E), ids=lambda kind: kind.name)
@pytest.mark.parametrize("hints", [{}, {"pure": True}, {"thread_safe": True}, {"seed": 0}], ids=str)
def test_what_closes_processes_closes_their_like(name: str, kind: E, hints: Mapping[str, Any]) -> None:
    """An effect is as much lost in a forked process, an interpreter or one of joblib's workers."""
    case = replace(situation(5e-3, 200, kind, host=replace(HOST, python="3.14.0"), **hints), forks=True)
    assert bool(barriers(name, case)) == bool(barriers("processes", case))


def test_what_is_inherited_need_not_pickle() -> None:
    """Keyword arguments that do not pickle close processes, and not what forks; items close both."""
    case = replace(situation(known={"job_pickles": False}), forks=True)
    assert [name for name in ("processes", "joblib", "multiprocessing") if not barriers(name, case)] == [
        "multiprocessing"
    ]
    assert barriers("multiprocessing", replace(situation(known={"pickles": False}), forks=True))


def test_what_cannot_be_forked_is_not() -> None:
    """Where forking is not known to be safe, nothing is inherited."""
    (barrier,) = barriers("multiprocessing", situation())
    assert "cannot be forked" in barrier.because


@pytest.mark.parametrize("name", ["joblib", "interpreters"])
def test_what_fails_in_processes_is_not_tried_alike(name: str) -> None:
    """Backends that pickle as processes do are left, too, unless they are demanded."""
    case = situation(host=replace(HOST, python="3.14.0"), excluded={"processes": "a lock does not pickle"})
    (barrier,) = barriers(name, case)
    assert barrier.because == "a lock does not pickle"
    assert not barriers(name, replace(case, settings=replace(case.settings, backend=name)))


def test_joblib_cannot_keep_a_time_limit() -> None:
    """Loky does not tell when an item begins."""
    (barrier,) = barriers("joblib", situation(timeout=5.0))
    assert "leave timeout= out" in barrier.because


@pytest.mark.parametrize(("what", "hints", "ways"), SAID, ids=[f"{what}-{hints}" for what, hints, _ in SAID])
def test_output_that_waits_for_its_turn_closes_no_way(what: str, hints: Mapping[str, Any], ways: set[str]) -> None:
    """What is printed, logged or warned is kept and put out in order; what goes to files and sockets cannot be."""
    assert open_ways(output(what, **hints)) == ways


def test_output_has_no_turn_where_results_have_none() -> None:
    """Results in order of completion leave printing to the loop."""
    assert open_ways(replace(output("print()"), ordered=False)) == {"serial"}


def test_printing_coroutines_run_in_order() -> None:
    """Nothing keeps what coroutines on one event loop say."""
    (barrier,) = barriers("asyncio", output("print()", facts={"is_async": True}))
    assert barrier.in_order


HINTS: list[tuple[str, tuple[E, ...], str]] = [
    ("threads", (E.WRITES_GLOBAL,), "thread_safe=True"),
    ("threads", (E.WRITES_GLOBAL, E.OUTPUT), "pure=True"),
    ("threads", (E.UNKNOWN, E.WRITES_SELF), "thread_safe=True"),
    ("threads", (E.THREAD_IDENTITY,), 'backend="threads"'),
    ("threads", (E.THREAD_IDENTITY, E.OUTPUT), ""),
    ("processes", (E.WRITES_GLOBAL,), "pure=True"),
    ("processes", (E.RANDOM,), "seed=0"),
    ("processes", (E.RANDOM, E.LOCK), "pure=True"),
    ("processes", (E.GENERATOR,), ""),
    ("processes", (), ""),
]


@pytest.mark.parametrize(("backend", "kinds", "hint"), HINTS, ids=lambda value: str(value)[:40])
def test_the_hint_offered_is_the_mildest_that_lifts_everything(backend: str, kinds: tuple[E, ...], hint: str) -> None:
    """One hint that is enough, or none."""
    case = situation(5e-3, 200, *kinds)
    assert lifting_hint(backend, barriers(backend, case)) == hint


def test_a_barrier_names_the_line_and_what_happens_there() -> None:
    """The reason is the effect in words, with its line."""
    (barrier,) = barriers("processes", situation(5e-3, 200, E.WRITES_GLOBAL))
    assert barrier.because.startswith("line 1 writes a global: object 1; in another process the change would be lost")


def test_coroutine_functions_run_serially_or_on_an_event_loop() -> None:
    """No other backend awaits."""
    assert open_ways(situation(facts={"is_async": True})) == {"serial", "asyncio"}


def test_plain_functions_never_run_on_an_event_loop() -> None:
    """They would block it."""
    (barrier,) = barriers("asyncio", situation())
    assert 'use backend="threads"' in barrier.because


def test_a_generator_function_stays_in_this_process() -> None:
    """Its generators cannot be sent, whatever is promised."""
    assert open_ways(situation(facts={"is_generator": True}, pure=True)) == {"serial", "threads"}


def test_what_does_not_pickle_stays_in_this_process() -> None:
    """The reason is passed on; not knowing yet rules nothing out."""
    case = situation(known={"pickles": False, "why_not_pickles": "cannot pickle '_thread.lock' object"})
    (barrier,) = barriers("processes", case)
    assert barrier.because == "its items or results cannot be pickled: cannot pickle '_thread.lock' object"
    assert open_ways(situation(known={"pickles": None})) == set(BUILT)


def test_what_the_host_lacks_or_the_engine_gave_up_is_out() -> None:
    """Both come with their reason."""
    host = replace(HOST, unavailable={"processes": "no /dev/shm"})
    assert [b.because for b in barriers("processes", situation(host=host))] == ["no /dev/shm"]
    case = situation(excluded={"threads": "left after 2 s: slower than the loop"})
    assert [b.because for b in barriers("threads", case)] == ["left after 2 s: slower than the loop"]


def test_backends_of_later_versions_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are known, and out."""
    monkeypatch.setitem(BACKENDS, "dask", replace(BACKENDS["dask"], module=None))
    assert [b.because for b in barriers("dask", situation())] == ["it is not part of this version of autopar"]


def test_a_cluster_is_considered_where_one_is_configured_and_was_looked_at() -> None:
    """Without one the backend is out, and the reason says which of the two is missing."""
    assert [b.because for b in barriers("dask", situation())] == ["no cluster is configured"]
    named = situation(cluster="tcp://host:8786")
    assert [b.because for b in barriers("dask", named)] == ["too little is left to ask the cluster"]
    assert not barriers("dask", replace(named, cluster=Cluster("tcp://host:8786", 2, 8)))
    away = replace(named, excluded={"dask": "it does not answer"})
    assert [b.because for b in barriers("dask", away)] == ["it does not answer"]


def test_an_exhausted_thread_budget_closes_threads() -> None:
    """Unless threads are there already."""
    assert "threads" not in open_ways(situation(threads=0))
    assert "threads" in open_ways(situation(threads=0, warm={"threads": 4}))


def test_a_timeout_closes_the_plain_loop() -> None:
    """A plain call cannot be interrupted."""
    assert open_ways(situation(timeout=5.0)) == {"threads", "processes"}


@pytest.mark.parametrize("python", ["", "3", "3.13.0", "pypy-7"])
def test_a_host_that_does_not_say_its_version_counts_as_new(python: str) -> None:
    """Nothing is ruled out for want of knowledge."""
    assert open_ways(situation(host=Host(cores=2, python=python))) == set(BUILT)


def test_an_old_python_closes_what_needs_a_newer_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The minimum version is part of a backend's specification."""
    monkeypatch.setitem(BACKENDS, "threads", replace(BACKENDS["threads"], minimum_python=(3, 14)))
    assert [b.because for b in barriers("threads", situation())] == ["it needs Python 3.14, this is 3.11.7"]
