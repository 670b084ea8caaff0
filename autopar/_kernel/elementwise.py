"""Operations on whole arrays: lowered to one loop over the elements, without arrays for what is in between.

An operation gives `Elements`, a recipe for one element, and a statement that uses the array as such runs the recipe for
all of them. So `a + b * 2` reads and writes memory once. NumPy's element is worked out, which is not always what its
scalars give: integers wrap around without a word, and `**` has short cuts.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise

from autopar._kernel import ir, promotion
from autopar._kernel import types as t
from autopar._kernel.arithmetic import binary, convert, truth_integer
from autopar._kernel.building import allocate, loop, strides_of
from autopar._kernel.comparison import compare
from autopar._kernel.context import Context
from autopar._kernel.indexing import element_of, load, offset_of, store
from autopar._kernel.interval import Interval
from autopar._kernel.value import Elements, Memory, Number, Value, machine_of, range_of

__all__ = [
    "changed_in_place",
    "compared",
    "converted_ahead",
    "cut",
    "elements_of",
    "is_array",
    "mapped",
    "materialised",
    "negated",
    "nest",
    "one_or_all",
    "operated",
    "same_shape",
    "store_all",
]

Work = Callable[[Sequence[Number]], Number]
_WRAPPING = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*"}


def is_array(value: Value) -> bool:
    """Whether a value is an array, or a recipe for one."""
    return isinstance(value, Elements) or (isinstance(value, Memory) and isinstance(value.kind, t.Array))


def elements_of(ctx: Context, value: Value, node: ast.AST) -> Elements:
    """Return an array as the recipe for its elements."""
    if isinstance(value, Elements):
        return value
    if not isinstance(value, Memory) or not isinstance(value.kind, t.Array):
        raise ctx.refuse(node, "this operand beside an array is not in the native fragment")
    memory = value

    def item(indexes: Sequence[ir.Expr]) -> Number:
        return load(ctx, memory, offset_of(memory, indexes))

    return Elements(t.NpScalar(memory.dtype), memory.dims, item, (memory,), memory)


def same_shape(ctx: Context, left: Sequence[Number], right: Sequence[Number], node: ast.AST) -> tuple[Number, ...]:
    """Return the shape of an operation on two arrays; lengths that differ, which NumPy may stretch, are left to it."""
    longer, shorter = (left, right) if len(left) >= len(right) else (right, left)
    extra = len(longer) - len(shorter)
    for a, b in zip(longer[extra:], shorter, strict=True):
        if a.expr != b.expr and (a.same is None or a.same != b.same):
            if (a.range.hi <= 1) != (b.range.hi <= 1):
                raise ctx.refuse(node, "a length of one that NumPy stretches is not in the native fragment")
            ctx.exit_if(ir.Op("bool", "!=", (a.expr, b.expr)), node, "arrays of different shapes")
    return tuple(longer)


def mapped(ctx: Context, operands: Sequence[Value], kind: t.NpScalar, work: Work, node: ast.AST) -> Elements:
    """Return the recipe that applies `work` to the elements of arrays, and to numbers as they are."""
    recipes: list[Elements | Number] = []
    dims: tuple[Number, ...] | None = None
    sources: tuple[Memory, ...] = ()
    for operand in operands:
        if isinstance(operand, Number):
            recipes.append(_steady(ctx, operand, node))
            continue
        recipe = elements_of(ctx, operand, node)
        recipes.append(recipe)
        dims = recipe.dims if dims is None else same_shape(ctx, dims, recipe.dims, node)
        sources += recipe.sources
    assert dims is not None

    def item(indexes: Sequence[ir.Expr]) -> Number:
        numbers = [
            one if isinstance(one, Number) else one.item(indexes[len(indexes) - len(one.dims) :]) for one in recipes
        ]
        return work(numbers)

    return Elements(kind, dims, item, sources)


def _steady(ctx: Context, number: Number, node: ast.AST) -> Number:
    number = ctx.settle(number, node)
    return replace(number, expr=ctx.hold(number.expr))


def one_or_all(ctx: Context, values: Sequence[Value], work: Work, node: ast.AST) -> Value:
    """Apply `work` to numbers, or to all elements if one of the values is an array."""
    if not any(map(is_array, values)):
        return work([ctx.number(value, node) for value in values])
    return mapped(ctx, values, _kind_of(ctx, values, work, node), work, node)


def _kind_of(ctx: Context, values: Sequence[Value], work: Work, node: ast.AST) -> t.NpScalar:
    """Return the type of what `work` gives, by a try whose statements are thrown away."""
    samples = []
    for value in values:
        if isinstance(value, Number):
            samples.append(ctx.settle(value, node))
        else:
            own = elements_of(ctx, value, node).kind
            samples.append(Number(own, ctx.temp(machine_of(own), "sample"), range_of(own)))
    with ctx.into([]):
        kind = work(samples).kind
    if not isinstance(kind, t.NpScalar):
        raise ctx.refuse(node, f"an array of {kind} is not in the native fragment")
    return kind


def operated(ctx: Context, op: ast.operator, left: Value, right: Value, node: ast.AST) -> Elements:
    """Lower a binary operator of which at least one side is an array."""
    for side in (left, right):
        if not isinstance(side, Number) and not is_array(side):
            raise ctx.refuse(node, "this operand beside an array is not in the native fragment")

    def work(numbers: Sequence[Number]) -> Number:
        return _element(ctx, op, numbers[0], numbers[1], node)

    if isinstance(op, ast.Pow):
        return _power(ctx, left, right, node)
    left, right = converted_ahead(ctx, (left, right), node)
    return mapped(ctx, (left, right), _kind_of(ctx, (left, right), work, node), work, node)


def converted_ahead(ctx: Context, values: Sequence[Value], node: ast.AST) -> list[Value]:
    """Bring numbers beside arrays to the arrays' type: one that does not fit is an error for an empty array too."""
    kinds = [elements_of(ctx, value, node).kind for value in values if not isinstance(value, Number)]
    out: list[Value] = []
    for value in values:
        kind: t.Type | None = None
        if isinstance(value, Number):
            value = ctx.settle(value, node)
            for other in kinds:
                kind = promotion.common(kind or value.kind, other)
        if isinstance(value, Number) and kind is not None and not promotion.is_truth(kind):
            value = convert(ctx, truth_integer(value), kind, node)
        out.append(value)
    return out


def _element(ctx: Context, op: ast.operator, a: Number, b: Number, node: ast.AST) -> Number:
    kind = promotion.common(a.kind, b.kind)
    if type(op) not in _WRAPPING or kind is None or not promotion.is_integer(kind):
        return binary(ctx, op, a, b, node)
    return _wrapped(ctx, _WRAPPING[type(op)], kind, convert(ctx, a, kind, node), convert(ctx, b, kind, node))


def _wrapped(ctx: Context, op: str, kind: t.Type, a: Number, b: Number) -> Number:
    """Return a sum, difference or product of integers as arrays have it: modulo the size of the type."""
    limits, machine = range_of(kind), machine_of(kind)
    expr: ir.Expr = ir.Op(machine, op, (a.expr, b.expr))
    if machine == "u64":
        return Number(kind, expr, limits)
    known = {"+": a.range + b.range, "-": a.range - b.range, "*": a.range * b.range}[op]
    if known.within(limits):
        return Number(kind, expr, known)
    assert isinstance(kind, t.NpScalar)
    return Number(kind, cut(expr, kind), limits)


def cut(expr: ir.Expr, kind: t.NpScalar) -> ir.Expr:
    """Return the lower bits of a 64-bit integer as a number of a smaller type."""
    bits = 8 * t.DTYPES[kind.dtype]
    if bits == 64:
        return expr
    if kind.dtype.startswith("u"):
        return ir.Op("i64", "&", (expr, ir.Const("i64", 2**bits - 1)))
    shift = ir.Const("i64", 64 - bits)
    return ir.Op("i64", ">>", (ir.Op("i64", "<<", (expr, shift)), shift))


def _power(ctx: Context, left: Value, right: Value, node: ast.AST) -> Elements:
    """Lower array ** constant where NumPy takes a short cut, which is exact."""
    number = right.value if isinstance(right, Number) and right.value is not None else None
    if isinstance(right, Number) and right.kind == t.Int() and right.range.fixed:
        number = right.range.lo
    base = elements_of(ctx, left, node) if is_array(left) else None
    if base is None or number not in (1, 2, 0.5, -1) or base.kind.dtype == "bool":
        raise ctx.refuse(node, "a power of arrays other than ** 2 is not in the native fragment: NumPy's is its own")
    if isinstance(right, Number) and t.is_float(right.kind) and not t.is_float(base.kind):
        raise ctx.refuse(node, "an array of integers to the power of a float is not in the native fragment")
    if number in (0.5, -1) and not t.is_float(base.kind):
        raise ctx.refuse(node, "this power of an array of integers is not in the native fragment")
    kind, machine = base.kind, machine_of(base.kind)

    def work(numbers: Sequence[Number]) -> Number:
        (x,) = numbers
        if number == 1:
            return x
        if number == 2:
            return _element(ctx, ast.Mult(), x, x, node)
        ctx.float_flags = True
        if number == -1:
            return Number(kind, ir.Op(machine, "/", (ir.Const(machine, 1.0), x.expr)))
        return Number(kind, ir.Op(machine, "sqrt", (x.expr,)))

    return mapped(ctx, (base,), kind, work, node)


def compared(ctx: Context, relation: str, left: Value, right: Value, node: ast.AST) -> Elements:
    """Lower a comparison of which at least one side is an array."""

    def work(numbers: Sequence[Number]) -> Number:
        a, b = numbers
        return Number(t.NpScalar("bool"), compare(ctx, relation, a, b, node), Interval(0, 1))

    for side in (left, right):
        if not isinstance(side, Number) and not is_array(side):
            raise ctx.refuse(node, "comparing an array with this object is not in the native fragment")
    return mapped(ctx, (left, right), t.NpScalar("bool"), work, node)


def negated(ctx: Context, value: Elements | Memory, op: ast.unaryop, node: ast.AST) -> Elements:
    """Lower - + and ~ of an array."""
    kind = elements_of(ctx, value, node).kind
    truth = promotion.is_truth(kind)
    if truth != isinstance(op, ast.Invert) and truth:
        raise ctx.refuse(node, "this operator on an array of truth values is a TypeError")

    def work(numbers: Sequence[Number]) -> Number:
        (x,) = numbers
        if isinstance(op, ast.UAdd):
            return x
        if truth:
            return Number(kind, ir.Op("bool", "!", (x.expr,)), Interval(0, 1))
        if isinstance(op, ast.Invert):
            if t.is_float(kind) or machine_of(kind) == "u64" or kind.dtype.startswith("u"):
                raise ctx.refuse(node, f"~ on an array of {kind} is not in the native fragment")
            return Number(kind, ir.Op("i64", "~", (x.expr,)), Interval(~x.range.hi, ~x.range.lo))
        if t.is_float(kind):
            return Number(kind, ir.Op(machine_of(kind), "neg", (x.expr,)))
        zero = Number(kind, ir.Const(machine_of(kind), 0), Interval(0, 0))
        return _wrapped(ctx, "-", kind, zero, x)

    return mapped(ctx, (value,), kind, work, node)


def nest(
    ctx: Context, dims: Sequence[Number], body: Callable[[tuple[ir.Expr, ...]], None], indexes: tuple[ir.Expr, ...] = ()
) -> None:
    """Run `body` for all indexes of a shape, in C order."""
    if not dims:
        body(indexes)
        return
    ctx.whole_arrays = True
    counter, loop_ = loop(ctx, dims[0].expr)
    with ctx.into(loop_.body):
        nest(ctx, dims[1:], body, (*indexes, counter.expr))
    ctx.add(loop_)


def materialised(ctx: Context, value: Value, node: ast.AST) -> Value:
    """Return a recipe as the array that it makes, any other value as it is."""
    if not isinstance(value, Elements):
        return value
    if len(value.dims) > 1:
        for source in value.sources:
            _require_c_order(ctx, source, node)
    out = allocate(ctx, t.Array(value.kind.dtype, len(value.dims)), value.dims, node)
    nest(ctx, out.dims, lambda indexes: store(ctx, out, offset_of(out, indexes), value.item(indexes), node))
    return out


def _require_c_order(ctx: Context, source: Memory, node: ast.AST) -> None:
    """Leave where NumPy would lay the result out in another order than C's, after its operands."""
    strides = source.strides
    if strides is None:
        return
    for far, near in pairwise(strides):
        reason = "an array whose result would not be in C order"
        if not isinstance(near, ir.Const):
            ctx.exit_if(ir.Op("bool", "<", (near, ir.Const("i64", 1))), node, reason)
        ctx.exit_if(ir.Op("bool", "<", (far, near)), node, reason)


def store_all(ctx: Context, target: Memory, value: Value, node: ast.AST) -> None:
    """Lower `target[...] = value` for an array or view as a whole."""
    if isinstance(value, Number):
        kind = t.NpScalar(target.dtype)
        number = Number(kind, ctx.hold(element_of(ctx, target.dtype, ctx.settle(value, node), node)), range_of(kind))
        nest(ctx, target.dims, lambda indexes: store(ctx, target, offset_of(target, indexes), number, node))
        return
    source = elements_of(ctx, value, node)
    if len(source.dims) > len(target.dims):
        raise ctx.refuse(node, "an array of more dimensions stored in one of fewer is not in the native fragment")
    same_shape(ctx, target.dims, source.dims, node)
    if any(_in_the_way(target, memory) for memory in source.sources):
        if source.memory is not None and _copied_in_order(target, source.memory):
            _require_other_arrays(ctx, target, source.memory, node)
        out = allocate(ctx, t.Array(source.kind.dtype, len(source.dims)), source.dims, node)
        made = source
        nest(ctx, out.dims, lambda indexes: store(ctx, out, offset_of(out, indexes), made.item(indexes), node))
        source = elements_of(ctx, out, node)

    def put(indexes: tuple[ir.Expr, ...]) -> None:
        element = source.item(indexes[len(indexes) - len(source.dims) :])
        store(ctx, target, offset_of(target, indexes), _fitting(ctx, target, element), node)

    nest(ctx, target.dims, put)


def _fitting(ctx: Context, target: Memory, element: Number) -> Number:
    """Return an integer element as it is stored in an array of a smaller integer type: its lower bits."""
    kind = t.NpScalar(target.dtype)
    both = all(promotion.is_integer(one) and machine_of(one) == "i64" for one in (kind, element.kind))
    if not both or element.range.within(range_of(kind)):
        return element
    return Number(kind, cut(element.expr, kind), range_of(kind))


def _in_the_way(target: Memory, source: Memory) -> bool:
    """Whether elements of a source may be overwritten before they are read."""
    shapes = [[dim.expr for dim in memory.dims] for memory in (source, target)]
    if (source.data, source.strides, shapes[0]) == (target.data, target.strides, shapes[1]):
        return False  # the very same elements, each of which is read just before it is written
    if -1 in source.origins or -1 in target.origins or source.origins & target.origins:
        return True
    return source.owner is not None and target.owner is not None


def _copied_in_order(target: Memory, source: Memory) -> bool:
    """Whether NumPy may overwrite elements of one row before it has read them: it looks at where rows begin only."""
    if len(target.dims) != 1:
        return False
    there, here = strides_of(target)[0], strides_of(source)[-1]
    if isinstance(there, ir.Const) and isinstance(here, ir.Const) and there.value * here.value < 0:
        return False
    return there != here


def _require_other_arrays(ctx: Context, target: Memory, source: Memory, node: ast.AST) -> None:
    """Leave where two arrays that the function has made are parts of one; refuse where an argument is both."""
    reason = "a part of an array copied over another in other steps"
    if target.owner is None or source.owner is None:
        raise ctx.refuse(node, f"{reason} is not in the native fragment")
    ctx.exit_if(ir.Op("bool", "==", (target.owner, source.owner)), node, reason)


def changed_in_place(ctx: Context, op: ast.operator, target: Memory, value: Value, node: ast.AST) -> None:
    """Lower `target op= value` for an array or view as a whole."""
    result = operated(ctx, op, target, value, node)
    kind = t.NpScalar(target.dtype)
    narrower = t.is_float(result.kind) and t.is_float(kind)
    if result.kind != kind and not narrower:
        raise ctx.refuse(node, f"{result.kind} kept in an array of {kind} is not in the native fragment")
    if len(result.dims) > len(target.dims):
        raise ctx.refuse(node, "an array of more dimensions kept in one of fewer is a ValueError")
    store_all(ctx, target, result, node)
