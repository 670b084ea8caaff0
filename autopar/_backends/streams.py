"""The global random streams of items: each item has its own, made from the map's seed and its position."""

from __future__ import annotations

import functools
import importlib
import sys
from collections.abc import Callable, Coroutine, Generator
from typing import Any


def seed_streams(seed: int, index: int, *, numpy_random: bool = False) -> None:
    """Start the global random streams of one item.

    The stream depends on the seed and the item's position alone, so it is the same in every backend; BLAKE2b of the
    two keeps streams of neighbouring items unrelated. NumPy's is started if NumPy is loaded, or else if
    ``numpy_random`` says that the item may import it and draw from it.
    """
    import hashlib
    import random

    digest = hashlib.blake2b(f"{seed}:{index}".encode(), digest_size=32).digest()
    random.seed(digest)
    numpy = _numpy(load=numpy_random)
    if numpy is not None:
        numpy.random.seed([int.from_bytes(digest[i : i + 4], "little") for i in range(0, 32, 4)])


def _numpy(*, load: bool = False) -> Any:
    """NumPy, if it is loaded and ready, or if it is wanted and there."""
    if load:
        try:
            importlib.import_module("numpy.random")
        except ImportError:
            return None
    loaded = sys.modules.get("numpy")
    return loaded if hasattr(loaded, "random") else None


def states() -> tuple[Any, Any]:
    """The states of the global streams; None for NumPy's if it is not loaded."""
    import random

    numpy = _numpy()
    return random.getstate(), None if numpy is None else numpy.random.get_state(legacy=False)


def restore(kept: tuple[Any, Any]) -> None:
    """Put back what :func:`states` gave."""
    import random

    state, numpy_state = kept
    random.setstate(state)
    numpy = _numpy()
    if numpy_state is not None:
        numpy.random.set_state(numpy_state)
    elif numpy is not None:
        numpy.random.seed()  # It was imported meanwhile: as fresh as after any import.


class OwnStreams:
    """Awaits a coroutine that finds its own streams wherever it goes on, and leaves the others' alone where it waits.

    Coroutines of one loop take turns, so the streams are changed at the beginning and the end of each turn. Tasks that
    the coroutine starts have turns of their own, which are not seen here.

    Parameters
    ----------
    coroutine
        What to await.
    seed, index, numpy_random
        As for :func:`seed_streams`.
    """

    def __init__(self, coroutine: Coroutine[Any, Any, Any], seed: int, index: int, *, numpy_random: bool) -> None:
        self._coroutine = coroutine
        self._begin = functools.partial(seed_streams, seed, index, numpy_random=numpy_random)

    def __await__(self) -> Generator[Any, Any, Any]:
        own: tuple[Any, Any] | None = None
        going_on: Callable[[Any], Any] = self._coroutine.send
        value: Any = None
        while True:
            others = states()
            try:
                if own is None:
                    self._begin()
                else:
                    restore(own)
                waits_for = going_on(value)
            except StopIteration as end:
                return end.value
            finally:
                own = states()
                restore(others)
            try:
                value = yield waits_for
                going_on = self._coroutine.send
            except BaseException as error:
                value, going_on = error, self._coroutine.throw
