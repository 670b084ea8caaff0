"""Plain values on disk: what comes back is what went in, to the bit, and reading executes nothing."""

from __future__ import annotations

import copy
import pickle
import struct
from contextlib import suppress
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autopar._record.plain_values import DamagedError, NotPlainError, dump, load

HASHABLE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.complex_numbers() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3).map(tuple) | st.frozensets(inner, max_size=3),
    max_leaves=6,
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    HASHABLE | st.binary().map(bytearray),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(HASHABLE, inner, max_size=4)
        | st.sets(HASHABLE, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
    ),
    max_leaves=12,
)


def written(value: Any) -> str:
    """A hashable value in words, whatever the order of its sets."""
    if isinstance(value, frozenset):
        return f"{{{','.join(sorted(map(written, value)))}}}"
    if isinstance(value, tuple):
        return f"({','.join(map(written, value))})"
    return dump(value).hex()


def same(one: Any, other: Any) -> bool:
    """Equal in type and bits, at any depth; NaNs by their bits."""
    if type(one) is not type(other):
        return False
    if isinstance(one, float):
        return struct.pack("<d", one) == struct.pack("<d", other)
    if isinstance(one, complex):
        return same(one.real, other.real) and same(one.imag, other.imag)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return len(one) == len(other) and all(
            same(a, b) and same(one[a], other[b]) for a, b in zip(one, other, strict=True)
        )
    if isinstance(one, (set, frozenset)):
        return len(one) == len(other) and sorted(map(written, one)) == sorted(map(written, other))
    if isinstance(one, (np.ndarray, np.generic)):
        return (one.dtype, one.shape, one.tobytes()) == (other.dtype, other.shape, other.tobytes())
    return bool(one == other)


@given(VALUES)
def test_a_value_comes_back(value: Any) -> None:
    """Types, order and bits, the signs of zeros and the payloads of NaNs included."""
    assert same(load(dump(value)), value)


@given(st.binary(max_size=60))
def test_other_bytes_are_refused(data: bytes) -> None:
    """What was not written here is a value or a DamagedError, never anything else."""
    with suppress(DamagedError):
        load(data)


@given(VALUES, st.data())
def test_a_value_that_is_cut_off_is_refused(value: Any, data: st.DataObject) -> None:
    """Every shorter beginning of a value's bytes is damaged."""
    written = dump(value)
    with pytest.raises(DamagedError):
        load(written[: data.draw(st.integers(0, len(written) - 1))])


ARRAYS = {
    "floats": np.array([1.5, -0.0, np.nan, np.inf]),
    "big-endian": np.arange(6, dtype=">i4").reshape(2, 3),
    "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "strided": np.arange(10)[::3],
    "empty": np.zeros((0, 3), np.float32),
    "no-dimension": np.array(5, np.uint8),
    "complex": np.array([1 + 2j], np.complex64),
    "texts": np.array(["a", "\udc80é"]),
    "bytes": np.array([b"a", b"bc"]),
    "dates": np.array(["2020-01-01", "NaT"], "datetime64[ns]"),
    "durations": np.array([3], "timedelta64[s]"),
    "booleans": np.array([True, False]),
    "half": np.array([0.1], np.float16),
    "long-double": np.array([1, 2], np.longdouble),
    "long-long": np.array([1], np.longlong),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_and_their_scalars_come_back(name: str) -> None:
    """Arrays have their type, shape, byte order and memory order; scalars their very class."""
    array = ARRAYS[name]
    found = load(dump(array))
    assert same(found, array)
    assert found.dtype.char == array.dtype.char
    assert found.flags.f_contiguous == array.flags.f_contiguous or name == "strided"
    assert found.flags.writeable
    assert found.flags.owndata
    if array.size:
        scalar = array.reshape(-1)[0]
        assert same(load(dump(scalar)), scalar)


def test_an_array_that_may_not_be_written_stays_so() -> None:
    """The flag is part of an array."""
    array = np.arange(3)
    array.flags.writeable = False
    assert not load(dump(array)).flags.writeable


@pytest.mark.parametrize("empty", [np.str_(""), np.bytes_(b"")], ids=["str", "bytes"])
def test_an_empty_scalar_comes_back(empty: Any) -> None:
    """A text of NumPy's may be empty."""
    assert same(load(dump(empty)), empty)


def test_what_is_held_twice_is_one_object() -> None:
    """Lists that are one before are one after, and a list may hold itself."""
    row = [1]
    found = load(dump([row, row, (row,)]))
    assert found[0] is found[1] is found[2][0]
    endless: list[Any] = []
    endless.append(endless)
    read = load(dump(endless))
    assert read[0] is read


class Number(int):
    pass


class Named(tuple[int, ...]):
    pass


@pytest.mark.parametrize(
    ("value", "named"),
    [
        (PurePosixPath("a"), "it is of type pathlib"),
        ([1, {"k": (None, Number(3))}], r"its part \[1\]\['k'\]\[1\] is of type .*Number"),
        (Named([1]), "Named"),
        (np.array([object()]), "numpy.ndarray"),
        (np.zeros(2, [("a", "i4")]), "numpy.ndarray"),
        (copy, "module"),
        ({1: dump}, "function"),
    ],
    ids=["path", "nested", "subclass", "objects", "records", "module", "function"],
)
def test_another_type_is_named_with_its_place(value: Any, named: str) -> None:
    """Subclasses of plain types are other types, since they could not come back as they are."""
    with pytest.raises(NotPlainError, match=named):
        dump(value)


class Planted:
    """Unpickled, it would leave a mark."""

    def __reduce__(self) -> Any:
        return marks.append, (1,)


marks: list[int] = []


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_is_not_read(protocol: int) -> None:
    """Bytes that a pickle would run are damaged bytes here."""
    with pytest.raises(DamagedError):
        load(pickle.dumps(Planted(), protocol))
    assert not marks
