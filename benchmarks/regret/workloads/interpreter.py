"""Plain Python over strings and dicts: the GIL is held throughout."""

from __future__ import annotations

import random

from benchmarks.regret.workload import Workload, over

WORDS = [a + b for a in ("alpha", "beta", "gamma", "delta", "omega", "sigma") for b in ("", "s", "ed", "ing", "er")]


def text(seed: int, words: int) -> str:
    """Make a text of random words."""
    return " ".join(random.Random(seed).choices(WORDS, k=words))


def count_words(text: str) -> dict[str, int]:
    """Count the words of a text."""
    counts: dict[str, int] = {}
    for word in text.split():
        stem = word.removesuffix("ing").removesuffix("ed").removesuffix("s")
        counts[stem] = counts.get(stem, 0) + 1
    return counts


def normalise(record: dict[str, str]) -> dict[str, str]:
    """Clean one record, as in reading a table."""
    clean = {}
    for key, value in record.items():
        clean[key.strip().lower().replace(" ", "_")] = " ".join(value.split()).title()
    clean["id"] = "-".join(sorted(clean))[:24]
    return clean


def records(count: int) -> list[dict[str, str]]:
    """Make records of ten fields."""
    return [{f" Field {n} ": f"some  value {n * row % 97} of   row" for n in range(10)} for row in range(count)]


WORKLOADS = (
    Workload(
        "words",
        "count the words of a text, 2 ms",
        over(count_words, lambda count: [text(seed, 10_000) for seed in range(count)]),
        300,
        60,
    ),
    Workload("records", "clean a dict of ten strings, 10 us", over(normalise, records), 60_000, 12_000),
    Workload(
        "short-loop",
        "count the words of a text, 20 ms in all",
        over(count_words, lambda count: [text(seed, 5_000) for seed in range(count)]),
        20,
        20,
    ),
)
