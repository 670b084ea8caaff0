"""The analysis on Python's own library, walked as if it were the user's code."""

from __future__ import annotations

import importlib
import inspect
import os
from collections.abc import Callable, Iterator
from types import FunctionType, ModuleType
from typing import Any

import pytest

from autopar._effects import analyse
from autopar._model.effects import EffectKind
from tests.effects.standard_library import KEEP_SOMETHING, MODULES, PURE
from tests.ids import named

FREE = {EffectKind.GENERATOR, EffectKind.NOT_THREAD_SAFE}
"""Kinds that leave some way open without any hint."""
"""Kinds that forbid neither threads nor processes."""


@pytest.mark.slow
def test_pure_functions_of_the_library_are_seen_as_free() -> None:
    """Of the library's pure functions at least nine in ten have no effect that would keep them out of workers."""
    alarms = {}
    for function, types in PURE:
        report = analyse(function, argument_types=types, walk_library=True)
        if found := [str(effect) for effect in report.effects if effect.kind not in FREE]:
            alarms[f"{inspect.getmodule(function)} {function}"] = found
    print(f"false alarms: {len(alarms)} of {len(PURE)}", *alarms.items(), sep="\n")
    assert len(PURE) >= 60
    assert len(alarms) <= len(PURE) / 10


@pytest.mark.parametrize(("function", "kind"), KEEP_SOMETHING, ids=lambda part: getattr(part, "__name__", str(part)))
def test_what_the_library_keeps_between_calls_is_seen(function: Callable[..., Any], kind: EffectKind) -> None:
    """A cache or a global in the library's own code is found when that code is walked."""
    report = analyse(function, walk_library=True)
    assert kind in {effect.kind for effect in report.effects}


@pytest.mark.parametrize(("function", "types"), PURE, ids=named)
def test_the_tables_know_the_library(function: Callable[..., Any], types: tuple[type, ...]) -> None:
    """Without walking, a library function is what the tables say: these are free, whatever caches they keep."""
    assert {effect.kind for effect in analyse(function, argument_types=types).effects} <= FREE


def functions_of(module: ModuleType) -> Iterator[Callable[..., Any]]:
    """Every function, class and method that the module defines."""
    for member in list(vars(module).values()):
        if not str(getattr(member, "__module__", "")).startswith(module.__name__):
            continue
        if isinstance(member, FunctionType):
            yield member
        elif isinstance(member, type):
            yield member
            for method in list(vars(member).values()):
                function = getattr(method, "__func__", method)
                if isinstance(function, FunctionType):
                    yield function


@pytest.mark.slow
@pytest.mark.parametrize("name", MODULES if os.environ.get("AUTOPAR_TEST_LONG") == "1" else MODULES[::3])
def test_no_function_of_the_library_makes_the_analysis_fail(name: str) -> None:
    """Whatever it is given, the analysis reports: no instruction is unknown to it, and it never fails."""
    functions = list(functions_of(importlib.import_module(name)))
    assert functions
    for function in functions:
        report = analyse(function, budget=2, walk_library=True)
        faults = [e.what for e in report.effects if e.what.startswith(("the analysis failed", "the instruction"))]
        assert faults == [], function
