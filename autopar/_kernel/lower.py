"""From a function and the types of a call to its kernel."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from types import FunctionType
from typing import Any

from autopar._kernel import ir
from autopar._kernel import types as t
from autopar._kernel.calls import apply
from autopar._kernel.carrying import carry_elements
from autopar._kernel.congruences import shorten_chains
from autopar._kernel.context import Again, Context, Frame
from autopar._kernel.expressions import condition, expression, lazy
from autopar._kernel.helpers import arguments_of, finish, local_names
from autopar._kernel.interval import Interval
from autopar._kernel.keeping import keep_results
from autopar._kernel.nodes import nodes_of
from autopar._kernel.prune import exits_after_store, used_variables
from autopar._kernel.refusal import Refused
from autopar._kernel.source import Source, read_source
from autopar._kernel.state import Bound
from autopar._kernel.statements import assign_to, statements
from autopar._kernel.value import Known, Memory, Number, Pack, Value, machine_of, range_of
from autopar._kernel.variables import key_of, store_value

__all__ = ["lower"]

_TRIES = 60  # lowerings, each of which learned something
MOST = 2**31 - 1  # elements in one dimension; a call with more runs in Python

# Integers beyond this run in Python, so that one sum with an integer of less than 64 bits needs no check.
FAR = 2**62


def lower(
    function: Callable[..., Any],
    types: Sequence[t.Type],
    keywords: Mapping[str, t.Type] | None = None,
    source: Source | None = None,
    *,
    rtol: float = 0.0,
) -> ir.Kernel:
    """Lower a function for the types of its positional arguments and of those passed by name.

    Parameters without an argument take their default, as a constant.

    Parameters
    ----------
    function : callable
        A plain function.
    types : sequence of Type
        Of the positional arguments, as `type_of` gives them.
    keywords : mapping of str to Type, optional
        Of the arguments passed by name. They follow the others as the kernel's parameters, in this order.
    source : Source, optional
        Another definition that does the same, to lower in the place of the function's own.
    rtol : float, optional
        Relative difference that the user accepts; above 0 what differs by rounding only is admitted as well.

    Returns
    -------
    Kernel
        The function in typed form.

    Raises
    ------
    Refused
        If something in the function is outside the native fragment, with the line and the reason.
    """
    if not isinstance(function, FunctionType):
        raise Refused(0, "only plain functions are in the native fragment")
    source = read_source(function) if source is None else source
    learned: dict[Any, Any] = {}
    for _ in range(_TRIES):
        try:
            return _Lowering(function, source, learned, rtol).kernel(types, keywords or {})
        except Again:
            continue
        except RecursionError:
            raise Refused(source.line, "the function is nested too deeply") from None
    raise Refused(source.line, "the types of the function do not come to rest")


class _Lowering:
    """One attempt."""

    def __init__(self, function: FunctionType, source: Source, learned: dict[Any, Any], rtol: float) -> None:
        self.function, self.source = function, source
        self.ctx = ctx = Context(function, learned, rtol)
        ctx.facts.given = source.given
        ctx.expression = lambda node: expression(ctx, node)
        ctx.lazy = lambda node: lazy(ctx, node)
        ctx.apply = lambda function, values, node: apply(ctx, function, values, node)
        ctx.condition = lambda node: condition(ctx, node)
        ctx.statements = lambda nodes: statements(ctx, nodes)
        ctx.assign_to = lambda target, value, node: assign_to(ctx, target, value, node)
        self.slots: list[ir.Var] = []
        self.arrays: dict[int, str] = {}
        self.inner_arrays = False  # whether there are arrays inside tuples, whose overlaps are not looked at

    def kernel(self, types: Sequence[t.Type], keywords: Mapping[str, t.Type]) -> ir.Kernel:
        ctx, tree = self.ctx, self.source.tree
        ctx.line = tree.lineno
        ctx.exit(tree, "arguments overlap in memory")
        ctx.exit(tree, "NumPy would warn of a floating-point error")
        ctx.sources.append(self.source.text)
        names = [a.arg for a in (*tree.args.posonlyargs, *tree.args.args)][: len(types)]
        if len(names) < len(types):
            raise ctx.refuse(tree, "more arguments than the function takes")
        parameters = [*zip(names, types, strict=True), *keywords.items()]
        frame = Frame(self.function, "", (), local_names(tree), "done")
        ctx.frames.append(frame)
        sized = _sizes(tree) - _assigned(tree)
        given = [self._parameter(i, name, kind, name in sized) for i, (name, kind) in enumerate(parameters)]
        positional, named = given[: len(names)], dict(zip(keywords, given[len(names) :], strict=True))
        bound = arguments_of(ctx, self.function, tree, positional, named, tree)
        assigned = _assigned(tree)
        assert ctx.state is not None
        for name, value in bound.items():
            key = key_of(frame, name)
            ctx.state[key] = Bound(store_value(ctx, key, value) if name in assigned else value)
        ctx.statements(tree.body)
        result = finish(ctx, frame, "result$", tree)
        kind, results = self._result(result, tree)
        return self._assembled(parameters, kind, results)

    def _parameter(self, index: int, name: str, kind: t.Type, sized: bool) -> Value:
        prefix = f"arg${key_of(self.ctx.frame, name)}"
        return self._value(prefix, kind, index, sized)

    def _value(self, name: str, kind: t.Type, index: int, sized: bool) -> Value:
        ctx = self.ctx
        if isinstance(kind, t.Nothing):
            return Known(None, "None")
        if isinstance(kind, t.Tuple):
            items = enumerate(kind.items)
            return Pack(
                tuple(self._value(f"{name}${i}", item, -1, False) for i, item in items), None if index < 0 else index
            )
        if t.is_scalar(kind):
            return self._scalar(name, kind, sized)
        if isinstance(kind, (t.Array, t.List)):
            return self._array(name, kind, index)
        raise ctx.refuse(None, f"an argument of type {kind} is not in the native fragment")

    def _scalar(self, name: str, kind: t.Type, sized: bool) -> Number:
        var = self._slot(name, machine_of(kind))
        known = range_of(kind)
        if isinstance(kind, t.Int):
            self.ctx.symbols[var.name] = var.name
            known = Interval(-MOST, MOST) if sized else Interval(-FAR, FAR)
            low, high = ir.Const("i64", known.lo), ir.Const("i64", known.hi)
            reason = "a size beyond 2**31" if sized else "an integer beyond 2**62"
            self.ctx.exit_if(ir.Op("bool", "outside", (var, low, high)), None, reason)
            return Number(kind, var, known, (var.name, 0))
        return Number(kind, var, known)

    def _slot(self, name: str, machine: str) -> ir.Var:
        var = self.ctx.variable(name, machine)
        self.slots.append(var)
        self.ctx.symbols[var.name] = var.name
        return var

    def _array(self, name: str, kind: t.Array | t.List, index: int) -> Memory:
        ctx = self.ctx
        data = self._slot(name, "ptr")
        dims = []
        for i in range(kind.ndim):
            var = self._slot(f"{name}_n{i}", "i64")
            ctx.exit_if(ir.Op("bool", ">", (var, ir.Const("i64", MOST))), None, "an array of more than 2**31 elements")
            ctx.minimum[var.name] = 0
            dims.append(Number(t.Int(), var, Interval(0, MOST), (var.name, 0)))
        strides: tuple[ir.Expr, ...] | None = None
        if isinstance(kind, t.Array):
            found = tuple(self._slot(f"{name}_s{i}", "i64") for i in range(kind.ndim))
            strides = found if kind.layout == "strided" else None
        if index >= 0:
            self.arrays[index] = data.name
        else:
            self.inner_arrays = True
        argument = index if index >= 0 else None
        return Memory(kind, data, tuple(dims), strides, None, frozenset({index}), argument, True)

    def _result(self, value: Value, node: ast.AST) -> tuple[t.Type, list[ir.Var]]:
        """Return the type of the result and the variables that hold its slots."""
        ctx = self.ctx
        if isinstance(value, Known) and value.value is None:
            return t.Nothing(), []
        if isinstance(value, Number):
            number = value
            if number.flag is not None:
                ctx.exit_if(number.flag, node, f"the result is {number.weak}, not {number.kind}")
            return number.kind, [self._held(number.expr)]
        if isinstance(value, Pack) and value.argument is not None:
            return t.Argument(value.argument), []
        if isinstance(value, Pack):
            parts = [self._result(item, node) for item in value.items]
            owners = [part[1][0] for part in parts if part[1] and part[1][0].machine == "own"]
            for i, a in enumerate(owners):
                for b in owners[:i]:
                    ctx.exit_if(ir.Op("bool", "==", (a, b)), node, "one object twice in the result")
            return t.Tuple(tuple(kind for kind, _ in parts)), [var for _, held in parts for var in held]
        if isinstance(value, Memory):
            if value.argument is not None:
                return t.Argument(value.argument), []
            if value.origins or not value.whole or value.owner is None:
                raise ctx.refuse(node, "a result that is part of an array, or of an argument, is not in the fragment")
            return value.kind, [self._held(e) for e in (value.owner, value.data, *(dim.expr for dim in value.dims))]
        raise ctx.refuse(node, "a result of this type is not in the native fragment")

    def _held(self, expr: ir.Expr) -> ir.Var:
        held = self.ctx.temp(expr.machine, "out")
        self.ctx.add(ir.Assign(held, expr))
        return held

    def _assembled(self, parameters: list[tuple[str, t.Type]], kind: t.Type, results: list[ir.Var]) -> ir.Kernel:
        ctx = self.ctx
        written = frozenset(ctx.written)
        if -1 in written:
            raise Refused(self.source.line, "writing to an array inside a tuple is not in the native fragment")
        arrays = [i for i, (_, kind_) in enumerate(parameters) if isinstance(kind_, (t.Array, t.List))]
        overlaps = tuple((a, b) for a in written for b in arrays if a != b and (b not in written or a < b))
        carry_elements(ctx.block, ctx.temp)
        shorten_chains(ctx.block, ctx.temp)
        if ctx.float_flags:
            keep_results(ctx.block, tuple(results), ctx.temp)
        variables = used_variables(ctx.block, [*self.slots, *results])
        return ir.Kernel(
            name=self.function.__name__,
            file=self.source.file,
            line=self.source.line,
            parameters=tuple(parameters),
            result=kind,
            body=ctx.block,
            variables={name: machine for name, machine in ctx.variables.items() if name in variables},
            slots=tuple(self.slots),
            results=tuple(results),
            restrict=frozenset() if self.inner_arrays and written else frozenset(self.arrays.values()),
            owners=tuple(name for name in ctx.owners if name in variables),
            exits=dict(ctx.exits),
            facts=tuple(ctx.facts.found.values()),
            written=written,
            read=frozenset(ctx.read) - {-1},
            may_exit_after_write=(ctx.float_flags and bool(written)) or exits_after_store(ctx.block),
            float_flags=ctx.float_flags,
            whole_arrays=ctx.whole_arrays,
            overlaps=overlaps,
            sources=tuple(ctx.sources),
            lookups=tuple(ctx.facts.lookups) if ctx.facts.all_traced else None,
        )


def _assigned(tree: ast.FunctionDef) -> frozenset[str]:
    return frozenset(
        node.id for node in nodes_of(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, (ast.Store, ast.Del))
    )


def _sizes(tree: ast.FunctionDef) -> frozenset[str]:
    """Return the parameters that are lengths by the look of it: in range(n), in [x] * n, in zeros((n, m))."""
    names: set[str] = set()
    for node in nodes_of(tree):
        places: list[ast.expr] = []
        if isinstance(node, ast.Call):
            function = node.func
            called = function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")
            if called == "range" and (len(node.args) == 1 or isinstance(node.args[0], ast.Constant)):
                places = node.args[-1:] if len(node.args) == 1 else node.args[1:2]
            elif called in ("zeros", "ones", "empty", "full"):
                places = node.args[:1]
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult) and isinstance(node.left, ast.List):
            places = [node.right]
        for place in places:
            names |= {n.id for n in nodes_of(place) if isinstance(n, ast.Name)}
    return frozenset(names)
