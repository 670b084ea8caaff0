"""CPython's own tests of executors, a part of them; all of them are `make conformance`."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.conformance import standard_library
from tests.scripts import ROOT, environment

THINNED = [
    ("thread", "executor", ()),
    ("thread", "wait", ("test_first_exception", "test_all_completed", "test_20369")),
    ("thread", "as_completed", ("test_no_timeout", "test_duplicate_futures")),
    ("thread", "shutdown", ()),
    ("thread", "init", ()),
    ("process", "executor", ("test_submit_keyword", "test_map_exception")),
    ("process", "wait", ("test_all_completed",)),
    ("process", "shutdown", ("test_cancel_futures", "test_interpreter_shutdown")),
    ("process", "init", ()),
    ("process", "deadlock", ("test_crash_at_task_unpickle", "test_error_during_result_pickle_on_worker")),
]


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.skipif(bool(standard_library.missing()), reason=standard_library.missing())
@pytest.mark.parametrize(("kind", "group", "names"), THINNED, ids=[f"{kind}-{group}" for kind, group, _ in THINNED])
def test_the_executor_passes_the_tests_of_cpython(kind: str, group: str, names: tuple[str, ...]) -> None:
    """What CPython asks of every executor holds for autopar's, on threads and in processes."""
    program = [sys.executable, "-W", "ignore", "-m", "tests.conformance.standard_library", kind, group, *names]
    done = subprocess.run(
        program, capture_output=True, text=True, cwd=ROOT, env=environment(PYTHONWARNINGS="ignore"), timeout=280
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 failed, 0 skipped" in done.stdout
    assert not done.stdout.startswith(f"{kind} {group}: 0 passed")
