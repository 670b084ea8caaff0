"""Short ways to write down what a decider is given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autopar._classify import classify
from autopar._model.effects import Effect, EffectKind, EffectReport
from autopar._model.hints import Settings
from autopar._model.observation import Host, Profile, Sample, Traits
from autopar._model.workload import Workload
from autopar._plan import Situation

HOST = Host(cores=2, logical_cores=2, python="3.11.7")
CODE = compile("0", "case.py", "eval")
SEEN = EffectReport(codes=(CODE,))


def traits(*kinds: EffectKind, calls: tuple[str, ...] = (), **facts: Any) -> Traits:
    """Traits of a function with these effects, one a line from line 1 on, all of whose code was seen."""
    effects = tuple(Effect(kind, f"object {n}", "case.item", line=n) for n, kind in enumerate(kinds, 1))
    return Traits("case.item", report=EffectReport(effects=effects, codes=(CODE,), calls=calls), **facts)


def profile(
    seconds: float, *, cpu: float = 1.0, waits: float = 0.0, items: int = 10, inside: float | None = None, **known: Any
) -> Profile:
    """Measured items: wall seconds each, CPU share, waits each, cores kept busy."""
    seen = Profile(pickles=True, bytes_in=10.0, bytes_out=10.0)
    wall = seconds * items
    process_cpu = None if inside is None else inside * wall
    seen.add(Sample(items, wall, cpu * wall, process_cpu, round(waits * items)))
    for name, value in known.items():
        setattr(seen, name, value)
    return seen


def situation(
    seconds: float = 5e-3,
    remaining: int | None = 200,
    *kinds: EffectKind,
    cpu: float = 1.0,
    facts: Mapping[str, Any] | None = None,
    known: Mapping[str, Any] | None = None,
    host: Host = HOST,
    measured: bool = True,
    workload: Workload | None = None,
    seen: int = 10,
    cores: int = 0,
    warm: Mapping[str, int] | None = None,
    excluded: Mapping[str, str] | None = None,
    threads: int = 256,
    **hints: Any,
) -> Situation:
    """A planning: items of so many seconds, so many left, a function with these effects, and hints."""
    waits = cpu < 0.85
    calls = {"blocking_calls": ("socket.socket.recv",)} if waits else {}
    function = traits(*kinds, **calls, **(facts or {}))
    samples = profile(seconds, cpu=cpu, waits=float(waits), **(known or {})) if measured else Profile()
    return Situation(
        traits=function,
        workload=workload or classify(function, samples, host),
        profile=samples,
        host=host,
        settings=Settings(**hints),
        remaining=remaining,
        seen=seen,
        cores=cores,
        threads=threads,
        warm=warm or {},
        excluded=excluded or {},
    )
