"""Functions of :mod:`tests.same_answer.items` that stand on NumPy, which interpreters of one process cannot share."""

from __future__ import annotations

import random

import numpy

from tests.same_answer.items import BAD


def divide(x: int) -> float:
    return float(numpy.float64(1.0) / numpy.float64(x))


def as_printed(x: int) -> str:
    return repr(numpy.array([x / 3]))


def draws_from_numpy(x: int) -> float:
    return float(numpy.random.random())


def draws_from_numpy_it_imports(x: int) -> float:
    import numpy as np

    return float(np.random.normal())


def draws_from_both(x: int) -> tuple[float, float]:
    return random.random(), float(numpy.random.random())


def draws_of_its_own(x: int) -> float:
    return random.Random(x).random() + float(numpy.random.default_rng(x).random())


def draws_then_fails(x: int) -> float:
    value = random.random() + float(numpy.random.random())
    if x == BAD:
        raise ValueError(x)
    return value


async def draws_async(x: int) -> tuple[float, float]:
    return random.random(), float(numpy.random.random())
