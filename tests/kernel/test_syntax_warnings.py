"""What Python warns of when it reads a source is said once: the compilers do not read such a source again."""

from __future__ import annotations

import ast
import sys
import warnings
from pathlib import Path
from types import FunctionType

import pytest

from autopar._kernel.refusal import Refused
from autopar._kernel.source import read_source
from autopar._kernel.syntax_warnings import warns_when_compiled, warns_when_parsed
from tests.scripts import run_python

WARNED = [
    r"x = '\d'",
    r"x = b'\N'",
    r"x = '\\\d'",
    "x = '''\n\\w'''",
    r"x = f'\d{1}'",
    r"x = f'{1}\s'",
    "y = 1if x else 2",
    "y = [0x1for x in ()]",
    "x is 1",
    "x is not 'a'",
    "() is x",
    "x is (1, 2)",
    "assert (x, 'text')",
    "'a'(x)",
    "[1](x)",
    "(1, 2)(x)",
    "{1: 2}(x)",
    "1[x]",
    "None[x]",
    "{1}[x]",
    "'abc'['a']",
    "[1, 2]['a']",
    "(1, 2)[1, 2]",
    "[1, 2][1.5]",
]
SILENT = [
    r"x = r'\d'",
    r"x = rb'\d'",
    r"x = '\n\t\\\x41\101\N{BULLET}\u0041'",
    "x = 'a\\\nb'",
    r"x = f'\n{1}'",
    r"x = rf'\d{1}'",
    "y = 1 if x else 2",
    "x is None",
    "x is not ...",
    "x is y",
    "assert x, 'text'",
    "'abc'[x]",
    "[1, 2][0]",
    "(1, 2)[True]",
    "{1: 2}['a']",
    "'abc'[1:2]",
    "f(x)[1]",
    "~True if sys else 0",
]


def said_by_python(text: str) -> list[int]:
    """Lines that parser and compiler warn of."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        compile(text, "<text>", "exec")
    return [each.lineno for each in said]


def said_by_us(text: str) -> int:
    """The line that would be warned of."""
    found = warns_when_parsed(text)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return found or warns_when_compiled(ast.parse(text))


@pytest.mark.parametrize("text", WARNED)
def test_what_python_warns_of_is_known(text: str) -> None:
    """With a line of it; some versions of Python warn of fewer."""
    lines = said_by_python(text)
    assert lines or sys.version_info < (3, 12)
    assert said_by_us(text) in (1, *lines)


@pytest.mark.parametrize("text", SILENT)
def test_the_rest_is_read_again(text: str) -> None:
    """Python warns of nothing there."""
    if not text.startswith("~"):
        assert said_by_python(text) == []
        assert said_by_us(text) == 0


def test_nothing_is_missed_in_the_standard_library() -> None:
    """Whatever Python warns of in these modules is known; of nearly all functions it warns of nothing."""
    folder = Path(ast.__file__).parent
    for name in (
        "ast",
        "textwrap",
        "statistics",
        "fractions",
        "shlex",
        "difflib",
        "html/parser",
        "json/decoder",
        "_strptime",
    ):
        text = (folder / f"{name}.py").read_text(encoding="utf-8")
        assert (said_by_us(text) == 0) == (said_by_python(text) == [])


def test_such_a_function_is_refused_with_the_line(tmp_path: Path) -> None:
    """Every compiler says so, and none of them makes Python warn."""
    text = "def one(x):\n    y = x\n    return y is 1\n"
    file = tmp_path / "one.py"
    file.write_text(text)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        names: dict[str, FunctionType] = {}
        exec(compile(text, str(file), "exec"), names)
    with pytest.raises(Refused, match="would say it twice") as refused:
        read_source(names["one"])
    assert refused.value.line == 3


@pytest.mark.slow
def test_a_program_is_warned_once(tmp_path: Path) -> None:
    """What the decorated function's module says when it is compiled is all that is said."""
    (tmp_path / "program.py").write_text(
        "import warnings\n"
        "said = []\n"
        "warnings.showwarning = lambda *each: said.append(each[:2])\n"
        "import autopar as ap\n"
        "import pathlib\n"
        "exec(compile(pathlib.Path('work.py').read_text(), 'work.py', 'exec'))\n"
        "before = len(said)\n"
        "f = ap.parallel(work)\n"
        "for _ in range(3):\n"
        "    assert f.map(range(3000)) == [work(x) for x in range(3000)]\n"
        "try:\n"
        "    ap.parallel(work, compiler='native')(1)\n"
        "except ap.errors.UnavailableError as error:\n"
        "    assert 'line 4' in str(error)\n"
        "print(before, len(said))\n"
    )
    (tmp_path / "work.py").write_text(
        "def work(x):\n    total = 0\n    for i in range(50):\n        total += i is 7\n    return total + x\n"
    )
    said = run_python("program.py", cwd=tmp_path, PYTHONWARNINGS="default")
    assert said == "1 1\n"
