"""Operations that may say that they cannot be done exactly: value, and whether to leave."""

from __future__ import annotations

from collections.abc import Callable

from autopar._compilers.numba.emit import machine as m
from autopar._compilers.numba.emit.expressions import Expressions
from autopar._compilers.numba.emit.symbols import ONE, call
from autopar._kernel import ir
from autopar._model.compiler import NotCompiled

Result = tuple[m.Value, m.Value]


def checked(write: Expressions, name: str, args: tuple[ir.Expr, ...]) -> Result:
    """Write an operation of :class:`autopar._kernel.ir.Checked`."""
    if name in _OVERFLOWING:
        return _overflowing(write, _OVERFLOWING[name], args)
    if name.startswith("m_") and name[2:] in ONE:
        value = call(write.builder, name[2:], write.opaque(args[0]))
        return value, _not_finite(write, value)
    form = _FORMS.get(name)
    if form is None:
        raise NotCompiled(f"autopar's LLVM code has no operation {name}")
    return form(write, args)


_OVERFLOWING = {
    "add": "sadd",
    "sub": "ssub",
    "mul": "smul",
    "uadd": "uadd",
    "usub": "usub",
    "umul": "umul",
}


def _overflowing(write: Expressions, name: str, args: tuple[ir.Expr, ...]) -> Result:
    pair = getattr(write.builder, f"{name}_with_overflow")(*map(write.value, args))
    return write.builder.extract_value(pair, 0), write.builder.extract_value(pair, 1)


def _not_finite(write: Expressions, *values: m.Value) -> m.Value:
    infinity = m.constant("f64", float("inf"))
    found = m.constant("bool", False)
    for value in values:
        finite = write.builder.fcmp_ordered("<", write.intrinsic("fabs", value), infinity)
        found = write.builder.or_(found, write.builder.not_(finite))
    return found


def _square_root(write: Expressions, args: tuple[ir.Expr, ...]) -> Result:
    value = write.opaque(args[0])
    fits = write.builder.fcmp_ordered(">=", value, m.constant("f64", 0.0))
    return write.intrinsic("sqrt", value), write.builder.not_(fits)


def _of_two(name: str) -> Callable[[Expressions, tuple[ir.Expr, ...]], Result]:
    def form(write: Expressions, args: tuple[ir.Expr, ...]) -> Result:
        left, right = map(write.opaque, args)
        value = call(write.builder, name, left, right)
        return value, _not_finite(write, value, left, right)

    return form


def _float_power(write: Expressions, args: tuple[ir.Expr, ...]) -> Result:
    builder, zero = write.builder, m.constant("f64", 0.0)
    base, power = map(write.opaque, args)
    value = call(builder, "pow", base, power)
    infinite = builder.and_(builder.fcmp_ordered("==", base, zero), builder.fcmp_ordered("<", power, zero))
    broken = builder.fcmp_unordered("!=", write.intrinsic("floor", power), power)
    is_complex = builder.and_(builder.fcmp_ordered("<", base, zero), broken)
    return value, builder.or_(_not_finite(write, value, base, power), builder.or_(infinite, is_complex))


def _truncated(write: Expressions, args: tuple[ir.Expr, ...]) -> Result:
    builder = write.builder
    value = write.as_machine(args[0], "f64")
    low = builder.fcmp_ordered(">=", value, m.constant("f64", -(2.0**63)))
    inside = builder.and_(low, builder.fcmp_ordered("<", value, m.constant("f64", 2.0**63)))
    safe = builder.select(inside, value, m.constant("f64", 0.0))
    return builder.fptosi(safe, m.INT64), builder.not_(inside)


def _shifted(write: Expressions, args: tuple[ir.Expr, ...]) -> Result:
    builder, zero = write.builder, m.number(0)
    value, count = map(write.value, args)
    nothing = builder.icmp_signed("==", value, zero)
    far = builder.and_(builder.icmp_signed(">", count, m.number(62)), builder.not_(nothing))
    wrong = builder.or_(builder.icmp_signed("<", count, zero), far)
    safe = builder.select(builder.or_(wrong, nothing), zero, count)
    moved = builder.shl(value, safe)
    lost = builder.icmp_signed("!=", builder.ashr(moved, safe), value)
    return moved, builder.or_(wrong, lost)


def _power(write: Expressions, args: tuple[ir.Expr, ...]) -> Result:
    """By squaring; a square that only a further round would need may overflow."""
    builder, one = write.builder, m.number(1)
    start, exponent = map(write.value, args)
    before, rounds, after = builder.block, builder.append_basic_block("power"), builder.append_basic_block("powered")
    builder.branch(rounds)
    builder.position_at_end(rounds)
    result, base, left, lost = (builder.phi(kind) for kind in (m.INT64, m.INT64, m.INT64, m.BIT))
    product = builder.smul_with_overflow(result, base)
    odd = builder.trunc(left, m.BIT)
    next_result = builder.select(odd, builder.extract_value(product, 0), result)
    now_lost = builder.or_(lost, builder.and_(odd, builder.extract_value(product, 1)))
    rest = builder.lshr(left, one)
    done = builder.icmp_signed("==", rest, m.number(0))
    square = builder.smul_with_overflow(base, base)
    next_lost = builder.or_(now_lost, builder.extract_value(square, 1))
    for phi, first, later in (
        (result, one, next_result),
        (base, start, builder.extract_value(square, 0)),
        (left, exponent, rest),
        (lost, m.constant("bool", False), next_lost),
    ):
        phi.add_incoming(first, before)
        phi.add_incoming(later, rounds)
    builder.cbranch(done, after, rounds)
    builder.position_at_end(after)
    return next_result, now_lost


def _greatest_divisor(write: Expressions, args: tuple[ir.Expr, ...]) -> Result:
    builder, zero = write.builder, m.number(0)
    values = map(write.value, args)
    sizes = [builder.select(builder.icmp_signed("<", value, zero), builder.neg(value), value) for value in values]
    before, head = builder.block, builder.append_basic_block("gcd")
    body, after = builder.append_basic_block("gcd_round"), builder.append_basic_block("gcd_done")
    builder.branch(head)
    builder.position_at_end(head)
    x, y = builder.phi(m.INT64), builder.phi(m.INT64)
    x.add_incoming(sizes[0], before)
    y.add_incoming(sizes[1], before)
    builder.cbranch(builder.icmp_signed("==", y, zero), after, body)
    builder.position_at_end(body)
    rest = builder.urem(x, y)
    x.add_incoming(y, body)
    y.add_incoming(rest, body)
    builder.branch(head)
    builder.position_at_end(after)
    return x, builder.icmp_signed("<", x, zero)


_FORMS: dict[str, Callable[[Expressions, tuple[ir.Expr, ...]], Result]] = {
    "m_sqrt": _square_root,
    **{f"m_{name}": _of_two(name) for name in ("atan2", "pow", "fmod")},
    "float_pow": _float_power,
    "truncate": _truncated,
    "shl": _shifted,
    "ipow": _power,
    "gcd": _greatest_divisor,
}
