"""Worker processes that die."""

from __future__ import annotations

from tests.faults.row import Row

_PROCESSES = ("processes", "multiprocessing", "joblib")
_ONE_ITEM = "tests/faults/test_deaths.py::test_a_death_costs_one_item"
_NAMED = "the item is a WorkerDiedError with index and exit code, the others are right, the next map works"
_DEATH, _SERVER = "tests/faults/test_worker_death.py::", "tests/faults/test_fork_server.py::"
_EXECUTOR = "tests/executor/test_executor.py::TestWhatGoesWrong::"

ROWS = [
    *(
        Row(f"a worker dies {moment}: {how}", _PROCESSES, _NAMED, f"{_ONE_ITEM}[{moment}-{how}")
        for moment in ("at start", "in mid-item", "while its result is pickled", "while sending")
        for how in ("SIGKILL", "segfault in C", "exit 0", "abort")
    ),
    Row(
        "a worker dies in the middle of a chunk",
        ("processes",),
        "the items of its chunk that may run again do, one by one",
        f"{_DEATH}test_the_other_items_of_a_dead_worker_are_right",
    ),
    Row(
        "a worker dies under `imap`",
        ("processes",),
        "the results before it are handed out first",
        f"{_DEATH}test_imap_keeps_the_results_before_the_death",
    ),
    Row(
        "a worker dies under `submit`",
        ("processes",),
        "the future has the WorkerDiedError",
        f"{_DEATH}test_submit_reports_a_dead_worker",
    ),
    Row(
        "an idle worker is killed",
        ("processes",),
        "it is replaced, no item is lost",
        f"{_DEATH}test_an_idle_worker_that_was_killed_is_replaced",
    ),
    Row(
        "the program itself waits for all of its children",
        ("processes",),
        "workers whose end it took note of are replaced",
        f"{_DEATH}test_a_worker_whose_end_somebody_else_took_note_of_is_replaced",
    ),
    Row(
        "a dead worker leaves a child process",
        _PROCESSES,
        "the whole process group is ended",
        "tests/faults/test_deaths.py::test_what_a_dead_worker_started_ends_with_it",
    ),
    Row(
        "a worker dies while large arguments wait",
        _PROCESSES,
        "they are sent again",
        "tests/faults/test_deaths.py::test_a_worker_dies_while_large_arguments_wait",
    ),
    Row(
        "the process that forks a map's workers is killed",
        ("multiprocessing",),
        "it is replaced; no item is lost of those that may run twice",
        f"{_SERVER}test_a_fork_server_that_is_killed_is_replaced",
    ),
    Row(
        "the same, of items that may not run twice",
        ("multiprocessing",),
        "those that a worker had begun are WorkerDiedErrors with their index, the others run",
        f"{_SERVER}test_only_what_a_worker_had_begun_is_lost_of_items_that_may_not_run_twice",
    ),
    Row(
        "each item kills the process that forks workers",
        ("multiprocessing",),
        "it is replaced a few times; each item is an error with its index, and the map ends",
        f"{_SERVER}test_a_map_whose_items_kill_each_fork_server_ends",
    ),
    Row(
        "the initializer of an executor's worker raises, on a thread",
        ("threads",),
        "BrokenThreadPool, as in the standard library",
        f"{_EXECUTOR}test_an_initializer_that_fails_on_a_thread_breaks_the_executor",
    ),
    Row(
        "the initializer of an executor's worker raises, in a process",
        ("processes",),
        "BrokenProcessPool, with its exception as the cause",
        f"{_EXECUTOR}test_an_initializer_that_fails_in_a_process_breaks_the_executor",
    ),
]
