"""The classifier: what kind of work, whether it holds the GIL, and on what evidence."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autopar._classify import classify
from autopar._model.effects import EffectKind
from autopar._model.observation import Host, Profile, Sample, Traits
from autopar._model.workload import Kind
from tests.plan.cases import HOST, SEEN, profile, traits

ANY = Traits("case.item")
MAC = Host(cores=2, platform="darwin")

KINDS: list[tuple[str, Traits, Profile, Host, Kind]] = [
    ("computes", ANY, profile(5e-3), HOST, Kind.CPU),
    ("waits", ANY, profile(15e-3, cpu=0.02, waits=3), HOST, Kind.IO),
    ("half and half", ANY, profile(10e-3, cpu=0.5, waits=2), HOST, Kind.MIXED),
    ("hardly waits", ANY, profile(10e-3, cpu=0.95, waits=2), HOST, Kind.CPU),
    ("tiny", ANY, profile(1e-7), HOST, Kind.TINY),
    ("tiny beats waiting", ANY, profile(1e-6, cpu=0.1), HOST, Kind.TINY),
    ("busy machine", ANY, profile(10e-3, cpu=0.5), HOST, Kind.CPU),
    ("very busy machine", ANY, profile(10e-3, cpu=0.1), HOST, Kind.CPU),
    ("a rare switch on a busy machine", ANY, profile(10e-3, cpu=0.5, waits=0.1), HOST, Kind.CPU),
    ("switches though it cannot wait", traits(calls=("math.sqrt",)), profile(9e-3, cpu=0.5, waits=2), HOST, Kind.CPU),
    ("many, though it cannot", traits(calls=("builtins.sum",)), profile(9e-3, cpu=0.1, waits=2), HOST, Kind.CPU),
    ("many for the GIL", traits(calls=("numpy.sort",)), profile(9e-3, cpu=0.5, waits=8), HOST, Kind.CPU),
    (
        "many for a file",
        traits(calls=("numpy.load",), outside_calls=("numpy.load",)),
        profile(9e-3, cpu=0.5, waits=8),
        HOST,
        Kind.MIXED,
    ),
    ("switches and it may open files", traits(calls=("open",)), profile(9e-3, cpu=0.5, waits=2), HOST, Kind.MIXED),
    ("a call that waits", traits(blocking_calls=("time.sleep",)), profile(1.0, cpu=0.0, waits=0.1), HOST, Kind.IO),
    ("a coroutine", Traits("case.item", is_async=True), profile(10e-3, cpu=0.01), HOST, Kind.IO),
    ("waits where switches cannot be counted", ANY, profile(10e-3, cpu=0.1), MAC, Kind.IO),
    ("its threads compute for it", ANY, profile(10e-3, cpu=0.05, waits=4, inside=1.9), HOST, Kind.CPU),
    ("nothing measured", ANY, Profile(), HOST, Kind.CPU),
    ("nothing measured but a call that waits", traits(blocking_calls=("time.sleep",)), Profile(), HOST, Kind.IO),
    ("nothing measured of a coroutine", Traits("case.item", is_async=True), Profile(), HOST, Kind.IO),
]  # fmt: skip


@pytest.mark.parametrize(("facts", "seen", "host", "kind"), [c[1:] for c in KINDS], ids=[c[0] for c in KINDS])
def test_the_kind_follows_from_what_an_item_spends_its_time_on(
    facts: Traits, seen: Profile, host: Host, kind: Kind
) -> None:
    """Waiting counts only where voluntary switches, or the code, show that the waits are the item's own."""
    assert classify(facts, seen, host).kind is kind


GIL: list[tuple[str, Traits, dict[str, Any], Host, float | None]] = [
    ("only bytecode", traits(), {}, HOST, 1.0),
    ("calls that hold it", traits(calls=("json.loads",)), {}, HOST, 1.0),
    ("a call that releases it", traits(releasing_calls=("zlib.compress",)), {}, HOST, None),
    ("a loop around one", traits(releasing_calls=("zlib.compress",), has_loops=True), {}, HOST, None),
    ("a foreign call", traits(foreign_calls=("lxml.etree.parse",)), {}, HOST, None),
    ("an operator on arrays", traits(array_work=("@",)), {}, HOST, None),
    ("a measured one", traits(array_work=("@",)), {"gil_share": 0.1}, HOST, 0.1),
    ("code that cannot be seen", traits(EffectKind.UNKNOWN), {}, HOST, None),
    ("a walk that was cut off", Traits("case.item", report=replace(SEEN, complete=False)), {}, HOST, None),
    ("no code at all", ANY, {}, HOST, None),
    ("measured", traits(), {"gil_share": 0.3, "gil_share_why": "2 threads gained 1.7x"}, HOST, 0.3),
    ("no GIL", traits(), {"gil_share": 0.9}, Host(cores=2, gil=False), 0.0),
]


@pytest.mark.parametrize(("facts", "known", "host", "share"), [c[1:] for c in GIL], ids=[c[0] for c in GIL])
def test_the_gil_share_is_measured_or_proven_or_unknown(
    facts: Traits, known: dict[str, Any], host: Host, share: float | None
) -> None:
    """A share comes from a measurement, else from code that provably holds the GIL, else it is None."""
    assert classify(facts, profile(5e-3, **known), host).gil_share == share


EVIDENCE: list[tuple[Traits, Profile, str]] = [
    (ANY, profile(15e-3, cpu=0.02, waits=3), "waits 98 % of the time (14.7 of 15 ms an item)"),
    (ANY, profile(15e-3, cpu=0.02, waits=3), "3 voluntary context switches an item"),
    (ANY, profile(15e-3, cpu=0.02, waits=1), "1 voluntary context switch an item"),
    (ANY, profile(5e-3), "computes 100 % of the time (5 of 5 ms an item)"),
    (ANY, profile(1e-7), "takes 0.1 us an item, less than sending it anywhere"),
    (ANY, profile(10e-3, cpu=0.5), "only 0 voluntary context switches in 10 items: the machine is busy"),
    (traits(), profile(5e-3), "its bytecode calls nothing that releases the GIL"),
    (
        traits(releasing_calls=("zlib.compress",)),
        profile(5e-3),
        "calls zlib.compress, which releases the GIL; its share",
    ),
    (traits(array_work=("@", "+")), profile(5e-3), "@ may be work on arrays, which releases the GIL; its share is not"),
    (ANY, profile(5e-3, gil_share=0.25), "holds the GIL for 25 % of its CPU time (measured on two threads)"),
    (ANY, profile(10e-3, inside=1.9), "runs threads of its own: keeps 1.9 cores busy"),
    (ANY, profile(10e-3, cpu=0.6, inside=1.2), "runs threads of its own: keeps 2.0 cores busy"),
    (traits(blocking_calls=("time.sleep",)), Profile(), "nothing is measured yet; it calls time.sleep, which waits"),
]


@pytest.mark.parametrize(("facts", "seen", "sentence"), EVIDENCE, ids=[c[2][:40] for c in EVIDENCE])
def test_the_evidence_gives_numbers_with_units(facts: Traits, seen: Profile, sentence: str) -> None:
    """Each fact behind a verdict is a short sentence with the figures in it."""
    assert any(said.startswith(sentence) for said in classify(facts, seen, HOST).evidence)


def test_a_multithreaded_function_counts_the_cpu_of_all_its_threads() -> None:
    """Its CPU time is that of the process, so that the planner sees the cores as taken."""
    verdict = classify(ANY, profile(10e-3, inside=1.9), HOST)
    assert verdict.cores_per_item == pytest.approx(1.9)
    assert verdict.cpu_per_item == pytest.approx(19e-3)


def test_clock_noise_is_no_second_thread() -> None:
    """Up to 1.3 cores an item count as one."""
    assert classify(ANY, profile(10e-3, inside=1.2), HOST).cores_per_item == 1.0


def test_confidence_grows_with_what_was_seen() -> None:
    """Nothing measured gives 0, one item half, more items more, and a busy machine takes some away."""
    none, one, many = (
        classify(ANY, seen, HOST).confidence for seen in (Profile(), profile(1e-2, items=1), profile(1e-2))
    )
    busy = classify(ANY, profile(1e-2, cpu=0.5), HOST).confidence
    assert none == 0.0
    assert one == 0.5
    assert one < many < 1.0
    assert 0.0 < busy < many


def test_confidence_shrinks_with_the_spread_between_runs() -> None:
    """Runs that differ say less than runs that agree."""
    steady, wild = Profile(), Profile()
    for n in range(6):
        steady.add(Sample(items=1, wall=10e-3, cpu=10e-3))
        wild.add(Sample(items=1, wall=(1e-3, 50e-3)[n % 2], cpu=1e-3))
    assert classify(ANY, wild, HOST).confidence < classify(ANY, steady, HOST).confidence


@given(
    seconds=st.floats(1e-8, 100.0),
    cpu=st.floats(0.0, 1.1),
    waits=st.floats(0.0, 50.0),
    items=st.integers(1, 1000),
    inside=st.none() | st.floats(0.0, 64.0),
)
def test_every_verdict_is_in_range(seconds: float, cpu: float, waits: float, items: int, inside: float | None) -> None:
    """Whatever was measured, confidence and shares are within 0 to 1, times are kept, and there is evidence."""
    seen = profile(seconds, cpu=cpu, waits=waits, items=items, inside=inside)
    verdict = classify(ANY, seen, HOST)
    assert 0.0 < verdict.confidence <= 1.0
    assert verdict.seconds_per_item == seen.seconds_per_item
    assert verdict.cores_per_item >= 1.0
    assert verdict.evidence
