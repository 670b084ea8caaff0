"""What a job carries to a worker process, in parts: a worker keeps the large ones, and a later job sends their digests.

A worker may use a part again for the next job that has the same bytes if nothing can have changed it meanwhile: the
analysis found that the function writes to nothing that outlives a call, and the part holds no class that travels by
value, since all jobs share those.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, NamedTuple

from autopar._model.blake2 import blake2b

LARGE = 64 * 1024
"""Bytes from which a part is kept: unpickling less takes about as long as one chunk's dispatch (process byte, process
chunk: benchmarks/backend_costs.py)."""

PARTS_KEPT = 8
BYTES_KEPT = 64 << 20
"""How much a worker keeps, in pickled bytes; the objects may take several times that. Chosen, not measured."""


class Part(NamedTuple):
    """One pickle.

    Attributes
    ----------
    data
        Its bytes, or None where the worker has it.
    digest
        Names what it is and what is in it; empty for what no worker keeps.
    """

    data: bytes | None
    digest: bytes = b""


def pack(name: str, data: bytes, *, lasting: bool) -> Part:
    """A pickle under a name, so that equal values of two names stay two objects; ``lasting`` if it may be kept."""
    if not lasting or not LARGE <= len(data) <= BYTES_KEPT:
        return Part(data)
    digest = blake2b(name.encode("utf-8", "surrogatepass") + b"\0", digest_size=32)
    digest.update(data)
    return Part(data, digest.digest())


class Kept:
    """The parts that one worker keeps. Worker and caller count alike, so that both forget the same ones."""

    def __init__(self) -> None:
        self._parts: OrderedDict[bytes, tuple[int, Any]] = OrderedDict()
        self._bytes = 0

    def __contains__(self, digest: bytes) -> bool:
        return digest in self._parts

    def __getitem__(self, digest: bytes) -> Any:
        return self._parts[digest][1]

    def without_kept(self, parts: Sequence[Part]) -> list[Part]:
        """What must be sent."""
        return [Part(None, each.digest) if each.digest in self._parts else each for each in parts]

    def take(self, parts: Sequence[Part], values: Sequence[Any]) -> None:
        """Note parts, as they are sent, with what they hold; the oldest go."""
        for (data, digest), value in zip(parts, values, strict=True):
            if data is None:
                self._parts.move_to_end(digest)
            elif digest:
                self._parts[digest] = len(data), value
                self._bytes += len(data)
        while len(self._parts) > PARTS_KEPT or self._bytes > BYTES_KEPT:
            _, (size, _) = self._parts.popitem(last=False)
            self._bytes -= size

    def clear(self) -> None:
        """Forget all."""
        self._parts.clear()
        self._bytes = 0
