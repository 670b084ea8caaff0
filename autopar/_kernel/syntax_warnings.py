"""What the interpreter warns of whenever it reads a text: a program hears it once, when its module is compiled.

Reading the text again would say it again, under another file's name; where warnings are errors it would even fail. So
such texts are not read a second time.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize

from autopar._kernel.nodes import nodes_of

_ESCAPE = re.compile(r"\\(?:[0-7]{1,3}|.)", re.DOTALL)
_KNOWN = frozenset("\n\r\\'\"abfnrtvx01234567")
_IN_TEXTS = frozenset("NuU")
_LARGEST_OCTAL = 0o377
_GLUED = re.compile(r"[\da-fA-F_.jJ](?:and|else|for|if|in|is|not|or)\b")
_DISPLAYS = (ast.Tuple, ast.List, ast.ListComp, ast.Dict, ast.DictComp, ast.Set, ast.SetComp, ast.GeneratorExp)
_NO_SEQUENCES = (ast.Set, ast.SetComp, ast.GeneratorExp, ast.Lambda)
_SINGLE = (None, True, False, ...)
_WARNS_OF_FINALLY = sys.version_info >= (3, 14)


def warns_when_parsed(text: str) -> int:
    r"""The line of the text, from 1, of which the parser warns, or 0.

    Examples
    --------
    >>> warns_when_parsed(r"a = '\d'"), warns_when_parsed(r"a = '\n'"), warns_when_parsed("1if x else 2")
    (1, 0, 1)
    """
    if "\\" not in text and not _GLUED.search(text):
        return 0
    prefixes: list[str] = []
    last: tokenize.TokenInfo | None = None
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            name = tokenize.tok_name[token.type]
            if name == "STRING" and _strange_escape(token.string, _prefix(token.string)):
                return token.start[0]
            if name == "FSTRING_START":
                prefixes.append(_prefix(token.string))
            elif name == "FSTRING_END":
                prefixes.pop()
            elif name == "FSTRING_MIDDLE" and _strange_escape(token.string, prefixes[-1]):
                return token.start[0]
            if last is not None and last.type == tokenize.NUMBER and name == "NAME" and last.end == token.start:
                return token.start[0]
            last = token
    except (tokenize.TokenError, SyntaxError, IndexError):  # the parser will say what is wrong
        return 0
    return 0


def _prefix(token: str) -> str:
    return token[: min(token.find(quote) for quote in "'\"" if quote in token)].lower()


def _strange_escape(text: str, prefix: str) -> bool:
    if "r" in prefix:
        return False
    known = _KNOWN if "b" in prefix else _KNOWN | _IN_TEXTS
    for found in _ESCAPE.finditer(text):
        escape = found.group()[1:]
        if escape[0] not in known or (escape.isdecimal() and int(escape, 8) > _LARGEST_OCTAL):
            return True
    return False


def warns_when_compiled(tree: ast.AST) -> int:
    """The line of what the compiler warns of, or 0; in doubt it does.

    Examples
    --------
    >>> warns_when_compiled(ast.parse("x is 1")), warns_when_compiled(ast.parse("x is None"))
    (1, 0)
    """
    return next((getattr(node, "lineno", 1) for node in nodes_of(tree) if _warned_of(node)), 0)


def _warned_of(node: ast.AST) -> bool:
    match node:
        case ast.Compare():
            sides = [node.left, *node.comparators]
            return any(isinstance(each, (ast.Is, ast.IsNot)) for each in node.ops) and any(map(_literal, sides))
        case ast.Assert(test=ast.Tuple()):
            return True
        case ast.Call(func=function):
            return isinstance(function, (ast.Constant, ast.JoinedStr, *_DISPLAYS))
        case ast.Subscript(value=value, slice=index):
            return _no_sequence(value) or (_sequence(value) and _no_index(index))
        case ast.UnaryOp(op=ast.Invert(), operand=ast.Constant(value=bool())):
            return True
        case ast.Try():
            return _WARNS_OF_FINALLY and _leaves(node.finalbody)
    return False


def _literal(node: ast.expr) -> bool:
    single = isinstance(node, ast.Constant) and any(node.value is each for each in _SINGLE)
    return isinstance(node, (ast.Constant, ast.Tuple)) and not single


def _no_sequence(node: ast.expr) -> bool:
    constant = isinstance(node, ast.Constant) and not isinstance(node.value, (str, bytes))
    return constant or isinstance(node, _NO_SEQUENCES)


def _sequence(node: ast.expr) -> bool:
    return isinstance(node, (ast.Constant, ast.Tuple, ast.List, ast.ListComp, ast.JoinedStr))


def _no_index(node: ast.expr) -> bool:
    constant = isinstance(node, ast.Constant) and not isinstance(node.value, int)
    return constant or isinstance(node, (ast.JoinedStr, ast.Lambda, *_DISPLAYS))


def _leaves(body: list[ast.stmt]) -> bool:
    return any(isinstance(node, (ast.Return, ast.Break, ast.Continue)) for each in body for node in nodes_of(each))
