"""joblib's own tests, a part of them, on autopar's backend; all of them are `make conformance`."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.scripts import ROOT, environment

THINNED = " or ".join(
    (
        "test_simple_parallel and 2-2",
        "test_main_thread_renamed_no_warning",
        "test_nested_loop and autopar-autopar",
        "test_dispatch_one_job",
        "test_parallel_with_unpicklable_functions_in_args",
        "test_parallel_return_order_with_return_as_generator_parameter and 2-",
        "test_abort_backend and 2",
        "test_nested_parallelism_limit",
    )
)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_backend_passes_the_tests_of_joblib() -> None:
    """What joblib asks of every registered backend holds for autopar's."""
    program = [sys.executable, "-W", "ignore", "-m", "tests.conformance.joblib_suite", "--timeout=100", "-k", THINNED]
    done = subprocess.run(
        program, capture_output=True, text=True, cwd=ROOT, env=environment(PYTHONWARNINGS="ignore"), timeout=280
    )
    assert done.returncode == 0, done.stdout + done.stderr
    counts = re.search(r"(\d+) passed", done.stdout)
    assert counts is not None
    assert int(counts[1]) >= 10
