"""Blocks of results and what puts them in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from autopar._model.light_dataclass import dataclass
from autopar._model.work import Emission


@dataclass(slots=True)
class Block:
    """Results of consecutive items from position ``start``; ``error`` is what the next item raised.

    The first ``placed`` of them are in the list of all results already, and not among ``values``. What waits for the
    block's turn: ``failed`` has place, error and item of those whose error is to be answered, ``emitted`` what they
    printed and logged where it was kept.
    """

    start: int
    values: list[Any]
    error: BaseException | None = None
    emitted: Sequence[Emission] = ()
    failed: Sequence[tuple[int, Exception, Any]] = ()
    placed: int = 0

    @property
    def end(self) -> int:
        """Position after the last result."""
        return self.start + self.placed + len(self.values)


class Reorder:
    """Gives blocks back in order of position, however they arrive."""

    def __init__(self, first: int = 0) -> None:
        self.next = first
        self._waiting: dict[int, Block] = {}

    def put(self, block: Block) -> Iterator[Block]:
        """Take a block in; yield those whose turn has come. An error takes the position of its item."""
        ready: Block | None = block
        if block.start != self.next:
            self._waiting[block.start] = block
            return
        while ready is not None:
            self.next = ready.end
            yield ready
            if ready.error is not None:
                return
            ready = self._waiting.pop(self.next, None) if self._waiting else None

    def put_all(self, blocks: Iterable[Block]) -> Iterator[Block]:
        """Take several in; yield those whose turn has come, up to the first error."""
        for block in blocks:
            if block.start != self.next:
                self._waiting[block.start] = block
                continue
            for ready in self.put(block):
                yield ready
                if ready.error is not None:
                    return
