"""Each NumPy-style function through ``@parallel`` and ``@parallel(rtol=1e-9)``, once settled, beside NumPy and njit.

::

    python -m benchmarks.numpy_kernels.against_numpy [--limit 60] [NAME ...]

Prints for each function microseconds a call as it is, compiled by ``numba.njit`` as it stands, and through autopar;
then what autopar has chosen and why, or what exactness forbade. A ratio is best of {NumPy, njit} over autopar's: above
1 autopar is quicker than the better of what a user could pick by hand. All ways of one function are timed in turn, call
by call, so that a busy machine slows all of them; medians.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from autopar import parallel
from benchmarks.numpy_kernels.kernels import CASES, Case

Function = Callable[..., Any]
SECONDS = 1.0
"""For the timing of all ways of one function."""

FEWEST, MOST = 7, 400


def njit(case: Case, arguments: tuple[Any, ...]) -> Function | None:
    """The function compiled as it is by Numba, or None where that does not take it or gives something else."""
    import numba

    compiled: Function = numba.njit(case.function)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = compiled(*arguments)
    except Exception:
        return None
    return compiled if np.allclose(found, case.function(*arguments), rtol=1e-6) else None


def settled(function: Any, arguments: tuple[Any, ...], limit: float) -> str:
    """Call until single calls run what they will run from now on; returns why they do."""
    ends = time.perf_counter() + limit
    while time.perf_counter() < ends:
        function(*arguments)
        found = [each.why for each in function.decisions if each.operation == "call"]
        if found:
            return str(found[-1])
        for form in function._self_state.forms.forms():
            if form.certain and form.call is function._self_target[0]:
                return f"{form.compiler}: loops over elements"
    return "not settled in time: too little was spent in Python to repay compiling"


def timed(ways: dict[str, Function], arguments: tuple[Any, ...]) -> dict[str, float]:
    """The median seconds of a call each way, taken in turn."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    ends = time.perf_counter() + SECONDS
    for number in range(MOST):
        if number >= FEWEST and time.perf_counter() > ends:
            break
        for name, function in ways.items():
            function(*arguments)
            started = time.perf_counter()
            function(*arguments)
            seconds[name].append(time.perf_counter() - started)
    return {name: statistics.median(found) for name, found in seconds.items()}


def measured(case: Case, limit: float) -> dict[str, float]:
    """Time one function and print its row; returns ratios."""
    arguments = case.arguments(np.random.default_rng(0))
    exact, close = parallel(case.function), parallel(case.function, rtol=1e-9)
    why = {name: settled(way, arguments, limit) for name, way in (("exact", exact), ("rtol", close))}
    ways: dict[str, Function] = {"numpy": case.function, "exact": exact, "rtol": close}
    by_hand = njit(case, arguments)
    if by_hand is not None:
        ways["njit"] = by_hand
    took = timed(ways, arguments)
    best = min(took["numpy"], took.get("njit", math.inf))
    times = "  ".join(f"{name} {1e6 * took[name]:>9.1f}" if name in took else f"{name}         -" for name in _ORDER)
    ratios = {name: best / took[name] for name in ("exact", "rtol")}
    slower = {f"{name} over numpy": took[name] / took["numpy"] for name in ("exact", "rtol")}
    print(f"{case.name:<20} {times}   {ratios['exact']:6.2f} {ratios['rtol']:6.2f}", flush=True)
    for name in ("exact", "rtol"):
        print(f"    {name}: {why[name]}", flush=True)
    return {**ratios, **slower}


_ORDER = ("numpy", "njit", "exact", "rtol")


def main() -> None:
    """Time the functions that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="functions of benchmarks/numpy_kernels/kernels.py; all if none")
    parser.add_argument("--limit", type=float, default=60.0, help="seconds to wait until a function has settled")
    given = parser.parse_args()
    found = [measured(case, given.limit) for case in CASES if not given.names or case.name in given.names]
    for name in ("exact", "rtol"):
        ratios = [each[name] for each in found]
        mean = math.exp(statistics.fmean(map(math.log, ratios)))
        worst = max(each[f"{name} over numpy"] for each in found)
        print(f"{name}: geometric mean {mean:.2f} of the best by hand; slowest {worst:.2f} times NumPy's time")


if __name__ == "__main__":
    main()
