"""What is said of the machine: cores, GIL, start methods, and what cannot be used on it."""

from __future__ import annotations

import importlib.machinery
import multiprocessing
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType

import pytest

from autopar._model.observation import Host
from autopar._model.plan import BACKENDS, COMPILERS, Spec
from autopar._observe import host as host_module
from autopar._observe.host import (
    current_host,
    fingerprint,
    observe_host,
    start_methods,
    threads_alive,
    unavailable,
    usable_cores,
)
from autopar.errors import HintValueError

ROOT = Path(__file__).parents[2]


def no_files(_: str) -> None:
    """Read nothing: a machine without control groups."""


@pytest.fixture
def sixteen_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine of 16 cores, all of which this process may use."""
    monkeypatch.setattr(host_module, "logical_cores", lambda: 16)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(16)), raising=False)
    monkeypatch.setattr(os, "process_cpu_count", lambda: 16, raising=False)


def quota_of(text: str) -> dict[str, str]:
    return {"/proc/self/cgroup": "0::/", "/sys/fs/cgroup/cpu.max": text}


@pytest.mark.usefixtures("sixteen_cores")
@pytest.mark.parametrize(
    ("environ", "files", "cores", "why"),
    [
        ({}, {}, 16, "all cores of the machine"),
        ({}, quota_of("max 100000"), 16, "all cores of the machine"),
        ({}, quota_of("400000 100000"), 4, "the quota of 4 cores in /sys/fs/cgroup/cpu.max"),
        ({}, quota_of("150000 100000"), 2, "the quota of 1.5 cores in /sys/fs/cgroup/cpu.max"),
        ({}, quota_of("1000 100000"), 1, "the quota of 0.01 cores in /sys/fs/cgroup/cpu.max"),
        ({}, quota_of("9900000 100000"), 16, "all cores of the machine"),
        ({"PYTHON_CPU_COUNT": "3"}, {}, 3, "PYTHON_CPU_COUNT=3"),
        ({"PYTHON_CPU_COUNT": "default"}, {}, 16, "all cores of the machine"),
        ({"SLURM_CPUS_PER_TASK": "8"}, {}, 8, "SLURM_CPUS_PER_TASK=8"),
        ({"SLURM_CPUS_PER_TASK": "64"}, {}, 16, "all cores of the machine"),
        ({"AUTOPAR_CORES": "2", "SLURM_CPUS_PER_TASK": "8"}, quota_of("400000 100000"), 2, "AUTOPAR_CORES=2"),
        ({"AUTOPAR_CORES": ""}, {}, 16, "all cores of the machine"),
        ({"OMP_THREAD_LIMIT": "1", "OMP_NUM_THREADS": "1"}, {}, 16, "all cores of the machine"),
    ],
)
def test_usable_cores_are_the_least_of_all_limits(
    environ: dict[str, str], files: dict[str, str], cores: int, why: str
) -> None:
    """Affinity, quota (rounded up) and environment caps each lower the number; the one that does is named."""
    assert usable_cores(environ, files.get) == (cores, why)


@pytest.mark.usefixtures("sixteen_cores")
@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system has no CPU affinity")
def test_affinity_is_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that may run on five cores has five."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(5)))
    assert usable_cores({}, no_files) == (5, "the CPU affinity of this process")


@pytest.mark.parametrize("text", ["0", "-1", "two", "1.5", " ", "9" * 5000])
def test_a_wrong_cap_of_our_own_is_an_error(text: str) -> None:
    """AUTOPAR_CORES must be a whole number of at least 1; the message names it and the way out."""
    with pytest.raises(HintValueError, match=r"AUTOPAR_CORES=.* must be a whole number of at least 1; unset it"):
        usable_cores({"AUTOPAR_CORES": text}, no_files)


def test_this_machine_is_described() -> None:
    """What is seen here agrees with what Python says."""
    host = observe_host({})
    assert 1 <= host.cores <= host.logical_cores
    assert host.cores_why
    assert host.python == ".".join(map(str, sys.version_info[:3]))
    assert host.platform == sys.platform
    assert host.gil is getattr(sys, "_is_gil_enabled", lambda: True)()


def test_start_methods_are_those_of_multiprocessing() -> None:
    """The list, which is derived without the import, is the one that multiprocessing gives."""
    assert list(start_methods(sys.platform, sys.version_info[:2])) == multiprocessing.get_all_start_methods()


@pytest.mark.parametrize(
    ("platform", "version", "default"),
    [
        ("linux", (3, 13), "fork"),
        ("linux", (3, 14), "forkserver"),
        ("darwin", (3, 11), "spawn"),
        ("darwin", (3, 14), "spawn"),
        ("win32", (3, 14), "spawn"),
    ],
)
def test_the_default_start_method_comes_first(platform: str, version: tuple[int, int], default: str) -> None:
    """Each system's default is the first of its list, as of its Python version."""
    assert start_methods(platform, version)[0] == default


def test_threads_are_counted() -> None:
    """A thread more is one more, and its end one less."""
    release = threading.Event()
    before = threads_alive()
    thread = threading.Thread(target=release.wait)
    thread.start()
    try:
        assert threads_alive() == before + 1
    finally:
        release.set()
        thread.join()


def test_threads_are_counted_without_proc(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where /proc is hidden, the threads that Python knows of are counted."""

    def refuse(_: str) -> list[str]:
        raise FileNotFoundError

    monkeypatch.setattr(os, "listdir", refuse)
    assert threads_alive() == threading.active_count()


class _BrokenFinder(importlib.machinery.PathFinder):
    """Raises whatever it was given when the broken package is looked for."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def find_spec(  # type: ignore[override]  # an instance takes the place of the class
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> None:
        if fullname == "autopar_test_broken":
            raise self.error


def test_what_cannot_be_used_has_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    """A route not written yet, a missing, broken or half-loaded package, and an old Python each give a reason."""
    monkeypatch.setattr(sys, "meta_path", [_BrokenFinder(OSError("disk gone")), *sys.meta_path])
    monkeypatch.setitem(sys.modules, "autopar_test_unspecified", ModuleType("autopar_test_unspecified"))
    specs = [
        Spec("here", "module", ""),
        Spec("planned", None, ""),
        Spec("old", "module", "", minimum_python=(4, 2)),
        Spec("missing", "module", "", needs=("json", "autopar_test_missing")),
        Spec("missing_parent", "module", "", needs=("autopar_test_missing.part",)),
        Spec("broken", "module", "", needs=("autopar_test_broken",)),
        Spec("unspecified", "module", "", needs=("autopar_test_unspecified",)),
    ]
    here = ".".join(map(str, sys.version_info[:2]))
    reasons = unavailable(specs)
    assert reasons.pop("missing_parent").startswith("the package autopar_test_missing.part is broken: ModuleNotFound")
    assert reasons.pop("unspecified").startswith("the package autopar_test_unspecified is broken: ValueError")
    assert reasons == {
        "planned": "not part of this version",
        "old": f"needs Python 4.2 or later; this is {here}",
        "missing": "the package autopar_test_missing is not installed",
        "broken": "the package autopar_test_broken is broken: OSError: disk gone",
    }


def test_every_route_is_judged() -> None:
    """All that are not part of this version are reported, and the plain loop never is."""
    reasons: Mapping[str, str] = observe_host({}).unavailable
    unwritten = {spec.name for spec in [*BACKENDS.values(), *COMPILERS.values()] if spec.module is None}
    assert unwritten <= set(reasons)
    assert not {"serial", "python", "threads"} & set(reasons)


def test_the_look_is_kept_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fresh look is used again, an old one is not."""
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    monkeypatch.setattr(host_module, "_latest", None)
    first = current_host(refresh=5)
    now = 104.0
    assert current_host(refresh=5) is first
    now = 106.0
    assert current_host(refresh=5) is not first


def test_another_process_looks_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a parent saw before the fork is not what its child uses."""
    first = current_host()
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert current_host(refresh=1e9) is not first


@pytest.mark.parametrize(
    "other",
    [
        Host(1, logical_cores=8, python="3.13.0"),
        Host(2, logical_cores=4, python="3.13.0"),
        Host(2, logical_cores=8, python="3.12.0"),
        Host(2, logical_cores=8, python="3.13.0", gil=False),
        Host(2, logical_cores=8, python="3.13.0", platform="darwin"),
    ],
)
def test_fingerprints_tell_machines_apart(other: Host) -> None:
    """Cores, Python version, GIL and system each make another fingerprint."""
    assert fingerprint(other, "x") != fingerprint(Host(2, logical_cores=8, python="3.13.0"), "x")


def test_fingerprints_ignore_the_moment() -> None:
    """Threads, patch releases and what is installed leave the fingerprint as it is; this machine has one."""
    one = Host(2, python="3.13.0", threads_alive=1)
    other = Host(2, python="3.13.9", threads_alive=90, unavailable={"numba": "not installed"})
    assert fingerprint(one) == fingerprint(other)


def test_the_look_is_cheap() -> None:
    """The quickest of many takes less than a thousandth of the five seconds that it is good for, on any build."""

    def seconds() -> float:
        start = time.thread_time()
        observe_host({})
        return time.thread_time() - start

    assert min(seconds() for _ in range(20)) < 0.005


@pytest.mark.slow
def test_the_look_imports_nothing_heavy() -> None:
    """Looking at the machine brings in neither multiprocessing nor any package of a route."""
    code = (
        "import sys, types; sys.modules['autopar'] = house = types.ModuleType('autopar'); house.__path__ = ['autopar'];"
        "from autopar._observe.host import observe_host; observe_host();"
        "print({'multiprocessing', 'numpy', 'numba', 'joblib', 'distributed', 'asyncio'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "set()"


def test_a_package_that_was_found_is_not_looked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking on the search path takes longer than all the rest; one that is missing may be installed meanwhile."""
    looked: list[str] = []

    def find(package: str) -> object:
        looked.append(package)
        return object() if package == "autopar_test_found" else None

    monkeypatch.setattr("importlib.util.find_spec", find)
    for _ in range(2):
        assert host_module._why_missing("autopar_test_found") == ""
        assert "not installed" in host_module._why_missing("autopar_test_missing")
    assert looked == ["autopar_test_found", "autopar_test_missing", "autopar_test_missing"]
    monkeypatch.setattr(sys, "path", [*sys.path, "elsewhere"])
    assert host_module._why_missing("autopar_test_found") == ""
    assert looked.count("autopar_test_found") == 2
