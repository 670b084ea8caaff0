"""Chains of numbers modulo a power of two, in the intermediate form; that results stay is in `tests/semantics`."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from autopar._kernel import ir
from autopar._kernel.prune import walk
from tests.kernel.running import Running, kernel_for


def always(n: int, s: int) -> int:
    """Two steps in every round."""
    total = 0
    for _ in range(n):
        s = (s * 1103515245 + 12345) % 2147483648
        total ^= s
        s = (s * 1103515245 + 12345) % 2147483648
    return total ^ s


def sometimes(n: int, s: int) -> int:
    """A step in some rounds."""
    total = 0
    for i in range(n):
        if i % 3:
            s = (s * 1103515245 + 12345) % 2147483648
        total ^= s
    return total ^ s


def not_a_power(n: int, s: int) -> int:
    """Low bits of one number say nothing about the next."""
    for _ in range(n):
        s = (s * 16807) % 2147483647
    return s


def of_another(n: int, s: int) -> int:
    """Made from the counter, too."""
    for i in range(n):
        s = (s * 69069 + i) % 4294967296
    return s


def made_ahead(kernel: ir.Kernel) -> bool:
    """Whether rounds are made from the one before the last."""
    return any(name.startswith("ahead") for name in kernel.variables)


def kept_whole(kernel: ir.Kernel) -> bool:
    """Whether the chain keeps the bits that are cut off."""
    return any(name.startswith("whole") for name in kernel.variables)


@pytest.mark.parametrize(
    ("function", "whole", "ahead"),
    [(always, True, True), (sometimes, True, False), (not_a_power, False, False), (of_another, False, False)],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_chains_are_found(function: Callable[[int, int], int], whole: bool, ahead: bool) -> None:
    """Steps by constants modulo a power of two are taken with all bits; where each round takes them, a round ahead."""
    kernel = kernel_for(function, 1, 1)
    assert (kept_whole(kernel), made_ahead(kernel)) == (whole, ahead)


@pytest.mark.parametrize("function", [always, sometimes])
@pytest.mark.parametrize("rounds", [0, 1, 2, 3, 10])
@pytest.mark.parametrize("seed", [0, 1, -1, 42, 2**31 - 1, -(2**31)])
def test_the_numbers_are_pythons(function: Callable[[int, int], int], rounds: int, seed: int) -> None:
    """However many rounds there are, from whatever start."""
    assert Running(function, 1, 1)(rounds, seed) == function(rounds, seed)


def test_a_chain_no_longer_waits_for_itself() -> None:
    """Of the statements that set the number, none reads what another one of the same round has set."""
    kernel = kernel_for(always, 1, 1)
    steps = [s for s in walk(kernel.body) if isinstance(s, ir.Assign) and s.target.name.startswith("ahead")]
    assert len(steps) == 2
    assert all("base" in str(steps[-1].value) and "ahead" not in str(step.value) for step in steps)
