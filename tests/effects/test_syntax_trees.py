"""Making syntax trees on several threads at once fails now and then before Python 3.13."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable
from typing import Any

import pytest

from autopar._effects.entry import analyse
from autopar._model.effects import EffectKind


def nodes(text: str) -> int:
    """Count the nodes of a text's tree."""
    return sum(1 for _ in ast.walk(ast.parse(text)))


def value(text: str) -> Any:
    """Read a value."""
    return ast.literal_eval(text)


def code(text: str) -> Any:
    """Compile a text."""
    return compile(text, "<text>", "eval")


@pytest.mark.parametrize("function", [nodes, value, code])
def test_what_makes_trees_is_not_safe_on_threads(function: Callable[[str], Any]) -> None:
    """Threads share the depth that a tree's making counts; from 3.13 on each has its own."""
    kinds = {effect.kind for effect in analyse(function).effects}
    assert kinds == ({EffectKind.NOT_THREAD_SAFE} if sys.version_info < (3, 13) else set())
