"""What is known of a value while whole-array code is made into loops, and the dtypes of operations on arrays.

A dtype is found by asking NumPy: the operation is done once, on single elements of the right types.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autopar._kernel import types as t
from autopar._model.light_dataclass import dataclass

ONE = "1"
"""The text of a length that is one for certain, and so is broadcast."""


@dataclass(frozen=True)
class Scalar:
    """A number, or anything else that is no array, as the text of an expression.

    `sample` is a value of its exact type, or None where that is not known.
    """

    text: str
    sample: Any = None

    @property
    def simple(self) -> bool:
        """It is a name or a number: evaluated again and again, it stays the same."""
        return self.text.isidentifier() or self.text.lstrip("-").replace(".", "", 1).isdigit()


@dataclass(frozen=True)
class Whole:
    """An array that a variable holds.

    Attributes
    ----------
    roots
        Names for the memory that it may lie in: parameters, and places where arrays are made.
    contiguous
        It is in C order, without gaps.
    ones
        The axes whose length is one for certain.
    ordered
        As of `Elements`.
    """

    dtype: str
    ndim: int
    roots: frozenset[str]
    contiguous: bool
    ones: frozenset[int] = frozenset()
    ordered: bool = True


@dataclass(frozen=True)
class Elements:
    """An array that is worked out element by element.

    Attributes
    ----------
    dims
        The texts of its lengths.
    dtype
        Its dtype's name.
    at
        From the texts of indexes, and a list to add statements to, to the text of the element there.
    name
        The variable that holds it just so, or an empty string.
    contiguous
        That variable's array is in C order, without gaps.
    part
        NumPy gives it as a view of another array.
    ordered
        What NumPy makes of it, element by element, is in C order: axes keep the order of their operands in memory.
    """

    dims: tuple[str, ...]
    dtype: str
    at: Callable[[tuple[str, ...], list[str]], str]
    name: str = ""
    contiguous: bool = False
    part: bool = False
    ordered: bool = True


Known = Scalar | Elements
Held = Whole | Scalar | None


def held(name: str, kind: t.Type) -> Held:
    """What a parameter of this type holds."""
    if isinstance(kind, t.Array):
        contiguous = kind.layout == "C"
        return Whole(kind.dtype, kind.ndim, frozenset({name}), contiguous, ordered=contiguous or kind.ndim < 2)
    if isinstance(kind, t.NpScalar):
        return Scalar(name, element(kind.dtype))
    samples: dict[type[t.Type], Any] = {t.Int: 1, t.Float: 1.0, t.Bool: True}
    return Scalar(name, samples.get(type(kind)))


def element(dtype: str) -> Any:
    """One, as an element of an array of this dtype."""
    import numpy

    return numpy.dtype(dtype).type(1)


def sample_of(value: Known) -> Any:
    """An array of one element, or a scalar, of the value's exact type; None where that is not known."""
    if isinstance(value, Scalar):
        return value.sample
    import numpy

    return numpy.ones((1,), value.dtype)


def tried(operation: Callable[..., Any], *samples: Any) -> Any:
    """The result of an operation on samples, or None if one is not known or the operation does not take them."""
    import numpy

    if any(sample is None for sample in samples):
        return None
    with numpy.errstate(all="ignore"):
        try:
            return operation(*samples)
        except (ArithmeticError, TypeError, ValueError):
            return None


def dtype_of(sample: Any) -> str:
    """The name of the dtype of a sample that is an array or a NumPy scalar, if compiled code has that; else nothing."""
    dtype = getattr(sample, "dtype", None)
    return dtype.name if dtype is not None and dtype.name in t.DTYPES else ""
