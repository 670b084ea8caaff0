"""Whole-array code as loops over elements, which the kernels' front end takes like any other loops.

=========== ==========================================================================
values      what a value is, and which dtype an operation gives
desk        what is written so far, names, shapes
expressions arrays as elements that are worked out one by one
selection   slices, index arrays, new axes
functions   NumPy's functions of elements
reductions  sums, extremes, moments, running sums
products    matrix products
calls       which of these a call is
statements  assignments to parts, in-place operations, loops and branches around them
helpers     functions that the loops call: NumPy's order of addition
=========== ==========================================================================

An expression of arrays becomes one loop, with no array between its operations, if that is exact. What is read while
it is written goes by way of a new array. Lengths that NumPy would broadcast or clip at run time, and all that would
raise, leave the loops for Python. Where NumPy rounds otherwise than element by element, code is refused without `rtol`.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import FunctionType
from typing import Any

from autopar._compilers.arrays.desk import Desk
from autopar._compilers.arrays.expressions import value
from autopar._compilers.arrays.statements import statements
from autopar._compilers.arrays.values import held
from autopar._kernel.helpers import local_names
from autopar._kernel.kernel import Fact
from autopar._kernel.refusal import Refused
from autopar._kernel.source import Source, read_source
from autopar._kernel.types import Type
from autopar._model.light_dataclass import dataclass

__all__ = ["NO_ARRAYS", "Loops", "as_loops"]

NO_ARRAYS = "there is no whole-array code in it"
"""The reason of a refusal that says nothing of the function."""


@dataclass(frozen=True)
class Loops:
    """A function with its whole-array code made into loops.

    Attributes
    ----------
    source
        Its definition; its line numbers are those of the function's file.
    facts
        What that rests on: names that were looked up.
    text
        The same to read.
    """

    source: Source
    facts: tuple[Fact, ...]
    text: str


def as_loops(function: FunctionType, types: Sequence[Type], keywords: Mapping[str, Type], rtol: float = 0.0) -> Loops:
    """Make a function's whole-array code into loops.

    Parameters
    ----------
    function
        A plain function.
    types, keywords
        Types of the arguments passed by position and by name.
    rtol
        Relative difference of floats from Python's that is allowed.

    Raises
    ------
    Refused
        Something in it cannot be made into loops exactly, or there are no whole arrays in it.
    """
    source = read_source(function)
    tree = source.tree
    desk = Desk(function, local_names(tree), rtol)
    desk.value = lambda node: value(desk, node)
    names = [each.arg for each in (*tree.args.posonlyargs, *tree.args.args)]
    for name, kind in [*zip(names, types, strict=False), *keywords.items()]:
        desk.env[name] = held(name, kind)
    statements(desk, tree.body)
    if not desk.changed:
        raise Refused(tree.lineno, NO_ARRAYS)
    text = "\n".join(["def loops():", *(line for line, _ in desk.lines)])
    body = ast.parse(text).body[0]
    assert isinstance(body, ast.FunctionDef)
    for node in ast.walk(body):
        if "lineno" in node._attributes and node is not body:
            line = desk.lines[node.lineno - 2][1]  # type: ignore[attr-defined]
            vars(node).update(lineno=line, end_lineno=line)
    made = ast.copy_location(ast.FunctionDef(**{**vars(tree), "body": body.body}), tree)
    given: dict[str, Any] = desk.given
    return Loops(replace(source, tree=made, given=given), tuple(desk.facts.found.values()), text)
