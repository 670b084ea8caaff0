"""Which variables a kernel's statements really use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields
from typing import Any

from autopar._kernel import ir

__all__ = ["used_variables", "walk"]


def walk(block: ir.Block) -> Iterator[ir.Statement]:
    """Give all statements of a block, outer ones first."""
    for statement in block:
        yield statement
        for inner in inner_blocks(statement):
            yield from walk(inner)


def inner_blocks(statement: ir.Statement) -> list[ir.Block]:
    """Return the blocks inside a statement."""
    if isinstance(statement, ir.If):
        return [statement.then, statement.other]
    return [statement.body] if isinstance(statement, (ir.Loop, ir.For)) else []


def used_variables(block: ir.Block, more: Iterable[ir.Var]) -> frozenset[str]:
    """Return the names of all variables that are read or set."""
    names = {var.name for var in more}
    for statement in walk(block):
        for field in fields(statement):
            names |= set(_names(getattr(statement, field.name)))
    return frozenset(names)


def _names(value: Any) -> Iterator[str]:
    if isinstance(value, ir.Var):
        yield value.name
    elif isinstance(value, ir.Op):
        value = value.args
    if isinstance(value, tuple):
        for item in value:
            yield from _names(item)
