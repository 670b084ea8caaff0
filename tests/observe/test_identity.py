"""Names of code, types and sizes: the same in every process, other for other code, and no look that runs user code."""

from __future__ import annotations

import functools
import math
from array import array
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autopar._observe.identity import code_digest, codes_digest, size_class, type_names
from tests.ids import named
from tests.scripts import run_python


def colour(name: str) -> bool:
    """Tell a colour."""
    return name in {"red", "green", "blue", "grey", "pink"} and (lambda: 1.5)() > 0


class Shop:
    """Has methods and can be called."""

    def price(self, item: int) -> int:
        return item + 1

    def __call__(self, item: int) -> int:
        return item + 2


def made(source: str, filename: str = "a.py", module: str = "shop") -> Callable[..., Any]:
    namespace: dict[str, Any] = {"__name__": module}
    exec(compile(source, filename, "exec"), namespace)
    function: Callable[..., Any] = namespace["f"]
    return function


BASE = "def f(x):\n    return [y * 2 for y in x]\n"


def test_code_has_the_same_name_in_another_process() -> None:
    """Whatever the seed of hashes, which orders the elements of a set."""
    script = (
        "from tests.observe.test_identity import colour\n"
        "from autopar._observe.identity import code_digest; print(code_digest(colour))"
    )
    seen = {run_python("-c", script, PYTHONHASHSEED=seed) for seed in ("1", "2")}
    assert seen == {f"{code_digest(colour)}\n"}


@pytest.mark.parametrize(
    "other",
    [
        "def f(x):\n    return [y * 3 for y in x]\n",
        "def f(x):\n    return [y + 2 for y in x]\n",
        "def f(x):\n    return (y * 2 for y in x)\n",
        "def f(z):\n    return [y * 2 for y in z]\n",
        "def f(x):\n    return [y * 2.0 for y in x]\n",
        "def f(x):\n    return [y * True for y in x]\n",
        "async def f(x):\n    return [y * 2 for y in x]\n",
    ],
)
def test_other_code_has_another_name(other: str) -> None:
    """A constant, an operator, code within code, a name, the type of a constant: each counts."""
    assert code_digest(made(BASE)) != code_digest(made(other))


def test_any_constant_has_a_name() -> None:
    """Numbers of more digits than Python would print too."""
    assert code_digest(made(f"def f(x):\n    return {hex(1 << 100_000)}\n"))


def test_where_code_stands_does_not_matter() -> None:
    """Other lines and another file leave the name as it is; another module does not."""
    moved = made(f"\n\n\n{BASE}", "b.py")
    assert code_digest(moved) == code_digest(made(BASE))
    assert code_digest(made(BASE, module="market")) != code_digest(moved)


def test_what_is_around_a_function_is_looked_through() -> None:
    """Partial functions, methods and callable objects count as the code inside; built-in functions as their names."""
    assert code_digest(functools.partial(colour, name="x")) == code_digest(colour)
    assert code_digest(Shop().price) == code_digest(Shop.price)
    assert code_digest(Shop()) == code_digest(Shop.__call__)
    assert len({code_digest(each) for each in (abs, len, int, math.sin, Shop, colour, str.upper)}) == 7


def test_followed_code_has_a_name_whatever_its_order() -> None:
    """The same functions give the same name."""
    one, two = colour.__code__, Shop.price.__code__
    assert codes_digest([one, two]) == codes_digest([two, one])
    assert codes_digest([one]) != codes_digest([one, two])


def test_types_are_named_with_their_modules() -> None:
    """Built-in ones shortly, and long lists by a digest."""
    assert type_names([int, Shop]) == "int, tests.observe.test_identity.Shop"
    assert type_names([], [("k", str)]) == "k=str"
    assert len(type_names([Shop] * 100)) == 32


@pytest.mark.parametrize(
    ("items", "size"),
    [
        ([0], 0),
        ([1000], 10),
        ([-1000], 10),
        ([10**400], 64),
        ([True], 0),
        ([0.02], -5),
        ([math.inf], 0),
        ([math.nan], 0),
        (["x" * 1000], 10),
        ([b""], 0),
        ([[1, 2, 3]], 2),
        ([{"a": 1}], 1),
        ([range(1 << 20)], 21),
        ([array("d", [0.0] * 16)], 8),
        ([memoryview(b"x" * 100)], 7),
        ([None], 0),
        ([], 0),
        ([1, 1000, 1_000_000], 10),
    ],
    ids=named,
)
def test_sizes_are_classes_of_a_factor_of_two(items: Sequence[Any], size: int) -> None:
    """Length, bytes or magnitude; of several items the middle one."""
    assert size_class(items) == size


def test_of_several_arguments_the_largest_counts() -> None:
    """Items of a starmap are tuples of arguments."""
    assert size_class([(1, "x" * 100)], star=True) == 7
    assert size_class([(1, "x" * 100)]) == 2


def test_an_array_counts_by_its_bytes() -> None:
    """NumPy's arrays too, if NumPy is there."""
    numpy = pytest.importorskip("numpy")
    assert size_class([numpy.zeros(1024)]) == 14


class Trap(list[int]):
    """Notices every look."""

    def __len__(self) -> int:
        raise AssertionError("somebody looked")

    __bool__ = __index__ = __float__ = __len__


def test_nothing_of_the_items_runs() -> None:
    """An object of a class of the program's own is not asked for anything."""
    assert size_class([Trap()]) == 0


@given(st.integers() | st.floats() | st.text() | st.binary() | st.lists(st.integers()))
def test_any_plain_item_has_a_size(item: object) -> None:
    """A whole number within narrow limits, whatever comes."""
    assert -64 <= size_class([item]) <= 64
