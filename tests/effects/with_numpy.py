"""Small functions that use NumPy, with and without effects."""

from __future__ import annotations

from typing import Any

import numpy as np

from autopar._model.effects import EffectKind as E
from tests.effects.table import Table

TABLE = Table()
impure, pure = TABLE.impure, TABLE.pure

shared = np.zeros(3)
stream = np.random.default_rng(0)


@impure(E.WRITES_SHARED, because="an item of a module-level array is set")
def sets_shared(x: Any) -> None:
    shared[0] = x


@impure(E.WRITES_ARGUMENT, because="+= changes an array", types=[np.ndarray])
def adds_in_place(row: Any) -> Any:
    row += 1
    return row


@impure(E.WRITES_ARGUMENT, because="a slice of an array is a view", types=[np.ndarray])
def changes_view(row: Any) -> Any:
    part = row[1:]
    part[0] = 0
    return row


@impure(E.WRITES_ARGUMENT, because="a reshaped array is a view")
def changes_reshaped(row: Any) -> Any:
    flat = row.reshape(-1)
    flat[0] = 0
    return flat


@impure(E.WRITES_ARGUMENT, because="asarray() gives the argument itself back")
def changes_as_array(row: Any) -> Any:
    mine = np.asarray(row)
    mine[0] = 0
    return mine


@impure(E.WRITES_ARGUMENT, because="the result is put into the argument")
def adds_out(row: Any) -> Any:
    return np.add(row, 1, out=row)


@impure(E.WRITES_ARGUMENT, because="np.fill_diagonal() changes its argument")
def fills_diagonal(matrix: Any) -> None:
    np.fill_diagonal(matrix, 0)


@impure(E.WRITES_ARGUMENT, because="a ufunc's at() changes its first argument")
def adds_at(row: Any) -> None:
    np.add.at(row, [0], 1)


@impure(E.RANDOM, because="the functions of numpy.random share one stream")
def draws(x: Any) -> Any:
    return np.random.rand() + x


@impure(E.RANDOM, because="the seed of the shared stream is set")
def seeds(x: int) -> None:
    np.random.seed(x)


@impure(E.WRITES_SHARED, because="a module-level generator moves on")
def draws_from_shared(x: Any) -> Any:
    return stream.normal() + x


@impure(E.WRITES_ARGUMENT, because="the caller's generator moves on", types=[np.random.Generator])
def draws_from(rng: Any) -> Any:
    return rng.standard_gamma(2.0)


@pure("a generator of this call")
def simulates(seed: int) -> Any:
    rng = np.random.default_rng(seed)
    return rng.normal(size=10).mean()


@pure("new arrays are changed in place")
def fills(n: int) -> Any:
    found = np.zeros(n)
    found[0] = 1
    found += 2
    found.sort()
    return found


@pure("a copy is changed")
def changes_copy(row: Any) -> Any:
    mine = np.array(row)
    mine[mine < 0] = 0
    return mine.sum()


@pure("arithmetic gives new arrays", types=[np.ndarray])
def scales(row: Any) -> Any:
    mine = row * 2
    mine[0] += 1
    mine -= mine.mean()
    return mine


@pure("functions of arrays")
def energies(row: Any) -> Any:
    spectrum = np.abs(np.fft.rfft(row)) ** 2
    return np.linalg.norm(np.where(spectrum > 1, spectrum, 0)), np.sqrt(row).astype(float)


@pure("a constant array of the module is read")
def weighs(row: Any) -> Any:
    return float(np.dot(row, shared))


@pure("errors of floating point are ignored until the block ends")
def divides(row: Any) -> Any:
    with np.errstate(divide="ignore"):
        return 1 / row
