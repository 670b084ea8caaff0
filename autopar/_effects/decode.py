"""Bytecode as a list of instructions with jump targets, lines and exception handlers, for CPython 3.11 to 3.14."""

from __future__ import annotations

import functools
import opcode
import sys
from types import CodeType
from typing import NamedTuple

_NAMES = tuple(name.replace("INSTRUMENTED_", "") for name in opcode.opname)
_EXTENDED_ARG = opcode.opmap["EXTENDED_ARG"]
_CACHE = 0
_JUMPS = frozenset(opcode.hasjrel) | frozenset(opcode.hasjabs)
_LEAVES = frozenset({"RETURN_VALUE", "RETURN_CONST", "RAISE_VARARGS", "RERAISE", "INTERPRETER_EXIT"})
_ALWAYS_JUMPS = frozenset({"JUMP_FORWARD", "JUMP_BACKWARD", "JUMP_BACKWARD_NO_INTERRUPT"})
PYTHON = sys.version_info[:2]


class Handler(NamedTuple):
    """An exception handler: where it starts and what is on its stack."""

    start: int
    depth: int
    lasti: bool


class Instruction(NamedTuple):
    """One instruction; `target` and `handler` are indices of instructions."""

    name: str
    arg: int
    offset: int
    target: int
    leaves: bool
    jumps: bool
    handler: Handler | None


class Decoded(NamedTuple):
    """The instructions of a code object, the starts of its blocks, and the names of its local slots."""

    instructions: tuple[Instruction, ...]
    starts: frozenset[int]
    slots: tuple[str, ...]


@functools.lru_cache(maxsize=1024)
def decode(code: CodeType) -> Decoded:
    """Decode a code object; equal code objects share the result."""
    raw: list[tuple[str, int, int, int]] = []
    index_at: dict[int, int] = {}
    data = code.co_code
    extended = 0
    begin = -1
    position = 0
    size = len(data)
    while position < size:
        op, arg = data[position], data[position + 1] | extended
        if begin < 0:
            begin = position
        if op == _EXTENDED_ARG:
            extended = arg << 8
            position += 2
            continue
        offset = position
        position += 2
        while position < size and data[position] == _CACHE:
            position += 2
        name = _NAMES[op]
        target = -1
        if op in _JUMPS and name != "END_ASYNC_FOR":  # whose argument, from 3.14 on, is for monitoring alone
            target = position - 2 * arg if "BACKWARD" in name else position + 2 * arg
        for covered in range(begin, offset + 2, 2):
            index_at[covered] = len(raw)
        raw.append((name, arg, offset, target))
        extended, begin = 0, -1
    handlers = _handlers(code, index_at)
    starts = {0}
    instructions = []
    for index, (name, arg, offset, target) in enumerate(raw):
        jump_index = index_at[target] if target >= 0 else -1
        leaves = name in _LEAVES
        if jump_index >= 0:
            starts.add(jump_index)
        if leaves or jump_index >= 0:
            starts.add(index + 1)
        handler = handlers[index] if index < len(handlers) else None
        if handler is not None:
            starts.add(handler.start)
        instructions.append(Instruction(name, arg, offset, jump_index, leaves, name in _ALWAYS_JUMPS, handler))
    return Decoded(tuple(instructions), frozenset(starts), _slots(code))


def _slots(code: CodeType) -> tuple[str, ...]:
    """The names of the slots that LOAD_FAST and LOAD_DEREF share."""
    own = tuple(name for name in code.co_cellvars if name not in code.co_varnames)
    return code.co_varnames + own + code.co_freevars


def _handlers(code: CodeType, index_at: dict[int, int]) -> list[Handler | None]:
    """The handler of each instruction (the format: Objects/exception_handling_notes.txt in CPython)."""
    table = code.co_exceptiontable
    found: list[Handler | None] = [None] * (max(index_at.values(), default=-1) + 1) if table else []
    position = 0

    def number() -> int:
        nonlocal position
        byte = table[position]
        position += 1
        value = byte & 63
        while byte & 64:
            byte = table[position]
            position += 1
            value = value << 6 | byte & 63
        return value

    while position < len(table):
        start, length, target, depth = number() * 2, number() * 2, number() * 2, number()
        handler = Handler(index_at[target], depth >> 1, bool(depth & 1))
        for offset in range(start, start + length, 2):
            index = index_at.get(offset)
            if index is not None:
                found[index] = handler
    return found


def line_at(code: CodeType, offset: int) -> int | None:
    """The line of the instruction at a byte offset."""
    for start, end, line in code.co_lines():
        if start <= offset < end:
            return line
    return None
