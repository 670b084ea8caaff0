"""Expressions of the intermediate form as LLVM values."""

from __future__ import annotations

import platform
from collections.abc import Callable
from typing import Any

from llvmlite import ir as ll

from autopar._compilers.numba.emit import machine as m
from autopar._compilers.numba.emit.pairwise import pairwise_sum
from autopar._compilers.numba.emit.symbols import ONE, TWO, call
from autopar._kernel import ir
from autopar._model.compiler import NotCompiled

_RELATIONS = ("==", "!=", "<", "<=", ">", ">=")
_ARITHMETIC = {"+": "add", "-": "sub", "*": "mul"}
_BITS = {"&": "and_", "|": "or_", "^": "xor"}
_REGISTERS = {"x86_64": "x", "amd64": "x", "aarch64": "w", "arm64": "w"}
"""The letter that inline assembly has for a register of floats."""


def float_register() -> str:
    """That letter for this processor.

    Raises
    ------
    NotCompiled
        autopar does not know it.
    """
    try:
        return _REGISTERS[platform.machine().lower()]
    except KeyError:
        raise NotCompiled(f"autopar makes no LLVM code for processors of the kind {platform.machine()}") from None


class Expressions:
    """Writes expressions at a builder's place.

    Parameters
    ----------
    builder
        Of the function's body.
    entry
        Of the block before it, where constants are hidden from LLVM.
    variables
        Where each local variable is.
    hidden
        Whether LLVM must not work out operations on constants, since their flags are looked at.
    """

    def __init__(self, builder: Any, entry: Any, variables: dict[str, Any], *, hidden: bool) -> None:
        self.builder, self.entry, self.variables, self.hides = builder, entry, variables, hidden
        self._hidden: dict[tuple[str, str], m.Value] = {}

    def value(self, expr: ir.Expr) -> m.Value:
        """Return an expression's value."""
        if isinstance(expr, ir.Const):
            return m.constant(expr.machine, expr.value)
        if isinstance(expr, ir.Var):
            return self.builder.load(self.variables[expr.name])
        assert isinstance(expr, ir.Op)
        form = _FORMS.get(expr.name)
        if form is not None:
            return form(self, expr)
        if expr.name in _RELATIONS:
            return self._relation(expr)
        if expr.name in ONE or expr.name in TWO:
            return call(self.builder, expr.name, *self.arguments(expr))
        raise NotCompiled(f"autopar's LLVM code has no operation {expr.name}")

    def as_machine(self, expr: ir.Expr, want: str) -> m.Value:
        """Return an expression's value as a machine type."""
        return m.convert(self.builder, self.value(expr), expr.machine, want)

    def opaque(self, expr: ir.Expr) -> m.Value:
        """Return an expression's value; a constant's is one that LLVM cannot see."""
        if not isinstance(expr, ir.Const) or not self.hides or expr.machine in ("bool", "ptr", "own"):
            return self.value(expr)
        key = (expr.machine, repr(expr.value))
        if key not in self._hidden:
            kind = m.TYPES[expr.machine]
            letter = float_register() if expr.machine in m.FLOATS else "r"
            plain = ll.FunctionType(kind, (kind,))
            value = m.constant(expr.machine, expr.value)
            self._hidden[key] = self.entry.asm(plain, "", f"={letter},0", [value], False)
        return self._hidden[key]

    def arguments(self, op: ir.Op) -> list[m.Value]:
        """Return the values of an operation's arguments, not all of them constants that LLVM sees."""
        if all(isinstance(arg, ir.Const) for arg in op.args):
            return [self.opaque(arg) for arg in op.args]
        return [self.value(arg) for arg in op.args]

    def intrinsic(self, name: str, value: m.Value, *more: m.Value) -> m.Value:
        """Call a function that LLVM has an instruction for."""
        values = [value, *more]
        kind = ll.FunctionType(value.type, [each.type for each in values])
        function = self.builder.module.declare_intrinsic(f"llvm.{name}", [value.type], kind)
        return self.builder.call(function, values)

    def _relation(self, op: ir.Op) -> m.Value:
        left, right = self.arguments(op)
        kind = op.args[0].machine
        if kind in ("ptr", "own"):
            left, right = (self.builder.ptrtoint(one, m.INT64) for one in (left, right))
        if kind in m.FLOATS:
            compare = self.builder.fcmp_unordered if op.name == "!=" else self.builder.fcmp_ordered
        else:
            compare = self.builder.icmp_signed if kind == "i64" else self.builder.icmp_unsigned
        return compare(op.name, left, right)

    def _arithmetic(self, op: ir.Op) -> m.Value:
        left, right = self.arguments(op)
        if op.machine == "ptr":
            return self.builder.gep(left, [right])
        prefix = "f" if op.machine in m.FLOATS else ""
        return getattr(self.builder, prefix + _ARITHMETIC[op.name])(left, right)

    def _divided(self, op: ir.Op) -> m.Value:
        return self.builder.fdiv(*self.arguments(op))

    def _bits(self, op: ir.Op) -> m.Value:
        return getattr(self.builder, _BITS[op.name])(*self.arguments(op))

    def _negated(self, op: ir.Op) -> m.Value:
        (value,) = self.arguments(op)
        return self.builder.fneg(value) if op.machine in m.FLOATS else self.builder.neg(value)

    def _inverted(self, op: ir.Op) -> m.Value:
        return self.builder.not_(self.value(op.args[0]))

    def _both(self, op: ir.Op) -> m.Value:
        """`&&` or `||`; what might divide by zero is reached only where it has to be."""
        found = self.value(op.args[0])
        for arg in op.args[1:]:
            if ir.can_trap(arg):
                found = self._behind(found, arg, op.name == "&&")
            else:
                other = self.value(arg)
                found = (self.builder.and_ if op.name == "&&" else self.builder.or_)(found, other)
        return found

    def _behind(self, first: m.Value, arg: ir.Expr, wanted: bool) -> m.Value:
        return self._branches(
            first,
            lambda: self.value(arg) if wanted else m.constant("bool", True),
            lambda: m.constant("bool", False) if wanted else self.value(arg),
            m.BIT,
        )

    def _branches(self, test: m.Value, yes: Callable[[], m.Value], no: Callable[[], m.Value], kind: Any) -> m.Value:
        builder = self.builder
        with builder.if_else(test) as (then, other):
            with then:
                yes_value, yes_block = yes(), builder.block
            with other:
                no_value, no_block = no(), builder.block
        chosen = builder.phi(kind)
        chosen.add_incoming(yes_value, yes_block)
        chosen.add_incoming(no_value, no_block)
        return chosen

    def _chosen(self, op: ir.Op) -> m.Value:
        test, yes, no = op.args
        if ir.can_trap(yes) or ir.can_trap(no):
            first = self.value(test)
            return self._branches(first, lambda: self.value(yes), lambda: self.value(no), m.TYPES[op.machine])
        return self.builder.select(self.value(test), self.value(yes), self.value(no))

    def _shifted(self, op: ir.Op) -> m.Value:
        value, count = self.arguments(op)
        if op.name == "<<":
            return self.builder.shl(value, count)
        return (self.builder.lshr if op.machine == "u64" else self.builder.ashr)(value, count)

    def _quotient(self, op: ir.Op) -> m.Value:
        left, right = self.arguments(op)
        prefix = "u" if op.machine == "u64" else "s"
        return getattr(self.builder, prefix + ("div" if op.name == "idiv" else "rem"))(left, right)

    def _floored(self, op: ir.Op) -> m.Value:
        """Floor division or remainder: C's, put right where the signs differ and something is left."""
        builder = self.builder
        left, right = self.arguments(op)
        rest = builder.srem(left, right)
        differ = builder.icmp_signed("<", builder.xor(left, right), m.number(0))
        wrong = builder.and_(builder.icmp_signed("!=", rest, m.number(0)), differ)
        if op.name == "floormod":
            return builder.select(wrong, builder.add(rest, right), rest)
        return builder.sub(builder.sdiv(left, right), builder.zext(wrong, m.INT64))

    def _beyond(self, op: ir.Op) -> m.Value:
        return self.builder.icmp_unsigned(">=", *self.arguments(op))

    def _outside(self, op: ir.Op) -> m.Value:
        value, low, high = (self.value(arg) for arg in op.args)
        compare = self.builder.icmp_unsigned if op.args[0].machine == "u64" else self.builder.icmp_signed
        if op.args[0].machine in m.FLOATS:
            compare = self.builder.fcmp_ordered
        return self.builder.or_(compare("<", value, low), compare(">", value, high))

    def _kind_of_float(self, op: ir.Op) -> m.Value:
        value = self.value(op.args[0])
        if op.name == "isnan":
            return self.builder.fcmp_unordered("uno", value, value)
        infinity = ll.Constant(value.type, float("inf"))
        relation = "==" if op.name == "isinf" else "<"
        return self.builder.fcmp_ordered(relation, self.intrinsic("fabs", value), infinity)

    def _instruction(self, op: ir.Op) -> m.Value:
        return self.intrinsic(_INSTRUCTIONS[op.name], *self.arguments(op))

    def _angle(self, op: ir.Op) -> m.Value:
        pi = 3.141592653589793
        factor = pi / 180.0 if op.name == "radians" else 180.0 / pi
        return self.builder.fmul(self.opaque(op.args[0]), m.constant("f64", factor))

    def _magnitude(self, op: ir.Op) -> m.Value:
        value = self.value(op.args[0])
        return self.builder.select(self.builder.icmp_signed("<", value, m.number(0)), self.builder.neg(value), value)

    def _converted(self, op: ir.Op) -> m.Value:
        (value,) = self.arguments(op)
        return m.convert(self.builder, value, op.args[0].machine, op.name)

    def _least(self, op: ir.Op) -> m.Value:
        left, right = self.arguments(op)
        return self.builder.select(self.builder.icmp_signed("<" if op.name == "min" else ">", left, right), left, right)

    def _clipped(self, op: ir.Op) -> m.Value:
        builder, (index, length) = self.builder, self.arguments(op)
        zero = m.number(0)
        index = builder.select(builder.icmp_signed("<", index, zero), builder.add(index, length), index)
        capped = builder.select(builder.icmp_signed(">", index, length), length, index)
        return builder.select(builder.icmp_signed("<", index, zero), zero, capped)

    def _last(self, op: ir.Op) -> m.Value:
        """The last value of a range that counts up or down from `a` to before `b`; `a` if it is empty."""
        builder, (a, b, step) = self.builder, self.arguments(op)
        up = op.name == "last_up"
        size = step if up else builder.neg(step)
        size = builder.select(builder.icmp_signed("==", size, m.number(0)), m.number(1), size)
        distance = builder.sub(builder.sub(b, a) if up else builder.sub(a, b), m.number(1))
        whole = builder.mul(builder.sdiv(distance, size), step)
        return builder.select(builder.icmp_signed("<" if up else ">", a, b), builder.add(a, whole), a)

    def _isqrt(self, op: ir.Op) -> m.Value:
        """Integer square root: the float's, which may be off by one, put right."""
        builder, (number,) = self.builder, self.arguments(op)
        root = builder.fptosi(self.intrinsic("sqrt", builder.sitofp(number, m.DOUBLE)), m.INT64)
        for _ in range(2):
            safe = builder.select(builder.icmp_signed(">", root, m.number(0)), root, m.number(1))
            above = builder.icmp_signed(">", root, builder.sdiv(number, safe))
            above = builder.and_(above, builder.icmp_signed(">", root, m.number(0)))
            root = builder.sub(root, builder.zext(above, m.INT64))
        for _ in range(2):
            following = builder.add(root, m.number(1))
            fits = builder.icmp_signed("<=", following, builder.sdiv(number, following))
            root = builder.select(fits, following, root)
        return root

    def _float_remainder(self, op: ir.Op) -> m.Value:
        left, right = self.arguments(op)
        return self.remainder(left, right)[1]

    def remainder(self, left: m.Value, right: m.Value) -> tuple[m.Value, m.Value, m.Value]:
        """Of two doubles what C leaves, what Python leaves, and whether these differ by a divisor."""
        builder, zero = self.builder, m.constant("f64", 0.0)
        rest = call(builder, "fmod", left, right)
        some = builder.fcmp_unordered("!=", rest, zero)
        differ = builder.xor(builder.fcmp_ordered("<", right, zero), builder.fcmp_ordered("<", rest, zero))
        wrong = builder.and_(some, differ)
        fixed = builder.select(wrong, builder.fadd(rest, right), rest)
        return rest, builder.select(some, fixed, self.intrinsic("copysign", zero, right)), wrong

    def _float_quotient(self, op: ir.Op) -> m.Value:
        builder, (left, right) = self.builder, self.arguments(op)
        rest, _, wrong = self.remainder(left, right)
        one, zero = m.constant("f64", 1.0), m.constant("f64", 0.0)
        ratio = builder.fdiv(builder.fsub(left, rest), right)
        ratio = builder.select(wrong, builder.fsub(ratio, one), ratio)
        whole = self.intrinsic("floor", ratio)
        late = builder.fcmp_ordered(">", builder.fsub(ratio, whole), m.constant("f64", 0.5))
        whole = builder.select(late, builder.fadd(whole, one), whole)
        nothing = self.intrinsic("copysign", zero, builder.fdiv(left, right))
        return builder.select(builder.fcmp_unordered("!=", ratio, zero), whole, nothing)

    def _int_with_float(self, op: ir.Op) -> m.Value:
        """Compare an integer with a double as numbers, with no rounding."""
        builder = self.builder
        number, x = (self.as_machine(arg, kind) for arg, kind in zip(op.args, ("i64", "f64"), strict=True))
        above = builder.fcmp_ordered(">=", x, m.constant("f64", 2.0**63))
        below = builder.fcmp_ordered("<", x, m.constant("f64", -(2.0**63)))
        nan = builder.fcmp_unordered("uno", x, x)
        beyond = builder.or_(builder.or_(above, below), nan)
        inside = builder.select(beyond, m.constant("f64", 0.0), x)
        whole = builder.fptosi(inside, m.INT64)
        rest = builder.fsub(inside, builder.sitofp(whole, m.DOUBLE))
        zero = m.constant("f64", 0.0)
        equal = builder.icmp_signed("==", number, whole)
        minus, plus = m.number(-1), m.number(1)
        by_rest = builder.select(
            builder.fcmp_ordered(">", rest, zero), minus, builder.zext(builder.fcmp_ordered("<", rest, zero), m.INT64)
        )
        by_whole = builder.select(builder.icmp_signed("<", number, whole), minus, plus)
        sign = builder.select(equal, by_rest, by_whole)
        sign = builder.select(above, minus, builder.select(below, plus, sign))
        relation = op.name.removeprefix("int_float")
        compared = builder.icmp_signed(relation, sign, m.number(0))
        return builder.select(nan, m.constant("bool", relation == "!="), compared)

    def _pairwise(self, op: ir.Op) -> m.Value:
        return pairwise_sum(self.builder, *[self.value(arg) for arg in op.args])

    def _selected(self, op: ir.Op) -> m.Value:
        """Either of two numbers, both of which are worked out: LLVM does not see that one of them is not used."""
        builder = self.builder
        test, yes, no = (self.value(arg) for arg in op.args)
        if not self.hides:
            return builder.select(test, yes, no)
        plain = ll.FunctionType(m.INT64, (m.INT64,))
        mask = builder.asm(plain, "", "=r,0", [builder.sext(test, m.INT64)], False)
        a, b = (builder.bitcast(m.convert(builder, each, op.machine, "f64"), m.INT64) for each in (yes, no))
        bits = builder.or_(builder.and_(a, mask), builder.and_(b, builder.not_(mask)))
        return m.convert(builder, builder.bitcast(bits, m.DOUBLE), "f64", op.machine)

    def _either(self, op: ir.Op) -> m.Value:
        test, yes, no = (self.value(arg) for arg in op.args)
        return self.builder.select(test, yes, no)


_INSTRUCTIONS = {
    "sqrt": "sqrt",
    "fabs": "fabs",
    "floor": "floor",
    "ceil": "ceil",
    "trunc": "trunc",
    "round_half_even": "rint",
    "copysign": "copysign",
}
_FORMS: dict[str, Callable[[Expressions, ir.Op], m.Value]] = {
    **dict.fromkeys(_ARITHMETIC, Expressions._arithmetic),
    **dict.fromkeys(_BITS, Expressions._bits),
    **dict.fromkeys(("i64", "u64", "f64", "f32"), Expressions._converted),
    **dict.fromkeys(("isnan", "isinf", "isfinite"), Expressions._kind_of_float),
    **dict.fromkeys(_INSTRUCTIONS, Expressions._instruction),
    **dict.fromkeys((f"int_float{relation}" for relation in _RELATIONS), Expressions._int_with_float),
    "/": Expressions._divided,
    "neg": Expressions._negated,
    "~": Expressions._inverted,
    "!": Expressions._inverted,
    "&&": Expressions._both,
    "||": Expressions._both,
    "?": Expressions._chosen,
    "either": Expressions._either,
    "select": Expressions._selected,
    "pairwise_sum": Expressions._pairwise,
    "<<": Expressions._shifted,
    ">>": Expressions._shifted,
    "idiv": Expressions._quotient,
    "imod": Expressions._quotient,
    "floordiv": Expressions._floored,
    "floormod": Expressions._floored,
    "beyond": Expressions._beyond,
    "outside": Expressions._outside,
    "radians": Expressions._angle,
    "degrees": Expressions._angle,
    "abs": Expressions._magnitude,
    "min": Expressions._least,
    "max": Expressions._least,
    "clip": Expressions._clipped,
    "last_up": Expressions._last,
    "last_down": Expressions._last,
    "isqrt": Expressions._isqrt,
    "float_mod": Expressions._float_remainder,
    "float_floordiv": Expressions._float_quotient,
}
