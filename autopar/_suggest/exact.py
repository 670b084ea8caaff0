"""Which rewriting of a loop gives exactly what the loop gave, or why none does.

A map of a function gives what its plain loop would give, whatever the function does: that is the library's promise,
and nothing to be checked here. What is checked is the loop around the call: that each item is one call of the function,
that nothing else in the loop could see how far it has come, and that the function sees nothing that the loop changes.
"""

from __future__ import annotations

import ast
import builtins
from dataclasses import dataclass

from autopar._suggest.bindings import assigned, defined, imported, parameters_of
from autopar._suggest.sites import Scope, Site, Syntax, names
from autopar._suggest.spans import Span, span_of

CONSUMERS = frozenset("all any bytearray bytes dict frozenset list max min set sorted sum tuple".split())
"""Built-in functions that draw from what they are given, and do nothing else meanwhile."""

RESULT_NAME = "result"
_NUMBERS = (int, float, complex)


@dataclass(frozen=True, slots=True)
class Edit:
    """New text in the place of old."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Rewriting:
    """How a loop becomes a map.

    Attributes
    ----------
    edits
        What changes where the loop stands.
    decorated
        The function of the same module that gets the decorator; None where ``autopar.map`` takes it as it is.
    reads_of
        Module-level names that the loop changes: the function must not read them.
    after
        The line as it will be, or the first of the lines.
    """

    edits: tuple[Edit, ...]
    decorated: ast.FunctionDef | None
    reads_of: frozenset[str]
    after: str


class InexactError(Exception):
    """Why a loop is not rewritten."""


def rewriting(syntax: Syntax, site: Site, call: ast.Call | None) -> Rewriting:
    """Rewrite a loop whose time goes into one call for each item.

    Parameters
    ----------
    syntax, site
        The module and the loop.
    call
        The call; None for ``map``.

    Raises
    ------
    InexactError
        The rewritten loop might differ, or it is not seen that it does not.
    """
    return _Rewriter(syntax, site, call).result()


class _Rewriter:
    """One loop on its way to a map."""

    def __init__(self, syntax: Syntax, site: Site, call: ast.Call | None) -> None:
        self.syntax = syntax
        self.site = site
        self.call = call
        self.scope = syntax.scope_of(site.node)
        if isinstance(self.scope, ast.ClassDef):
            raise InexactError("it stands in the body of a class")

    def result(self) -> Rewriting:
        node = self.site.node
        if isinstance(node, ast.Call):
            return self._map(node)
        if isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp):
            return self._comprehension(node)
        if isinstance(node, ast.For):
            return self._for(node)
        raise InexactError(f"a {self.site.kind} has no map that is the same")

    # -- the three forms ----------------------------------------------------------------------------------------------

    def _map(self, node: ast.Call) -> Rewriting:
        self._is_builtin("map")
        self._no_stop_iteration()
        parent = self.syntax.parents[node]
        whole, method = self._taken_by(node, parent)
        iterables = ", ".join(self._argument(each) for each in node.args[1:])
        return self._one_edit(whole, node.args[0], method, iterables)

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp) -> Rewriting:
        call = self._only_call(node.elt)
        generator = self._one_generator(node)
        shape, iterables, keywords = self._items(call, generator.target, generator.iter)
        if isinstance(node, ast.ListComp):
            whole: ast.expr = node
            method = "starmap" if shape == "starmap" else "map"
        elif isinstance(node, ast.SetComp):
            self._lazily(shape)
            self._no_stop_iteration()
            self._is_builtin("set")
            rewritten = self._one_edit(node, call.func, "imap", iterables, keywords)
            [edit] = rewritten.edits
            text = f"set({edit.text})"
            return Rewriting((Edit(edit.span, text),), rewritten.decorated, rewritten.reads_of, text)
        else:
            whole, method = self._taken_by(node, self.syntax.parents[node])
            if method == "imap":
                self._lazily(shape)
            elif shape == "starmap":
                method = "starmap"
        return self._one_edit(whole, call.func, method, iterables, keywords)

    def _for(self, node: ast.For) -> Rewriting:
        if node.orelse:
            raise InexactError("it has an else")
        self._target_is_forgotten(node)
        [statement, *more] = node.body
        if more:
            raise InexactError("it does more for each item than to keep what the function returns")
        if isinstance(statement, ast.AugAssign):
            return self._sum(node, statement)
        return self._append(node, statement)

    def _append(self, node: ast.For, statement: ast.stmt) -> Rewriting:
        appended = statement.value if isinstance(statement, ast.Expr) else None
        if (
            not isinstance(appended, ast.Call)
            or not isinstance(appended.func, ast.Attribute)
            or appended.func.attr != "append"
            or not isinstance(appended.func.value, ast.Name)
            or len(appended.args) != 1
            or appended.keywords
        ):
            raise InexactError("it does something else with what the function returns than to append it to a list")
        call, out = self._only_call(appended.args[0]), appended.func.value.id
        made = self._made_before(node, out)
        shape, iterables, keywords = self._items(call, node.target, node.iter)
        if out in names([node.iter, call], ast.Load):
            raise InexactError(f"{out} is read while it is filled")
        if self._caught():
            self._lazily(shape)
            self._no_stop_iteration()
            text = f"{out}.extend({self._text(call.func, 'imap', iterables, keywords)})"
            edits: tuple[Edit, ...] = (Edit(span_of(node), text),)
        else:
            method = "starmap" if shape == "starmap" else "map"
            text = f"{out} = {self._text(call.func, method, iterables, keywords)}"
            begin, end = span_of(made), span_of(node)
            edits = (Edit(Span(begin.line, begin.column, end.end_line, end.end_column), text),)
            if self._comments_between(made, node):
                edits = (Edit(end, text),)
        return Rewriting(edits, self._decorated(call.func), self._watched({out}), text)

    def _sum(self, node: ast.For, statement: ast.AugAssign) -> Rewriting:
        call, target = self._only_call(statement.value), statement.target
        if not isinstance(target, ast.Name):
            raise InexactError("it changes something that the function might see")
        made = self._value_before(node, target.id)
        if not isinstance(made, ast.Constant) or not isinstance(made.value, _NUMBERS):
            raise InexactError(f"it is not seen that {target.id} is a number at first")
        shape, iterables, keywords = self._items(call, node.target, node.iter)
        self._lazily(shape)
        self._no_stop_iteration()
        if target.id in names([node.iter, call], ast.Load):
            raise InexactError(f"{target.id} is read while it grows")
        if RESULT_NAME in names(ast.walk(self.scope), (ast.Load, ast.Store, ast.Del)):
            raise InexactError(f"the name {RESULT_NAME} is taken")
        operator = self.syntax.text_of(statement)[len(target.id) :].lstrip().partition("=")[0]
        indent = " " * node.col_offset
        step = self._indent_of(statement, indent)
        mapped = self._text(call.func, "imap", iterables, keywords)
        text = f"for {RESULT_NAME} in {mapped}:\n{indent}{step}{target.id} {operator}= {RESULT_NAME}"
        decorated = self._decorated(call.func)
        return Rewriting((Edit(span_of(node), text),), decorated, self._watched({target.id}), text.partition("\n")[0])

    # -- what each item is --------------------------------------------------------------------------------------------

    def _only_call(self, element: ast.expr) -> ast.Call:
        if element is not self.call or not isinstance(element, ast.Call):
            raise InexactError("what is kept of an item is not the call itself")
        return element

    def _one_generator(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp) -> ast.comprehension:
        [generator, *more] = node.generators
        if more or generator.ifs or generator.is_async:
            raise InexactError("it has a condition or a second loop")
        return generator

    def _items(self, call: ast.Call, target: ast.expr, iterable: ast.expr) -> tuple[str, str, dict[str, str]]:
        """Whether items are single arguments or tuples, the iterables, and the keyword arguments of all items."""
        if any(isinstance(each, ast.Starred) for each in call.args) or any(each.arg is None for each in call.keywords):
            raise InexactError("the call unpacks its arguments")
        if isinstance(target, ast.Tuple):
            wanted = [each.id for each in target.elts if isinstance(each, ast.Name)]
            pairs = isinstance(iterable, ast.Call) and isinstance(iterable.func, ast.Name)
            known = pairs and iterable.func.id in ("zip", "enumerate") and not iterable.keywords  # type: ignore[attr-defined]
            lengths = {"zip": len(iterable.args), "enumerate": 2} if known else {}  # type: ignore[attr-defined]
            if not known or len(wanted) != len(target.elts) or lengths[iterable.func.id] != len(wanted):  # type: ignore[attr-defined]
                raise InexactError("its items are unpacked, and it is not seen that all have that length")
            self._is_builtin(iterable.func.id)  # type: ignore[attr-defined]
            shape = "starmap"
        elif isinstance(target, ast.Name):
            wanted, shape = [target.id], "map"
        else:
            raise InexactError("its items are not put into plain names")
        given = [each.id if isinstance(each, ast.Name) else "" for each in call.args]
        if given[: len(wanted)] != wanted or len(set(wanted)) != len(wanted):
            raise InexactError("the item is not the first argument, or is changed on its way into the call")
        keywords = self._constants(call, len(wanted), set(wanted))
        return shape, self._argument(iterable), keywords

    def _constants(self, call: ast.Call, first: int, items: set[str]) -> dict[str, str]:
        """Arguments that are the same for all items, by name."""
        rest = call.args[first:]
        parameters = self._parameters(call.func) if rest or call.keywords else []
        if len(parameters) < len(call.args) and rest:
            raise InexactError("the names of its parameters are not known")
        given = dict(zip(parameters[first:], rest, strict=False))
        given |= {str(each.arg): each.value for each in call.keywords}
        if taken := self._hints().intersection(given):
            raise InexactError(f"{min(taken)} is a hint's name too")
        for value in given.values():
            self._is_the_same_each_time(value, items)
        return {name: self.syntax.text_of(value) for name, value in given.items()}

    def _parameters(self, function: ast.expr) -> list[str]:
        found = self._definition(function)
        if found is None:
            raise InexactError("its other arguments are given to a function that is not defined here")
        if found.args.posonlyargs:
            raise InexactError("it has parameters that cannot be given by name")
        return [each.arg for each in found.args.args]

    def _hints(self) -> set[str]:
        from autopar._model.hints import HINTS

        return {*HINTS, "buffersize"}

    def _is_the_same_each_time(self, value: ast.expr, items: set[str]) -> None:
        """A constant, or a name that nothing binds but the beginning of its scope."""
        if isinstance(value, ast.Constant):
            return
        if isinstance(value, ast.Name) and value.id not in items:
            scope = self.scope
            bound = parameters_of(scope)
            if value.id in bound and value.id not in names(ast.walk(scope), (ast.Store, ast.Del)):
                return
            everywhere = names(ast.walk(self.syntax.tree), (ast.Store, ast.Del))
            if value.id not in everywhere and value.id not in bound and value.id in defined(self.syntax.tree):
                return
            top = [each for each in self.syntax.tree.body if value.id in names([each], ast.Store)]
            if len(top) == 1 and isinstance(top[0], ast.Assign | ast.AnnAssign) and self._bound_once(value.id):
                return
        raise InexactError(f"its argument {self.syntax.text_of(value)} might change from item to item")

    def _bound_once(self, name: str) -> bool:
        stores = [
            node
            for node in ast.walk(self.syntax.tree)
            if isinstance(node, ast.Name) and node.id == name and not isinstance(node.ctx, ast.Load)
        ]
        declared = any(
            isinstance(node, ast.Global | ast.Nonlocal) and name in node.names for node in ast.walk(self.syntax.tree)
        )
        return len(stores) == 1 and not declared and not isinstance(self.scope, ast.Module)

    # -- what stands around it ----------------------------------------------------------------------------------------

    def _target_is_forgotten(self, node: ast.For) -> None:
        """After the loop its variable has the last item: nobody may look."""
        bound = names([node.target], ast.Store)
        inside = set(ast.walk(node))
        everywhere: ast.AST = self.scope
        for other in ast.walk(everywhere):
            if other in inside:
                continue
            read = isinstance(other, ast.Name) and other.id in bound and not self._rebound_first(other)
            if read or (isinstance(other, ast.Global | ast.Nonlocal) and bound & set(other.names)):
                raise InexactError(f"{min(bound)} is used after the loop or outside of it")
        if any(
            isinstance(each, ast.Name) and each.id in ("locals", "vars", "globals") for each in ast.walk(everywhere)
        ):
            raise InexactError("its variables can be looked up by name")

    def _rebound_first(self, name: ast.Name) -> bool:
        """A use of the name that is a comprehension's own or that binds it anew."""
        if not isinstance(name.ctx, ast.Load):
            return True
        node: ast.AST = name
        while not isinstance(node, Scope):
            node = self.syntax.parents[node]
            if isinstance(node, ast.For) and node is not self.site.node and name.id in names([node.target], ast.Store):
                return True
            generators = getattr(node, "generators", [])
            if any(name.id in names([each.target], ast.Store) for each in generators):
                return True
            if isinstance(node, Scope) and node is not self.scope and name.id in parameters_of(node):
                return True
        return False

    def _made_before(self, node: ast.For, name: str) -> ast.stmt:
        """The empty list that the loop fills, made by the statement before it: so nobody else knows it."""
        statement = self._statement_before(node)
        value = assigned(statement, name)
        if statement is None or not isinstance(value, ast.List) or value.elts:
            raise InexactError(f"it is not seen that {name} is an empty list of the loop's own")
        if isinstance(self.scope, ast.Module):
            return statement
        inner = (each for each in ast.walk(self.scope) if isinstance(each, Scope) and each is not self.scope)
        if any(name in names(ast.walk(each), ast.Load) for each in inner):
            raise InexactError(f"{name} is seen by an inner function")
        if any(isinstance(each, ast.Global | ast.Nonlocal) and name in each.names for each in ast.walk(self.scope)):
            raise InexactError(f"{name} is seen outside of the function")
        return statement

    def _value_before(self, node: ast.For, name: str) -> ast.expr | None:
        declared = (each for each in ast.walk(self.scope) if isinstance(each, ast.Global | ast.Nonlocal))
        if any(name in each.names for each in declared):
            raise InexactError(f"{name} is seen outside of the function")
        return assigned(self._statement_before(node), name)

    def _statement_before(self, node: ast.stmt) -> ast.stmt | None:
        parent = self.syntax.parents[node]
        for block in (getattr(parent, name, None) for name in ("body", "orelse", "finalbody")):
            if isinstance(block, list) and node in block:
                place = block.index(node)
                return block[place - 1] if place else None
        return None

    def _caught(self) -> bool:
        """An exception might be caught where what was kept until then is still known."""
        return any(isinstance(each, ast.Try | ast.With | ast.AsyncWith) for each in self.syntax.around(self.site.node))

    def _comments_between(self, first: ast.stmt, second: ast.stmt) -> bool:
        lines = self.syntax.source.splitlines()[span_of(first).end_line - 1 : second.lineno - 1]
        return any("#" in line for line in lines)

    def _watched(self, bound: set[str]) -> frozenset[str]:
        """Names of the module that the loop binds or changes."""
        return frozenset(bound) if isinstance(self.scope, ast.Module) else frozenset()

    def _taken_by(self, node: ast.expr, parent: ast.AST) -> tuple[ast.expr, str]:
        """What takes the results: what is replaced, and by which kind of map."""
        taker = parent.func if isinstance(parent, ast.Call) and parent.args[:1] == [node] else None
        if not isinstance(taker, ast.Name) or taker.id not in CONSUMERS:
            raise InexactError("it is not seen who takes its results, and what else happens between two of them")
        self._is_builtin(taker.id)
        assert isinstance(parent, ast.Call)  # noqa: S101 - it has a taker
        if taker.id == "list" and len(parent.args) == 1 and not parent.keywords:
            return parent, "map"
        return node, "imap"

    def _lazily(self, shape: str) -> None:
        if shape == "starmap":
            raise InexactError("there is no lazy map of tuples")

    def _no_stop_iteration(self) -> None:
        """A StopIteration of the function ends ``map`` quietly, ends a loop with it, and is an error in a lazy map."""
        for node in ast.walk(self.syntax.tree):
            called = node.func if isinstance(node, ast.Call) and len(node.args) == 1 else None
            if (isinstance(called, ast.Name) and called.id == "next") or (
                isinstance(node, ast.Name) and node.id == "StopIteration"
            ):
                raise InexactError("a StopIteration may come out of the function, and would mean something else")

    def _is_builtin(self, name: str) -> None:
        bound = names(ast.walk(self.syntax.tree), (ast.Store, ast.Del)) | defined(self.syntax.tree)
        bound |= {each.arg for each in ast.walk(self.syntax.tree) if isinstance(each, ast.arg)}
        if name in bound or not hasattr(builtins, name):
            raise InexactError(f"{name} has another meaning here")

    # -- the text -----------------------------------------------------------------------------------------------------

    def _definition(self, function: ast.expr) -> ast.FunctionDef | None:
        """The function of this module that a plain name means for certain."""
        if not isinstance(function, ast.Name):
            return None
        found = [
            each for each in self.syntax.tree.body if isinstance(each, ast.FunctionDef) and each.name == function.id
        ]
        if len(found) != 1 or function.id in self._other_bindings(found[0]):
            return None
        return found[0]

    def _other_bindings(self, definition: ast.FunctionDef) -> set[str]:
        bound = names(ast.walk(self.syntax.tree), (ast.Store, ast.Del))
        bound |= {each.arg for each in ast.walk(self.syntax.tree) if isinstance(each, ast.arg)}
        for node in ast.walk(self.syntax.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node is not definition:
                method = isinstance(self.syntax.parents[node], ast.ClassDef)
                bound |= set() if method else {node.name}
            elif isinstance(node, ast.Import | ast.ImportFrom):
                bound |= {(each.asname or each.name).partition(".")[0] for each in node.names}
        return bound

    def _decorated(self, function: ast.expr) -> ast.FunctionDef | None:
        found = self._definition(function)
        if found is not None:
            if found.decorator_list:
                raise InexactError(f"{found.name} has a decorator already")
            return found
        if not isinstance(function, ast.Name | ast.Attribute):
            raise InexactError("what is called is worked out anew for each item")
        root = function
        while isinstance(root, ast.Attribute):
            root = root.value  # type: ignore[assignment]
        if not isinstance(root, ast.Name) or root.id not in imported(self.syntax.tree) or not self._stays(root.id):
            raise InexactError(
                f"{self.syntax.text_of(function)} is not a function of this module or of an imported one"
            )
        return None

    def _stays(self, name: str) -> bool:
        bound = names(ast.walk(self.syntax.tree), (ast.Store, ast.Del))
        return name not in bound | {each.arg for each in ast.walk(self.syntax.tree) if isinstance(each, ast.arg)}

    def _text(self, function: ast.expr, method: str, iterables: str, keywords: dict[str, str]) -> str:
        rest = "".join(f", {name}={value}" for name, value in keywords.items())
        if self._decorated(function) is not None:
            return f"{self.syntax.text_of(function)}.{method}({iterables}{rest})"
        if method != "map":
            raise InexactError("of a function that cannot be decorated there is a whole map only")
        return f"autopar.map({self.syntax.text_of(function)}, {iterables}{rest})"

    def _one_edit(
        self, whole: ast.expr, function: ast.expr, method: str, iterables: str, keywords: dict[str, str] | None = None
    ) -> Rewriting:
        text = self._text(function, method, iterables, keywords or {})
        if self._generator_without_brackets(whole):
            text = f"({text})"
        watched = self._watched(set())
        return Rewriting((Edit(span_of(whole), text),), self._decorated(function), watched, text)

    def _generator_without_brackets(self, whole: ast.expr) -> bool:
        """``sum(f(x) for x in xs)``: the expression's place takes in the brackets of the call."""
        parent = self.syntax.parents[whole]
        if not isinstance(whole, ast.GeneratorExp) or not isinstance(parent, ast.Call):
            return False
        return span_of(whole).end_column == span_of(parent).end_column and (
            span_of(whole).end_line == span_of(parent).end_line
        )

    def _argument(self, node: ast.expr) -> str:
        text = self.syntax.text_of(node)
        return f"({text})" if isinstance(node, ast.NamedExpr | ast.Yield | ast.YieldFrom | ast.Starred) else text

    def _indent_of(self, statement: ast.stmt, base: str) -> str:
        line = self.syntax.source.splitlines()[statement.lineno - 1]
        indent = line[: len(line) - len(line.lstrip())]
        return indent[len(base) :] if len(indent) > len(base) else "    "
