"""Which loops become maps, and that these are the same."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from autopar._suggest.counted import Counts, compile_counted
from autopar._suggest.exact import InexactError, Rewriting, rewriting
from autopar._suggest.patch import rewritten, unified_diff
from autopar._suggest.sites import Syntax, carried

HEAD = """
import math
from math import sqrt

LIMIT = 3

def f(x, k=1):
    if x == 7:
        raise ValueError(x)
    return x * 2 + k

def decorated(x):
    return x

decorated = sqrt
"""


def program(text: str) -> str:
    return HEAD + dedent(text)


def rewritings(source: str) -> list[Rewriting | str]:
    """For each loop its rewriting, or the reason for none."""
    syntax = Syntax(source, "program.py")
    found: list[Rewriting | str] = []
    for site in syntax.sites:
        try:
            found.append(rewriting(syntax, site, site.calls[0] if site.calls else None))
        except InexactError as reason:
            found.append(str(reason))
    return found


EXACT = {
    "out = [f(x) for x in range(5)]": "f.map(range(5))",
    "out = [f(x, 3) for x in range(5)]": "f.map(range(5), k=3)",
    "def g(k):\n    return [f(x, k) for x in range(5)]\nout = g(4)": "f.map(range(5), k=k)",
    "def g():\n    return [f(x, LIMIT) for x in range(5)]\nout = g()": "f.map(range(5), k=LIMIT)",
    "out = [f(x, k=2) for x in (1,\n    2)]": "f.map((1,\n    2), k=2)",
    "out = [f(a, b) for a, b in zip([1, 2], [3, 4])]": "f.starmap(zip([1, 2], [3, 4]))",
    "out = [f(i, v) for i, v in enumerate([5, 6])]": "f.starmap(enumerate([5, 6]))",
    "out = sorted({f(x) for x in range(5)})": "set(f.imap(range(5)))",
    "out = sum(f(x) for x in range(5))": "(f.imap(range(5)))",
    "out = sum((f(x) for x in range(5)), 10)": "f.imap(range(5))",
    "out = list(f(x) for x in range(5))": "f.map(range(5))",
    "out = list(map(f, range(5)))": "f.map(range(5))",
    "out = list(map(f, range(3), [4, 5, 6]))": "f.map(range(3), [4, 5, 6])",
    "out = max(map(f, range(5)))": "f.imap(range(5))",
    "out = [math.sqrt(x) for x in range(5)]": "autopar.map(math.sqrt, range(5))",
    "out = list(map(sqrt, range(5)))": "autopar.map(sqrt, range(5))",
    "def g(xs):\n    out = []\n    for x in xs: out.append(f(x))\n    return out\nout = g([1])": "out = f.map(xs)",
    "def g(xs):\n    out = []\n    # first\n    for x in xs:\n        out.append(f(x))\n    return out\nout = g([1])": (
        "out = f.map(xs)"
    ),
    "out = []\nfor x in range(5):\n    out.append(f(x))": "out = f.map(range(5))",
    "def g(xs):\n    try:\n        out = []\n        for x in xs:\n            out.append(f(x))\n"
    "    except ValueError:\n        pass\n    return out\nout = g([1, 7, 2])": "out.extend(f.imap(xs))",
    "def g(xs):\n    total = 0\n    for x in xs:\n        total += f(x)\n    return total\nout = g([1, 2])": (
        "for result in f.imap(xs):"
    ),
    "out = ['é', *[f(x) for x in [1]], 'ü']": "f.map([1])",
}

INEXACT = {
    "out = [f(x) + 1 for x in range(5)]": "not the call itself",
    "out = [f(x) for x in range(5) if x]": "a condition",
    "out = [f(x + 1) for x in range(5)]": "not the first argument",
    "out = [f(1, x) for x in range(5)]": "not the first argument",
    "out = [f(x, y) for y in [1] for x in range(5)]": "a second loop",
    "out = [f(x, x) for x in range(5)]": "might change from item to item",
    "k = 1\nout = [f(x, k) for x in range(5)]": "might change from item to item",
    "out = [f(*x) for x in [(1,)]]": "unpacks",
    "out = [f(a, b) for a, b in [(1, 2)]]": "is not seen that all have that length",
    "out = [decorated(x) for x in range(5)]": "is not a function of this module",
    "for r in map(f, range(5)):\n    print(r)": "who takes its results",
    "g = (f(x) for x in range(5))": "who takes its results",
    "out = []\nfor x in range(5):\n    out.append(f(x))\nprint(x)": "x is used after the loop",
    "out = [0]\nfor x in range(5):\n    out.append(f(x))": "an empty list of the loop's own",
    "out = also = []\nfor x in range(5):\n    out.append(f(x))": "an empty list of the loop's own",
    "out = []\nfor x in out:\n    out.append(f(x))": "out is read while it is filled",
    "out = []\nfor x in range(5):\n    print(x)\n    out.append(f(x))": "does more for each item",
    "out = []\nfor x in range(5):\n    out.append(f(x))\nelse:\n    print()": "has an else",
    "def g(xs):\n    out = []\n    for x in xs:\n        out.append(f(x))\n    return lambda: out": "inner function",
    "def g(xs, total):\n    for x in xs:\n        total += f(x)": "is a number at first",
    "class C:\n    xs = [f(x) for x in range(5)]": "body of a class",
    "it = iter([])\nout = list(map(f, [next(it)]))": "a StopIteration may come out",
    "list = tuple\nout = list(map(f, range(5)))": "list has another meaning",
    "def map(*a):\n    return a\nout = list(map(f, range(5)))": "map has another meaning",
    "out = [(lambda x: x)(x) for x in range(5)]": "worked out anew",
    "while f(3) < 0:\n    pass": "no map that is the same",
    "def g(f):\n    return [f(x) for x in range(5)]": "is not a function of this module",
}


def outcome(source: str) -> object:
    names: dict[str, Any] = {"__name__": "program"}
    exec(compile(source, "program.py", "exec"), names)
    return names["out"]


@pytest.mark.parametrize(("text", "after"), EXACT.items(), ids=range(len(EXACT)))
def test_what_becomes_a_map(text: str, after: str) -> None:
    """These loops become this map, and the program gives what it gave, of the same type."""
    source = program(text)
    [found] = [one for one in rewritings(source) if isinstance(one, Rewriting)]
    assert found.after == after
    new = rewritten(Syntax(source, "program.py"), [found])
    assert outcome(new) == outcome(source)
    assert type(outcome(new)) is type(outcome(source))


@pytest.mark.parametrize(("text", "reason"), INEXACT.items(), ids=range(len(INEXACT)))
def test_what_stays_a_loop(text: str, reason: str) -> None:
    """These stay as they are, since something could show; the reason is said."""
    found = rewritings(program(text))
    assert all(isinstance(one, str) for one in found)
    assert any(reason in str(one) for one in found), found


def test_a_decorator_of_its_own_stays_alone() -> None:
    """A function that has a decorator gets no second one."""
    source = "import functools\n@functools.cache\ndef f(x):\n    return x\nout = [f(x) for x in range(3)]\n"
    assert rewritings(source) == ["f has a decorator already"]


def test_names_that_are_taken() -> None:
    """Where `parallel` is somebody else's name, the decorator is called by its module."""
    source = program("parallel = 3\nout = [f(x) for x in range(5)]\n")
    [found] = rewritings(source)
    assert isinstance(found, Rewriting)
    new = rewritten(Syntax(source, "program.py"), [found])
    assert "@autopar.parallel\ndef f" in new
    assert outcome(new) == outcome(source)


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("", "from autopar import parallel\n\n@parallel\ndef"),
        ("#!/usr/bin/env python\n", "#!/usr/bin/env python\nfrom autopar import parallel\n\n@"),
        ('"""What it does."""\n', '"""What it does."""\n\nfrom autopar import parallel\n@'),
        ("from __future__ import annotations\n", "import annotations\n\nfrom autopar import parallel\n@"),
        ("import numpy\n", "import numpy\nfrom autopar import parallel\n@"),
        ("from autopar import parallel\n", "from autopar import parallel\n@"),
    ],
)
def test_the_import_stands_with_the_others(head: str, expected: str) -> None:
    """The import comes after those at the top, and only where it is not there yet."""
    source = f"{head}def f(x):\n    return x\nout = [f(x) for x in range(3)]\n"
    [found] = rewritings(source)
    assert isinstance(found, Rewriting)
    new = rewritten(Syntax(source, "program.py"), [found])
    assert expected in new
    assert new.count("import parallel") == 1


@pytest.mark.slow
@pytest.mark.parametrize("end", ["\n", "\r\n", ""], ids=["lines", "windows", "open-end"])
@pytest.mark.parametrize("tool", ["git", "patch"])
def test_the_patch_applies(tmp_path: Path, tool: str, end: str) -> None:
    """Both tools take the patch, with the file's own line ends and where its last line has none."""
    command = ["git", "apply", "fix.patch"] if tool == "git" else ["patch", "--binary", "-s", "-p1", "-i", "fix.patch"]
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    source = program("out = [f(x) for x in range(5)]").rstrip("\n")
    before = (source + (end or "")).replace("\n", end or "\n")
    path = tmp_path / "program.py"
    path.write_text(before, newline="")
    syntax = Syntax(before.replace("\r\n", "\n"), str(path))
    after = rewritten(syntax, [one for one in rewritings(syntax.source) if isinstance(one, Rewriting)], before)
    (tmp_path / "fix.patch").write_text(
        unified_diff({str(path): (before, after)}, str(tmp_path)), encoding="utf-8", newline=""
    )
    subprocess.run(command, cwd=tmp_path, check=True)
    assert path.read_bytes().decode() == after


COUNTED = """
def f(x):
    return x

def first(items):
    for x in items:
        if f(x):
            return x

one = [f(x) for x in range(10)]
two = [[f(y) for y in range(x)] for x in (3, 4)]
three = list(map(f, range(5)))
four = sum(f(x) for x in range(6))
five = [first([0, 1, 2]), first([])]
out = []
for x in {1: 2, 3: 4}:
    out.append(f(x))
six = {f(x): len([y for y in range(100)]) for x in range(7)}
"""


def test_counted_code_does_what_was_written() -> None:
    """Loops that call something are counted, item by item; what the module makes is the same."""
    syntax, counts = Syntax(COUNTED, "counted.py"), Counts()
    code, written = compile_counted(syntax, counts)
    plain: dict[str, Any] = {}
    exec(compile(COUNTED, "counted.py", "exec", dont_inherit=True), plain)
    counted: dict[str, Any] = {}
    counts.install()
    try:
        exec(code, counted)
    finally:
        counts.remove()
    for name in "one two three four five six out x".split():
        assert counted[name] == plain[name]
    said = {(site.line, site.kind): counts.of.get(("counted.py", site.number)) for site in syntax.sites}
    found = {key: (count.executions, count.items) for key, count in said.items() if count is not None}
    assert found == {
        (6, "for loop"): (2, 2),
        (12, "map()"): (1, 5),
        (13, "generator expression"): (1, 6),
        (16, "for loop"): (1, 2),
        (18, "dict comprehension"): (1, 7),
        (10, "list comprehension"): (1, 10),
        (11, "list comprehension"): (2, 7),  # the inner one, which comes later in the text than the outer
    }
    assert written[counted["f"].__code__] == plain["f"].__code__


def test_what_one_item_hands_to_the_next() -> None:
    """A call that is given what the loop has set before is no map; what is set within the round is no matter."""
    source = "for x in xs:\n    y = g(x)\n    state = f(y, state)\n    h(y, x)\n"
    syntax = Syntax(source, "program.py")
    [site] = syntax.sites
    assert [carried(site, call) for call in site.calls] == [set(), {"state"}, set()]
