"""What the native code and its pure-Python twin do with NumPy's arrays: one specification of both."""

from __future__ import annotations

import array
import ctypes
import math
from collections.abc import Callable
from types import ModuleType
from typing import Any, cast

import pytest

from autopar import _native_twin, _native_twin_entry

pytest.importorskip("numpy")
import numpy

CopiedArrays = Callable[..., list[Any]]


def native_module() -> ModuleType:
    module: ModuleType = pytest.importorskip("autopar._native", reason="the extension is not built")
    return module


@pytest.fixture(params=["native", "twin"])
def either(request: pytest.FixtureRequest) -> ModuleType:
    return native_module() if request.param == "native" else _native_twin


ONES = numpy.ones(2)


class Derived(numpy.ndarray[Any, Any]):
    """An array of another class."""


@pytest.mark.parametrize(
    ("items", "dtype"),
    [
        ([], None),
        ([ONES], ONES.dtype),
        ([ONES, numpy.zeros((2, 2)), ONES[:1]], ONES.dtype),
        ([ONES, numpy.zeros(2, int)], None),
        ([ONES, ONES.view(Derived)], None),
        ([ONES, 1.0], None),
        ([1.0], None),
        ([numpy.array([None])], numpy.dtype(object)),
    ],
    ids=["none", "one", "shapes", "dtypes", "classes", "a number", "numbers", "objects"],
)
def test_a_dtype_that_all_share_is_found(either: ModuleType, items: list[Any], dtype: Any) -> None:
    """Of arrays of exactly NumPy's class; None where they differ, or are something else."""
    assert either.shared_dtype(items, numpy.ndarray) == dtype


def test_no_class_of_python_is_taken_for_numpys() -> None:
    """A class that somebody calls ndarray has no fields where NumPy's have them."""

    class Fake:
        dtype = "float64"

    assert native_module().shared_dtype([Fake()], Fake) is None


def test_a_shared_dtype_is_asked_of_a_list(either: ModuleType) -> None:
    """Of anything else it is a TypeError that names the type."""
    with pytest.raises(TypeError, match="items must be a list, not tuple"):
        either.shared_dtype((ONES,), numpy.ndarray)


class Kept:
    """Memory as a kernel leaves it: arrays with an owner each, and a count of what was let go of."""

    def __init__(self, shapes: list[tuple[int, ...]]) -> None:
        self.arrays = [numpy.arange(number, number + math.prod(shape)) for number, shape in enumerate(shapes)]
        rows = [
            (number + 1, one.ctypes.data, *shape)
            for number, (one, shape) in enumerate(zip(self.arrays, shapes, strict=True))
        ]
        self.rows = array.array("q", [word for row in rows for word in row])
        self.released: list[int] = []
        self._release = ctypes.PYFUNCTYPE(None, ctypes.c_void_p)(self.released.append)
        self.release = ctypes.cast(self._release, ctypes.c_void_p).value


@pytest.fixture
def copied_arrays(either: ModuleType) -> CopiedArrays:
    chosen = either.copied_arrays if either is not _native_twin else _native_twin_entry.copied_arrays
    return cast("CopiedArrays", chosen)


@pytest.mark.parametrize(
    "shapes",
    [[], [()], [(3,), (0,), (5,)], [(2, 3), (4, 1)], [(200, 300)]],
    ids=["none", "scalar", "vectors", "matrices", "large"],
)
def test_arrays_are_copied_out_of_the_kernels_memory(
    copied_arrays: CopiedArrays, shapes: list[tuple[int, ...]]
) -> None:
    """Each result is an array of its own, and the memory behind it is let go of."""
    kept = Kept(shapes)
    ndim = len(shapes[0]) if shapes else 1
    found = copied_arrays(numpy.empty, numpy.dtype(int), kept.release, kept.rows, ndim, 0, len(shapes))
    for one, other, shape in zip(found, kept.arrays, shapes, strict=True):
        assert one.shape == shape
        assert one.flags.owndata
        assert (one.ravel() == other).all()
    assert kept.released == list(range(1, len(shapes) + 1))


def test_some_of_the_rows_can_be_taken(copied_arrays: CopiedArrays) -> None:
    """The rows before and after those asked for keep their memory."""
    kept = Kept([(1,), (2,), (3,), (4,)])
    found = copied_arrays(numpy.empty, numpy.dtype(int), kept.release, kept.rows, 1, 1, 2)
    assert [len(one) for one in found] == [2, 3]
    assert kept.released == [2, 3]


def test_nothing_is_kept_where_an_array_cannot_be_made(copied_arrays: CopiedArrays) -> None:
    """Want of memory for one array lets go of all that there is."""
    kept = Kept([(1,), (2,), (3,)])

    def empty(shape: tuple[int, ...], dtype: Any) -> Any:
        if shape == (2,):
            raise MemoryError
        return numpy.empty(shape, dtype)

    with pytest.raises(MemoryError):
        copied_arrays(empty, numpy.dtype(int), kept.release, kept.rows, 1, 0, 3)
    assert sorted(kept.released) == [1, 2, 3]


@pytest.mark.parametrize(("ndim", "first", "count"), [(1, 0, 3), (1, 2, 1), (2, 0, 2), (-1, 0, 1), (1, -1, 1)])
def test_rows_that_are_not_there_are_refused(copied_arrays: CopiedArrays, ndim: int, first: int, count: int) -> None:
    """Words are never read beyond the end."""
    kept = Kept([(1,), (2,)])
    with pytest.raises(ValueError, match="so many words"):
        copied_arrays(numpy.empty, numpy.dtype(int), kept.release, kept.rows, ndim, first, count)
    assert kept.released == []
