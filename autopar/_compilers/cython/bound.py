"""Which variables surely have a value where a statement begins."""

from __future__ import annotations

import ast
from collections.abc import Iterable

__all__ = ["bound_before"]

_Names = frozenset[str]


def bound_before(tree: ast.FunctionDef) -> dict[int, _Names]:
    """For the ``id`` of each statement of a function: the names that surely have a value when it begins."""
    found: dict[int, _Names] = {}
    arguments = tree.args
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    _block(tree.body, frozenset(each.arg for each in named if each is not None), found)
    return found


def _block(body: list[ast.stmt], bound: _Names | None, found: dict[int, _Names]) -> _Names | None:
    """The names bound behind a block; None where nothing comes out at its end."""
    for statement in body:
        found[id(statement)] = bound or frozenset()
        after = _statement(statement, bound or frozenset(), found)
        bound = None if bound is None else after
    return bound


def _both(one: _Names | None, other: _Names | None) -> _Names | None:
    return other if one is None else one if other is None else one & other


def _statement(node: ast.stmt, bound: _Names, found: dict[int, _Names]) -> _Names | None:
    if isinstance(node, (ast.Return, ast.Raise, ast.Break, ast.Continue)):
        return None
    if isinstance(node, ast.If):
        return _both(_block(node.body, bound, found), _block(node.orelse, bound, found))
    if isinstance(node, ast.While):
        _block(node.body, bound, found)
        _block(node.orelse, bound, found)
        return bound
    if isinstance(node, ast.For):
        _block(node.body, bound | _stored([node.target]), found)
        _block(node.orelse, bound, found)
        return bound
    if isinstance(node, ast.With):
        entered = bound | _stored(item.optional_vars for item in node.items if item.optional_vars is not None)
        _block(node.body, entered, found)
        return entered
    if isinstance(node, ast.Try):
        return _try(node, bound, found)
    if isinstance(node, ast.Delete):
        return bound - _stored(node.targets)
    if isinstance(node, ast.FunctionDef):
        return bound | {node.name}
    if isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return bound if node.value is None else bound | _stored(targets)
    return bound


def _try(node: ast.Try, bound: _Names, found: dict[int, _Names]) -> _Names | None:
    after = _block(node.body, bound, found)
    after = None if after is None else _block(node.orelse, after, found)
    for handler in node.handlers:
        left = _block(handler.body, bound | ({handler.name} if handler.name else set()), found)
        after = _both(after, None if left is None else left - {handler.name or ""})
    finished = _block(node.finalbody, bound, found)
    return None if finished is None or after is None else after | finished


def _stored(targets: Iterable[ast.AST]) -> _Names:
    """The names that targets store to."""
    return frozenset(
        name.id
        for target in targets
        for name in ast.walk(target)
        if isinstance(name, ast.Name) and isinstance(name.ctx, (ast.Store, ast.Del))
    )
