"""Collects what a walk finds and makes the report of it."""

from __future__ import annotations

from types import CodeType
from typing import TYPE_CHECKING

from autopar._effects import array_work
from autopar._effects.values import Origin
from autopar._model.effects import Effect, EffectKind, EffectReport, GlobalRead

if TYPE_CHECKING:
    from autopar._effects.walk import Frame


class Recorder:
    """Effects, reads and calls in the order of discovery."""

    def __init__(self) -> None:
        self.complete = True
        self.unknowns = 0
        self.codes: dict[int, CodeType] = {}
        self._effects: dict[tuple[EffectKind, str, str, int | None], Effect] = {}
        self._seen: set[tuple[int, int, EffectKind, str]] = set()
        self._reads: dict[GlobalRead, None] = {}
        self._calls: dict[str, None] = {}
        self._work: dict[str, None] = {}
        self._work_on_arguments: dict[str, None] = {}
        self._work_on_globals: dict[tuple[str, str], str] = {}
        self._written: set[tuple[str, str]] = set()
        self._contents_read: dict[tuple[str, str], tuple[str, int | None, tuple[str, ...]]] = {}

    def effect(self, kind: EffectKind, what: str, frame: Frame) -> None:
        """An effect of the frame's current instruction."""
        place = (id(frame.code), frame.offset, kind, what)
        if place in self._seen:
            return
        self._seen.add(place)
        self.unknowns += kind is EffectKind.UNKNOWN
        self.add(Effect(kind, what, frame.callee.qualname, frame.line(), frame.via))

    def add(self, effect: Effect) -> None:
        """An effect as it is, unless it was found before."""
        self._effects.setdefault((effect.kind, effect.what, effect.function, effect.line), effect)

    def unknown(self, what: str, function: str) -> None:
        """An UNKNOWN effect without a line."""
        self.add(Effect(EffectKind.UNKNOWN, what, function))

    def read(self, module: str, name: str) -> None:
        """A module-level name that is read."""
        self._reads[GlobalRead(module, name)] = None

    def called(self, name: str) -> None:
        """A library callable that is called."""
        self._calls[name] = None

    def worked(self, what: str, on_argument: bool, on_global: tuple[str, str] | None) -> None:
        """An operation that may be an array's: on an argument, on what a module-level name holds, or on another."""
        if on_argument:
            self._work_on_arguments[what] = None
        elif on_global is not None:
            self._work_on_globals.setdefault(on_global, what)
        else:
            self._work[what] = None

    def wrote(self, origin: Origin) -> None:
        """What is found under a module-level name was changed."""
        if origin.key is not None:
            self._written.add(origin.key)

    def read_content(self, origin: Origin, frame: Frame) -> None:
        """What is found under a module-level name was looked at."""
        if origin.key is not None and origin.key not in self._contents_read:
            self._contents_read[origin.key] = (frame.callee.qualname, frame.line(), frame.via)

    def report(self) -> EffectReport:
        """Everything found."""
        effects = list(self._effects.values())
        for key, (function, line, via) in self._contents_read.items():
            if key in self._written:
                effects.append(Effect(EffectKind.READS_SHARED, f"global '{key[1]}'", function, line, via))
        on_globals = [what for key, what in self._work_on_globals.items() if array_work.global_holds_arrays(*key)]
        return EffectReport(
            tuple(effects),
            tuple(self._reads),
            tuple(self._calls),
            tuple(self.codes.values()),
            self.complete,
            array_work=tuple(dict.fromkeys([*self._work, *on_globals])),
            array_work_on_arguments=tuple(self._work_on_arguments),
        )
