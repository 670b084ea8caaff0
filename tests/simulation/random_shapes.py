"""Random workloads and hosts: times and counts evenly on a logarithmic scale, one kind as often as another."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import fields

from autopar._model.effects import EffectReport
from autopar._model.observation import Traits
from tests.simulation.shapes import HostShape, Prices, WorkShape

CORES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024)
NODES = (1, 2, 4, 10, 30, 100)

MOST_SECONDS = 100.0
"""Of the plain loop: what takes longer differs from it by a factor alone."""

_CODE = compile("0", "simulated.py", "eval")


def random_host(rng: random.Random) -> HostShape:
    """A host: its cores may be hyperthreads, or partly taken by others; its prices differ from the measured ones."""
    cores = rng.choice(CORES)
    physical, sibling = float(cores), 1.0
    draw = rng.random()
    if cores > 1 and draw < 0.25:
        physical, sibling = cores / 2, rng.uniform(0.1, 0.4)
    elif cores > 1 and draw < 0.4:
        physical, sibling = cores * rng.uniform(0.5, 0.9), 0.0
    prices = Prices(
        **{
            price.name: getattr(Prices(), price.name) * rng.lognormvariate(0.0, 0.3)
            for price in fields(Prices)
            if price.name != "parents_share"
        },
        parents_share=rng.uniform(0.4, 0.8),
    )
    return HostShape(
        cores=cores,
        physical=max(1.0, physical),
        sibling=sibling,
        gil=rng.random() < 0.9,
        noise=rng.choice((0.0, 0.03, 0.1)),
        prices=prices,
        nodes=rng.choice(NODES),
    )


def random_work(rng: random.Random, kind: str | None = None) -> WorkShape:
    """A workload of a kind, by default of any."""
    kind = rng.choice(tuple(KINDS)) if kind is None else kind
    return KINDS[kind](rng, kind)


def _even(rng: random.Random, low: float, high: float) -> float:
    """Between two values, evenly on a logarithmic scale."""
    return math.exp(rng.uniform(math.log(low), math.log(high)))


def _count(rng: random.Random, each: float, most: int = 3000, least: int = 1) -> int:
    most = max(least, min(most, int(MOST_SECONDS / each)))
    return round(_even(rng, least, most))


def _spread(rng: random.Random, each: float, items: int) -> list[float]:
    """Items' seconds with a mean near ``each``: even, jittered, skewed, of two sorts, drifting, or one very long."""
    form = rng.choice(("even", "jitter", "jitter", "skewed", "two sorts", "drift", "slow first", "slow last"))
    factors = [1.0] * items
    if form == "jitter":
        factors = [rng.lognormvariate(0.0, 0.2) for _ in range(items)]
    elif form == "skewed":
        factors = [rng.lognormvariate(-0.5, 1.0) for _ in range(items)]
    elif form == "two sorts":
        share, much = rng.uniform(0.02, 0.3), rng.uniform(4, 30)
        factors = [much if rng.random() < share else 1.0 for _ in range(items)]
    elif form == "drift":
        last = _even(rng, 0.2, 5.0)
        factors = [last ** (index / items) for index in range(items)]
    elif form == "slow first":
        factors[0] = _even(rng, 2, 20)
    elif form == "slow last":
        factors[-1] = _even(rng, 2, 20)
    return [each * factor for factor in factors]


def _part(whole: Sequence[float], share: float) -> list[float]:
    return [share * seconds for seconds in whole]


def _traits(*, known: bool = True, blocking: tuple[str, ...] = (), releasing: tuple[str, ...] = ()) -> Traits:
    """What the analysis says: with ``known`` it has seen all calls, without it there is one that nobody knows."""
    foreign = () if known else ("somewhere.call",)
    report = EffectReport(codes=(_CODE,), calls=blocking + releasing + foreign)
    return Traits(
        "simulated.item", blocking_calls=blocking, releasing_calls=releasing, foreign_calls=foreign, report=report
    )


def _first(rng: random.Random) -> float:
    """Most functions have imported what they need; some do so in their first item."""
    return _even(rng, 1e-3, 0.3) if rng.random() < 0.15 else 0.0


def _tiny(rng: random.Random, kind: str) -> WorkShape:
    each = _even(rng, 50e-9, 5e-6)
    items = _count(rng, each, 20_000)
    nothing = [0.0] * items
    return WorkShape(kind, _spread(rng, each, items), nothing, nothing, traits=_traits())


def _python(rng: random.Random, kind: str) -> WorkShape:
    each = _even(rng, 5e-6, 0.5)
    items = _count(rng, each)
    nothing = [0.0] * items
    return WorkShape(
        kind,
        _spread(rng, each, items),
        nothing,
        nothing,
        bytes_in=_even(rng, 10, 1000),
        bytes_out=_even(rng, 10, 1000),
        first=_first(rng),
        traits=_traits(),
        sized=rng.random() < 0.85,
    )


def _heavy(rng: random.Random, kind: str) -> WorkShape:
    items = rng.randint(2, 8)
    nothing = [0.0] * items
    return WorkShape(kind, _spread(rng, _even(rng, 0.05, 10.0), items), nothing, nothing, traits=_traits())


def _unpicklable(rng: random.Random, kind: str) -> WorkShape:
    each = _even(rng, 50e-6, 0.2)
    whole, share = _spread(rng, each, _count(rng, each)), rng.choice((0.0, 0.1, 0.5, 1.0))
    nothing = [0.0] * len(whole)
    traits = _traits() if share == 1.0 else _traits(known=False)
    return WorkShape(kind, _part(whole, share), _part(whole, 1 - share), nothing, pickles=False, traits=traits)


def _releasing(rng: random.Random, kind: str) -> WorkShape:
    each = _even(rng, 20e-6, 0.5)
    whole, share = _spread(rng, each, _count(rng, each)), rng.uniform(0.0, 0.2)
    nothing = [0.0] * len(whole)
    size = _even(rng, 100, 1e8 * each)
    traits = _traits(releasing=("zlib.compress",))
    return WorkShape(kind, _part(whole, share), _part(whole, 1 - share), nothing, bytes_in=size, traits=traits)


def _foreign(rng: random.Random, kind: str) -> WorkShape:
    each = _even(rng, 20e-6, 0.5)
    whole, share = _spread(rng, each, _count(rng, each)), rng.random()
    nothing = [0.0] * len(whole)
    return WorkShape(
        kind,
        _part(whole, share),
        _part(whole, 1 - share),
        nothing,
        bytes_in=_even(rng, 10, 1e6),
        first=_first(rng),
        traits=_traits(known=False),
    )


def _payload(rng: random.Random, kind: str) -> WorkShape:
    size = _even(rng, 1e5, 5e7)
    each = size * _even(rng, 0.1e-9, 30e-9)
    whole, share = _spread(rng, each, _count(rng, each, 500)), rng.choice((0.0, 0.3, 1.0))
    nothing = [0.0] * len(whole)
    traits = _traits() if share == 1.0 else _traits(known=False)
    return WorkShape(
        kind,
        _part(whole, share),
        _part(whole, 1 - share),
        nothing,
        bytes_in=size,
        bytes_out=size if rng.random() < 0.5 else 100.0,
        traits=traits,
    )


def _memory(rng: random.Random, kind: str) -> WorkShape:
    each = _even(rng, 1e-3, 0.2)
    whole = _spread(rng, each, _count(rng, each))
    nothing = [0.0] * len(whole)
    traits = _traits(known=False)
    return WorkShape(
        kind, _part(whole, 0.02), _part(whole, 0.98), nothing, bandwidth=rng.uniform(1.2, 6), traits=traits
    )


def _threaded(rng: random.Random, kind: str) -> WorkShape:
    each = _even(rng, 1e-3, 0.2)
    whole = _spread(rng, each, _count(rng, each, 500))
    nothing = [0.0] * len(whole)
    traits = _traits(known=False)
    return WorkShape(kind, _part(whole, 0.1), _part(whole, 0.9), nothing, demand=rng.uniform(1.5, 8), traits=traits)


def _waiting(rng: random.Random, kind: str) -> WorkShape:
    each = _even(rng, 0.5e-3, 2.0)
    wait = _spread(rng, each, _count(rng, each, 2000))
    cpu = min(_even(rng, 10e-6, 2e-3), 0.1 * each)
    nothing = [0.0] * len(wait)
    named = rng.random() < 0.5
    traits = _traits(blocking=("socket.socket.recv",)) if named else _traits(known=False)
    sized = rng.random() < 0.85
    return WorkShape(kind, [cpu] * len(wait), nothing, wait, first=_first(rng), traits=traits, sized=sized)


def _served(rng: random.Random, kind: str) -> WorkShape:
    each = _even(rng, 1e-3, 0.5)
    wait = _spread(rng, each, _count(rng, each, 2000))
    nothing = [0.0] * len(wait)
    thrash = rng.choice((0.0, 0.0, 0.002, 0.02))
    slots = round(_even(rng, 1, 100))
    traits = _traits(blocking=("socket.socket.recv",))
    return WorkShape(kind, [0.05 * each] * len(wait), nothing, wait, slots=slots, thrash=thrash, traits=traits)


def _mixed(rng: random.Random, kind: str) -> WorkShape:
    each = _even(rng, 1e-3, 0.5)
    whole, computing = _spread(rng, each, _count(rng, each, 2000)), rng.uniform(0.1, 0.9)
    share = rng.choice((0.1, 0.5, 1.0, 1.0))
    traits = _traits(blocking=("socket.socket.recv",))
    return WorkShape(
        kind,
        _part(whole, computing * share),
        _part(whole, computing * (1 - share)),
        _part(whole, 1 - computing),
        traits=traits,
    )


def _subprocesses(rng: random.Random, kind: str) -> WorkShape:
    each = _even(rng, 3e-3, 1.0)
    wait = _spread(rng, each, _count(rng, each, 1000))
    nothing = [0.0] * len(wait)
    traits = _traits(blocking=("subprocess.run",))
    return WorkShape(kind, [1e-3] * len(wait), nothing, wait, outside=True, traits=traits)


KINDS: dict[str, Callable[[random.Random, str], WorkShape]] = {
    "tiny": _tiny,
    "python": _python,
    "few heavy": _heavy,
    "unpicklable": _unpicklable,
    "releasing": _releasing,
    "foreign": _foreign,
    "payload": _payload,
    "memory": _memory,
    "threaded": _threaded,
    "waiting": _waiting,
    "served": _served,
    "mixed": _mixed,
    "subprocess": _subprocesses,
}
"""Kind of work -> how to draw one."""
