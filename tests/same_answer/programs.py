"""Random little programs as source text: module-level state, helpers, and one function of an item.

A program never varies between two runs: nothing depends on hashes of strings, addresses or the clock. Most of what a
function can do to what outlives it is written as a product: where an object comes from, how it is reached, what is
done to it. Half of the programs keep to themselves, so that the parallel ways are taken too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from hypothesis import strategies as st

from tests.same_answer.forms import (
    CHANGES,
    EFFECTS_ON_ITEMS,
    ITEMS,
    OTHER_EFFECTS,
    OUTER_LISTS,
    OUTPUTS,
    PATHS,
    declared_names,
)
from tests.same_answer.prelude import Program, program

T = TypeVar("T")

INTS = ("-3", "0", "1", "2", "3", "7", "10**20", "True")
STRINGS = ("''", "'a'", "'b'", "'spam'", "'eggs and spam'")

PURE: tuple[tuple[str, str], ...] = (
    ("int", "{int} + {int}"),
    ("int", "{int} * {int}"),
    ("int", "{int} // {int}"),
    ("int", "{int} - NUMBER"),
    ("int", "abs({int}) % 7"),
    ("int", "double({int})"),
    ("int", "reads({int})"),
    ("int", "fib(abs({int}) % 6)"),
    ("int", "sized({any})"),
    ("int", "len({list})"),
    ("int", "sum(sized(q) for q in {list})"),
    ("int", "len({str})"),
    ("int", "BOX.peek()"),
    ("int", "BOX.size"),
    ("int", "Box.twice({int})"),
    ("int", "Box({int}, {list}).add({int})"),
    ("int", "make_counter({int})({int})"),
    ("int", "sum(numbers_of({int}))"),
    ("int", "risky({int})"),
    ("int", "max([sized(q) for q in NESTED])"),
    ("int", "TABLE.get({str}, {int})"),
    ("int", "TABLE[{str}]"),
    ("int", "int({str})"),
    ("int", "random.Random({int}).randrange(9)"),
    ("int", "{list}[0]"),
    ("int", "{int} if {cond} else {int}"),
    ("int", "(lambda q, k={int}: q + k)({int})"),
    ("int", "functools.reduce(operator.add, [{int}, {int}])"),
    ("str", "{str} + 'x'"),
    ("str", "{str}.upper().split('A')[0]"),
    ("str", "'{{}}-{{!r}}'.format({int}, {str})"),
    ("str", "'-'.join(sorted(set({str})))"),
    ("str", "str({int})"),
    ("str", "repr({list})"),
    ("str", "{str}[::-1]"),
    ("list", "[{int}, {int}]"),
    ("list", "[q for q in range(abs({int}) % 4)]"),
    ("list", "list({list})"),
    ("list", "{list}[:]"),
    ("list", "{list} + [{int}]"),
    ("list", "sorted({list}, key=str)"),
    ("list", "fresh({int})"),
    ("list", "put([], {int})"),
    ("list", "[sized(q) for q in NESTED]"),
    ("list", "Box({int}, {list}).keep({int}).items"),
    ("list", "list(map(double, [{int}]))"),
    ("list", "copy.deepcopy(NESTED)[0]"),
    ("list", "[q for pair in zip({list}, {list}) for q in pair]"),
    ("dict", "{{{str}: {int}}}"),
    ("dict", "dict(TABLE)"),
    ("dict", "{{str(q): q for q in range(3)}}"),
    ("dict", "Counter({str})"),
    ("set", "{{{int}, 2}}"),
    ("set", "set(range(3)) | {{{int}}}"),
    ("set", "frozenset([{int}])"),
    ("box", "Box({int}, {list})"),
    ("box", "BOX.renewed({int})"),
    ("box", "Point({int}, {list})"),
)
"""Expressions that make something new, by its type."""

LOCAL_CHANGES: dict[str, tuple[str, ...]] = {
    "list": ("{v}.append({int})", "{v} += [{int}]", "{v}.sort(key=str)", "{v}.insert(0, {int})", "put({v}, {int})"),
    "dict": ("{v}[{str}] = {int}", "{v}.update(k={int})", "{v}.setdefault('l', {int})"),
    "box": ("{v}.n = {int}", "{v}.items = []", "setattr({v}, 'n', {int})"),
    "int": ("{v} += {int}", "{v} = {v} * 2"),
    "str": ("{v} += {str}", "{v} = {v} * 2"),
}

RETURNED = ("({})", "[{}]", "{{'all': ({})}}")


@dataclass
class _Writer:
    """Writes the body of one function."""

    draw: Callable[..., Any]
    kind: str
    lines: list[str] = field(default_factory=list)
    names: dict[str, list[str]] = field(default_factory=dict)
    own: dict[str, list[str]] = field(default_factory=dict)
    made: int = 0
    depth: int = 1

    def one_of(self, choices: tuple[T, ...] | list[T]) -> T:
        drawn: T = self.draw(st.sampled_from(choices))
        return drawn

    def sometimes(self, percent: int) -> bool:
        return bool(self.draw(st.integers(0, 99)) < percent)

    def new(self) -> str:
        self.made += 1
        return f"v{self.made}"

    def write(self, text: str) -> None:
        self.lines.extend("    " * self.depth + line for line in text.split("\n"))

    # -- expressions

    def filled(self, template: str, **given: str) -> str:
        """A template with its holes filled by names in sight and constants."""
        parts: dict[str, str] = {}
        for hole in ("int", "str", "list", "any", "cond"):
            if f"{{{hole}}}" in template:
                parts[hole] = self.atom(hole)
        for hole in ("y", "z"):
            if f"{{{hole}}}" in template:
                parts[hole] = self.new()
        return template.format(**{**parts, **given})

    def atom(self, kind: str) -> str:
        if kind == "cond":
            return self.one_of(("x", f"{self.atom('int')} > 1", "isinstance(x, int)", "sized(x) % 2", "not x"))
        if kind == "any":
            kind = self.one_of(("int", "str", "list"))
        names = self.names.get(kind, [])
        if names and self.sometimes(70):
            return self.one_of(names)
        constants = {"int": INTS, "str": STRINGS, "list": ("[]", "[1, 2]", "NUMBERS")}
        return self.one_of(constants[kind])

    # -- statements

    def assignment(self) -> None:
        kind, template = self.one_of(PURE)
        name = self.new()
        self.write(f"{name} = {self.filled(template)}")
        self.names.setdefault(kind, []).append(name)
        self.own.setdefault(kind, []).append(name)

    def local_change(self) -> None:
        changed = [kind for kind in LOCAL_CHANGES if self.own.get(kind)]
        if not changed:
            return self.assignment()
        kind = self.one_of(changed)
        self.write(self.filled(self.one_of(LOCAL_CHANGES[kind]), v=self.one_of(self.own[kind])))
        return None

    def reaching(self) -> None:
        """A local name for a list that is the call's own, and a change of it."""
        src = self.one_of([*self.own.get("list", []), "[1]", "fresh(1)"])
        self.change_by_path(src)

    def change_by_path(self, src: str) -> None:
        name = self.new()
        self.write(self.filled(self.one_of(PATHS), y=name, src=src))
        self.write(self.filled(self.one_of(CHANGES), y=name))

    def closure(self) -> None:
        name, cell = self.new(), self.new()
        self.write(
            f"{cell} = {self.atom('int')}\ndef {name}(k):\n    nonlocal {cell}\n    {cell} += k\n    return {cell}"
        )
        result = self.new()
        self.write(f"{result} = {name}({self.atom('int')}) + {name}(1)")
        self.names.setdefault("int", []).extend((cell, result))

    def output(self) -> None:
        self.write(self.filled(self.one_of(OUTPUTS)))

    def raising(self) -> None:
        error = self.one_of(("ValueError('bad', 1)", "Failed(4)", "KeyError('k')", "Failed(7, why='because')"))
        self.write(f"if {self.atom('cond')}: raise {error}")

    def effect(self) -> None:
        """Something that outlives the call, often not at the first item."""
        guarded = self.sometimes(60)
        if guarded:
            self.write(f"if {self.atom('cond')}:")
            self.depth += 1
        form = self.one_of(("list", "list", "other", "item"))
        on_item = EFFECTS_ON_ITEMS.get(self.kind)
        if form == "item" and on_item:
            self.write(self.filled(self.one_of(on_item)))
        elif form == "list":
            inside = {"list": ("x",), "box": ("x.items",), "nested": ("x[0]",), "dict": ("x['l']",)}
            outer = (*OUTER_LISTS, "acc", "cell", "ITEMS[0]", *inside.get(self.kind, ()) * 5)
            self.change_by_path(self.one_of(outer))
        else:
            self.write(self.filled(self.one_of(OTHER_EFFECTS)))
        if guarded:
            self.depth -= 1

    def block(self, steps: list[Callable[[], None]]) -> None:
        """Some of the steps inside a branch, loop or try."""
        head, tail = self.one_of(
            (
                ("if {cond}:", ""),
                ("if not {cond}:", "else:\n    {y} = 2"),
                ("for {y} in range(3):", ""),
                ("for {y} in {list}[:3]:", "    if sized({y}) > 3: break"),
                ("try:", "except (ValueError, TypeError, Failed):\n    {y} = 1"),
                ("try:", "except KeyError as {y}:\n    raise Failed(1) from {y}"),
                ("try:", "finally:\n    {y} = 0"),
                ("with Box(1) as {y}:", ""),
                ("while True:", "    break"),
            )
        )
        name = self.new()
        self.write(self.filled(head, y=name))
        self.depth += 1
        kept = {kind: list(names) for kind, names in self.names.items()}
        own = {kind: list(names) for kind, names in self.own.items()}
        self.write("pass")
        for step in steps:
            step()
        self.names, self.own = kept, own  # a name made in a block may be unbound after it
        self.depth -= 1
        if tail:
            self.write(self.filled(tail, y=name))

    def body(self, effects: int) -> None:
        plain = [self.assignment, self.assignment, self.local_change, self.reaching, self.closure]
        steps: list[Callable[[], None]] = [self.one_of(plain) for _ in range(self.draw(st.integers(1, 4)))]
        extra = self.one_of((None, None, None, self.output, self.raising))
        for step in [*([extra] if extra else []), *([self.effect] * effects)]:
            steps.insert(self.draw(st.integers(0, len(steps))), step)
        split = self.draw(st.integers(0, len(steps)))
        for step in steps[:split]:
            step()
        rest = steps[split:]
        if rest and self.sometimes(40):
            self.block(rest)
        else:
            for step in rest:
                step()
        held = [names[-1] for names in self.names.values() if names]
        shown = ["x", *held, self.one_of(("1", "NUMBER", "len(NUMBERS)", "cell", "acc", "BOX"))]
        self.write("return " + self.one_of(RETURNED).format(", ".join(shown)))


SHAPES = (
    "{globals}def f(x, acc=[], *, k=2):\n    cell = [0]\n{body}",
    "def make():\n    cell = [0]\n    n = 5\n    def f(x, acc=[]):\n        {globals_in}\n{deeper}\n    return f\n"
    "f = make()",
    "class Job:\n    cell = [1]\n    def __init__(self): self.acc = [2]\n    def run(self, x):\n        {globals_in}\n"
    "        acc, cell = self.acc, self.cell\n{deeper}\nf = Job().run",
    "class Job:\n    def __init__(self): self.acc = [2]\n    def __call__(self, x):\n        {globals_in}\n"
    "        acc, cell = self.acc, []\n{deeper}\nf = Job()",
    "def g(acc, x, cell=()):\n    {globals_in_g}\n    cell = list(cell)\n{body}\nf = functools.partial(g, [3])",
    "def g(x, acc, cell):\n    {globals_in_g}\n{body}\ndef f(x):\n    return [g(x, [], []), 1]",
    "def g(x, acc, cell):\n    {globals_in_g}\n{body}\nf = lambda x: g(x, BOX.items, [])",
)
"""How ``f`` is made out of a body that names an item ``x`` and two lists, ``acc`` and ``cell``."""


@st.composite
def programs(draw: Callable[..., Any]) -> Program:
    """Programs whose function has no effect, one or two, on items of one kind or several."""
    kind = draw(st.sampled_from(sorted(ITEMS)))
    writer = _Writer(draw, kind)
    own_kind = "any" if kind in ("mixed", "nested", "louds") else kind
    writer.names[own_kind] = ["x"]
    writer.body(draw(st.sampled_from((0, 0, 0, 1, 1, 1, 2))))
    body = "\n".join(writer.lines)
    deeper = "\n".join("    " + line for line in writer.lines)
    items = draw(st.sampled_from(ITEMS[kind]))
    shape = draw(st.sampled_from(SHAPES))
    declared = ", ".join(declared_names(writer.lines))
    line = f"global {declared}" if declared else "pass"
    if shape is SHAPES[0]:
        body = f"    {line}\n{body}"
    text = shape.format(globals="", body=body, deeper=deeper, globals_in=line, globals_in_g=line)
    return program(f"SHARED = [8]\nSHARED_BOX = Box(9, SHARED)\n{text}\nITEMS = {items}\n")
