"""Memory: copying bytes, and pickling small objects and large ones."""

from __future__ import annotations

import pickle

from autopar._observe.calibration.clock import least, seconds_of

_COPIED = 32 << 20
"""Bytes beyond the caches of most cores."""

_LARGE = 4 << 20
_OBJECTS = 2_000


def copy_byte() -> float:
    """Seconds for copying a byte of a large block: one over the memory's bandwidth."""
    block, target = bytearray(_COPIED), bytearray(_COPIED)

    def copy() -> None:
        target[:] = block

    copy()  # the first touch of fresh pages is no copy
    return least(lambda: seconds_of(copy), 3) / _COPIED


def pickle_byte() -> float:
    """Seconds for a byte of a large byte string through pickle, both directions."""
    block = bytes(_LARGE)
    return least(lambda: seconds_of(lambda: pickle.loads(pickle.dumps(block, 5))), 3) / _LARGE  # noqa: S301 - our own


def pickle_item() -> float:
    """Seconds for a small record through pickle, both directions."""
    records = [(number, f"name {number}", {"price": number / 7}) for number in range(_OBJECTS)]
    return least(lambda: seconds_of(lambda: pickle.loads(pickle.dumps(records, 5))), 3) / _OBJECTS  # noqa: S301
