"""The input of a map: any iterables, taken a few items at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from itertools import chain, islice
from typing import Any

from autopar._backends.chunk import run_each
from autopar._backends.standing import standing_at
from autopar._engine.blocks import Block
from autopar._model.work import UNCHANGING

WATCHED = 4
"""Items of a generator that are compared with one another: enough for a buffer, or two in turn, that is filled anew."""

_FIXED = (int, float, complex, str, bytes, bool, type(None), type, tuple, frozenset)
_EAGER_TYPES = (list, tuple, range, str, bytes, dict, set, frozenset)


class Source:
    """Items in order, with what is known of their number.

    An error that the input raises is kept until the items before it are done, as in the loop.

    Attributes
    ----------
    star
        Items are tuples of positional arguments.
    taken
        Items taken so far.
    exhausted
        Nothing more will come.
    error
        What the input raised instead of its next item.
    inert
        Taking an item runs no user code, so it may be taken early.
    stand
        Calls the loop over items here: see :mod:`autopar._backends.standing`.
    reuses
        The input was seen to hand out the same changing object again: an item must be used before the next is taken.
    at_known
        The next item need not run: its result may be known.
    waits
        Its next item may depend on results that were handed out, so nobody may wait for it who has some.
    """

    def __init__(self, iterables: tuple[Iterable[Any], ...], *, star: bool) -> None:
        self.star = star or len(iterables) > 1
        self.inert = all(type(each) in _EAGER_TYPES for each in iterables)
        asked: list[Any] = [each for each in iterables if hasattr(type(each), "__autopar_ready__")]
        self._asked: list[Callable[[Callable[[], object]], bool]] = [each.__autopar_ready__ for each in asked]
        self.waits = bool(self._asked)
        self._iterables = iterables if self.inert else ()
        self._length = _length(iterables)
        self.stand: Callable[..., Any] = standing_at(None)
        self.taken = 0
        self.at_known = False
        self.reuses = False
        self._earlier: list[Any] = []
        self._unchanging = False  # the latest item that was looked at can be no buffer
        self.exhausted = False
        self.error: BaseException | None = None
        self._iterator: Iterator[Any] = iter(iterables[0]) if len(iterables) == 1 else zip(*iterables, strict=False)
        only: Any = iterables[0]
        self._only = only if len(iterables) == 1 and type(only) in (list, tuple, range) else None
        self._range = only if self._only is not None and type(only) is range else None

    @property
    def length(self) -> int | None:
        """Items in all, or None; a list that the function itself makes longer has what it has now."""
        if self._length is not None and self._iterables:
            self._length = _length(self._iterables)
        return self._length

    @property
    def remaining(self) -> int | None:
        """Items still to come, or None if that is not known."""
        if self.exhausted:
            return 0
        length = self.length if self._only is None else len(self._only)
        return None if length is None else max(0, length - self.taken)

    def ready(self, call: Callable[[], object]) -> bool:
        """Whether taking the next item is sure not to wait; if it is not, ``call`` is called once that may be so."""
        return all(ready(call) for ready in self._asked)

    def take(self, count: int) -> list[Any]:
        """The next items, at most ``count``; fewer only at the end, or where they have to be watched again."""
        items: list[Any] = []
        if self.exhausted:
            return items
        unchanging_before = self._unchanging
        try:
            items.extend(self._while_unchanging(count) if unchanging_before else islice(self._iterator, count))
        except BaseException as error:
            # list.extend keeps what came before the error.
            self.error = error
            self.exhausted = True
        self.taken += len(items)
        if len(items) < count and self._unchanging is unchanging_before:
            self.exhausted = True
        return items

    def take_part(self, count: int) -> Sequence[Any]:
        """The next items as :meth:`take` gives them, but those of a range as a range: no object is made for each."""
        if self._range is None or self.exhausted:
            return self.take(count)
        items, self._iterator = self._range[self.taken : self.taken + count], iter(self._range[self.taken + count :])
        self.taken += len(items)
        self.exhausted = len(items) < count
        return items

    def known(self, room: int) -> Block | None:
        """The known results of the next items, as far as there is room for them; see :mod:`.checkpoints`."""
        return None

    def _while_unchanging(self, count: int) -> Iterator[Any]:
        """The next items, up to the first that must be used before another is taken."""
        for item in islice(self._iterator, count):
            yield item
            if not unchanging(item):
                self._unchanging = False
                self._earlier.append(item)
                return

    def end(self, error: BaseException) -> None:
        """Nothing more is taken; the error ends the map after the items before it."""
        self.error, self.exhausted = error, True

    def go_on(self, iterator: Iterator[Any], taken: int) -> None:
        """Continue where somebody else has stopped, who took so many items."""
        self._iterator, self.taken = iterator, taken

    @property
    def watched(self) -> bool:
        """The first items of an input that runs code of its own are looked at one by one, unless they cannot change."""
        return not (self.inert or self.star or self._unchanging) and len(self._earlier) < WATCHED

    def goes_on_unchanged(self, item: Any) -> bool:
        """Whether its next item can be no buffer, so that others may be taken before that was used."""
        self._unchanging = unchanging(item)
        return self._unchanging

    def watch(self, item: Any) -> None:
        """Look at one of the first items: is it an object that came before?"""
        self._unchanging = unchanging(item)
        if self._unchanging:
            return
        if not isinstance(item, _FIXED) and any(item is other for other in self._earlier):
            self.reuses = True
        self._earlier.append(item)

    def some(self) -> list[Any]:
        """The first, middle and last item of lists, tuples and ranges, to judge them by; empty for other inputs."""
        if not self._iterables or not all(type(each) in (list, tuple, range) for each in self._iterables):
            return []
        last = min(map(len, self._iterables)) - 1  # type: ignore[arg-type]
        places = sorted({0, last // 2, last}) if last >= 0 else []
        rows: list[Any] = [tuple(each[place] for each in self._iterables) for place in places]  # type: ignore[index]
        return rows if len(self._iterables) > 1 else [row[0] for row in rows]

    def peek(self) -> list[Any]:
        """The next item, which stays the next; empty at the end."""
        items = self.take(1)
        if items:
            self._iterator = chain(items, self._iterator)
            self.taken -= 1
        return items

    def run(self, call: Any, count: int, out: list[Any]) -> None:
        """Call a function with each of the next items in this thread, item by item, and append the results to ``out``.

        Raises what the function raises; ``out`` then holds the results before.
        """
        before = len(out)
        try:
            end = run_each(self.stand, call, self._iterator, count, out, self.star)
        except BaseException:
            self.taken += len(out) - before + 1
            raise
        self.taken += len(out) - before
        if end is not True:
            self.exhausted = True
            if end is not False:
                self.error = end

    def check_end(self) -> None:
        """Notice the end of an input of known length without asking for another item."""
        if self.length is not None and self.inert and self.taken >= self.length:
            self.exhausted = True


def unchanging(item: Any) -> bool:
    """Nobody can change this item, neither itself nor what it holds."""
    return type(item) in UNCHANGING or (type(item) is tuple and all(map(unchanging, item)))


def _length(iterables: tuple[Iterable[Any], ...]) -> int | None:
    """The length of the shortest; None if one does not say."""
    lengths = []
    for each in iterables:
        if not isinstance(each, Sized):
            return None
        try:
            lengths.append(len(each))
        except Exception:
            return None
    return min(lengths)
