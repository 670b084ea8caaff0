"""The caller's surroundings, made to fit a node: what belongs to a machine is the node's own.

A worker process on the caller's machine looks like the caller in everything. On another machine folders, the search
path and the variables that name them mean something else, and where the node's scheduler has assigned devices or cores
to a worker, that holds.
"""

from __future__ import annotations

import functools
import os
import pickle
import sys
from typing import Any

DEVICES = ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "ZE_AFFINITY_MASK")
"""Variables by which a worker is told its devices, on any machine."""

OF_A_MACHINE = frozenset(
    """
        PATH HOME TMPDIR TMP TEMP PWD OLDPWD USER LOGNAME USERNAME SHELL HOSTNAME LD_LIBRARY_PATH LD_PRELOAD
        DYLD_LIBRARY_PATH PYTHONHOME PYTHONPATH PYTHONEXECUTABLE VIRTUAL_ENV DISPLAY TERM SSL_CERT_FILE SSL_CERT_DIR
        SYSTEMROOT APPDATA LOCALAPPDATA PROGRAMFILES COMSPEC USERPROFILE NUMBER_OF_PROCESSORS
    """.split()
)
OF_A_SYSTEM = ("SLURM_", "PBS_", "LSB_", "SGE_", "KUBERNETES_", "DASK_", "SSH_", "XDG_", "CONDA", "DBUS_")
"""Variables, and beginnings of their names, that say something of the machine that they are set on."""


@functools.cache
def this_host() -> str:
    """Names this machine: two processes that say the same see the same files and devices."""
    name = os.uname().nodename if hasattr(os, "uname") else os.environ.get("COMPUTERNAME", "")
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return f"{name} {file.read().strip()}"
    except OSError:
        return name


def adapted(snapshot: bytes, host: str) -> bytes:
    """What :func:`autopar._backends.context.capture` gave on a host, for processes of this one."""
    plain, rich, variables = pickle.loads(snapshot)
    values = pickle.loads(plain)
    same = host == this_host()
    values["path"] = _path(values.get("path", []), same)
    values["environment"] = _environment(values.get("environment", {}), same)
    directory = values.get("directory")
    if not same and directory is not None and not os.access(directory, os.X_OK):
        values.pop("directory")
    return pickle.dumps((pickle.dumps(values, protocol=5), rich, variables), protocol=5)


def _path(callers: list[str], same: bool) -> list[str]:
    """Where modules are found: on the caller's machine as there, elsewhere first what the node has.

    What `Client.upload_file` has brought is found in any case.
    """
    if same:
        return [*callers, *(entry for entry in sys.path if entry not in callers and _holds_uploads(entry))]
    return [*sys.path, *(entry for entry in callers if entry not in sys.path and os.path.exists(entry))]


def _holds_uploads(folder: str) -> bool:
    """It is a Dask worker's own, and modules are in it."""
    try:
        inside = os.listdir(folder) if os.path.basename(folder).startswith("worker-") else []
    except OSError:
        return False
    return any(name.endswith((".py", ".egg", ".zip", ".pyz")) for name in inside)


def _environment(callers: dict[Any, Any], same: bool) -> dict[Any, Any]:
    # Encoded on most systems, as the caller read them, and the same way here.
    own: dict[Any, Any] = dict(getattr(os.environ, "_data", None) or os.environ)
    found = {name: value for name, value in callers.items() if not _of_a_node(os.fsdecode(name), same)}
    found.update((name, value) for name, value in own.items() if _of_a_node(os.fsdecode(name), same))
    return found


def _of_a_node(name: str, same: bool) -> bool:
    return name in DEVICES or (not same and (name in OF_A_MACHINE or name.startswith(OF_A_SYSTEM)))
