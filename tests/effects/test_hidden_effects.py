"""Effects that hide behind names, containers, operators and calls are found: a missed one is worse than an alarm."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from typing import Any

import pytest

from autopar._effects import analyse
from autopar._model.effects import EffectKind
from tests.effects import world
from tests.effects.hidden import ELSEWHERE, INTO_AN_ARGUMENT, OF_AN_OBJECT


def lines_of(text: str) -> list[str]:
    return [line.strip() for line in text.strip().splitlines()]


def function_of(body: str) -> Callable[..., Any]:
    """Make a function of `x` with that body, among the names of `world`."""
    head = "async def f(x):" if "async with" in body or "async for" in body else "def f(x):"
    names = {**vars(world)}
    exec(f"{head}\n{textwrap.indent(body, '    ')}", names)
    made: Callable[..., Any] = names["f"]
    return made


def effects_of(body: str) -> dict[EffectKind, str]:
    return {effect.kind: str(effect) for effect in analyse(function_of(body)).effects}


@pytest.mark.parametrize("way", lines_of(INTO_AN_ARGUMENT))
def test_every_way_into_an_argument_is_followed(way: str) -> None:
    """Changing what came out of an argument, whichever way, counts as changing the argument."""
    assert EffectKind.WRITES_ARGUMENT in effects_of(f"y = {way}\ny.append(1)")


@pytest.mark.parametrize("expression", lines_of(OF_AN_OBJECT))
def test_special_methods_are_followed(expression: str) -> None:
    """An operator or built-in function that calls a method of an object has that method's effects."""
    assert EffectKind.WRITES_SHARED in effects_of(f"return {expression}")


@pytest.mark.parametrize(("kind", "body"), ELSEWHERE, ids=[body.replace("\n", " / ") for _, body in ELSEWHERE])
def test_effects_out_of_sight_are_found(kind: EffectKind, body: str) -> None:
    """The effect is found, wherever it hides; nothing in it makes the analysis fail."""
    found = effects_of(body)
    assert kind in found, found
    assert not any("analysis failed" in text for text in found.values())
