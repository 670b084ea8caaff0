"""What importing autopar, decorating and calling bring into a program: counted in modules, since times depend."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec

import pytest

from tests.scripts import ROOT

MOST = 60
"""Modules beyond a bare interpreter's: a third of them autopar's, most of the others behind ``typing`` and ``re``."""

pytestmark = pytest.mark.skipif(find_spec("wrapt._wrappers") is None, reason="wrapt's extension is what is light")

HEAVY = (
    "asyncio",
    "autopar._engine",
    "dataclasses",
    "importlib.metadata",
    "inspect",
    "logging",
    "threading",
    "tokenize",
)

_IMPORT = """
import sys
before = set(sys.modules)
from autopar import parallel
print(*set(sys.modules) - before)
parallel(len)
print("autopar._engine" in sys.modules)
"""

_COROUTINE = """
import sys
from autopar import parallel
async def waiting(x):
    return x
parallel(len)
before = "autopar._engine.coroutines" in sys.modules
waiting = parallel(waiting)
loaded = set(sys.modules)
waiting.map([1])
print(before, sorted(name for name in set(sys.modules) - loaded if name.startswith(("autopar._engine", "asyncio"))))
"""

_WORKER = """
import multiprocessing
worker = multiprocessing.get_context("spawn").Process(target=exec, args=({program!r}, {{}}))
worker.start()
worker.join()
"""

_PROGRAM = """
import sys
before = set(sys.modules)
from autopar import parallel
@parallel
def plain(x):
    return x
@parallel
async def waiting(x):
    return x
class Shop:
    @parallel
    def price(self, x):
        return 2 * x
assert [plain(x) for x in range(100)] == list(range(100))
assert Shop().price(2) == 4
print(*set(sys.modules) - before)
sys.stdout.flush()
plain._sampled(plain.__wrapped__, (1,), {}, (0, 0, 0, 0, 0), (10**9, 10**9, 10**9, 0, 0))
print("autopar._engine" in sys.modules, plain._self_state.calls.items)
print(plain.map([1, 2]), plain(3), flush=True)
"""

_WRAPT = """
import sys, threading
from autopar import parallel
assert "asyncio" not in sys.modules
base = type(parallel(len)).__mro__
found = []
def look():
    from wrapt import BaseObjectProxy, decorator
    found.append((BaseObjectProxy in base, callable(decorator)))
threads = [threading.Thread(target=look) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
import wrapt
print(found == [(True, True)] * 4, wrapt.__version__ > "2", wrapt.exceptions.__name__, "__getattr__" in vars(wrapt))
try:
    wrapt.nothing
except AttributeError as error:
    print(error)
"""


def said_by(program: str) -> list[str]:
    """The lines that a fresh interpreter prints."""
    command = [sys.executable, "-c", program]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()


@pytest.mark.slow
def test_the_engine_comes_with_the_first_function_that_is_decorated() -> None:
    """Importing loads the little that decorating needs; then the engine is loaded, for which no map should wait."""
    modules, loaded = said_by(_IMPORT)
    assert set(HEAVY).isdisjoint(modules.split())
    assert len(modules.split()) <= MOST
    assert loaded == "True"


@pytest.mark.slow
def test_what_runs_coroutines_comes_with_the_first_coroutine_function() -> None:
    """Its first map finds all of the engine that it needs."""
    assert said_by(_COROUTINE) == ["False []"]


@pytest.mark.slow
def test_in_a_worker_decorating_and_calling_load_no_engine() -> None:
    """There it is loaded by the first map, or once a function's calls have taken as long as that takes."""
    modules, loaded, mapped = said_by(_WORKER.format(program=_PROGRAM))
    assert set(HEAVY).isdisjoint(modules.split())
    assert len(modules.split()) <= MOST
    assert loaded == "True 1"
    assert mapped == "[1, 2] 3"


@pytest.mark.slow
def test_wrapt_is_whole_for_who_asks_for_it() -> None:
    """What autopar imports of wrapt is the whole package to everybody else, whichever thread asks first."""
    everything, error = said_by(_WRAPT)
    assert everything == "True True wrapt.exceptions False"
    assert error == "module 'wrapt' has no attribute 'nothing'"


@pytest.mark.slow
def test_a_command_that_reads_decisions_loads_nothing_that_teaches() -> None:
    """`autopar log` starts without what maps learn and without the engine."""
    [loaded] = said_by(
        'import sys, autopar.cli.log; print({"autopar._record.learning", "autopar._engine"} & {*sys.modules})'
    )
    assert loaded == "set()"
