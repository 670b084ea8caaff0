"""The system's compiler, found and run: whatever it does, the answer is an object or a reason."""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from autopar._compilers.native.refusal import NotCompiled
from autopar._compilers.native.toolchain import (
    KERNEL_FLAGS,
    LEAN,
    Toolchain,
    compile_text,
    cpu_features,
    find_toolchain,
    preprocess,
    version_of,
    why_no_toolchain,
)

TEXT = "long twice(long x) { return 2 * x; }\n"

pytestmark = [
    pytest.mark.skipif(os.name != "posix", reason="the stand-ins are shell scripts"),
    pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler"),
]


def stand_in(folder: Path, script: str) -> Toolchain:
    """A compiler that does what a shell script does."""
    program = folder / "compiler"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o700)
    return Toolchain((str(program),), "a stand-in")


def refused(toolchain: Toolchain, *, deadline: float = 30.0) -> str:
    """Why a compiler does not compile."""
    with pytest.raises(NotCompiled) as caught:
        compile_text(TEXT, toolchain, deadline=deadline)
    return str(caught.value)


def ends(pid: int) -> bool:
    """Whether a process ends within the time that a slow machine may need."""
    try:
        psutil.Process(pid).wait(timeout=20)
    except psutil.NoSuchProcess:
        return True
    except psutil.TimeoutExpired:
        return False
    return True


@pytest.mark.slow
def test_a_text_becomes_an_object() -> None:
    """A C text is compiled to the content of a shared object."""
    assert compile_text(TEXT, find_toolchain())[:4] == b"\x7fELF" or sys.platform != "linux"


@pytest.mark.parametrize(
    ("environ", "reason"),
    [
        ({"PATH": "/nowhere"}, "no C compiler is found: none of cc, gcc, clang is on the path and CC is not set"),
        ({"CC": "no-such-compiler"}, "CC='no-such-compiler' names no program on the path"),
        ({"CC": "cc 'unclosed"}, 'CC="cc \'unclosed" cannot be read: No closing quotation'),
    ],
)
def test_without_a_compiler_there_is_a_reason(environ: dict[str, str], reason: str) -> None:
    """Where no compiler is found the reason says what was looked for."""
    assert why_no_toolchain(environ) == reason


def test_cc_names_the_compiler_and_its_arguments() -> None:
    """CC may hold arguments, which then always go with the compiler and tell its objects from others."""
    path = os.environ["PATH"]
    plain, with_more = find_toolchain({"PATH": path, "CC": "cc"}), find_toolchain({"PATH": path, "CC": "cc -DONE=1"})
    assert with_more.command == (*plain.command, "-DONE=1")
    assert with_more.key != plain.key


def test_no_shell_reads_cc(tmp_path: Path) -> None:
    """What CC holds is never run by a shell."""
    planted = tmp_path / "planted"
    toolchain = find_toolchain({"PATH": os.environ["PATH"], "CC": f"cc ; touch {planted}"})
    assert "cc failed with status" in refused(toolchain)
    assert not planted.exists()


def test_another_version_of_the_compiler_has_another_identity(tmp_path: Path) -> None:
    """A compiler that was replaced under its name makes other objects, even where a script stands before it."""
    version = tmp_path / "version"
    stand_in(tmp_path, f"cat {version}")
    found = []
    for number in ("1", "2"):
        version.write_text(f"compiler {number}\n")
        found.append(find_toolchain({"PATH": os.environ["PATH"], "CC": f"{tmp_path / 'compiler'} -D{number}"}).identity)
    assert [identity.rsplit(" ", 2)[1:] for identity in found] == [["compiler", "1"], ["compiler", "2"]]


def test_a_text_that_is_wrong_is_refused_with_the_first_complaint() -> None:
    """The reason holds the compiler's first error."""
    with pytest.raises(NotCompiled, match=r"cc failed with status 1: kernel\.c:1:\d+: error: .*unknown"):
        compile_text("int f(void) { return unknown; }\n", find_toolchain())


@pytest.mark.slow
def test_a_compiler_that_hangs_is_killed_with_its_children(tmp_path: Path) -> None:
    """When its time is up the compiler's whole process group ends."""
    pid_file = tmp_path / "pid"
    toolchain = stand_in(tmp_path, f"sleep 1000 & echo $! > {pid_file}.new; mv {pid_file}.new {pid_file}; wait")
    started = time.monotonic()
    assert refused(toolchain, deadline=1.0) == "compiler had not ended when its time was up, and was killed"
    assert time.monotonic() - started < 30
    if pid_file.exists():  # on a machine so slow that the script did not come so far there is no child
        assert ends(int(pid_file.read_text()))


def test_a_compiler_that_is_killed_is_a_reason(tmp_path: Path) -> None:
    """A compiler that ends by a signal, as the system's out-of-memory killer sends it, is refused by its name."""
    assert refused(stand_in(tmp_path, "kill -9 $$")) == "compiler was killed by SIGKILL"


def test_a_compiler_that_makes_nothing_is_a_reason(tmp_path: Path) -> None:
    """Success without an object is a failure."""
    assert refused(stand_in(tmp_path, "exit 0")).endswith("compiler has made no object: No such file or directory")


def test_a_compiler_that_never_stops_talking_is_stopped(tmp_path: Path) -> None:
    """Endless output fills no memory, and ends with the time."""
    assert "was killed" in refused(stand_in(tmp_path, "exec yes complaint"), deadline=0.3)


def test_a_helper_that_stays_does_not_hold_up_the_compiler(tmp_path: Path) -> None:
    """A process that the compiler leaves behind, with its output open, is not waited for."""
    toolchain = stand_in(tmp_path, "sleep 5 & exit 3")
    assert refused(toolchain, deadline=60.0).startswith("compiler failed with status 3")


def test_a_compiler_that_cannot_be_started_is_a_reason(tmp_path: Path) -> None:
    """A file that is no program is refused."""
    assert refused(Toolchain((str(tmp_path),), "a folder")).endswith("cannot be started: Permission denied")


def test_without_room_for_temporary_files_there_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full, or cannot be written, is a reason."""

    def full(*args: object, **kwargs: object) -> str:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(tempfile, "mkdtemp", full)
    assert refused(find_toolchain()) == "no temporary folder can be made: No space left on device"


def test_nothing_is_left_in_the_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether it compiled or not, the private folder is removed."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    refused(stand_in(tmp_path, "echo left > left_over; exit 1"))
    compile_text(TEXT, find_toolchain())
    assert list((tmp_path / "temporary").iterdir()) == []


def test_the_version_is_the_compilers_own_word(tmp_path: Path) -> None:
    """The version is the first line of what the compiler says."""
    assert version_of(stand_in(tmp_path, "echo compiler 1.2; echo more")) == "compiler 1.2"


def test_included_files_are_part_of_a_text(tmp_path: Path) -> None:
    """A C file is taken with what it includes, so that a change of either makes another text."""
    (tmp_path / "own.h").write_text("#define TWO 2\n")
    source = tmp_path / "own.c"
    source.write_text('#include "own.h"\nint two(void) { return TWO; }\n')
    first = preprocess(source, find_toolchain())
    (tmp_path / "own.h").write_text("#define TWO 3\n")
    assert "return 2" in first
    assert "return 3" in preprocess(source, find_toolchain())


@pytest.mark.skipif(sys.platform != "linux", reason="read from /proc")
def test_the_features_of_the_processor_are_known() -> None:
    """What objects are compiled for is listed, so that another processor does not run them."""
    assert os.uname().machine in cpu_features()
    assert cpu_features() in find_toolchain().key


WITH_LIBRARIES = """
#include <math.h>
#include <fenv.h>
#include <stdlib.h>
#include <string.h>
__attribute__((visibility("default"))) long use(long a, double x)
{
    feclearexcept(FE_OVERFLOW);
    char *copy = calloc(a, 1);
    memset(copy, 1, a);
    if (memchr(copy, 0, a)) return -1;
    __int128 wide = (__int128)a << 80;
    long out = (long)(wide / (a + 1) >> 70) + (long)pow(x, 2.5) + fetestexcept(FE_OVERFLOW);
    free(copy);
    return out;
}
"""


@pytest.mark.parametrize("lean", [True, False])
def test_a_kernel_finds_what_it_calls(tmp_path: Path, lean: bool) -> None:
    """Functions of C, of mathematics and the compiler's own are there, however little a kernel is linked with."""
    toolchain = find_toolchain()
    if lean and not toolchain.lean:
        pytest.skip("not known of this compiler")
    toolchain = replace(toolchain, lean=lean).with_flags(KERNEL_FLAGS)
    assert (LEAN in toolchain.flags) == lean
    made = tmp_path / "made.so"
    made.write_bytes(compile_text(WITH_LIBRARIES, toolchain))
    use = ctypes.CDLL(str(made), mode=os.RTLD_NOW).use
    use.argtypes, use.restype = [ctypes.c_long, ctypes.c_double], ctypes.c_long
    assert use(9, 4.0) == (9 * 2**80 // 10 >> 70) + 32


@pytest.mark.parametrize(("name", "lean"), [("gcc-12", True), ("clang-14", False)])
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere no compiler is known to")
def test_only_a_known_compiler_links_lean(tmp_path: Path, name: str, lean: bool) -> None:
    """By the name of the program itself; one behind a script or another program may be any."""
    program = tmp_path / name
    program.write_bytes(b"\x7fELF")
    program.chmod(0o700)
    link = tmp_path / "cc"
    link.symlink_to(program)
    assert find_toolchain({"CC": str(link)}).lean == lean
    assert not find_toolchain({"CC": f"{link} -fsanitize=undefined"}).lean
