"""Closure cells, and functions made during the call."""

from __future__ import annotations

import functools
from types import CodeType
from typing import TYPE_CHECKING, Any

from autopar._effects.decode import decode
from autopar._effects.values import NOTHING, Callee, CellAtom, Function, Known, Value
from autopar._model.effects import EffectKind

if TYPE_CHECKING:
    from autopar._effects.walk import Frame


@functools.lru_cache(maxsize=1024)
def rebound_inside(code: CodeType) -> frozenset[str]:
    """The closure variables that `code` or a function defined in it stores to."""
    names = set()
    decoded = decode(code)
    for instruction in decoded.instructions:
        if instruction.name in ("STORE_DEREF", "DELETE_DEREF"):
            names.add(decoded.slots[instruction.arg])
    for constant in code.co_consts:
        if type(constant) is CodeType:
            names |= rebound_inside(constant)
    return frozenset(names) & frozenset(code.co_freevars)


@functools.lru_cache(maxsize=1024)
def _stable_cells(code: CodeType) -> frozenset[str]:
    """Cell variables that only `code` itself stores to: for it they are as good as local variables."""
    inside: frozenset[str] = frozenset()
    for constant in code.co_consts:
        if type(constant) is CodeType:
            inside |= rebound_inside(constant)
    return frozenset(code.co_cellvars) - inside


def make_cell(frame: Frame, slot: int) -> None:
    """MAKE_CELL: the slot's value moves into a cell."""
    site = frame.analysis.pool.site((id(frame.code), frame.offset, slot, frame.caller))
    value = frame.slots[slot]
    if value:
        frame.analysis.write_field(site, "cell", value)
    frame.slots[slot] = frame.analysis.pool.cell(site, None)
    frame.slots[len(frame.decoded.slots) + slot] = value


def load(frame: Frame, slot: int) -> Value:
    """LOAD_DEREF."""
    cells = frame.slots[slot] or NOTHING
    if frame.decoded.slots[slot] in _stable_cells(frame.code):
        local = frame.slots[len(frame.decoded.slots) + slot]
        if local is not None:
            return local
    found = NOTHING
    for atom in cells:
        if type(atom) is CellAtom:
            found = frame.analysis.pool.join(found, frame.analysis.read_field(atom.site, "cell"))
    return found


def store(frame: Frame, slot: int, value: Value) -> None:
    """STORE_DEREF: an effect if the cell was there before the call."""
    frame.slots[len(frame.decoded.slots) + slot] = value
    for atom in frame.slots[slot] or NOTHING:
        if type(atom) is CellAtom:
            if atom.origin is not None:
                frame.effect(EffectKind.WRITES_CLOSURE, atom.origin.what)
            frame.analysis.write_field(atom.site, "cell", value)


def make_function(
    frame: Frame, code: Value, closure: Value | None, defaults: Value | None, kwdefaults: Value | None
) -> Value:
    """MAKE_FUNCTION."""
    made = NOTHING
    for atom in code:
        if type(atom) is Known and type(atom.obj) is CodeType:
            callee = Callee(
                atom.obj,
                frame.callee.global_names,
                atom.obj.co_qualname,
                _members(frame, closure),
                _members(frame, defaults),
                _by_name(frame, kwdefaults),
            )
            made |= frame.analysis.pool.function(callee)
    return made


def set_attribute(frame: Frame, function: Value, flag: int, attribute: Value) -> Value:
    """SET_FUNCTION_ATTRIBUTE: what MAKE_FUNCTION did up to 3.12."""
    made = NOTHING
    for atom in function:
        if type(atom) is Function:
            old = atom.callee
            callee = Callee(
                old.code,
                old.global_names,
                old.qualname,
                _members(frame, attribute) if flag == 8 else old.cells,
                _members(frame, attribute) if flag == 1 else old.defaults,
                _by_name(frame, attribute) if flag == 2 else old.kwdefaults,
            )
            made |= frame.analysis.pool.function(callee)
    return made


def _members(frame: Frame, value: Value | None) -> tuple[Value, ...]:
    """The members of a tuple display, or of a constant tuple."""
    for atom in value or NOTHING:
        if type(atom) is Known and type(atom.obj) is tuple:
            return tuple(frame.analysis.pool.known(member) for member in atom.obj)
        fields = getattr(atom, "site", None) and atom.site.fields  # type: ignore[attr-defined]
        if fields:
            return tuple(fields.get(f"[{i}]", NOTHING) for i in range(len(fields)))
    return ()


def _by_name(frame: Frame, value: Value | None) -> dict[str, Value]:
    """The members of a dict display with constant keys."""
    found: dict[str, Value] = {}
    for atom in value or NOTHING:
        fields: dict[str, Any] = atom.site.fields if getattr(atom, "site", None) else {}  # type: ignore[attr-defined]
        for field, member in fields.items():
            if field.startswith("['"):
                found[field[2:-2]] = member
    return found
