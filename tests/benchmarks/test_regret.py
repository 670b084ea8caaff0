"""The regret benchmark: how figures come out of times, what it gives up, and that it notices wrong answers."""

from __future__ import annotations

import json
import pickle
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.regret import __main__ as command
from benchmarks.regret import driver
from benchmarks.regret.answer import digest
from benchmarks.regret.driver import Effort, Measurement, environment_with
from benchmarks.regret.regret import Best, Times, best_of, geometric_mean, hopeless, limit, ratio
from benchmarks.regret.report import aligned, as_json, failures, notes, table
from benchmarks.regret.ways import WAYS, Serial
from benchmarks.regret.workload import Workload
from benchmarks.regret.workloads import all_workloads
from benchmarks.regret.workloads.tiny import increment

QUICKEST = Effort(quick=True, repeat=1, warm=(1, 1), seconds=0.0)

TIMES = {
    "loop": Times([1.0], [1.0]),
    "threads 2": Times([0.5, 0.7, 9.0], [0.5]),
    "threads 8": Times([0.6], [0.25]),
    "threads 64": Times(late=2.0),
    "processes by 1": Times([0.1], [0.1], errors=["PicklingError: no"]),
    "joblib": Times([0.01], [0.01]),
    "mpire": Times(late=15.0),
    "autopar": Times([0.9], [0.5, 0.4, 0.3]),
    "autopar stored": Times([0.6]),
}


HUNDRED = Workload("tiny", "", all_workloads()["tiny"][1].prepare, 100, 100)


def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give every map as long as it takes, however busy the machine is."""
    monkeypatch.setattr(driver, "limit", lambda times, way, mode: 60.0)


@pytest.mark.parametrize(
    ("results", "same", "other"),
    [
        ([1, 2], [1, 2], [2, 1]),
        ([1], [1], [1.0]),
        ([1], [1], [True]),
        ([0.0], [0.0], [-0.0]),
        (["1"], ["1"], [1]),
        ([b"a"], [b"a"], ["a"]),
        ([float("nan")], [float("nan")], [None]),
        ([(1, "a")], [(1, "a")], [[1, "a"]]),
        ([{"a": 1, "b": 2}], [{"a": 1, "b": 2}], [{"b": 2, "a": 1}]),
        ([[1, [2, 3]]], [[1, [2, 3]]], [[1, [2], 3]]),
        ([np.zeros(2)], [np.zeros(2)], [np.zeros((2, 1))]),
        ([np.zeros(2)], [np.zeros(2)], [np.zeros(2, dtype=np.float32)]),
        ([np.float64(1)], [np.float64(1)], [1.0]),
    ],
)
def test_answers_are_equal_by_value_type_and_order(results: list[Any], same: list[Any], other: list[Any]) -> None:
    """Equal results have one digest; another value, type, shape or order has another."""
    assert digest(results) == digest(same) != digest(other)


def test_an_answer_does_not_depend_on_what_is_shared() -> None:
    """Results that share an object have the digest of results that hold copies of it."""
    shared = [1, 2]
    assert digest([shared, shared]) == digest([[1, 2], [1, 2]])


def test_what_cannot_be_compared_is_refused() -> None:
    """A result of another type is an error that names it."""
    with pytest.raises(TypeError, match="object"):
        digest([object()])


@pytest.mark.parametrize(
    ("mode", "best"),
    [("cold", Best("threads 8", 0.6)), ("warm", Best("threads 8", 0.25))],
)
def test_the_best_way_has_the_least_median(mode: str, best: Best) -> None:
    """Hand-picked ways compete by their medians; one that failed does not, nor do those beside."""
    assert best_of(TIMES, mode) == best


@pytest.mark.parametrize(
    ("way", "mode", "expected"),
    [
        ("autopar", "cold", 0.9 / 0.6),
        ("autopar", "warm", 0.4 / 0.25),
        ("autopar", "stored", 1.0),
        ("joblib", "warm", 0.01 / 0.25),
        ("mpire", "cold", 15.0 / 0.6),
        ("processes by 1", "cold", None),
        ("gather", "cold", None),
    ],
)
def test_a_ratio_compares_with_the_best_of_its_mode(way: str, mode: str, expected: float | None) -> None:
    """A ratio is a median over the best median; given up counts with the time it had, failed has none."""
    assert ratio(TIMES, way, mode) == (None if expected is None else pytest.approx(expected))


def test_a_geometric_mean_weighs_factors() -> None:
    """Twice as long and half as long cancel out."""
    assert geometric_mean([2.0, 0.5, 1.0]) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("way", "modes", "expected"),
    [
        ("loop", ("cold",), False),
        ("loop", ("warm",), True),
        ("loop", ("cold", "warm"), False),
        ("threads 8", ("cold", "warm"), False),
        ("threads 64", ("cold",), False),
        ("autopar", ("warm",), False),
    ],
)
def test_only_rivals_that_are_far_behind_are_hopeless(way: str, modes: tuple[str, ...], expected: bool) -> None:
    """Hopeless is a hand-picked way measured at over twice the best in every mode asked for."""
    assert hopeless(TIMES | {"autopar": Times([9.0], [9.0])}, way, modes, 2.0) == expected


def test_a_limit_leaves_room_over_the_best() -> None:
    """Hand-picked ways get four times the best, at least their patience; the loop and autopar get far longer."""
    slow = {"loop": Times([3.0])}
    assert limit({}, "threads 2", "cold") >= 60
    assert limit(slow, "threads 2", "cold") == 12.0
    assert limit(TIMES, "threads 2", "cold") == pytest.approx(2.4)
    assert limit(TIMES, "numba", "cold") >= 30
    assert min(limit(TIMES, "loop", "cold"), limit(TIMES, "autopar", "warm")) >= 60


def test_wrong_answers_and_what_autopar_could_not_do_fail_the_run() -> None:
    """A wrong answer of any way counts, an error of autopar or the loop, and a map of autopar that did not end."""
    times = {
        "loop": Times(errors=["OSError: no"]),
        "threads 2": Times(errors=["wrong: other results"]),
        "processes by 1": Times(errors=["PicklingError: no"]),
        "threads 64": Times(late=1.0),
        "autopar": Times(errors=["ValueError: no"]),
        "autopar stored": Times(late=60.0),
    }
    found = failures({"demo": times})
    assert [each.partition(":")[0] for each in found] == [
        "demo, loop",
        "demo, threads 2",
        "demo, autopar",
        "demo, autopar stored",
    ]
    assert failures({"demo": TIMES}) == []


def test_what_is_missing_from_the_table_is_said() -> None:
    """A rival that cannot run a workload, or was given up, is listed with the reason."""
    assert notes({"demo": TIMES}) == [
        "threads 64: given up as too slow (demo)",
        "processes by 1: PicklingError (demo)",
        "mpire: given up as too slow (demo)",
    ]


def test_the_table_has_a_line_for_each_workload_and_two_for_all() -> None:
    """The table shows best ways, ratios, and their means and worst; what was given up is a bound."""
    lines = table({"demo": TIMES, "other": TIMES}).splitlines()
    assert [line.split()[0] for line in lines] == ["workload", "demo", "other", "geometric", "worst"]
    assert lines[1].split()[1:] == [
        *("threads", "8", "600.0", "threads", "8", "250.0"),
        *("1.50", "1.00", "1.60", "0.02", "0.04", ">25.00", ">60.00"),
    ]
    assert "1.50" in lines[-1]


def test_the_json_holds_every_time() -> None:
    """The JSON has the ratios, their summary, and all times of all ways."""
    document = json.loads(as_json({"demo": TIMES}, {"date": "today"}))
    assert document["date"] == "today"
    assert document["summary"]["worst"]["autopar warm"] == pytest.approx(1.6)
    demo = document["workloads"]["demo"]
    assert demo["best"]["warm"] == {"way": "threads 8", "seconds": 0.25}
    assert demo["ways"]["threads 2"]["cold"] == [0.5, 0.7, 9.0]


def test_columns_line_up() -> None:
    """Words are put to the left of a column, figures to the right."""
    assert aligned(["name", "s"], [["a", "10.0"], ["b", "2.0"]]) == "name  s\na     10.0\nb      2.0"


def test_there_are_workloads_of_every_kind() -> None:
    """At least 26 workloads with names of their own; coroutines, lazy maps and compiled loops are among them."""
    workloads = [workload for _, workload in all_workloads().values()]
    assert len(workloads) >= 26
    assert {workload.call for workload in workloads} == {"map", "imap", "amap"}
    assert any(workload.coroutine for workload in workloads)
    assert any(workload.compiles for workload in workloads)


@pytest.mark.slow
@pytest.mark.parametrize("name", all_workloads())
def test_a_workload_gives_the_same_answer_again(name: str) -> None:
    """A workload's items and results are the same in every map and whenever it is prepared, and can be compared."""
    workload = all_workloads()[name][1]
    answers = []
    for maps in (2, 1):
        with ExitStack() as stack:
            loop = Serial(workload.prepare(4, stack), workload)
            answers += [digest(loop.map()) for _ in range(maps)]
            loop.close()
    assert len(set(answers)) == 1


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, (family, _) in all_workloads().items() if family != "closures"])
def test_a_workload_is_importable(name: str) -> None:
    """The function of a workload that is not about closures travels by name, as spawned workers need it."""
    with ExitStack() as stack:
        function = all_workloads()[name][1].prepare(4, stack).function
    assert pickle.loads(pickle.dumps(function)) is function


@pytest.mark.parametrize("sort", ["plain", "coroutine"])
def test_every_sort_of_function_has_rivals(sort: str) -> None:
    """Plain and coroutine functions can run in the loop, with autopar, and in several hand-picked ways."""
    workload = Workload(
        "demo", "", lambda count, stack: pytest.fail("not prepared"), 1, 1, coroutine=sort == "coroutine"
    )
    able = [name for name, way in WAYS.items() if way.can_run(workload)]
    assert {"loop", "autopar", "autopar stored"} <= set(able)
    assert len([name for name in able if WAYS[name].role == "hand-picked"]) >= 4


def test_a_cell_has_a_store_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cell starts with a copy of the given store and without what the user's environment says to autopar."""
    monkeypatch.setenv("AUTOPAR_BACKEND", "serial")
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "store.sqlite").write_text("known")
    environment = environment_with(tmp_path, tmp_path / "own", tmp_path / "base")
    store = Path(environment["AUTOPAR_STORE"])
    assert (store.parent, store.read_text()) == (tmp_path / "own", "known")
    assert "AUTOPAR_BACKEND" not in environment


@pytest.mark.slow
def test_a_measurement_times_first_and_later_maps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each way has a cold time and a warm one, autopar one with a stored profile, and says what it chose."""
    patient(monkeypatch)
    ways = ("loop", "autopar", "autopar stored", "threads 2")
    times = Measurement("tiny", HUNDRED, QUICKEST, tmp_path, ways=ways).run()
    assert [each.errors for each in times.values()] == [[]] * len(ways)
    assert [len(times[way].cold) for way in ways] == [1, 1, 1, 1]
    assert [len(times["autopar"].warm), len(times["autopar stored"].warm)] == [1, 0]
    assert times["autopar"].said["cold"]["plan"]


@pytest.mark.slow
def test_a_wrong_answer_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A way whose results are not the loop's is wrong, and competes no more."""
    patient(monkeypatch)
    measurement = Measurement("tiny", HUNDRED, QUICKEST, tmp_path, ways=("loop", "threads 2"))
    own = driver.Cell.map

    def swapped(cell: driver.Cell, seconds: float) -> dict[str, Any] | None:
        answer = own(cell, seconds)
        return answer if answer is None or cell.way == "loop" else answer | {"answer": digest([increment(0)])}

    monkeypatch.setattr(driver.Cell, "map", swapped)
    times = measurement.run()
    assert failures({"tiny": times}) == ["tiny, threads 2: wrong: the results are not those of the plain loop"]
    assert times["threads 2"].cold == []


@pytest.mark.slow
def test_a_map_past_its_limit_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A map that does not end in time is ended, with its workers, and counts as late."""
    monkeypatch.setattr(driver, "limit", lambda times, way, mode: 30.0 if way == "loop" else 1e-3)
    workload = Workload("sleep", "", all_workloads()["sleep"][1].prepare, 4, 4)
    times = Measurement("waiting", workload, QUICKEST, tmp_path, ways=("loop", "threads 2")).run()
    assert (times["threads 2"].late, times["threads 2"].cold, len(times["loop"].cold)) == (1e-3, [], 1)


@pytest.mark.slow
def test_a_rival_that_is_not_installed_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A way whose package is missing is noted with the error, and does not fail the run."""
    (tmp_path / "mpire.py").write_text("raise ImportError('not here')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    times = Measurement("tiny", HUNDRED, QUICKEST, tmp_path, ways=("loop", "mpire")).run()
    assert notes({"tiny": times}) == ["mpire: ImportError (tiny)"]
    assert failures({"tiny": times}) == []


@pytest.mark.slow
def test_the_command_prints_a_table(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The command prints machine and table, and exits with 0 if every answer was the loop's."""
    arguments = ["regret", "--quick", "--only", "tiny", "--way", "autopar", "--mode", "cold", "warm"]
    monkeypatch.setattr("sys.argv", arguments)
    assert command.main() == 0
    printed = capsys.readouterr().out
    assert "geometric mean" in printed
    assert "Every result was the plain loop's." in printed
