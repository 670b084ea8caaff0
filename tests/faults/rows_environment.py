"""Surroundings that fail."""

from __future__ import annotations

from tests.faults.row import Row

_HERE = "tests/faults/test_environment.py::"
_PROCESSES = ("processes", "multiprocessing", "joblib")
_DEMANDED = f"{_HERE}test_without_workers_a_demand_is_a_named_error_for_each_item"
_CHOSEN = f"{_HERE}test_without_workers_a_choice_is_given_up"
_LARGE = f"{_HERE}test_without_room_large_arrays_still_arrive_or_are_named_errors"
_STORE = f"{_HERE}test_a_store_that_cannot_be_used_costs_a_map_one_warning"
_TOOLS = "tests/compilers/test_toolchain.py::"

ROWS = [
    Row(
        "file descriptors exhausted, backend demanded",
        _PROCESSES,
        "each item is its result, of fewer workers, or a TransportError with its index; the next map works",
        f"{_DEMANDED}[no descriptors",
    ),
    Row(
        "file descriptors exhausted, backend chosen",
        _PROCESSES,
        "every result; the loop runs what no worker can, and the decision says why",
        f"{_CHOSEN}[no descriptors",
    ),
    Row(
        "no permission to fork, backend demanded",
        _PROCESSES,
        "a TransportError with its index for each item; the next map works",
        f"{_DEMANDED}[no forks",
    ),
    Row("no permission to fork, backend chosen", _PROCESSES, "every result, in the loop", f"{_CHOSEN}[no forks"),
    Row(
        "no permission to start threads",
        ("threads",),
        "a demand for threads is an error, a choice runs in the loop; the next map works",
        f"{_HERE}test_without_new_threads_a_map_uses_those_it_has",
    ),
    Row(
        "disk and shared memory full",
        _PROCESSES,
        "large arrays go through the pipe; with joblib, which has files alone, they are errors with their index",
        f"{_LARGE}[no room",
    ),
    Row("no /dev/shm", _PROCESSES, "the same", f"{_LARGE}[no shared memory"),
    Row("no temporary folder, or none to write to", _PROCESSES, "the same", f"{_LARGE}[no temporary folder"),
    Row(
        "no room for large arrays, joblib chosen",
        ("joblib",),
        "every result, in the loop",
        f"{_HERE}test_without_room_a_choice_has_its_results",
    ),
    Row(
        "the program is killed while joblib's workers run",
        ("joblib",),
        "they end, where loky alone leaves them",
        "tests/faults/test_joblib_workers.py::test_workers_end_with_their_program",
    ),
    Row(
        "the clock is set back or ahead while maps run",
        ("serial", "threads", "processes"),
        "no item runs out of time for it, and every result is there",
        f"{_HERE}test_the_calendar_may_jump",
    ),
    Row(
        "the CPU quota changes between maps",
        ("any",),
        "the next look at the machine sees it",
        f"{_HERE}test_a_quota_that_changes_is_followed",
    ),
    Row(
        "the CPU quota changes while a map runs",
        ("threads", "processes"),
        "every result",
        f"{_HERE}test_a_quota_that_changes_under_way_harms_no_map",
    ),
    Row(
        "two programs share the store",
        ("any",),
        "both write all",
        "tests/record/test_store.py::test_two_processes_write_at_once",
    ),
    Row("the store is corrupt", ("any",), "one warning, every result, the file stays", f"{_STORE}[corrupt"),
    Row("the store is from a future version", ("any",), "the same", f"{_STORE}[of the future"),
    Row("the store can be written by others", ("any",), "the same", f"{_STORE}[writable by others"),
    Row("the store is a link", ("any",), "the same", f"{_STORE}[a link"),
    Row(
        "the store is locked",
        ("any",),
        "one warning; what waits is written later",
        f"{_HERE}test_a_locked_store_holds_up_no_map",
    ),
    Row(
        "the store is on a full disk",
        ("any",),
        "one warning, every result, and what it holds stays",
        f"{_HERE}test_a_store_on_a_full_disk_costs_a_map_one_warning",
    ),
    Row(
        "the store is read-only",
        ("any",),
        "one warning; what it holds can still be read",
        "tests/record/test_store.py::test_a_medium_that_cannot_be_written_is_survived",
    ),
    Row(
        "two programs compile the same function",
        ("none",),
        "both have it",
        "tests/compilers/test_native_faults.py::test_many_processes_compile_the_same_function",
    ),
    Row(
        "the compile cache is corrupt",
        ("none",),
        "the object is removed and compiled anew, with a note",
        "tests/compilers/test_cache.py::test_a_corrupt_object_is_ignored_with_a_reason",
    ),
    Row(
        "the compile cache cannot be written",
        ("none",),
        "compiled in each process, with a note",
        "tests/compilers/test_native_faults.py::test_with_a_home_that_cannot_be_written",
    ),
    Row(
        "the compile cache is on a full disk",
        ("none",),
        "compiled in each process, with a note",
        "tests/compilers/test_native_faults.py::test_with_a_full_disk",
    ),
    Row(
        "the compile cache is of another version",
        ("none",),
        "it has other keys",
        "tests/compilers/test_cache.py::test_a_key_stands_for_all_that_an_object_depends_on",
    ),
    Row(
        "the compile cache is deleted while it is used",
        ("none",),
        "what is loaded stays, the folder is made again",
        "tests/compilers/test_native_faults.py::test_a_cache_that_is_deleted_while_it_is_used",
    ),
    Row(
        "no temporary folder for compilers",
        ("none",),
        "the function runs in Python; a demand says why",
        f"{_HERE}test_compilers_without_a_temporary_folder_are_done_without",
    ),
    Row("no compiler", ("none",), "the function runs in Python", f"{_TOOLS}test_without_a_compiler_there_is_a_reason"),
    Row(
        "a compiler that hangs",
        ("none",),
        "ended when its time is up, with all that it has started; the function runs in Python",
        f"{_TOOLS}test_a_compiler_that_hangs_is_killed_with_its_children",
    ),
    Row(
        "a compiler that is killed",
        ("none",),
        "the function runs in Python",
        f"{_TOOLS}test_a_compiler_that_is_killed_is_a_reason",
    ),
]
