"""Items that raise."""

from __future__ import annotations

from tests.faults.row import Row

_ALL = ("serial", "threads", "processes", "multiprocessing", "joblib", "dask")
_ITEM, _HOSTILE = "tests/faults/test_item_errors.py::", "tests/faults/test_hostile_errors.py::"
_AS_THE_LOOPS = f"{_HOSTILE}test_a_map_raises_what_the_loop_raises"

ROWS = [
    Row(
        "an item raises",
        _ALL,
        "the exception arrives as itself, with a note that names the item",
        f"{_ITEM}test_an_error_arrives_as_itself[*value",
    ),
    Row(
        "several items raise",
        _ALL,
        "the first in input order decides",
        f"{_ITEM}test_the_first_failing_item_in_input_order_decides",
    ),
    Row(
        "the exception takes other arguments than it keeps",
        _ALL,
        "same type, args, text and attributes; the constructor is not called again",
        f"{_AS_THE_LOOPS}[*takes others",
    ),
    Row(
        "the exception takes keyword-only arguments",
        _ALL,
        "same type and attributes",
        f"{_ITEM}test_attributes_of_the_exception_travel",
    ),
    Row("the exception has a failing `__str__`", _ALL, "same type and args", f"{_AS_THE_LOOPS}[*no text"),
    Row("the exception has a failing `__getattr__`", _ALL, "same type and args", f"{_AS_THE_LOOPS}[*no attributes"),
    Row("the exception has a failing `__setattr__`", _ALL, "same type and args", f"{_AS_THE_LOOPS}[*no setting"),
    Row("the exception refuses notes", _ALL, "arrives, with the note all the same", f"{_AS_THE_LOOPS}[*no notes"),
    Row("the exception does not pickle", _ALL, "same type and args", f"{_AS_THE_LOOPS}[*no reduce"),
    Row("pickling the exception exits", _ALL, "same type and args", f"{_AS_THE_LOOPS}[*exiting reduce"),
    Row(
        "the exception holds a lock",
        _ALL,
        "same type and message, the lock is left out",
        f"{_ITEM}test_an_exception_that_holds_a_lock_arrives",
    ),
    Row("the exception is of a local class", _ALL, "same class", f"{_ITEM}test_an_exception_of_a_local_class_arrives"),
    Row("an exception group", _ALL, "all members, with their attributes", f"{_AS_THE_LOOPS}[*-group]"),
    Row("a group with exits in it", _ALL, "all members", f"{_AS_THE_LOOPS}[*group with exits"),
    Row("a chained exception", _ALL, "causes and contexts too", f"{_ITEM}test_the_chain_of_an_exception_travels"),
    Row("a chain of 2,000 exceptions", _ALL, "arrives", f"{_AS_THE_LOOPS}[*long chain"),
    Row("exceptions that cause each other", _ALL, "the circle arrives", f"{_AS_THE_LOOPS}[*circle"),
    Row("RecursionError", _ALL, "as itself", f"{_ITEM}test_an_error_arrives_as_itself[*recursion"),
    Row("MemoryError", _ALL, "as itself", f"{_AS_THE_LOOPS}[*memory"),
    Row("KeyboardInterrupt raised by the item", _ALL, "as itself", f"{_AS_THE_LOOPS}[*interrupt"),
    Row("SystemExit raised by the item", _ALL, "as itself, with its code", f"{_AS_THE_LOOPS}[*exit]"),
    Row("GeneratorExit raised by the item", _ALL, "as itself", f"{_AS_THE_LOOPS}[*generator exit"),
    Row("CancelledError raised by the item", _ALL, "as itself", f"{_AS_THE_LOOPS}[*cancelled"),
    Row("StopIteration raised by the item", _ALL, "as itself; ends no map", f"{_AS_THE_LOOPS}[*stop]"),
    Row(
        "an exception as a value",
        ("processes",),
        "comes back with args, causes and frames",
        f"{_HOSTILE}test_an_exception_may_be_a_value",
    ),
    Row(
        "`on_error` itself raises",
        _ALL,
        "its exception ends the map",
        f"{_ITEM}test_an_error_of_on_error_ends_the_map",
    ),
    Row(
        "exits under `on_error`",
        _ALL,
        "are raised, not collected",
        f"{_ITEM}test_on_error_does_not_swallow_exits",
    ),
    Row(
        "the input raises at item k",
        _ALL,
        "the results before it are handed out, then its exception is raised",
        "tests/faults/test_input_errors.py::test_imap_keeps_the_results_before_an_input_error",
    ),
    Row(
        "the input never ends",
        _ALL,
        "`imap` reads it a bounded number of items ahead",
        "tests/api/test_iterators.py::test_imap_reads_an_endless_input",
    ),
    Row(
        "the input never ends, with `deadline=`",
        ("threads",),
        "DeadlineError with the index that it came to",
        "tests/faults/test_retries.py::test_an_endless_input_ends_with_the_error",
    ),
]
