"""What a kernel's statements do as a whole: which variables they use, and whether they leave after a store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields
from typing import Any

from autopar._kernel import ir

__all__ = ["exits_after_store", "used_variables", "walk"]


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


def exits_after_store(block: ir.Block) -> bool:
    """Whether a side exit may be taken after an element of an argument was written."""
    return _scan(block, False)[0]


def _scan(block: ir.Block, stored: bool) -> tuple[bool, bool]:
    """Return whether an exit follows a store, and whether there may have been a store by the end."""
    for s in block:
        if stored and isinstance(s, (ir.Checked, ir.Exit, ir.ExitIf, ir.New, ir.Grow)):
            return True, True
        inside = inner_blocks(s)
        if isinstance(s, (ir.Loop, ir.For)) and any(isinstance(x, ir.Store) and x.shared for x in walk(s.body)):
            stored = True  # by the round before
        after = stored or (isinstance(s, ir.Store) and s.shared)
        for inner in inside:
            leaves, wrote = _scan(inner, stored)
            if leaves:
                return True, True
            after = after or wrote
        stored = after
    return False, stored
