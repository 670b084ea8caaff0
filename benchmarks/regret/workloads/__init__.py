"""The workloads, a module for each family; each module lists its own in ``WORKLOADS``."""

from __future__ import annotations

from importlib import import_module

from benchmarks.regret.workload import Workload

FAMILIES = (
    "tiny",
    "interpreter",
    "numeric",
    "waiting",
    "network",
    "storage",
    "library",
    "arrays",
    "payloads",
    "closures",
    "durations",
    "streams",
    "coroutines",
)


def family(name: str) -> tuple[Workload, ...]:
    """List the workloads of one family; only its module is imported."""
    workloads: tuple[Workload, ...] = import_module(f"{__name__}.{name}").WORKLOADS
    return workloads


def all_workloads() -> dict[str, tuple[str, Workload]]:
    """Map each workload's name to its family and itself."""
    return {workload.name: (name, workload) for name in FAMILIES for workload in family(name)}
