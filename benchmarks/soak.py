"""Soak: many items, many functions and many maps; memory, descriptors, threads and processes have to stay flat.

Run ``python -m benchmarks.soak [--minutes M] [--in-flight N] [--streamed N] [--functions N] [--only PART ...]``.

Four parts, each in a program of its own: items that are all under way at once, items that stream through ``imap`` (a
million resources of memory would show within them), functions that are decorated and mapped once, and short maps for
some minutes, as many as a service makes in a day. It prints what was counted as JSON, and exits with 1 if anything grew
or was wrong.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]

MORE_MEMORY = 40e6
"""Bytes that a program may have more at the end of a part than in its first tenth: caches that fill, and fragments."""

BYTES_OF_A_CALL = 4000
"""Most for each call that was submitted and whose future is kept. That of an ended one is 2 kB, of which 1.6 kB are the
standard library's own future."""

MORE_DESCRIPTORS, MORE_THREADS, MORE_PROCESSES = 8, 8, 0


@dataclass(frozen=True)
class Counted:
    """What a program has, at one moment; its worker processes count."""

    memory: int
    descriptors: int
    threads: int
    processes: int

    @staticmethod
    def now() -> Counted:
        """Count, after a collection of garbage."""
        import psutil  # type: ignore[import-untyped]

        gc.collect()
        own = psutil.Process()
        family = [own, *own.children(recursive=True)]
        memory = 0
        for each in family:
            try:
                memory += each.memory_info().rss
            except psutil.Error:
                continue
        return Counted(memory, own.num_fds(), threading.active_count(), len(family))


class Growth:
    """The most of each kind early on, and what has become of it.

    Parameters
    ----------
    warm
        Looks that count as early.
    """

    def __init__(self, warm: int = 2) -> None:
        self._warm = warm
        self.seen: list[Counted] = []

    def look(self) -> None:
        """Count now."""
        self.seen.append(Counted.now())

    def grown(self) -> dict[str, int]:
        """How much more of each there is at the end than there was early on."""
        early, last = self.seen[: self._warm], self.seen[-1]
        return {name: value - max(getattr(each, name) for each in early) for name, value in asdict(last).items()}

    def complaints(self, **bounds: float) -> list[str]:
        """What has grown by more than it may, or by more than it may in this case."""
        most: dict[str, float] = {
            "memory": MORE_MEMORY,
            "descriptors": MORE_DESCRIPTORS,
            "threads": MORE_THREADS,
            "processes": MORE_PROCESSES,
            **bounds,
        }
        grown = self.grown()
        return [f"{name} grew by {grown[name]:,}" for name, limit in most.items() if grown[name] > limit]


# -- the parts -----------------------------------------------------------------------------------------------------


def waits(x: int) -> int:
    """Wait for a moment."""
    time.sleep(0.0001)
    return x + 1


async def awaits(x: int) -> int:
    """Wait for a moment, as a coroutine."""
    import asyncio

    await asyncio.sleep(0.01)
    return x + 1


def increment(x: int) -> int:
    """Add one."""
    return x + 1


def warm_up() -> None:
    """Start the workers that maps may come to ask for, so that their start is not taken for growth."""
    import autopar as ap

    for backend in ("threads", "processes"):
        ap.map(increment, range(200), backend=backend, pure=True, chunksize=1)


def in_flight(count: int) -> dict[str, Any]:
    """So many items submitted at once, as many coroutines at once, and as many for worker processes; twice.

    What the first time takes is bounded by the items, and by what threads and workers are; the second time has all of
    that, so it must take nothing more, but for threads: more than before may happen to wait at the same time.
    """
    from autopar._backends.threads import LIMIT

    warm_up()
    growth, wrong, held = Growth(warm=2), [], []
    growth.look()
    for _ in range(2):
        taken, complaints = all_at_once(count)
        growth.look()
        held.append(taken - growth.seen[0].memory)
        wrong += complaints
    most = count * BYTES_OF_A_CALL + MORE_MEMORY
    if held[0] > most:
        wrong.append(f"{count:,} calls in flight took {held[0]:,} bytes, more than {most:,.0f}")
    return {
        "items": 3 * count,
        "held": held,
        "grown": growth.grown(),
        "wrong": wrong + growth.complaints(threads=LIMIT),
    }


def all_at_once(count: int) -> tuple[int, list[str]]:
    """Bytes of the program while it has the futures of so many calls, and what was wrong."""
    from autopar import parallel

    wrong = []
    done = parallel(waits, backend="threads")
    futures = [done.submit(x) for x in range(count)]
    taken = Counted.now().memory
    if sum(future.result() for future in futures) != count * (count + 1) // 2:
        wrong.append("the results of submitted calls are wrong")
    del futures
    if sum(parallel(awaits).map(range(count))) != count * (count + 1) // 2:
        wrong.append("the results of coroutines are wrong")
    listed = parallel(increment, backend="processes", workers=2, pure=True, chunksize=1000).map(range(count))
    if listed != list(range(1, count + 1)):
        wrong.append("the results of worker processes are wrong")
    return taken, wrong


def streamed(count: int) -> dict[str, Any]:
    """So many items through ``imap``, of which nobody keeps any; a tenth of them through worker processes."""
    from autopar import parallel

    warm_up()
    wrong, growth, looks = [], Growth(), 10
    ways: list[tuple[dict[str, Any], float]] = [({}, 1.0), ({"backend": "processes", "workers": 2, "pure": True}, 0.1)]
    for hints, share in ways:
        growth = Growth()
        items = max(looks, int(count * share))
        total = 0
        results: Iterator[int] = parallel(increment).imap(iter(range(items)), **hints)
        for number, result in enumerate(results):
            total += result
            if number % (items // looks) == 0:
                growth.look()
        growth.look()
        if total != items * (items + 1) // 2:
            wrong.append("a result is wrong")
        wrong += growth.complaints()
    return {"items": count, "grown": growth.grown(), "wrong": wrong}


def functions(count: int) -> dict[str, Any]:
    """So many functions, each decorated, called and mapped, and then forgotten."""
    from autopar import parallel

    warm_up()
    growth, wrong = Growth(warm=3), []
    for number in range(count):
        space: dict[str, Any] = {}
        exec(f"def f_{number}(x):\n    return x + {number}\n", space)
        function = parallel(space[f"f_{number}"])
        if function(1) != number + 1 or function.map(range(30)) != [x + number for x in range(30)]:
            wrong.append(f"function {number} is wrong")
        if number % max(1, count // 10) == 0:
            growth.look()
    growth.look()
    return {"functions": count, "grown": growth.grown(), "wrong": wrong + growth.complaints()}


def maps(seconds: float) -> dict[str, Any]:
    """Short maps on all backends, one after the other."""
    import autopar as ap

    ways: list[dict[str, Any]] = [
        {},
        {"backend": "serial"},
        {"backend": "threads"},
        {"backend": "processes", "workers": 2, "pure": True},
        {"backend": "joblib", "workers": 2, "pure": True},
        {"backend": "threads", "timeout": 60.0},
        {"on_error": "return"},
    ]
    warm_up()
    growth, wrong, count, began = Growth(warm=4), [], 0, time.monotonic()
    expected = [x + 1 for x in range(50)]
    look_at = 0.0
    for hints in itertools.cycle(ways):
        if ap.map(increment, range(50), **hints) != expected:
            wrong.append(f"a map with {hints} is wrong")
        count += 1
        elapsed = time.monotonic() - began
        if count >= len(ways) and elapsed >= look_at:
            growth.look()
            look_at = elapsed + seconds / 20
        if elapsed > seconds and count >= 5 * len(ways):
            break
    growth.look()
    return {"maps": count, "grown": growth.grown(), "wrong": wrong + growth.complaints()}


PARTS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "in_flight": in_flight,
    "streamed": streamed,
    "functions": functions,
    "maps": maps,
}


def run_part(name: str, size: float, *, limit: float | None = None) -> dict[str, Any]:
    """Run one part in a program of its own, and return what it says."""
    command = [sys.executable, "-m", "benchmarks.soak", "--part", name, "--size", str(size)]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=limit
    )
    if done.returncode:
        return {"wrong": [f"the program ended with {done.returncode}: {done.stderr[-2000:]}"]}
    said: dict[str, Any] = json.loads(done.stdout)
    if done.stderr:
        said["wrong"].append(f"it said {done.stderr[-2000:]}")
    return said


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="of short maps")
    parser.add_argument("--in-flight", type=int, default=100_000)
    parser.add_argument("--streamed", type=int, default=10_000_000)
    parser.add_argument("--functions", type=int, default=1_000)
    parser.add_argument("--only", nargs="+", choices=list(PARTS), default=list(PARTS))
    parser.add_argument("--part", choices=list(PARTS), help=argparse.SUPPRESS)
    parser.add_argument("--size", type=float, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part is not None:
        size = options.size if options.part == "maps" else int(options.size)
        print(json.dumps(PARTS[options.part](size)))
        return 0
    sizes = {
        "in_flight": options.in_flight,
        "streamed": options.streamed,
        "functions": options.functions,
        "maps": 60 * options.minutes,
    }
    found = {}
    for name in options.only:
        began = time.monotonic()
        found[name] = {**run_part(name, sizes[name]), "seconds": round(time.monotonic() - began, 1)}
        print(f"{name}: {found[name]}", file=sys.stderr, flush=True)
    print(json.dumps(found, indent=2))
    return 1 if any(part["wrong"] for part in found.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
