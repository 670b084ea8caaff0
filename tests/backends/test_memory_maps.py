"""Memory maps that cannot be written to travel by the name of their file, and only if it is sure to be that file."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autopar as ap
from autopar._backends.segments import Sharing
from autopar._backends.transport import dump_items, load_items

pytestmark = pytest.mark.skipif(not os.path.exists("/proc/self/maps"), reason="nothing tells which file it is")

ROWS, COLUMNS = 300, 500


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file of more than a megabyte."""
    found = tmp_path / "array.npy"
    np.save(found, np.random.default_rng(0).random((ROWS, COLUMNS)))
    return found


def by_name(array: Any) -> tuple[bool, Any]:
    """Whether an array travels by name, and what arrives."""
    packed = dump_items([array], Sharing(stays=True))
    return len(packed.data) < 2_000 and not packed.refs, load_items(packed.data)[0] if not packed.refs else None


VIEWS: dict[str, Callable[[Any], Any]] = {
    "all": lambda a: a,
    "rows": lambda a: a[10:20],
    "backwards": lambda a: a[::-1, 5:],
    "steps": lambda a: a[::7, ::3],
    "transposed": lambda a: a.T,
    "one number": lambda a: a[299, 499:],
    "bytes": lambda a: a.view(np.uint8)[3:9],
}


@pytest.mark.parametrize("view", VIEWS)
def test_any_view_arrives_as_it_was(path: Path, view: str) -> None:
    """Values, type, layout and what `numpy.memmap` says of its file."""
    array = VIEWS[view](np.load(path, mmap_mode="r"))
    named, arrived = by_name(array)
    assert named
    assert type(arrived) is np.memmap
    assert np.array_equal(arrived, array)
    assert (arrived.strides, arrived.dtype, arrived.flags.writeable) == (array.strides, array.dtype, False)
    assert (arrived.filename, arrived.mode, arrived.offset) == (array.filename, "r", array.offset)


def test_what_is_written_to_the_file_is_seen(path: Path) -> None:
    """As by the caller's own array."""
    array = np.load(path, mmap_mode="r")
    _, arrived = by_name(array)
    np.load(path, mmap_mode="r+")[3, 4] = 17
    assert array[3, 4] == arrived[3, 4] == 17


@pytest.mark.parametrize("mode", ["r+", "c"])
def test_what_can_be_written_to_is_copied(path: Path, mode: Any) -> None:
    """A worker must not write to the caller's file, and a private change is in no file."""
    array = np.load(path, mmap_mode=mode)
    array[0, 0] = 5
    packed = dump_items([array], Sharing(stays=True))
    assert [ref.size for ref in packed.refs] == [array.nbytes]
    (arrived,) = load_items(dump_items([array]).data)
    assert type(arrived) is np.memmap
    assert np.array_equal(arrived, array)


def test_another_file_under_the_name_is_not_taken_for_it(path: Path, tmp_path: Path) -> None:
    """Neither here, where the array is copied then, nor by a worker, which says so."""
    array = np.load(path, mmap_mode="r")
    packed = dump_items([array], Sharing(stays=True))
    other = tmp_path / "other.npy"
    np.save(other, np.zeros((ROWS, COLUMNS)))
    other.replace(path)
    assert not by_name(array)[0]
    with pytest.raises(OSError, match="another file"):
        load_items(packed.data)


def test_a_file_without_a_name_is_copied(path: Path) -> None:
    """It was removed, or had none from the beginning."""
    array = np.load(path, mmap_mode="r")
    path.unlink()
    assert not by_name(array)[0]
    assert not by_name(array + 1)[0]


def total(row: Any) -> float:
    return float(row.sum())


@pytest.mark.parametrize("backend", ["processes", pytest.param("joblib", marks=pytest.mark.slow)])
def test_maps_over_its_rows(path: Path, backend: str) -> None:
    """Workers compute with the file's numbers; where it has been replaced meanwhile, the caller's copy counts."""
    array = np.load(path, mmap_mode="r")
    expected = [total(row) for row in array]
    mapped = ap.parallel(total, pure=True, backend=backend, workers=1)
    assert mapped.map(array) == expected
    path.unlink()
    assert mapped.map(array) == expected
