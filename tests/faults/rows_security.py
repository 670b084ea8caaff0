"""Hostile input; the whole of it is in docs/security.md."""

from __future__ import annotations

from tests.faults.row import Row

_FILES, _NAMES, _SECRETS = (f"tests/security/test_{name}.py::" for name in ("files", "names", "secrets"))

ROWS = [
    Row(
        "a pickle is planted in every file of the cache",
        ("none",),
        "never loaded",
        f"{_FILES}test_a_planted_pickle_never_runs",
    ),
    Row(
        "a shared object is planted in the cache",
        ("none",),
        "never loaded; compiled anew",
        "tests/compilers/test_native_faults.py::test_a_planted_object_is_not_loaded",
    ),
    Row(
        "the umask opens everything",
        ("none",),
        "files and folders are the user's alone",
        f"{_FILES}test_all_that_is_kept_is_private_whatever_the_umask",
    ),
    Row(
        "a link waits in the place of the store",
        ("none",),
        "refused",
        "tests/record/test_store.py::test_a_planted_link_is_not_followed",
    ),
    Row("a link waits in the place of a report", ("none",), "refused", f"{_FILES}test_a_report_follows_no_link"),
    Row(
        "a hostile name or annotation",
        ("none",),
        "is in no generated code",
        f"{_NAMES}test_no_name_or_annotation_gets_into_generated_code",
    ),
    Row("terminal commands in a name", ("any",), "shown as text", f"{_NAMES}test_the_log_cannot_command_a_terminal"),
    Row(
        "a secret in an item, its text or its error",
        ("serial", "threads", "processes"),
        "in no store, log, report, note or warning",
        f"{_SECRETS}test_values_stay_out_of_all_that_is_kept",
    ),
    Row(
        "a secret in the error of pickling an item",
        ("any",),
        "the record has the error's type alone",
        f"{_SECRETS}test_errors_of_pickling_are_kept_without_their_words",
    ),
    Row(
        "a cache folder that others can write",
        ("none",),
        "not used, for reading nor for writing",
        "tests/compilers/test_cache.py::test_a_folder_that_others_can_write_is_not_used",
    ),
    Row(
        "text or pickles from files, options and names that might be run",
        ("none",),
        "no module evaluates text or reads pickles, but for pipes to its own processes",
        f"{_FILES}test_no_module_runs_what_it_reads",
    ),
    Row(
        "commands for a shell in `CC`",
        ("none",),
        "no shell reads them",
        "tests/compilers/test_toolchain.py::test_no_shell_reads_cc",
    ),
    Row(
        "SQL in a name",
        ("none",),
        "only text",
        "tests/record/test_store.py::test_hostile_names_are_only_text",
    ),
    Row(
        "a script in a name, in the report",
        ("none",),
        "only text",
        "tests/report/test_report.py::test_hostile_names_are_text",
    ),
    Row(
        "a path that leads out of the cache, for `autopar forget`",
        ("none",),
        "nothing else is removed",
        f"{_FILES}test_forget_stays_in_its_folder",
    ),
    Row(
        "a cluster without encryption at a remote address",
        ("dask",),
        "refused before anything is sent, unless it is allowed",
        "tests/cluster/test_access.py::test_a_remote_cluster_without_encryption_is_refused_before_anything_is_sent",
    ),
]
