"""Generators: nobody knows how many items will come."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

from benchmarks.regret.workload import Prepare, Work, Workload
from benchmarks.regret.workloads.durations import MILLISECOND, compute


def wait(number: int) -> int:
    """Wait for 10 ms."""
    time.sleep(0.010)
    return number


def square(number: int) -> int:
    """Do next to nothing."""
    return number * number


def streamed(function: Callable[..., Any], items: Callable[[int], Iterator[Any]]) -> Prepare:
    """Prepare a function over a generator, made anew for each map."""

    def prepare(count: int, stack: ExitStack) -> Work:
        return Work(function, lambda: items(count))

    return prepare


def rounds(count: int) -> Iterator[int]:
    """Yield items of 2 ms."""
    for _ in range(count):
        yield 2 * MILLISECOND


def numbers(count: int) -> Iterator[int]:
    """Yield numbers."""
    yield from range(count)


WORKLOADS = (
    Workload("stream-map", "a generator, 2 ms of Python", streamed(compute, rounds), 300, 60),
    Workload("stream-imap", "a generator through imap, 2 ms of Python", streamed(compute, rounds), 300, 60, "imap"),
    Workload("stream-waits", "a generator through imap, waits of 10 ms", streamed(wait, numbers), 100, 30, "imap"),
    Workload("stream-tiny", "a generator of small numbers", streamed(square, numbers), 300_000, 30_000),
)
