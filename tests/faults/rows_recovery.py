"""Recovery, limits of time and memory, cancelling, and checkpoints."""

from __future__ import annotations

from tests.faults.row import Row

_RECOVERY = "tests/faults/test_recovery.py::"
_RETRIES = "tests/faults/test_retries.py::"
_CANCELLING = "tests/faults/test_cancelling.py::"
_CHECKPOINTS = "tests/faults/test_checkpoints.py::"
_OWN = ("processes", "multiprocessing")
_CHANGED = "the map refuses the old results with the reason; a hint drops or takes them"

ROWS = [
    Row(
        "a worker dies in a chunk of items that reach outside the program",
        _OWN,
        "no item runs twice: those it had begun are named errors, the others run",
        f"{_RECOVERY}test_no_item_that_reaches_outside_runs_twice",
    ),
    Row(
        "the same with `retries`",
        ("processes",),
        "its items run again",
        f"{_RECOVERY}test_retries_say_that_items_which_reach_outside_may_run_twice",
    ),
    Row(
        "an item kills one worker after the other",
        ("processes",),
        "it is found by running it alone, and is the only error",
        f"{_RECOVERY}test_an_item_that_kills_workers_twice_is_isolated_and_named",
    ),
    Row(
        "the kernel ends a worker for want of memory",
        ("processes",),
        "the items run again on half as many workers, and the decision says so",
        f"{_RECOVERY}test_fewer_workers_go_on_when_memory_has_run_out",
    ),
    Row(
        "one item alone takes more memory than there is",
        ("processes",),
        "it is a WorkerDiedError, the others are right",
        f"{_RECOVERY}test_an_item_that_alone_takes_too_much_memory_is_named",
    ),
    Row(
        "workers leak with every item",
        _OWN,
        "`max_tasks_per_worker` replaces them",
        f"{_RECOVERY}test_workers_are_replaced_after_so_many_items",
    ),
    Row(
        "workers hold more and more memory",
        ("multiprocessing",),
        "`worker_memory` replaces them after their item",
        f"{_RECOVERY}test_workers_that_hold_too_much_memory_are_replaced",
    ),
    Row(
        "items fail for a while",
        ("serial", "threads", "processes"),
        "`retries` runs them again, with pauses if `backoff` says so",
        f"{_RETRIES}test_items_run_again_until_they_have_a_result",
    ),
    Row(
        "items fail for good",
        ("serial", "threads", "processes"),
        "an exception that `retry_on` does not name ends its item at once",
        f"{_RETRIES}test_other_exceptions_are_not_retried",
    ),
    Row(
        "coroutines fail for a while",
        ("asyncio",),
        "they run again likewise",
        f"{_RETRIES}test_coroutines_are_retried_alike",
    ),
    Row(
        "a map does not end by its deadline",
        ("threads", "processes"),
        "DeadlineError; what hangs is ended, the next map works",
        f"{_RETRIES}test_a_map_ends_by_its_deadline",
    ),
    Row(
        'the same with `on_error="return"`',
        ("processes",),
        "what ended in time is there, every other item has its own DeadlineError",
        f"{_RETRIES}test_with_on_error_what_ended_in_time_is_there",
    ),
    Row(
        "a coroutine, or an asynchronous input, does not end by the deadline",
        ("asyncio",),
        "it is cancelled, the error names the item",
        f"{_RETRIES}test_coroutines_end_by_the_deadline",
    ),
    Row(
        "an iterator is left while items hang",
        ("processes", "joblib"),
        "their processes are ended, the next map has its workers",
        f"{_CANCELLING}test_an_iterator_that_is_left_stops_its_items",
    ),
    Row(
        "an iterator is left while items hang on threads",
        ("threads",),
        "other threads take their places",
        f"{_CANCELLING}test_threads_that_hang_are_replaced",
    ),
    Row(
        "an item raises while later ones hang",
        ("processes",),
        "the map ends with the error, and they with it",
        f"{_CANCELLING}test_an_error_stops_the_items_after_it",
    ),
    Row(
        "the future of a running call is cancelled",
        ("processes", "threads"),
        "its process is ended; of a call on a thread `cancel()` says no",
        f"{_CANCELLING}test_cancelling_a_future_ends_its_process",
    ),
    Row(
        "the task that awaits `amap` is cancelled",
        ("processes",),
        "its items are ended",
        f"{_CANCELLING}test_a_cancelled_amap_stops_its_items",
    ),
    Row(
        "the program is killed in the middle of a map with a checkpoint",
        ("serial", "threads", "processes"),
        "run again it goes on; nothing that was handed out runs twice",
        f"{_CHECKPOINTS}test_a_killed_program_goes_on_where_it_was",
    ),
    Row(
        "an item raises in a map with a checkpoint",
        ("serial", "threads", "processes"),
        "what ended before is kept, and not run again",
        f"{_CHECKPOINTS}test_what_ended_before_an_error_is_not_run_again",
    ),
    *(
        Row(f"between two runs with a checkpoint changes: {change}", ("any",), _CHANGED, f"{_CHECKPOINTS}{test}")
        for change in ("code", "captured value", "value of a global", "called function")
        for test in (f"test_a_changed_function_is_refused[{change}",)
    ),
    Row(
        "a result cannot be kept",
        ("any",),
        "CheckpointError with index and type; results before it are safe",
        f"{_CHECKPOINTS}test_a_result_that_cannot_be_kept_is_named",
    ),
    Row(
        "a function with a checkpoint changes something of the program",
        ("any",),
        "refused before its first item, with line and hint",
        f"{_CHECKPOINTS}test_what_is_left_behind_cannot_be_kept",
    ),
    Row(
        "a pickle is planted in a checkpoint",
        ("any",),
        "it is never loaded",
        f"{_CHECKPOINTS}test_a_planted_pickle_is_never_loaded",
    ),
    Row(
        "a checkpoint, or its folder, can be written by others",
        ("any",),
        "refused with the reason",
        f"{_CHECKPOINTS}test_the_file_is_private",
    ),
    Row(
        "a checkpoint is another program's database, no database, or of a later version",
        ("any",),
        "refused, and left as it is",
        f"{_CHECKPOINTS}test_another_programs_database_is_left_alone",
    ),
    Row(
        "two maps want one checkpoint",
        ("any",),
        "the second is told so at once",
        f"{_CHECKPOINTS}test_one_map_at_a_time_has_the_file",
    ),
]
