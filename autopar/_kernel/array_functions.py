"""Functions of NumPy and methods of arrays that work on all elements: one by one, or to a single number.

What NumPy adds up in an order of its own, or works out by approximations of its own, is here where `rtol` admits it.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Sequence
from functools import cache

from autopar._kernel import ir, promotion
from autopar._kernel import types as t
from autopar._kernel.arithmetic import ZERO, as_float, as_integer, convert
from autopar._kernel.context import Context
from autopar._kernel.dtypes import dtype_of
from autopar._kernel.elementwise import (
    compared,
    converted_ahead,
    cut,
    elements_of,
    is_array,
    mapped,
    materialised,
    nest,
    one_or_all,
    operated,
)
from autopar._kernel.interval import FULL, Interval
from autopar._kernel.value import Elements, Memory, Number, Value, machine_of, range_of

__all__ = ["ARRAY_FUNCTIONS", "array_function", "array_method"]

_OPERATORS: dict[str, ast.operator] = {
    "add": ast.Add(),
    "subtract": ast.Sub(),
    "multiply": ast.Mult(),
    "divide": ast.Div(),
    "floor_divide": ast.FloorDiv(),
    "remainder": ast.Mod(),
    "bitwise_and": ast.BitAnd(),
    "bitwise_or": ast.BitOr(),
    "bitwise_xor": ast.BitXor(),
}
_RELATIONS = {
    "less": "<",
    "less_equal": "<=",
    "greater": ">",
    "greater_equal": ">=",
    "equal": "==",
    "not_equal": "!=",
}
_ROUNDED = ("exp", "expm1", "log", "log1p", "log2", "log10", "sin", "cos", "tan", "arctan", "sinh", "tanh", "cbrt")
_LIBM = {"arctan": "atan"}
_TRUTH = t.NpScalar("bool")
_DOUBLE = t.NpScalar("float64")


def array_function(
    ctx: Context,
    plain: str,
    values: Sequence[Value],
    otherwise: Callable[[Context, Value, ast.AST], Number] | None,
    node: ast.AST,
) -> Value:
    """Lower a NumPy function of arrays, known by its plain name; `otherwise` is what it does to one number."""
    if plain in _REDUCTIONS and len(values) == 1:
        return _REDUCTIONS[plain](ctx, elements_of(ctx, values[0], node), node)
    if plain in _LOWERED and len(values) == _ARITY.get(plain, 1):
        return _LOWERED[plain](ctx, values, node)
    if otherwise is None or len(values) != 1:
        raise ctx.refuse(node, f"np.{plain}() of these arguments is not in the native fragment")
    lower = otherwise
    return one_or_all(ctx, values, lambda numbers: lower(ctx, numbers[0], node), node)


def array_method(ctx: Context, owner: Elements | Memory, node: ast.Call) -> Value | None:
    """Lower a call of a method of an array, or return None if it is none of these."""
    assert isinstance(node.func, ast.Attribute)
    name = node.func.attr
    if name == "astype" and len(node.args) == 1 and not node.keywords:
        return _converted(ctx, owner, node.args[0], node)
    if name not in _REDUCTIONS or name == "count_nonzero":
        return None
    if node.args or node.keywords:
        raise ctx.refuse(node, f"{name}() with these arguments is not in the native fragment")
    return _REDUCTIONS[name](ctx, elements_of(ctx, owner, node), node)


# -- element by element -----------------------------------------------------------------------------------------------


def _operator(name: str) -> Callable[[Context, Sequence[Value], ast.AST], Value]:
    return lambda ctx, values, node: operated(ctx, _OPERATORS[name], values[0], values[1], node)


def _relation(name: str) -> Callable[[Context, Sequence[Value], ast.AST], Value]:
    return lambda ctx, values, node: compared(ctx, _RELATIONS[name], values[0], values[1], node)


def _square(ctx: Context, values: Sequence[Value], node: ast.AST) -> Value:
    return operated(ctx, ast.Mult(), values[0], values[0], node)


def _absolute(ctx: Context, values: Sequence[Value], node: ast.AST) -> Value:
    kind = elements_of(ctx, values[0], node).kind
    machine = machine_of(kind)
    if machine == "bool":
        raise ctx.refuse(node, "np.abs() of an array of truth values is not in the native fragment")

    def work(numbers: Sequence[Number]) -> Number:
        (x,) = numbers
        if t.is_float(kind):
            return Number(kind, ir.Op(machine, "fabs", (x.expr,)))
        if x.range.lo >= 0:
            return x
        return Number(kind, cut(ir.Op("i64", "abs", (x.expr,)), kind), range_of(kind))

    return mapped(ctx, values, kind, work, node)


def _logical(name: str) -> Callable[[Context, Sequence[Value], ast.AST], Value]:
    def work(numbers: Sequence[Number]) -> Number:
        tests = [test_of_element(number) for number in numbers]
        if name == "not":
            return Number(_TRUTH, ir.Op("bool", "!", (tests[0],)), Interval(0, 1))
        return Number(_TRUTH, ir.Op("bool", {"and": "&", "or": "|", "xor": "^"}[name], tuple(tests)), Interval(0, 1))

    return lambda ctx, values, node: mapped(ctx, values, _TRUTH, work, node)


def test_of_element(number: Number) -> ir.Expr:
    """Return whether an element is not zero."""
    if number.expr.machine == "bool":
        return number.expr
    return ir.Op("bool", "!=", (number.expr, ir.Const(number.expr.machine, 0)))


test_of_element.__test__ = False  # type: ignore[attr-defined]


def _where(ctx: Context, values: Sequence[Value], node: ast.AST) -> Value:
    test = elements_of(ctx, values[0], node) if is_array(values[0]) else None
    if test is None or test.kind != _TRUTH:
        raise ctx.refuse(node, "np.where() of anything but an array of truth values is not in the native fragment")

    choices = converted_ahead(ctx, values[1:], node) if any(map(is_array, values[1:])) else values[1:]

    def work(numbers: Sequence[Number]) -> Number:
        choice, yes, no = numbers
        kind = _strong(promotion.common(yes.kind, no.kind))
        if kind is None:
            raise ctx.refuse(node, f"np.where() of {yes.kind} and {no.kind} is not in the native fragment")
        a, b = (_brought(ctx, number, kind, node) for number in (yes, no))
        if a.machine == "f64":  # both sides are worked out, as by NumPy, which warns of what that raises
            return Number(kind, ir.Op("f64", "select", (choice.expr, a, b)), range_of(kind))
        a, b = _surely(ctx, a), _surely(ctx, b)
        return Number(kind, ir.Op(a.machine, "?", (choice.expr, a, b)), range_of(kind))

    return one_or_all(ctx, [test, *choices], work, node)


def _surely(ctx: Context, expr: ir.Expr) -> ir.Expr:
    """Have an operand worked out although it may not be chosen: NumPy does, and warns of what that raises."""
    if isinstance(expr, ir.Op) and expr.machine in ("f64", "f32"):
        expr = ctx.hold(expr)
        ctx.add(ir.Keep(expr))
    return expr


def _strong(kind: t.Type | None) -> t.NpScalar | None:
    """Return the dtype of an array of such elements."""
    names: dict[t.Type, str] = {t.Int(): "int64", t.Float(): "float64", t.Bool(): "bool"}
    return kind if kind is None or isinstance(kind, t.NpScalar) else t.NpScalar(names[kind])


def _brought(ctx: Context, number: Number, kind: t.NpScalar, node: ast.AST) -> ir.Expr:
    if promotion.is_truth(kind):
        return number.expr
    if promotion.is_truth(number.kind) and not t.is_float(kind):
        number = Number(t.Int(), as_integer(number.expr), Interval(0, 1))
    return convert(ctx, number, kind, node).expr


def _extreme(relation: str) -> Callable[[Context, Sequence[Value], ast.AST], Value]:
    def lower(ctx: Context, values: Sequence[Value], node: ast.AST) -> Value:
        def work(numbers: Sequence[Number]) -> Number:
            kind = _strong(promotion.common(numbers[0].kind, numbers[1].kind))
            if kind is None or promotion.is_truth(kind):
                raise ctx.refuse(node, "the extremes of these arrays are not in the native fragment")
            a, b = (_surely(ctx, _brought(ctx, number, kind, node)) for number in numbers)
            first: ir.Expr = ir.Op("bool", relation, (a, b))
            if t.is_float(kind):
                _leave_for_two_zeros(ctx, a, b, node)
                first = ir.Op("bool", "||", (ir.Op("bool", "isnan", (a,)), first))
            return Number(kind, ir.Op(a.machine, "?", (first, a, b)), range_of(kind))

        return one_or_all(ctx, converted_ahead(ctx, values, node), work, node)

    return lower


def _leave_for_two_zeros(ctx: Context, a: ir.Expr, b: ir.Expr, node: ast.AST) -> None:
    """Which of 0.0 and -0.0 NumPy takes depends on the processor."""
    signs = [ir.Op("f64", "copysign", (ir.Const("f64", 1.0), _double(x))) for x in (a, b)]
    differ = ir.Op("bool", "&&", (ir.Op("bool", "==", (a, b)), ir.Op("bool", "!=", tuple(signs))))
    ctx.exit_if(differ, node, "the extreme of 0.0 and -0.0")


def _double(expr: ir.Expr) -> ir.Expr:
    return expr if expr.machine == "f64" else ir.Op("f64", "f64", (expr,))


def _test(name: str) -> Callable[[Context, Sequence[Value], ast.AST], Value]:
    def lower(ctx: Context, values: Sequence[Value], node: ast.AST) -> Value:
        if not t.is_float(elements_of(ctx, values[0], node).kind):
            raise ctx.refuse(node, f"np.{name}() of an array of integers is not in the native fragment")

        def work(numbers: Sequence[Number]) -> Number:
            return Number(_TRUTH, ir.Op("bool", name, (numbers[0].expr,)), Interval(0, 1))

        return mapped(ctx, values, _TRUTH, work, node)

    return lower


def _rounded(name: str) -> Callable[[Context, Sequence[Value], ast.AST], Value]:
    """A function that NumPy computes in a way of its own, with other last bits than the C library."""

    def lower(ctx: Context, values: Sequence[Value], node: ast.AST) -> Value:
        if not ctx.rtol:
            raise ctx.refuse(node, f"np.{name}() rounds in a way of its own; rtol= would admit it")
        if elements_of(ctx, values[0], node).kind != _DOUBLE:
            raise ctx.refuse(node, f"np.{name}() of anything but float64 is not in the native fragment")

        def work(numbers: Sequence[Number]) -> Number:
            reason = f"np.{name}() of this is not a finite number"
            found = ctx.checked(f"m_{_LIBM.get(name, name)}", "f64", (numbers[0].expr,), node, reason)
            return Number(_DOUBLE, found)

        return mapped(ctx, values, _DOUBLE, work, node)

    return lower


def _converted(ctx: Context, owner: Elements | Memory, dtype: ast.expr, node: ast.AST) -> Value:
    """Lower array.astype(dtype), which cuts integers off and rounds floats towards zero."""
    kind = t.NpScalar(dtype_of(ctx, dtype))

    def work(numbers: Sequence[Number]) -> Number:
        (x,) = numbers
        if kind == _TRUTH:
            return Number(kind, test_of_element(x), Interval(0, 1))
        if t.is_float(kind):
            return Number(kind, as_float(ctx, x, machine_of(kind), node))
        if t.is_float(x.kind):
            whole = ctx.checked("truncate", "i64", (_double(x.expr),), node, "a float is out of range for an integer")
            return convert(ctx, Number(t.Int(), whole), kind, node)
        expr = as_integer(x.expr)
        if machine_of(kind) == "u64":
            return Number(kind, ir.Op("u64", "u64", (expr,)), range_of(kind))
        signed = ir.Op("i64", "i64", (expr,)) if expr.machine == "u64" else expr
        if expr.machine != "u64" and x.range.within(range_of(kind)):
            return Number(kind, signed, x.range)
        return Number(kind, cut(signed, kind), range_of(kind))

    return mapped(ctx, (owner,), kind, work, node)


# -- to a single number -----------------------------------------------------------------------------------------------


def _sum(ctx: Context, recipe: Elements, node: ast.AST) -> Number:
    if t.is_float(recipe.kind):
        return _float_sum(ctx, recipe, node)
    unsigned = recipe.kind.dtype.startswith("u")
    kind = t.NpScalar("uint64" if unsigned else "int64")
    if sys.modules["numpy"].dtype(int).name != "int64":
        raise ctx.refuse(node, "a sum of integers is of another type here")
    machine = machine_of(kind)
    total = ctx.temp(machine, "sum")
    ctx.add(ir.Assign(total, ir.Const(machine, 0)))

    def add(indexes: tuple[ir.Expr, ...]) -> None:
        element = as_integer(recipe.item(indexes).expr)
        if element.machine != machine:
            element = ir.Op(machine, machine, (element,))
        ctx.add(ir.Assign(total, ir.Op(machine, "+", (total, element))))

    nest(ctx, recipe.dims, add)
    return Number(kind, total, range_of(kind))


def _float_sum(ctx: Context, recipe: Elements, node: ast.AST) -> Number:
    if recipe.kind != _DOUBLE:
        raise ctx.refuse(node, f"a sum of {recipe.kind} is not in the native fragment")
    ctx.float_flags = True
    if not ctx.rtol:
        return _pairwise_sum(ctx, recipe, node)
    total = ctx.temp("f64", "sum")
    ctx.add(ir.Assign(total, ir.Const("f64", 0.0)))

    def add(indexes: tuple[ir.Expr, ...]) -> None:
        ctx.add(ir.Assign(total, ir.Op("f64", "+", (total, recipe.item(indexes).expr))))

    nest(ctx, recipe.dims, add)
    return Number(_DOUBLE, total)


def _pairwise_sum(ctx: Context, recipe: Elements, node: ast.AST) -> Number:
    """Lower a sum in NumPy's own order, which is that of one long row."""
    memory = recipe.memory or materialised(ctx, recipe, node)
    assert isinstance(memory, Memory)
    one_row = memory.strides is None or len(memory.dims) == 1
    if not one_row or not adds_pairwise():
        raise ctx.refuse(node, "a sum of floats that NumPy adds in an order of its own; rtol= would admit it")
    ctx.read |= memory.origins
    ctx.whole_arrays = True
    count: ir.Expr = memory.dims[0].expr
    for dim in memory.dims[1:]:
        count = ir.Op("i64", "*", (count, dim.expr))
    stride = ir.Const("i64", 8) if memory.strides is None else memory.strides[0]
    found = ctx.hold(ir.Op("f64", "pairwise_sum", (memory.data, count, stride)), "sum")
    return Number(_DOUBLE, ir.Op("f64", "+", (ir.Const("f64", 0.0), found)))


@cache
def adds_pairwise() -> bool:
    """Whether NumPy adds as it did when this was written: in pairs of blocks of at most 128, eight sums to a block."""
    numpy = sys.modules["numpy"]
    for count in (0, 1, 7, 8, 127, 128, 129, 264, 1000):
        values = [(-1.7) ** (i % 37) / (i + 0.3) for i in range(count)]
        row = numpy.array(values, dtype="float64")
        for array in (row, row[::-1], numpy.repeat(row, 2)[::2]):
            if float(array.sum()) != 0.0 + pairwise(array.tolist()):
                return False
        if count and float(row.mean()) != (0.0 + pairwise(values)) / count:
            return False
    return str(float(numpy.array([-0.0]).sum())) == "0.0"


def pairwise(values: list[float]) -> float:
    """Add numbers in NumPy's order (numpy/_core/src/umath/loops_utils.h.src, pairwise_sum)."""
    count = len(values)
    if count < 8:
        total = -0.0
        for value in values:
            total += value
        return total
    if count > 128:
        half = count // 2 - count // 2 % 8
        return pairwise(values[:half]) + pairwise(values[half:])
    sums = values[:8]
    for i in range(8, count - count % 8):
        sums[i % 8] += values[i]
    a, b, c, d, e, f, g, h = sums
    total = ((a + b) + (c + d)) + ((e + f) + (g + h))
    for value in values[count - count % 8 :]:
        total += value
    return total


def _mean(ctx: Context, recipe: Elements, node: ast.AST) -> Number:
    size = _size(ctx, recipe, node)
    total = _float_sum(ctx, recipe, node)
    return Number(_DOUBLE, ir.Op("f64", "/", (total.expr, ir.Op("f64", "f64", (size,)))))


def _size(ctx: Context, recipe: Elements, node: ast.AST) -> ir.Expr:
    """Return how many elements there are; leave if there are none."""
    size: ir.Expr = recipe.dims[0].expr
    for dim in recipe.dims[1:]:
        size = ctx.checked("mul", "i64", (size, dim.expr), node, "a size that is too large")
    size = ctx.hold(size)
    ctx.exit_if(ir.Op("bool", "==", (size, ZERO)), node, "an extreme or mean of nothing")
    return size


def _any_or_all(name: str) -> Callable[[Context, Elements, ast.AST], Number]:
    def lower(ctx: Context, recipe: Elements, node: ast.AST) -> Number:
        found = ctx.temp("bool", name)
        ctx.add(ir.Assign(found, ir.Const("bool", name == "all")))

        def look(indexes: tuple[ir.Expr, ...]) -> None:
            test = test_of_element(recipe.item(indexes))
            ctx.add(ir.Assign(found, ir.Op("bool", "&" if name == "all" else "|", (found, test))))

        nest(ctx, recipe.dims, look)
        return Number(_TRUTH, found, Interval(0, 1))

    return lower


def _count(ctx: Context, recipe: Elements, node: ast.AST) -> Number:
    count = ctx.temp("i64", "count")
    ctx.add(ir.Assign(count, ZERO))

    def look(indexes: tuple[ir.Expr, ...]) -> None:
        test = ir.Op("i64", "i64", (test_of_element(recipe.item(indexes)),))
        ctx.add(ir.Assign(count, ir.Op("i64", "+", (count, test))))

    nest(ctx, recipe.dims, look)
    numpy = sys.modules["numpy"]
    kind = t.type_of(numpy.count_nonzero(numpy.zeros(1)))  # an int, and from NumPy 2.4 on one of its own
    if kind not in (t.Int(), t.NpScalar("int64")):
        raise ctx.refuse(node, "np.count_nonzero() is of another type here")
    return Number(kind, count, Interval(0, 2**40))


def _best(relation: str, place: bool) -> Callable[[Context, Elements, ast.AST], Number]:
    """The least or greatest element, or the index of the first such one."""

    def lower(ctx: Context, recipe: Elements, node: ast.AST) -> Number:
        kind, machine = recipe.kind, machine_of(recipe.kind)
        if machine == "bool":
            raise ctx.refuse(node, "the extreme of an array of truth values is not in the native fragment")
        _size(ctx, recipe, node)
        best, at, count = ctx.temp(machine, "best"), ctx.temp("i64", "at"), ctx.temp("i64", "count")
        worst = range_of(kind).lo if relation == ">" else range_of(kind).hi
        start = float("-inf" if relation == ">" else "inf") if t.is_float(kind) else worst
        ctx.add(ir.Assign(best, ir.Const(machine, start)))
        ctx.add(ir.Assign(at, ZERO))
        ctx.add(ir.Assign(count, ZERO))
        minus = ctx.temp("bool", "minus")
        if t.is_float(kind):
            ctx.add(ir.Assign(minus, ir.Const("bool", False)))

        def look(indexes: tuple[ir.Expr, ...]) -> None:
            x = recipe.item(indexes).expr
            if t.is_float(kind):
                ctx.exit_if(ir.Op("bool", "isnan", (x,)), node, "the extreme of something that is not a number")
                sign = ir.Op("f64", "copysign", (ir.Const("f64", 1.0), _double(x)))
                zero = ir.Op("bool", "==", (x, ir.Const(machine, 0)))
                below = ir.Op("bool", "<", (sign, ir.Const("f64", 0.0)))
                ctx.add(ir.Assign(minus, ir.Op("bool", "|", (minus, ir.Op("bool", "&", (zero, below))))))
            better = ir.Op("bool", relation, (x, best))
            ctx.add(ir.If(better, [ir.Assign(best, x), ir.Assign(at, count)], []))
            ctx.add(ir.Assign(count, ir.Op("i64", "+", (count, ir.Const("i64", 1)))))

        nest(ctx, recipe.dims, look)
        if place:
            return Number(t.NpScalar("int64"), at, Interval(0, FULL.hi))
        if t.is_float(kind):
            unsure = ir.Op("bool", "&&", (minus, ir.Op("bool", "==", (best, ir.Const(machine, 0)))))
            ctx.exit_if(unsure, node, "the extreme of 0.0 and -0.0")
        return Number(kind, best, range_of(kind))

    return lower


_REDUCTIONS: dict[str, Callable[[Context, Elements, ast.AST], Number]] = {
    "sum": _sum,
    "mean": _mean,
    "any": _any_or_all("any"),
    "all": _any_or_all("all"),
    "min": _best("<", False),
    "max": _best(">", False),
    "argmin": _best("<", True),
    "argmax": _best(">", True),
    "count_nonzero": _count,
}
_LOWERED: dict[str, Callable[[Context, Sequence[Value], ast.AST], Value]] = {
    **{name: _operator(name) for name in _OPERATORS},
    **{name: _relation(name) for name in _RELATIONS},
    **{name: _rounded(name) for name in _ROUNDED},
    **{f"logical_{name}": _logical(name) for name in ("and", "or", "xor", "not")},
    **{name: _test(name) for name in ("isnan", "isinf", "isfinite")},
    "square": _square,
    "abs": _absolute,
    "where": _where,
    "minimum": _extreme("<"),
    "maximum": _extreme(">"),
}
_ARITY = dict.fromkeys((*_OPERATORS, *_RELATIONS, "logical_and", "logical_or", "logical_xor"), 2)
_ARITY |= {"minimum": 2, "maximum": 2, "where": 3}
ARRAY_FUNCTIONS = (*_LOWERED, *_REDUCTIONS)
