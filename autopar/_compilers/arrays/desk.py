"""The desk: what is written so far, what the variables hold, and the names that the function refers to."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FunctionType, ModuleType
from typing import Any, NoReturn

from autopar._compilers.arrays.values import ONE, Elements, Held, Known, Scalar, Whole, dtype_of, tried
from autopar._kernel.names import Facts
from autopar._kernel.refusal import Refused

PREFIX = "_autopar_"
"""How all names begin that loops made of whole-array code bring in."""

NUMPY = f"{PREFIX}np"


class Desk:
    """Writes statements, each with the line of the source that it stands for.

    Attributes
    ----------
    rtol
        Relative difference of floats from Python's that is allowed.
    env
        What the variables hold at this point.
    loads
        Elements of arrays in memory that were written down: the roots of each, and its text.
    changed
        Something is written otherwise than it stands in the source.
    given
        Values of names that the loops bring in.
    """

    def __init__(self, function: FunctionType, locals_: frozenset[str], rtol: float) -> None:
        self.function, self.locals, self.rtol = function, locals_, rtol
        self.facts = Facts(function)
        self.env: dict[str, Held] = {}
        self.lines: list[tuple[str, int]] = []
        self.loads: list[tuple[frozenset[str], str]] = []
        self.depth = 1
        self.line = 0
        self.changed = False
        self.given: dict[str, Any] = {}
        self.names = 0
        self.value: Callable[[ast.expr], Known] = lambda node: self.refuse("nothing is known of it")

    # -- writing

    def write(self, text: str) -> None:
        """Write a statement's line."""
        self.lines.append(("    " * self.depth + text, self.line))

    def fresh(self, hint: str = "t") -> str:
        """A name that the function does not have."""
        self.names += 1
        return f"{PREFIX}{hint}{self.names}"

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """Write a compound statement's head, and what follows inside of it."""
        self.write(head)
        self.depth += 1
        before = len(self.lines)
        yield
        if len(self.lines) == before:
            self.write("pass")
        self.depth -= 1

    @contextmanager
    def loops(self, dims: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        """Loops over all elements of these lengths; gives the texts of the indexes."""
        depth = self.depth
        indexes = []
        for length in dims:
            if length == ONE:
                indexes.append("0")
                continue
            index = self.fresh("i")
            self.write(f"for {index} in range({length}):")
            self.depth += 1
            indexes.append(index)
        yield tuple(indexes)
        self.depth = depth

    def put(self, statements: list[str]) -> None:
        """Write statements that an element takes."""
        for statement in statements:
            self.write(statement)

    def leave_unless(self, test: str) -> None:
        """Write that the call is Python's unless a test holds."""
        with self.block(f"if not ({test}):"):
            self.write("raise ValueError")

    def leave_if(self, test: str) -> None:
        """Write that the call is Python's if a test holds."""
        with self.block(f"if {test}:"):
            self.write("raise ValueError")

    def refuse(self, reason: str) -> NoReturn:
        """Give up, for a reason at this line."""
        raise Refused(self.line, reason)

    @contextmanager
    def rehearsed(self) -> Iterator[None]:
        """Forget what is written meanwhile."""
        kept = self.lines, self.loads, self.changed, dict(self.env), self.depth, self.names, self.line
        self.lines, self.loads = [], []
        yield
        self.lines, self.loads, self.changed, self.env, self.depth, self.names, self.line = kept

    # -- values

    def hold(self, value: Scalar) -> Scalar:
        """Have a scalar worked out here, once."""
        if value.simple:
            return value
        name = self.fresh("s")
        self.write(f"{name} = {value.text}")
        return Scalar(name, value.sample)

    def whole(self, name: str) -> Elements:
        """The elements of a variable's array."""
        array = self.env[name]
        assert isinstance(array, Whole)
        roots = array.roots

        def at(indexes: tuple[str, ...], out: list[str]) -> str:
            text = f"{name}[{', '.join(indexes)}]"
            self.loads.append((roots, text))
            return text

        dims = tuple(ONE if dim in array.ones else f"{name}.shape[{dim}]" for dim in range(array.ndim))
        return Elements(dims, array.dtype, at, name, array.contiguous, ordered=array.ordered)

    def new(self, dims: tuple[str, ...], dtype: str) -> str:
        """Write that a variable holds a new array; returns the variable."""
        name = self.fresh("a")
        self.given[NUMPY] = _numpy()
        shape = ", ".join(dims) + ("," if len(dims) == 1 else "")
        self.write(f"{name} = {NUMPY}.empty(({shape}), {self.kind(dtype)})")
        ones = frozenset(place for place, length in enumerate(dims) if length == ONE)
        self.env[name] = Whole(dtype, len(dims), frozenset({f"line {self.line}, {name}"}), True, ones)
        return name

    def kind(self, dtype: str) -> str:
        """The text of a dtype's scalar type."""
        self.given[NUMPY] = _numpy()
        return f"{NUMPY}.{'bool_' if dtype == 'bool' else dtype}"

    def made(self, elements: Elements) -> str:
        """Write the loops that work an array out; returns the variable that holds it."""
        self.changed = True
        dims = tuple(self.hold(Scalar(length)).text for length in elements.dims)
        name = self.new(dims, elements.dtype)
        with self.loops(dims) as indexes:
            statements: list[str] = []
            text = elements.at(indexes, statements)
            self.put(statements)
            self.write(f"{name}[{', '.join(indexes)}] = {text}")
        return name

    def kept(self, elements: Elements) -> str:
        """As `made`, for an array that the program gets hold of: it is to be a new one, in the order that NumPy has."""
        if elements.part:
            self.refuse("a part of an array that is kept or returned is not made into loops")
        if not elements.ordered:
            self.refuse("a new array that NumPy may lay out in another order than C is not made into loops")
        return self.made(elements)

    def elementwise(self, operation: Callable[..., Any], form: str, *values: Known) -> Known:
        """An operation on scalars and arrays, by its text with a place for each value."""
        samples = [_sample(value) for value in values]
        result = tried(operation, *samples)
        if all(isinstance(value, Scalar) for value in values):
            return Scalar(form.format(*[value.text for value in values]), result)  # type: ignore[union-attr]
        dtype = dtype_of(result)
        if not dtype:
            self.refuse(f"the dtype of an operation on arrays is not known, or not one of {', '.join(_dtypes())}")
        parts = [self.hold(value) if isinstance(value, Scalar) else value for value in values]
        arrays = [part for part in parts if isinstance(part, Elements)]
        dims = self.broadcast(*[array.dims for array in arrays])

        def at(indexes: tuple[str, ...], out: list[str]) -> str:
            return form.format(
                *[part.text if isinstance(part, Scalar) else part.at(shown(part.dims, indexes), out) for part in parts]
            )

        return Elements(dims, dtype, at, ordered=len(dims) < 2 or all(array.ordered for array in arrays))

    def broadcast(self, *shapes: tuple[str, ...]) -> tuple[str, ...]:
        """The common shape; lengths that are not one for certain must be equal, or else the call is Python's."""
        ndim = max(map(len, shapes))
        common = [ONE] * ndim
        for shape in shapes:
            for place, length in enumerate(shape, ndim - len(shape)):
                if length in (ONE, common[place]):
                    continue
                if common[place] != ONE:
                    self.leave_if(f"{common[place]} != {length}")
                else:
                    common[place] = length
        return tuple(common)

    # -- names

    def refers_to(self, node: ast.expr) -> Any:
        """The object that a name, or an attribute of a module, stands for; None where it is not known beforehand."""
        if isinstance(node, ast.Name) and node.id not in self.locals:
            try:
                return self.facts.name(self.function, node.id)
            except NameError:
                return None
        if isinstance(node, ast.Attribute):
            base = self.refers_to(node.value)
            if isinstance(base, ModuleType) and node.attr in vars(base):
                return self.facts.attribute(base, ast.unparse(node.value), node.attr)
        return None


def shown(dims: tuple[str, ...], indexes: tuple[str, ...]) -> tuple[str, ...]:
    """The indexes into one of the arrays that are broadcast together."""
    own = indexes[len(indexes) - len(dims) :]
    return tuple("0" if length == ONE else index for length, index in zip(dims, own, strict=True))


def _sample(value: Known) -> Any:
    from autopar._compilers.arrays.values import sample_of

    return sample_of(value)


def _numpy() -> Any:
    import numpy

    return numpy


def _dtypes() -> tuple[str, ...]:
    from autopar._kernel.types import DTYPES

    return tuple(DTYPES)
