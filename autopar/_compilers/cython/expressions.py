"""Expressions as Cython text.

Nothing that Cython would give a C type is left to it as a value: floats, texts and large integers are Python objects
out of the surroundings, truth values are cast to objects, and a small integer stands by itself only as one side of an
operator. Names of the module, builtins among them, are looked up in the helpers of :mod:`.support`.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable
from opcode import opmap
from typing import TYPE_CHECKING, Any

from autopar._compilers.cython.lines import NOWHERE, iterated_at, mark
from autopar._compilers.cython.names import Scope
from autopar._model.compiler import NotCompiled

if TYPE_CHECKING:
    from autopar._compilers.cython.surroundings import Surroundings

__all__ = ["Expressions"]

SMALL = 2**30
"""Integers below are literals of one digit for CPython, which Cython adds and compares without a call."""

_BINARY: dict[type[ast.operator], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%", ast.Pow: "**",
    ast.LShift: "<<", ast.RShift: ">>", ast.BitAnd: "&", ast.BitOr: "|", ast.BitXor: "^", ast.MatMult: "@",
}  # fmt: skip
_UNARY: dict[type[ast.unaryop], str] = {ast.UAdd: "+", ast.USub: "-", ast.Invert: "~"}
_RICH: dict[type[ast.cmpop], str] = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
}  # fmt: skip
_TRUTHS = (ast.Is, ast.IsNot, ast.In, ast.NotIn)
_MOST_BY_METHOD = 3

_expression: Any = (_ for _ in ())
_CALLER_ITERATES = opmap["GET_ITER"] not in _expression.gi_code.co_code[::2]
"""Whether who makes a generator expression calls ``iter()`` for it: some versions of 3.14 leave it to its own code."""


class Expressions:
    """Writes the expressions of one generated function.

    Attributes
    ----------
    scope
        Where its names live.
    bound
        The variables that surely have a value at the statement being written.
    unsure
        Those that were read where they may have none.
    """

    def __init__(
        self, scope: Scope, around: Surroundings, comprehend: Callable[[Expressions, ast.expr], tuple[str, str]]
    ) -> None:
        self.scope = scope
        self.around = around
        self.bound: frozenset[str] = frozenset()
        self.unsure: set[str] = set()
        self._comprehend = comprehend

    def value(self, node: ast.expr) -> str:
        """An expression as an object."""
        return f"{mark(node.lineno)}{_WRITERS[type(node)](self, node)}"

    def test(self, node: ast.expr) -> str:
        """An expression of which only the truth counts."""
        if isinstance(node, ast.BoolOp):
            return f"({f' {_bool(node.op)} '.join(map(self.test, node.values))})"
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return f"(not {self.test(node.operand)})"
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            op, other = node.ops[0], node.comparators[0]
            if isinstance(op, _TRUTHS):
                return self._truth(node)
            both = not (_is_small(node.left) and _is_small(other))
            equal = isinstance(op, (ast.Eq, ast.NotEq))
            sides = [self._plain_text(each) if equal else "" for each in (node.left, other)]
            if all(sides):
                sides = ["", ""]
            sides = [text or self._side(each, plain=both) for text, each in zip(sides, (node.left, other), strict=True)]
            return f"({sides[0]} {mark(node.lineno)}{_RICH[type(op)]} {sides[1]})"
        return self.value(node)

    @staticmethod
    def _plain_text(node: ast.expr) -> str:
        """A text as Cython's own literal, which it compares by a look; empty for anything else."""
        if isinstance(node, ast.Constant) and type(node.value) is str and node.value.isascii():
            return f"{mark(node.lineno)}{node.value!a}"
        return ""

    def values(self, nodes: list[ast.expr]) -> str:
        """A display's items, or a call's arguments."""
        return ", ".join(map(self.value, nodes))

    def in_tuple(self, nodes: list[ast.expr]) -> str:
        """A tuple of them."""
        return f"({''.join(f'{self.value(each)}, ' for each in nodes)})" if nodes else "()"

    # -- names ------------------------------------------------------------------------------------------------------

    def name(self, name: str) -> str:
        """The value of a name."""
        if name in self.scope.variables:
            if name not in self.bound:
                self.unsure.add(name)
            return f"v_{name}"
        if name in self.scope.cells:
            return f'ap_get_cell(w_{name}, b"{name}", 0)'
        if name in self.scope.outer:
            return f'ap_get_cell(AP_K(ap, {self.scope.outer[name]}), b"{name}", 1)'
        return f'ap_global(ap, "{name}")'

    def cell(self, name: str) -> str:
        """The cell of a name that inner functions share."""
        return f"w_{name}" if name in self.scope.cells else f"AP_K(ap, {self.scope.outer[name]})"

    def settled(self, node: ast.expr) -> bool:
        """To work it out neither fails nor does anything."""
        if isinstance(node, ast.Constant):
            return True
        return isinstance(node, ast.Name) and node.id in self.scope.variables and node.id in self.bound

    # -- the kinds --------------------------------------------------------------------------------------------------

    def _name(self, node: ast.Name) -> str:
        return self.name(node.id)

    def _constant(self, node: ast.Constant) -> str:
        if node.value is None or node.value is True or node.value is False:
            return repr(node.value)
        return self.around.constant(node.value)

    def _side(self, node: ast.expr, *, plain: bool) -> str:
        """One side of an operator, where small integers may be plain ones."""
        if plain and _is_small(node):
            assert isinstance(node, ast.Constant)  # noqa: S101 - for the type checker
            return f"{mark(node.lineno)}{node.value!r}"
        return self.value(node)

    def _binary(self, node: ast.BinOp) -> str:
        plain = not (_is_small(node.left) and _is_small(node.right)) and not isinstance(node.op, ast.Pow)
        left, right = self._side(node.left, plain=plain), self._side(node.right, plain=plain)
        return f"({left} {mark(node.lineno)}{_BINARY[type(node.op)]} {right})"

    def _unary(self, node: ast.UnaryOp) -> str:
        if isinstance(node.op, ast.Not):
            return f"(<object>(not {self.test(node.operand)}))"
        return f"({_UNARY[type(node.op)]}{self.value(node.operand)})"

    def _boolean(self, node: ast.BoolOp) -> str:
        return f"({f' {_bool(node.op)} '.join(map(self.value, node.values))})"

    def _choice(self, node: ast.IfExp) -> str:
        return f"({self.value(node.body)} if {self.test(node.test)} else {self.value(node.orelse)})"

    def _compare(self, node: ast.Compare) -> str:
        if isinstance(node.ops[0], _TRUTHS):
            return f"(<object>{self._truth(node)})"
        pieces = [self.value(node.left)]
        for op, other in zip(node.ops, node.comparators, strict=True):
            pieces.append(f" {mark(node.lineno)}{_RICH[type(op)]} {self.value(other)}")
        return f"({''.join(pieces)})"

    def _truth(self, node: ast.Compare) -> str:
        op, left, right = node.ops[0], node.left, node.comparators[0]
        if isinstance(op, (ast.Is, ast.IsNot)):
            return f"({self.value(left)} {'is' if isinstance(op, ast.Is) else 'is not'} {self.value(right)})"
        found = f"ap_contains({self.value(left)}, {self._container(right)}{mark(node.lineno)})"
        return f"({mark(node.lineno)}{'' if isinstance(op, ast.In) else 'not '}{found})"

    def _container(self, node: ast.expr) -> str:
        """What stands after ``in``: CPython makes displays of constants only once."""
        if isinstance(node, (ast.List, ast.Set)) and all(isinstance(each, ast.Constant) for each in node.elts):
            values = tuple(each.value for each in node.elts if isinstance(each, ast.Constant))
            return self.around.constant(frozenset(values) if isinstance(node, ast.Set) else values)
        return self.value(node)

    def _attribute(self, node: ast.Attribute) -> str:
        return f"({self.value(node.value)}{mark(node.end_lineno or node.lineno)}.{node.attr})"

    def _subscript(self, node: ast.Subscript) -> str:
        index = node.slice
        if isinstance(index, ast.Slice) and index.step is None:
            bounds = [self.value(each) if each is not None else "None" for each in (index.lower, index.upper)]
            return f"ap_part({self.value(node.value)}, {bounds[0]}, {bounds[1]}{mark(node.lineno)})"
        return f"({self.value(node.value)}{mark(node.lineno)}[{self.index(index)}])"

    def index(self, index: ast.expr) -> str:
        """What stands in brackets."""
        if isinstance(index, ast.Slice):
            bounds = [
                self.value(each) if each is not None else "None" for each in (index.lower, index.upper, index.step)
            ]
            return f"ap_slice({', '.join(bounds)})"
        if isinstance(index, ast.Tuple) and any(isinstance(each, ast.Slice) for each in index.elts):
            return "(" + "".join(f"{self.index(each)}, " for each in index.elts) + ")"
        return self._side(index, plain=True)

    def _slice(self, node: ast.Slice) -> str:
        return self.index(node)

    def _tuple(self, node: ast.Tuple) -> str:
        if all(isinstance(each, ast.Constant) for each in node.elts):
            return self.around.constant(tuple(each.value for each in node.elts if isinstance(each, ast.Constant)))
        spread = self._starred_display(node.elts)
        return f"ap_as_tuple({spread})" if spread else self.in_tuple(node.elts)

    def _list(self, node: ast.List) -> str:
        return self._starred_display(node.elts) or f"[{self.values(node.elts)}]"

    def _set(self, node: ast.Set) -> str:
        spread = self._starred_display(node.elts)
        return f"set({spread})" if spread else f"{{{self.values(node.elts)}}}"

    def _starred_display(self, nodes: list[ast.expr]) -> str:
        starred = [isinstance(each, ast.Starred) for each in nodes]
        if not any(starred):
            return ""
        values = [each.value if isinstance(each, ast.Starred) else each for each in nodes]
        # An item is spread before the next one is worked out, which must not make a difference then.
        if not all(map(self.settled, values[1:])):
            raise NotCompiled("a starred item among others that do something is not compiled", nodes[0].lineno)
        stars = "".join("01"[star] for star in starred)
        return f'ap_spread({self.in_tuple(values)}, b"{stars}"{mark(nodes[0].lineno)})'

    def _dict(self, node: ast.Dict) -> str:
        pieces = []
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None:
                raise NotCompiled("** in the display of a dict is not among what is compiled", value.lineno)
            pieces.append(f"{self.value(key)}: {self.value(value)}")
        return f"{{{', '.join(pieces)}}}"

    def _text(self, node: ast.JoinedStr) -> str:
        parts = [self._part(each) for each in node.values]
        if len(parts) == 1 and isinstance(node.values[0], ast.FormattedValue):
            return parts[0]
        return f"ap_join(({''.join(f'{part}, ' for part in parts)}){mark(node.lineno)})" if parts else "''"

    def _part(self, node: ast.expr) -> str:
        if not isinstance(node, ast.FormattedValue):
            return self.value(node)
        spec = "None" if node.format_spec is None else self.value(node.format_spec)
        return f"ap_format({self.value(node.value)}, {max(node.conversion, 0)}, {spec}{mark(node.lineno)})"

    def _walrus(self, node: ast.NamedExpr) -> str:
        return f"(v_{node.target.id} := {self.value(node.value)})"

    # -- calls ------------------------------------------------------------------------------------------------------

    def _call(self, node: ast.Call) -> str:
        starred = [each for each in node.args if isinstance(each, ast.Starred)]
        if starred or any(each.arg is None for each in node.keywords):
            return self._starred_call(node)
        line = mark(node.func.end_lineno or node.lineno) if isinstance(node.func, ast.Attribute) else mark(node.lineno)
        named = [f"{each.arg}={self.value(each.value)}" for each in node.keywords]
        passed = ", ".join([*map(self.value, node.args), *named])
        if not isinstance(node.func, ast.Attribute):
            return f"({self.value(node.func)}{line}({passed}{line}))"
        owner, name = node.func.value, node.func.attr
        if all(map(self.settled, (*node.args, *(each.value for each in node.keywords)))):
            return f"({self.value(owner)}{line}.{name}({passed}))"
        if self.settled(owner) and not named and len(node.args) <= _MOST_BY_METHOD and not self._rebinds(node, owner):
            text = self.value(owner)
            if name == "append" and len(node.args) == 1:
                return f"{line}ap_append({text}, {line}ap_look_append({text}), {passed}{line})"
            return f'{line}ap_call{len(node.args)}({text}, {line}ap_look({text}, "{name}"), {passed}{line})'
        return f"(ap_same({self.value(owner)}{line}.{name})({passed}{line}))"

    @staticmethod
    def _rebinds(node: ast.Call, owner: ast.expr) -> bool:
        """Whether an argument assigns to the variable whose method is called."""
        return any(isinstance(each, ast.NamedExpr) for one in node.args for each in ast.walk(one))

    def _starred_call(self, node: ast.Call) -> str:
        positional, more, named = list(node.args), "...", "..."
        if positional and isinstance(positional[-1], ast.Starred):
            more = self.value(positional[-1].value)
            positional.pop()
        if node.keywords and node.keywords[-1].arg is None:
            named = self.value(node.keywords[-1].value)
        others = [each for each in positional if isinstance(each, ast.Starred)]
        if others or (node.keywords and (len(node.keywords) > 1 or named == "...")):
            raise NotCompiled("a call with * or ** among other arguments is not among what is compiled", node.lineno)
        line = mark(node.lineno)
        if isinstance(node.func, ast.Attribute):
            line = mark(node.func.end_lineno or node.lineno)
        return f"ap_call_star({self.value(node.func)}, {self.in_tuple(positional)}, {more}, {named}{line})"

    def _made(self, node: ast.Lambda | ast.GeneratorExp) -> str:
        if isinstance(node, ast.Lambda):
            return self.function(node, "<lambda>", node.args)
        made = self.function(node, "<genexpr>", None)
        source = node.generators[0].iter
        first, at = self.value(source), mark(iterated_at(source, node.lineno))
        if _CALLER_ITERATES:
            first = f"{at}ap_iterator({first}{at})"
        return f"({made}({first}{mark(node.lineno)}))"

    def function(self, node: ast.AST, name: str, arguments: ast.arguments | None) -> str:
        """An inner function, which is made of Python's own code for it."""
        code = self.around.code_of(node, name)
        defaults = "()" if arguments is None else self.in_tuple(arguments.defaults)
        by_name = "{}"
        if arguments is not None:
            pairs = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
            by_name = f"{{{', '.join(f'{arg.arg!r}: {self.value(one)}' for arg, one in pairs if one is not None)}}}"
        cells = "".join(f"{self.cell(each)}, " for each in code.co_freevars)
        return f"ap_function(ap, {self.around.constant(code)}, {defaults}, {by_name}, ({cells}))"

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.DictComp) -> str:
        call, passed = self._comprehend(self, node)
        source = node.generators[0].iter
        at = mark(iterated_at(source, node.lineno))
        first = f"{at}ap_iterable({self.value(source)}{at})"
        place = mark(NOWHERE) if sys.version_info >= (3, 12) else mark(node.lineno)
        return f"{place}{call}(ap, {first}{passed}{place}){mark(node.lineno)}"


def _is_small(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) is int and abs(node.value) < SMALL


def _bool(op: ast.boolop) -> str:
    return "and" if isinstance(op, ast.And) else "or"


_WRITERS: dict[type[ast.expr], Callable[[Expressions, Any], str]] = {
    ast.Name: Expressions._name,
    ast.Constant: Expressions._constant,
    ast.BinOp: Expressions._binary,
    ast.UnaryOp: Expressions._unary,
    ast.BoolOp: Expressions._boolean,
    ast.IfExp: Expressions._choice,
    ast.Compare: Expressions._compare,
    ast.Attribute: Expressions._attribute,
    ast.Subscript: Expressions._subscript,
    ast.Slice: Expressions._slice,
    ast.Tuple: Expressions._tuple,
    ast.List: Expressions._list,
    ast.Set: Expressions._set,
    ast.Dict: Expressions._dict,
    ast.JoinedStr: Expressions._text,
    ast.NamedExpr: Expressions._walrus,
    ast.Call: Expressions._call,
    ast.Lambda: Expressions._made,
    ast.GeneratorExp: Expressions._made,
    ast.ListComp: Expressions._comprehension,
    ast.SetComp: Expressions._comprehension,
    ast.DictComp: Expressions._comprehension,
}
