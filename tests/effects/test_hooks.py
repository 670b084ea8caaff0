"""Effects behind special methods and library callables are found, and ordinary code is left in peace."""

from __future__ import annotations

import functools
import sys
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from autopar._effects import analyse, held_types
from autopar._model.effects import EffectKind
from tests.effects import hooked, hooked_world, ordinary, ordinary_world, reached, reached_world, typed, whole, world


@pytest.fixture(autouse=True, scope="module")
def no_module_stays() -> Iterator[None]:
    """Take away the module that a world has registered: it answers whatever it is asked for."""
    yield
    sys.modules.pop("hooked_module", None)


@functools.cache
def names_of(source: str) -> dict[str, Any]:
    names = {**vars(world), "__name__": "tests.effects.written"}
    exec(hooked_world.IMPORTS, names)
    exec(compile(source, "world", "exec", dont_inherit=True), names)
    return names


def function_of(body: str, source: str) -> Callable[..., Any]:
    """Make a function of `x` with that body, among the names of a world."""
    lines = body.replace(r"\n", "\n")
    waits = any(word in body for word in ("async with", "async for", "await "))
    names = dict(names_of(source))
    source = f"{'async ' if waits else ''}def f(x):\n{textwrap.indent(lines, '    ')}"
    exec(compile(source, "body", "exec", dont_inherit=True), names)
    made: Callable[..., Any] = names["f"]
    return made


@pytest.mark.parametrize("body", hooked.BODIES + reached.BODIES)
def test_an_effect_behind_a_hook_is_found(body: str) -> None:
    """Whatever Python or its library calls on an object is followed, or said to be unknown; nothing makes it fail."""
    report = analyse(function_of(body, hooked_world.SOURCE + reached_world.SOURCE))
    assert {effect.kind for effect in report.effects} - {EffectKind.GENERATOR}
    assert not any("analysis failed" in effect.what for effect in report.effects)


@pytest.mark.parametrize("body", ordinary.BODIES)
def test_ordinary_code_has_no_effect(body: str) -> None:
    """Objects with special methods, local classes, generators and library calls raise no alarm by themselves."""
    assert [str(effect) for effect in analyse(function_of(body, ordinary_world.SOURCE)).effects] == []


@functools.cache
def programs() -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "tests.effects.written"}
    exec(compile(whole.SOURCE, "programs", "exec", dont_inherit=True), names)
    return names


@pytest.mark.parametrize(("name", "argument"), whole.CALLS, ids=[name for name, _ in whole.CALLS])
def test_whole_programs_are_free(name: str, argument: str) -> None:
    """With the types of a call's argument, and of what it holds, no program is suspected; it runs, too."""
    function, value = programs()[name], eval(argument, programs())
    function(value)
    value = eval(argument, programs())
    report = analyse(function, argument_types=(type(value),), held=held_types((value,)))
    assert [str(effect) for effect in report.effects] == []


@functools.cache
def typed_world() -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "tests.effects.written"}
    exec(compile(typed.SOURCE, "typed", "exec", dont_inherit=True), names)
    return names


@pytest.mark.parametrize(("name", "argument"), typed.CALLS, ids=lambda part: part)
def test_types_hide_no_effect(name: str, argument: str) -> None:
    """What an object of a known type holds is found: in place of a class's attribute, behind a view or a copy."""
    value = eval(argument, typed_world())
    report = analyse(typed_world()[name], argument_types=(type(value),), held=held_types((value,)))
    assert report.effects
