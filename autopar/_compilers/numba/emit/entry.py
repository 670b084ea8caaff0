"""The two functions of a kernel that are called from outside: see :mod:`autopar._kernel.abi`."""

from __future__ import annotations

import platform
from typing import Any

from llvmlite import ir as ll

from autopar._compilers.numba.emit import machine as m
from autopar._compilers.numba.emit.symbols import call
from autopar._kernel import ir
from autopar._kernel import types as t
from autopar._model.compiler import NotCompiled

OVERLAP, WARNING = 1, 2
"""The side exits that no line of the function takes."""

_ANY = {"x86_64": (61, 13), "amd64": (61, 13), "aarch64": (31, 7), "arm64": (31, 7)}
"""All floating-point flags, and those of overflow, division and invalid operations, as <fenv.h> has them."""

_WORDS = m.INT64.as_pointer()


def call_function(module: Any, kernel: ir.Kernel, inner: Any, name: str) -> Any:
    """Write ``ap_call(slots) -> exit`` under another name."""
    function = ll.Function(module, ll.FunctionType(m.INT64, [_WORDS]), name)
    builder = ll.IRBuilder(function.append_basic_block("entry"))
    slots = function.args[0]
    starts = kernel.layout.parameters
    for pair in kernel.overlaps:
        sides = [_extent(builder, slots, starts[index], kernel.parameters[index][1]) for index in pair]
        (low, high), (other_low, other_high) = sides
        meet = builder.and_(builder.icmp_unsigned("<", low, other_high), builder.icmp_unsigned("<", other_low, high))
        with builder.if_then(meet, likely=False):
            builder.ret(m.number(OVERLAP))
    arguments = [_from_word(builder, slots, place, var) for place, var in enumerate(kernel.slots)]
    out = builder.gep(slots, [m.number(kernel.layout.result)])
    if not kernel.float_flags:
        builder.ret(builder.call(inner, [*arguments, out]))
        return function
    flags = _ANY.get(platform.machine().lower())
    if flags is None:
        raise NotCompiled(f"autopar does not know the floating-point flags of {platform.machine()}")
    every, wrong = (ll.Constant(m.INT32, number) for number in flags)
    before = call(builder, "fetestexcept", wrong)
    with builder.if_then(builder.icmp_signed("!=", before, ll.Constant(m.INT32, 0)), likely=False):
        call(builder, "feclearexcept", every)
    left = builder.call(inner, [*arguments, out])
    with builder.if_then(builder.icmp_signed("==", left, m.number(0))):
        raised = call(builder, "fetestexcept", wrong)
        with builder.if_then(builder.icmp_signed("!=", raised, ll.Constant(m.INT32, 0)), likely=False):
            builder.ret(m.number(WARNING))
    builder.ret(left)
    return function


def _word(builder: Any, slots: m.Value, place: int) -> m.Value:
    return builder.load(builder.gep(slots, [m.number(place)]))


def _from_word(builder: Any, slots: m.Value, place: int, var: ir.Var) -> m.Value:
    word = _word(builder, slots, place)
    if var.machine in m.FLOATS:
        return m.convert(builder, builder.bitcast(word, m.DOUBLE), "f64", var.machine)
    if var.machine in ("ptr", "own"):
        return builder.inttoptr(word, m.ADDRESS)
    return m.convert(builder, word, "i64", var.machine)


def _extent(builder: Any, slots: m.Value, start: int, kind: t.Type) -> tuple[m.Value, m.Value]:
    """From the lowest byte of an array to behind its highest; the same place twice if it is empty."""
    assert isinstance(kind, (t.Array, t.List))
    base, zero = _word(builder, slots, start), m.number(0)
    shape = [_word(builder, slots, start + 1 + dim) for dim in range(kind.ndim)]
    empty = m.constant("bool", False)
    for length in shape:
        empty = builder.or_(empty, builder.icmp_signed("==", length, zero))
    low, high = base, builder.add(base, m.number(t.item_size(kind)))
    for dim, length in enumerate(shape):
        if isinstance(kind, t.Array):  # which has its strides behind its shape
            step = _word(builder, slots, start + 1 + kind.ndim + dim)
        else:
            step = m.number(t.item_size(kind))
            for inner in shape[dim + 1 :]:
                step = builder.mul(step, inner)
        far = builder.mul(builder.sub(length, m.number(1)), step)
        backwards = builder.icmp_signed("<", far, zero)
        low = builder.add(low, builder.select(backwards, far, zero))
        high = builder.add(high, builder.select(backwards, zero, far))
    return builder.select(empty, base, low), builder.select(empty, base, high)


def block_function(module: Any, inner: Any, name: str) -> Any:
    """Write ``ap_block(slots, count, inputs, n_inputs, outputs, n_outputs, exit) -> done`` under another name."""
    kinds = [_WORDS, m.INT64, _WORDS, m.INT64, _WORDS, m.INT64, _WORDS]
    function = ll.Function(module, ll.FunctionType(m.INT64, kinds), name)
    slots, count, inputs, n_inputs, outputs, n_outputs, left_by = function.args
    builder = ll.IRBuilder(function.append_basic_block("entry"))
    item, end_items = _loop(builder, count)
    column, end_columns = _loop(builder, n_inputs)
    place, word = _column(builder, inputs, column, item)
    builder.store(builder.load(word), builder.gep(slots, [place]))
    end_columns()
    left = builder.call(inner, [slots])
    with builder.if_then(builder.icmp_signed("!=", left, m.number(0)), likely=False):
        builder.store(left, left_by)
        builder.ret(item)
    column, end_columns = _loop(builder, n_outputs)
    place, word = _column(builder, outputs, column, item)
    builder.store(builder.load(builder.gep(slots, [place])), word)
    end_columns()
    end_items()
    builder.ret(count)
    return function


def _loop(builder: Any, count: m.Value) -> tuple[m.Value, Any]:
    """Open a loop from 0 to a count; returns the counter, and what closes it."""
    before = builder.block
    head, body, after = (builder.append_basic_block(name) for name in ("each", "do", "done"))
    builder.branch(head)
    builder.position_at_end(head)
    counter = builder.phi(m.INT64)
    counter.add_incoming(m.number(0), before)
    builder.cbranch(builder.icmp_signed("<", counter, count), body, after)
    builder.position_at_end(body)

    def close() -> None:
        following = builder.add(counter, m.number(1))
        counter.add_incoming(following, builder.block)
        builder.branch(head)
        builder.position_at_end(after)

    return counter, close


def _column(builder: Any, columns: m.Value, index: m.Value, item: m.Value) -> tuple[m.Value, m.Value]:
    """A column's slot, and where it has the word of an item."""
    start = builder.gep(columns, [builder.mul(index, m.number(3))])
    slot, base, stride = (_word(builder, start, word) for word in range(3))
    return slot, builder.inttoptr(builder.add(base, builder.mul(item, stride)), _WORDS)
