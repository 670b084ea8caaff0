"""What a user reads of a decision."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autopar._model.decision import Decision, Trial
from autopar._model.plan import Plan, Rejected
from autopar._model.workload import Kind, Workload
from autopar._record import duration, explain, table
from tests.record.strategies import decisions

LOOP = Plan()
PROCESSES = Plan(backend="processes", workers=2)
THREADS = Plan(backend="threads", workers=2)


def decision(**changes: object) -> Decision:
    fields: dict[str, object] = {
        "number": 1,
        "function": "shop.price",
        "operation": "map",
        "started": 0.0,
        "items": 1240,
        "workload": None,
        "plan": PROCESSES,
        "actual": 0.5,
        **changes,
    }
    return Decision(**fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, "shop.price: map over 1,240 items ran on 2 processes in 500 ms."),
        ({"items": 1, "plan": LOOP}, "shop.price: map over 1 item ran in the plain loop in 500 ms."),
        (
            {"serial_estimate": 0.95},
            "shop.price: map over 1,240 items ran on 2 processes in 500 ms, "
            "1.9 times as fast as the plain loop's estimated 950 ms.",
        ),
        (
            {"error": "ValueError"},
            "shop.price: map over 1,240 items ended with ValueError after 500 ms on 2 processes.",
        ),
        ({"why": "two processes compute at once"}, "Why: two processes compute at once."),
        ({"why": "Done."}, "Why: Done."),
        ({"predicted": 0.47}, "It was predicted to take 470 ms."),
        (
            {"workload": Workload(Kind.CPU, 0.005, 0.005, 1.0, confidence=0.9, evidence=("CPU is 99% of wall",))},
            "It is CPU-bound work of 5 ms an item that holds the GIL for all of its CPU time (confidence 90%):\n"
            "  - CPU is 99% of wall",
        ),
        (
            {"workload": Workload(Kind.CPU, 0.005, 0.005, 0.25)},
            "It is CPU-bound work of 5 ms an item that holds the GIL for 25% of its CPU time (confidence 50%).",
        ),
        (
            {"workload": Workload(Kind.IO, 0.015, 1e-4, 0.5)},
            "It is I/O-bound work of 15 ms an item (confidence 50%).",
        ),
        ({"workload": Workload(Kind.TINY, 1e-7, 1e-7)}, "Its items are tiny, 100 ns each (confidence 50%)."),
        (
            {"tried": ((LOOP, 8), (PROCESSES, 1232))},
            "It ran in parts:\n  - 8 items in the plain loop\n  - 1,232 items on 2 processes",
        ),
        (
            {"rejected": (Rejected(Plan(backend="threads", workers=2, predicted=1.5), "items hold the GIL"),)},
            "Not chosen:\n  - 2 threads, predicted 1.5 s: items hold the GIL",
        ),
        (
            {"rejected": (Rejected(THREADS, "line 7 writes a global: global 'total'", hint="thread_safe=True"),)},
            "  - 2 threads: line 7 writes a global: global 'total' (thread_safe=True would allow it)",
        ),
        ({"fallbacks": ("an item did not pickle",)}, "What went differently:\n  - an item did not pickle"),
        ({"notes": ("chunks of 20 items",)}, "Notes:\n  - chunks of 20 items"),
    ],
)
def test_an_explanation_says_it_in_words(changes: dict[str, object], sentence: str) -> None:
    """Every fact of a decision has its sentence, with units a person reads."""
    assert sentence in explain(decision(**changes))


def test_what_was_relied_on_and_how_each_plan_turned_out_is_told() -> None:
    """The plans that were chosen come with what was predicted for their items and what they took."""
    threads, loop = Plan(backend="threads", workers=8, predicted=9.0), Plan()
    text = explain(
        decision(
            learned="12 earlier maps, 3 processes",
            trials=(Trial(threads, 40, 0.5, 0.4), Trial(loop, 1, 0.25)),
        )
    )
    assert "It was planned on what was learned from 12 earlier maps, 3 processes." in text
    heading, first, second = text[text.index("Predicted and actual:") :].split("\n")[:3]
    assert heading == "Predicted and actual:"
    assert first == "  - 40 items on 8 threads: predicted 400 ms, took 500 ms"
    assert second == "  - 1 item in the plain loop took 250 ms"


def test_what_is_not_known_is_not_mentioned() -> None:
    """A bare decision is one sentence."""
    assert explain(decision()) == "shop.price: map over 1,240 items ran on 2 processes in 500 ms."


def test_a_plan_that_only_ran_is_not_listed_as_parts() -> None:
    """Parts are told only where there were several."""
    assert "parts" not in explain(decision(tried=((PROCESSES, 1240),)))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0 ns"),
        (5e-9, "5 ns"),
        (9.994e-7, "999 ns"),
        (9.996e-7, "1 µs"),
        (0.0012345, "1.23 ms"),
        (0.9999, "1 s"),
        (2.345, "2.35 s"),
        (99.4, "99.4 s"),
        (99.6, "1 min 40 s"),
        (3599.6, "1 h 0 min"),
        (86_400, "24 h 0 min"),
        (math.inf, "inf s"),
        (math.nan, "nan s"),
        (-0.5, "-500 ms"),
    ],
)
def test_durations_have_three_digits_and_a_unit(seconds: float, text: str) -> None:
    """A time is written with the unit that suits it; rounding never leaves four digits."""
    assert duration(seconds) == text


@given(st.floats(1e-9, 1e8))
def test_durations_never_need_an_exponent(seconds: float) -> None:
    """No time between a nanosecond and three years is written as 1e+03."""
    assert "e" not in duration(seconds)


def test_a_table_has_aligned_columns() -> None:
    """Words stand left, numbers right, and a line ends where its text does."""
    rows = [
        decision(serial_estimate=1.0, predicted=0.47, why="two processes compute at once"),
        decision(function="f", items=3, plan=LOOP, actual=2e-6, workload=Workload(Kind.TINY, 1e-6, 1e-6)),
    ]
    assert table(rows).splitlines() == [
        "function    items  kind  plan         predicted  actual  speedup  why",
        "----------  -----  ----  -----------  ---------  ------  -------  -----------------------------",
        "shop.price  1,240  -     2 processes     470 ms  500 ms    2.00x  two processes compute at once",
        "f               3  tiny  serial               -    2 µs        -",
    ]


def test_a_table_of_nothing_has_its_headings() -> None:
    """No decisions: two lines."""
    assert len(table([]).splitlines()) == 2


def test_long_names_and_reasons_are_shortened_in_a_table() -> None:
    """The end of a name and the beginning of a reason stay; an error stands before the reason."""
    (_, _, line) = table([decision(function="m." * 50 + "price", why="x" * 100, error="KeyError")]).splitlines()
    assert line.startswith("…")
    assert "m.price" in line
    assert "KeyError: x" in line
    assert line.endswith("x…")
    assert len(line) < 170


@given(decisions)
def test_any_decision_is_explained(some: Decision) -> None:
    """Whatever a decision holds, its text has no character that commands a terminal or breaks a line."""
    text = explain(some)
    assert all(line.isprintable() for line in text.split("\n"))
    bullets = len(some.rejected) + len(some.notes) + len(some.fallbacks) + len(some.tried)
    bullets += len(some.trials)
    assert len(text.split("\n")) <= 10 + bullets + (len(some.workload.evidence) if some.workload else 0)


@given(st.lists(decisions, max_size=3))
def test_any_decisions_make_a_table(some: list[Decision]) -> None:
    """Each decision is one line, whatever its names contain."""
    lines = table(some).split("\n")
    assert len(lines) == 2 + len(some)
    assert all(line.isprintable() for line in lines)
