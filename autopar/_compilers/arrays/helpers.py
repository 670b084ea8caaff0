"""Python functions that loops made of whole-array code call: compiled in like any function of the user's."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

BLOCK = 128
"""Elements that NumPy adds with eight running sums before it halves (numpy/_core/src/umath/loops_utils.h.src)."""


def pairwise(values: Any, start: int, count: int) -> Any:
    """Add elements in the order in which NumPy adds those of a contiguous array.

    Halves of more than 128 elements are added by themselves, each a multiple of eight but the last (Higham, The
    accuracy of floating point summation, SIAM J. Sci. Comput. 14, 1993); here with a stack in place of recursion.
    """
    if count < 8:
        return few(values, start, count)
    lengths = np.empty(64, np.int64)
    firsts = np.empty(64)
    right = np.zeros(64, np.int64)
    top = 0
    lengths[0] = count
    at = start
    result = values[start]
    while top >= 0:
        length = int(lengths[top])
        if length > 128:
            half = length // 2
            half = half - half % 8
            right[top] = 0
            top += 1
            lengths[top] = half
            right[top] = 0
            continue
        result = block(values, at, length)
        at += length
        top -= 1
        while top >= 0 and right[top] == 1:
            result = firsts[top] + result
            top -= 1
        if top >= 0:
            firsts[top] = result
            right[top] = 1
            whole = int(lengths[top])
            half = whole // 2
            half = half - half % 8
            top += 1
            lengths[top] = whole - half
            right[top] = 0
    return result


def few(values: Any, at: int, length: int) -> Any:
    """Add up to seven elements."""
    result = values[at]
    for i in range(1, length):
        result = result + values[at + i]
    return result


def block(values: Any, at: int, length: int) -> Any:
    """Add 8 to 128 elements, with eight running sums."""
    r0, r1, r2, r3 = values[at], values[at + 1], values[at + 2], values[at + 3]
    r4, r5, r6, r7 = values[at + 4], values[at + 5], values[at + 6], values[at + 7]
    for i in range(1, length // 8):
        j = at + 8 * i
        r0 = r0 + values[j]
        r1 = r1 + values[j + 1]
        r2 = r2 + values[j + 2]
        r3 = r3 + values[j + 3]
        r4 = r4 + values[j + 4]
        r5 = r5 + values[j + 5]
        r6 = r6 + values[j + 6]
        r7 = r7 + values[j + 7]
    result = ((r0 + r1) + (r2 + r3)) + ((r4 + r5) + (r6 + r7))
    for i in range(length - length % 8, length):
        result = result + values[at + i]
    return result


@cache
def numpy_adds_pairwise() -> bool:
    """Whether this NumPy adds in that order, tried on numbers whose sum depends on it."""
    values = np.cos(np.arange(1, 3001) * 7.0) * 10.0 ** (np.arange(3000) % 9)
    lengths = (1, 7, 8, 9, 127, 128, 129, 300, 1000, 3000)
    rows = values[:2997].reshape(27, 111)
    columns = rows[0].copy()
    for row in rows[1:]:
        columns = columns + row
    minus = np.array([[-0.0, -0.0], [-0.0, -0.0]])
    no_sign = not np.signbit(np.sum(minus[0])) and not np.signbit(np.sum(minus, axis=1)).any()
    return (
        bool(no_sign)
        and not np.signbit(np.sum(minus, axis=0)).any()
        and all(float(np.sum(values[:length])) == float(pairwise(values, 0, length)) for length in lengths)
        and all(float(np.sum(rows, axis=1)[i]) == float(pairwise(values, 111 * i, 111)) for i in range(27))
        and bool((np.sum(rows, axis=0) == columns).all())
    )
