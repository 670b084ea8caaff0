"""From a function to its syntax tree, checked to be the source of the code that would run."""

from __future__ import annotations
import __future__

import ast
import inspect
import linecache
import threading
import tokenize
from collections.abc import Mapping
from dataclasses import field
from types import CodeType, FunctionType, ModuleType
from typing import Any

from autopar._kernel.refusal import Refused
from autopar._kernel.syntax_warnings import warns_when_compiled, warns_when_parsed
from autopar._model.light_dataclass import dataclass

__all__ = ["Source", "read_source"]

_PARSING = threading.RLock()  # ast.parse was not safe in threads at once before 3.13
_NAME = "__kernel__"  # not the function's own, which would make its calls of itself those of a closure
_FUTURES = 0
for _name in __future__.all_feature_names:
    _FUTURES |= getattr(__future__, _name).compiler_flag


@dataclass(frozen=True)
class Source:
    """A function's definition, its text, and its place; `given` are values of names that the definition brings in."""

    tree: ast.FunctionDef
    text: str
    file: str
    line: int
    given: Mapping[str, Any] = field(default_factory=dict)


def read_source(function: FunctionType) -> Source:
    """Return the function's tree, with the line numbers of its file.

    Raises
    ------
    Refused
        If there is no source, or if it is no longer what the function was compiled from.
    """
    code = function.__code__
    line = code.co_firstlineno
    if code.co_flags & (inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR):
        raise Refused(line, "generators and coroutines are not in the native fragment")
    try:
        # Not inspect.getsource, which looks through all modules for the one that the function is from.
        linecache.checkcache(code.co_filename)
        lines = linecache.getlines(code.co_filename, function.__globals__)[line - 1 :]
        text = "".join(inspect.getblock(lines))
    except (OSError, SyntaxError, tokenize.TokenError):
        text = ""
    if not text:
        raise Refused(line, "the source of the function is not at hand")
    if warned := warns_when_parsed(text):
        raise Refused(line + warned - 1, "Python warns of this whenever it reads the source, which would say it twice")
    try:
        with _PARSING:
            module = ast.parse(_at_line(text, line))
    except SyntaxError:
        raise Refused(line, "the source of the function does not parse by itself") from None
    tree: ast.AST = module.body[0]
    if isinstance(tree, ast.If):
        tree = tree.body[0]
    if not isinstance(tree, ast.FunctionDef):
        raise Refused(line, "only functions made by def are in the native fragment")
    if warned := warns_when_compiled(tree):
        raise Refused(warned, "Python warns of this whenever it compiles the source, which would say it twice")
    _check(tree, function)
    return Source(tree, text, code.co_filename, line)


def _at_line(text: str, line: int) -> str:
    """The text moved to where it stands in its file; with an indent, under something that has one."""
    if text[:1] not in " \t":
        return "\n" * (line - 1) + text
    return "\n" * (line - 2) + "if 1:\n" + text  # no file begins with an indent, so there is a line before it


def _check(tree: ast.FunctionDef, function: FunctionType) -> None:
    """Compile the tree again and compare, since a file may have changed under a running program."""
    code = function.__code__
    bare = ast.FunctionDef(
        name=_NAME, args=tree.args, body=tree.body, decorator_list=[], returns=None, type_comment=None
    )
    vars(bare)["type_params"] = []  # a field from Python 3.12 on
    ast.copy_location(bare, tree)
    outer = ast.FunctionDef(
        name="outer",
        args=ast.arguments(
            posonlyargs=[],
            args=[ast.copy_location(ast.arg(arg=name), bare) for name in code.co_freevars],
            kwonlyargs=[],
            kw_defaults=[],
            defaults=[],
        ),
        body=[bare],
        decorator_list=[],
    )
    vars(outer)["type_params"] = []  # a field from Python 3.12 on
    ast.copy_location(outer, bare)
    # How a method of a global is called depends on whether the module that defines the function imports that name.
    there = function.__globals__
    modules = [name for name in code.co_names if isinstance(there.get(name), ModuleType)]
    known = [name for name in code.co_names if name in there]
    ways = dict.fromkeys(map(tuple, (modules, known, [])))
    if not any(_compiles_to(code, outer, imported) for imported in ways):
        raise Refused(tree.lineno, "the source on disk is not what the function was compiled from")


def _compiles_to(code: CodeType, outer: ast.FunctionDef, imported: tuple[str, ...]) -> bool:
    names = [ast.copy_location(ast.alias(name=name), outer) for name in imported]
    imports = [ast.copy_location(ast.Import(names=[name]), outer) for name in names]
    module = ast.Module(body=[*imports, outer], type_ignores=[])
    try:
        with _PARSING:
            made = compile(module, "<kernel>", "exec", flags=code.co_flags & _FUTURES, dont_inherit=True)
    except SyntaxError:
        return False
    inner = _code_named(_code_named(made, "outer"), _NAME)
    return inner is not None and _same(inner, code)


def _code_named(code: CodeType | None, name: str) -> CodeType | None:
    constants = code.co_consts if code else ()
    return next((c for c in constants if isinstance(c, CodeType) and c.co_name == name), None)


def _same(a: CodeType, b: CodeType) -> bool:
    def constants(code: CodeType) -> list[object]:
        return [(type(c), repr(c)) for c in code.co_consts if not isinstance(c, CodeType)]

    def inner(code: CodeType) -> list[CodeType]:
        return [c for c in code.co_consts if isinstance(c, CodeType)]

    names = ("co_code", "co_names", "co_varnames", "co_freevars", "co_cellvars", "co_argcount", "co_kwonlyargcount")
    return (
        all(getattr(a, name) == getattr(b, name) for name in names)
        and constants(a) == constants(b)
        and len(inner(a)) == len(inner(b))
        and all(map(_same, inner(a), inner(b)))
    )
