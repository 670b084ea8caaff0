"""A map that a hint would make over a second faster says so, once, and on good evidence."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

import autopar
from autopar import parallel

pytestmark = pytest.mark.timeout(30)


class EnoughError(Exception):
    """Ends a map whose rest is not of interest."""


def draw(size: int | None) -> float:
    """Compute for a while, then draw from the global random stream."""
    if size is None:
        raise EnoughError
    return sum(range(size)) + random.random()


LONG, SHORT = 2_000_000, 50_000
"""Some 40 ms and 1 ms."""


@pytest.fixture(autouse=True)
def worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The warning weighs what a hint would gain, which an eager map does not ask."""
    monkeypatch.delenv("AUTOPAR_EAGER", raising=False)


def test_a_curable_loss_of_over_a_second_is_said_once() -> None:
    """The warning names the function, the line, the hint and the gain, and points at the caller; it is not repeated."""
    function = parallel(draw)
    items = [*[LONG] * 6, *[None] * 400]
    with pytest.warns(autopar.PerformanceHint) as said, pytest.raises(EnoughError):
        function.map(items)
    text = str(said[0].message)
    assert len(said) == 1
    assert "draw runs in the plain loop, since line " in text
    assert "random.random()" in text
    assert "the hint seed=" in text or "the hint pure=True" in text
    assert " instead of " in text
    assert Path(said[0].filename) == Path(__file__)
    with pytest.raises(EnoughError):  # every warning is an error here
        function.map(items)


def test_a_small_loss_is_not_worth_a_warning() -> None:
    """Under a second nothing is said."""
    assert len(parallel(draw).map([SHORT] * 8)) == 8


def test_one_slow_first_item_is_no_evidence() -> None:
    """A first item that imports something says nothing about the others, so two are measured."""
    assert len(parallel(draw).map([10 * LONG] + [SHORT] * 20)) == 21


def test_the_hinted_way_is_quiet() -> None:
    """Who follows the hint hears nothing any more."""
    function = parallel(draw, seed=7)
    with pytest.raises(EnoughError):
        function.map([*[LONG] * 6, *[None] * 400])
