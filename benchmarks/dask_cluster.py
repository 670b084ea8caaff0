"""What a Dask cluster on this machine costs, against worker processes and against plain ``Client.map``.

    python -m benchmarks.dask_cluster [--quick] [--memory]

The figures: items of 50 ms that compute, on as many workers as cores, by the backends ``processes`` and ``dask`` in
turn; items of 1 ms that wait, by ``dask`` and by plain ``Client.map``, less what the items themselves take; the prices
that the planner works with; with ``--memory`` ten million items and how much memory the caller needs for them.
"""

from __future__ import annotations

import argparse
import functools
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import autopar as ap
from autopar._backends.dask.connections import connect
from autopar._backends.dask.prices import describe
from autopar._observe.host import current_host

COMPUTES, WAITS = 50e-3, 1e-3
MANY = 10_000_000


def loop(turns: int) -> int:
    """Compute, with the GIL."""
    total = 0
    for number in range(turns):
        total += number & 7
    return total


def nap(number: int) -> int:
    time.sleep(WAITS)
    return number


def same(number: int) -> int:
    return number


def seconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def turns_for(target: float) -> int:
    """Turns of the loop that take so many seconds when nothing else runs."""
    return int(target * 200_000 / min(seconds(lambda: loop(200_000)) for _ in range(9)))


def computing(rounds: int, items: int) -> None:
    """Compare the two backends, one after the other in each round."""
    turns, cores = turns_for(COMPUTES), current_host().cores
    # The compiler would take such a loop to native code, and this is about backends.
    function = ap.parallel(loop, compiler="python")
    for backend in ("processes", "dask"):
        function.map([turns] * 2 * cores, backend=backend)
    ratios = []
    for number in range(rounds):
        took = {
            backend: seconds(functools.partial(function.map, [turns] * items, backend=backend))
            for backend in ("processes", "dask")
        }
        ratios.append(took["processes"] / took["dask"])
        shown = ", ".join(f"{name} {value:.2f} s" for name, value in took.items())
        print(f"{items} items of {COMPUTES * 1e3:g} ms, round {number + 1}: {shown}, ratio {ratios[-1]:.2f}")
    print(f"dask does {statistics.median(ratios):.2f} times what the local processes do (median; goal: at least 0.9)")


def waiting(rounds: int, items: int, client: Any) -> None:
    """Compare what an item costs besides its own time."""
    cores = current_host().cores
    alone = seconds(lambda: [nap(x) for x in range(200)]) / 200
    function = ap.parallel(nap)
    function.map(range(items // 4), backend="dask")
    costs: dict[str, list[float]] = {"Client.map": [], "autopar": []}
    for _ in range(rounds):
        plain = seconds(lambda: client.gather(client.map(nap, range(items), pure=False)))
        ours = seconds(lambda: function.map(range(items), backend="dask"))
        costs["Client.map"].append(plain / items - alone / cores)
        costs["autopar"].append(ours / items - alone / cores)
    best = {name: min(found) for name, found in costs.items()}
    for name, cost in best.items():
        print(f"{items} items that wait {WAITS * 1e3:g} ms: {name} adds {cost * 1e6:.1f} us an item")
    print(f"autopar adds {best['Client.map'] / max(best['autopar'], 1e-9):.0f} times less (goal: at least 20)")


def memory() -> None:
    """Send many items through, and see how far the caller's memory grows."""

    def numbers() -> Iterator[int]:
        yield from range(MANY)

    function = ap.parallel(same)
    function.map(range(100_000), backend="dask")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter()
    total = sum(1 for _ in function.imap(numbers(), backend="dask"))
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    unit = 1 if sys.platform == "darwin" else 1024
    grown = (after - before) * unit / 2**20
    print(f"{total:,} items in {time.perf_counter() - began:.0f} s; the caller's peak memory grew by {grown:.0f} MiB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a third of the time, for a first look")
    parser.add_argument("--memory", action="store_true", help="ten million items, some minutes")
    chosen = parser.parse_args()
    rounds = 2 if chosen.quick else 5
    with ap.config(cluster="local"):
        connection = connect("local", workers=current_host().cores)
        cluster = describe(connection)
        print(
            f"{cluster.where}: round trip {cluster.round_trip * 1e3:.1f} ms, dispatch {cluster.dispatch * 1e3:.2f} ms, "
            f"{cluster.byte * 1e9:.1f} ns a byte"
        )
        computing(rounds, 60 if chosen.quick else 200)
        waiting(rounds, 2_000 if chosen.quick else 5_000, connection.client)
        if chosen.memory:
            memory()


if __name__ == "__main__":
    main()
