"""A module that counts how many items its loops take, compiled from what was written.

Each iterable of a loop that calls something goes through ``itertools.compress`` with a counter as its selectors: every
item draws one number, all of it in C (30 ns an item, CPython 3.11). Lines and columns stay as they are, and after the
run the functions get back the code that was written.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import compress, count
from types import CodeType
from typing import Any

from autopar._suggest.sites import COMPREHENSIONS, Site, Syntax

ITEMS, RESULT = "__autopar_items__", "__autopar_result__"
_NOTHING = object()
_SHORT = frozenset("abs bool chr float hash id int isinstance len max min next ord range repr round str type".split())
_SEEN_WITHOUT_RUNNING_CODE = (list, tuple)

DRAW = 30e-9
"""Seconds that counting an item takes (``timeit`` of a ``for`` with and without, CPython 3.11)."""


@dataclass
class Count:
    """How often a loop ran, and over how many items.

    Attributes
    ----------
    executions
        How often it began.
    item, result
        The first item and the first result that could be looked at without running any code of the program.
    """

    executions: int = 0
    item: Any = _NOTHING
    result: Any = _NOTHING
    drawn: count[int] = field(default_factory=lambda: count(1))

    @property
    def items(self) -> int:
        """Items that were taken; ``repr`` is how a counter tells where it stands without moving."""
        return int(repr(self.drawn)[len("count(") : -1]) - 1

    @property
    def has_item(self) -> bool:
        """An item was seen."""
        return self.item is not _NOTHING

    @property
    def has_result(self) -> bool:
        """A result was seen."""
        return self.result is not _NOTHING

    def counting(self, items: Iterable[Any]) -> Iterator[Any]:
        """The same items, counted: all runs of the loop draw from one counter."""
        self.executions += 1
        if self.item is _NOTHING and type(items) in _SEEN_WITHOUT_RUNNING_CODE and items:
            self.item = items[0]  # type: ignore[index]
        return compress(items, self.drawn)


class Counts:
    """What the loops of all modules of a program have counted."""

    def __init__(self) -> None:
        self.of: dict[tuple[str, int], Count] = {}
        self._by_number: list[Count] = []

    def number(self, path: str, site: Site) -> int:
        """Under which number a loop's code calls in."""
        found = self.of.setdefault((path, site.number), Count())
        self._by_number.append(found)
        return len(self._by_number) - 1

    def install(self) -> None:
        """Let counted code find this."""
        vars(builtins)[ITEMS] = self._items
        vars(builtins)[RESULT] = self._result

    def remove(self) -> None:
        """Take it away again."""
        vars(builtins).pop(ITEMS, None)
        vars(builtins).pop(RESULT, None)

    def _items(self, number: int, items: Iterable[Any]) -> Iterator[Any]:
        return self._by_number[number].counting(items)

    def _result(self, number: int, result: Any) -> Any:
        known = self._by_number[number]
        if known.result is _NOTHING and type(result) is list and result:
            known.result = result[0]
        return result


def compile_counted(syntax: Syntax, counts: Counts) -> tuple[CodeType, dict[CodeType, CodeType]]:
    """Compile a module twice: its counting code, and the code that was written for each piece of it."""
    written: CodeType = compile(syntax.source, syntax.path, "exec", dont_inherit=True)
    again = Syntax(syntax.source, syntax.path)  # the other tree stays as it was written
    numbers = {site.node: counts.number(syntax.path, site) for site in again.sites if calls_something(site)}
    tree = ast.fix_missing_locations(_Counting(numbers).visit(again.tree))
    counted: CodeType = compile(tree, syntax.path, "exec", dont_inherit=True)
    return counted, dict(_pairs(counted, written))


def calls_something(site: Site) -> bool:
    """It may call what is worth a map; short loops over built-in functions would only be slowed down by counting."""
    if site.iterable is None:
        return False
    calls = (call.func for call in site.calls)
    return isinstance(site.node, ast.Call) or any(getattr(each, "id", "") not in _SHORT for each in calls)


def _pairs(one: CodeType, other: CodeType) -> Iterator[tuple[CodeType, CodeType]]:
    yield one, other
    inner, same = ([each for each in code.co_consts if isinstance(each, CodeType)] for code in (one, other))
    for first, second in zip(inner, same, strict=True):
        yield from _pairs(first, second)


class _Counting(ast.NodeTransformer):
    """Puts the calls in."""

    def __init__(self, numbers: dict[Any, int]) -> None:
        self._numbers = numbers

    def visit_For(self, node: ast.For) -> ast.AST | list[ast.stmt]:
        number = self._numbers.get(node)
        self.generic_visit(node)
        if number is None:
            return node
        node.iter = _call(ITEMS, number, node.iter)
        filled = _filled_list(node)
        if filled is None:
            return node
        look = ast.Expr(_call(RESULT, number, ast.copy_location(ast.Name(filled, ast.Load()), node.iter)))
        return [node, ast.copy_location(look, node.iter)]

    def visit_Call(self, node: ast.Call) -> ast.AST:
        number = self._numbers.get(node)
        self.generic_visit(node)
        if number is not None:
            node.args[1] = _call(ITEMS, number, node.args[1])
        return node

    def generic_visit(self, node: ast.AST) -> ast.AST:
        number = self._numbers.get(node) if isinstance(node, COMPREHENSIONS) else None
        super().generic_visit(node)
        if number is None or not isinstance(node, COMPREHENSIONS):
            return node
        node.generators[0].iter = _call(ITEMS, number, node.generators[0].iter)
        return _call(RESULT, number, node) if isinstance(node, ast.ListComp) else node


def _call(name: str, number: int, value: ast.expr) -> ast.Call:
    """A call that stands where its argument stands."""
    function = ast.copy_location(ast.Name(name, ast.Load()), value)
    return ast.copy_location(ast.Call(function, [ast.copy_location(ast.Constant(number), value), value], []), value)


def _filled_list(node: ast.For) -> str | None:
    """The list that a loop appends to as its last step, if it is a plain name."""
    last = node.body[-1]
    call = last.value if isinstance(last, ast.Expr) else None
    appends = isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "append"
    if not appends or node.orelse or not isinstance(call.func.value, ast.Name):  # type: ignore[union-attr]
        return None
    return call.func.value.id  # type: ignore[union-attr]
