"""Sums in the order in which NumPy adds: halves, down to blocks of at most 128 elements, eight running sums to a block.

The source is ``pairwise_sum`` of numpy/_core/src/umath/loops_utils.h.src.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir as ll

from autopar._compilers.numba.emit import machine as m

_WAYS, _BLOCK = 8, 128
_NAME = "pairwise_sum"


def pairwise_sum(builder: Any, place: m.Value, count: m.Value, stride: m.Value) -> m.Value:
    """Add so many doubles, so many bytes apart."""
    return builder.call(_function(builder.module), [place, count, stride])


def _function(module: Any) -> Any:
    """The function, written into the module when it is first called."""
    if _NAME in module.globals:
        return module.globals[_NAME]
    function = ll.Function(module, ll.FunctionType(m.DOUBLE, [m.ADDRESS, m.INT64, m.INT64]), _NAME)
    function.linkage = "internal"
    function.attributes.add("noinline")
    builder = ll.IRBuilder(function.append_basic_block("entry"))
    place, count, stride = function.args
    with builder.if_then(builder.icmp_signed("<", count, m.number(_WAYS))):
        builder.ret(_rest(builder, place, stride, m.constant("f64", -0.0), m.number(0), count))
    with builder.if_then(builder.icmp_signed(">", count, m.number(_BLOCK))):
        half = builder.ashr(count, m.number(1))
        half = builder.and_(half, m.number(-_WAYS))
        first = builder.call(function, [place, half, stride])
        behind = builder.gep(place, [builder.mul(half, stride)])
        builder.ret(builder.fadd(first, builder.call(function, [behind, builder.sub(count, half), stride])))
    _block(builder, place, count, stride)
    return function


def _at(builder: Any, place: m.Value, stride: m.Value, index: m.Value) -> m.Value:
    return m.loaded(builder, "float64", builder.gep(place, [builder.mul(index, stride)]), "f64")


def _rest(builder: Any, place: m.Value, stride: m.Value, start: m.Value, low: m.Value, high: m.Value) -> m.Value:
    """Add elements one after the other."""
    before = builder.block
    head, body, after = (builder.append_basic_block(name) for name in ("rest", "add", "added"))
    builder.branch(head)
    builder.position_at_end(head)
    index, total = builder.phi(m.INT64), builder.phi(m.DOUBLE)
    builder.cbranch(builder.icmp_signed("<", index, high), body, after)
    builder.position_at_end(body)
    more = builder.fadd(total, _at(builder, place, stride, index))
    following = builder.add(index, m.number(1))
    builder.branch(head)
    for phi, first, later in ((index, low, following), (total, start, more)):
        phi.add_incoming(first, before)
        phi.add_incoming(later, body)
    builder.position_at_end(after)
    return total


def _block(builder: Any, place: m.Value, count: m.Value, stride: m.Value) -> None:
    """Add 8 to 128 elements, and return."""
    starts = [_at(builder, place, stride, m.number(way)) for way in range(_WAYS)]
    whole = builder.and_(count, m.number(-_WAYS))
    before = builder.block
    head, body, after = (builder.append_basic_block(name) for name in ("block", "add", "added"))
    builder.branch(head)
    builder.position_at_end(head)
    index = builder.phi(m.INT64)
    sums = [builder.phi(m.DOUBLE) for _ in range(_WAYS)]
    builder.cbranch(builder.icmp_signed("<", index, whole), body, after)
    builder.position_at_end(body)
    places = [builder.add(index, m.number(way)) for way in range(_WAYS)]
    more = [builder.fadd(total, _at(builder, place, stride, at)) for total, at in zip(sums, places, strict=True)]
    following = builder.add(index, m.number(_WAYS))
    builder.branch(head)
    index.add_incoming(m.number(_WAYS), before)
    index.add_incoming(following, body)
    for phi, first, later in zip(sums, starts, more, strict=True):
        phi.add_incoming(first, before)
        phi.add_incoming(later, body)
    builder.position_at_end(after)
    add = builder.fadd
    left = add(add(sums[0], sums[1]), add(sums[2], sums[3]))
    total = add(left, add(add(sums[4], sums[5]), add(sums[6], sums[7])))
    builder.ret(_rest(builder, place, stride, total, whole, count))
