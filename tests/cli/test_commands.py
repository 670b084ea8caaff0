"""What a user reads from the command line."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from autopar._model.decision import Decision, Trial
from autopar._model.observation import Host
from autopar._model.plan import LOOP, Plan, Rejected
from autopar._native_api import NATIVE
from autopar._record import Store
from autopar.cli import doctor
from autopar.cli import main as main_module

ROOT = Path(__file__).parents[2]
THREADS = Plan(backend="threads", workers=2)
NOW = time.time()

Run = Callable[..., Result]


def decision(number: int, function: str, **changes: object) -> Decision:
    fields: dict[str, object] = {
        "number": number,
        "function": function,
        "operation": "map",
        "started": NOW - 60.0,
        "items": 100,
        "workload": None,
        "plan": THREADS,
        "why": "items wait",
        "actual": 1.0,
        **changes,
    }
    return Decision(**fields)  # type: ignore[arg-type]


KEPT = (
    decision(1, "shop.price", started=NOW - 86_400.0),
    decision(2, "shop.stock", plan=LOOP, serial_estimate=1.0),
    decision(3, "shop.price", serial_estimate=0.4),
    decision(4, "mail.send", error="OSError"),
    decision(5, "mail.kernel", plan=Plan(compiler="native", backend="threads", workers=2), serial_estimate=9.0),
)


@pytest.fixture
def store(isolated_store: Path) -> Store:
    """A store with five decisions."""
    store = Store(isolated_store)
    assert store.write(KEPT, ("a machine", Host(cores=2)))
    return store


@pytest.fixture
def run() -> Run:
    """Call a command in this process."""

    def call(*arguments: str, **options: Any) -> Result:
        return CliRunner().invoke(main_module.main, arguments, prog_name="autopar", **options)

    return call


def numbers(result: Result) -> list[int]:
    assert result.exit_code == 0, result.output
    return [row["number"] for row in json.loads(result.stdout)]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], [1, 2, 3, 4, 5]),
        (["price"], [1, 3]),
        (["shop.price"], [1, 3]),
        (["shop.*"], [1, 2, 3]),
        (["--backend", "serial"], [2]),
        (["--compiler", "native"], [5]),
        (["--failed"], [4]),
        (["--since", "2h"], [2, 3, 4, 5]),
        (["-n", "2"], [4, 5]),
        (["price", "-n", "1"], [3]),
        (["--regret"], [3]),
        (["--regret", "3"], []),
        (["--regret", "1.0"], [2, 3, 5]),
    ],
    ids=lambda value: " ".join(map(str, value)) or "none",
)
def test_log_filters(store: Store, run: Run, arguments: list[str], expected: list[int]) -> None:
    """Filters leave what they name, the newest last."""
    assert numbers(run("log", "--json", *arguments)) == expected


def test_log_in_columns(store: Store, run: Run) -> None:
    """In a pipe each decision is a line of plain text."""
    lines = run("log", "price").stdout.splitlines()
    assert lines[0].split() == "time function items kind plan predicted actual speedup why".split()
    assert len(lines) == 4
    assert "shop.price" in lines[2]
    assert "2 threads" in lines[2]
    assert "\x1b" not in lines[2]


def test_log_names_what_would_have_been_better(store: Store, run: Run) -> None:
    """With --regret the last column says what the best known was, and how that is known."""
    assert "better: serial, the plain loop was estimated" in run("log", "--regret").stdout


def test_log_with_nothing_to_show(run: Run, isolated_store: Path) -> None:
    """Where nothing was decided yet, it says where it looked, and its exit status is 1."""
    result = run("log")
    assert result.exit_code == 1
    assert str(isolated_store) in result.stderr


def test_log_follows(store: Store) -> None:
    """With --follow new decisions come out as they are written, until it is interrupted."""
    command = [sys.executable, "-m", "autopar", "log", "--follow", "--json", "-n", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        try:
            assert json.loads(process.stdout.readline())["number"] == 5
            assert store.write([decision(6, "shop.new"), decision(7, "shop.new")])
            assert [json.loads(process.stdout.readline())["number"] for _ in range(2)] == [6, 7]
        finally:
            process.terminate()


@pytest.mark.parametrize("name", ["mail.send", "send", "m*send"])
def test_explain_says_how_it_went(store: Store, run: Run, name: str) -> None:
    """A function is found by its whole name, by its end, and by a pattern."""
    result = run("explain", name)
    assert result.exit_code == 0
    assert "mail.send: map over 100 items ended with OSError after 1 s on 2 threads." in result.stdout


def test_explain_lists_every_plan(isolated_store: Path, run: Run) -> None:
    """Each plan is there with what was predicted, what came, what ruled it out, and the hint that would change it."""
    kept = decision(
        1,
        "shop.price",
        predicted=0.9,
        serial_estimate=0.5,
        rejected=(Rejected(Plan(backend="processes", workers=2, predicted=0.7), "it writes to a global", "pure=True"),),
        trials=(Trial(LOOP, 2, 0.01), Trial(THREADS, 98, 0.99, 0.8)),
    )
    assert Store(isolated_store).write([kept])
    said = run("explain", "price").stdout
    lines = [line.split() for line in said.splitlines()]
    assert "serial - 10 ms tried with 2 items".split() in lines
    assert "2 threads 800 ms 990 ms chosen, ran 98 items: items wait".split() in lines
    assert "2 processes 700 ms - it writes to a global (pure=True would allow it)".split() in lines
    assert "This took 2.00 times as long, 500 ms more." in said
    assert "Hints that would change it: pure=True" in said
    rows = json.loads(run("explain", "price", "--json").stdout)["considered"]
    assert [row["plan"] for row in rows] == ["serial", "2 threads", "2 processes"]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["prise"], "did you mean shop.price?"),
        (["zebra"], "nothing is known of zebra"),
        (["send", "-n", "3"], "only 1 of the decisions about send are kept"),
    ],
)
def test_explain_without_an_answer(store: Store, run: Run, arguments: list[str], complaint: str) -> None:
    """What is not known is said, with the nearest name that is."""
    result = run("explain", *arguments)
    assert result.exit_code == 1
    assert complaint in result.stderr


def test_hostile_names_cannot_command_a_terminal(isolated_store: Path, run: Run) -> None:
    """Control characters of names are replaced in every command's text."""
    assert Store(isolated_store).write([decision(1, "a\x1b[31m\nb", why="\x07", serial_estimate=0.1)])
    for arguments in (["log"], ["log", "--regret"], ["explain", "a*"]):
        said = run(*arguments).stdout
        assert "\x1b" not in said
        assert "\x07" not in said


def test_forget_deletes_one_function(store: Store, run: Run) -> None:
    """Decisions of that function go, the others stay."""
    assert run("forget", "price").stdout == "Deleted 2 decisions, 0 profiles\n"
    assert numbers(run("log", "--json")) == [2, 4, 5]


def test_forget_names_what_it_deletes(isolated_store: Path, run: Run) -> None:
    """In words that fit its number."""
    assert Store(isolated_store).write([decision(1, "price")])
    assert run("forget", "price").stdout == "Deleted 1 decision, 0 profiles\n"
    assert run("forget", "--compiled").stdout == "Deleted 0 compiled files\n"


def test_forget_all_asks_first(store: Store, run: Run) -> None:
    """Everything goes only after a yes."""
    assert run("forget", "--all", input="n\n").exit_code == 1
    assert len(numbers(run("log", "--json"))) == 5
    assert json.loads(run("forget", "--all", "--json").stdout)["decisions"] == 5
    assert run("log").exit_code == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["forget"],
        ["forget", "price", "--all"],
        ["log", "--since", "soon"],
        ["logg"],
        ["log", "--regret", "0"],
        ["log", "--backend", "thread"],
    ],
)
def test_wrong_use_is_said(run: Run, arguments: list[str]) -> None:
    """A wrong use says what is right, with exit status 2."""
    assert run(*arguments).exit_code == 2


def test_doctor_names_every_route(run: Run) -> None:
    """Each backend and compiler is there, with the reason where it cannot be used."""
    found = json.loads(run("doctor", "--json").stdout)
    states = {row["what"]: row["state"] for row in found["routes"]}
    assert states['backend="threads"'].startswith("yes: ")
    assert all(state.startswith(("yes: ", "no: ")) for state in states.values())
    assert {"Python", "GIL", "cores", "native core", "C compiler", "store"} <= {row["what"] for row in found["machine"]}


def test_doctor_names_what_is_native(run: Run) -> None:
    """Every part of the extension is named, and whether it is in use or its twin is."""
    rows = {row["what"]: row for row in json.loads(run("doctor", "--json").stdout)["machine"]}
    stub = (Path(doctor.__file__).parents[1] / "_native.pyi").read_text()
    assert set(re.findall(r"^(?:def|class) (\w+)", stub, re.MULTILINE)) == set(doctor.NATIVE_PARTS)
    core, proxy = rows["native core"]["state"], rows["decorator's proxy"]["state"]
    assert core.startswith("in use, for " if NATIVE else "none: ")
    assert all(part in core for part in doctor.NATIVE_PARTS.values())
    assert "wrapt" in proxy


def test_doctor_finds_what_is_wrong(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that is no store is named with what would mend it, and the exit status is 1."""
    broken = tmp_path / "private" / "store.sqlite"
    broken.parent.mkdir(mode=0o700)
    broken.write_text("no database" * 100)
    broken.chmod(0o600)
    monkeypatch.setenv("AUTOPAR_STORE", str(broken))
    result = run("doctor")
    assert result.exit_code == 1
    assert "WRONG: " in result.stdout
    assert str(broken) in result.stdout


def test_doctor_on_a_machine_without_a_compiler(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a C compiler the reason and the fix are given; nothing is wrong with that."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CC", raising=False)
    rows = {row["what"]: row for row in json.loads(run("doctor", "--json").stdout)["machine"]}
    assert "install gcc or clang" in rows["C compiler"]["fix"]


def test_calibrate_measures_and_keeps(run: Run) -> None:
    """What was measured is there for the next program, and before anything was there is nothing to show."""
    assert run("calibrate", "--show").exit_code in (0, 1)  # maps of earlier tests may have taught something
    measured = json.loads(run("calibrate", "--json", "--seconds", "0.05").stdout)
    assert "process_base" in measured["quantities"]
    shown = subprocess.run(
        [sys.executable, "-m", "autopar", "calibrate", "--show", "--json"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert json.loads(shown.stdout)["quantities"].keys() >= measured["quantities"].keys()


PROGRAM = """
import sys
from autopar import parallel

@parallel(backend="threads")
def double(x):
    return 2 * x

if __name__ == "__main__":
    print(double.map(range(5)), sys.argv[1:])
    sys.exit(int(sys.argv[1]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("as_module", [False, True], ids=["script", "module"])
def test_run_says_what_was_done(tmp_path: Path, as_module: bool) -> None:
    """The program sees its own arguments and ends with its own status; what was decided comes after it."""
    (tmp_path / "program.py").write_text(PROGRAM)
    how = ["-m", "program"] if as_module else [str(tmp_path / "program.py")]
    result = subprocess.run(
        [sys.executable, "-m", "autopar", "run", *how, "3", "--flag"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert result.returncode == 3, result.stderr
    assert result.stdout == "[0, 2, 4, 6, 8] ['3', '--flag']\n"
    assert "1 decision about 1 function in " in result.stderr
    assert "autopar explain __main__.double" in result.stderr


def test_run_of_a_missing_file(run: Run) -> None:
    """A script that is not there is named."""
    result = run("run", "nowhere.py")
    assert result.exit_code == 1
    assert "nowhere.py" in result.stderr


def test_log_starts_quickly() -> None:
    """Reading the log imports neither the engine nor anything heavy."""
    script = (
        "import sys\ntry:\n    from autopar.cli.main import main; main(['log'], standalone_mode=False)\n"
        "except SystemExit:\n    pass\n"
        "bad = {'rich', 'numpy', 'asyncio', 'autopar._engine', 'autopar._api', 'wrapt'} & set(sys.modules)\n"
        "sys.exit(repr(bad) if bad else 0)"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=False)
    assert result.returncode == 0, result.stderr


def test_every_command_speaks_json(run: Run) -> None:
    """Each command has the option, and says in its help what it does."""
    context = click.Context(main_module.main)
    for name in main_module.main.list_commands(context):
        command = main_module.main.get_command(context, name)
        assert command is not None
        assert "--json" in {option for parameter in command.params for option in parameter.opts}, name
        assert run(name, "--help").exit_code == 0


def test_report_and_run_as_json(store: Store, run: Run, tmp_path: Path) -> None:
    """A report says where it is; what a program did is the last line of standard error."""
    path = tmp_path / "report.html"
    said = json.loads(run("report", "-o", str(path), "--json").stdout)
    assert said == {"file": str(path), "decisions": 5, "bytes": path.stat().st_size}
    assert run("report", "-o", "-", "--json").exit_code == 2
    (tmp_path / "program.py").write_text(PROGRAM)
    result = subprocess.run(
        [sys.executable, "-m", "autopar", "run", "--json", str(tmp_path / "program.py"), "0"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )
    [decided] = json.loads(result.stderr.splitlines()[-1])["decisions"]
    assert decided["function"] == "__main__.double"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["autopar", "exp"], ["explain"]),
        (["autopar", "explain", "pr"], ["price"]),
        (["autopar", "log", "shop."], ["shop.price", "shop.stock"]),
        (["autopar", "log", "--backend", "th"], ["threads"]),
    ],
    ids=" ".join,
)
def test_completion(store: Store, words: list[str], expected: list[str]) -> None:
    """A shell completes commands, backends, and functions by the names that are in the log."""
    from click.shell_completion import ShellComplete

    completing = ShellComplete(main_module.main, {}, "autopar", "_AUTOPAR_COMPLETE")
    found = completing.get_completions(words[1:-1], words[-1])
    assert [item.value for item in found] == expected
