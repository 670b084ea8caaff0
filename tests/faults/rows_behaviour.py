"""Items that ruin their process, or never end."""

from __future__ import annotations

from tests.faults.row import Row

_PROCESSES = ("processes", "multiprocessing", "joblib")
_ALL = ("serial", "threads", *_PROCESSES)
_HERE = "tests/faults/test_behaviour.py::"
_CHANGES = f"{_HERE}test_an_item_changes_its_process"
_RIGHT = "all results are right, and the next map finds its workers as the caller is"

ROWS = [
    Row("an item leaves a thread that does not end", _PROCESSES, _RIGHT, f"{_CHANGES}[starts_a_thread"),
    Row("an item runs a program", _PROCESSES, _RIGHT, f"{_CHANGES}[starts_a_process"),
    Row("an item starts a process of multiprocessing", _PROCESSES, _RIGHT, f"{_CHANGES}[starts_a_forked_process"),
    Row("an item forks, the child ends", _PROCESSES, _RIGHT, f"{_CHANGES}[forks_and_ends_the_child"),
    Row(
        "an item forks, both return",
        _PROCESSES,
        "the child ends with its item: each item runs and answers once",
        f"{_HERE}test_an_item_that_forks_runs_once[forks_and_both_return",
    ),
    Row(
        "an item forks, both raise",
        _PROCESSES,
        "the same; the error arrives once",
        f"{_HERE}test_an_item_that_forks_runs_once[forks_and_both_raise",
    ),
    Row("an item ignores all signals", _PROCESSES, _RIGHT, f"{_CHANGES}[ignores_signals"),
    Row("an item changes the working folder", _PROCESSES, _RIGHT, f"{_CHANGES}[changes_the_folder"),
    Row("an item changes the locale", _PROCESSES, _RIGHT, f"{_CHANGES}[changes_the_locale"),
    Row("an item changes the start method", _PROCESSES, _RIGHT, f"{_CHANGES}[changes_the_start_method"),
    Row("an item empties environment and path", _PROCESSES, _RIGHT, f"{_CHANGES}[changes_the_environment"),
    Row("an item closes the standard streams", _PROCESSES, _RIGHT, f"{_CHANGES}[closes_the_standard_streams"),
    Row(
        "an item closes all files, its pipe to the caller too",
        _PROCESSES,
        "WorkerDiedError with its index, the others are right",
        f"{_HERE}test_an_item_ruins_its_process[closes_its_files",
    ),
    Row(
        "an item eats the stack of C",
        _PROCESSES,
        "WorkerDiedError or RecursionError with its index, the others are right",
        f"{_HERE}test_an_item_ruins_its_process[eats_the_stack",
    ),
    Row(
        "an item recurses for ever",
        _ALL,
        "the loop's RecursionError",
        f"{_HERE}test_an_item_recurses_for_ever",
    ),
    Row(
        "an item asks for more memory than its process may have",
        _PROCESSES,
        "MemoryError, and the worker lives",
        f"{_HERE}test_an_item_asks_for_more_memory_than_there_may_be",
    ),
    Row(
        "an item prints eight megabytes",
        _ALL,
        "all of it comes out, in its place",
        f"{_HERE}test_an_item_prints_without_end",
    ),
    Row(
        "a thread of the program prints while the last item of a map ends",
        ("threads",),
        "its line comes out, and the interpreter lives: before 3.14 `print` does not hold its stream",
        "tests/same_answer/test_output.py::test_a_thread_may_print_while_the_last_item_ends",
    ),
    Row(
        "an item never returns, with `timeout=`",
        ("threads", "processes"),
        "ItemTimeoutError with its index; its process is killed, the others finish",
        "tests/faults/test_timeouts.py::test_an_item_that_never_returns_is_given_up",
    ),
    Row(
        "a coroutine never returns, with `timeout=`",
        ("asyncio",),
        "it is cancelled: ItemTimeoutError with its index",
        "tests/faults/test_timeouts.py::test_a_coroutine_that_never_returns_is_cancelled",
    ),
    Row(
        "an item past its time has started a process",
        ("processes", "multiprocessing"),
        "both are ended",
        "tests/faults/test_deaths.py::test_what_an_item_past_its_time_started_ends_with_it",
    ),
]
