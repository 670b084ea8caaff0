"""How many bytes an object is on its way to a worker."""

from __future__ import annotations

import array
import io
import os
import pickle
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autopar._observe import pickled_size as module
from autopar._observe.pickled_size import pickled_size, shared_size

LARGE = 20_000_000

plain_data = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
    max_leaves=20,
)


@given(plain_data)
def test_small_data_is_counted_as_pickle_writes_it(data: object) -> None:
    """Below the sizes that are counted by length, the number is exactly pickle's, to the frame headers."""
    size = pickled_size(data)
    assert size.bytes is not None
    assert abs(size.bytes - len(pickle.dumps(data, 5))) <= 9
    assert size.complete
    assert size.why_not == ""


@pytest.mark.parametrize(
    ("data", "objects"),
    [("text", 1), (bytes(LARGE), 1), (["a", "b"], 3), ({"a": "b"}, 3), ([1.5, 2, True], 2), (threading.Lock(), 1)],
)
def test_objects_are_counted_too_and_numbers_as_a_third(data: object, objects: int) -> None:
    """Of many small objects their number says what pickling takes, and not their bytes."""
    assert pickled_size(data).objects == pytest.approx(objects)


BASE = np.zeros(LARGE // 8)


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: bytes(LARGE), LARGE),
        (lambda: bytearray(LARGE), LARGE),
        (lambda: "x" * LARGE, LARGE),
        (lambda: "é" * (LARGE // 2), LARGE),
        (lambda: "\ud800" * (LARGE // 4), LARGE // 4 * 3),
        (lambda: array.array("d", bytes(LARGE)), LARGE),
        (lambda: BASE, LARGE),
        (lambda: BASE[::2], LARGE // 2),
        (lambda: BASE.reshape(-1, 4).T, LARGE),
        (lambda: {"a": BASE, "b": [BASE]}, LARGE),
        (lambda: [BASE, BASE[:10]], LARGE),
        (lambda: pickle.PickleBuffer(bytes(LARGE)), LARGE),
    ],
    ids=[
        "bytes",
        "bytearray",
        "text",
        "accents",
        "surrogates",
        "array.array",
        "ndarray",
        "strided view",
        "transposed view",
        "twice the same",
        "array and small view",
        "buffer",
    ],
)
def test_large_data_is_counted_without_being_copied(make: Callable[[], object], expected: int) -> None:
    """20 MB are counted, whatever holds them, and a twentieth of that is never allocated meanwhile."""
    data = make()
    tracemalloc.start()
    try:
        size = pickled_size(data)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size.bytes is not None
    assert expected <= size.bytes <= expected + 2000
    assert peak < LARGE / 20


def test_arrays_of_objects_are_pickled() -> None:
    """An array of Python objects is as large as its objects."""
    data = np.array([bytes(1000), bytes(2000)], dtype=object)
    size = pickled_size(data)
    assert size.bytes is not None
    assert size.bytes > 3000


def test_a_subclass_that_pickles_its_own_way_is_asked() -> None:
    """An array class with a __reduce__ of its own counts what that gives."""

    class Named(np.ndarray):
        def __reduce__(self) -> tuple[Any, ...]:
            return (str, ("zeros",))

    size = pickled_size(np.zeros(LARGE // 8).view(Named))
    assert size.bytes is not None
    assert size.bytes < 100


def test_counting_stops_at_the_byte_limit() -> None:
    """Past the limit there is a lower bound, marked as incomplete."""
    size = pickled_size([float(n) for n in range(100_000)], limit=200_000, seconds=60)
    assert size.bytes is not None
    assert 200_000 < size.bytes < 300_000
    assert not size.complete


def test_counting_stops_at_the_time_limit() -> None:
    """Past the time there is a lower bound, marked as incomplete."""
    data = [[n] for n in range(100_000)]
    start = time.perf_counter()
    size = pickled_size(data, seconds=0.001)
    assert time.perf_counter() - start < 0.1
    assert size.bytes is not None
    assert not size.complete


class Raising:
    """Raises when pickled."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def __reduce__(self) -> str:
        raise self.error


@pytest.mark.parametrize(
    "error",
    [SystemExit(3), GeneratorExit(), MemoryError(), StopIteration(), ValueError("secret")],
    ids=lambda error: type(error).__name__,
)
def test_nothing_escapes_from_the_objects_own_code(error: BaseException) -> None:
    """Whatever __reduce__ raises becomes the reason, by type names only."""
    size = pickled_size([Raising(error)])
    assert size.bytes is None
    assert size.why_not == f"an object of type {__name__}.Raising cannot be pickled ({type(error).__name__})"


def test_an_interrupt_passes() -> None:
    """Ctrl-C is not taken for a property of the object."""
    with pytest.raises(KeyboardInterrupt):
        pickled_size(Raising(KeyboardInterrupt()))


@pytest.mark.parametrize(
    ("make", "culprit"),
    [
        (lambda: {"a": [threading.Lock()]}, "an object of type _thread.lock"),
        (lambda: (n for n in "ab"), "an object of type generator"),
        (lambda: sys._getframe(), "an object of type frame"),
    ],
)
def test_what_does_not_pickle_is_named(make: Callable[[], object], culprit: str) -> None:
    """The reason names the type of the part that is in the way, however deep it lies."""
    size = pickled_size(make())
    assert size.bytes is None
    assert size.why_not.startswith(f"{culprit} cannot be pickled (")


def test_an_open_text_file_does_not_pickle() -> None:
    """Cloudpickle would read the whole file and send a copy: that is no sending of the file."""
    with open(os.devnull, encoding="utf-8") as file:
        assert pickled_size(file).why_not.startswith("an object of type _io.TextIOWrapper cannot be pickled")


def test_functions_without_a_name_go_with_cloudpickle() -> None:
    """Lambdas and closures, which plain pickle refuses, have a size."""
    size = pickled_size(lambda x: x + 1)
    assert size.bytes is not None
    assert size.bytes > 50


def test_without_cloudpickle_plain_pickle_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where cloudpickle is not installed, a lambda does not pickle, and is named."""
    monkeypatch.setitem(sys.modules, "cloudpickle", None)
    assert "the function test_without_cloudpickle" in pickled_size(lambda: None).why_not


def test_a_deep_nesting_is_a_reason() -> None:
    """A structure too deep for pickle is not an error of ours."""
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    size = pickled_size(deep, seconds=60.0)
    assert size.bytes is None
    assert size.why_not.startswith("an object of type list cannot be pickled")
    while deep:  # taken apart by hand: freeing it at once would recurse as deeply
        deep = deep.pop()


class Liar:
    """Lies about its class and fails on every other question."""

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        raise SystemExit(7)

    def __getattr__(self, name: str) -> Any:
        raise SystemExit(8)


def test_an_object_that_lies_does_no_harm() -> None:
    """Objects whose attributes raise are looked at by their real type."""
    size = pickled_size(Liar())
    assert size.bytes is not None or "Liar" in size.why_not


def test_a_value_never_appears_in_the_reason() -> None:
    """The reason holds type names; a value in an error's message or a repr stays out of it."""

    class Secret:
        def __repr__(self) -> str:
            return "canary"

        def __reduce__(self) -> str:
            return "canary"

    for item in (Secret(), Raising(ValueError("canary")), {"canary": threading.Lock()}):
        assert "canary" not in pickled_size(item).why_not


@pytest.mark.parametrize(
    "value",
    [
        list(range(50_000)),
        {number: str(number) for number in range(50_000)},
        [[number] * 10 for number in range(20_000)],
        set(range(50_000)),
        tuple(range(100)),
        {"of one": [list(range(10_000)), list(range(20_000))]},
        bytes(10**7),
    ],
    ids=["list", "dict", "nested", "set", "tuple", "few large ones", "bytes"],
)
def test_what_travels_with_a_function_is_estimated_from_a_part(value: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Large containers by their first members: within a factor of two of what pickling them all would show."""
    monkeypatch.setattr(module, "_SHARED_SECONDS", 60.0)
    exact = len(pickle.dumps(value, 5))
    assert exact / 2 < shared_size([value]) < 2 * exact
    assert shared_size([value, value]) == 2 * shared_size([value])


def test_what_does_not_pickle_counts_nothing() -> None:
    """Whether a function can travel is found out where it is sent."""
    assert shared_size([threading.Lock(), [threading.Lock()] * 1000]) == 0
    assert shared_size([]) == 0


def test_files_in_memory_pickle() -> None:
    """What plain pickle takes by itself is not refused for being a file."""
    assert pickled_size(io.StringIO("text")).bytes is not None
