"""The life of a program that maps: its end, Ctrl-C, its death, its forks. Nothing hangs, and nothing is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from tests.scripts import ROOT, environment, run_python

pytestmark = [
    pytest.mark.timeout(40),
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="signals and fork"),
]

HEAD = """\
import os, signal, sys, threading, time
import autopar
from autopar import parallel

def children():
    import psutil  # type: ignore[import-untyped]
    return [str(child.pid) for child in psutil.Process().children(recursive=True)]

def forever(x):
    threading.Event().wait()

def identity(x):
    return x

"""


@contextmanager
def program(text: str) -> Iterator[subprocess.Popen[str]]:
    """A program that runs beside the test, in a process group of its own; its first line says that it is ready."""
    running = subprocess.Popen(
        [sys.executable, "-c", HEAD + text],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=environment(),
        start_new_session=True,
    )
    try:
        yield running
    finally:
        running.kill()
        running.communicate(timeout=10)


def ready(running: subprocess.Popen[str]) -> list[psutil.Process]:
    """Wait until the program is at work and return the processes that it has started."""
    assert running.stdout is not None
    line = running.stdout.readline()
    assert line.startswith("ready"), line
    return [psutil.Process(int(pid)) for pid in line.split()[1:]]


def gone(processes: list[psutil.Process], limit: float = 5) -> bool:
    _, alive = psutil.wait_procs(processes, timeout=limit)
    return not [each for each in alive if each.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.parametrize("backend", ["threads", "processes"])
def test_a_program_ends_when_its_maps_are_done(backend: str) -> None:
    """Warm workers keep no program from ending, and leave with it."""
    text = f"{HEAD}print(autopar.map(abs, range(-50, 0), backend={backend!r})[0], *children())"
    first, *pids = run_python("-c", text).split()
    assert first == "50"
    assert gone([psutil.Process(int(pid)) for pid in pids if psutil.pid_exists(int(pid))])


@pytest.mark.parametrize("backend", ["threads", "processes"])
def test_a_program_ends_while_a_submitted_call_still_runs(backend: str) -> None:
    """A call that never returns does not keep the program alive."""
    run_python("-c", f"{HEAD}f = parallel(forever, backend={backend!r}, pure=True)\nf.submit(1)\n", limit=15)


def test_a_program_ends_while_a_coroutine_still_runs() -> None:
    """A submitted coroutine that never returns does not keep the program alive."""
    text = "import asyncio\nfrom autopar import parallel\nasync def f(x): await asyncio.Event().wait()\n"
    run_python("-c", f"{text}parallel(f).submit(1)\n", limit=15)


@pytest.mark.parametrize("backend", ["threads", "processes"])
def test_a_program_ends_while_an_iterator_is_open(backend: str) -> None:
    """An iterator that was left open does not keep the program alive."""
    text = f"results = parallel(identity, backend={backend!r}).imap(iter(int, 1))\nprint(next(results))\n"
    assert run_python("-c", HEAD + text, limit=15) == "0\n"


def test_a_program_ends_by_an_exception_of_an_item() -> None:
    """An item's exception that nobody catches ends the program as usual, with its note."""
    done = subprocess.run(
        [sys.executable, "-c", HEAD + "autopar.map(lambda x: 1 / x, [1, 0], backend='processes')"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment(),
        timeout=30,
    )
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr
    assert "item 1 of" in done.stderr


@pytest.mark.parametrize("backend", ["serial", "threads", "processes"])
def test_ctrl_c_ends_a_map(backend: str) -> None:
    """SIGINT to the program ends the map with KeyboardInterrupt within seconds, and its processes are gone."""
    text = f"""
import tempfile, pathlib
marker = pathlib.Path(tempfile.mkdtemp(), "started")
def item(x, marker=str(marker)):
    open(marker, "w").close()
    threading.Event().wait()
def tell():
    while not marker.exists():
        time.sleep(0.005)
    print("ready", *children(), flush=True)
threading.Thread(target=tell, daemon=True).start()
try:
    autopar.map(item, range(8), backend={backend!r}, pure=True)
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""
    with program(text) as running:
        workers = ready(running)
        os.kill(running.pid, signal.SIGINT)
        said, complaints = running.communicate(timeout=10)
        assert said == "interrupted\n", complaints
        assert running.returncode == 0
        assert gone(workers)


@pytest.mark.parametrize("operation", ["map", "imap", "imap_unordered"])
def test_ctrl_c_lets_coroutines_clean_up(operation: str) -> None:
    """As under `asyncio.run`: items that wait are cancelled, their `finally` runs to its end, then the map raises."""
    text = f"""
import asyncio
said = []
async def item(x):
    if x < 2:
        return x
    try:
        if x == 3:
            print("ready", flush=True)
        await asyncio.Event().wait()
    finally:
        for _ in range(3):
            await asyncio.sleep(0.001)
        said.append(x)
function = autopar.parallel(item, pure=True)
try:
    for _ in function.{operation}(range(4)):
        pass
except KeyboardInterrupt:
    print("interrupted", sorted(said), flush=True)
"""
    with program(text) as running:
        ready(running)
        os.kill(running.pid, signal.SIGINT)
        said, complaints = running.communicate(timeout=20)
        assert said.splitlines()[-1] == "interrupted [2, 3]", complaints
        assert running.returncode == 0


def test_ctrl_c_to_the_group_ends_everything() -> None:
    """SIGINT as a terminal sends it, to the program and its workers, prints one traceback at most."""
    text = """
def tell():
    while len(children()) < 2:
        time.sleep(0.005)
    print("ready", *children(), flush=True)
threading.Thread(target=tell, daemon=True).start()
autopar.map(forever, range(8), backend="processes", pure=True)
"""
    with program(text) as running:
        workers = ready(running)
        os.killpg(running.pid, signal.SIGINT)
        _, complaints = running.communicate(timeout=10)
        assert running.returncode in (-signal.SIGINT, 1), complaints  # Python 3.13 leaves -c with 1
        assert "KeyboardInterrupt" in complaints
        assert complaints.count("Traceback") <= 1
        assert gone(workers)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_workers_end_with_a_program_that_is_killed(how: signal.Signals) -> None:
    """A program killed in the middle of a map leaves no process behind."""
    text = """
def tell():
    while len(children()) < 2:
        time.sleep(0.005)
    print("ready", *children(), flush=True)
threading.Thread(target=tell, daemon=True).start()
autopar.map(forever, range(8), backend="processes", pure=True)
"""
    with program(text) as running:
        workers = ready(running)
        assert workers
        os.kill(running.pid, how)
        running.communicate(timeout=10)
        assert gone(workers, 4)


@pytest.mark.parametrize("backend", ["threads", "processes"])
def test_a_forked_child_has_pools_of_its_own(backend: str) -> None:
    """After a fork the child maps, and the parent's workers are still the parent's."""
    text = f"""
import warnings
warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 warns of any fork in a program with threads.
def run():
    return autopar.map(abs, range(-40, 0), backend={backend!r})
expected = list(range(40, 0, -1))
assert run() == expected
child = os.fork()
if not child:
    os._exit(0 if run() == expected else 3)
assert run() == expected
assert os.waitpid(child, 0)[1] == 0
assert run() == expected
print("end")
"""
    assert run_python("-c", HEAD + text, limit=20) == "end\n"


def test_a_forked_child_that_just_ends_harms_nobody() -> None:
    """A child that exits the ordinary way does not close the parent's workers."""
    text = """
import warnings
warnings.simplefilter("ignore", DeprecationWarning)
assert autopar.map(abs, [-1, -2], backend="processes") == [1, 2]
before = children()
child = os.fork()
if not child:
    sys.exit(0)
assert os.waitpid(child, 0)[1] == 0
assert autopar.map(abs, [-1, -2], backend="processes") == [1, 2]
assert children() == before
print("end")
"""
    assert run_python("-c", HEAD + text, limit=20) == "end\n"


def test_maps_work_in_a_thread_while_the_program_ends() -> None:
    """A daemon thread that maps for ever neither hangs nor crashes the end of the program."""
    text = """
def work():
    while True:
        try:
            autopar.map(identity, range(100), backend="threads")
        except RuntimeError:
            return
thread = threading.Thread(target=work, daemon=True)
thread.start()
autopar.map(identity, range(100), backend="threads")
"""
    run_python("-c", HEAD + text, limit=15)


def test_maps_in_an_exit_handler_work() -> None:
    """A function registered with atexit may still map."""
    text = """
import atexit
atexit.register(lambda: print(autopar.map(abs, [-1, -2], backend="threads")))
autopar.map(abs, [-1, -2], backend="threads")
"""
    assert run_python("-c", HEAD + text, limit=15) == "[1, 2]\n"


def test_output_of_items_on_processes_reaches_the_caller(tmp_path: Path) -> None:
    """What items print in worker processes comes out of the program's standard output, all of it."""
    text = """
def prints(x):
    print("x" * 10_000)
    return x
assert autopar.map(prints, range(4), backend="processes", pure=True) == [0, 1, 2, 3]
"""
    assert run_python("-c", HEAD + text).count("x") == 40_000


def test_open_files_of_the_program_do_not_leak_into_workers() -> None:
    """Workers do not keep the program's sockets open."""
    text = """
import socket
server = socket.create_server(("127.0.0.1", 0))
assert autopar.map(abs, [-1, -2], backend="processes") == [1, 2]
port = server.getsockname()[1]
server.close()
socket.create_server(("127.0.0.1", port)).close()
print("end")
"""
    assert run_python("-c", HEAD + text) == "end\n"
