"""Maps in maps in maps in maps, on every pair of backends in turn; and calls from many threads at once."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from typing import Any

import pytest

from autopar import parallel
from tests.api.functions import square
from tests.scripts import ROOT, environment

LONG = os.environ.get("AUTOPAR_TEST_LONG") == "1"

pytestmark = [
    pytest.mark.timeout(180),
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="one of the backends forks"),
]

BACKENDS = ["serial", "threads", "processes", "multiprocessing", "joblib"]
COSTLY = {"processes", "multiprocessing", "joblib"}
"""A tree of interpreters of these takes seconds."""

PAIRS = [(one, two) for one in BACKENDS for two in BACKENDS]
QUICK = [(one, two) for one, two in PAIRS if not {one, two} & {"joblib"} and not {one, two} <= COSTLY]

PROGRAM = """
import sys
from autopar import parallel
from autopar.errors import UnavailableError

def item(x, depth, ways):
    if depth == 0:
        return x
    function = parallel(item, pure=True)
    items = [x, x + 1] if depth == 4 else [x]
    return function.map(items, depth=depth - 1, ways=ways[::-1], backend=ways[0], workers=len(items))

def loop(x, depth):
    return x if depth == 0 else [loop(each, depth - 1) for each in ([x, x + 1] if depth == 4 else [x])]

try:
    assert item(0, 4, tuple(sys.argv[1:])) == loop(0, 4)
except UnavailableError as error:
    assert "forks this process" in str(error), error
    print("refused")
else:
    print("right")
"""


@pytest.mark.parametrize(("one", "two"), PAIRS if LONG else QUICK[::2])
def test_maps_four_deep(one: str, two: str) -> None:
    """The results are the loop's; what forks this process is refused beside threads, and says so."""
    # What joblib's resource tracker says of workers that are gone goes to the standard error.
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, one, two],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment(),
        timeout=150,
    )
    refused = "multiprocessing" in (one, two)
    assert done.stdout in (("right\n", "refused\n") if refused else ("right\n",)), done.stderr


@pytest.mark.parametrize("backend", ["serial", "threads", "processes", "joblib"])
def test_sixty_four_threads_submit(backend: str) -> None:
    """Each of a thousand calls, submitted from 64 threads at once, is answered once."""
    function: Any = parallel(square.__wrapped__, pure=True, backend=backend)
    answers: list[list[int]] = []
    start = threading.Barrier(64)

    def submit(n: int) -> None:
        start.wait(60)
        futures = [function.submit(x) for x in range(n, n + 16)]
        answers.append([future.result(100) for future in futures])

    threads = [threading.Thread(target=submit, args=(n,)) for n in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert sorted(answers) == [[x * x for x in range(n, n + 16)] for n in range(64)]
