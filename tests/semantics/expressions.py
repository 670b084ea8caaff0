"""Random expressions, each of a type, over the names in scope."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.semantics.forms import (
    ATOM,
    BOOL_FORMS,
    COMPARISONS,
    ELEMENT_FORMS,
    ELEMENT_FORMS_OF_LISTS,
    FLOAT_FORMS,
    FLOAT_LITERALS,
    INT_FORMS,
    INT_LITERALS,
    SMALL_FLOATS,
    SMALL_INTS,
)
from tests.semantics.tape import Tape


@dataclass
class Array:
    """An array or list in scope."""

    name: str
    dtype: str
    ndim: int = 1
    is_list: bool = False


@dataclass
class Expressions:
    """What is in scope, and expressions of it."""

    tape: Tape
    lines: list[str] = field(default_factory=list)
    names: dict[str, list[str]] = field(default_factory=lambda: {"int": [], "float": [], "bool": [], "element": []})
    arrays: list[Array] = field(default_factory=list)
    helpers: dict[str, list[str]] = field(default_factory=lambda: {"int": [], "float": []})
    fixed: set[str] = field(default_factory=set)
    within: dict[str, list[str]] = field(default_factory=dict)
    made: int = 0
    loops: int = 0

    def new(self, prefix: str = "v") -> str:
        self.made += 1
        return f"{prefix}{self.made}"

    def integer(self, depth: int = 2) -> str:
        return (
            self.formed(INT_FORMS, depth)
            if self.grows(depth)
            else self.leaf("int", self.literals(SMALL_INTS, INT_LITERALS))
        )

    def real(self, depth: int = 2) -> str:
        return (
            self.formed(FLOAT_FORMS, depth)
            if self.grows(depth)
            else self.leaf("float", self.literals(SMALL_FLOATS, FLOAT_LITERALS))
        )

    def truth(self, depth: int = 2) -> str:
        if self.grows(depth) or not self.names["bool"]:
            return self.formed(BOOL_FORMS if depth > 0 else BOOL_FORMS[:4], depth)
        return self.leaf("bool", ("True", "False"))

    def element(self, depth: int = 1) -> str:
        if not self.grows(depth):
            return self.leaf("element", (self.item(),))
        growing = self.loops and any(array.is_list for array in self.arrays)
        return self.formed(ELEMENT_FORMS_OF_LISTS if growing else ELEMENT_FORMS, depth)

    def literals(self, small: tuple[str, ...], all_: tuple[str, ...]) -> tuple[str, ...]:
        return all_ if self.tape.likely(15) else small

    def divisor(self, kind: str, depth: int) -> str:
        """Zero now and then: a program ends there."""
        if self.tape.likely(12):
            return self.made_of(kind, depth)
        if self.tape.likely(50):
            return self.tape.pick(("3", "7", "-2", "-5", "10") if kind == "int" else ("2.0", "-0.3", "7.5", "1e-3"))
        return f"(abs({self.made_of(kind, depth)}) + 1)"

    def grows(self, depth: int) -> bool:
        return depth > 0 and self.tape.likely(65)

    def leaf(self, kind: str, literals: tuple[str, ...]) -> str:
        names = self.names[kind]
        return self.tape.pick(names) if names and not self.tape.likely(20) else self.tape.pick(literals)

    @staticmethod
    def bracketed(text: str) -> str:
        return text if ATOM.fullmatch(text) else f"({text})"

    def formed(self, forms: tuple[str, ...], depth: int) -> str:
        """A form with its holes filled, left to right."""
        text, inner = self.tape.pick(forms), depth - 1
        fill: dict[str, Callable[[], str]] = {
            "{i}": lambda: self.integer(inner),
            "{f}": lambda: self.real(inner),
            "{b}": lambda: self.truth(inner),
            "{e}": lambda: self.element(inner),
            "{x}": self.item,
            "{a}": lambda: self.array().name,
            "{I}": lambda: (
                self.tape.pick(self.literals(SMALL_INTS, INT_LITERALS)) if self.loops else self.integer(inner)
            ),
            "{d}": lambda: self.divisor("int", inner),
            "{D}": lambda: self.divisor("float", inner),
            "{k}": lambda: (
                self.tape.pick(("1", "3", "0", "31", "62", "63", "64", "70", "-1")) if self.tape.likely(40) else "2"
            ),
            "{m}": lambda: self.tape.pick(("7", "1000003", "2**31", "-5", "2**62 - 1")),
            "{z}": lambda: self.tape.pick(("0", "1")),
            "{c}": lambda: self.tape.pick(COMPARISONS),
            "{gi}": lambda: self.helped("int", inner),
            "{gf}": lambda: self.helped("float", inner),
        }
        for hole, make in fill.items():
            while hole in text:
                part = make()
                text = text.replace(
                    hole, part if hole in "{a}{k}{z}{c}" or f"({hole})" in text else self.bracketed(part), 1
                )
        return text

    def helped(self, kind: str, depth: int) -> str:
        helpers = self.helpers[kind]
        if not helpers:
            return self.leaf(kind, INT_LITERALS if kind == "int" else FLOAT_LITERALS)
        return f"{self.tape.pick(helpers)}({self.integer(depth)}, {self.real(depth)})"

    def array(self) -> Array:
        if not self.arrays:
            name = self.new("w")
            length = self.tape.pick(("4", "3", "6", "1"))
            kind = self.tape.pick(("", "", ", dtype=np.int64", ", np.float64"))
            self.lines.insert(0, f"    {name} = np.zeros({length}{kind})")
            self.arrays.append(Array(name, "int64" if "int" in kind else "float64"))
        return self.tape.pick(self.arrays)

    def index(self, array: Array, axis: int = 0) -> str:
        """Most are in bounds: a program ends at the first that is not."""
        length = f"len({array.name})" if axis == 0 else f"{array.name}.shape[1]"
        roll = self.tape.below(24)
        within = self.within.get(length, [])
        if roll < 16 and within:
            return self.tape.pick(within)
        if roll < 18 and within:
            return f"{self.tape.pick(within)} - 1"
        if roll < 19:
            return self.tape.pick(("0", "-1"))
        if roll < 20 and self.names["element"]:
            element = self.tape.pick(self.names["element"])
            return self.tape.pick((element, f"int({element})", f"int({element}) % {length}"))
        if roll < 23:
            return f"{self.bracketed(self.integer(1))} % {length}"
        return self.tape.pick(("1", "2", f"{self.tape.pick(within or ['0'])} + 1", self.integer(1)))

    def item(self) -> str:
        array = self.array()
        if array.ndim == 2:
            return f"{array.name}[{self.index(array)}, {self.index(array, 1)}]"
        return f"{array.name}[{self.index(array)}]"

    def any(self, depth: int = 2) -> tuple[str, str]:
        """A kind and an expression of it."""
        kind = self.tape.pick(("int", "float", "int", "float", "bool", "element"))
        return kind, self.made_of(kind, depth)

    def made_of(self, kind: str, depth: int) -> str:
        """An expression of a kind."""
        make = {"int": self.integer, "float": self.real, "bool": self.truth, "element": self.element}[kind]
        return make(depth)
