"""The loops of a module: ``for``, ``while``, comprehensions and calls of ``map``, as its syntax shows them."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from autopar._suggest.spans import Span, span_of

Loop = ast.For | ast.While | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp | ast.Call
Scope = ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda

COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
KINDS = {
    ast.For: "for loop",
    ast.While: "while loop",
    ast.ListComp: "list comprehension",
    ast.SetComp: "set comprehension",
    ast.DictComp: "dict comprehension",
    ast.GeneratorExp: "generator expression",
    ast.Call: "map()",
}


@dataclass(frozen=True)
class Site:
    """One loop.

    Attributes
    ----------
    number
        Which of its module's loops, in the order of the text.
    node
        Its syntax.
    span
        Where samples belong to it: of ``map`` with the call that takes what it gives.
    calls
        What is called for each item, outermost calls only.
    """

    number: int
    node: Loop
    span: Span
    calls: tuple[ast.Call, ...]

    @property
    def line(self) -> int:
        """Its first line."""
        return self.node.lineno

    @property
    def kind(self) -> str:
        """What sort of loop, in words."""
        return KINDS[type(self.node)]

    @property
    def iterable(self) -> ast.expr | None:
        """What its items come from; of ``while`` nothing."""
        if isinstance(self.node, ast.For):
            return self.node.iter
        if isinstance(self.node, ast.Call):
            return self.node.args[1]
        return None if isinstance(self.node, ast.While) else self.node.generators[0].iter


class Syntax:
    """A module's syntax, with what stands around each piece.

    Parameters
    ----------
    source
        The text of the module.
    path
        Its file, for errors.
    """

    def __init__(self, source: str, path: str) -> None:
        self.source = source
        self.path = path
        self.tree = ast.parse(source, path)
        self.parents: dict[ast.AST, ast.AST] = {}
        for parent in ast.walk(self.tree):
            for child in ast.iter_child_nodes(parent):
                self.parents[child] = parent

    @cached_property
    def sites(self) -> tuple[Site, ...]:
        """Its loops, in the order of the text."""
        found = [node for node in ast.walk(self.tree) if isinstance(node, Loop) and _is_loop(node)]
        found.sort(key=lambda node: (node.lineno, node.col_offset))
        return tuple(self._site(number, node) for number, node in enumerate(found))

    def _site(self, number: int, node: Loop) -> Site:
        if not isinstance(node, ast.Call):
            return Site(number, node, span_of(node), tuple(_outermost_calls(_body(node))))
        parent = self.parents[node]
        taken_by = parent if isinstance(parent, ast.Call) else node
        return Site(number, node, span_of(taken_by), ())

    def scope_of(self, node: ast.AST) -> Scope:
        """The function, class or module in whose namespace a piece of syntax runs; comprehensions have none here."""
        while True:
            node = self.parents[node]
            if isinstance(node, Scope):
                return node

    def around(self, node: ast.AST) -> Iterator[ast.AST]:
        """What a piece of syntax stands in, from the inside, up to its scope."""
        scope = self.scope_of(node)
        while (node := self.parents[node]) is not scope:
            yield node

    def name_of(self, scope: Scope) -> str:
        """A scope's qualified name; the module's is empty."""
        names = []
        node: ast.AST = scope
        while not isinstance(node, ast.Module):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                names.append(node.name)
            elif isinstance(node, ast.Lambda):
                names.append("<lambda>")
            node = self.parents[node]
        return ".".join(reversed(names))

    def text_of(self, node: ast.expr | ast.stmt) -> str:
        """What stands in the file."""
        text = ast.get_source_segment(self.source, node)
        return ast.unparse(node) if text is None else text


def names(nodes: Iterable[ast.AST], kinds: type[ast.expr_context] | tuple[type[ast.expr_context], ...]) -> set[str]:
    """The names that are read, bound or deleted in these."""
    return {
        node.id
        for root in nodes
        for node in ast.walk(root)
        if isinstance(node, ast.Name) and isinstance(node.ctx, kinds)
    }


def carried(site: Site, call: ast.Call) -> set[str]:
    """Names by which a call for one item gets what the items before it have left: the loop cannot be split there."""
    if not isinstance(site.node, ast.For | ast.While):
        return set()
    given = names([*call.args, *(keyword.value for keyword in call.keywords)], ast.Load)
    bound_before: set[str] = names([site.node.target], ast.Store) if isinstance(site.node, ast.For) else set()
    for statement in site.node.body:
        if span_of(statement).holds(span_of(call)):
            break
        bound_before |= names([statement], ast.Store)
    return (given & names(site.node.body, ast.Store)) - bound_before


def _is_loop(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return not any(getattr(each, "is_async", 0) for each in getattr(node, "generators", ()))
    called = isinstance(node.func, ast.Name) and node.func.id == "map" and not node.keywords
    return called and len(node.args) >= 2 and not any(isinstance(each, ast.Starred) for each in node.args)


def _body(node: Loop) -> list[ast.AST]:
    """What runs for each item."""
    if isinstance(node, ast.For):
        return list(node.body)
    if isinstance(node, ast.While):
        return [node.test, *node.body]
    if isinstance(node, ast.DictComp):
        return [node.key, node.value]
    return [] if isinstance(node, ast.Call) else [node.elt, *node.generators[0].ifs]


def _outermost_calls(nodes: Iterable[ast.AST]) -> Iterator[ast.Call]:
    """Calls that run with the nodes, and not those in their arguments; of ``out.append(f(x))`` it is ``f(x)``."""
    for node in nodes:
        if isinstance(node, ast.Call):
            inner = list(_outermost_calls([*node.args, *(keyword.value for keyword in node.keywords)]))
            yield from inner if inner and _only_stores(node) else [node]
        elif not isinstance(node, Scope):
            yield from _outermost_calls(ast.iter_child_nodes(node))


def _only_stores(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and call.func.attr in ("append", "add", "extend", "update", "insert")
