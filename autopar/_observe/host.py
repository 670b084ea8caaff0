"""The machine as this process may use it: cores, GIL, start methods, threads, and what cannot be used here."""

from __future__ import annotations

import functools
import importlib.util
import math
import os
import sys
import threading
import time
from collections.abc import Iterable, Mapping

from autopar._model.observation import Host
from autopar._model.plan import BACKENDS, COMPILERS, Spec
from autopar._observe.cgroups import Read, cpu_quota, memory_room
from autopar.errors import HintValueError

# Each is somebody's word about this process as a whole: the interpreter's, the batch system's, the user's.
# OMP_THREAD_LIMIT and OMP_NUM_THREADS are not here: they bound the threads of one OpenMP runtime and are often set to 1
# so that several processes can share the machine, which is what autopar is about to do.
_CAPS = ("PYTHON_CPU_COUNT", "SLURM_CPUS_PER_TASK", "AUTOPAR_CORES")

_MOST_READ = 1 << 20


def read_text(path: str, most: int = _MOST_READ) -> str | None:
    """Return the first ``most`` characters of a file, or None if it cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(most)
    except OSError:
        return None


def observe_host(environ: Mapping[str, str] | None = None, *, read: Read = read_text) -> Host:
    """Look at the machine now.

    Parameters
    ----------
    environ
        Environment variables; those of this process if left out.
    read
        Returns the text of a file under ``/proc`` or ``/sys``, or None; replaced in tests.

    Returns
    -------
    Host
        It took 0.1 to 0.2 ms on a machine of 2 cores, most of it for ``/proc/self/mountinfo``.

    Raises
    ------
    HintValueError
        ``AUTOPAR_CORES`` is not a whole number of at least 1.

    Examples
    --------
    >>> observe_host({"AUTOPAR_CORES": "1"}).cores
    1
    """
    read = functools.cache(read)  # both limits lie on the same mounts
    cores, why = usable_cores(os.environ if environ is None else environ, read)
    return Host(
        cores=cores,
        cores_why=why,
        logical_cores=logical_cores(),
        gil=_gil_enabled(),
        python=".".join(map(str, sys.version_info[:3])),
        platform=sys.platform,
        start_methods=start_methods(sys.platform, sys.version_info[:2]),
        threads_alive=threads_alive(),
        memory=available_memory(read),
        unavailable=unavailable([*BACKENDS.values(), *COMPILERS.values()]),
    )


_latest: tuple[float, int, Host] | None = None


def current_host(refresh: float = 5.0) -> Host:
    """Return the last look at the machine if it is not older than ``refresh`` seconds, else a new one.

    Quotas and affinities change while a program runs, but not often; forked children look for themselves.
    """
    global _latest
    now, known = time.monotonic(), _latest
    if known is not None and now - known[0] <= refresh and known[1] == os.getpid():
        return known[2]
    host = observe_host()
    _latest = (now, os.getpid(), host)
    return host


def usable_cores(environ: Mapping[str, str], read: Read) -> tuple[int, str]:
    """Return how many cores this process may keep busy, and what sets that number.

    The least of CPU affinity (which control groups' cpusets narrow too), control group quota and environment caps. A
    fractional quota is rounded up, as the JVM and Go 1.25 do: 1.5 cores are used better by two workers than by one.
    """
    limits = [(logical_cores(), "all cores of the machine")]
    if sys.platform not in ("darwin", "win32"):
        limits.append((len(os.sched_getaffinity(0)), "the CPU affinity of this process"))
    if sys.version_info >= (3, 13):
        limits.append((os.process_cpu_count() or 1, "os.process_cpu_count()"))
    quota = cpu_quota(read)
    if quota is not None:
        limits.append((max(1, math.ceil(quota.cores)), f"the quota of {quota.cores:g} cores in {quota.source}"))
    limits += [(cap, f"{name}={cap}") for name in _CAPS if (cap := _cap(name, environ.get(name, ""))) is not None]
    return min(limits, key=lambda limit: limit[0])


def logical_cores() -> int:
    """Count the cores of the machine; PYTHON_CPU_COUNT changes what `os.cpu_count` says, so it comes second."""
    try:
        return max(1, os.sysconf("SC_NPROCESSORS_ONLN"))
    except (AttributeError, ValueError, OSError):  # Windows has no sysconf, some systems not this name
        return os.cpu_count() or 1


def _cap(name: str, text: str) -> int | None:
    """Read a cap; what others wrote and cannot be read is no cap, our own variable must be right."""
    if text.strip().isdecimal() and len(text) < 10 and int(text) >= 1:
        return int(text)
    if name == "AUTOPAR_CORES" and text:
        raise HintValueError(f"AUTOPAR_CORES={text!r} must be a whole number of at least 1; unset it for no cap")
    return None


def available_memory(read: Read) -> int | None:
    r"""Return the bytes that this process may still take without pushing others to disk, or None if nothing says so.

    Examples
    --------
    >>> available_memory({"/proc/meminfo": "MemTotal: 8 kB\nMemAvailable:  5 kB"}.get)
    5120
    """
    known = [_system_memory(read)]
    if sys.platform not in ("darwin", "win32"):
        room = memory_room(read)
        known.append(None if room is None else room.bytes)
    return min((value for value in known if value is not None), default=None)


def _system_memory(read: Read) -> int | None:
    for line in (read("/proc/meminfo") or "").splitlines():
        name, _, value = line.partition(":")
        amount, _, unit = value.strip().partition(" ")
        if name == "MemAvailable" and amount.isdecimal():
            return int(amount) * (1024 if unit == "kB" else 1)
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # Windows has no sysconf, macOS not this name
        return None


def _gil_enabled() -> bool:
    probe = getattr(sys, "_is_gil_enabled", None)  # from 3.13
    return True if probe is None else bool(probe())


def start_methods(platform: str, version: tuple[int, int]) -> tuple[str, ...]:
    """Return what ``multiprocessing.get_all_start_methods()`` says, without importing it.

    Source: Lib/multiprocessing/context.py of each version.

    Examples
    --------
    >>> start_methods("win32", (3, 13))
    ('spawn',)
    """
    if platform == "win32":
        return ("spawn",)
    if platform == "darwin":
        return ("spawn", "fork", "forkserver")
    return ("fork", "spawn", "forkserver") if version < (3, 14) else ("forkserver", "fork", "spawn")


def threads_alive() -> int:
    """Count the threads of this process: on Linux all, elsewhere those that Python knows of."""
    if sys.platform == "linux":
        try:
            return len(os.listdir("/proc/self/task"))
        except OSError:  # no /proc, as in some sandboxes
            return threading.active_count()
    return threading.active_count()


def unavailable(specs: Iterable[Spec]) -> dict[str, str]:
    """Map the name of each backend or compiler that cannot be used here to the reason; nothing of them is imported."""
    reasons = {spec.name: _why_unavailable(spec) for spec in specs}
    return {name: reason for name, reason in reasons.items() if reason}


def _why_unavailable(spec: Spec) -> str:
    if spec.module is None:
        return "not part of this version"
    if sys.version_info[:2] < spec.minimum_python:
        needed, here = (".".join(map(str, version)) for version in (spec.minimum_python, sys.version_info[:2]))
        return f"needs Python {needed} or later; this is {here}"
    for package in spec.needs:
        if reason := _why_missing(package):
            return reason
    return ""


def _why_missing(package: str) -> str:
    place = (package, tuple(sys.path))
    if package not in sys.modules and place in _found:
        return ""
    try:
        found = importlib.util.find_spec(package)
    except Exception as error:  # a finder or a parent package may raise anything: that is then the reason
        return f"the package {package} is broken: {type(error).__name__}: {error}"
    if found is None:
        return f"the package {package} is not installed"
    _found.add(place)
    return ""


_found: set[tuple[str, tuple[str, ...]]] = set()
"""Packages that were found on a search path: they are looked for once, those that are missing again and again."""


def processor() -> str:
    """Return the processor's name: its model on Linux, else what the system calls its architecture."""
    for line in (read_text("/proc/cpuinfo", 4096) or "").splitlines():
        key, _, value = line.partition(":")
        if key.strip() in ("model name", "Model"):
            return value.strip()
    return os.environ.get("PROCESSOR_IDENTIFIER", "unknown") if sys.platform == "win32" else os.uname().machine


def fingerprint(host: Host, model: str | None = None) -> str:
    """Return a text that is the same for machines on which measured times carry over.

    Parameters
    ----------
    host
        The machine; what changes from minute to minute, such as its threads, is left out.
    model
        Name of the processor; this machine's if left out.

    Examples
    --------
    >>> fingerprint(Host(cores=2, logical_cores=8, python="3.13.0"), "Xeon 8481C")
    'linux; Xeon 8481C; 2 of 8 cores; Python 3.13 with GIL'
    """
    version = ".".join(host.python.split(".")[:2])
    cores = f"{host.cores} of {host.logical_cores} cores"
    gil = "with GIL" if host.gil else "without GIL"
    return f"{host.platform}; {processor() if model is None else model}; {cores}; Python {version} {gil}"
