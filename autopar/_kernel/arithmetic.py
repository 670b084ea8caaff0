"""Operators on numbers: exactly Python's, or NumPy's for NumPy scalars, with a side exit wherever C cannot follow."""

from __future__ import annotations

import ast
from dataclasses import replace

from autopar._kernel import ir, promotion
from autopar._kernel import types as t
from autopar._kernel.context import Context
from autopar._kernel.interval import FULL, Interval
from autopar._kernel.value import Number, machine_of, range_of

__all__ = ["ZERO", "as_float", "as_integer", "binary", "convert", "negate", "truth_integer"]

_EXACT = Interval(-(2**53), 2**53)  # the integers that a double holds, all of them
_EXACT32 = Interval(-(2**24), 2**24)
_MODEST = Interval(-(2**61), 2**61)
_LARGEST32 = 3.4028235e38
ZERO = ir.Const("i64", 0)
_SYMBOLS: dict[type[ast.operator], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
    ast.LShift: "<<",
    ast.RShift: ">>",
    ast.BitAnd: "&",
    ast.BitOr: "|",
    ast.BitXor: "^",
}
_CHECKED = {"+": "add", "-": "sub", "*": "mul"}


def binary(ctx: Context, operator: ast.operator, left: Number, right: Number, node: ast.AST) -> Number:
    """Lower `left operator right`."""
    op = _SYMBOLS.get(type(operator))
    if op is None:
        raise ctx.refuse(node, f"the operator {type(operator).__name__} is not in the native fragment")
    if left.flag is not None or right.flag is not None:
        undecided = _undecided(ctx, op, left, right, node)
        if undecided is not None:
            return undecided
        if left.flag is not None and right.flag is not None and left.flag != right.flag:
            return binary(ctx, operator, left, ctx.settle(right, node), node)
        left, right = ctx.settle(left, node), ctx.settle(right, node)
    return _certain(ctx, op, left, right, node)


def _undecided(ctx: Context, op: str, left: Number, right: Number, node: ast.AST) -> Number | None:
    """Go on without knowing a type where the value is the same either way, and carry the doubt along if need be."""
    if left.flag is not None and right.flag is not None and left.flag != right.flag:
        return None
    if op not in ("+", "-", "*") and not (op == "/" and t.is_float(left.kind) and t.is_float(right.kind)):
        return None
    flag = left.flag if left.flag is not None else right.flag
    strong = _result(op, left.kind, right.kind)
    weak = _result(op, left.weak or left.kind, right.weak or right.kind)
    if strong is None or weak is None:
        return None
    number = _certain(ctx, op, left.plain(), right.plain(), node)
    if strong == weak:
        return number
    if {strong, weak} in ({t.Float(), t.NpScalar("float64")}, {t.Int(), t.NpScalar("int64")}) and op != "/":
        return replace(number, weak=weak, flag=flag)
    return None


def _result(op: str, left: t.Type, right: t.Type) -> t.Type | None:
    kind = promotion.common(left, right)
    if kind == t.Bool() and op not in ("&", "|", "^"):
        kind = t.Int()
    if op == "/" and kind is not None and not t.is_float(kind):
        return t.NpScalar("float64") if promotion.is_numpy(kind) else t.Float()
    return kind


def _certain(ctx: Context, op: str, left: Number, right: Number, node: ast.AST) -> Number:
    kind = promotion.common(left.kind, right.kind)
    if kind is None:
        raise ctx.refuse(node, f"{left.kind} {op} {right.kind} is not in the native fragment")
    if promotion.is_truth(kind):
        return _truths(ctx, op, kind, left, right, node)
    if t.is_float(kind):
        return _floats(ctx, op, kind, left, right, node)
    if kind == t.NpScalar("uint64"):
        return _unsigned(ctx, op, kind, left, right, node)
    a, b = convert(ctx, left, kind, node), convert(ctx, right, kind, node)
    return _integers(ctx, op, kind, a, b, node)


def _truths(ctx: Context, op: str, kind: t.Type, left: Number, right: Number, node: ast.AST) -> Number:
    if op in ("&", "|", "^"):
        return Number(kind, ir.Op("bool", op, (left.expr, right.expr)), Interval(0, 1))
    if kind == t.Bool():
        return _certain(ctx, op, truth_integer(left), truth_integer(right), node)
    raise ctx.refuse(node, f"{left.kind} {op} {right.kind} is not in the native fragment")


def truth_integer(number: Number) -> Number:
    """Return a bool as the int that it also is, anything else as it is."""
    if not isinstance(number.kind, t.Bool):
        return number
    return Number(t.Int(), ir.Op("i64", "i64", (number.expr,)), number.range)


def convert(ctx: Context, number: Number, kind: t.Type, node: ast.AST) -> Number:
    """Bring a number to the type in which an operation is done; leave if it does not fit."""
    machine = machine_of(kind)
    if t.is_float(kind):
        return Number(kind, as_float(ctx, number, machine, node))
    limits = range_of(kind)
    expr = as_integer(number.expr)
    if machine == "u64" and expr.machine != "u64":
        if not number.range.within(limits):
            ctx.exit_if(ir.Op("bool", "<", (expr, ZERO)), node, f"an integer is out of range for {kind}")
        return Number(kind, ir.Op("u64", "u64", (expr,)), limits)
    if not number.range.within(limits):
        low, high = ir.Const("i64", limits.lo), ir.Const("i64", limits.hi)
        ctx.exit_if(ir.Op("bool", "outside", (expr, low, high)), node, f"an integer is out of range for {kind}")
    return Number(kind, expr, number.range & limits or limits, number.same, number.below)


def as_integer(expr: ir.Expr) -> ir.Expr:
    """Return a truth value as a machine integer, an integer as it is."""
    return ir.Op("i64", "i64", (expr,)) if expr.machine == "bool" else expr


def as_float(ctx: Context, number: Number, machine: str, node: ast.AST) -> ir.Expr:
    """Return a number as a C floating-point value, rounded as Python and NumPy round it."""
    expr = number.expr
    if expr.machine == machine:
        return expr
    if isinstance(expr, ir.Const) and machine == "f64":
        return ir.Const("f64", float(expr.value))
    if machine == "f32" and promotion.is_integer(number.kind) and not number.range.within(_EXACT32):
        outside = ir.Op("bool", "outside", (expr, ir.Const("i64", -(2**24)), ir.Const("i64", 2**24)))
        ctx.exit_if(outside, node, "an integer is not exact as float32")
    if machine == "f32":
        ctx.float_flags = True
        if isinstance(expr, ir.Const) and abs(expr.value) > _LARGEST32 and abs(expr.value) < float("inf"):
            ctx.exit_if(ir.Const("bool", True), node, "a constant beyond float32")
    return ir.Op(machine, machine, (expr,))


def _integers(ctx: Context, op: str, kind: t.Type, a: Number, b: Number, node: ast.AST) -> Number:
    if op in _CHECKED:
        return _sum_or_product(ctx, op, kind, a, b, node)
    if op in ("//", "%"):
        return _floor(ctx, op, kind, a, b, node)
    if op == "/":
        return _true_quotient(ctx, kind, a, b, node)
    if op == "**":
        return _power(ctx, kind, a, b, node)
    if op in ("<<", ">>"):
        return _shift(ctx, op, kind, a, b, node)
    return Number(kind, ir.Op("i64", op, (a.expr, b.expr)), _bitwise_range(op, a.range, b.range) or range_of(kind))


def _bitwise_range(op: str, a: Interval, b: Interval) -> Interval | None:
    if op == "&":
        known = [r.hi for r in (a, b) if r.lo >= 0]
        return Interval(0, min(known)) if known else None
    if a.lo >= 0 and b.lo >= 0:
        return Interval(0, 2 ** max(a.hi, b.hi).bit_length() - 1)
    return None


def _sum_or_product(ctx: Context, op: str, kind: t.Type, a: Number, b: Number, node: ast.AST) -> Number:
    known = {"+": a.range + b.range, "-": a.range - b.range, "*": a.range * b.range}[op]
    limits = range_of(kind)
    if limits == FULL and not known.within(FULL):
        a, b = _narrowed(ctx, a, node), _narrowed(ctx, b, node)
        known = {"+": a.range + b.range, "-": a.range - b.range, "*": a.range * b.range}[op]
    same, below = _shifted(op, a, b)
    if isinstance(a.expr, ir.Const) and isinstance(b.expr, ir.Const) and known.within(limits):
        return Number(kind, ir.Const("i64", known.lo), known)
    if op in ("+", "-") and b.expr == ZERO:
        return a
    if op == "+" and a.expr == ZERO:
        return b
    if known.within(FULL):
        expr: ir.Expr = ir.Op("i64", op, (a.expr, b.expr))
        if known.within(limits):
            return Number(kind, expr, known, same, below)
        expr = ctx.hold(expr)
        low, high = ir.Const("i64", limits.lo), ir.Const("i64", limits.hi)
        ctx.exit_if(ir.Op("bool", "outside", (expr, low, high)), node, f"{kind} overflow")
    elif limits == FULL and (a.range.fixed or b.range.fixed):
        return _with_constant(ctx, op, kind, a, b, node)
    else:
        expr = ctx.checked(_CHECKED[op], "i64", (a.expr, b.expr), node, f"{kind} overflow")
        if limits != FULL:
            low, high = ir.Const("i64", limits.lo), ir.Const("i64", limits.hi)
            ctx.exit_if(ir.Op("bool", "outside", (expr, low, high)), node, f"{kind} overflow")
    return Number(kind, expr, known & limits or limits, same, below)


def _narrowed(ctx: Context, number: Number, node: ast.AST) -> Number:
    """Check a number that does not change in the innermost loop before it, if it may be huge."""
    loop = next((frame for frame in reversed(ctx.loops) if not frame.unrolled), None)
    if loop is None or loop.before is None or isinstance(number.expr, ir.Const) or number.range.within(_MODEST):
        return number
    known = number.range & _MODEST
    if known is None or not _stands_still(number.expr, loop.outside):
        return number
    outside = ir.Op("bool", "outside", (number.expr, ir.Const("i64", _MODEST.lo), ir.Const("i64", _MODEST.hi)))
    statement = ir.ExitIf(outside, ctx.exit(node, "an integer beyond 2**61"))
    if statement not in loop.before:
        loop.before.append(statement)
    return replace(number, range=known)


def _stands_still(expr: ir.Expr, outside: frozenset[str]) -> bool:
    if isinstance(expr, ir.Var):
        return expr.name in outside
    simple = isinstance(expr, ir.Op) and expr.name in ("+", "-", "*")
    return isinstance(expr, ir.Const) or (simple and all(_stands_still(arg, outside) for arg in expr.args))  # type: ignore[attr-defined]


def _with_constant(ctx: Context, op: str, kind: t.Type, a: Number, b: Number, node: ast.AST) -> Number:
    """Check the operand that varies instead of the result, which need not be waited for."""
    varies, c = (b, a.range.lo) if a.range.fixed else (a, b.range.lo)
    if op == "+":
        room = Interval(FULL.lo - c, FULL.hi - c)
    elif op == "-":
        room = FULL + Interval(c, c) if varies is a else Interval(c - FULL.hi, c - FULL.lo)
    else:
        low, high = (FULL.lo, FULL.hi) if c > 0 else (FULL.hi, FULL.lo)
        room = Interval(-(-low // c), high // c)
    inside = room & varies.range
    if inside is None:
        ctx.exit_if(ir.Const("bool", True), node, f"{kind} overflow")
        return Number(kind, ir.Const("i64", 0), Interval(0, 0))
    tests = []
    if varies.range.lo < inside.lo:
        tests.append(ir.Op("bool", "<", (varies.expr, ir.Const("i64", inside.lo))))
    if varies.range.hi > inside.hi:
        tests.append(ir.Op("bool", ">", (varies.expr, ir.Const("i64", inside.hi))))
    test = tests[0] if len(tests) == 1 else ir.Op("bool", "||", tuple(tests))
    rare = (varies.range.lo == inside.lo or inside.lo < -(2**53)) and (
        varies.range.hi == inside.hi or inside.hi > 2**53
    )
    ctx.exit_if(test, node, f"{kind} overflow", overflow=rare)
    if varies is a:
        return _sum_or_product(ctx, op, kind, replace(a, range=inside), b, node)
    return _sum_or_product(ctx, op, kind, a, replace(b, range=inside), node)


def _shifted(op: str, a: Number, b: Number) -> tuple[tuple[str, int] | None, tuple[tuple[str, int], ...]]:
    """Carry what is known relative to symbols over an addition or subtraction."""
    if op == "+" and a.range.fixed and not b.range.fixed:
        a, b = b, a
    if op not in ("+", "-"):
        return None, ()
    step = b.range if op == "+" else -b.range
    same = (a.same[0], a.same[1] + step.lo) if a.same and step.fixed else None
    return same, tuple((symbol, c + step.hi) for symbol, c in sorted(a.bounds().items()) if c + step.hi < 2**40)


def _nonzero(ctx: Context, b: Number, node: ast.AST) -> None:
    if b.range.lo <= 0 <= b.range.hi:
        ctx.exit_if(ir.Op("bool", "==", (b.expr, ZERO)), node, "division by zero")


def _without_zero(known: Interval) -> Interval:
    lo = 1 if known.lo == 0 else known.lo
    hi = -1 if known.hi == 0 else known.hi
    return Interval(lo, hi) if lo <= hi else Interval(1, 1)


def _floor(ctx: Context, op: str, kind: t.Type, a: Number, b: Number, node: ast.AST) -> Number:
    _nonzero(ctx, b, node)
    divisor, limits = _without_zero(b.range), range_of(kind)
    if a.range.lo == limits.lo and divisor.lo <= -1 <= divisor.hi and limits.lo < 0:
        low = ir.Op("bool", "==", (a.expr, ir.Const("i64", limits.lo)))
        minus = ir.Op("bool", "==", (b.expr, ir.Const("i64", -1)))
        ctx.exit_if(ir.Op("bool", "&&", (low, minus)), node, f"{kind} overflow")
    simple = a.range.lo >= 0 and divisor.lo > 0
    power = divisor.lo.bit_length() - 1 if divisor.fixed and divisor.lo > 0 else -1
    name = {"//": "idiv" if simple else "floordiv", "%": "imod" if simple else "floormod"}[op]
    known = a.range // divisor if op == "//" else a.range % divisor
    below: tuple[tuple[str, int], ...] = ()
    if op == "%" and divisor.lo > 0:
        below = tuple((symbol, c - 1) for symbol, c in sorted(b.bounds().items()))
    expr = ir.Op("i64", name, (a.expr, b.expr))
    if power >= 0 and divisor.lo == 1 << power:  # in two's complement these two round down by themselves
        expr = ir.Op("i64", ">>", (a.expr, ir.Const("i64", power)))
        if op == "%":
            expr = ir.Op("i64", "&", (a.expr, ir.Const("i64", divisor.lo - 1)))
    return Number(kind, expr, known & limits or limits, None, below)


def _true_quotient(ctx: Context, kind: t.Type, a: Number, b: Number, node: ast.AST) -> Number:
    if not promotion.is_numpy(kind):
        _nonzero(ctx, b, node)
        for side in (a, b):
            if not side.range.within(_EXACT):
                low, high = ir.Const("i64", -(2**53)), ir.Const("i64", 2**53)
                outside = ir.Op("bool", "outside", (side.expr, low, high))
                ctx.exit_if(outside, node, "an integer beyond 2**53 in a true division")
        return Number(t.Float(), ir.Op("f64", "/", (as_float(ctx, a, "f64", node), as_float(ctx, b, "f64", node))))
    ctx.float_flags = True
    return Number(
        t.NpScalar("float64"), ir.Op("f64", "/", (as_float(ctx, a, "f64", node), as_float(ctx, b, "f64", node)))
    )


def _power(ctx: Context, kind: t.Type, a: Number, b: Number, node: ast.AST) -> Number:
    if promotion.is_numpy(kind):
        if not b.range.fixed or not 0 <= b.range.lo <= 4:
            raise ctx.refuse(node, f"{kind} to a variable power is not in the native fragment")
    elif b.range.hi < 0 and b.range.fixed:
        base = as_float(ctx, a, "f64", node)
        exact = convert(ctx, a, t.Int(), node)
        _nonzero(ctx, exact, node)
        return _float_power(ctx, t.Float(), base, as_float(ctx, b, "f64", node), node)
    if b.range.fixed and 0 <= b.range.lo <= 4:
        if not b.range.lo:
            ctx.drop(a)
        result = a if b.range.lo else Number(kind, ir.Const("i64", 1), Interval(1, 1))
        for _ in range(b.range.lo - 1):
            result = _sum_or_product(ctx, "*", kind, result, a, node)
        if b.range.lo % 2 == 0 and result.range.lo < 0:
            result = replace(result, range=Interval(0, result.range.hi))
        return result
    if b.range.lo < 0:
        ctx.exit_if(ir.Op("bool", "<", (b.expr, ZERO)), node, "a negative power of an integer is a float")
    expr = ctx.checked("ipow", "i64", (a.expr, b.expr), node, f"{kind} overflow")
    return Number(kind, expr, Interval(0, FULL.hi) if a.range.lo >= 0 else FULL)


def _shift(ctx: Context, op: str, kind: t.Type, a: Number, b: Number, node: ast.AST) -> Number:
    bits = 64 if kind == t.Int() else 8 * t.DTYPES[kind.dtype]  # type: ignore[attr-defined]
    if op == ">>" and kind == t.Int():
        if b.range.lo < 0:
            ctx.exit_if(ir.Op("bool", "<", (b.expr, ZERO)), node, "negative shift count")
        count = b.expr if b.range.hi < 64 else ir.Op("i64", "min", (b.expr, ir.Const("i64", 63)))
        known = _shifted_range(a.range, Interval(max(0, b.range.lo), min(63, max(0, b.range.hi))))
        return Number(kind, ir.Op("i64", ">>", (a.expr, count)), known)
    if not b.range.within(Interval(0, bits - 1)):
        outside = ir.Op("bool", "outside", (b.expr, ZERO, ir.Const("i64", bits - 1)))
        ctx.exit_if(outside, node, "shift count out of range")
    shift = b.range & Interval(0, bits - 1) or Interval(0, 0)
    if op == ">>":
        return Number(kind, ir.Op("i64", ">>", (a.expr, b.expr)), _shifted_range(a.range, shift))
    known = a.range * Interval(2**shift.lo, 2**shift.hi)
    if known.within(range_of(kind)):
        return Number(kind, ir.Op("i64", "<<", (a.expr, b.expr)), known)
    if kind != t.Int():
        raise ctx.refuse(node, f"{kind} << is not in the native fragment")
    return Number(kind, ctx.checked("shl", "i64", (a.expr, b.expr), node, "int overflow"), known & FULL or FULL)


def _shifted_range(a: Interval, shift: Interval) -> Interval:
    ends = [v >> s for v in (a.lo, a.hi) for s in (shift.lo, shift.hi)]
    return Interval(min(ends), max(ends))


def _unsigned(ctx: Context, op: str, kind: t.Type, left: Number, right: Number, node: ast.AST) -> Number:
    a, b = convert(ctx, left, kind, node).expr, convert(ctx, right, kind, node).expr
    if op in _CHECKED:
        return Number(kind, ctx.checked(f"u{_CHECKED[op]}", "u64", (a, b), node, f"{kind} overflow"), range_of(kind))
    if op in ("//", "%"):
        ctx.exit_if(ir.Op("bool", "==", (b, ir.Const("u64", 0))), node, "division by zero")
        return Number(kind, ir.Op("u64", "idiv" if op == "//" else "imod", (a, b)), range_of(kind))
    if op in ("&", "|", "^"):
        return Number(kind, ir.Op("u64", op, (a, b)), range_of(kind))
    if op in ("<<", ">>"):
        ctx.exit_if(ir.Op("bool", ">", (b, ir.Const("u64", 63))), node, "shift count out of range")
        return Number(kind, ir.Op("u64", op, (a, b)), range_of(kind))
    if op == "/":
        ctx.float_flags = True
        return Number(t.NpScalar("float64"), ir.Op("f64", "/", (ir.Op("f64", "f64", (a,)), ir.Op("f64", "f64", (b,)))))
    raise ctx.refuse(node, f"{kind} {op} is not in the native fragment")


def _floats(ctx: Context, op: str, kind: t.Type, left: Number, right: Number, node: ast.AST) -> Number:
    machine = machine_of(kind)
    numpy = promotion.is_numpy(kind)
    if op in ("&", "|", "^", "<<", ">>"):
        raise ctx.refuse(node, f"{left.kind} {op} {right.kind} is a TypeError")
    if op in ("//", "%", "**") and kind == t.NpScalar("float32"):
        raise ctx.refuse(node, f"np.float32 {op} is not in the native fragment")
    a, b = as_float(ctx, left, machine, node), as_float(ctx, right, machine, node)
    ctx.float_flags = ctx.float_flags or numpy
    if op in _CHECKED:
        return Number(kind, ir.Op(machine, op, (a, b)))
    nonzero = isinstance(b, ir.Const) and b.value != 0
    if not t.is_float(right.kind) and not right.range.lo <= 0 <= right.range.hi:
        nonzero = True
    if op != "**" and not nonzero and not (numpy and op == "/"):
        b = ctx.hold(b)
        ctx.exit_if(ir.Op("bool", "==", (b, ir.Const("f64", 0.0))), node, "division by zero")
    if op == "/":
        return Number(kind, ir.Op(machine, "/", (a, b)))
    if op == "**":
        return _float_power(ctx, kind, a, b, node)
    return Number(kind, ir.Op("f64", {"//": "float_floordiv", "%": "float_mod"}[op], (a, b)))


def _float_power(ctx: Context, kind: t.Type, a: ir.Expr, b: ir.Expr, node: ast.AST) -> Number:
    return Number(kind, ctx.checked("float_pow", "f64", (a, b), node, "a power that is not finite and real"))


def negate(ctx: Context, number: Number, node: ast.AST) -> Number:
    """Lower unary minus."""
    if t.is_float(number.kind):
        expr = number.expr
        if isinstance(expr, ir.Const):
            return replace(number, expr=ir.Const(expr.machine, -expr.value), value=-float(expr.value))
        return replace(number, expr=ir.Op(expr.machine, "neg", (expr,)), value=None)
    number = truth_integer(ctx.settle(number, node))
    if number.kind == t.NpScalar("bool") or number.kind == t.NpScalar("uint64"):
        raise ctx.refuse(node, f"-{number.kind} is not in the native fragment")
    zero = Number(number.kind, ZERO, Interval(0, 0))
    return _sum_or_product(ctx, "-", number.kind, zero, number, node)
