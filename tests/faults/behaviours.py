"""Items that do to their process what an item should not, imported by worker processes."""

from __future__ import annotations

import locale
import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

from autopar import parallel
from tests.faults.items import BAD


def starts_a_thread(x: int) -> int:
    """Leave a thread behind that keeps a process from ending."""
    threading.Thread(target=threading.Event().wait).start()
    return x


def starts_a_process(x: int) -> int:
    """Run a program."""
    return x + subprocess.run([sys.executable, "-c", ""], check=True).returncode


def starts_a_forked_process(x: int) -> int:
    """Run a function in a process of multiprocessing."""
    process = multiprocessing.get_context("fork").Process(target=int)
    process.start()
    process.join()
    return x + (process.exitcode or 0)


def forks_and_ends_the_child(x: int) -> int:
    """Fork; the child ends at once."""
    child = os.fork()
    if not child:
        os._exit(0)
    return x + os.waitpid(child, 0)[1]


def forks_and_both_return(x: int) -> int:
    """Fork, and go on in both."""
    os.fork()
    return x


def forks_and_both_raise(x: int) -> int:
    """Fork, and fail in both."""
    os.fork()
    raise ValueError(x)


def ignores_signals(x: int) -> int:
    """Ignore all signals that can be."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD, signal.SIGPIPE, signal.SIGUSR1):
        signal.signal(number, signal.SIG_IGN)
    return x


def changes_the_folder(x: int) -> int:
    """Go elsewhere."""
    os.chdir("/")
    return x


def changes_the_locale(x: int) -> int:
    """Speak another language."""
    locale.setlocale(locale.LC_ALL, "C.UTF-8")
    return x


def changes_the_start_method(x: int) -> int:
    """Start processes otherwise from now on."""
    multiprocessing.set_start_method("forkserver", force=True)
    return x


def changes_the_environment(x: int) -> int:
    """Take away what is needed to find anything."""
    os.environ.clear()
    sys.path.clear()
    return x


def closes_the_standard_streams(x: int) -> int:
    """Close what is written to."""
    os.closerange(0, 3)
    return x


def recurses(x: int) -> int:
    """Call itself for ever."""
    return recurses(x + 1)


def eats_the_stack(x: int) -> int:
    """Recurse in C where there is little stack, with nothing in Python to stop it."""
    sys.setrecursionlimit(10**6)
    resource.setrlimit(resource.RLIMIT_STACK, (256 * 1024, resource.getrlimit(resource.RLIMIT_STACK)[1]))
    nested: list[Any] = []
    for _ in range(100_000):
        nested = [nested]
    return len(repr(nested))


def eats_the_memory(x: int) -> bytes:
    """Ask for more than the process may have."""
    resource.setrlimit(resource.RLIMIT_AS, (1 << 31, resource.getrlimit(resource.RLIMIT_AS)[1]))
    return bytes(1 << 33)


def closes_its_files(x: int) -> int:
    """Close all that is open, the pipe to the caller too."""
    os.closerange(3, 256)
    return x


def prints_much(x: int) -> int:
    """Print eight megabytes."""
    for _ in range(8):
        print("x" * 999_999)
    return x


HARMLESS: dict[str, Callable[[int], Any]] = {
    function.__name__: function
    for function in (
        starts_a_thread,
        starts_a_process,
        starts_a_forked_process,
        forks_and_ends_the_child,
        forks_and_both_return,
        ignores_signals,
        changes_the_folder,
        changes_the_locale,
        changes_the_start_method,
        changes_the_environment,
        closes_the_standard_streams,
    )
}
"""What costs no item where items have processes of their own."""


@parallel(pure=True)
def behaves(x: int, how: str) -> Any:
    """Return the item; the bad one misbehaves first."""
    return globals()[how](x) if x == BAD else x


@parallel(pure=True)
def runs_once(x: int, how: str, marks: str) -> Any:
    """Leave a mark for each item that begins; the bad one misbehaves."""
    with open(marks, "a", encoding="ascii") as file:
        print(x, file=file)
    return globals()[how](x) if x == BAD else x


@parallel(pure=True)
def surroundings(_: int) -> tuple[Any, ...]:
    """What a map's items see of their process."""
    return os.getcwd(), locale.setlocale(locale.LC_ALL), sys.getrecursionlimit(), "PATH" in os.environ
