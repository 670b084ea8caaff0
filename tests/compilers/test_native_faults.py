"""Where compiling cannot work programs run in Python, give the same results, and say why: with real processes."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import pytest

from tests.scripts import ROOT, environment, run_python

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name != "posix", reason="the stand-ins are shell scripts"),
    pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler"),
]

MAP = """
import sys
from autopar._engine import early, native
from tests.compilers import numeric
from autopar import parallel

early.EARLY_TYPES = ()  # the shortest maps give no reasons
native.COMPILE_SECONDS = 0.0
function = parallel(numeric.draw)
expected = [numeric.draw(number) for number in range(3000)]
for _ in range(int(sys.argv[1])):
    assert function.map(range(3000)) == expected
decision = function.decisions[-1]
rows = [rival.because for rival in decision.rejected if rival.plan.compiler == "native"]
print(decision.plan.compiler, *rows, *decision.notes, sep="|")
"""


def mapped(times: int = 1, *, before: str = "", after: str = "", **variables: Any) -> list[str]:
    """What a program that maps a function says: the compiler in use at the end, and the reasons against native code."""
    return run_python("-c", before + MAP + after, str(times), limit=50, **variables).strip().split("|")


def stand_in(folder: Path, script: str) -> str:
    """A compiler that is a shell script."""
    program = folder / "compiler"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o700)
    return str(program)


WAIT = """
from autopar._engine.native import Forms
Forms.begin = lambda self, types, then=None: self.now(types)
Forms.__init__.__kwdefaults__["compilers"] = ("native",)
"""
"""Makes a map wait for the C compiler, so that its answer is there, and ask no other."""


BROKEN = {
    "kill -9 $$": "compiler was killed by SIGKILL",
    "echo internal error: broken >&2; exit 4": "compiler failed with status 4: internal error: broken",
    "echo no object; exit 0": "compiler has made no object: No such file or directory",
    "echo nonsense > kernel.so; exit 0": "the compiled object cannot be loaded",
}

ONE_AFTER_ANOTHER = """
import os
for compiler in sys.argv[2:]:
    os.environ["CC"] = compiler
    if not compiler:
        os.environ["PATH"] = ""
    draw = numeric.draw
    one_more = parallel(type(draw)(draw.__code__, vars(numeric), "draw", draw.__defaults__))
    assert one_more.map(range(3000)) == expected
    decision = one_more.decisions[-1]
    rows = [rival.because for rival in decision.rejected if rival.plan.compiler == "native"]
    print(decision.plan.compiler, *rows, *decision.notes, sep="|")
"""


def test_with_broken_compilers_and_with_none(tmp_path: Path) -> None:
    """One that dies, fails, makes nothing or makes nonsense is a reason and no error; so is that there is none."""
    scripts = []
    for number, script in enumerate(BROKEN):
        folder = tmp_path / str(number)
        folder.mkdir()
        scripts.append(stand_in(folder, script))
    program = WAIT + MAP + ONE_AFTER_ANOTHER
    first, *others, none = run_python("-c", program, "1", *scripts[1:], "", limit=50, CC=scripts[0]).splitlines()
    for said, because in zip([first, *others], BROKEN.values(), strict=True):
        assert said.startswith("python|")
        assert because in said
    assert none.split("|")[:2] == [
        "python",
        "no C compiler is found: none of cc, gcc, clang is on the path and CC is not set",
    ]


def test_with_a_compiler_that_never_ends(tmp_path: Path) -> None:
    """Maps and calls go on while it hangs; when the program ends so does the compiler, and no file is left."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    started = tmp_path / "started"
    hangs = stand_in(tmp_path, f'case "$*" in *--version*) echo 1;; *) echo $$ > {started}; exec sleep 1000;; esac')
    wait = f"""
import os, time
deadline = time.monotonic() + 30
while not os.path.exists({str(started)!r}) and time.monotonic() < deadline:
    function(5)
"""
    said = mapped(2, after=wait, CC=hangs, TMPDIR=str(temporary))
    assert said[0] == "python"
    assert any("it was still being compiled" in reason for reason in said[1:])
    with suppress(psutil.NoSuchProcess):
        psutil.Process(int(started.read_text())).wait(timeout=20)
    assert list(temporary.iterdir()) == []


def test_with_a_full_disk() -> None:
    """No room for temporary files is a reason; no room in the cache costs the cache."""
    full = "import errno, os, tempfile\ndef full(*a, **k): raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))\n"
    then = """
tempfile.mkdtemp = full
assert numeric.drawn.map(range(3000)) == expected
decision = numeric.drawn.decisions[-1]
rows = [rival.because for rival in decision.rejected if rival.plan.compiler == "native"]
print(decision.plan.compiler, *rows, sep="|")
"""
    program = WAIT + full + "tempfile.mkstemp = full\n" + MAP + then
    kept, made = run_python("-c", program, "1", limit=50).splitlines()
    assert kept.startswith("native|")
    assert "compiled objects are not kept: No space left on device" in kept
    assert made.split("|") == ["python", "no temporary folder can be made: No space left on device"]


def test_with_a_home_that_cannot_be_written(tmp_path: Path) -> None:
    """Where no folder can be made objects are compiled anew in each process, and a note says so."""
    (tmp_path / "file").write_text("no folder")
    said = mapped(before=WAIT, AUTOPAR_STORE=str(tmp_path / "file" / "store.sqlite"), PYTHONWARNINGS="ignore")
    assert said[0] == "native"
    assert any("compiled objects are not" in note for note in said[1:])


def test_a_second_process_needs_no_compiler(isolated_store: Path, tmp_path: Path) -> None:
    """What one process has compiled another loads: a compiler that counts its runs is run once."""
    counted, runs = tmp_path / "counted", tmp_path / "runs"
    counted.mkdir()
    real = shutil.which("cc")
    compiler = stand_in(counted, f'case "$*" in *--version*) ;; *) echo run >> {runs};; esac\nexec {real} "$@"')
    assert [mapped(before=WAIT, CC=compiler)[0] for _ in range(2)] == ["native", "native"]
    assert runs.read_text().split() == ["run"]
    [kept] = (isolated_store.parent / "native").glob("*.so")
    assert stat.S_IMODE(kept.stat().st_mode) & 0o077 == 0


def test_a_cache_that_is_deleted_while_it_is_used(isolated_store: Path) -> None:
    """What is loaded stays loaded, and what is compiled next makes the folder anew."""
    folder = isolated_store.parent / "native"
    delete = f"""
import shutil
shutil.rmtree({str(folder)!r})
assert function.map(range(3000)) == expected
other = parallel(numeric.powers)
assert other.map([1] * 3000) == [1] * 3000
print(function.decisions[-1].plan.compiler, other.decisions[-1].plan.compiler)
"""
    assert mapped(before=WAIT, after=delete)[-1].split() == ["native", "native", "native"]
    assert len(list(folder.glob("*.so"))) == 1


def test_a_planted_object_is_not_loaded(isolated_store: Path) -> None:
    """An object that is not what its name says is compiled anew; its code never runs."""
    assert mapped(before=WAIT) == ["native"]
    [kept] = (isolated_store.parent / "native").glob("*.so")
    planted = isolated_store.parent / "planted.c"
    marker = isolated_store.parent / "marker"
    planted.write_text(
        "#include <stdio.h>\n__attribute__((constructor)) static void run(void)\n"
        f'{{ fclose(fopen("{marker}", "w")); }}\n'
    )
    subprocess.run(["cc", "-shared", "-fPIC", "-o", kept, planted], check=True)
    said = mapped(before=WAIT)
    assert said[0] == "native"
    assert any("does not hold what its name says" in note for note in said[1:])
    assert not marker.exists()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_goes_on_compiled() -> None:
    """Compiled code, its entry and its maps work in a child, and the parent's compilations are not the child's."""
    fork = """
import os
from autopar import parallel
sys.stdout.flush()
pid = os.fork()
if pid == 0:
    status = 1
    try:
        assert function.map(range(3000)) == expected
        assert [function(n) for n in range(100)] == expected[:100]
        other = parallel(numeric.powers)
        assert other.map([1] * 3000) == [1] * 3000
        status = 0
    finally:
        os._exit(status)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
assert function.map(range(3000)) == expected
"""
    warnings = "ignore::DeprecationWarning"  # of forking with threads
    assert mapped(before=WAIT, after=fork, PYTHONWARNINGS=warnings)[-1].split() == ["native", "0"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_forked_while_the_compiler_works(tmp_path: Path) -> None:
    """A child does not wait for what its parent's thread was compiling, and compiles for itself."""
    real = shutil.which("cc")
    go = tmp_path / "go"
    os.mkfifo(go)
    compiler = stand_in(tmp_path, f'case "$*" in *--version*) ;; *) cat {go} > /dev/null;; esac\nexec {real} "$@"')
    fork = """
import os
sys.stdout.flush()
pid = os.fork()
if pid == 0:
    status = 1
    try:
        os.environ["CC"] = ""
        assert function.map(range(3000)) == expected
        status = 0
    finally:
        os._exit(status)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""
    said = mapped(after=fork, CC=compiler, PYTHONWARNINGS="ignore::DeprecationWarning")
    assert said[0] == "python"
    assert said[-1].split()[-1] == "0"


def test_many_processes_compile_the_same_function(isolated_store: Path) -> None:
    """Processes that start at once, each with nothing in the cache, leave one object and the right results."""
    command = [sys.executable, "-c", WAIT + MAP, "1"]
    running = [
        subprocess.Popen(
            command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    said = [process.communicate(timeout=55) for process in running]
    assert [(text.strip().partition("|")[0], errors) for text, errors in said] == [("native", "")] * 4
    assert len(list((isolated_store.parent / "native").glob("*.so"))) == 1
