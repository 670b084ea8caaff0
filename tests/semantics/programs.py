"""Random typed programs: a module with helpers and constants, one function `f`, and argument tuples to call it with.

All have an end: loops are short, and integers that are multiplied in a loop are kept small by a remainder.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import strategies as st

from tests.semantics import values
from tests.semantics.expressions import Array, Expressions
from tests.semantics.forms import INT_LITERALS
from tests.semantics.tape import Tape

LENGTH = 420
"""Bytes of a program: most use fewer."""

DEEPEST = 3
"""Blocks within blocks."""


CHAINS = (
    "({} * 5 + 3) % 256",
    "(1103515245 * {} + 12345) % 2147483648",
    "({} * 69069 - 1) & 4294967295",
    "(7 - {} * 3) & 65535",
    "({} * 48271) % 2147483647",
)
"""An int made from itself: pseudo-random numbers, modulo a power of two and not."""


@dataclass(frozen=True, slots=True)
class Program:
    """A module's source, and argument expressions of calls of its `f`."""

    source: str
    calls: tuple[str, ...]

    def __str__(self) -> str:
        return self.source + "".join(f"f{call}\n" for call in self.calls)


@dataclass
class _Writer(Expressions):
    """Writes one function."""

    depth: int = 1
    statements: int = 0
    shape: tuple[str, ...] | None = None
    alike: dict[str, str] = field(default_factory=dict)  # arrays of the shape of another
    tuples: dict[str, tuple[str, ...]] = field(default_factory=dict)  # the kinds of their items

    def write(self, text: str) -> None:
        self.lines.append("    " * self.depth + text)

    # -- statements

    def assign(self) -> None:
        kind, text = self.any(3)
        name = self.new()
        self.write(f"{name} = {text}")
        self.names[kind].append(name)

    def reassign(self) -> None:
        """Give a name another value, of its own kind or, now and then, of another."""
        kinds = [kind for kind, names in self.names.items() if set(names) - self.fixed]
        if not kinds:
            return self.assign()
        kind = self.tape.pick(kinds)
        name = self.tape.pick([one for one in self.names[kind] if one not in self.fixed])
        if kind != "float" and self.tape.likely(5):
            self.write(f"{name} = {self.any()[1]}")
        elif kind == "int" and self.tape.likely(20):
            self.write(f"{name} = {self.tape.pick(CHAINS).format(name)}")
        elif kind == "int" and self.tape.likely(60):
            self.write(f"{name} {self.tape.pick(('+=', '-=', '//=', '%=', '&=', '^=', '|='))} {self.integer()}")
        elif kind == "int" and self.tape.likely(30):
            self.write(f"{name} {self.tape.pick(('*=', '<<=', '>>='))} {self.tape.pick(('3', '2', '1', '62'))}")
        elif kind in ("float", "element") and self.tape.likely(70):
            if kind == "element":
                self.write(f"{name} {self.tape.pick(('+=', '-='))} {self.element()}")
            else:
                value = self.real() if self.tape.likely(80) else self.integer()
                self.write(f"{name} {self.tape.pick(('+=', '-=', '*=', '/='))} {value}")
        else:
            self.write(f"{name} = {self.made_of(kind, 3)}")
        return None

    def swap(self) -> None:
        """Of one kind: a float's name that came to hold an int would let it grow without end in a loop."""
        kind = self.tape.pick(("int", "float"))
        names = [name for name in self.names[kind] if name not in self.fixed]
        if len(names) < 2:
            return self.assign()
        a, b = self.tape.pick(names), self.tape.pick(names)
        self.write(f"{a}, {b} = {b}, {a}" if self.tape.likely(50) else f"{a}, {b} = {b}, {a} + {b}")
        return None

    def unpack(self) -> None:
        a, b = self.new(), self.new()
        name = self.new("t")
        self.write(f"{name} = ({self.integer()}, {self.real()})")
        self.write(f"{a}, {b} = {name}" if self.tape.likely(50) else f"{a}, {b} = {name}[0], {name}[1]")
        self.names["int"].append(a)
        self.names["float"].append(b)

    def pack(self) -> None:
        """A tuple whose items are names of their own from now on."""
        kinds = self.tape.pick((("int", "float"), ("int", "int"), ("float", "float", "int"), ("int", "int")))
        name = self.new(self.tape.pick(("t", "t", "té", "t_0")))
        self.write(f"{name} = ({', '.join(self.made_of(kind, 1) for kind in kinds)})")
        self.tuples[name] = kinds
        for place, kind in enumerate(kinds):
            self.names[kind].append(f"{name}[{place}]")
            self.fixed.add(f"{name}[{place}]")

    def repack(self) -> None:
        """Set a tuple anew, mostly from its own items, which change places or are added."""
        known = [name for name, kinds in self.tuples.items() if f"{name}[0]" in self.names[kinds[0]]]
        if not known:
            return self.pack()
        name = self.tape.pick(known)
        kinds = self.tuples[name]
        parts = []
        for kind in kinds:
            own = [f"{name}[{place}]" for place, other in enumerate(kinds) if other == kind]
            item = self.tape.pick(own)
            parts.append(self.tape.pick((item, item, f"{item} + {self.tape.pick(own)}", self.made_of(kind, 1))))
        self.write(f"{name} = ({', '.join(parts)})")
        return None

    def twice(self) -> None:
        """One value for two names, of which one is known already, or for a name and an item."""
        kind = self.tape.pick(("int", "float"))
        known = [name for name in self.names[kind] if name not in self.fixed]
        if not known:
            return self.assign()
        name = self.new()
        text = self.tape.pick((f"{known[-1]} + {self.made_of(kind, 0)}", self.made_of(kind, 2)))
        self.write(f"{known[-1]} = {name if self.tape.likely(80) else self.item()} = {text}")
        if name in self.lines[-1]:
            self.names[kind].append(name)
        return None

    def rename(self) -> None:
        """Give an array's name to a part of it, or two arrays the names of each other."""
        arrays = [array for array in self.arrays if array.ndim == 1]
        if not arrays:
            return self.store()
        array = self.tape.pick(arrays)
        others = [one.name for one in arrays if (one.dtype, one.is_list) == (array.dtype, array.is_list)]
        a, b = array.name, self.tape.pick(others)
        self.write(self.tape.pick((f"{a} = {a}[1:]", f"{a} = {a}[:-1]", f"{a}, {b} = {b}, {a}", f"{a} = {b}")))
        return None

    def over_tuple(self) -> None:
        """A loop over expressions, whose names the body may set."""
        kind = self.tape.pick(("int", "float"))
        parts = [self.made_of(kind, 1) for _ in range(2 + self.tape.below(2))]
        counter, name = self.new("i"), self.new("x")
        numbered = self.tape.likely(30)
        head = (
            f"{counter}, {name} in enumerate(({', '.join(parts)}))" if numbered else f"{name} in ({', '.join(parts)})"
        )
        self.write(f"for {head}:")
        kept = {kind: list(one) for kind, one in self.names.items()}
        self.names[kind].append(name)
        if numbered:
            self.names["int"].append(counter)
            self.fixed.add(counter)
        self.turn()
        self.fixed.discard(counter)
        self.names = kept

    def store(self) -> None:
        array = self.array()
        if array.is_list and array.name.startswith("p") and self.tape.likely(95):
            return self.reassign()
        target = self.item() if self.tape.likely(20) else None
        if target is None:
            first = self.index(array)
            second = f", {self.index(array, 1)}" if array.ndim == 2 else ""
            target = f"{array.name}[{first}{second}]"
        floats = array.dtype.startswith("float")
        roll = self.tape.below(10)
        value = self.element(2) if roll < 3 else (self.real() if floats or roll == 9 else self.integer())
        if array.dtype == "bool" and roll >= 3:
            value = self.truth()
        operator = self.tape.pick(("=", "=", "=", "+=", "-=", "+=" if array.is_list and self.loops else "*="))
        self.write(f"{target} {operator} {value}")
        return None

    def slices(self) -> None:
        array = self.array()
        if array.ndim == 2 or array.is_list:
            return self.store()
        a = array.name
        self.write(
            self.tape.pick(
                (
                    f"{a}[:] = {self.bracketed(self.integer(1))} % 5",
                    f"{a}[1:] = {a}[:-1]",
                    f"{a}[1:] += {a}[:-1]",
                    f"{a}[::2] = {a}[::2] + 1",
                    f"{a}[1:3] = 0",
                    f"{a}[::-1] = {a}",
                    f"{a}[:2] *= 2",
                )
            )
        )
        return None

    def whole(self) -> None:
        """A statement on all elements of an array at once."""
        array = self.array()
        if array.is_list:
            return self.store()
        a, tape = array.name, self.tape
        others = [
            one.name
            for one in self.arrays
            if one.name == a or (one.name in self.alike and self.alike[one.name] == self.alike.get(a, a))
        ]
        operand = tape.pick(
            (*others, *others, f"{a}[::-1]", "2", "1.5", "-3", self.leaf("int", ("7",)), self.leaf("float", ("0.5",)))
        )
        operator = tape.pick(("+", "-", "*", "+", "-", "*", "/", "//", "%", "&", "|"))
        relation = tape.pick(("<", "<=", ">", "==", "!="))
        dtype = tape.pick(("float64", "int64", "int32", "uint8", "float32"))
        if tape.likely(30):
            form = tape.pick(
                (
                    f"np.sum({a})",
                    f"{a}.max()",
                    f"np.min({a})",
                    f"{a}.argmax()",
                    f"np.argmin({a})",
                    f"({a} {relation} {operand}).any()",
                    f"np.all({a} {relation} {operand})",
                    f"np.count_nonzero({a} {relation} {operand})",
                    f"({a} {operator} {operand}).max()",
                )
            )
            name = self.new()
            self.write(f"{name} = {form}")
            self.names["element"].append(name)
            return None
        form = tape.pick(
            (
                f"{a} {operator} {operand}",
                f"{a} {operator} {operand}",
                f"{operand} {operator} {a}",
                f"({a} {operator} {operand}) {tape.pick(('+', '-', '*'))} {a}",
                f"-{a}",
                f"{a} ** 2",
                f"np.sqrt(np.abs({a}))",
                f"np.abs({a})",
                f"np.where({a} {relation} {operand}, {a}, {operand})",
                f"np.maximum({a}, {operand})",
                f"np.where({a} {relation} {operand}, {a} {operator} {operand}, {operand})",
                f"np.minimum({operand}, {a})",
                f"{a}.astype(np.{dtype})",
                f"({a} {relation} {operand}) | ({a} {relation} 1)",
            )
        )
        if tape.likely(45):
            name = self.new("w")
            self.write(f"{name} = {form}")
            self.arrays.append(Array(name, "float64" if "/" in form else array.dtype, array.ndim))
            self.alike[name] = self.alike.get(a, a)
            return None
        target = tape.pick((f"{a}[:] =", f"{a} {tape.pick(('+=', '-=', '*='))}", f"{a}[::2] =", f"{a}[1:] ="))
        if "::2" in target or "1:" in target:
            part = target[len(a) : target.index("]") + 1]
            form = f"{a}{part} {operator} {tape.pick(('2', '1', '0.5', f'{a}{part}', f'{a}[:-1]'))}"
        self.write(f"{target} {operand if '] ' not in target else form}")
        return None

    def view(self) -> None:
        array = self.array()
        if array.ndim == 2:
            return self.store()
        name = self.new("a")
        part = self.tape.pick(
            ("1:", ":-1", ":2", "1:3", "1:", "1:", ":-1", f"{self.integer(0)}:", f":{self.integer(0)}", "::2", "::-1")
        )
        self.write(f"{name} = {array.name}[{part}]")
        self.arrays.append(Array(name, array.dtype, 1, array.is_list))
        return None

    def local_array(self) -> None:
        name = self.new("w")
        length = self.tape.pick(("4", "5", f"{self.bracketed(self.integer(0))} % 6", f"len({self.array().name})"))
        dtype = self.tape.pick(("float64", "int64", "float64", "uint8", "int32", "float32"))
        kind = "" if dtype == "float64" else f", dtype=np.{dtype}"
        form = self.tape.pick(
            (f"np.zeros({length}{kind})", f"np.zeros({length}{kind})", f"[0] * ({length})", f"[0.5] * ({length})")
        )
        self.write(f"{name} = {form}")
        if "np" not in form:
            dtype = "int64" if "[0]" in form else "float64"
        self.arrays.append(Array(name, dtype, 1, "np" not in form))

    def leave(self) -> None:
        """A return, or in a loop a break or continue, under a condition."""
        choices = ("break", "continue", "return") if self.loops else ("return",)
        word = self.tape.pick(choices)
        self.write(f"if {self.truth()}:")
        self.depth += 1
        if word == "return":
            self.give_back()
        else:
            self.write(word)
        self.depth -= 1

    def block(self) -> None:
        """Statements one level deeper; the names made there are gone afterwards, but for a few."""
        names = {kind: list(one) for kind, one in self.names.items()}
        arrays, fixed = list(self.arrays), set(self.fixed)
        self.depth += 1
        for _ in range(1 + self.tape.below(3)):
            self.statement()
        self.depth -= 1
        self.fixed = fixed
        if not self.tape.likely(4):  # else they may be unbound
            self.names = names
            self.arrays = [one for one in self.arrays if one in arrays or one.name in self.top()]

    def top(self) -> set[str]:
        """Arrays that are made on the first level."""
        return {line.split()[0] for line in self.lines if line.startswith("    w")}

    def branch(self) -> None:
        self.write(f"if {self.truth(3)}:")
        self.block()
        if self.tape.likely(25):
            self.write(f"elif {self.truth()}:")
            self.block()
        if self.tape.likely(50):
            self.write("else:")
            self.block()

    def counted(self) -> None:
        name = self.new("i")
        span, length = self.span()
        self.write(f"for {name} in {span}:")
        self.names["int"].append(name)
        self.fixed.add(name)
        self.within.setdefault(length, []).append(name)
        self.turn()
        self.within[length].remove(name)
        self.fixed.discard(name)
        if not self.tape.likely(5) and name in self.names["int"]:
            self.names["int"].remove(name)

    def span(self) -> tuple[str, str]:
        """A range, and the length below which it stays."""
        if self.tape.likely(60):
            array = self.array()
            if array.ndim == 2 and self.tape.likely(50):
                return f"range({array.name}.shape[1])", f"{array.name}.shape[1]"
            length = f"len({array.name})"
            return self.tape.pick(
                (f"range({length})", f"range(1, {length})", f"range({length} - 1)", f"range({length} - 1, -1, -1)")
            ), length
        text = self.tape.pick(
            (
                "range(3)",
                f"range({self.bracketed(self.integer(1))} % 5)",
                f"range({self.tape.pick(('1', '-2', '0'))}, {self.tape.pick(('4', '3', '6'))})",
                f"range({self.tape.pick(('5', '3'))}, {self.tape.pick(('-1', '0'))}, {self.tape.pick(('-1', '-2'))})",
                f"range(0, 6, {self.tape.pick(('2', '1', '3', '-1'))})",
            )
        )
        return text, ""

    def turn(self) -> None:
        self.loops += 1
        self.block()
        self.loops -= 1

    def over_array(self) -> None:
        array, name, counter = self.array(), self.new("x"), self.new("i")
        if array.ndim == 2:
            return self.counted()
        other = self.array()
        heads = [f"for {name} in {array.name}:", f"for {counter}, {name} in enumerate({array.name}):"]
        if other.ndim == 1:
            heads.append(f"for {name}, {counter} in zip({array.name}, {other.name}):")
        head = self.tape.pick(heads)
        self.write(head)
        kept = {kind: list(one) for kind, one in self.names.items()}
        self.names["element"].append(name)
        if "enumerate" in head:
            self.names["int"].append(counter)
            self.fixed.add(counter)
            self.within.setdefault(f"len({array.name})", []).append(counter)
        elif "zip" in head:
            self.names["element"].append(counter)
        self.turn()
        if counter in self.fixed:
            self.within[f"len({array.name})"].remove(counter)
        self.fixed.discard(counter)
        self.names = kept
        return None

    def repeated(self) -> None:
        name = self.new("n")
        self.write(f"{name} = 0")
        self.names["int"].append(name)
        condition = self.tape.pick(("{} < 4", "{} < 3 and {}", "{} != 5", "not {} >= 4"))
        more = condition.format(name, f"({self.truth(1)})") if condition.count("{}") == 2 else condition.format(name)
        self.write(f"while {more}:")
        self.fixed.add(name)
        self.depth += 1
        self.write(f"{name} += 1")
        self.depth -= 1
        self.turn()
        self.fixed.discard(name)
        self.fixed_counter(name)

    def fixed_counter(self, name: str) -> None:
        """Keep a loop's counter from being assigned by a loop around it, which could make it endless."""
        if self.loops and name in self.names["int"]:
            self.names["int"].remove(name)

    def statement(self) -> None:
        self.statements += 1
        if self.depth <= DEEPEST and self.statements < 14 and self.tape.likely(45):
            self.tape.pick(
                (
                    self.counted,
                    self.branch,
                    self.over_array,
                    self.counted,
                    self.repeated,
                    self.branch,
                    self.over_tuple,
                    self.over_array,
                )
            )()
        else:
            self.tape.pick(_OFTEN if self.tape.likely(80) else _SELDOM)(self)

    def give_back(self) -> None:
        """Return what the program has come to, mostly of the same types on all paths."""
        if self.shape is None:
            self.shape = tuple(self.tape.pick(SHOWN) for _ in range(1 + self.tape.below(5)))
            self.shape = self.tape.pick((self.shape,) * 15 + ((), ("array",)))
        kinds = self.shape if self.tape.likely(99) else (*self.shape, "int")
        text = ", ".join(self.array().name if kind == "array" else self.shown(kind) for kind in kinds) or "None"
        self.write(f"return {text}")

    def shown(self, kind: str) -> str:
        """A late variable of a kind, or an expression."""
        names = self.names[kind]
        return self.tape.pick(names[-4:]) if names and self.tape.likely(75) else self.made_of(kind, 2)

    def body(self) -> None:
        for _ in range(2 + self.tape.below(4)):
            self.statement()
        if not self.tape.likely(4):
            self.depth = 1
            self.give_back()


_OFTEN = (
    _Writer.assign,
    _Writer.reassign,
    _Writer.store,
    _Writer.reassign,
    _Writer.store,
    _Writer.leave,
    _Writer.repack,
)
_SELDOM = (
    _Writer.assign,
    _Writer.swap,
    _Writer.unpack,
    _Writer.pack,
    _Writer.twice,
    _Writer.rename,
    _Writer.local_array,
    _Writer.swap,
    _Writer.local_array,
    _Writer.view,
    _Writer.swap,
    _Writer.unpack,
    _Writer.local_array,
    _Writer.view,
    _Writer.slices,
    _Writer.whole,
    _Writer.whole,
    _Writer.whole,
)
SHOWN = ("int", "float", "int", "float", "bool", "int", "float", "element")
PARAMETERS = ("int", "float", "array", "array", "int", "float", "bool", "table", "pair", "element", "list")


def _helper(tape: Tape, name: str, kind: str, globals_: list[str]) -> list[str]:
    writer = _Writer(tape, loops=1)  # as if in a loop: what it multiplies stays small
    writer.names["int"] = ["p", *globals_]
    writer.names["float"] = ["q"]
    writer.arrays = []
    lines = [f"def {name}(p, q):"]
    if tape.likely(30):
        lines += [
            f"    if {_scalars(writer.truth)}:",
            f"        return {_scalars(writer.integer if kind == 'int' else writer.real)}",
        ]
    lines.append(f"    return {_scalars(writer.integer if kind == 'int' else writer.real)}")
    return [*lines, "", ""]


def _scalars(make: object) -> str:
    """An expression without arrays."""
    for _ in range(4):
        text = str(make(2))  # type: ignore[operator]
        if "w" not in text.replace("pow", ""):
            return text
    return "p" if "integer" in repr(make) else "q" if "real" in repr(make) else "p > 1"


def _calls(tape: Tape, parameters: list[tuple[str, str, str]]) -> tuple[str, ...]:
    """Three argument tuples: an ordinary one, an extreme one, and one of either with arrays that overlap."""
    made = []
    for turn in range(3):
        extreme = turn == 1 or (turn == 2 and tape.likely(50))
        parts: list[str] = []
        for _, kind, dtype in parameters:
            if kind == "array":
                parts.append(values.array(tape, dtype, extreme))
            elif kind == "table":
                parts.append(values.table(tape, dtype, extreme))
            elif kind == "pair":
                parts.append(f"({values.scalar(tape, 'int', extreme)}, {values.scalar(tape, 'float', extreme)})")
            elif kind == "list":
                parts.append(f"[{', '.join(values.scalar(tape, dtype, extreme) for _ in range(1 + tape.below(4)))}]")
            elif kind == "element":
                parts.append(
                    f"np.{dtype}({tape.pick(values.elements(dtype, extreme))})".replace("np.bool(", "np.bool_(")
                )
            else:
                parts.append(values.scalar(tape, kind, extreme))
        if turn == 2:
            parts = _overlapped(tape, parameters, parts)
        made.append("(" + "".join(f"{part}, " for part in parts) + ")")
    return tuple(made)


def _overlapped(tape: Tape, parameters: list[tuple[str, str, str]], parts: list[str]) -> list[str]:
    """Make the last two arrays of one dtype share their memory."""
    places = [at for at, (_, kind, _) in enumerate(parameters) if kind == "array"]
    if len(places) < 2 or parameters[places[-1]][2] != parameters[places[-2]][2] or not tape.likely(70):
        return parts
    first, second = places[-2:]
    pick = tape.pick((0, 1))
    text = parts[first] if not parts[first].startswith("read_only") else parts[second]
    shared = tape.pick(
        (f"(lambda x: (x, x))({text})", f"(lambda x: (x[1:], x[:-1]))({text})", f"(lambda x: (x, x[::-1]))({text})")
    )
    parts = list(parts)
    parts[first], parts[second] = f"(both := {shared})[{pick}]", f"both[{1 - pick}]"
    return parts


def write(data: bytes) -> Program:
    """Make the program that the bytes stand for."""
    tape = Tape(data)
    dtype = tape.pick(values.DTYPES)
    parameters = []
    for at in range(1 + tape.below(4)):
        kind = tape.pick(PARAMETERS)
        other = tape.pick(values.DTYPES) if tape.likely(30) else dtype
        if kind == "list":
            other = tape.pick(("int", "float"))
        parameters.append((f"p{at}", kind, other))
    calls = _calls(tape, parameters)
    lines: list[str] = ["import math", "import numpy as np", ""]
    globals_ = []
    if tape.likely(25):
        globals_ = ["K"]
        lines += [f"K = {tape.pick(INT_LITERALS)}", ""]
    writer = _Writer(tape)
    for kind in ("int", "float"):
        if tape.likely(30):
            name = f"g_{kind}"
            lines += _helper(tape, name, kind, globals_)
            writer.helpers[kind].append(name)
    writer.names["int"] += globals_
    writer.fixed |= set(globals_)
    for name, kind, of in parameters:
        if kind in ("int", "float", "bool"):
            writer.names[kind].append(name)
        elif kind == "pair":
            writer.names["int"].append(f"{name}[0]")
            writer.names["float"].append(f"{name}[1]")
            writer.fixed |= {f"{name}[0]", f"{name}[1]"}
        elif kind == "element":
            writer.names["element"].append(name)
        else:
            dtype_of_list = {"int": "int64", "float": "float64"}
            writer.arrays.append(Array(name, dtype_of_list.get(of, of), 2 if kind == "table" else 1, kind == "list"))
    writer.body()
    lines += [f"def f({', '.join(name for name, _, _ in parameters)}):", *writer.lines]
    return Program("\n".join(lines) + "\n", calls)


PROGRAMS = st.binary(min_size=LENGTH, max_size=LENGTH).map(write)
"""Programs, each of one draw."""
