"""The system's C compiler: which one it is, what it compiles for, and one run of it.

The compiler is somebody else's program: it may be missing, broken, slow or endless. It runs in a private folder, in a
process group of its own and within a deadline, and whatever goes wrong is a reason in words.

What only a run of it needs is imported there: an object out of the cache takes none of it.
"""

from __future__ import annotations

import atexit
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from autopar._compilers.native.refusal import NotCompiled
from autopar._model.light_dataclass import dataclass
from autopar._model.parked import parked

if TYPE_CHECKING:
    from subprocess import Popen

DEADLINE = 30.0
"""Seconds after which a compiler is taken to hang: 100 times what it takes for a kernel (benchmarks/native)."""

FLAGS = (
    "-std=gnu11",
    "-O3",
    "-ffp-contract=off",  # a * b + c rounds twice, as in Python
    "-fno-math-errno",  # nothing reads errno
    "-fno-trapping-math",  # nor the floating-point flags
    "-fno-semantic-interposition",
    "-shared",
    "-fPIC",
    "-w",
)
"""What users' own C is compiled with: optimised, but no operation contracted, re-associated or made inexact."""

LEAN = "-nostdlib"
"""Links a kernel with the library of mathematics and GCC's own only, in 17 ms and not 32 (n_body of benchmarks/native):
Python has loaded the C library already. For GCC on Linux, of which it is known that no more is needed."""

KERNEL_FLAGS = (
    "-std=gnu11",
    "-O3",
    "-funroll-loops",
    "-fno-tree-slp-vectorize",  # pairs of stores that the next round's loads would wait for
    "-march=native",
    "-ffp-contract=off",
    "-fno-fast-math",
    "-fno-math-errno",
    "-fwrapv",
    "-fno-strict-aliasing",
    "-fvisibility=hidden",
    "-fPIC",
    "-shared",
    LEAN,
)
"""What kernels are compiled with. Each keeps to IEEE 754 and to Python: no contraction to fused operations, no
re-association, integers that wrap where nothing else was checked, and loads of any type from any memory."""

OF_THIS_CPU = "-march=native"

_NAMES = ("cc", "gcc", "clang")
_KEPT_OUTPUT = 16_384
_POLL = 0.02
_LONGEST_REASON = 300


@dataclass(frozen=True, slots=True)
class Toolchain:
    """A C compiler.

    Attributes
    ----------
    command
        The program and the arguments that always go with it.
    identity
        What tells this compiler from another, or from an older one of the same name.
    flags
        How kernels are compiled.
    target
        The processor that the flags compile for, with its features.
    lean
        It is known to link with `LEAN`.
    """

    command: tuple[str, ...]
    identity: str
    flags: tuple[str, ...] = FLAGS
    target: str = ""
    lean: bool = False

    def with_flags(self, flags: tuple[str, ...] | None) -> Toolchain:
        """The same compiler with other flags; without those of this processor if its features are not known."""
        if flags is None:
            return self
        left_out = ((OF_THIS_CPU,) if not self.target else ()) + ((LEAN,) if not self.lean else ())
        return replace(self, flags=tuple([flag for flag in flags if flag not in left_out]))

    @property
    def key(self) -> str:
        """All of it that an object depends on."""
        return repr((self.command, self.identity, self.flags, self.target))


def find_toolchain(environ: Mapping[str, str] | None = None) -> Toolchain:
    """Find the compiler that ``CC`` names, or else cc, gcc or clang on the path.

    Raises
    ------
    NotCompiled
        There is none; the reason says what was looked for.
    """
    if sys.maxsize < 2**32:
        raise NotCompiled("compiled kernels need a 64-bit Python")
    environ = os.environ if environ is None else environ
    return _find(environ.get("CC", ""), environ.get("PATH"))


def why_no_toolchain(environ: Mapping[str, str] | None = None) -> str:
    """The reason why nothing can be compiled here, or an empty string."""
    try:
        find_toolchain(environ)
    except NotCompiled as refused:
        return str(refused)
    return ""


def version_of(toolchain: Toolchain) -> str:
    """The first line of what the compiler says of itself.

    Raises
    ------
    NotCompiled
        It cannot be run, or says nothing.
    """
    with private_folder() as folder:
        said = run_program([*toolchain.command, "--version"], folder, time.monotonic() + DEADLINE)
    return said.partition("\n")[0].strip()


def compile_text(text: str, toolchain: Toolchain, *, deadline: float = DEADLINE) -> bytes:
    """Compile one C text to the content of a shared object.

    Parameters
    ----------
    text
        The whole translation unit.
    toolchain
        The compiler.
    deadline
        Seconds that it may take.

    Raises
    ------
    NotCompiled
        The compiler refuses the text, fails, or takes too long, or no file can be written.
    """
    ends = time.monotonic() + deadline
    with private_folder() as folder:
        source, built = folder / "kernel.c", folder / "kernel.so"
        try:
            source.write_text(text, encoding="utf-8")
        except OSError as error:
            raise NotCompiled(f"the C text cannot be written: {_why(error)}") from error
        libraries = ["-lm", "-lgcc"] if LEAN in toolchain.flags else ["-lm"]
        arguments = [*toolchain.command, *toolchain.flags, "-o", built.name, source.name, *libraries]
        run_program(arguments, folder, ends)
        try:
            return built.read_bytes()
        except OSError as error:
            raise NotCompiled(f"{toolchain.command[0]} has made no object: {_why(error)}") from error


def preprocess(source: Path, toolchain: Toolchain, *, deadline: float = DEADLINE) -> str:
    """A C file with everything that it includes, as one text.

    Raises
    ------
    NotCompiled
        The compiler refuses it or cannot be run.
    """
    with private_folder() as folder:
        made = folder / "kernel.i.c"
        arguments = [*toolchain.command, *toolchain.flags, "-E", f"-I{source.parent}", "-o", made.name, str(source)]
        run_program(arguments, folder, time.monotonic() + deadline)
        try:
            return made.read_text(encoding="utf-8", errors="surrogateescape")
        except OSError as error:
            raise NotCompiled(f"{toolchain.command[0]} has made no text: {_why(error)}") from error


_folders: set[str] = set()
_processes: set[Popen[bytes]] = set()


def _at_exit() -> None:
    """End what a compiling daemon thread leaves behind when the program ends."""
    for process in tuple(_processes):
        _kill_group(process)
    for folder in tuple(_folders):
        import shutil

        shutil.rmtree(folder, ignore_errors=True)


def _in_forked_child() -> None:
    """They are the parent's."""
    _folders.clear()
    _processes.clear()


atexit.register(_at_exit)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_forked_child)


@contextmanager
def private_folder() -> Iterator[Path]:
    """A folder of this user's alone, which is removed afterwards."""
    import shutil
    import tempfile

    try:
        folder = tempfile.mkdtemp(prefix="autopar-")
    except OSError as error:
        raise NotCompiled(f"no temporary folder can be made: {_why(error)}") from error
    _folders.add(folder)
    try:
        yield Path(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        _folders.discard(folder)


@cache
def _find(chosen: str, path: str | None) -> Toolchain:
    if chosen.strip():
        import shlex

        try:
            words = shlex.split(chosen)
        except ValueError as error:
            raise NotCompiled(f"CC={chosen!r} cannot be read: {error}") from error
        program = _which(words[0], path)
        if program is None:
            raise NotCompiled(f"CC={chosen!r} names no program on the path")
        return _described((program, *words[1:]), path)
    for name in _NAMES:
        program = _which(name, path)
        if program is not None:
            return _described((program,), path)
    raise NotCompiled(f"no C compiler is found: none of {', '.join(_NAMES)} is on the path and CC is not set")


def _which(name: str, path: str | None) -> str | None:
    """Where a program is; on Windows, where that takes more than a look, as the standard library finds it."""
    if sys.platform == "win32":
        import shutil

        return shutil.which(name, path=path)
    places = [""] if os.sep in name else (os.defpath if path is None else path).split(os.pathsep)
    for place in places:
        program = os.path.join(place, name)
        if os.path.isfile(program) and os.access(program, os.X_OK):
            return program
    return None


def _described(command: tuple[str, ...], path: str | None) -> Toolchain:
    """The toolchain of a command; a program that only wraps the compiler is asked for the version behind it."""
    files = [found for word in command if (found := _which(word, path)) is not None]
    toolchain = Toolchain(command, " ".join(map(_file_identity, files)))
    if len(files) != 1 or _is_script(files[0]):
        toolchain = Toolchain(command, f"{toolchain.identity} {version_of(toolchain)}")
    else:
        name = os.path.basename(os.path.realpath(files[0]))
        toolchain = replace(toolchain, lean=sys.platform == "linux" and "gcc" in name and len(command) == 1)
    features = cpu_features()
    return replace(toolchain, flags=(*FLAGS, OF_THIS_CPU), target=features) if features else toolchain


def _file_identity(program: str) -> str:
    """Path, size and time of the compiler: another version differs, and asking it would take longer than a look-up."""
    real = os.path.realpath(program)
    try:
        status = os.stat(real)
    except OSError as error:
        raise NotCompiled(f"{program}: {_why(error)}") from error
    return f"{real}:{status.st_size}:{status.st_mtime_ns}"


def _is_script(program: str) -> bool:
    try:
        with open(program, "rb") as file:
            return file.read(2) == b"#!"
    except OSError:
        return True


@cache
def cpu_features() -> str:
    """What this processor can do, as the system lists it; empty where it does not say."""
    if sys.platform != "linux":
        return ""
    kept = {}
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            for line in file:
                key, _, value = line.partition(":")
                if not line.strip():
                    break  # the first of many equal cores
                if key.strip() in ("vendor_id", "cpu family", "model", "flags", "CPU implementer", "Features"):
                    kept[key.strip()] = value.strip()
    except OSError:
        return ""
    known = "flags" in kept or "Features" in kept
    return f"{os.uname().machine} {sorted(kept.items())}" if known else ""


# -- one run -----------------------------------------------------------------------------------------------------------


def run_program(arguments: Sequence[str], folder: Path, ends: float) -> str:
    """Run a program to its end and return what it printed, at most its beginning.

    Raises
    ------
    NotCompiled
        It cannot be started, fails, is killed, or has not ended in time; then its whole group is killed.
    """
    import subprocess

    program = os.path.basename(arguments[0])
    try:
        process = subprocess.Popen(  # noqa: S603 - a list of arguments, and no shell
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env={**os.environ, "LC_ALL": "C", "TMPDIR": str(folder)},
            start_new_session=True,
        )
    except (OSError, ValueError, RuntimeError) as error:
        raise NotCompiled(f"{program} cannot be started: {_why(error)}") from error
    _processes.add(process)
    try:
        said = _listen(process, ends)
    except BaseException:
        _kill_group(process)
        raise
    finally:
        _processes.discard(process)
    if said is None:
        _kill_group(process)
        raise NotCompiled(f"{program} had not ended when its time was up, and was killed")
    if process.returncode < 0:
        raise NotCompiled(f"{program} was killed by {_signal_name(-process.returncode)}")
    if process.returncode:
        raise NotCompiled(f"{program} failed with status {process.returncode}: {_first_complaint(said)}")
    return said


def _listen(process: Popen[bytes], ends: float) -> str | None:
    """What a process says until it ends, or None if it had not ended in time.

    A helper that it leaves behind may keep its output open, so the end of the process counts, not that of its output.
    """
    import selectors

    kept = bytearray()
    output = process.stdout
    assert output is not None  # noqa: S101 - it was opened with a pipe
    with output, selectors.DefaultSelector() as selector:
        selector.register(output, selectors.EVENT_READ)
        while time.monotonic() < ends:
            with parked():
                ready = selector.select(min(_POLL, max(0.0, ends - time.monotonic())))
            if ready:
                piece = os.read(output.fileno(), 65_536)
                kept += piece[: max(0, _KEPT_OUTPUT - len(kept))]
                if not piece:
                    return _text(kept) if _ended(process, ends) else None
            elif process.poll() is not None:
                return _text(kept)
    return None


def _ended(process: Popen[bytes], ends: float) -> bool:
    import subprocess

    try:
        process.wait(max(0.0, ends - time.monotonic()))
    except subprocess.TimeoutExpired:
        return False
    return True


def _kill_group(process: Popen[bytes]) -> None:
    import signal

    if process.poll() is None:
        with suppress(ProcessLookupError, PermissionError, AttributeError):  # Windows has no groups of processes
            os.killpg(process.pid, signal.SIGKILL)
        process.kill()
        process.wait()


def _text(said: bytes | bytearray) -> str:
    return said.decode("utf-8", "replace")


def _first_complaint(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if "error" in line.lower()]
    # Cython says its reasons there, and only there.
    placed = [line for line in lines if ".pyx:" in line and not line.startswith("warning:")]
    complaint = (placed or errors or lines or ["it said nothing"])[0]
    return complaint if len(complaint) <= _LONGEST_REASON else f"{complaint[: _LONGEST_REASON - 1]}…"


def _signal_name(number: int) -> str:
    import signal

    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _why(error: BaseException) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
