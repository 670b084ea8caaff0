"""Functions that are no module's: lambdas, closures over much data, closures that cannot be pickled at all."""

from __future__ import annotations

import threading
from contextlib import ExitStack

from benchmarks.regret.workload import Work, Workload
from benchmarks.regret.workloads.interpreter import WORDS, count_words, text


def a_lambda(count: int, stack: ExitStack) -> Work:
    """Prepare a lambda, which pickle refuses and cloudpickle takes."""
    texts = [text(seed, 10_000) for seed in range(count)]
    return Work(lambda text: sum(count_words(text).values()), lambda: texts)


def large_closure(count: int, stack: ExitStack) -> Work:
    """Prepare a function that reads a large table of its closure."""
    table = {f"{word} {n}": n * 7 % 1_001 for n in range(10_000) for word in WORDS[:10]}

    def look_up(seed: int) -> int:
        total, number = 0, seed
        for _ in range(10_000):
            number = (number * 1_103_515_245 + 12_345) % 2_147_483_648
            total += table[f"alpha {number % 10_000}"]
        return total

    return Work(look_up, lambda: range(count))


def with_a_lock(count: int, stack: ExitStack) -> Work:
    """Prepare a function with a lock in its closure, which nothing pickles."""
    lock = threading.Lock()
    texts = [text(seed, 10_000) for seed in range(count)]

    def counted(text: str) -> int:
        counts = count_words(text)
        with lock:
            return sum(counts.values())

    return Work(counted, lambda: texts)


WORKLOADS = (
    Workload("lambda", "a lambda, 2 ms of Python", a_lambda, 300, 60),
    Workload("large-closure", "10,000 look-ups in a closure's dict of 100,000, 4 ms", large_closure, 150, 40),
    Workload("unpicklable", "a closure with a lock, 2 ms of Python", with_a_lock, 200, 60),
)
