"""The function as it is: what every other compiler is compared with."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def compile(function: Callable[P, R]) -> Callable[P, R]:
    """The function itself."""
    return function
