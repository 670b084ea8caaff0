"""Inputs that are on a cluster already: bags, arrays and futures. Their items never pass through the client."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from autopar._backends.dask import node
from autopar._model.work import RemoteItem


def is_remote(iterable: Any) -> bool:
    """A Dask bag or array, or a list or tuple of futures."""
    if type(iterable) in (list, tuple):
        return bool(iterable) and all(_is(each, "distributed", "Future") for each in iterable)
    return _is(iterable, "dask.bag", "Bag") or _is(iterable, "dask.array", "Array")


def client_of(iterable: Any) -> Any:
    """The client that holds it, or None where any will do."""
    return iterable[0].client if type(iterable) in (list, tuple) else None


def remote_items(iterable: Any, client: Any) -> Sequence[RemoteItem]:
    """Its items: elements of a bag, blocks of an array in the order of its memory, results of futures.

    The partitions of a bag and the blocks of an array are computed on the cluster and stay there while they are
    needed.
    """
    if type(iterable) in (list, tuple):
        return [RemoteItem(future) for future in iterable]
    if _is(iterable, "dask.array", "Array"):
        return [RemoteItem(future) for future in client.compute(iterable.to_delayed().ravel().tolist())]
    parts = client.map(node.listed, client.compute(iterable.to_delayed()), pure=False)
    lengths = client.gather(client.map(len, parts, pure=False))
    return [RemoteItem(part, place) for part, length in zip(parts, lengths, strict=True) for place in range(length)]


def _is(value: Any, module: str, name: str) -> bool:
    """Whether it is of a class of a module, which is not imported for the question."""
    known = getattr(sys.modules.get(module), name, None)
    return isinstance(known, type) and isinstance(value, known)
