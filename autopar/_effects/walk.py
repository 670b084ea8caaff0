"""The abstract interpreter: one function body, block by block, until nothing new is learnt."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Any

from autopar._effects import opcodes, opcodes_calls, operators
from autopar._effects.decode import PYTHON, Instruction, decode, line_at
from autopar._effects.opcode_table import UnknownOpcodeError, handler_of
from autopar._effects.values import NOTHING, Callee, Known, Site, Value
from autopar._model.effects import EffectKind

if TYPE_CHECKING:
    from autopar._effects.analysis import Analysis

OPCODES = (opcodes, opcodes_calls)
"""Importing these fills the table that `handler_of` reads."""

_STORES = frozenset(
    [
        "STORE_FAST",
        "STORE_FAST_LOAD_FAST",
        "STORE_FAST_STORE_FAST",
        "LOAD_FAST_AND_CLEAR",
        "DELETE_FAST",
        "MAKE_CELL",
        "STORE_DEREF",
    ]
)
_PLAIN = (bool, int, float, complex, str, bytes, tuple, frozenset, type(None), type(...))
_DISPLAY = 48
"""A display of more members than this keeps them under one field. Pulled out of the air."""

State = tuple[tuple[Value | None, ...], tuple[Value | None, ...]]


class Frame:
    """One function body under analysis, with the values of one context."""

    __slots__ = (
        "analysis",
        "callee",
        "caller",
        "code",
        "decoded",
        "first",
        "instruction",
        "keyword_names",
        "namespace",
        "offset",
        "returned",
        "slots",
        "stack",
        "via",
        "yielded",
    )  # fmt: skip

    def __init__(
        self, analysis: Analysis, callee: Callee, slots: list[Value | None], caller: Any, via: tuple[str, ...]
    ) -> None:
        self.analysis = analysis
        self.callee = callee
        self.code = callee.code
        self.decoded = decode(callee.code)
        self.caller = caller
        self.via = via
        self.stack: list[Value | None] = []
        self.slots = slots
        self.first = slots[0] if slots else None
        self.offset = 0
        self.instruction: Instruction = self.decoded.instructions[0]
        self.keyword_names: tuple[str, ...] = ()
        self.returned = NOTHING
        self.yielded = NOTHING
        self.namespace: Site = analysis.pool.site((id(callee.code), "namespace", caller))

    def pop(self) -> Value:
        """The top of the stack, a NULL as nothing."""
        return self.stack.pop() or NOTHING

    def here(self) -> tuple[int, int]:
        """This place in the code, as the caller of what is called from it."""
        return (id(self.code), self.offset)

    def site(self, tag: Any = None) -> Site:
        """The site of objects made by this instruction in this context."""
        return self.analysis.pool.site((id(self.code), self.offset, tag, self.caller))

    def container(self, type_: type, content: Value, tag: Any = None) -> Value:
        """A fresh object with `content` in it."""
        site = self.site((tag, type_))
        if content:
            self.analysis.write_field(site, "[]", content)
        return self.analysis.pool.fresh(type_, site)

    def display(self, type_: type, fields: dict[str, Value]) -> Value:
        """A fresh object with these fields."""
        if len(fields) > _DISPLAY:
            return self.container(type_, NOTHING.union(*fields.values()))
        site = self.site()
        for field, value in fields.items():
            self.analysis.write_field(site, field, value)
        return self.analysis.pool.fresh(type_, site)

    def names_value(self, name: str) -> Value | None:
        """What a class body has stored under a name."""
        return self.analysis.read_field(self.namespace, "." + name) or None

    def effect(self, kind: EffectKind, what: str) -> None:
        """Record an effect of the current instruction."""
        self.analysis.recorder.effect(kind, what, self)

    def line(self) -> int | None:
        """The line of the current instruction."""
        return line_at(self.code, self.offset)

    def truth(self, value: Value) -> bool | None:
        """The truth of a value that consists of constants; None where it may go either way."""
        truths = set()
        for atom in value:
            if type(atom) is not Known or atom.origin is not None or type(atom.obj) not in _PLAIN:
                return None
            truths.add(bool(atom.obj))
        return truths.pop() if len(truths) == 1 else None


def run(frame: Frame) -> None:
    """Walk the body to its fix-point; `frame.returned` and `frame.yielded` hold the outcome."""
    states: dict[int, State] = {0: ((), tuple(frame.slots))}
    pending = [0]
    queued = {0}
    while pending:
        start = heapq.heappop(pending)
        queued.discard(start)
        stack, slots = states[start]
        frame.stack, frame.slots = list(stack), list(slots)
        for index in _run_block(frame, start, states):
            if index not in queued:
                queued.add(index)
                heapq.heappush(pending, index)


def _run_block(frame: Frame, index: int, states: dict[int, State]) -> list[int]:
    """Walk one block; returns the starts of blocks whose state grew."""
    instructions, starts, _ = frame.decoded
    grown: list[int] = []
    handler = None
    analysis = frame.analysis
    while True:
        instruction = instructions[index]
        if instruction.handler is not None and (instruction.handler is not handler):
            _to_handler(frame, instruction, states, grown)
        handler = instruction.handler
        frame.instruction = instruction
        frame.offset = instruction.offset
        analysis.tick()
        if instruction.target >= 0 and not instruction.jumps:
            _branch(frame, instruction, index, states, grown)
            return grown
        try:
            handler_of(instruction.name)(frame, instruction.arg)
        except UnknownOpcodeError as unknown:
            frame.effect(EffectKind.UNKNOWN, f"the instruction {unknown} of this Python")
            return grown
        if instruction.leaves:
            return grown
        if handler is not None and instruction.name in _STORES:
            _to_handler(frame, instruction, states, grown)
        index = instruction.target if instruction.jumps else index + 1
        if index in starts:
            _flow(frame, index, frame.stack, states, grown)
            return grown


def _branch(frame: Frame, instruction: Instruction, index: int, states: dict[int, State], grown: list[int]) -> None:
    """A jump that may or may not be taken."""
    name = instruction.name
    stack = frame.stack
    falls, jumps = True, True
    if name == "FOR_ITER":
        there = stack[:-1] if PYTHON < (3, 12) else [*stack, NOTHING]
        handler_of(name)(frame, instruction.arg)
        _flow(frame, instruction.target, there, states, grown)
        _flow(frame, index + 1, frame.stack, states, grown)
        return
    if name == "SEND":
        handler_of(name)(frame, instruction.arg)
        there = frame.stack[:-2] + frame.stack[-1:] if PYTHON < (3, 12) else list(frame.stack)
        _flow(frame, instruction.target, there, states, grown)
        _flow(frame, index + 1, frame.stack, states, grown)
        return
    tested = stack[-1] or NOTHING
    if name.startswith("JUMP_IF"):
        operators.tested(frame, tested)
        truth = frame.truth(tested)
        jumps = truth is not ("FALSE" in name)
        falls = truth is not ("TRUE" in name)
        if jumps:
            _flow(frame, instruction.target, stack, states, grown)
        stack.pop()
        if falls:
            _flow(frame, index + 1, stack, states, grown)
        return
    stack.pop()
    if not name.endswith("NONE"):
        operators.tested(frame, tested)
    if name.endswith("NONE"):
        answer = operators.is_none(tested)
        wanted = not name.endswith("NOT_NONE")
        jumps, falls = answer is not (not wanted), answer is not wanted
    elif "TRUE" in name or "FALSE" in name:
        wanted = "TRUE" in name
        truth = frame.truth(tested)
        jumps, falls = truth is not (not wanted), truth is not wanted
    if jumps:
        _flow(frame, instruction.target, stack, states, grown)
    if falls:
        _flow(frame, index + 1, stack, states, grown)


def _to_handler(frame: Frame, instruction: Instruction, states: dict[int, State], grown: list[int]) -> None:
    """The state as the exception handler of this instruction finds it."""
    handler = instruction.handler
    assert handler is not None
    stack = frame.stack[: handler.depth]
    if handler.lasti:
        stack.append(frame.analysis.int)
    stack.append(frame.analysis.library | frame.analysis.read_field(frame.analysis.exceptions, "[]"))
    _flow(frame, handler.start, stack, states, grown)


def _flow(frame: Frame, index: int, stack: list[Value | None], states: dict[int, State], grown: list[int]) -> None:
    """Join the current state into that at the start of a block."""
    old = states.get(index)
    if old is None:
        states[index] = (tuple(stack), tuple(frame.slots))
        grown.append(index)
        return
    merged_stack = _merge(frame, old[0], stack)
    merged_slots = _merge(frame, old[1], frame.slots)
    if merged_stack is not old[0] or merged_slots is not old[1]:
        states[index] = (merged_stack, merged_slots)
        grown.append(index)


def _merge(frame: Frame, old: tuple[Value | None, ...], new: list[Value | None]) -> tuple[Value | None, ...]:
    """The join of two rows of values; the very `old` where it covers `new`."""
    join = frame.analysis.pool.join
    merged: list[Value | None] | None = None
    for position, (one, other) in enumerate(zip(old, new, strict=False)):
        if one is other or other is None:
            continue
        both = other if one is None else join(one, other)
        if both is not one:
            if merged is None:
                merged = list(old)
            merged[position] = both
    return old if merged is None else tuple(merged)
