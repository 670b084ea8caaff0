"""The rewritten files as a unified diff that ``patch -p1`` and ``git apply`` take."""

from __future__ import annotations

import ast
import difflib
import os
import sys
from collections.abc import Iterable, Mapping

from autopar._suggest.exact import Edit, Rewriting
from autopar._suggest.sites import Syntax, names
from autopar._suggest.spans import Span

_NO_END = "\\ No newline at end of file\n"


def rewritten(syntax: Syntax, rewritings: Iterable[Rewriting], text: str | None = None) -> str:
    """A module's text with its loops as maps, their functions decorated, and what they need imported.

    ``text`` is the same text with the line ends of its file.
    """
    chosen = list(rewritings)
    edits = [edit for one in chosen for edit in one.edits]
    functions = {one.decorated.lineno: one.decorated for one in chosen if one.decorated is not None}
    needs_module = any(one.decorated is None for one in chosen)
    decorator = _decorator(syntax)
    edits += [Edit(_at(line, 0), f"@{decorator}\n") for line in functions]
    line = _line_for_imports(syntax.tree)
    if functions and decorator == "parallel" and not _imports(syntax.tree, "parallel"):
        edits.append(_import(syntax, line, "from autopar import parallel"))
    if (needs_module or decorator != "parallel") and not _imports(syntax.tree, "autopar"):
        edits.append(_import(syntax, line, "import autopar"))
    return _applied(syntax.source if text is None else text, edits)


def unified_diff(files: Mapping[str, tuple[str, str]], folder: str) -> str:
    """A patch of files, as text.

    Parameters
    ----------
    files
        Path -> text before and after, with the line ends of the file.
    folder
        Where the patch will be applied: paths are relative to it.
    """
    parts = []
    for path, (before, after) in sorted(files.items()):
        name = os.path.relpath(path, folder).replace(os.sep, "/")
        lines = difflib.unified_diff(_lines(before), _lines(after), f"a/{name}", f"b/{name}")
        parts += [line if line.endswith("\n") else f"{line}\n{_NO_END}" for line in lines]
    return "".join(parts)


def _lines(text: str) -> list[str]:
    """Lines with their ends; only a line feed ends one, as for ``patch``."""
    return [line + "\n" for line in text.split("\n")[:-1]] + ([text.rpartition("\n")[2]] if text[-1:] != "\n" else [])


def _decorator(syntax: Syntax) -> str:
    """How the decorator is called in this module: a name that nobody else has."""
    bound = names(ast.walk(syntax.tree), (ast.Store, ast.Del))
    for node in ast.walk(syntax.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            bound.add(node.name)
        elif isinstance(node, ast.arg):
            bound.add(node.arg)
        elif isinstance(node, ast.Import | ast.ImportFrom) and getattr(node, "module", "") != "autopar":
            bound |= {(each.asname or each.name).partition(".")[0] for each in node.names}
    return "autopar.parallel" if "parallel" in bound else "parallel"


def _imports(tree: ast.Module, name: str) -> bool:
    """The module imports autopar, or this name of it, as it is called."""
    for node in tree.body:
        whole = isinstance(node, ast.Import) and name == "autopar"
        part = isinstance(node, ast.ImportFrom) and node.module == "autopar"
        if (whole or part) and any(each.name == name and each.asname is None for each in node.names):  # type: ignore[attr-defined]
            return True
    return False


def _line_for_imports(tree: ast.Module) -> int:
    """The line behind which an import may stand: the last of the imports at the top, or the docstring."""
    line = 0
    for node in tree.body:
        documents = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and line == 0
        if not documents and not isinstance(node, ast.Import | ast.ImportFrom):
            break
        line = node.end_lineno or line
    return line


def _import(syntax: Syntax, line: int, text: str) -> Edit:
    if line == 0:
        first = syntax.source.splitlines()
        while line < len(first) and first[line].startswith("#"):
            line += 1  # a shebang and an encoding stay first
    last = next((node for node in syntax.tree.body if node.end_lineno == line), None)
    if isinstance(last, ast.Import | ast.ImportFrom):
        module = last.module if isinstance(last, ast.ImportFrom) else last.names[0].name
        lead, behind = ("\n" if (module or "").partition(".")[0] in sys.stdlib_module_names else ""), ""
    else:
        lead, behind = ("", "\n") if last is None else ("\n", "")
    return Edit(_at(line + 1, 0), f"{lead}{text}\n{behind}")


def _at(line: int, column: int) -> Span:
    return Span(line, column, line, column)


def _applied(source: str, edits: Iterable[Edit]) -> str:
    """The text with all edits made, from the last to the first; line ends are those of the text."""
    end = "\r\n" if "\r\n" in source else "\n"
    lines = [line.encode() for line in source.split("\n")]
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    whole = source.encode()
    for edit in sorted(edits, key=lambda each: each.span, reverse=True):
        begin = min(starts[edit.span.line - 1] + edit.span.column, len(whole))
        stop = min(starts[edit.span.end_line - 1] + edit.span.end_column, len(whole))
        whole = whole[:begin] + edit.text.replace("\n", end).encode() + whole[stop:]
    return whole.decode()
