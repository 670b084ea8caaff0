"""What `autopar suggest` says of programs that know nothing of autopar, and what its patch does to them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PROGRAMS = ROOT / "examples" / "undecorated"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )


def copied(tmp_path: Path, name: str) -> Path:
    """A folder with a program and what it starts."""
    folder = tmp_path / "undecorated"
    folder.mkdir()
    shutil.copy(PROGRAMS / name, folder)
    shutil.copy(ROOT / "examples" / "page_server.py", tmp_path)
    return folder


def suggested(folder: Path, *arguments: str, least: float = 0.01) -> dict[str, Any]:
    """What is said of a program, for two cores at the prices that the planner starts from."""
    options = ["--json", "--cores", "2", "--no-calibrate", "--least", str(least)]
    done = python(folder, "-m", "autopar", "suggest", *options, *arguments)
    assert done.returncode in (0, 1), done.stderr
    said: dict[str, Any] = json.loads(done.stdout) | {"printed": done.stderr}
    assert (done.returncode == 0) == any(loop["pays"] for loop in said["loops"])
    return said


@pytest.mark.parametrize(
    ("name", "size", "function", "after", "plan"),
    [
        ("site_check.py", "40", "load", "pages = load.map(addresses)", "threads"),
        ("similar_texts.py", "240", "best_match", "best_match.map(range(len(TEXTS)))", "2 processes"),
    ],
)
def test_a_program_that_gains(tmp_path: Path, name: str, size: str, function: str, after: str, plan: str) -> None:
    """The loop that takes the time is named with its plan; the patched program prints what the program printed."""
    folder = copied(tmp_path, name)
    said = suggested(folder, name, size, least=0.1)  # less than that another loop may gain on a busy machine
    [loop] = [loop for loop in said["loops"] if loop["pays"]]
    assert (loop["calls"], loop["after"], loop["items"]) == (function, after, int(size))
    assert plan in loop["plan"]
    assert loop["executions"] == 1
    assert 0 < loop["gain"] < loop["seconds"]
    subprocess.run(["git", "apply", "-"], cwd=folder, input=said["patch"], text=True, check=True)
    assert "@parallel" in (folder / name).read_text()
    patched = python(folder, name, size)
    assert (patched.stdout, patched.returncode) == (said["printed"], 0), patched.stderr


def test_a_program_with_nothing_to_gain(tmp_path: Path) -> None:
    """Nothing is suggested, and of each loop that takes a share of the time it is said what stands against a map."""
    said = suggested(copied(tmp_path, "bank_ledger.py"), "bank_ledger.py", "40000")
    assert not said["patch"]
    assert said["gain"] == 0
    why = {loop["calls"]: loop["why"] for loop in said["loops"]}
    assert "roll" in why["make_booking"]
    assert "needs what the one before has left in sealed" in why["next_hash"]


MANY_WAYS = """
import sys, time

def wait(x):
    time.sleep(0.02)
    return x

seen = []

def note(x):
    seen.append(x)
    time.sleep(0.02)

class Office:
    def work(self, x):
        time.sleep(0.02)
        return x

    def all(self):
        return [self.work(x) for x in range(20)]

for x in range(20):
    note(x)
for x in range(3):
    for y in range(7):
        print(wait(y))
Office().all()
print(sys.argv[1:])
print(f"{3}", file=sys.stderr)
sys.exit(5)
"""


def test_advice_in_words(tmp_path: Path) -> None:
    """What cannot be patched is told with the reason; the program's output is apart, and its failure shows."""
    (tmp_path / "ways.py").write_text(MANY_WAYS)
    command = ["-m", "autopar", "suggest", "--no-calibrate", "-o", "fix.patch", "ways.py", "--least", "3"]
    done = python(tmp_path, *command)
    assert done.returncode == 3, done.stderr
    assert "['--least', '3']" in done.stderr
    assert "['--least', '3']" not in done.stdout
    said = " ".join(done.stdout.split())
    assert "self.work" in said
    assert "is not in the patch, since self.work is not a function of this module" in said
    assert "changes an object that outlives the call" in said
    assert "the hint" in said
    assert (tmp_path / "fix.patch").read_text() == ""


WORK = """
import time

def wait(x):
    time.sleep(0.02)
    return x

def all_of(xs):
    return sum(wait(x) for x in xs)
"""

MAIN = """
import os, signal
from shop.work import all_of, wait

print(all_of(range(30)), [wait(x) for x in range(30)][-1])
os.kill(os.getpid(), signal.SIGINT)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signal to send")
def test_a_program_of_several_modules(tmp_path: Path) -> None:
    """Loops of the program's other modules are found too; a function from elsewhere is mapped as it is."""
    package = tmp_path / "shop"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "work.py").write_text(WORK)
    (package / "main.py").write_text(MAIN)
    said = suggested(tmp_path, "-m", "shop.main")
    assert said["status"] == 130
    assert {(loop["file"], loop["after"]) for loop in said["loops"] if loop["pays"]} == {
        (os.path.join("shop", "work.py"), "(wait.imap(xs))"),
        (os.path.join("shop", "main.py"), "autopar.map(wait, range(30))"),
    }
    subprocess.run(["git", "apply", "-"], cwd=tmp_path, input=said["patch"], text=True, check=True)
    assert python(tmp_path, "-m", "shop.main").stdout == "435 29\n"


def test_what_cannot_be_run(tmp_path: Path) -> None:
    """A file that is no Python, or is not there, is a complaint."""
    (tmp_path / "broken.py").write_text("def (")
    for name in ("broken.py", "nowhere.py"):
        done = python(tmp_path, "-m", "autopar", "suggest", name)
        assert done.returncode == 1
        assert done.stderr.startswith("autopar: ")
        assert name in done.stderr


@pytest.mark.skipif(os.environ.get("AUTOPAR_TEST_LONG") != "1", reason="measures times: AUTOPAR_TEST_LONG=1")
@pytest.mark.timeout(300)
@pytest.mark.parametrize(("name", "size"), [("site_check.py", "200"), ("similar_texts.py", "400")])
def test_the_gain_that_was_predicted(tmp_path: Path, name: str, size: str) -> None:
    """On a quiet machine the patched program gains what was predicted, within 30 %."""
    folder = copied(tmp_path, name)
    done = python(folder, "-m", "autopar", "suggest", "--json", name, size)
    said = json.loads(done.stdout)
    before = min(seconds(folder, name, size) for _ in range(3))
    subprocess.run(["git", "apply", "-"], cwd=folder, input=said["patch"], text=True, check=True)
    after = min(seconds(folder, name, size) for _ in range(3))
    print(f"{name}: {before:.2f} s, then {after:.2f} s; predicted gain {said['gain']:.2f} s")
    assert before - after == pytest.approx(said["gain"], rel=0.3)


def seconds(folder: Path, *arguments: str) -> float:
    began = time.perf_counter()
    assert python(folder, *arguments).returncode == 0
    return time.perf_counter() - began
