"""What Cython's code would do in another way than CPython, told from the source: each is refused with its line."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from types import CodeType, FunctionType, ModuleType
from typing import Any

from autopar._compilers.cython.names import COMPREHENSIONS, INNER
from autopar._model.compiler import NotCompiled

__all__ = ["admit"]

MOST_NODES = 4000
"""Size of a function's tree from which Cython and the C compiler take more than half a minute. Unmeasured."""

_STATEMENTS: dict[str, str] = {
    "ClassDef": "a class made inside runs in a frame of its own",
    "Import": "an import inside the function asks for the frame that imports",
    "ImportFrom": "an import inside the function asks for the frame that imports",
    "Match": "match statements are not among what is compiled",
    "TryStar": "except* is not among what is compiled",
    "AsyncFunctionDef": "coroutines are not among what is compiled",
    "Yield": "generators are not among what is compiled",
    "YieldFrom": "generators are not among what is compiled",
    "Await": "coroutines are not among what is compiled",
    "TemplateStr": "template strings are not among what is compiled",
    "TypeAlias": "type aliases are not among what is compiled",
}

_LOOK_AT_FRAMES = {
    "locals": "it gives the variables of a frame, which compiled code has none of",
    "globals": "it gives the names of the frame that calls it",
    "eval": "it runs in the frame that calls it",
    "exec": "it runs in the frame that calls it",
    "compile": "it takes the __future__ imports of the frame that calls it",
    "super": "it looks for the class in the frame that calls it",
    "__class__": "it is a cell of the frame",
    "__import__": "it is told of the frame that imports",
    "breakpoint": "it stops in the frame that calls it",
    "__debug__": "the compiler of Python replaces it",
    "namedtuple": "it looks for its module in the frame that calls it",
    "NamedTuple": "it looks for its module in the frame that calls it",
    "TypeVar": "it looks for its module in the frame that calls it",
    "NewType": "it looks for its module in the frame that calls it",
    "TypedDict": "it looks for its module in the frame that calls it",
    "make_dataclass": "it looks for its module in the frame that calls it",
}
"""Names that look at the frame of the code that calls them."""

_ATTRIBUTES_THAT_LOOK = {
    "_getframe": "it gives the frame that calls it",
    "_getframemodulename": "it gives the module of the frame that calls it",
    "_current_frames": "it gives the frames of all threads",
    "currentframe": "it gives the frame that calls it",
    "stack": "it may give the frames that lead to it",
    "settrace": "it traces frames",
    "setprofile": "it traces frames",
    "extract_stack": "it gives the frames that lead to it",
    "print_stack": "it prints the frames that lead to it",
    "format_stack": "it gives the frames that lead to it",
    "warn": "a warning names the line of the frame that warns",
    "findCaller": "it looks for the frame that logs",
    **dict.fromkeys(
        ("debug", "info", "warning", "critical", "exception"),
        "a method of this name may log, and a log names the frame that logs",
    ),
    "namedtuple": _LOOK_AT_FRAMES["namedtuple"],
}

_FRAMES_OF_CALLERS = ("_getframe", "currentframe", "_getframemodulename", "stacklevel")
"""Names in the code of a function that it calls from which that may look at the frame that calls it."""

_ARRAY_MODULES = ("numpy", "pandas", "scipy", "polars", "torch")


def admit(tree: ast.FunctionDef, function: FunctionType, called: Iterable[CodeType] = ()) -> None:
    """Say nothing, or raise what stands against compiling the function as a whole.

    Parameters
    ----------
    tree, function
        The function and its source.
    called
        The code of the Python functions that it calls, as far as they are known.

    Raises
    ------
    NotCompiled
        With the line.
    """
    nodes = 0
    for node in ast.walk(ast.Module(body=tree.body, type_ignores=[])):
        nodes += 1
        kind = type(node).__name__
        if kind in _STATEMENTS:
            raise NotCompiled(_STATEMENTS[kind], getattr(node, "lineno", tree.lineno))
        check = _CHECKS.get(type(node))
        if check is not None and (reason := check(node, function)):
            raise NotCompiled(reason, getattr(node, "lineno", tree.lineno))
    if nodes > MOST_NODES:
        raise NotCompiled(f"its tree has {nodes} nodes, and building it would take too long", tree.lineno)
    for code in called:
        if code is not function.__code__ and (look := _looks_at_callers(code)):
            raise NotCompiled(f"it calls {code.co_qualname}(), which may look at its caller's frame by {look}")


def _looks_at_callers(code: CodeType) -> str:
    names = [*code.co_names, *(name for each in code.co_consts if isinstance(each, tuple) for name in each)]
    return next((name for name in _FRAMES_OF_CALLERS if name in names), "")


def _name(node: ast.Name, function: FunctionType) -> str:
    name = node.id
    if not name.isascii():
        return f"the name {name} is not of ASCII letters"
    local = name in function.__code__.co_varnames or name in function.__code__.co_cellvars
    if name in _LOOK_AT_FRAMES and not local:
        return f"{name}: {_LOOK_AT_FRAMES[name]}"
    value = None if local else function.__globals__.get(name)
    if isinstance(value, ModuleType):
        top = value.__name__.partition(".")[0]
        if top in _ARRAY_MODULES:
            return f"{name} is {value.__name__}, whose warnings name the line of Python that runs"
        if top in ("inspect", "logging"):
            return f"{name} is the module {top}, which looks at frames"
    if type(value).__module__ == "logging":
        return f"{name} logs, and a log names the frame that logs"
    return ""


def _attribute(node: ast.Attribute, function: FunctionType) -> str:
    if not node.attr.isascii():
        return f"the name {node.attr} is not of ASCII letters"
    if node.attr.startswith("__") and not node.attr.endswith("__"):
        return f"{node.attr} stands for another name inside a class"
    return f"{node.attr}: {why}" if (why := _ATTRIBUTES_THAT_LOOK.get(node.attr)) else ""


def _call(node: ast.Call, function: FunctionType) -> str:
    named = node.func.id if isinstance(node.func, ast.Name) else ""
    if named in ("vars", "dir") and not node.args:
        return f"{named}() gives the variables of a frame, which compiled code has none of"
    if named == "type" and len(node.args) > 1:
        return "type() with three arguments looks for the module in the frame that calls it"
    return ""


def _compare(node: ast.Compare, function: FunctionType) -> str:
    identity = (ast.Is, ast.IsNot, ast.In, ast.NotIn)
    if len(node.ops) > 1 and any(isinstance(each, identity) for each in node.ops):
        return "a chain of comparisons with `is` or `in` is not among what is compiled"
    if any(isinstance(each, (ast.Is, ast.IsNot)) for each in node.ops):
        for side in (node.left, *node.comparators):
            literal = isinstance(side, ast.Constant) and side.value not in (None, True, False, ...)
            if literal or isinstance(side, ast.Tuple):
                return "which objects literals are is up to the interpreter"
    return ""


def _comprehension(node: ast.expr, function: FunctionType) -> str:
    for each in ast.walk(node):
        if each is not node and isinstance(each, INNER):
            return "a function, or a generator expression, made in a comprehension is not among what is compiled"
        if isinstance(each, ast.NamedExpr):
            return "an assignment expression in a comprehension is not among what is compiled"
        if isinstance(each, ast.comprehension) and each.is_async:
            return _STATEMENTS["Await"]
    return ""


def _function(node: ast.FunctionDef, function: FunctionType) -> str:
    if node.decorator_list:
        return "a decorated function made inside is not among what is compiled"
    arguments = node.args
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    if node.returns is not None or any(each is not None and each.annotation is not None for each in named):
        return "annotations of a function made inside are not among what is compiled"
    return "a generic function made inside is not among what is compiled" if getattr(node, "type_params", None) else ""


def _subscript(node: ast.Subscript, function: FunctionType) -> str:
    items = node.slice.elts if isinstance(node.slice, ast.Tuple) else []
    return "a starred index is not among what is compiled" if any(isinstance(e, ast.Starred) for e in items) else ""


def _named(node: ast.NamedExpr, function: FunctionType) -> str:
    code = function.__code__
    plain = node.target.id in code.co_varnames and node.target.id not in code.co_cellvars
    return "" if plain else "an assignment expression for a shared name is not among what is compiled"


def _augmented(node: ast.AugAssign, function: FunctionType) -> str:
    walrus = any(isinstance(each, ast.NamedExpr) for each in ast.walk(node.value))
    return "an assignment within an augmented assignment is not among what is compiled" if walrus else ""


_CHECKS: dict[type[ast.AST], Callable[[Any, FunctionType], str]] = {
    ast.Name: _name,
    ast.Attribute: _attribute,
    ast.Call: _call,
    ast.Compare: _compare,
    **dict.fromkeys(COMPREHENSIONS, _comprehension),
    ast.FunctionDef: _function,
    ast.Subscript: _subscript,
    ast.NamedExpr: _named,
    ast.AugAssign: _augmented,
}
