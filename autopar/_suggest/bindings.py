"""What names are bound where."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from autopar._suggest.sites import Scope


def assigned(statement: ast.stmt | None, name: str) -> ast.expr | None:
    """What a statement puts into this one name."""
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target: ast.expr = statement.targets[0]
    elif isinstance(statement, ast.AnnAssign):
        target = statement.target
    else:
        return None
    return statement.value if isinstance(target, ast.Name) and target.id == name else None


def parameters_of(scope: Scope) -> set[str]:
    """The names of a function's parameters."""
    if not isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        return set()
    given = scope.args
    found = {each.arg for each in (*given.posonlyargs, *given.args, *given.kwonlyargs)}
    return found | {each.arg for each in (given.vararg, given.kwarg) if each is not None}


def defined(tree: ast.Module) -> set[str]:
    """Names that functions, classes and imports at the top of the module bind."""
    found = {each.name for each in tree.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)}
    return found | imported(tree)


def imported(tree: ast.Module) -> set[str]:
    """Names that imports at the top of the module bind."""
    return set(_bound_by_imports(tree))


def _bound_by_imports(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            for each in node.names:
                yield (each.asname or each.name).partition(".")[0]
