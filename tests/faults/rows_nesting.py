"""Maps in maps, and maps of many threads."""

from __future__ import annotations

from tests.faults.row import Row

_ALL = ("serial", "threads", "processes", "multiprocessing", "joblib")
_NESTING, _DEEP = "tests/faults/test_nesting.py::", "tests/faults/test_four_deep.py::"

ROWS = [
    Row(
        "maps four deep, each pair of backends in turn",
        _ALL,
        "the loop's results; forking beside threads is refused with the reason",
        f"{_DEEP}test_maps_four_deep",
    ),
    Row(
        "a thousand calls submitted by 64 threads",
        ("serial", "threads", "processes", "joblib"),
        "each is answered once",
        f"{_DEEP}test_sixty_four_threads_submit",
    ),
    Row(
        "all workers wait for calls that they submitted",
        ("threads",),
        "none starves",
        f"{_NESTING}test_many_waiting_items_that_submit_do_not_starve_each_other",
    ),
    Row(
        "a callback of a call submits the next",
        ("any",),
        "works",
        "tests/api/test_calls.py::test_submit_runs_callbacks",
    ),
    Row("a function maps itself", ("threads",), "works", f"{_NESTING}test_a_recursive_map"),
]
