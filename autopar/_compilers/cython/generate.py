"""From functions to the text of one Cython module."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Sequence
from types import CodeType, FunctionType
from typing import Any

from autopar._compilers.cython.admission import admit
from autopar._compilers.cython.bound import bound_before
from autopar._compilers.cython.expressions import Expressions
from autopar._compilers.cython.lines import NOWHERE, Lines, iterated_at
from autopar._compilers.cython.names import COMPREHENSIONS, Scope, bound_names, walk_own
from autopar._compilers.cython.statements import Statements
from autopar._compilers.cython.support import C_TEXT, DECLARATIONS
from autopar._compilers.cython.support_flow import entry
from autopar._compilers.cython.surroundings import Surroundings
from autopar._kernel.refusal import Refused
from autopar._kernel.source import read_source
from autopar._model.compiler import NotCompiled
from autopar._model.light_dataclass import dataclass

__all__ = ["Written", "module_text", "write"]

_HEADER = """\
# cython: language_level=3, infer_types=False, annotation_typing=False, cdivision=False, binding=True
# cython: boundscheck=True, wraparound=True, initializedcheck=True, nonecheck=False, overflowcheck=False
# cython: embedsignature=False, profile=False, linetrace=False, emit_code_comments=False, always_allow_keywords=True
"""

_NAMES_OF_CODE = {ast.ListComp: "<listcomp>", ast.SetComp: "<setcomp>", ast.DictComp: "<dictcomp>"}


@dataclass(frozen=True, slots=True)
class Written:
    """One function as Cython text.

    Attributes
    ----------
    name
        For messages.
    text
        Lines of the text, without what stands before it in a module.
    places
        Of each line: the name of the frame that a traceback shows for it, and the line of the file.
    arity, by_position
        Parameters, and how many of them may be passed by position.
    constants
        What the text refers to by number.
    """

    function: FunctionType
    name: str
    text: tuple[str, ...]
    places: tuple[tuple[str, int], ...]
    arity: int
    by_position: int
    constants: tuple[Any, ...]

    def numbered(self, number: int) -> list[str]:
        """The text with the function's number in its module."""
        return [line.replace("ap_fN", f"ap_f{number}") for line in self.text]


def write(function: FunctionType, called: Iterable[CodeType] = ()) -> Written:
    """Write one function.

    Parameters
    ----------
    called
        The code of functions that it calls, as far as they are known.

    Raises
    ------
    NotCompiled
        With the reason and the line.
    """
    try:
        tree = read_source(function).tree
    except Refused as refused:
        reason = refused.reason.replace("in the native fragment", "among what is compiled")
        raise NotCompiled(reason, refused.line) from None
    try:
        admit(tree, function, called)
        return _Writer(function, tree).written()
    except RecursionError:
        raise NotCompiled("its expressions nest too deep", tree.lineno) from None


def module_text(functions: Sequence[Written]) -> tuple[str, list[int]]:
    """The text of a module of some functions, and for each the number of lines before its own."""
    head = [*_HEADER.splitlines(), "cdef extern from *:", '    r"""', *C_TEXT.splitlines()]
    for number, each in enumerate(functions):
        head += entry(number, each.arity, each.by_position).splitlines()
    head += ['    """', *DECLARATIONS.strip("\n").splitlines()]
    for number in range(len(functions)):
        head += [f"    object ap_bind_{number}(object ap)", f"    int AP_SET_{number}(void *body)"]
    before = []
    for number, each in enumerate(functions):
        before.append(len(head))
        head += each.numbered(number)
    head += ["def bind(int number, object ap):"]
    for number in range(len(functions)):
        head.append(f"    if number == {number}: return ap_bind_{number}(ap)")
    head += [f"AP_SET_{number}(<void *>ap_f{number})" for number in range(len(functions))]
    return "\n".join(head) + "\n", before


class _Writer:
    """Writes a function, and a function for each of its comprehensions."""

    def __init__(self, function: FunctionType, tree: ast.FunctionDef) -> None:
        self.function = function
        self.tree = tree
        self.around = Surroundings(function)
        self.lines = Lines()
        self.frames: list[str] = []
        self.bound = bound_before(tree)
        self._comprehensions = 0
        self._pending: list[tuple[str, Expressions, Any]] = []

    def written(self) -> Written:
        """All of it."""
        code, arguments = self.function.__code__, self.tree.args
        names = [each.arg for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
        names += [each.arg for each in (arguments.vararg, arguments.kwarg) if each is not None]
        own = bound_names(self.tree)
        strange = next((name for name in own if not name.isascii()), "")
        if strange:
            raise NotCompiled(f"the name {strange} is not of ASCII letters", self.tree.lineno)
        shared = {name for inner in _inner_codes(code) for name in inner.co_freevars} & own
        scope = Scope(own - shared, shared, self.around.outer)
        emptied = _emptied(self.tree) & set(names) - shared
        statements = self._function("ap_fN", names, shared | emptied, scope, self.bound)
        for name in sorted(emptied):  # Cython takes parameters to have values always
            statements.line(f"v_{name} = a_{name}", self.tree.lineno)
        for name in sorted(shared):
            statements.line(f"w_{name} = ap_cell({f'a_{name}' if name in names else '...'})", self.tree.lineno)
        start = len(self.lines.text)
        statements.block(self.tree.body)
        # Cython refuses what surely has no value; so there is always a path, never taken, that gives it one.
        for name in sorted(statements.expressions.unsure):
            self.lines.text.insert(start, f"    if AP_NEVER(): v_{name} = None")
            self.lines.places.insert(start, NOWHERE)
        self._frames(code.co_name)
        self._comprehensions_pending()
        variable = arguments.vararg is not None or arguments.kwarg is not None
        return Written(
            self.function,
            code.co_qualname,
            tuple(self.lines.text),
            tuple(zip(self.frames, self.lines.places, strict=True)),
            len(names),
            -1 if variable else code.co_argcount if not arguments.kwonlyargs else -1,
            tuple(self.around.constants),
        )

    def _function(
        self, name: str, parameters: list[str], apart: set[str], scope: Scope, bound: dict[int, frozenset[str]]
    ) -> Statements:
        """Begin a function; the parameters ``apart`` are passed under names of their own."""
        passed = [f"object {'a' if each in apart else 'v'}_{each}" for each in parameters]
        given = ", ".join(["object ap", *passed])
        line = self.tree.lineno
        self.lines.add(0, f"cdef object {name}({given}):", line)
        return Statements(self.lines, Expressions(scope, self.around, self._comprehend), bound)

    def _frames(self, name: str) -> None:
        """Say which frame the lines written since belong to."""
        self.frames += [name] * (len(self.lines.text) - len(self.frames))

    def _comprehend(self, outer: Expressions, node: ast.expr) -> tuple[str, str]:
        """The name of a comprehension's function, and the text of what is passed to it besides its first iterable."""
        self._comprehensions += 1
        name = f"ap_fN_{self._comprehensions}"
        own, read = _names_of_comprehension(node)
        names = sorted(each for each in read - own if each in outer.scope.variables)
        cells = sorted(each for each in read - own if each in outer.scope.cells)
        unsure = [each for each in names if each not in outer.bound]
        if unsure:
            raise NotCompiled(f"a comprehension reads {unsure[0]}, which may have no value there", node.lineno)
        inner = Scope(own | set(names), set(cells), self.around.outer)
        writer = Expressions(inner, self.around, self._comprehend)
        writer.bound = frozenset(names) | own
        self._pending.append((name, writer, (node, names, cells)))
        return name, "".join(f", v_{each}" for each in names) + "".join(f", w_{each}" for each in cells)

    def _comprehensions_pending(self) -> None:
        while self._pending:
            name, writer, (node, names, cells) = self._pending.pop()
            given = ", ".join(
                ["object ap", "object ap_first", *(f"object v_{n}" for n in names), *(f"object w_{n}" for n in cells)]
            )
            self.lines.add(0, f"cdef object {name}({given}):", node.lineno)
            statements = Statements(self.lines, writer, {})
            _write_comprehension(statements, node)
            own = _NAMES_OF_CODE[type(node)] if sys.version_info < (3, 12) else self.function.__code__.co_name
            self._frames(own)


def _write_comprehension(statements: Statements, node: ast.ListComp | ast.SetComp | ast.DictComp) -> None:
    kind = {ast.ListComp: "list", ast.SetComp: "set", ast.DictComp: "dict"}[type(node)]
    empty = {"list": "[]", "set": "set()", "dict": "{}"}[kind]
    statements.line(f"cdef {kind} ap_out = {empty}", node.lineno)
    expressions = statements.expressions

    def generator(number: int) -> None:
        if number == len(node.generators):
            if isinstance(node, ast.DictComp):
                key = statements.temporary()
                statements.line(f"{key} = {statements.value(node.key)}", node.key.lineno)
                statements.line(f"ap_out[{key}] = {statements.value(node.value)}", node.value.lineno)
                statements.line(f"{key} = None", node.key.lineno)
            else:
                add = "append" if kind == "list" else "add"
                statements.line(f"ap_out.{add}({statements.value(node.elt)})", node.elt.lineno)
            return
        one = node.generators[number]
        source = "(ap_first)" if number == 0 else statements.value(one.iter)

        def body() -> None:
            for test in one.ifs:
                statements.line(f"if ({expressions.test(test)}):", test.lineno)
                statements.depth += 1
            generator(number + 1)
            statements.depth -= len(one.ifs)

        statements.loop(one.target, source, iterated_at(one.iter, node.lineno), body)

    generator(0)
    statements.line("return ap_out", NOWHERE)


def _names_of_comprehension(node: Any) -> tuple[set[str], set[str]]:
    """The names that a comprehension binds, and those that it reads, its first iterable apart."""
    own = {
        name.id
        for one in node.generators
        for name in ast.walk(one.target)
        if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)
    }
    parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
    for number, one in enumerate(node.generators):
        parts += [one.target, *one.ifs, *([one.iter] if number else [])]
    read = set()
    for part in parts:
        for each in walk_own([part]):
            if isinstance(each, COMPREHENSIONS):
                continue
            if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load):
                read.add(each.id)
    return own, read


def _emptied(tree: ast.FunctionDef) -> set[str]:
    """The names that are deleted, by a statement or at the end of a handler."""
    found = set()
    for node in walk_own(tree.body):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Del):
            found.add(node.id)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            found.add(node.name)
    return found


def _inner_codes(code: CodeType) -> list[CodeType]:
    """The code that stays Python's: of functions and generator expressions, not of comprehensions."""
    return [
        each for each in code.co_consts if isinstance(each, CodeType) and each.co_name not in _NAMES_OF_CODE.values()
    ]
