"""Compile each function, compare its answers, and print what it gains: ratios of the quickest of some calls."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

from autopar._compilers.cython import compile_for, signature
from autopar._model.compiler import Refusal
from benchmarks.object_functions.functions import cases

CALLS = 15


def _seconds(call: Callable[..., Any], args: tuple[Any, ...]) -> float:
    started = time.perf_counter()
    call(*args)
    return time.perf_counter() - started


def main() -> None:
    """Print a row for each function."""
    print(f"{'function':<18}{'build s':>9}{'Python ms':>11}{'Cython ms':>11}{'gain':>7}")
    gains = []
    for function, args in cases():
        types = signature(function, args, {})
        started = time.perf_counter()
        form = types if isinstance(types, Refusal) else compile_for(function, types)
        built = time.perf_counter() - started
        if isinstance(form, Refusal):
            print(f"{function.__name__:<18}  refused: {form}")
            continue
        if form.call(*args) != function(*args):
            raise SystemExit(f"{function.__name__}: another answer")
        pairs = [(_seconds(function, args), _seconds(form.call, args)) for _ in range(CALLS)]
        python, ours = (min(column) for column in zip(*pairs, strict=True))
        gains.append(python / ours)
        print(f"{function.__name__:<18}{built:>9.2f}{python * 1e3:>11.2f}{ours * 1e3:>11.2f}{gains[-1]:>7.2f}")
    mean = math.exp(sum(map(math.log, gains)) / len(gains))
    print(f"geometric mean of {len(gains)}: {mean:.2f}")


if __name__ == "__main__":
    main()
