"""One analysis: its heap, its memory of what was followed, its budget, and the passes to the fix-point."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from types import CodeType, FunctionType
from typing import Any, NamedTuple

from autopar._effects import facts, lookup, walk
from autopar._effects.decode import decode
from autopar._effects.held import DEEPEST, Held
from autopar._effects.summary import Recorder
from autopar._effects.values import NOTHING, Args, Callee, LibraryObject, Origin, Pool, Site, Value
from autopar._effects.walk import Frame
from autopar._model.effects import EffectKind

_PASSES = 12
_DEPTH = 40
_CONTEXTS = 8
_STEPS = 10_000
_STEPS_PER_FUNCTION = 400
_FIELDS = 64
_UNKNOWNS = 25
"""Limits of one analysis: passes to the fix-point, nested calls, argument contexts of a function, instructions and
joins for each function of the budget, fields of a site,
UNKNOWN effects. Pulled out of the air; what exceeds them is reported as UNKNOWN."""

_GENERATOR, _COROUTINE, _ASYNC_GENERATOR = 0x20, 0x80, 0x200


class TooLongError(Exception):
    """The analysis ends here; the message says why."""


class _Entry:
    """What is known of a function in one context."""

    __slots__ = ("done_in", "outcome", "running", "slots")

    def __init__(self, slots: list[Value | None]) -> None:
        self.slots = slots
        self.outcome = NOTHING
        self.running = False
        self.done_in = 0


class Links(NamedTuple):
    """What the lower rooms of the analysis use of the upper ones, handed down so that imports need not go up."""

    call: Callable[[Frame, Value, Args], Value]
    make_super: Callable[[Frame, Value, Value], Value]
    special: Mapping[str, Callable[[Frame, Args], Value]]


class Analysis:
    """The state shared by all frames of one analysis."""

    def __init__(self, budget: int, own_modules: frozenset[str], links: Links) -> None:
        self.links = links
        self.pool = Pool()
        self.recorder = Recorder()
        self.own_modules = own_modules
        self.library_type = LibraryObject
        self.str = self.pool.fresh(str)
        self.int = self.pool.fresh(int)
        self.bool = self.pool.fresh(bool)
        self.none = self.pool.known(None)
        self.opaque = self.pool.fresh()
        self.library = self.pool.fresh(LibraryObject)
        self.dunders: dict[tuple[type, str], Any] = {}
        self._held: list[tuple[type, ...]] | None = None
        self._unseen_from = 0
        self.held_classes: tuple[type, ...] = ()
        self._arguments: set[Origin] = set()
        self.exceptions = self.pool.site("exceptions")
        self.calling: set[Site] = set()
        self.stored: dict[tuple[int, str], Value] = {}
        self.globals: dict[tuple[int, str], Value] = {}
        self._budget = budget
        self._followed: dict[int, CodeType] = {}
        self._memory: dict[Any, _Entry] = {}
        self._contexts: dict[int, int] = {}
        self._callees: dict[int, tuple[FunctionType, Callee]] = {}
        self._pass = 0
        self._depth = 0
        self._steps = 0

    def tick(self) -> None:
        """Count an instruction; raises `TooLongError` past the budget."""
        self._steps += 1
        if self._steps + self.pool.joins > _STEPS + self._budget * _STEPS_PER_FUNCTION:
            raise TooLongError("more to walk than the budget allows")
        if self.recorder.unknowns > _UNKNOWNS:
            raise TooLongError(f"over {_UNKNOWNS} calls that cannot be seen")

    def passes(self) -> Iterator[int]:
        """Numbers of passes, as many as it takes for nothing to grow any more."""
        for number in range(1, _PASSES + 1):
            self._pass = number
            self.pool.grew = False
            yield number
            if not self.pool.grew:
                return
        self.recorder.complete = False
        self.recorder.unknown(f"values that did not settle in {_PASSES} passes", "?")

    # What the arguments hold

    def hold(self, levels: Held) -> None:
        """Note the types of what the arguments hold, level by level."""
        self._held = [tuple(level) for level in levels]
        classes = {cls: None for level in levels for cls in level if not facts.in_library(lookup.module_of(cls))}
        self.held_classes = tuple(classes)
        self._unseen_from = next((depth for depth, level in enumerate(levels, 1) if object in level), DEEPEST + 1)

    def of_argument(self, kind: EffectKind, what: str, depth: int = 0) -> Origin:
        """The origin of an argument of the analysed call, or of what lies that deep in it."""
        origin = self.pool.origin(kind, what, depth=depth)
        self._arguments.add(origin)
        return origin

    def is_argument(self, origin: Origin) -> bool:
        """Whether what is found at the origin belongs to an argument."""
        return origin in self._arguments

    def knows_inside(self, origin: Origin) -> bool:
        """Whether it is known what is inside of what was reached from an origin."""
        return self._held is not None and origin in self._arguments and origin.depth + 1 < self._unseen_from

    def inside(self, origin: Origin) -> Value:
        """Something in what was reached from an origin."""
        if self._held is None or origin not in self._arguments:
            return self.pool.outer(origin)
        depth = min(origin.depth + 1, DEEPEST)
        deeper = self.of_argument(origin.kind, origin.what, depth)
        if depth >= self._unseen_from:
            return self.pool.outer(deeper)
        level = self._held[depth - 1] if depth <= len(self._held) else ()
        return NOTHING.union(*(self.pool.outer(deeper, cls) for cls in level))

    # The heap

    def read_field(self, site: Site, field: str) -> Value:
        """What a field of a site may hold."""
        site.read_in[field] = self._pass
        return site.fields.get(field, NOTHING)

    def read_items(self, site: Site) -> Value:
        """What any item of a site may be."""
        site.read_in["[]"] = self._pass
        held = [value for field, value in site.fields.items() if field[0] == "["]
        if len(held) <= 1:
            return held[0] if held else NOTHING
        return self.pool.normal(NOTHING.union(*held))

    def read_all(self, site: Site) -> Value:
        """What any item or attribute of a site may be."""
        return NOTHING.union(self.read_items(site), *(self.read_field(site, field) for field in list(site.fields)))

    def write_field(self, site: Site, field: str, value: Value) -> None:
        """Add to what a field may hold; if it was read already in this pass, another pass is due."""
        old = site.fields.get(field)
        if old is None and len(site.fields) >= _FIELDS and field[0] == "[":
            field = "[]"
            old = site.fields.get(field)
        new = value if old is None else self.pool.join(old, value)
        if new is not old:
            site.fields[field] = new
            if old is not None and new <= old:  # said shorter, not more
                return
            if self._pass in (site.read_in.get(field), site.read_in.get("[]") if field[0] == "[" else 0):
                self.pool.grew = True

    def remember(self, owner: int, name: str, value: Value) -> None:
        """A value stored under a name of an object that outlives the call."""
        old = self.stored.get((owner, name), NOTHING)
        new = self.pool.join(old, value)
        if new is not old:
            self.stored[owner, name] = new
            self.pool.grew = self.pool.grew or not new <= old

    # Following calls

    def callee(self, function: FunctionType) -> Callee:
        """A function of the program as something to follow."""
        found = self._callees.get(id(function))
        if found is None:
            function = lookup.behind_recursion_guard(function)
            made = Callee(
                function.__code__,
                function.__globals__,
                function.__qualname__,
                self._cells(function),
                tuple(self._default(function, value) for value in function.__defaults__ or ()),
                {name: self._default(function, value, name) for name, value in (function.__kwdefaults__ or {}).items()},
            )
            found = self._callees[id(function)] = (function, made)
        return found[1]

    def _cells(self, function: FunctionType) -> tuple[Value, ...]:
        cells = []
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=False):
            origin = self.pool.origin(EffectKind.WRITES_CLOSURE, f"closure variable '{name}'")
            site = self.pool.site(("cell", id(cell)))
            with contextlib.suppress(ValueError):  # an empty cell
                content = self.pool.known(cell.cell_contents, origin)
                site.fields.setdefault("cell", content)
            cells.append(self.pool.cell(site, origin))
        return tuple(cells)

    def _default(self, function: FunctionType, value: Any, name: str | None = None) -> Value:
        if lookup.is_one_of(value, (int, float, complex, str, bytes, bool, type(None))):
            return self.pool.known(value)
        if name is None:
            defaults = function.__defaults__ or ()
            names = function.__code__.co_varnames[: function.__code__.co_argcount][-len(defaults) :]
            name = next((n for n, v in zip(names, defaults, strict=False) if v is value), "?")
        origin = self.pool.origin(EffectKind.WRITES_DEFAULT, f"default of '{name}' of {function.__qualname__}")
        return self.pool.known(value, origin)

    def follow(self, callee: Callee, args: Args, caller: walk.Frame | None) -> Value:
        """Walk a Python function called with `args`; returns what the call may return."""
        code = callee.code
        if id(code) not in self._followed:
            if len(self._followed) >= self._budget:
                self._give_up(f"{callee.qualname}(): over the budget of {self._budget} functions", callee, caller)
                return self.library
            self._followed[id(code)] = code
            self.recorder.codes[id(code)] = code
        place = caller.here() if caller is not None else None
        slots = self._bind(callee, args, place)
        key: Any = (callee, tuple(slots))
        entry = self._memory.get(key)
        if entry is None:
            if self._contexts.get(id(code), 0) >= _CONTEXTS:
                entry = self._merged(callee, slots)
            else:
                self._contexts[id(code)] = self._contexts.get(id(code), 0) + 1
                entry = self._memory[key] = _Entry(slots)
        if entry.done_in == self._pass:
            return entry.outcome
        if entry.running:
            entry.done_in = -1
            return entry.outcome
        if self._depth >= _DEPTH:
            self._give_up(f"{callee.qualname}(): calls nested over {_DEPTH} deep", callee, caller)
            return self.library
        via = (*caller.via, callee.qualname) if caller is not None else ()
        entry.running = True
        self._depth += 1
        try:
            frame = walk.Frame(self, callee, list(entry.slots), place, via)
            walk.run(frame)
        finally:
            entry.running = False
            self._depth -= 1
        outcome = self._outcome(frame)
        new = self.pool.join(entry.outcome, outcome)
        if new is not entry.outcome:
            if entry.done_in == -1:
                self.pool.grew = True
            entry.outcome = new
        entry.done_in = self._pass
        return entry.outcome

    def _merged(self, callee: Callee, slots: list[Value | None]) -> _Entry:
        """The one context of all calls beyond the limit."""
        entry = self._memory.setdefault((callee, "merged"), _Entry(list(slots)))
        for position, value in enumerate(slots):
            old = entry.slots[position]
            new = value if old is None else old if value is None else self.pool.join(old, value)
            if new is not old:
                entry.slots[position] = new
                entry.done_in = 0
                self.pool.grew = True
        return entry

    def _give_up(self, what: str, callee: Callee, caller: walk.Frame | None) -> None:
        self.recorder.complete = False
        if caller is not None:
            caller.effect(EffectKind.UNKNOWN, what)
        else:
            self.recorder.unknown(what, callee.qualname)

    def _outcome(self, frame: walk.Frame) -> Value:
        """What the caller gets: the value, or a generator or coroutine that holds it."""
        flags = frame.code.co_flags
        if not flags & (_GENERATOR | _COROUTINE | _ASYNC_GENERATOR):
            return frame.returned
        site = self.pool.site((id(frame.code), "result", frame.caller))
        self.write_field(site, "[]", frame.yielded)
        self.write_field(site, "return", frame.returned)
        return self.pool.fresh(LibraryObject, site)

    def _bind(self, callee: Callee, args: Args, place: Any) -> list[Value | None]:
        """The local slots of a call."""
        code = callee.code
        names = decode(code).slots
        total = len(names)
        slots: list[Value | None] = [None] * (2 * total)
        count, only = code.co_argcount, code.co_kwonlyargcount
        positional = args.positional
        for position in range(min(count, len(positional))):
            slots[position] = positional[position]
        surplus = positional[count:]
        by_name = dict(args.keywords)
        for position in range(code.co_posonlyargcount, count + only):
            given = by_name.pop(names[position], None)
            if given is not None:
                slots[position] = given
        extra = NOTHING.union(*(v for v in (args.star, args.kwstar) if v is not None))
        starred = args.star is not None or args.kwstar is not None
        defaults = callee.defaults
        for position in range(count + only):
            if slots[position] is None:
                if position >= count:
                    value = callee.kwdefaults.get(names[position])
                else:
                    behind = position - (count - len(defaults))
                    value = defaults[behind] if 0 <= behind < len(defaults) else None
                if starred:
                    value = extra if value is None else self.pool.join(value, extra)
                slots[position] = self.opaque if value is None else value
        position = count + only
        if code.co_flags & 0x04:
            site = self.pool.site((id(code), "*", place))
            for index, value in enumerate(surplus):
                self.write_field(site, f"[{index}]" if index < 8 else "[]", value)
            if args.star:
                self.write_field(site, "[]", args.star)
            slots[position] = self.pool.fresh(tuple, site)
            position += 1
        if code.co_flags & 0x08:
            site = self.pool.site((id(code), "**", place))
            for name, value in by_name.items():
                self.write_field(site, f"[{name!r}]", value)
            if args.kwstar:
                self.write_field(site, "[]", args.kwstar)
            slots[position] = self.pool.fresh(dict, site)
        free = total - len(code.co_freevars)
        for index, cell in enumerate(callee.cells[: len(code.co_freevars)]):
            slots[free + index] = cell
        return slots
