"""Buffers of a kernel's own: a count of references, of room for elements, and of bytes, then the elements.

Large buffers that were let go are kept for the next that is wanted, a few of them, since memory that is new to the
process costs more than the work on it. They are handed over by atomic exchange, so that threads share them.
"""

from __future__ import annotations

import ctypes
from typing import Any

from llvmlite import ir as ll

from autopar._compilers.numba.emit import machine as m
from autopar._compilers.numba.emit.symbols import call

HEADER = 64
_MOST = 1 << 46
_MOST_GROWN = 1 << 40

SLOTS = 4
SMALLEST_KEPT, LARGEST_KEPT = 1 << 16, 1 << 23
"""Bytes of the buffers that are kept, 32 MiB at most together. The C library keeps smaller ones itself; with larger
ones the work takes longer than new memory does."""

_kept = (ctypes.c_int64 * SLOTS)()
"""Addresses of buffers that nobody uses, or 0."""


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
    made = builder.call(_function(builder.module, "ap_take", _write_take), [wanted, m.constant("bool", zero)])
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
            builder.call(_function(builder.module, "ap_give", _write_give), [owner])


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
                builder.store(m.number(0), _field(builder, moved, 16))
                with builder.if_then(fresh):
                    builder.store(m.number(1), _field(builder, moved, 0))
            fits_block = builder.block
    found = builder.phi(m.ADDRESS)
    found.add_incoming(ll.Constant(m.ADDRESS, None), beyond_block)
    found.add_incoming(moved, fits_block)
    return found


def free_function(module: Any, name: str) -> None:
    """Write ``ap_free(owner)`` under another name: who has taken a result out lets go of its buffer."""
    function = ll.Function(module, ll.FunctionType(ll.VoidType(), [m.ADDRESS]), name)
    builder = ll.IRBuilder(function.append_basic_block("entry"))
    release(builder, function.args[0])
    builder.ret_void()


_SIGNATURES = {
    "ap_take": ll.FunctionType(m.ADDRESS, [m.INT64, m.BIT]),
    "ap_give": ll.FunctionType(ll.VoidType(), [m.ADDRESS]),
}


def _function(module: Any, name: str, write: Any) -> Any:
    """A function of the module, written when it is first called."""
    if name in module.globals:
        return module.globals[name]
    function = ll.Function(module, _SIGNATURES[name], name)
    function.linkage = "internal"
    function.attributes.add("noinline")
    write(ll.IRBuilder(function.append_basic_block("entry")), *function.args)
    return function


def _slot(builder: Any, place: int) -> m.Value:
    return builder.inttoptr(m.number(ctypes.addressof(_kept) + 8 * place), m.INT64.as_pointer())


def _is_kept(builder: Any, size: m.Value) -> m.Value:
    large = builder.icmp_unsigned(">=", size, m.number(SMALLEST_KEPT))
    return builder.and_(large, builder.icmp_unsigned("<=", size, m.number(LARGEST_KEPT)))


def _write_take(builder: Any, size: m.Value, zero: m.Value) -> None:
    """So many bytes: a kept buffer of that size to four times that, or new memory."""
    with builder.if_then(_is_kept(builder, size)):
        for place in range(SLOTS):
            kept = builder.atomic_rmw("xchg", _slot(builder, place), m.number(0), "acq_rel")
            with builder.if_then(builder.icmp_unsigned("!=", kept, m.number(0))):
                owner = builder.inttoptr(kept, m.ADDRESS)
                room = builder.load(_field(builder, owner, 16))
                fits = builder.icmp_unsigned(">=", room, size)
                fits = builder.and_(fits, builder.icmp_unsigned("<=", room, builder.mul(size, m.number(4))))
                with builder.if_then(fits):
                    with builder.if_then(zero):
                        _clear(builder, data_of(builder, owner), builder.sub(size, m.number(HEADER)))
                    builder.ret(owner)
                _put_back(builder, place, owner)
    with builder.if_else(zero) as (cleared, plain):
        with cleared:
            zeros = call(builder, "calloc", m.number(1), size)
            cleared_block = builder.block
        with plain:
            memory = call(builder, "malloc", size)
            plain_block = builder.block
    made = builder.phi(m.ADDRESS)
    made.add_incoming(zeros, cleared_block)
    made.add_incoming(memory, plain_block)
    with builder.if_then(builder.not_(is_nothing(builder, made))):
        builder.store(size, _field(builder, made, 16))
    builder.ret(made)


def _clear(builder: Any, place: m.Value, size: m.Value) -> None:
    kinds = [m.ADDRESS, m.BYTE, m.INT64, m.BIT]
    name = "llvm.memset.p0.i64"
    known = builder.module.globals.get(name)
    function = known or ll.Function(builder.module, ll.FunctionType(ll.VoidType(), kinds), name)
    builder.call(function, [place, ll.Constant(m.BYTE, 0), size, m.constant("bool", False)])


def _put_back(builder: Any, place: int, owner: m.Value) -> None:
    address = builder.ptrtoint(owner, m.INT64)
    swapped = builder.cmpxchg(_slot(builder, place), m.number(0), address, "acq_rel", "monotonic")
    with builder.if_then(builder.not_(builder.extract_value(swapped, 1))):
        call(builder, "free", owner)


def _write_give(builder: Any, owner: m.Value) -> None:
    """Keep a buffer if there is an empty slot and it is of a size to keep; else free it."""
    with builder.if_then(_is_kept(builder, builder.load(_field(builder, owner, 16)))):
        address = builder.ptrtoint(owner, m.INT64)
        for place in range(SLOTS):
            swapped = builder.cmpxchg(_slot(builder, place), m.number(0), address, "acq_rel", "monotonic")
            with builder.if_then(builder.extract_value(swapped, 1)):
                builder.ret_void()
    call(builder, "free", owner)
    builder.ret_void()
