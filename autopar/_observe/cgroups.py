"""The CPU quota and the memory limit that Linux control groups put on this process.

A group may hold a tenth of the quota of its parent or ten times as much; the least one on the way up rules. Mount
points come from ``/proc/self/mountinfo``, because version 1 and version 2 may be mounted side by side and anywhere.
Inside a control group namespace ``/proc/self/cgroup`` says ``/`` for whatever group the namespace started in, whose
files then lie at the mount point: the walk ends there, so it sees them too. Files: Linux,
Documentation/admin-guide/cgroup-v2.rst ("cpu.max", "memory.max"), Documentation/scheduler/sched-bwc.rst
("cpu.cfs_quota_us") and Documentation/admin-guide/cgroup-v1/memory.rst.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import TypeAlias

from autopar._model.light_dataclass import dataclass

Read: TypeAlias = Callable[[str], "str | None"]

# What the kernel writes in mountinfo for the characters that would break its lines (fs/proc_namespace.c).
_ESCAPES = (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\"))
_DEFAULT_PERIOD = "100000"


@dataclass(frozen=True, slots=True)
class Quota:
    """A limit in cores, which may be a fraction, and the file that says so."""

    cores: float
    source: str


@dataclass(frozen=True, slots=True)
class Room:
    """Bytes that may still be taken before a limit is met, and the file that says so."""

    bytes: int
    source: str


@dataclass(frozen=True, slots=True)
class _Mount:
    version: int
    root: str
    point: str


_USUAL_MOUNTS = {
    "cpu": (
        _Mount(2, "/", "/sys/fs/cgroup"),
        _Mount(1, "/", "/sys/fs/cgroup/cpu"),
        _Mount(1, "/", "/sys/fs/cgroup/cpu,cpuacct"),
    ),
    "memory": (_Mount(2, "/", "/sys/fs/cgroup"), _Mount(1, "/", "/sys/fs/cgroup/memory")),
}


def cpu_quota(read: Read) -> Quota | None:
    """Return the least quota over this process's groups and their ancestors, or None where there is none.

    Parameters
    ----------
    read
        Returns the text of a file, or None if it cannot be read.

    Examples
    --------
    >>> files = {"/proc/self/cgroup": "0::/app", "/sys/fs/cgroup/app/cpu.max": "150000 100000"}
    >>> cpu_quota(files.get)
    Quota(cores=1.5, source='/sys/fs/cgroup/app/cpu.max')
    """
    found: list[Quota] = []
    for mount, folder in _folders("cpu", read):
        quota = (_quota_v2 if mount.version == 2 else _quota_v1)(read, folder)
        found += [] if quota is None else [quota]
    return min(found, default=None, key=attrgetter("cores"))


def memory_room(read: Read) -> Room | None:
    r"""Return the least room over this process's groups and their ancestors, or None where there is no limit.

    File contents that the kernel would drop first do not count as used, as in the kubelet's working set.

    Parameters
    ----------
    read
        Returns the text of a file, or None if it cannot be read.

    Examples
    --------
    >>> folder = "/sys/fs/cgroup/app"
    >>> files = {"/proc/self/cgroup": "0::/app", f"{folder}/memory.max": "1000", f"{folder}/memory.current": "700",
    ...          f"{folder}/memory.stat": "anon 500\ninactive_file 150"}
    >>> memory_room(files.get)
    Room(bytes=450, source='/sys/fs/cgroup/app/memory.max')
    """
    found: list[Room] = []
    for mount, folder in _folders("memory", read):
        room = _room(read, folder, *(_MEMORY_V2 if mount.version == 2 else _MEMORY_V1))
        found += [] if room is None else [room]
    return min(found, default=None, key=attrgetter("bytes"))


def oom_kills(read: Read) -> int:
    r"""Return how many processes the kernel has ended for want of memory in this process's groups, or on the machine.

    Parameters
    ----------
    read
        Returns the text of a file, or None if it cannot be read.

    Notes
    -----
    "oom_kill" of version 2's ``memory.events`` and of version 1's ``memory.oom_control``, where ancestors count
    (Documentation/admin-guide/cgroup-v2.rst); of ``/proc/vmstat`` where no group says anything.

    Examples
    --------
    >>> files = {"/proc/self/cgroup": "0::/app", "/sys/fs/cgroup/app/memory.events": "low 0\noom 2\noom_kill 1"}
    >>> oom_kills(files.get)
    1
    """
    found = [
        count
        for mount, folder in _folders("memory", read)
        if (count := _oom_kills(read(f"{folder}/memory.{'events' if mount.version == 2 else 'oom_control'}")))
        is not None
    ]
    return max(found) if found else _oom_kills(read("/proc/vmstat")) or 0


def _oom_kills(text: str | None) -> int | None:
    for line in (text or "").splitlines():
        name, _, count = line.partition(" ")
        if name == "oom_kill" and count.strip().isdecimal():
            return int(count)
    return None


_MEMORY_V2 = ("memory.max", "memory.current", "inactive_file")
_MEMORY_V1 = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
_NO_LIMIT = 1 << 60  # version 1 writes the largest number of pages for none


def _room(read: Read, folder: str, limit: str, used: str, droppable: str) -> Room | None:
    source = f"{folder}/{limit}"
    most, taken = (read(source) or "max").strip(), (read(f"{folder}/{used}") or "").strip()
    if not most.isdecimal() or not taken.isdecimal() or int(most) >= _NO_LIMIT:
        return None
    fields = dict(line.split(" ", 1) for line in (read(f"{folder}/memory.stat") or "").splitlines() if " " in line)
    files = fields.get(droppable, "0").strip()
    kept = int(taken) - (int(files) if files.isdecimal() else 0)
    return Room(max(0, int(most) - max(0, kept)), source)


def _folders(controller: str, read: Read) -> Iterator[tuple[_Mount, str]]:
    """Yield the folders of this process's groups for a controller, and of their ancestors."""
    groups = _groups(read("/proc/self/cgroup") or "")
    mounts = list(_mounts(read("/proc/self/mountinfo") or "", controller)) or _USUAL_MOUNTS[controller]
    for mount in mounts:
        group = groups.get("" if mount.version == 2 else controller)
        if group is not None:
            yield from ((mount, folder) for folder in _way_up(mount, group))


def _groups(text: str) -> dict[str, str]:
    """Parse ``/proc/self/cgroup``: controller -> path of the group; version 2 has no controller's name."""
    groups: dict[str, str] = {}
    for line in text.splitlines():
        number, _, rest = line.partition(":")
        controllers, separator, path = rest.partition(":")
        if number.isdigit() and separator:
            groups.update(dict.fromkeys(controllers.split(","), path))
    return groups


def _mounts(text: str, controller: str) -> Iterator[_Mount]:
    """Parse ``/proc/self/mountinfo`` (proc(5)): the mounts where a limit of this controller can be."""
    for line in text.splitlines():
        before, _, after = line.partition(" - ")
        fields, kind = before.split(" "), after.split(" ")
        if len(fields) < 5 or len(kind) < 3:
            continue
        if kind[0] == "cgroup2":
            yield _Mount(2, _unescape(fields[3]), _unescape(fields[4]))
        elif kind[0] == "cgroup" and controller in kind[2].split(","):
            yield _Mount(1, _unescape(fields[3]), _unescape(fields[4]))


def _unescape(path: str) -> str:
    for escaped, character in _ESCAPES:
        path = path.replace(escaped, character)
    return path


def _way_up(mount: _Mount, group: str) -> Iterator[str]:
    """Yield the folders of a group and its ancestors, up to the mount point."""
    inside = group
    if mount.root != "/" and (group == mount.root or group.startswith(mount.root + "/")):
        inside = group[len(mount.root) :]
    parts = [part for part in inside.split("/") if part]
    if ".." in parts:  # the group lies outside the namespace: nothing below the mount point is ours
        parts = []
    for depth in range(len(parts), -1, -1):
        yield "/".join([mount.point, *parts[:depth]])


def _quota_v2(read: Read, folder: str) -> Quota | None:
    source = f"{folder}/cpu.max"
    limit, *period = (read(source) or "max").split() or ["max"]
    return _quota(limit, period[0] if period else _DEFAULT_PERIOD, source)


def _quota_v1(read: Read, folder: str) -> Quota | None:
    source = f"{folder}/cpu.cfs_quota_us"
    return _quota(read(source) or "-1", read(f"{folder}/cpu.cfs_period_us") or _DEFAULT_PERIOD, source)


def _quota(limit: str, period: str, source: str) -> Quota | None:
    """Divide microseconds of CPU by microseconds of wall clock; "max" and -1 are no limit."""
    limit, period = limit.strip(), period.strip()
    if not limit.isdecimal() or not period.isdecimal() or int(limit) == 0 or int(period) == 0:
        return None
    return Quota(int(limit) / int(period), source)
