"""Decisions of all sorts, for Hypothesis."""

from __future__ import annotations

from hypothesis import strategies as st

from autopar._model.decision import Decision, Trial
from autopar._model.plan import BACKENDS, COMPILERS, Plan, Rejected
from autopar._model.workload import Kind, Workload

# Anything Python can hold in a str, lone surrogates included: `__name__` may be anything.
texts = st.text(
    st.characters(exclude_categories=()) | st.characters(categories=["Cs"], max_codepoint=0xDBFF), max_size=20
)
numbers = st.floats(allow_nan=False)
shares = st.floats(0, 1)
counts = st.integers(0, 2**70)

plans = st.builds(
    Plan,
    compiler=st.sampled_from(sorted(COMPILERS)),
    backend=st.sampled_from(sorted(BACKENDS)),
    workers=st.integers(1, 10**6),
    chunksize=st.none() | st.integers(1, 10**9),
    predicted=st.none() | numbers,
    adaptive=st.booleans(),
)
workloads = st.builds(
    Workload,
    kind=st.sampled_from(Kind),
    seconds_per_item=numbers,
    cpu_per_item=numbers,
    gil_share=st.none() | shares,
    cores_per_item=numbers,
    confidence=shares,
    evidence=st.lists(texts, max_size=3).map(tuple),
)
decisions = st.builds(
    Decision,
    number=st.integers(1, 2**63),
    function=texts,
    operation=texts,
    started=numbers,
    items=counts,
    workload=st.none() | workloads,
    plan=plans,
    rejected=st.lists(st.builds(Rejected, plan=plans, because=texts, hint=texts), max_size=3).map(tuple),
    why=texts,
    predicted=st.none() | numbers,
    actual=numbers,
    serial_estimate=st.none() | numbers,
    tried=st.lists(st.tuples(plans, counts), max_size=3).map(tuple),
    notes=st.lists(texts, max_size=3).map(tuple),
    fallbacks=st.lists(texts, max_size=3).map(tuple),
    error=texts,
    trials=st.lists(
        st.builds(Trial, plan=plans, items=counts, actual=numbers, predicted=st.none() | numbers), max_size=2
    ).map(tuple),
    learned=texts,
)
