"""Say what sort of work a function is: a pure function from what was seen to a :class:`Workload`."""

from __future__ import annotations

from autopar._model.effects import EffectKind
from autopar._model.observation import Host, Profile, Traits
from autopar._model.workload import Kind, Workload

TINY_SECONDS = 2e-6
"""An item shorter than this is hardly worth its way to a worker: benchmarks/backend_costs.py ("process item") finds
0.2 to 0.4 us for a small integer there and back; an item that holds a few objects costs several times that."""

WAITING_IS_IO = 0.8
"""Share of an item's wall time spent waiting from which it is I/O-bound. Unmeasured: a convention."""

WAITING_IS_MIXED = 0.15
"""Share of waiting from which overlapping it pays: less is what a busy machine takes from any program. Unmeasured."""

CREDIBLE_WAITS = 0.2
"""Voluntary context switches an item that make its waits its own; a plain computation shows fewer than 0.01."""

MOSTLY = 0.5
"""Share of its wall time from which an item's own thread computes most of the time. A convention."""

MULTITHREADED = 1.3
"""Cores an item keeps busy from which it runs threads of its own; one thread measures 0.95 to 1.05 with clock noise."""

_COMPUTES = """
    bisect cmath collections copy datetime decimal fractions functools heapq itertools json math operator random re
    numpy statistics string struct textwrap unicodedata zlib abs all any ascii bin bool bytearray bytes chr complex
    dict divmod enumerate filter float format frozenset getattr hasattr hash hex id int isinstance issubclass iter len
    list map max memoryview min next object oct ord pow range repr reversed round set setattr slice sorted str sum
    tuple type zip
"""
ONLY_COMPUTES = frozenset(_COMPUTES.split())
"""First parts of dotted names whose calls never wait, but for those that reach outside the process, such as
``numpy.load``; most others of the standard library may open a file."""

COUNTS_WAITS = ("linux",)
"""Platforms where a thread's voluntary context switches can be read (getrusage with RUSAGE_THREAD)."""


def classify(traits: Traits, profile: Profile, host: Host) -> Workload:
    """Say what an item spends its time on, whether it holds the GIL, and on what evidence.

    Parameters
    ----------
    traits
        Static facts; they decide where the measurements leave room, and alone while nothing is measured.
    profile
        Measured items.
    host
        The machine: is there a GIL, and can voluntary context switches be read here?

    Examples
    --------
    >>> from autopar._model.observation import Sample
    >>> profile = Profile()
    >>> profile.add(Sample(items=10, wall=0.15, cpu=0.003, waits=10))
    >>> verdict = classify(Traits("demo.fetch"), profile, Host(cores=2))
    >>> verdict.kind.value, verdict.evidence[0]
    ('io', 'waits 98 % of the time (14.7 of 15 ms an item)')
    """
    gil_share, gil_why = _gil_share(traits, profile, host)
    if not profile.items:
        return _unmeasured(traits, gil_share, gil_why)
    inside = _cores_of_an_item(traits, profile)
    multithreaded = inside > MULTITHREADED
    cpu = inside * profile.seconds_per_item if multithreaded else profile.cpu_per_item
    kind, confidence, evidence = _kind(traits, profile, host, min(1.0, inside) if multithreaded else profile.cpu_share)
    if multithreaded:
        evidence.append(f"runs threads of its own: keeps {inside:.1f} cores busy")
    if profile.importing:
        evidence.append(f"the first one also imported modules, which is taken for {_ms(profile.importing)} ms of it")
    if gil_why:
        evidence.append(gil_why)
    return Workload(
        kind=kind,
        seconds_per_item=profile.seconds_per_item,
        cpu_per_item=cpu,
        gil_share=gil_share,
        cores_per_item=inside if multithreaded else 1.0,
        confidence=confidence,
        evidence=tuple(evidence),
    )


def _cores_of_an_item(traits: Traits, profile: Profile) -> float:
    """Cores that an item keeps busy, also where a busy machine stretches its time: it then computes less of that.

    Of an item that calls what waits, some other thread may compute meanwhile that is none of its own.
    """
    if not profile.process_wall:
        return 1.0
    waits = traits.is_async or bool(traits.blocking_calls) or profile.cpu_share <= MOSTLY
    return profile.cores_per_item if waits else profile.cores_per_item / profile.cpu_share


def _unmeasured(traits: Traits, gil_share: float | None, gil_why: str) -> Workload:
    if traits.is_async:
        kind, why = Kind.IO, "nothing is measured yet; a coroutine function is written to wait"
    elif traits.blocking_calls:
        kind, why = Kind.IO, f"nothing is measured yet; it calls {traits.blocking_calls[0]}, which waits"
    else:
        kind, why = Kind.CPU, "nothing is measured yet"
    evidence = (why, gil_why) if gil_why else (why,)
    return Workload(kind, 0.0, 0.0, gil_share=gil_share, confidence=0.0, evidence=evidence)


def _kind(traits: Traits, profile: Profile, host: Host, cpu_share: float) -> tuple[Kind, float, list[str]]:
    """The kind, how sure it is, and the evidence."""
    each = profile.seconds_per_item
    confidence = _confidence(profile)
    if each < TINY_SECONDS:
        return Kind.TINY, confidence, [f"takes {each * 1e6:.2g} us an item, less than sending it anywhere"]
    waiting = 1.0 - cpu_share
    waited = f"waits {_percent(waiting)} of the time ({_ms(each * waiting)} of {_ms(each)} ms an item)"
    computes = f"computes {_percent(cpu_share)} of the time ({_ms(each * cpu_share)} of {_ms(each)} ms an item)"
    if waiting < WAITING_IS_MIXED:
        return Kind.CPU, confidence, [computes]
    believed, why = _waits_are_its_own(traits, profile, host, waiting)
    if not believed:
        return Kind.CPU, confidence * 0.7, [computes, why]
    kind = Kind.IO if waiting >= WAITING_IS_IO else Kind.MIXED
    return kind, confidence, [waited, why] if why else [waited]


def _waits_are_its_own(traits: Traits, profile: Profile, host: Host, waiting: float) -> tuple[bool, str]:
    """Tell waiting for something from being kept off the CPU by other programs, or off the GIL by other threads."""
    if traits.is_async:
        return True, "is a coroutine function"
    if traits.blocking_calls and (profile.waits or waiting >= WAITING_IS_IO or host.platform not in COUNTS_WAITS):
        return True, f"calls {traits.blocking_calls[0]}, which waits"
    # What releases the GIL while it computes may wait to get it back, which another thread has: that is no wait.
    if _all_seen(traits) and not traits.outside_calls and all(map(_only_computes, traits.report.calls)):
        return False, "calls nothing that could wait: the machine is busy"
    if host.platform not in COUNTS_WAITS:
        return True, ""
    rate = profile.waits_per_item
    if rate >= CREDIBLE_WAITS:
        return True, f"{_count(rate)} voluntary context {'switch' if _count(rate) == '1' else 'switches'} an item"
    return False, f"only {profile.waits} voluntary context switches in {profile.items} items: the machine is busy"


def _only_computes(call: str) -> bool:
    return call.removeprefix("builtins.").split(".")[0].lstrip("_") in ONLY_COMPUTES


def _gil_share(traits: Traits, profile: Profile, host: Host) -> tuple[float | None, str]:
    """Share of CPU time under the GIL, and why it is thought so; None where only a trial can tell."""
    if not host.gil:
        return 0.0, "this Python has no GIL"
    if traits.gil_seconds is not None:
        share = min(1.0, traits.gil_seconds / max(profile.cpu_per_item, 1e-9)) if profile.items else 0.0
        return share, "its compiled code runs without the GIL"
    if profile.gil_share is not None:
        why = profile.gil_share_why or "measured on two threads"
        return profile.gil_share, f"holds the GIL for {_percent(profile.gil_share)} of its CPU time ({why})"
    calls = traits.blocking_calls or traits.releasing_calls or traits.foreign_calls
    if _all_seen(traits) and not calls and not traits.array_work:
        return 1.0, "its bytecode calls nothing that releases the GIL"
    if traits.releasing_calls:
        return None, f"calls {traits.releasing_calls[0]}, which releases the GIL; its share is not measured yet"
    if _all_seen(traits) and not calls:
        return (
            None,
            f"{traits.array_work[0]} may be work on arrays, which releases the GIL; its share is not measured yet",
        )
    return None, ""


def _all_seen(traits: Traits) -> bool:
    """Every call that it makes is known by name."""
    report = traits.report
    unseen = not report.complete or any(effect.kind is EffectKind.UNKNOWN for effect in report.effects)
    return bool(report.codes) and not unseen


def _confidence(profile: Profile) -> float:
    """Grows with the runs seen, shrinks with the spread between them; a single item is worth half."""
    seen = 1.0 - 0.5 ** min(profile.items, profile.runs + 2)
    mean = profile.seconds_per_item
    relative = profile.spread / mean if mean > 0 else 0.0
    return seen / (1.0 + 0.5 * min(relative, 2.0))


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:.3g}"


def _count(rate: float) -> str:
    return f"{rate:.0f}" if rate >= 10 or abs(rate - round(rate)) < 0.05 else f"{rate:.1f}"
