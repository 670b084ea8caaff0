"""Regret of planner and engine on simulated machines: the distribution, and the worst cases with what was done.

Run ``python -m benchmarks.simulate [--shapes N] [--seed S] [--kind KIND] [--worst N] [--jobs N]`` in the checkout.
Time is virtual, so the figures do not depend on the machine that runs this, and the same seed gives the same ones.
"""

from __future__ import annotations

import argparse
import functools
import math
import multiprocessing
import os
import random
from collections.abc import Callable
from dataclasses import replace
from itertools import chain

from autopar._model.observation import Traits
from tests.simulation.random_shapes import KINDS, random_host, random_work
from tests.simulation.regret import COLD, SESSION, WARM, Cell, by, cells, percentile

SHARES = (0.5, 0.9, 0.95, 0.99, 1.0)


def simulate(shapes: int, seed: int, kind: str | None, jobs: int = 1) -> list[Cell]:
    """The cells of so many random shapes, on so many processes."""
    one = functools.partial(_shape, seed, kind)
    if jobs == 1:
        return list(chain.from_iterable(map(one, range(shapes))))
    with multiprocessing.Pool(jobs) as pool:
        return list(chain.from_iterable(pool.map(one, range(shapes), chunksize=5)))


def _shape(seed: int, kind: str | None, number: int) -> list[Cell]:
    """The cells of one random shape, without what does not pickle of it."""
    rng = random.Random(seed * 1_000_003 + number)
    found = cells(random_host(rng), random_work(rng, kind), seed=number, number=number)
    return [replace(cell, work=replace(cell.work, traits=Traits("simulated.item"))) for cell in found]


def _row(name: str, group: list[Cell]) -> str:
    regrets = [cell.regret for cell in group]
    mean = math.exp(sum(map(math.log, regrets)) / len(regrets))
    shares = "".join(f"{percentile(regrets, share):8.2f}" for share in SHARES)
    return f"{name:16}{len(group):6}{mean:8.3f}{shares}{sum(cell.lost for cell in group):10.2f} s"


def show_distribution(found: list[Cell]) -> None:
    """Print percentiles of each regime, by kind of work and by size of the host."""
    groupings: tuple[Callable[[Cell], str], ...] = (lambda cell: cell.work.kind, _size)
    for regime in (COLD, SESSION, WARM):
        group = [cell for cell in found if cell.regime == regime]
        print(f"\n{regime:16}     n    mean" + "".join(f"{f'p{100 * share:g}':>8}" for share in SHARES) + "      lost")
        print(_row("all", group))
        for key in groupings:
            for name, part in sorted(by(group, key).items()):
                print(_row(f"  {name}", part))


def _size(cell: Cell) -> str:
    cores = cell.host.cores
    return "1 core" if cores == 1 else "2 to 8 cores" if cores <= 8 else "9 to 64" if cores <= 64 else "65 to 1024"


def show_worst(found: list[Cell], count: int, order: str, regime: str | None) -> None:
    """Print the cells with the highest regret, or with the most seconds lost."""
    print(f"\nThe {count} worst")
    asked = [cell for cell in found if regime in (None, cell.regime)]
    for cell in sorted(asked, key=lambda cell: -getattr(cell, order))[:count]:
        work, host, items = cell.work, cell.host, len(cell.work)
        print(
            f"\n{cell.regret:.2f} {cell.regime}, shape {cell.number}: {work.kind}, {items} items"
            f"{'' if work.sized else ' (number unknown)'} of {work.serial / items:.3g} s:"
            f" GIL {sum(work.gil) / items:.2g}, free {sum(work.free) / items:.2g}, wait {sum(work.wait) / items:.2g};"
            f" {work.bytes_in + work.bytes_out:.2g} bytes; first {work.first:.2g} s; slots {work.slots:g},"
            f" demand {work.demand:.2g}, bandwidth {work.bandwidth:.2g}\n"
            f"    {host.cores} cores, worth {host.capacity(host.cores):.1f}{'' if host.gil else ', no GIL'},"
            f" noise {host.noise:g}\n"
            f"    took {cell.seconds:.3g} s: {', '.join(f'{count} items on {plan}' for plan, count in cell.tried)}\n"
            f"    because {cell.why}\n"
            f"    best {cell.best:.3g} s: {cell.way}"
        )


def main() -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shapes", type=int, default=2000, help="random shapes (default 2000, about 4 minutes)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1, help="processes that simulate (default 1)")
    parser.add_argument("--kind", choices=tuple(KINDS), help="only this kind of work")
    parser.add_argument("--worst", type=int, default=20, help="cases to show")
    parser.add_argument("--order", choices=("regret", "lost"), default="regret", help="what makes a case bad")
    parser.add_argument("--regime", choices=(COLD, SESSION, WARM), help="show cases of this one only")
    options = parser.parse_args()
    os.environ["AUTOPAR_STORE"] = "off"  # what simulated maps teach is no lesson for real ones
    found = simulate(options.shapes, options.seed, options.kind, options.jobs)
    show_distribution(found)
    show_worst(found, options.worst, options.order, options.regime)


if __name__ == "__main__":
    main()
