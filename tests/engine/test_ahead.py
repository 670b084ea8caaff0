"""While a map's first item takes long, others go ahead of it; but only where nobody could notice."""

from __future__ import annotations

import importlib
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from autopar import parallel
from autopar._engine.ahead import Ahead
from autopar._model.observation import Sample

PATIENCE = 20.0


@pytest.fixture(autouse=True)
def nothing_demanded(monkeypatch: pytest.MonkeyPatch) -> None:
    """An eager map asks for no reason to go ahead; here there is to be one."""
    monkeypatch.delenv("AUTOPAR_EAGER", raising=False)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """What each look at a first item came to."""
    looks: list[bool] = []
    may_start, start = Ahead._may_start, Ahead._start

    def asked(self: Ahead) -> bool:
        allowed = may_start(self)
        if not allowed:
            looks.append(False)
        return allowed

    def watched(self: Ahead, sample: Sample) -> bool:
        looks.append(start(self, sample))
        return looks[-1]

    monkeypatch.setattr(Ahead, "_may_start", asked)
    monkeypatch.setattr(Ahead, "_start", watched)
    return looks


class Meeting:
    """A first item that waits until so many others have been there."""

    def __init__(self, others: int, then: Callable[[], None] = lambda: None) -> None:
        self.others = threading.Semaphore(0)
        self.wanted = others
        self.then = then

    def __call__(self, x: int) -> int:
        if x == 0:
            for _ in range(self.wanted):
                assert self.others.acquire(timeout=PATIENCE)
            self.then()
        else:
            self.others.release()
        return -x


@pytest.mark.parametrize("others", [1, 40])
def test_others_go_ahead_of_a_slow_first_item(others: int, started: list[bool]) -> None:
    """The first item ends only because the others have run; all results are in order, and the log says where."""
    function = parallel(Meeting(others), pure=True)
    assert function.map(range(others + 1)) == [-x for x in range(others + 1)]
    assert started[-1]
    decision = function.decisions[-1]
    assert {plan.backend for plan, _ in decision.tried} == {"serial", "threads"}
    assert sum(items for _, items in decision.tried) == others + 1


def test_a_lazy_map_does_so_too(started: list[bool]) -> None:
    """Results still come in input order."""
    function = parallel(Meeting(5), pure=True)
    assert list(function.imap(list(range(10)))) == [-x for x in range(10)]
    assert started[-1]


def test_modules_that_the_item_imports_are_told_from_those_of_the_analysis(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are counted when the item is first looked at, before anything of autopar's own is imported beside it."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "imported_at_first.py").write_text("")
    counted: list[int | None] = []
    start = Ahead._start

    def watched(self: Ahead, sample: Sample) -> bool:
        counted.append(self.imported)
        (tmp_path / "imported_beside.py").write_text("")
        importlib.import_module("imported_beside")
        return start(self, sample)

    monkeypatch.setattr(Ahead, "_start", watched)
    meeting = Meeting(5)

    def item(x: int) -> int:
        if x == 0:
            importlib.import_module("imported_at_first")
        return meeting(x)

    try:
        assert parallel(item, pure=True).map(range(6)) == [-x for x in range(6)]
        assert set(counted) == {1}
    finally:
        for name in ("imported_at_first", "imported_beside"):
            sys.modules.pop(name, None)


def test_an_error_of_the_first_item_ends_the_map() -> None:
    """Whatever has run ahead is forgotten: the loop would not have come to it."""

    def fail() -> None:
        raise LookupError("first")

    function = parallel(Meeting(3, then=fail), pure=True)
    with pytest.raises(LookupError, match="first") as raised:
        function.map(range(10))
    assert "item 0 of" in raised.value.__notes__[0]


def test_an_error_of_an_item_that_went_ahead_has_its_turn() -> None:
    """The first failing item in input order decides, although a later one failed before."""
    failed = threading.Event()

    def item(x: int) -> int:
        if x == 0:
            assert failed.wait(PATIENCE)
            raise LookupError("first")
        failed.set()
        raise ValueError("ahead")

    with pytest.raises(LookupError, match="first"):
        parallel(item, pure=True).map(range(4))


seen: list[int] = []


def wait_and_note(x: int) -> int:
    """Have an effect that order matters for."""
    time.sleep(0.02)
    seen.append(x)
    return x


def test_effects_keep_their_order(started: list[bool]) -> None:
    """A function whose items could notice each other is never started ahead."""
    seen.clear()
    assert parallel(wait_and_note).map(range(4)) == [0, 1, 2, 3]
    assert seen == [0, 1, 2, 3]
    assert True not in started


def test_an_unknown_function_is_not_started_ahead(started: list[bool]) -> None:
    """What the analysis cannot see through may have effects that only the first item shows."""
    tick = threading.Event()
    function = parallel(tick.wait)
    assert function.map([0.02] * 4) == [False] * 4
    assert True not in started


@pytest.mark.parametrize("hints", [{"workers": 1}, {"backend": "serial"}])
def test_hints_that_leave_no_room_for_it(hints: dict[str, object], started: list[bool]) -> None:
    """One worker means one item at a time."""
    assert parallel(time.sleep, pure=True, **hints).map([0.02] * 3) == [None] * 3
    assert started == []
