"""What the control groups allow, read out of tables of files."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autopar._observe import cgroups
from autopar._observe.cgroups import cpu_quota

V2_MOUNT = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
V1_MOUNTS = (
    "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct\n"
    "34 31 0:31 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
)
V1 = "/sys/fs/cgroup/cpu,cpuacct"

CASES = {
    "nothing is readable": ({}, None),
    "version 2, no limit": (
        {
            "/proc/self/cgroup": "0::/a\n",
            "/proc/self/mountinfo": V2_MOUNT,
            "/sys/fs/cgroup/a/cpu.max": "max 100000\n",
        },
        None,
    ),
    "version 2, a fraction": (
        {
            "/proc/self/cgroup": "0::/a\n",
            "/proc/self/mountinfo": V2_MOUNT,
            "/sys/fs/cgroup/a/cpu.max": "250000 100000\n",
        },
        2.5,
    ),
    "version 2, the period left out": (
        {"/proc/self/cgroup": "0::/a\n", "/proc/self/mountinfo": V2_MOUNT, "/sys/fs/cgroup/a/cpu.max": "50000"},
        0.5,
    ),
    "version 2, an ancestor is tighter": (
        {
            "/proc/self/cgroup": "0::/slice/pod/box\n",
            "/proc/self/mountinfo": V2_MOUNT,
            "/sys/fs/cgroup/slice/pod/box/cpu.max": "800000 100000",
            "/sys/fs/cgroup/slice/pod/cpu.max": "150000 100000",
            "/sys/fs/cgroup/slice/cpu.max": "max 100000",
        },
        1.5,
    ),
    "version 2, in a namespace whose path is /": (
        {
            "/proc/self/cgroup": "0::/\n",
            "/proc/self/mountinfo": V2_MOUNT,
            "/sys/fs/cgroup/cpu.max": "300000 100000",
        },
        3.0,
    ),
    "version 2, outside the namespace's root": (
        {
            "/proc/self/cgroup": "0::/../other\n",
            "/proc/self/mountinfo": V2_MOUNT,
            "/sys/fs/cgroup/other/cpu.max": "100000 100000",
            "/sys/fs/cgroup/cpu.max": "200000 100000",
        },
        2.0,
    ),
    "version 2, mounted at an unusual place with a space": (
        {
            "/proc/self/cgroup": "0::/a\n",
            "/proc/self/mountinfo": "1 2 0:3 / /mnt/my\\040groups rw - cgroup2 none rw\n",
            "/mnt/my groups/a/cpu.max": "100000 100000",
        },
        1.0,
    ),
    "version 2, no mountinfo": (
        {"/proc/self/cgroup": "0::/a\n", "/sys/fs/cgroup/a/cpu.max": "400000 100000"},
        4.0,
    ),
    "version 1, no limit": (
        {
            "/proc/self/cgroup": "4:cpu,cpuacct:/a\n",
            "/proc/self/mountinfo": V1_MOUNTS,
            f"{V1}/a/cpu.cfs_quota_us": "-1\n",
            f"{V1}/a/cpu.cfs_period_us": "100000\n",
        },
        None,
    ),
    "version 1, nested": (
        {
            "/proc/self/cgroup": "7:memory:/m\n4:cpu,cpuacct:/a/b\n",
            "/proc/self/mountinfo": V1_MOUNTS,
            f"{V1}/a/b/cpu.cfs_quota_us": "200000",
            f"{V1}/a/b/cpu.cfs_period_us": "50000",
            f"{V1}/a/cpu.cfs_quota_us": "50000",
            f"{V1}/a/cpu.cfs_period_us": "25000",
        },
        2.0,
    ),
    "version 1, the container's own group is mounted as the root": (
        {
            "/proc/self/cgroup": "4:cpu,cpuacct:/docker/0a1b\n",
            "/proc/self/mountinfo": "32 31 0:29 /docker/0a1b /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu,cpuacct\n",
            "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "100000",
            "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000",
        },
        1.0,
    ),
    "both versions, the quota in version 1": (
        {
            "/proc/self/cgroup": "4:cpu,cpuacct:/a\n0::/a\n",
            "/proc/self/mountinfo": V1_MOUNTS + V2_MOUNT.replace("/sys/fs/cgroup ", "/sys/fs/cgroup/unified "),
            f"{V1}/a/cpu.cfs_quota_us": "300000",
            f"{V1}/a/cpu.cfs_period_us": "100000",
        },
        3.0,
    ),
    "a period of zero": (
        {"/proc/self/cgroup": "0::/\n", "/proc/self/mountinfo": V2_MOUNT, "/sys/fs/cgroup/cpu.max": "100 0"},
        None,
    ),
    "nonsense everywhere": (
        {"/proc/self/cgroup": "a\n:\n0:", "/proc/self/mountinfo": "x - cgroup2\n\n", "/sys/fs/cgroup/cpu.max": ""},
        None,
    ),
}


@pytest.mark.parametrize(("files", "cores"), CASES.values(), ids=CASES.keys())
def test_the_least_quota_on_the_way_up_rules(files: dict[str, str], cores: float | None) -> None:
    """The quota is the least of the group's own and its ancestors', wherever and however they are mounted."""
    quota = cpu_quota(files.get)
    assert (quota.cores if quota else None) == cores


def test_a_quota_names_its_file() -> None:
    """The answer says which file holds the limit, so that a user can find it."""
    files = {"/proc/self/cgroup": "0::/a", "/sys/fs/cgroup/a/cpu.max": "100000 100000"}
    quota = cpu_quota(files.get)
    assert quota is not None
    assert quota.source == "/sys/fs/cgroup/a/cpu.max"


@given(quotas=st.lists(st.integers(1, 10**7), min_size=1, max_size=6), period=st.integers(1000, 10**6))
def test_depth_and_order_do_not_matter(quotas: list[int], period: int) -> None:
    """Whatever the nesting, the result is the minimum."""
    names = [f"g{n}" for n in range(len(quotas))]
    files = {"/proc/self/cgroup": "0::/" + "/".join(names), "/proc/self/mountinfo": V2_MOUNT}
    for depth, quota in enumerate(quotas, 1):
        files["/".join(["/sys/fs/cgroup", *names[:depth], "cpu.max"])] = f"{quota} {period}"
    found = cpu_quota(files.get)
    assert found is not None
    assert math.isclose(found.cores, min(quotas) / period)


anything = st.text("0123456789 :/-.,\\\n\0cgroup2pu\u0664", max_size=100)


@given(st.fixed_dictionaries({}, optional={"/proc/self/cgroup": anything, "/proc/self/mountinfo": anything}))
def test_no_content_breaks_the_reader(files: dict[str, str]) -> None:
    """Files that say anything at all give a quota or none, never an error."""
    cpu_quota(lambda path: files.get(path, "1 1"))


MEMORY_CASES = [
    ("no-limit", {"memory.max": "max", "memory.current": "5"}, None),
    ("v2", {"memory.max": "1000", "memory.current": "300"}, 700),
    ("files-can-go", {"memory.max": "1000", "memory.current": "900", "memory.stat": "anon 1\ninactive_file 500"}, 600),
    ("over-it", {"memory.max": "1000", "memory.current": "1200"}, 0),
    ("nonsense", {"memory.max": "much", "memory.current": "5"}, None),
    ("no-usage", {"memory.max": "1000"}, None),
]


@pytest.mark.parametrize(("files", "left"), [case[1:] for case in MEMORY_CASES], ids=[case[0] for case in MEMORY_CASES])
def test_the_room_under_a_memory_limit(files: dict[str, str], left: int | None) -> None:
    """What a group may still take is its limit less what it holds and the kernel would not drop."""
    there = {"/proc/self/cgroup": "0::/app"} | {f"/sys/fs/cgroup/app/{name}": text for name, text in files.items()}
    room = cgroups.memory_room(there.get)
    assert (None if room is None else room.bytes) == left


def test_the_tightest_group_on_the_way_up_rules() -> None:
    """A parent may leave less than the group itself, and version 1 has names of its own."""
    there = {
        "/proc/self/cgroup": "0::/a/b",
        "/sys/fs/cgroup/a/b/memory.max": "1000",
        "/sys/fs/cgroup/a/b/memory.current": "10",
        "/sys/fs/cgroup/a/memory.max": "500",
        "/sys/fs/cgroup/a/memory.current": "400",
    }
    assert cgroups.memory_room(there.get) == cgroups.Room(100, "/sys/fs/cgroup/a/memory.max")
    older = {
        "/proc/self/cgroup": "4:memory:/a",
        "/sys/fs/cgroup/memory/a/memory.limit_in_bytes": "800",
        "/sys/fs/cgroup/memory/a/memory.usage_in_bytes": "300",
        "/sys/fs/cgroup/memory/a/memory.stat": "total_inactive_file 100",
        "/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712",
        "/sys/fs/cgroup/memory/memory.usage_in_bytes": "300",
    }
    assert cgroups.memory_room(older.get) == cgroups.Room(600, "/sys/fs/cgroup/memory/a/memory.limit_in_bytes")
