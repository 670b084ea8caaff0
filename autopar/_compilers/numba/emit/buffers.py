"""Buffers of a kernel's own: a count of references and of room for elements, 64 bytes in all, then the elements."""

from __future__ import annotations

from typing import Any

from llvmlite import ir as ll

from autopar._compilers.numba.emit import machine as m
from autopar._compilers.numba.emit.symbols import call

HEADER = 64
_MOST = 1 << 46
_MOST_GROWN = 1 << 40


def data_of(builder: Any, owner: m.Value) -> m.Value:
    """Where a buffer's elements are."""
    return builder.gep(owner, [m.number(HEADER)])


def _field(builder: Any, owner: m.Value, place: int) -> m.Value:
    return builder.bitcast(builder.gep(owner, [m.number(place)]), m.INT64.as_pointer())


def room_of(builder: Any, owner: m.Value) -> m.Value:
    """For how many elements there is room."""
    return builder.load(_field(builder, owner, 8))


def is_nothing(builder: Any, owner: m.Value) -> m.Value:
    """Whether there is no buffer."""
    return builder.icmp_unsigned("==", builder.ptrtoint(owner, m.INT64), m.number(0))


def new(builder: Any, count: m.Value, size: int, zero: bool) -> m.Value:
    """Allocate; nothing if there is no memory."""
    total = builder.umul_with_overflow(count, m.number(size))
    size_in_bytes = builder.extract_value(total, 0)
    far = builder.icmp_unsigned(">", size_in_bytes, m.number(_MOST))
    beyond = builder.or_(builder.extract_value(total, 1), far)
    wanted = builder.select(beyond, m.number(0), builder.add(size_in_bytes, m.number(HEADER)))
    made = call(builder, "calloc", m.number(1), wanted) if zero else call(builder, "malloc", wanted)
    nothing = builder.or_(beyond, is_nothing(builder, made))
    with builder.if_else(nothing) as (failed, fine):
        with failed:
            call(builder, "free", made)
            failed_block = builder.block
        with fine:
            builder.store(m.number(1), _field(builder, made, 0))
            builder.store(count, _field(builder, made, 8))
            fine_block = builder.block
    owner = builder.phi(m.ADDRESS)
    owner.add_incoming(ll.Constant(m.ADDRESS, None), failed_block)
    owner.add_incoming(made, fine_block)
    return owner


def release(builder: Any, owner: m.Value) -> None:
    """Let go of one reference."""
    with builder.if_then(builder.not_(is_nothing(builder, owner))):
        place = _field(builder, owner, 0)
        left = builder.sub(builder.load(place), m.number(1))
        builder.store(left, place)
        with builder.if_then(builder.icmp_signed("==", left, m.number(0))):
            call(builder, "free", owner)


def take(builder: Any, owner: m.Value) -> None:
    """Add a reference."""
    with builder.if_then(builder.not_(is_nothing(builder, owner))):
        place = _field(builder, owner, 0)
        builder.store(builder.add(builder.load(place), m.number(1)), place)


def grown(builder: Any, owner: m.Value, length: m.Value, size: int) -> m.Value:
    """Move a full buffer to where there is more room; nothing, and the old one as it was, if there is no memory."""
    half = builder.add(length, builder.ashr(length, m.number(1)))
    small = builder.icmp_signed("<", length, m.number(8))
    room = builder.select(small, m.number(8), half)
    fresh = is_nothing(builder, owner)
    with builder.if_else(builder.icmp_signed(">", room, m.number(_MOST_GROWN))) as (beyond, fits):
        with beyond:
            beyond_block = builder.block
        with fits:
            total = builder.add(builder.mul(room, m.number(size)), m.number(HEADER))
            moved = call(builder, "realloc", owner, total)
            with builder.if_then(builder.not_(is_nothing(builder, moved))):
                builder.store(room, _field(builder, moved, 8))
                with builder.if_then(fresh):
                    builder.store(m.number(1), _field(builder, moved, 0))
            fits_block = builder.block
    found = builder.phi(m.ADDRESS)
    found.add_incoming(ll.Constant(m.ADDRESS, None), beyond_block)
    found.add_incoming(moved, fits_block)
    return found
