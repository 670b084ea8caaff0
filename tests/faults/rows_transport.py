"""What does not travel, and what is large."""

from __future__ import annotations

from tests.faults.row import Row

_ALL = ("serial", "threads", "processes", "multiprocessing", "joblib")
_ON = ("processes",)
_HERE = "tests/faults/test_transport.py::"
_ARGUMENT = f"{_HERE}test_a_demand_names_the_argument_that_does_not_travel"
_RESULT = f"{_HERE}test_a_result_that_breaks_while_it_travels_is_named"
_NAMED = "TransportError with its index"

ROWS = [
    Row("an argument does not pickle", _ON, _NAMED, f"{_ARGUMENT}[*raises"),
    Row("an argument is a lock", _ON, _NAMED, f"{_ARGUMENT}[*lock"),
    Row("pickling an argument exits", _ON, _NAMED, f"{_ARGUMENT}[*exits"),
    Row("an argument raises while it is unpickled", _ON, _NAMED, f"{_ARGUMENT}[*unpickling"),
    Row(
        "a result does not pickle",
        _ON,
        _NAMED,
        f"{_HERE}test_a_demand_names_the_result_that_does_not_travel",
    ),
    Row("pickling a result exits", _ON, _NAMED, f"{_RESULT}[exits"),
    Row("a result raises while it is unpickled here", _ON, _NAMED, f"{_RESULT}[unpickling"),
    Row(
        "an argument does not pickle, and nobody demanded processes",
        _ON,
        "the rest runs here, with the loop's answer",
        f"{_HERE}test_a_chosen_backend_falls_back_for_an_argument",
    ),
    Row(
        "a result does not pickle, and nobody demanded processes",
        _ON,
        "its item runs again here if it may, else the result was made here",
        f"{_HERE}test_a_chosen_backend_falls_back_for_a_result",
    ),
    Row(
        "the function does not pickle",
        _ON,
        "TransportError that names it; the loop where nobody demanded processes",
        f"{_HERE}test_a_function_that_does_not_travel_is_named_at_once",
    ),
    Row(
        "a result of 30 MB",
        _ALL,
        "comes back whole",
        "tests/faults/test_large.py::test_a_large_result_comes_back",
    ),
    Row(
        "a result of 2 GB",
        ("serial", "threads", "processes", "multiprocessing", "joblib"),
        "comes back whole",
        "tests/faults/test_large.py::test_a_result_of_two_gigabytes_comes_back",
    ),
]
