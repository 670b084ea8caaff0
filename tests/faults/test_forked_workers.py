"""Workers are forked while that is safe, and are then as good as new: nothing of the parent is held, run or lost."""

from __future__ import annotations

import sys

import pytest

from tests.scripts import run_python

pytestmark = [
    pytest.mark.timeout(40),
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="workers are forked on Linux only"),
]

HEAD = """\
import os, signal, sys, tempfile, threading
import autopar

def on_processes(function, *items):
    return autopar.map(function, items or (1, 2), backend="processes", workers=2, pure=True)

sys.inherited = True
def inherited(_):
    return hasattr(sys, "inherited")

"""

CASES: dict[str, tuple[str, str]] = {
    "a program of one thread forks": ("print(on_processes(inherited))", "[True, True]"),
    "a program of several threads does not": (
        """
stop = threading.Event()
threading.Thread(target=stop.wait).start()
print(on_processes(inherited))
stop.set()
""",
        "[False, False]",
    ),
    "a pipe's end is the parent's alone": (
        """
reading, writing = os.pipe()
on_processes(abs)
os.close(writing)
print(os.read(reading, 1))
""",
        "b''",
    ),
    "an inherited file object closes nothing that was opened since": (
        """
import builtins
class Handle:
    def __init__(self):
        self.number = os.open(os.devnull, os.O_RDONLY)
    def __del__(self):
        os.close(self.number)
builtins.kept = [Handle() for _ in range(20)]
def drop(_):
    import builtins, tempfile
    with tempfile.TemporaryFile("w+") as file:
        builtins.kept = []
        file.write("here")
        file.seek(0)
        return file.read()
print(on_processes(drop))
""",
        "['here', 'here']",
    ),
    "handlers of signals are not the parent's": (
        """
signal.signal(signal.SIGTERM, lambda *_: None)
print(on_processes(lambda _: signal.getsignal(signal.SIGTERM) is signal.SIG_DFL))
""",
        "[True, True]",
    ),
    "what is to happen at the end happens once": (
        """
import atexit
atexit.register(print, "end")
folder = tempfile.TemporaryDirectory()
sys.stdout.write("begun ")
on_processes(abs)
print(os.path.isdir(folder.name))
folder.cleanup()
""",
        "begun True\nend",
    ),
    "garbage of the parent is not finalized in a worker": (
        """
import gc
class Cycle:
    def __init__(self):
        self.me = self
    def __del__(self):
        os.write(1, b"finalized ")
gc.disable()
Cycle()
on_processes(lambda _: __import__("gc").collect() and 0)
gc.enable()
print("once:", gc.collect() > 0)
""",
        "finalized once: True",
    ),
    "settings are those of the caller's map, not of the fork": (
        """
import decimal, logging
decimal.getcontext().prec = 5
logging.disable(logging.ERROR)
def seen(_):
    import decimal, logging
    return decimal.getcontext().prec, logging.root.manager.disable
first = on_processes(seen)
decimal.getcontext().prec = 28
logging.disable(logging.NOTSET)
print(first[0], on_processes(seen)[0])
""",
        "(5, 40) (28, 0)",
    ),
    "values of the program are those of the map, not of the fork": (
        """
limit = 1
def above(x):
    return x > limit
first = on_processes(above)
limit = 5
print(first, on_processes(above, 2, 9))
""",
        "[False, True] [False, True]",
    ),
    "a set of texts has the caller's order": (
        """
words = ["".join(pair) for pair in zip("abcdefghij", "klmnopqrst")]
def order(_):
    return list({"".join(pair) for pair in zip("abcdefghij", "klmnopqrst")})
print(on_processes(order)[0] == order(0))
""",
        "True",
    ),
}


@pytest.mark.parametrize(("text", "printed"), CASES.values(), ids=CASES)
def test_a_forked_worker(text: str, printed: str) -> None:
    """It was forked or not as it should, and behaves as a worker that was started anew."""
    assert run_python("-c", HEAD + text) == printed + "\n"
