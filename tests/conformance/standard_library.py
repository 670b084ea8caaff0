"""Runs CPython's own tests of executors on ``autopar.Executor``.

    python -m tests.conformance.standard_library thread|process GROUP [TEST ...]

The tests are imported from the interpreter's own package ``test``, or, where it was installed without them, from the
folder that ``AUTOPAR_CPYTHON_TESTS`` names, which then holds ``test_concurrent_futures.py`` of a CPython near this one.
The last line that is printed counts what passed, failed and was skipped.
"""

from __future__ import annotations

import faulthandler
import importlib
import multiprocessing
import os
import sys
import unittest
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING, Any

from autopar.executor import Executor

TEST_SECONDS = 120
"""Seconds after which a test counts as hanging."""

GROUPS = {
    "executor": ("executor", "ExecutorTest"),
    "wait": ("test_wait", "WaitTests"),
    "as_completed": ("test_as_completed", "AsCompletedTests"),
    "shutdown": ("test_shutdown", "ExecutorShutdownTest"),
    "init": ("test_init", "InitializerMixin"),
    "deadlock": ("test_deadlock", "ExecutorDeadlockTest"),
}
"""Group -> module of the suite and its class of tests for any executor."""

OF_PROCESSES = ("deadlock",)
START = "spawn"

_PACKAGE = "test.test_concurrent_futures"
_PROGRAM = """
import sys
sys.path[:0] = {path!r}
import multiprocessing
from autopar.executor import Executor
from {module} import sleep_and_print
def make():
    return Executor(5, multiprocessing.get_context({start!r})) if {start!r} else Executor(5)
"""


def missing() -> str:
    """Why there is no suite to run; empty if there is one."""
    if os.environ.get("AUTOPAR_CPYTHON_TESTS") or (find_spec("test") and find_spec(_PACKAGE)):
        return ""
    return "this Python has no test.test_concurrent_futures; AUTOPAR_CPYTHON_TESTS may name a folder that has it"


def _module(name: str) -> ModuleType:
    """A module of the suite; up to Python 3.11 all of it is one."""
    folder = os.environ.get("AUTOPAR_CPYTHON_TESTS")
    if folder:
        if folder not in sys.path:
            sys.path.insert(0, folder)
        return importlib.import_module("test_concurrent_futures")
    return importlib.import_module(f"{_PACKAGE}.{name}")


class _Programs:
    """Tests of whole programs, which in the suite name an executor of the standard library in their text."""

    kind: str

    def _run(self: Any, program: str) -> tuple[bytes, bytes]:
        assert_python_ok = importlib.import_module("test.support.script_helper").assert_python_ok
        module = _module("test_shutdown").__name__
        start = START if self.kind == "process" else ""
        _, out, err = assert_python_ok(
            "-c", _PROGRAM.format(path=sys.path, module=module, start=start) + program, PYTHONPATH=os.getcwd()
        )
        return out.strip(), err

    def test_interpreter_shutdown(self: Any) -> None:
        """What was submitted is done before the program ends."""
        program = (
            "if __name__ == '__main__':\n    executor = make()\n    executor.submit(sleep_and_print, 1.0, 'apple')\n"
        )
        assert self._run(program) == (b"apple", b"")

    def test_submit_after_interpreter_shutdown(self: Any) -> None:
        """Nothing can be submitted once the program ends."""
        program = """
import atexit
@atexit.register
def run_last():
    try:
        executor.submit(id, None)
    except RuntimeError:
        print("runtime-error")
        raise
if __name__ == "__main__":
    executor = make()
    executor.submit(id, 42).result()
"""
        out, err = self._run(program)
        assert out == b"runtime-error"
        assert "RuntimeError: cannot schedule new futures" in err.decode()

    def test_hang_gh83386(self: Any) -> None:
        """A program that does not wait for its executor ends all the same, when the work is done."""
        program = (
            "if __name__ == '__main__':\n    executor = make()\n    executor.submit(sleep_and_print, 1.0, 'apple')\n"
            "    executor.shutdown(wait=False)\n"
        )
        assert self._run(program) == (b"apple", b"")


def build(kind: str, group: str) -> type[unittest.TestCase]:
    """The suite's tests of one group, bound to our executor."""
    module, name = GROUPS[group]
    util = _module("util")
    body: dict[str, Any] = {"__module__": __name__, "executor_type": Executor, "kind": kind}
    if kind == "process":
        body["ctx"] = START
        body["get_context"] = lambda self: multiprocessing.get_context(START)
    bases = [getattr(_module(module), name), util.ExecutorMixin, util.BaseTestCase]
    if group == "shutdown":
        bases.insert(0, _Programs)
    if issubclass(bases[-3], util.ExecutorMixin):
        bases.remove(util.ExecutorMixin)
    return type(f"{kind.title()}{group.title()}Test", tuple(bases), body)


class _Result(unittest.TextTestResult[Any] if TYPE_CHECKING else unittest.TextTestResult):  # type: ignore[misc]
    """Ends the process with a traceback of all threads when a test hangs."""

    def startTest(self, test: unittest.TestCase) -> None:  # noqa: N802
        """Begin to watch."""
        super().startTest(test)
        faulthandler.dump_traceback_later(TEST_SECONDS, exit=True)

    def stopTest(self, test: unittest.TestCase) -> None:  # noqa: N802
        """It has ended, and so has what it left behind."""
        faulthandler.cancel_dump_traceback_later()
        super().stopTest(test)


def main(kind: str, group: str, *names: str) -> int:
    """Run a group, or so many tests of it; the number of those that failed."""
    case = build(kind, group)
    known = unittest.defaultTestLoader.getTestCaseNames(case)
    suite = unittest.TestSuite(case(name) for name in known if not names or name in names)
    result = unittest.TextTestRunner(verbosity=2, resultclass=_Result).run(suite)
    failed, skipped = len(result.failures) + len(result.errors), len(result.skipped)
    print(
        f"{kind} {group}: {result.testsRun - failed - skipped} passed, {failed} failed, {skipped} skipped", flush=True
    )
    return failed


def whole() -> int:
    """Run all groups for both kinds of workers, each group in a process of its own."""
    import subprocess

    failed = 0
    for kind in ("thread", "process"):
        for group in GROUPS:
            if group in OF_PROCESSES and kind != "process":
                continue
            done = subprocess.run(
                [sys.executable, "-m", "tests.conformance.standard_library", kind, group], check=False
            )
            failed += done.returncode != 0
    return failed


if __name__ == "__main__":
    if reason := missing():
        sys.exit(reason)
    sys.exit(min(main(*sys.argv[1:]) if sys.argv[1:] else whole(), 1))
