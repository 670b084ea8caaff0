"""Programs that are ended in the middle of a map, that map while they end, or that fork while workers are there."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from tests.scripts import ROOT, environment, run_python

pytestmark = [
    pytest.mark.timeout(120),
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="signals, forks and /dev/shm"),
]

PROCESSES = ["processes", "multiprocessing", "joblib"]

HEAD = """\
import atexit, gc, os, sys, threading, warnings
import autopar
from autopar import parallel

warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 warns of any fork in a program with threads.
"""

AT_WORK = """
import numpy

def item(x):
    os.write(1, b"at work %d\\n" % os.getpid())
    threading.Event().wait()

parallel(item, pure=True).map([numpy.ones(300_000) for _ in range(8)], backend=sys.argv[1], workers=2)
"""


HOLDS_THE_GIL = """
import ctypes

def item(x):
    os.write(1, b"at work %d\\n" % os.getpid())
    ctypes.PyDLL(None).sleep(86400)

parallel(item, pure=True).map(range(4), backend=sys.argv[1], workers=2, chunksize=1)
"""

HAS_FORKED = """
import time

autopar.map(abs, [-1, -2], backend=sys.argv[1], workers=2)
if not os.fork():
    os.close(1)
    time.sleep(86400)

def item(x):
    os.write(1, b"at work %d\\n" % os.getpid())
    threading.Event().wait()

parallel(item, pure=True).map(range(4), backend=sys.argv[1], workers=2, chunksize=1)
"""


def of_program(pid: int) -> list[str]:
    """Shared memory and semaphores that have the number of the program in their name."""
    return [path.name for path in Path("/dev/shm").iterdir() if f"-{pid}-" in path.name or f"_{pid}_" in path.name]


@pytest.mark.parametrize("how", ["SIGINT", "SIGTERM", "SIGKILL"])
@pytest.mark.parametrize("backend", PROCESSES)
def test_nothing_is_left_of_a_program_that_is_ended(backend: str, how: str) -> None:
    """Its workers and all that it has started end at once, and neither shared memory nor semaphores stay."""
    running = subprocess.Popen(
        [sys.executable, "-c", HEAD + AT_WORK, backend],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=ROOT,
        env=environment(),
        start_new_session=True,
    )
    assert running.stdout is not None
    workers = [psutil.Process(int(running.stdout.readline().split()[-1])) for _ in range(2)]
    started = [*workers, *psutil.Process(running.pid).children(recursive=True)]
    os.kill(running.pid, getattr(signal, how))
    running.communicate(timeout=20)  # to the end of all that have its standard output
    _, alive = psutil.wait_procs(started, timeout=10)
    assert not [each for each in alive if each.status() != psutil.STATUS_ZOMBIE]
    assert of_program(running.pid) == []
    assert running.returncode in (-getattr(signal, how), 1)


@pytest.mark.parametrize(
    ("text", "backend"),
    [*((HOLDS_THE_GIL, backend) for backend in PROCESSES), (HAS_FORKED, "processes")],
    ids=[*(f"holds-the-gil-{backend}" for backend in PROCESSES), "has-forked-processes"],
)
def test_workers_end_with_their_parent_whatever_they_are_at(text: str, backend: str) -> None:
    """It is the system that ends them: no item has to let go of the interpreter, and no copy of the parent to end."""
    running = subprocess.Popen(
        [sys.executable, "-c", HEAD + text, backend],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=ROOT,
        env=environment(),
        start_new_session=True,
    )
    assert running.stdout is not None
    try:
        workers = [psutil.Process(int(running.stdout.readline().split()[-1])) for _ in range(2)]
        running.kill()
        running.communicate(timeout=60)  # to the end of all that have its standard output
        _, alive = psutil.wait_procs(workers, timeout=60)  # which their items would not come to today
        assert not [each for each in alive if each.status() != psutil.STATUS_ZOMBIE]
    finally:
        for each in psutil.process_iter():  # the copy
            with contextlib.suppress(psutil.Error, ProcessLookupError):
                if os.getsid(each.pid) == running.pid:
                    each.kill()


def test_a_map_from_a_finalizer() -> None:
    """Objects may map while they are finalized, also where that happens in the middle of another map."""
    text = """
class Last:
    made = 0
    def __init__(self):
        self.me = self if Last.made % 2 else None
    def __del__(self):
        if Last.made < 300:
            Last.made += 1
            seen.append(autopar.map(abs, [-1, -2, -3]))
            if Last.made % 50 == 0:
                seen.append(autopar.map(abs, [-1, -2, -3], backend="threads", workers=2))

def item(x):
    Last()
    return [x]

seen = []
if sys.version_info >= (3, 12):  # Before, a collection may begin within C code, such as that of context variables.
    gc.set_threshold(1)
for backend in ("serial", "threads", "processes"):
    assert autopar.map(item, range(200), backend=backend, pure=True) == [[x] for x in range(200)]
    assert len(autopar.map(lambda x: Last(), range(20), backend=backend, pure=True)) == 20
    Last()
gc.set_threshold(700)
gc.collect()
assert seen and all(each == [1, 2, 3] for each in seen), seen
print(len(seen) > 20)
"""
    assert run_python("-c", HEAD + text, limit=60) == "True\n"


@pytest.mark.parametrize("backend", [None, "serial", "threads", "processes"], ids=str)
def test_a_map_in_an_exit_handler(backend: str | None) -> None:
    """A function registered with `atexit` may map, with workers that are there or not."""
    text = f"""
def late():
    print(autopar.map(abs, [-1, -2], backend={backend!r}), autopar.map(abs, range(-3, 0), backend={backend!r}))
atexit.register(late)
if len(sys.argv) > 1:
    autopar.map(abs, [-1, -2], backend={backend!r})
"""
    assert run_python("-c", HEAD + text, "warm", limit=60) == "[1, 2] [3, 2, 1]\n"
    assert run_python("-c", HEAD + text, limit=60) == "[1, 2] [3, 2, 1]\n"


def test_a_map_on_joblib_in_an_exit_handler() -> None:
    """Joblib's executor takes nothing by then, and the error says so."""
    text = """
def late():
    try:
        autopar.map(abs, [-1, -2], backend="joblib")
    except autopar.AutoparError as error:
        print(type(error).__name__, "takes nothing more" in str(error))
atexit.register(late)
autopar.map(abs, [-1, -2], backend="joblib")
"""
    assert run_python("-c", HEAD + text, limit=60) == "TransportError True\n"


def test_a_map_at_the_shutdown_of_the_interpreter() -> None:
    """A finalizer may map a plain function when modules are torn down, in the loop; anything else is an error."""
    text = """
class Last:
    def __init__(self, backend):
        self.backend = backend
    def __del__(self, map=autopar.map, negated=lambda x: -x, error=autopar.AutoparError, write=os.write):
        try:
            said = map(negated, [-1, -2], backend=self.backend)
        except error as raised:
            said = type(raised).__name__
        write(1, f"{self.backend}: {said}\\n".encode())

kept = [Last(None), Last("serial"), Last("threads"), Last("processes")]
autopar.map(abs, [-1, -2], backend="threads")
autopar.map(abs, [-1, -2], backend="processes")
"""
    said = dict(line.split(": ") for line in run_python("-c", HEAD + text, limit=60).splitlines())
    assert said["None"] == said["serial"] == "[1, 2]", said
    assert said["threads"] == said["processes"] == "UnavailableError", said


@pytest.mark.parametrize("backend", ["threads", "processes", "joblib"])
def test_a_daemon_thread_maps_while_the_program_ends(backend: str) -> None:
    """It neither hangs nor crashes the end of the program, and says nothing."""
    text = f"""
begun = threading.Event()
def work():
    while True:
        autopar.map(abs, range(-40, 0), backend={backend!r})
        begun.set()
threading.excepthook = lambda args: None
threading.Thread(target=work, daemon=True).start()
begun.wait()
"""
    run_python("-c", HEAD + text, limit=60)


@pytest.mark.parametrize("backend", ["threads", "processes", "joblib"])
def test_a_program_forks_in_the_middle_of_a_map(backend: str) -> None:
    """The child may map with pools of its own, and ends; the map of the parent comes to its end with its workers."""
    text = f"""
import time
def item(x):
    time.sleep(0.01)
    return x
function = parallel(item, pure=True, backend={backend!r})
expected = list(range(40))
assert function.map(expected) == expected
results = function.imap(expected)
seen = [next(results)]
child = os.fork()
if not child:
    os._exit(0 if function.map(expected[:4]) == expected[:4] else 3)
assert seen + list(results) == expected
assert os.waitpid(child, 0)[1] == 0
assert function.map(expected) == expected
print("end")
"""
    assert run_python("-c", HEAD + text, limit=60) == "end\n"


def test_a_program_that_ignores_the_end_of_children() -> None:
    """With SIGCHLD ignored maps work, and a dead worker is an error with its index, though not with its exit code."""
    text = """
import signal
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
def dies(x):
    if x == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return x
for backend in ("multiprocessing", "processes"):
    results = parallel(dies, pure=True).map(range(6), backend=backend, on_error="return")
    print(type(results.pop(3)).__name__, results)
"""
    assert run_python("-c", HEAD + text, limit=60) == "WorkerDiedError [0, 1, 2, 4, 5]\n" * 2
