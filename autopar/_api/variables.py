"""The type variables of the wrappers' signatures."""

from __future__ import annotations

from typing import ParamSpec, TypeVar

P = ParamSpec("P")
Q = ParamSpec("Q")
R = TypeVar("R")
S = TypeVar("S")
T = TypeVar("T")
