"""Programs that are ended, that end by themselves, or that fork."""

from __future__ import annotations

from tests.faults.row import Row

_PROCESSES = ("processes", "multiprocessing", "joblib")
_LIFE, _END = "tests/faults/test_program_life.py::", "tests/faults/test_program_end.py::"

ROWS = [
    *(
        Row(
            f"{how} to a program in the middle of a map",
            _PROCESSES,
            "all that it has started ends, and nothing stays in /dev/shm",
            f"{_END}test_nothing_is_left_of_a_program_that_is_ended[*{how}",
        )
        for how in ("SIGINT", "SIGTERM", "SIGKILL")
    ),
    Row(
        "SIGKILL to a program whose items hold the GIL in C",
        _PROCESSES,
        "the system ends its workers; no item has to let go of the interpreter",
        f"{_END}test_workers_end_with_their_parent_whatever_they_are_at[holds-the-gil-*",
    ),
    Row(
        "SIGKILL to a program that a process forked from it outlives",
        ("processes",),
        "its workers end all the same",
        f"{_END}test_workers_end_with_their_parent_whatever_they_are_at[has-forked-processes",
    ),
    Row(
        "the program has ended before its worker is up",
        _PROCESSES,
        "the worker ends at once, and holds nothing open",
        "tests/backends/test_parent_end.py::test_workers_that_start_after_their_parents_end",
    ),
    Row(
        "a script without a `__main__` guard",
        ("serial", "threads", "processes"),
        "works, and runs once",
        "tests/api/test_origins.py::test_functions_of_a_script",
    ),
    Row(
        "Ctrl-C in a map",
        ("serial", "threads", "processes"),
        "KeyboardInterrupt, and the workers are gone",
        f"{_LIFE}test_ctrl_c_ends_a_map",
    ),
    Row(
        "Ctrl-C while coroutines wait",
        ("asyncio",),
        "they are cancelled, and their `finally` runs",
        f"{_LIFE}test_ctrl_c_lets_coroutines_clean_up",
    ),
    Row(
        "Ctrl-C at the terminal, to all processes",
        ("processes",),
        "one traceback at most, and everything ends",
        f"{_LIFE}test_ctrl_c_to_the_group_ends_everything",
    ),
    Row(
        "the program ends while a call still runs",
        ("threads", "processes"),
        "the call keeps nothing alive",
        f"{_LIFE}test_a_program_ends_while_a_submitted_call_still_runs",
    ),
    Row(
        "the program ends while an iterator is open",
        ("threads", "processes"),
        "it ends",
        f"{_LIFE}test_a_program_ends_while_an_iterator_is_open",
    ),
    Row(
        "a map from a finalizer, in the middle of another map",
        ("serial", "threads", "processes"),
        "both are right",
        f"{_END}test_a_map_from_a_finalizer",
    ),
    Row(
        "a map in an exit handler",
        ("serial", "threads", "processes"),
        "works, with workers that are there or new",
        f"{_END}test_a_map_in_an_exit_handler",
    ),
    Row(
        "a map on joblib's executor in an exit handler",
        ("joblib",),
        "TransportError: the executor takes nothing more by then",
        f"{_END}test_a_map_on_joblib_in_an_exit_handler",
    ),
    Row(
        "a map at the shutdown of the interpreter, in a program that has mapped",
        ("serial", "threads", "processes"),
        "the plain loop; UnavailableError where something else is demanded",
        f"{_END}test_a_map_at_the_shutdown_of_the_interpreter",
    ),
    Row(
        "a daemon thread maps while the program ends",
        ("threads", "processes", "joblib"),
        "it neither hangs nor crashes the end",
        f"{_END}test_a_daemon_thread_maps_while_the_program_ends",
    ),
    Row(
        "the program forks in the middle of a map",
        ("threads", "processes", "joblib"),
        "the child maps with pools of its own, the parent's map is whole",
        f"{_END}test_a_program_forks_in_the_middle_of_a_map",
    ),
    Row(
        "a forked child ends the ordinary way",
        ("processes",),
        "the parent's workers stay",
        f"{_LIFE}test_a_forked_child_that_just_ends_harms_nobody",
    ),
    Row(
        "SIGCHLD is ignored",
        ("processes", "multiprocessing"),
        "maps work; a dead worker is named, its exit code is not known",
        f"{_END}test_a_program_that_ignores_the_end_of_children",
    ),
]
