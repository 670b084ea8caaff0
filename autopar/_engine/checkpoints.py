"""Maps whose results are kept in a file: what they are kept under, and how those that are there are passed over.

Results leave a map as blocks; each block's are in the file before anybody gets them. When the map is run again its
source looks at each item, and one whose result is there is not run: its block comes from the file.
"""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from autopar._engine.blocks import Block
from autopar._engine.functions import ArgumentTypes, FunctionState, captured_by
from autopar._engine.source import Source, unchanging
from autopar._model.effects import Effect, EffectKind
from autopar._model.hints import Settings
from autopar._model.work import Failure, RemoteItem
from autopar._observe.digests import NoDigestError, digest, digest_of_all, library_folders
from autopar._observe.identity import code_digest, codes_digest
from autopar.errors import CheckpointError, UnsafeDemandError

if TYPE_CHECKING:
    from autopar._engine.run import MapRun
    from autopar._record.checkpoint import Checkpoint

BATCH = 256
"""Results that are taken from the file at a time. Chosen, not measured."""

NOT_REPEATED = frozenset(
    {
        EffectKind.WRITES_GLOBAL,
        EffectKind.WRITES_CLOSURE,
        EffectKind.WRITES_DEFAULT,
        EffectKind.WRITES_SELF,
        EffectKind.WRITES_ARGUMENT,
        EffectKind.WRITES_SHARED,
        EffectKind.RANDOM,
        EffectKind.CONTEXT,
    }
)
"""What an item leaves behind in the program, and a result that is taken from a file does not."""


class Kept:
    """One map's results in a file.

    Parameters
    ----------
    state, kwargs, settings
        As of the map.
    star
        Items are tuples of positional arguments.
    seed
        Root of the items' random streams, or None.

    Attributes
    ----------
    seed
        The root that the map began with, which is the one to use.
    taken
        Results that came from the file.
    """

    def __init__(
        self, state: FunctionState, kwargs: dict[str, Any], settings: Settings, *, star: bool, seed: int | None
    ) -> None:
        self.taken = 0
        self._state = state
        self._settings = settings
        self._kwargs = kwargs
        self._effects: Sequence[Effect] | None = None
        self._code = None if settings.checkpoint_changed == "reuse" else fingerprint(state)
        self._arguments = self._digest_of_arguments(star)
        self.seed = seed
        # Nobody may ever ask for the first result, so until somebody does the file is not held.
        self.open().close()

    def open(self) -> Checkpoint:
        """Take hold of the file."""
        from autopar._record.checkpoint import Checkpoint

        settings = self._settings
        self._file = Checkpoint(Path(settings.checkpoint or ""), pickles=settings.checkpoint_pickle)
        try:
            root = self._file.begin(
                _name_of(self._state),
                self._code,
                self._arguments,
                "" if self.seed is None else f"{self.seed}",
                rerun=settings.checkpoint_changed == "rerun",
            )
        except BaseException:
            self._file.close()
            raise
        self.seed = int(root) if root else None
        return self._file

    def _digest_of_arguments(self, star: bool) -> bytes:
        """Of all that results depend on beside code and item."""
        settings = self._settings
        try:
            return digest((self._kwargs, star, settings.seed, settings.rtol, settings.exact))
        except NoDigestError as error:
            raise CheckpointError(f"checkpoint: a keyword argument of the map cannot be told apart: {error}") from error

    def digest_of(self, position: int, item: Any) -> bytes:
        """Under which an item's result is kept.

        Raises
        ------
        CheckpointError
            The item cannot be told from others.
        UnsafeDemandError
            The function does something with it that its result does not hold.
        """
        if self._effects is None:
            self._effects = self._refuse_effects(item)
        try:
            if type(item) is RemoteItem:
                raise NoDigestError("it is on a cluster")
            return digest(item)
        except NoDigestError as error:
            raise CheckpointError(
                f"checkpoint: item {position} cannot be told from others: {error}", index=position
            ) from error

    def _refuse_effects(self, item: Any) -> Sequence[Effect]:
        if self._settings.pure:
            return ()
        found = _lasting(self._state.traits().report.effects, self._settings)
        if found:
            args = item if type(item) is tuple else (item,)
            found = _lasting(self._state.traits(ArgumentTypes.of(args, self._kwargs)).report.effects, self._settings)
        if found:
            hint = "seed= gives each item a stream of its own" if found[0].kind is EffectKind.RANDOM else "return it"
            raise UnsafeDemandError(
                f"checkpoint: {found[0]}, which a result that is taken from a file does not do again; {hint}, or say"
                " pure=True if it does not matter"
            )
        return ()

    def find(self, position: int, item: bytes) -> tuple[Any] | None:
        """The result of an item that was run before."""
        found = self._file.find(position, item)
        self.taken += found is not None
        return found

    def keep(self, rows: Iterable[tuple[int, bytes, Any]]) -> None:
        """Keep results."""
        self._file.keep(rows)

    def close(self, fallbacks: list[str]) -> None:
        """Let go of the file, and say what came from it."""
        if self.taken:
            fallbacks.append(f"{self.taken:,} results were taken from {self._settings.checkpoint}")
        self._file.close()

    def blocks(self, run: MapRun, source: KnownItems) -> Generator[Block]:
        """A map's blocks, each handed on when its results are kept."""
        source.at_known = self.open().resumes
        try:
            with closing(run.blocks()) as blocks:
                for block in blocks:
                    self.keep(source.to_keep(block))
                    yield block
        finally:
            self.close(run.task.fallbacks)


class KeptCoroutines:
    """The same for items that are taken one by one, and end in any order."""

    def __init__(self, kept: Kept) -> None:
        self.seed = kept.seed
        self._kept = kept
        self._digests: dict[int, bytes] = {}

    def open(self) -> None:
        """Take hold of the file."""
        self._kept.open()

    def find(self, index: int, item: Any) -> Block | None:
        """The result of an item, if it is there."""
        key = self._kept.digest_of(index, item)
        found = self._kept.find(index, key)
        if found is None:
            self._digests[index] = key
            return None
        return Block(index, [found[0]])

    def keep(self, block: Block) -> None:
        """Keep an item's result, unless it failed."""
        key = self._digests.pop(block.start)
        if block.values and not block.failed:
            self._kept.keep([(block.start, key, block.values[0])])

    def close(self) -> tuple[str, ...]:
        """Let go of the file; what came from it, in words."""
        said: list[str] = []
        self._kept.close(said)
        return tuple(said)


class KnownItems(Source):
    """The input of a map whose earlier results are in a file.

    Attributes
    ----------
    at_known
        The result of the next item may be in the file, so no item is to be taken before that was looked at.
    """

    def __init__(self, iterables: tuple[Iterable[Any], ...], kept: Kept, *, star: bool) -> None:
        super().__init__(iterables, star=star)
        self._range = None  # each item is looked up by itself
        self._kept = kept
        self._next: tuple[Any, bytes, tuple[Any] | None] | None = None
        self._digests: dict[int, bytes] = {}

    def _look(self) -> bool:
        """Whether there is a next item; it is looked up when it is seen first."""
        if self._next is not None:
            return True
        if self.exhausted:
            return False
        try:
            item = next(self._iterator)
        except StopIteration:
            self.exhausted = True
            return False
        except BaseException as error:
            self.error, self.exhausted = error, True
            return False
        key = self._kept.digest_of(self.taken, item)
        self._next = item, key, self._kept.find(self.taken, key)
        return True

    def known(self, room: int) -> Block | None:
        """The results of the next items, as far as they are in the file, and not more than there is room for."""
        block = Block(self.taken, [])
        for _ in range(min(room, BATCH if self.inert else 1)):
            self.at_known = self._look() and self._next is not None and self._next[2] is not None
            if not self.at_known or self._next is None or self._next[2] is None:
                break
            block.values.append(self._next[2][0])
            self._next = None
            self.taken += 1
        return block if block.values else None

    def take(self, count: int) -> list[Any]:
        items: list[Any] = []
        while len(items) < count and self._look() and self._next is not None:
            item, key, found = self._next
            if found is not None:
                self.at_known = True
                break
            self._next = None
            items.append(item)
            self._digests[self.taken] = key
            self.taken += 1
            if self._unchanging and not unchanging(item):  # it must be used before another is taken
                self._unchanging = False
                self._earlier.append(item)
                break
        return items

    def peek(self) -> list[Any]:
        return [self._next[0]] if self._look() and self._next is not None and self._next[2] is None else []

    def to_keep(self, block: Block) -> Iterator[tuple[int, bytes, Any]]:
        """The results of a block that are to be kept: those of items that were run, and did not fail."""
        for position, value in enumerate(block.values, block.start):
            key = self._digests.pop(position, None)
            if key is not None and type(value) is not Failure:
                yield position, key, value


def fingerprint(state: FunctionState) -> bytes:
    """A digest of a function's code, of the program's own code that it calls, and of the values that both read.

    Code of the standard library and of installed packages does not count, unless the function is itself of there.

    Raises
    ------
    CheckpointError
        A value cannot be told from others.
    """
    report = state.traits().report
    function = state.analysed
    codes = [code for code in report.codes if not _of_a_library(code)]
    parts: list[Any] = [code_digest(function), codes_digest(codes or report.codes)]
    try:
        for read in sorted(report.reads, key=lambda read: (read.module, read.name)):
            module = sys.modules.get(read.module)
            value = None if module is None else vars(module).get(read.name)
            if _counts(value, read.module):
                parts.append((read.module, read.name, digest(value)))
        parts.append(digest_of_all(captured_by(function)))
    except NoDigestError as error:
        raise CheckpointError(
            f"checkpoint: {state.name} reads {error}, so whether it has changed cannot be told;"
            ' checkpoint_changed="reuse" does without'
        ) from error
    return digest(parts)


def _counts(value: Any, module: str) -> bool:
    """Whether a module-level value is one that may differ from run to run: modules and library code are not."""
    if isinstance(value, (ModuleType, type)) or module.partition(".")[0] in sys.stdlib_module_names:
        return False
    return not (isinstance(value, FunctionType) and _of_a_library(value.__code__))


def _of_a_library(code: CodeType) -> bool:
    return code.co_filename.startswith(library_folders()) or code.co_filename.startswith("<frozen")


def _name_of(state: FunctionState) -> str:
    """The name that a function's results are kept under; one without a name of its own is known by its code."""
    function: Any = state.analysed
    kind = type(function)
    module = getattr(function, "__module__", None) or kind.__module__
    name = getattr(function, "__qualname__", None) or getattr(getattr(function, "func", None), "__qualname__", None)
    name = name or kind.__qualname__
    return f"{module}.{name}{':' + code_digest(function) if '<lambda>' in name else ''}"


def _lasting(effects: Sequence[Effect], settings: Settings) -> list[Effect]:
    seeded = settings.seed is not None
    return [each for each in effects if each.kind in NOT_REPEATED and not (seeded and each.kind is EffectKind.RANDOM)]
