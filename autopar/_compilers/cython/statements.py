"""Statements as Cython text; those whose traces in a traceback Cython leaves otherwise are spelled out."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from autopar._compilers.cython.expressions import SMALL, Expressions
from autopar._compilers.cython.lines import NOWHERE, Lines, iterated_at, mark
from autopar._model.compiler import NotCompiled

__all__ = ["Statements"]

_AUGMENTED: dict[type[ast.operator], str] = {
    ast.Add: "+=", ast.Sub: "-=", ast.Mult: "*=", ast.Div: "/=", ast.FloorDiv: "//=", ast.Mod: "%=", ast.Pow: "**=",
    ast.LShift: "<<=", ast.RShift: ">>=", ast.BitAnd: "&=", ast.BitOr: "|=", ast.BitXor: "^=", ast.MatMult: "@=",
}  # fmt: skip


class Statements:
    """Writes the statements of one generated function."""

    def __init__(self, lines: Lines, expressions: Expressions, bound: dict[int, frozenset[str]]) -> None:
        self.lines = lines
        self.expressions = expressions
        self.depth = 1
        self._bound = bound
        self._temporaries = 0
        self._handlers = 0

    def block(self, body: list[ast.stmt]) -> None:
        """Write statements one step further in than what is around them."""
        for statement in body:
            self.expressions.bound = self._bound.get(id(statement), frozenset())
            _WRITERS[type(statement)](self, statement)

    def line(self, text: str, line: int) -> None:
        """Write a line."""
        self.lines.add(self.depth, text, line)

    def value(self, node: ast.expr) -> str:
        """An expression in brackets, so that its text may go over several lines."""
        return f"({self.expressions.value(node)})"

    def inner(self, write: Callable[[], object]) -> None:
        """Write something one step further in."""
        self.depth += 1
        write()
        self.depth -= 1

    def body(self, body: list[ast.stmt]) -> None:
        """Write a block one step further in."""
        self.inner(lambda: self.block(body))

    def temporary(self) -> str:
        """A new variable of our own."""
        self._temporaries += 1
        return f"ap_t{self._temporaries}"

    # -- assignments ------------------------------------------------------------------------------------------------

    def store(self, target: ast.expr, text: str) -> None:
        """Store a value, which is the text of an expression without effects, to a target."""
        line = target.lineno
        if isinstance(target, ast.Name):
            self._store_name(target.id, text, line)
        elif isinstance(target, ast.Attribute):
            owner = self.expressions.value(target.value)
            self.line(f"({owner}){mark(target.end_lineno or line)}.{target.attr} = {text}", line)
        elif isinstance(target, ast.Subscript):
            index = self.expressions.index(target.slice)
            self.line(f"({self.expressions.value(target.value)})[{index}{mark(line)}] = {text}", line)
        elif isinstance(target, (ast.Tuple, ast.List)):
            self._unpack(target, text)
        else:
            raise NotCompiled(f"a target of kind {type(target).__name__} is not among what is compiled", line)

    def _store_name(self, name: str, text: str, line: int) -> None:
        scope = self.expressions.scope
        if name in scope.variables:
            self.line(f"v_{name} = {text}", line)
        elif name in scope.cells or name in scope.outer:
            self.line(f"ap_set_cell({self.expressions.cell(name)}, {text})", line)
        else:
            self.line(f'ap_set_global(ap, "{name}", {text})', line)

    def _unpack(self, target: ast.Tuple | ast.List, text: str) -> None:
        parts, line = self.temporary(), target.lineno
        starred = [i for i, each in enumerate(target.elts) if isinstance(each, ast.Starred)]
        count = len(target.elts)
        if starred:
            found = f"ap_unpack_any({text}, {starred[0]}, {count - starred[0] - 1})"
        else:
            found = f"ap_unpack({text}, {count})"
        self.line(f"{parts} = {found}", line)
        for i, each in enumerate(target.elts):
            self.store(each.value if isinstance(each, ast.Starred) else each, f"AP_PART(<tuple>{parts}, {i})")
        self.line(f"{parts} = None", line)

    def _assign(self, node: ast.Assign) -> None:
        target = node.targets[0]
        if len(node.targets) == 1 and _side_by_side(target, node.value):
            assert isinstance(target, (ast.Tuple, ast.List))  # noqa: S101 - for the type checker
            assert isinstance(node.value, (ast.Tuple, ast.List))  # noqa: S101 - for the type checker
            temporaries = [self.temporary() for _ in target.elts]
            for name, value in zip(temporaries, node.value.elts, strict=True):
                self.line(f"{name} = {self.value(value)}", value.lineno)
            for name, each in zip(temporaries, target.elts, strict=True):
                self.store(each, name)
            self.line(f"{' = '.join(temporaries)} = None", node.lineno)
        elif len(node.targets) == 1 and isinstance(target, ast.Name):
            self.store(target, self.value(node.value))
        else:
            name = self.temporary()
            self.line(f"{name} = {self.value(node.value)}", node.lineno)
            for each in node.targets:
                self.store(each, name)
            self.line(f"{name} = None", node.lineno)

    def _annotated(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self._assign(ast.copy_location(ast.Assign(targets=[node.target], value=node.value), node))

    def _augmented(self, node: ast.AugAssign) -> None:
        target, operator = node.target, _AUGMENTED[type(node.op)]
        small = isinstance(node.value, ast.Constant) and type(node.value.value) is int and node.value.value < SMALL
        plain = small and not isinstance(node.op, ast.Pow)
        value = repr(node.value.value) if plain and isinstance(node.value, ast.Constant) else self.value(node.value)
        scope = self.expressions.scope
        if isinstance(target, ast.Name):
            surely = target.id in scope.variables and target.id in self.expressions.bound
            if surely and isinstance(node.op, ast.Add) and not plain:
                self.line(f"AP_ADD_TO(v_{target.id}, {value})", node.lineno)
                # Cython sees no assignment in that, and a parameter without one would only be borrowed from the caller.
                self.line(f"if AP_NEVER(): v_{target.id} = None", node.lineno)
            elif target.id in scope.variables:
                self.line(f"{self.expressions.name(target.id)} {operator} {value}", node.lineno)
            else:
                name = self.temporary()
                self.line(f"{name} = {self.expressions.name(target.id)}", node.lineno)
                self.line(f"{name} {operator} {value}", node.lineno)
                self.store(target, name)
                self.line(f"{name} = None", node.lineno)
            return
        owner, key, held = self.temporary(), self.temporary(), self.temporary()
        assert isinstance(target, (ast.Attribute, ast.Subscript))  # noqa: S101 - for the type checker
        self.line(f"{owner} = {self.value(target.value)}", node.lineno)
        if isinstance(target, ast.Attribute):
            place = f"{owner}.{target.attr}"
            line = target.end_lineno or node.lineno
        else:
            literal = isinstance(target.slice, ast.Constant) and type(target.slice.value) is int
            if literal:
                place = f"{owner}[{self.expressions.index(target.slice)}]"
            else:
                self.line(f"{key} = ({self.expressions.index(target.slice)})", node.lineno)
                place = f"{owner}[{key}]"
            line = target.lineno
        self.line(f"{held} = {place}", line)
        self.line(f"{held} {operator} {value}", node.lineno)
        self.line(f"{place} = {held}", line)
        self.line(f"{owner} = {key} = {held} = None", node.lineno)

    def _delete(self, node: ast.Delete) -> None:
        for target in node.targets:
            if isinstance(target, ast.Name):
                if target.id not in self.expressions.scope.variables:
                    raise NotCompiled("del of a shared name is not among what is compiled", node.lineno)
                self.expressions.name(target.id)
                self.line(f"del v_{target.id}", node.lineno)
                self.line(f"if AP_NEVER(): v_{target.id} = None", node.lineno)
            elif isinstance(target, ast.Attribute):
                self.line(f"del {self.value(target.value)}.{target.attr}", node.lineno)
            elif isinstance(target, ast.Subscript):
                self.line(f"del {self.value(target.value)}[{self.expressions.index(target.slice)}]", node.lineno)
            else:
                raise NotCompiled("del of several targets in brackets is not among what is compiled", node.lineno)

    # -- flow -------------------------------------------------------------------------------------------------------

    def _if(self, node: ast.If) -> None:
        self.line(f"if ({self.expressions.test(node.test)}):", node.lineno)
        self.body(node.body)
        if node.orelse:
            self.line("else:", node.lineno)
            self.body(node.orelse)

    def _while(self, node: ast.While) -> None:
        self.line(f"while ({self.expressions.test(node.test)}):", node.lineno)
        self._round(node.lineno)
        self.body(node.body)
        self._else(node.orelse, node.lineno)

    def _for(self, node: ast.For) -> None:
        line = iterated_at(node.iter, node.lineno)
        self.loop(node.target, self.value(node.iter), line, lambda: self.block(node.body))
        self._else(node.orelse, node.lineno)

    def loop(self, target: ast.expr, iterable: str, line: int, write: Callable[[], object]) -> None:
        """A loop over the items of a value, whose body ``write`` writes."""
        bound = self.expressions.bound
        plain = isinstance(target, ast.Name) and target.id in self.expressions.scope.variables
        name = f"v_{target.id}" if plain and isinstance(target, ast.Name) else self.temporary()
        self.line(f"for {name} in ap_same{iterable}:", line)
        self._round(line)

        def inside() -> None:
            if not plain:
                self.store(target, name)
                self.line(f"{name} = None", line)
            write()

        self.inner(inside)
        self.expressions.bound = bound

    def _round(self, line: int) -> None:
        self.inner(lambda: self.line("AP_ROUND()", line))

    def _else(self, body: list[ast.stmt], line: int) -> None:
        if body:
            self.line("else:", line)
            self.body(body)

    def _return(self, node: ast.Return) -> None:
        self.line("return None" if node.value is None else f"return {self.value(node.value)}", node.lineno)

    def _word(self, node: ast.Pass | ast.Break | ast.Continue) -> None:
        self.line(type(node).__name__.lower(), node.lineno)

    def _nothing(self, node: ast.Global | ast.Nonlocal) -> None:
        self.line("pass", node.lineno)

    def _expression(self, node: ast.Expr) -> None:
        self.line("pass" if isinstance(node.value, ast.Constant) else self.value(node.value), node.lineno)

    def _function(self, node: ast.FunctionDef) -> None:
        made = self.expressions.function(node, node.name, node.args)
        self.store(ast.copy_location(ast.Name(id=node.name, ctx=ast.Store()), node), f"({made})")

    # -- exceptions -------------------------------------------------------------------------------------------------

    def _raise(self, node: ast.Raise) -> None:
        if node.exc is None:
            if not self._handlers:
                raise NotCompiled("raise without an exception, and outside of a handler", node.lineno)
            self.line("raise", NOWHERE)
            return
        cause = "..." if node.cause is None else self.expressions.value(node.cause)
        self.line(f"ap_raise({self.expressions.value(node.exc)}, {cause}{mark(node.lineno)})", node.lineno)

    def _assert(self, node: ast.Assert) -> None:
        if not __debug__:
            self.line("pass", node.lineno)
            return
        made = error = self.expressions.around.constant(AssertionError)
        if node.msg is not None:
            made = f"({error})({self.expressions.value(node.msg)}{mark(node.lineno)})"
        self.line(f"if (not {self.expressions.test(node.test)}):", node.lineno)
        self.inner(lambda: self.line(f"ap_raise({made}, ...{mark(node.lineno)})", node.lineno))

    def _try(self, node: ast.Try) -> None:
        if not node.finalbody:
            self._handled(node)
            return
        self.line("try:", node.lineno)

        def inside() -> None:
            if node.handlers:
                self._seen(lambda: self._handled(node), node.lineno)
            else:
                self._seen(lambda: self.block(node.body), node.lineno)

        self.inner(inside)
        self.line("finally:", node.lineno)
        self.body(node.finalbody)

    def _seen(self, write: Callable[[], object], line: int) -> None:
        """Have an exception that leaves some statements show this frame in its traceback at once."""
        self.line("try:", line)
        self.inner(write)
        self.line("except:", line)
        self.inner(lambda: self.line("raise", NOWHERE))

    def _handled(self, node: ast.Try) -> None:
        self.line("try:", node.lineno)
        self.body(node.body)
        self.line("except:", node.lineno)
        self.inner(lambda: self._choose(node.handlers))
        if node.orelse:
            self.line("else:", node.lineno)
            self.body(node.orelse)

    def _choose(self, handlers: list[ast.ExceptHandler]) -> None:
        error, word = self.temporary(), "if"
        self.line(f"{error} = ap_handled()", handlers[0].lineno)
        self._handlers += 1
        for handler in handlers:
            if handler.type is None:
                self.line("else:" if word == "elif" else "if True:", handler.lineno)
            else:
                # Each type is worked out only when the ones before have not matched.
                if word == "elif":
                    self.line("else:", handler.lineno)
                    self.depth += 1
                found = f"ap_matches({error}, {self.expressions.value(handler.type)}{mark(handler.lineno)})"
                self.line(f"if ({found}):", handler.lineno)
            word = "elif"
            self.inner(lambda one=handler: self._handle(one, error))  # type: ignore[misc]
        if handlers[-1].type is not None:
            self.line("else:", handlers[-1].lineno)
            self.inner(lambda: self.line(f"{error} = None", handlers[-1].lineno))
            self.inner(lambda: self.line("raise", NOWHERE))
        self.depth -= sum(handler.type is not None for handler in handlers[1:])
        self._handlers -= 1

    def _handle(self, handler: ast.ExceptHandler, error: str) -> None:
        if handler.name is None:
            self.line(f"{error} = None", handler.lineno)
            self.block(handler.body)
            return
        if handler.name not in self.expressions.scope.variables:
            raise NotCompiled("an exception under a shared name is not among what is compiled", handler.lineno)
        self.line(f"v_{handler.name} = {error}", handler.lineno)
        self.line(f"{error} = None", handler.lineno)
        self.line("try:", handler.lineno)
        self.body(handler.body)
        self.line("finally:", handler.lineno)
        self.inner(lambda: self.line(f"v_{handler.name} = None", handler.lineno))
        self.inner(lambda: self.line(f"del v_{handler.name}", handler.lineno))
        self.inner(lambda: self.line(f"if AP_NEVER(): v_{handler.name} = None", handler.lineno))

    def _with(self, node: ast.With) -> None:
        self._managed(node.items, node)

    def _managed(self, items: list[ast.withitem], node: ast.With) -> None:
        if not items:
            self.block(node.body)
            return
        item, line = items[0], items[0].context_expr.lineno
        pair, leave, fine, error = (self.temporary() for _ in range(4))
        self.line(f"{pair} = ap_enter({self.expressions.value(item.context_expr)}{mark(line)})", line)
        self.line(f"{leave} = AP_PART(<tuple>{pair}, 0)", line)
        self.line(f"{fine} = True", line)
        self.line("try:", line)
        self.depth += 1
        self.line("try:", line)

        def inside() -> None:
            if item.optional_vars is not None:
                self.store(item.optional_vars, f"AP_PART(<tuple>{pair}, 1)")
            self.line(f"{pair} = None", line)
            self._managed(items[1:], node)

        self.inner(inside)
        self.line("except:", line)
        self.inner(lambda: self.line(f"{fine} = False", line))
        self.inner(lambda: self.line(f"{error} = ap_handled()", line))
        self.inner(lambda: self.line(f"if not ap_leave({leave}, {error}):", line))
        self.depth += 1
        self.inner(lambda: self.line(f"{error} = None", line))
        self.inner(lambda: self.line("raise", NOWHERE))
        self.depth -= 2
        self.line("finally:", line)
        self.inner(lambda: self.line(f"if {fine} is True:", line))
        self.depth += 1
        self.inner(lambda: self.line(f"ap_leave({leave}, None)", line))
        self.depth -= 1
        self.line(f"{leave} = {error} = None", line)


def _side_by_side(target: ast.expr, value: ast.expr) -> bool:
    """Whether as many values as targets stand beside one another."""
    if not isinstance(target, (ast.Tuple, ast.List)) or not isinstance(value, (ast.Tuple, ast.List)):
        return False
    starred = any(isinstance(each, ast.Starred) for each in (*target.elts, *value.elts))
    return not starred and len(target.elts) == len(value.elts)


_WRITERS: dict[type[ast.stmt], Callable[[Statements, Any], None]] = {
    ast.Assign: Statements._assign,
    ast.AnnAssign: Statements._annotated,
    ast.AugAssign: Statements._augmented,
    ast.Delete: Statements._delete,
    ast.If: Statements._if,
    ast.While: Statements._while,
    ast.For: Statements._for,
    ast.Return: Statements._return,
    ast.Pass: Statements._word,
    ast.Break: Statements._word,
    ast.Continue: Statements._word,
    ast.Global: Statements._nothing,
    ast.Nonlocal: Statements._nothing,
    ast.Expr: Statements._expression,
    ast.FunctionDef: Statements._function,
    ast.Raise: Statements._raise,
    ast.Assert: Statements._assert,
    ast.Try: Statements._try,
    ast.With: Statements._with,
}
