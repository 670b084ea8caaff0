"""A digest of results, equal for equal values of equal types: what every map is compared by."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

_SCALARS = frozenset({int, float, complex, bool, str, bytes, type(None)})


def digest(results: Sequence[Any]) -> str:
    """Digest a list of results.

    Parameters
    ----------
    results
        Of numbers, strings, bytes, ``None``, NumPy arrays, and lists, tuples and dicts of these.

    Returns
    -------
    str
        The same for the same values of the same types in the same order. Floats count by their bits, but for the
        payload of a NaN, so ``-0.0`` differs from ``0.0``, and ``1`` from ``1.0`` and ``True``.

    Raises
    ------
    TypeError
        There is a value of another type.

    Examples
    --------
    >>> digest([1, 2]) == digest([1, 2]), digest([1]) == digest([1.0])
    (True, False)
    """
    state = hashlib.sha256()
    _add(state, list(results))
    return state.hexdigest()


def _add(state: Any, value: Any) -> None:
    kind = type(value)
    state.update(f"<{kind.__name__}".encode())
    if kind in _SCALARS:
        state.update(repr(value).encode("utf-8", "backslashreplace"))
    elif kind in (list, tuple):
        if set(map(type, value)) <= _SCALARS:
            state.update(repr(value).encode("utf-8", "backslashreplace"))
        else:
            for part in value:
                _add(state, part)
    elif kind is dict:
        for part in value.items():
            _add(state, part)
    elif kind.__module__ == "numpy" and hasattr(value, "tobytes") and not value.dtype.hasobject:
        state.update(f"{value.dtype.str}{value.shape}".encode())
        state.update(value.tobytes())
    else:
        raise TypeError(f"results of type {kind.__name__} cannot be compared: let the workload return plain values")
    state.update(b">")
