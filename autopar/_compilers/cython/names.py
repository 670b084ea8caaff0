"""Where each name of a function lives: in a variable, in a cell that inner functions share, or in the module."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import field

from autopar._model.light_dataclass import dataclass

__all__ = ["INNER", "Scope", "bound_names", "walk_own"]

INNER = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.GeneratorExp, ast.ClassDef)
"""What stays Python code of its own."""

COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp)


@dataclass
class Scope:
    """The names of one generated function.

    Attributes
    ----------
    variables
        Names in C variables.
    cells
        Names in cells of this call.
    outer
        Names in cells of the functions around it -> their places in the surroundings.
    """

    variables: set[str] = field(default_factory=set)
    cells: set[str] = field(default_factory=set)
    outer: dict[str, int] = field(default_factory=dict)


def walk_own(nodes: Sequence[ast.AST]) -> Iterator[ast.AST]:
    """All nodes that run in this very function, in the order of the source; the heads of inner functions included."""
    for node in nodes:
        yield node
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield from walk_own([*node.decorator_list, *node.args.defaults, *filter(None, node.args.kw_defaults)])
        elif isinstance(node, ast.Lambda):
            yield from walk_own([*node.args.defaults, *filter(None, node.args.kw_defaults)])
        elif isinstance(node, ast.GeneratorExp):
            yield from walk_own([node.generators[0].iter])
        elif not isinstance(node, ast.ClassDef):
            yield from walk_own(list(ast.iter_child_nodes(node)))


def bound_names(tree: ast.FunctionDef) -> set[str]:
    """The names that a function binds, parameters included; not those of its comprehensions."""
    arguments = tree.args
    found = {each.arg for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}
    found |= {each.arg for each in (arguments.vararg, arguments.kwarg) if each is not None}
    foreign: set[str] = set()
    hidden: set[int] = set()
    for node in walk_own(tree.body):
        if isinstance(node, COMPREHENSIONS):
            hidden |= {id(name) for one in node.generators for name in ast.walk(one.target)}
        if isinstance(node, ast.Name) and isinstance(node.ctx, (ast.Store, ast.Del)) and id(node) not in hidden:
            found.add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.ExceptHandler)):
            found |= {node.name} if node.name else set()
        elif isinstance(node, (ast.Global, ast.Nonlocal)):
            foreign |= set(node.names)
    return found - foreign
