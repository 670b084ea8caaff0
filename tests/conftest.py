"""What every test gets: a store of its own, and Hypothesis in one of two profiles. Which tests run, in which order."""

from __future__ import annotations

import math
import os
import sys
import time
import zlib
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from tests.cluster.command_line import CommandLineCluster

# A slow machine is no bug, so no example has a deadline; the tests themselves have one.
settings.register_profile("ordinary", max_examples=50, deadline=None)
settings.register_profile("long", max_examples=5000, deadline=None)
settings.load_profile("long" if os.environ.get("AUTOPAR_TEST_LONG") == "1" else "ordinary")


# Outside of a test, as in doctests and in a thread that outlives its test, nothing is kept: the user's store is none
# of ours.
os.environ.setdefault("AUTOPAR_STORE", "off")


NUMPYS_ERROR_STATE: Any = {"divide": "warn", "over": "warn", "under": "ignore", "invalid": "warn"}


@pytest.fixture(scope="session")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Name a folder for each test's store, without making it: most tests never write."""
    folder = tmp_path_factory.mktemp("stores")
    return (folder / str(number) for number in count())


@pytest.fixture(autouse=True)
def isolated_store(stores: Iterator[Path]) -> Iterator[Path]:
    """Give the test, and the processes it starts, a store of its own: a file that is not made yet."""
    store = next(stores) / "store.sqlite"
    with pytest.MonkeyPatch.context() as variables:  # not the test's own, which it may undo in the middle
        variables.setenv("AUTOPAR_STORE", str(store))
        yield store
        _leave_store()


@pytest.fixture(autouse=True)
def numpys_error_state() -> Iterator[None]:
    """Give each test NumPy's own error state: kernels that watch for errors run in Python under another."""
    yield
    if "numpy" in sys.modules:
        import numpy

        if numpy.geterr() != NUMPYS_ERROR_STATE:
            numpy.seterr(**NUMPYS_ERROR_STATE)


@pytest.fixture(autouse=True)
def no_subscriber_left() -> Iterator[None]:
    """Fail the test that leaves a subscriber to events: with one, later tests' maps never take the shortest way."""
    yield
    listening: Any = sys.modules.get("autopar._model.listening")
    left = () if listening is None else listening.subscribers
    if listening is not None and left:
        listening.subscribers = ()
        pytest.fail(f"subscribers are left: {left}")


def _leave_store() -> None:
    """Nothing of what waits, or of what a thread still adds, is written any more: the folder is about to go."""
    journal, log = sys.modules.get("autopar._engine.journal"), sys.modules.get("autopar._record.log")
    if log is not None:
        for each in list(log._LOGS):
            with each._writing:
                vars(each)["_store"] = None
    if journal is not None:
        journal.new_log()


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandLineCluster]:
    """A Dask scheduler and two workers, started from the command line, for tests that leave them as they were."""
    if not getattr(sys, "_is_gil_enabled", lambda: True)():
        pytest.importorskip("distributed", reason="Dask needs packages that have no wheel for a Python without a GIL")
    from autopar._backends.dask.connections import close_all
    from tests.cluster.command_line import command_line_cluster

    with command_line_cluster(tmp_path_factory.mktemp("cluster")) as found:
        found.start()
        yield found
        close_all()


ONE_IN = {"dask": 10, "chosen-dask": 10, "joblib": 4, "multiprocessing": 4, "numba": 3}
"""Way that tests take as a parameter -> one in so many of them runs; in long runs all do.

These share nearly all of their code with ways that every test takes: worker processes, and native code.
"""

ROWS_BY_NUMBA = 20
"""The same for the rows of differences by way of Numba, of which each is compiled by itself for 0.3 s."""


LONGEST = (
    "semantics/test_rows.py",
    "test_examples.py",
    "same_answer/test_cases.py",
    "faults/test_program_end.py",
    "compilers/test_whole_arrays.py",
)
"""Files of tests that take half a minute or more, from the longest down: one that is begun last is waited for alone."""

MANY_ALIKE = (
    "simulation/test_regret.py",
    "semantics/test_programs.py",
    "same_answer/test_programs.py",
    "faults/test_four_deep.py",
    "semantics/test_objects.py",
    "semantics/test_typed_cython.py",
    "same_answer/test_eager.py",
    "effects/test_standard_library.py",
    "benchmarks/test_regret.py",
)
"""Files whose tests are drawn by chance, or repeat others another way. They come last, in this order."""

UNTIL = float(os.environ.get("AUTOPAR_TEST_UNTIL", "inf"))
"""Seconds since the epoch. What is left of MANY_ALIKE by then is skipped, in a run that has to end in time."""


class FailuresAtOnce:
    """Names what fails as soon as it does: a run that is cut off does not come to its summary."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        reporter: Any = self._config.pluginmanager.get_plugin("terminalreporter")
        if report.failed and reporter is not None:  # workers of xdist have none
            crash = getattr(report.longrepr, "reprcrash", None)
            reporter.write_line(
                f"\n{report.nodeid} ({report.when}): {getattr(crash, 'message', report.longrepr)}"[:2000]
            )


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(FailuresAtOnce(config))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The longest files first, those of many alike last, and a share of the tests only on ways that take long."""
    here = Path(__file__).parent
    places = {here / name: place - len(LONGEST) for place, name in enumerate(LONGEST)}
    places |= {here / name: place for place, name in enumerate(MANY_ALIKE, 1)}
    items.sort(key=lambda item: places.get(item.path, 0))
    if os.environ.get("AUTOPAR_TEST_LONG") == "1" or any("::" in argument for argument in config.args):
        return
    left_out = {item for item in items if zlib.crc32(_drawn_by(item).encode()) % _one_in(item)}
    if left_out:
        config.hook.pytest_deselected(items=list(left_out))
        items[:] = [item for item in items if item not in left_out]


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what is one of many alike when time is up."""
    if time.time() > UNTIL and item.path.relative_to(Path(__file__).parent).as_posix() in MANY_ALIKE:
        pytest.skip("one of many alike, and time is up: AUTOPAR_TEST_UNTIL")


def _of_a_row(item: pytest.Item) -> bool:
    called = getattr(item, "callspec", None)
    return called is not None and {"case", "compiler"} <= called.params.keys()


def _drawn_by(item: pytest.Item) -> str:
    """What chance goes by: the test, or the row's case, whose tests share what is compiled for it."""
    called: Any = getattr(item, "callspec", None)
    return f"{item.path.name}[{called.id}]" if _of_a_row(item) else item.nodeid


def _one_in(item: pytest.Item) -> int:
    called = getattr(item, "callspec", None)
    ways = [] if called is None else [called.params.get(name) for name in ("route", "compiler")]
    if "numba" in ways and _of_a_row(item):
        return ROWS_BY_NUMBA
    return max((ONE_IN.get(way, 1) for way in ways if isinstance(way, str)), default=1)


@pytest.fixture
def not_eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let plans be chosen by what they save, for tests of just that, also where the whole suite runs eagerly."""
    monkeypatch.delenv("AUTOPAR_EAGER", raising=False)


@pytest.fixture
def two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the planner see two cores, for tests in which one item waits for another, also where there is one."""
    from autopar._observe import host

    seen = replace(host.observe_host(), cores=2)
    monkeypatch.setattr(host, "_latest", (math.inf, os.getpid(), seen))
