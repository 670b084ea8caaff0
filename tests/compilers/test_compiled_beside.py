"""When compiling begins beside a map, and what waits for it."""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest

from autopar._compilers.native import Refusal
from autopar._engine import compiling, machine
from autopar._engine import native as native_module
from autopar._engine.functions import FunctionState
from autopar._engine.native import Forms
from autopar._engine.source import Source
from autopar._engine.task import MapTask
from autopar._model.hints import DEFAULTS
from autopar._model.observation import Sample
from autopar._model.parked import count_parked, parked
from autopar._model.plan import Plan
from tests.compilers import numeric

pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("not_eager"),
    pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler"),
]


@pytest.mark.parametrize(("cost", "begun"), [(1.0, False), (compiling.UNLIKELY, False), (0.1, True)])
def test_what_is_likely_refused_must_have_cost_more(cost: float, begun: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A function that makes a text is asked for only once it has cost several times what compiling does."""
    monkeypatch.setattr(native_module, "COMPILE_SECONDS", cost)
    asked: list[Any] = []
    monkeypatch.setattr(compiling, "begin", lambda state, types, kind: asked.append(types))

    def text(x: int) -> str:
        return f"{x:05d}"

    task = MapTask(FunctionState(text), Source((range(20),), star=False), {}, DEFAULTS)
    task.see(task.source.take(10)[0])
    task.profile.add(Sample(10, 0.5, 0.5, None, 0))
    task.compiling.consider(0.5, may_wait=True)
    assert bool(asked) is begun


def test_a_map_waits_until_the_c_compiler_is_at_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Until then compiling takes the GIL, from then on a core of its own: the loop goes on meanwhile."""
    types = native_module.types_of_call(numeric.draw, (1,), {})
    assert not isinstance(types, Refusal)
    forms = Forms(numeric.draw)
    ended = threading.Event()

    def compile_slowly(name: str, types: Any) -> Refusal:
        with parked():
            ended.wait(30)
        return Refusal("it is a test")

    monkeypatch.setattr(forms, "_made", compile_slowly)
    assert forms.begin(types) is None
    forms.wait_for_the_c_compiler(types, 30)
    assert count_parked() == 1
    assert forms.pending(types)
    ended.set()
    forms.wait(types, 30)
    assert not forms.pending(types)
    forms.wait_for_the_c_compiler(types, 30)


def text_of(x: int) -> str:
    """A function that compilers are likely to refuse."""
    return f"{x:05d}"


@pytest.mark.parametrize(
    ("function", "seconds", "items", "begun"),
    [
        (numeric.draw, 0.02, 4, False),
        (numeric.draw, 0.06, 4, True),
        (numeric.draw, 0.06, 2, False),
        (numeric.draw, 0.02, 40, True),
        (text_of, 0.06, 4, False),
        (hashlib.sha256, 0.06, 4, False),
    ],
)
def test_a_slow_first_item_is_compiled_beside(
    function: Any, seconds: float, items: int, begun: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As soon as the others would cost as much as compiling does if they took no longer than it has taken so far."""
    monkeypatch.setattr(native_module, "COMPILE_SECONDS", 0.15)
    asked: list[Any] = []
    monkeypatch.setattr(compiling, "begin", lambda state, types, kind: asked.append(types))
    task = MapTask(FunctionState(function), Source((range(items),), star=False), {}, DEFAULTS)
    task.see(task.source.take(1)[0])
    task.compiling.begin_beside(seconds)
    assert bool(asked) is begun


class AtWork(NamedTuple):
    """What is to be seen of a compiler that is at work until it is waited for."""

    map: MapTask
    waits: list[float]

    def until(self, known: Any) -> None:
        self.map.compiling._forms.wait = lambda types, seconds: self._end(seconds, known)  # type: ignore[method-assign]

    def _end(self, seconds: float, known: Any) -> None:
        forms, types = self.map.compiling._forms, self.map.compiling._found
        assert types is not None
        self.waits.append(seconds)
        if known is not None:
            forms._pending.clear()
            if isinstance(known, Refusal):
                forms._refused[types] = {"native": known}  # and Numba has not been asked yet
            else:
                forms._forms[types] = known


@pytest.fixture
def at_work(monkeypatch: pytest.MonkeyPatch) -> AtWork:
    """A map of many items whose first has run, and whose function the C compiler is at work on; no workers are warm."""
    monkeypatch.setattr(machine, "warm_workers", dict)
    task = MapTask(FunctionState(numeric.draw), Source((range(1000),), star=False), {}, DEFAULTS)
    task.see(task.source.take(1)[0])
    task.compiling._look_at_types()
    types = task.compiling._types = task.compiling._found
    assert types is not None
    work = native_module._Work(os.getpid(), threading.Event(), threading.Event())
    work.parked.set()
    task.compiling._forms._pending[types] = work
    return AtWork(task, [])


PROCESSES, LOOP = Plan(backend="processes", workers=2), Plan()


@pytest.mark.parametrize(
    ("each", "plan", "predicted", "stays", "waits"),
    [
        (0.002, PROCESSES, 1.0, True, False),
        (0.002, PROCESSES, 0.2, False, False),
        (0.002, LOOP, 1.0, False, False),
        (0.002, replace(PROCESSES, backend="threads"), 1.0, False, False),
        (0.3, PROCESSES, 1.0, True, True),
        (0.3, LOOP, 1.0, True, True),
        (0.3, LOOP, 0.2, False, False),
    ],
)
def test_workers_wait_for_a_compiler_that_is_nearly_done(
    at_work: AtWork, each: float, plan: Plan, predicted: float, stays: bool, waits: bool
) -> None:
    """Once, and as long as compiling may take; short items run here meanwhile, long ones are not begun."""
    at_work.until(SimpleNamespace(withdrawn=""))
    task = at_work.map
    task.profile.add(Sample(1, each, each, None, 0))
    assert bool(task.compiling.patience(replace(plan, predicted=predicted))) is stays
    assert bool(at_work.waits) is waits
    if stays:
        assert not task.compiling.patience(replace(plan, predicted=predicted))


def test_workers_start_once_the_c_compiler_is_at_work(at_work: AtWork, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before that nothing can be forked; then a short map does not wait any longer."""
    task = at_work.map
    task.profile.add(Sample(1, 0.002, 0.002, None, 0))
    types = task.compiling._types
    assert types is not None
    work = task.compiling._forms._pending[types]
    work.parked.clear()
    monkeypatch.setattr(
        task.compiling._forms, "wait_for_the_c_compiler", lambda types, seconds: at_work.waits.append(seconds)
    )
    assert not task.compiling.patience(replace(LOOP, predicted=0.2))
    assert not at_work.waits
    assert not task.compiling.patience(replace(PROCESSES, predicted=0.2))
    assert at_work.waits == [compiling.FRONT_END]


@pytest.mark.parametrize("known", [None, Refusal("it is a test")], ids=["it needs longer", "it refuses"])
def test_workers_start_after_a_wait_in_vain(at_work: AtWork, known: Refusal | None) -> None:
    """What was waited for did not come: the plan is followed after all."""
    at_work.until(known)
    at_work.map.profile.add(Sample(1, 0.3, 0.3, None, 0))
    assert not at_work.map.compiling.patience(replace(PROCESSES, predicted=1.0))
    assert at_work.waits == [native_module.COMPILE_SECONDS]


@pytest.mark.parametrize(
    ("known", "seconds", "wait"),
    [
        (None, 0.2, True),
        (None, 0.1 + 2.1 * native_module.COMPILE_SECONDS, False),
        (SimpleNamespace(withdrawn=""), 5.0, True),
        (Refusal("it is a test"), 0.2, False),
    ],
    ids=["at work", "at work for long", "there", "refused"],
)
def test_others_wait_for_what_is_compiled_beside(at_work: AtWork, known: Any, seconds: float, wait: bool) -> None:
    """No longer than a C compiler may need, nor for a second compiler; where code is there no pool is worth it."""
    at_work.map.compiling._begun_at = 0.1
    at_work._end(0.0, known)
    assert at_work.map.compiling.begin_beside(seconds) is wait


def test_no_wait_outlasts_the_deadline(at_work: AtWork) -> None:
    """What the compiler needs may be more than what is left."""
    at_work.until(None)
    at_work.map.deadline_at = at_work.map.machine.now()
    at_work.map.profile.add(Sample(1, 0.3, 0.3, None, 0))
    assert not at_work.map.compiling.patience(replace(PROCESSES, predicted=1.0))
    assert at_work.waits == [0.0]
