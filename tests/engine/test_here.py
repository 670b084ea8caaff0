"""The part of a map that runs in the caller's thread: what is the items' doing, and what is autopar's own."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from autopar._engine import company, here
from autopar._engine.company import no_others
from autopar._engine.functions import FunctionState
from autopar._engine.run import MapRun
from autopar._engine.source import Source
from autopar._engine.task import MapTask
from autopar._model.effects import EffectKind
from autopar._model.hints import DEFAULTS
from autopar._model.own_work import OWN_WORK
from tests.ids import named
from tests.scripts import run_python


def beside(work: Callable[[], object], *, own: bool) -> None:
    """Have another thread do something, which is autopar's own or not."""

    def run() -> None:
        if own:
            with OWN_WORK.under_way():
                work()
        else:
            work()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()


def write(x: int) -> None:
    os.environ["AUTOPAR_HERE"] = str(x)


def first_beside(x: int) -> None:
    if x == 0:
        beside(lambda: write(x), own=True)


def later_beside(x: int) -> None:
    if x == 1:
        beside(lambda: write(x), own=True)


def all_beside(x: int) -> None:
    beside(lambda: write(x), own=True)


def another_threads(x: int) -> None:
    beside(lambda: write(x), own=False)


def both(x: int) -> None:
    beside(lambda: None, own=True)
    write(x)


BLAMED = [(first_beside, 0), (later_beside, 0), (all_beside, 1), (another_threads, 1), (both, 1), (write, 1)]


@pytest.mark.parametrize(("item", "blamed"), BLAMED, ids=named)
def test_an_item_is_not_blamed_for_what_autopar_does_beside_it(
    item: Callable[[int], None], blamed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a thread of autopar's may have changed the process the next item is watched as well, and that tells."""
    monkeypatch.delenv("AUTOPAR_EAGER", raising=False)
    monkeypatch.setenv("AUTOPAR_HERE", "")
    state = FunctionState(item)
    for _ in MapRun(MapTask(state, Source((range(5),), star=False), {}, DEFAULTS)).blocks():
        pass
    assert state.witnessed
    assert [effect.kind for effect in state.seen_effects].count(EffectKind.PROCESS_STATE) == blamed


def test_a_map_that_ends_before_that_is_clear_leaves_it_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a single item beside which autopar was at work nothing is believed that it may have done; of a second, all."""
    monkeypatch.setenv("AUTOPAR_HERE", "")
    state = FunctionState(write)
    seen = []
    for items in (1, 2):
        os.environ["AUTOPAR_HERE"] = ""
        with OWN_WORK.under_way():
            for _ in MapRun(MapTask(state, Source((range(items),), star=False), {}, DEFAULTS)).blocks():
                pass
        seen.append((state.witnessed, len(state.seen_effects)))
    assert seen == [(False, 0), (True, 1)]


def test_what_a_first_item_imports_is_not_taken_for_what_the_others_compute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page is fetched by little work; that the modules for it were not there yet says nothing about the next page."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "imported_by_an_item.py").write_text("squares = [0, 1, 4]\n")

    def item(x: int) -> int:
        import imported_by_an_item  # type: ignore[import-not-found]

        return int(imported_by_an_item.squares[x])

    task = MapTask(FunctionState(item), Source((range(3),), star=False), {}, DEFAULTS)
    blocks = MapRun(task).blocks()
    try:
        next(blocks)
        assert 0.0 < task.profile.cpu < task.profile.importing
    finally:
        blocks.close()
        sys.modules.pop("imported_by_an_item")


def test_threads_that_take_nothing_from_the_items_are_no_company(monkeypatch: pytest.MonkeyPatch) -> None:
    """Idle workers and autopar's own work leave the CPU time of the process to the items; other threads do not."""
    over = threading.Event()
    threads = [threading.Thread(target=over.wait) for _ in range(2)]
    quiet = no_others()
    for thread in threads:
        thread.start()
    try:
        assert not no_others()
        monkeypatch.setattr(company, "idle_workers", lambda *pools: 1000)
        assert no_others()
    finally:
        over.set()
        for thread in threads:
            thread.join()
    monkeypatch.undo()
    beside(lambda: looks.append(no_others()), own=True)
    assert looks.pop() is quiet


looks: list[bool] = []


def test_threads_of_libraries_are_no_company() -> None:
    """Threads that Python does not know of, as BLAS starts them at its import, hide none of an item's CPU time."""
    task = MapTask(FunctionState(write), Source(([1],), star=False), {}, DEFAULTS)
    for count in (1, 9):
        task.host = replace(task.host, threads_alive=count)
        assert here.Here(task, None)._alone is no_others()  # type: ignore[arg-type]


@pytest.mark.slow
def test_imports_of_autopars_own_leave_the_environment_as_it_was() -> None:
    """What joblib and threadpoolctl tell OpenMP is theirs who import them; what is there already stays."""
    said = run_python("-c", PROGRAM)
    assert said.split() == ["{}", "{}", "mine"]


PROGRAM = """
import importlib, os
from autopar._backends import forkable
from autopar._backends.quietly import WRITTEN, importing

before = dict(os.environ)
forkable.blas_threads()
print({name: value for name, value in os.environ.items() if before.get(name) != value})
with importing("joblib"):
    importlib.import_module("joblib")
print({name: value for name, value in os.environ.items() if before.get(name) != value})
name, value = WRITTEN["joblib"]
os.environ[name] = "mine"
with importing("joblib"):
    importlib.import_module("joblib")
print(os.environ[name])
"""
