"""Expressions of the intermediate form as C text."""

from __future__ import annotations

import math

from autopar._kernel import ir
from autopar._kernel.types import INT64_MIN

__all__ = ["TYPES", "expression"]

TYPES = {"i64": "i64", "u64": "u64", "f64": "double", "f32": "float", "bool": "bool", "ptr": "char *", "own": "void *"}
_INFIX = {"+", "-", "*", "/", "&", "|", "^", "==", "!=", "&&", "||", "<", "<=", ">", ">="}
_QUIET = {"<": "isless", "<=": "islessequal", ">": "isgreater", ">=": "isgreaterequal"}
_MINUS = {"f64": "ap_minus", "f32": "ap_minus_f32"}
_CASTS = {"i64", "u64", "f64", "f32"}
_INT_FLOAT = {
    "int_float<": "ap_compare({}, {}) == -1",
    "int_float>": "ap_compare({}, {}) == 1",
    "int_float==": "ap_compare({}, {}) == 0",
    "int_float!=": "ap_compare({}, {}) != 0",
    "int_float<=": "ap_compare({}, {}) <= 0",
    "int_float>=": "(ap_compare({0}, {1}) & ~1) == 0",
}
_FORMS = {
    "idiv": "({} / {})",
    "imod": "({} % {})",
    "neg": "(-{})",
    "~": "(~{})",
    "!": "(!{})",
    "?": "({} ? {} : {})",
    "<<": "(i64)((u64){} << {})",
    ">>": "({} >> {})",
    "beyond": "((u64){} >= (u64){})",
    "outside": "({0} < {1} || {0} > {2})",
    "isnan": "__builtin_isnan({})",
    "isinf": "__builtin_isinf({})",
    "isfinite": "__builtin_isfinite({})",
    "copysign": "__builtin_copysign({}, {})",
    "floor": "floor({})",
    "ceil": "ceil({})",
    "trunc": "trunc({})",
    "round_half_even": "rint({})",
    "radians": "({} * (3.141592653589793 / 180.0))",
    "degrees": "({} * (180.0 / 3.141592653589793))",
}


def expression(expr: ir.Expr, quiet: bool) -> str:
    """Return an expression as C; `quiet` comparisons of NaN leave no trace in the floating-point flags."""
    if isinstance(expr, ir.Const):
        return _constant(expr)
    if isinstance(expr, ir.Var):
        return expr.name
    assert isinstance(expr, ir.Op)
    wide = any(arg.machine in ("i64", "u64") and not isinstance(arg, ir.Const) for arg in expr.args)
    args = [expression(arg, quiet) if wide or not isinstance(arg, ir.Const) else _wide(arg) for arg in expr.args]
    name = expr.name
    if name in _QUIET and quiet and expr.args[0].machine in ("f64", "f32"):
        return f"__builtin_{_QUIET[name]}({args[0]}, {args[1]})"
    if name in _INFIX:
        return _infix(expr, args)
    if name == "f32" and expr.args[0].machine == "f64":
        return f"ap_f32({args[0]})"
    if name in _CASTS:
        return f"({TYPES[name]}){args[0]}"
    if name in _INT_FLOAT:
        return f"({_INT_FLOAT[name].format(*args)})"
    if name in ("sqrt", "fabs"):
        return f"__builtin_{name}{'f' if expr.machine == 'f32' else ''}({args[0]})"
    if name == "abs":
        return f"({args[0]} < 0 ? -{args[0]} : {args[0]})"
    if name == "<<" and expr.machine == "u64":
        return f"({args[0]} << {args[1]})"
    if name in _FORMS:
        return _FORMS[name].format(*args)
    return f"ap_{name}({', '.join(args)})"


def _wide(constant: ir.Const) -> str:
    """Return a constant among constants, where ints of C's would make an operation one of 32 bits."""
    text = _constant(constant)
    suffix = {"i64": "LL", "u64": "ULL"}.get(constant.machine, "")
    if not suffix or not -(2**31) < constant.value < 2**31:
        return text
    return f"{text[:-1]}{suffix})" if text.endswith(")") else text + suffix


def _infix(expr: ir.Op, args: list[str]) -> str:
    if expr.name == "-" and expr.machine in _MINUS and isinstance(expr.args[1], ir.Op):
        return f"{_MINUS[expr.machine]}({args[0]}, {args[1]})"
    return f"({f' {expr.name} '.join(args)})"


def _constant(expr: ir.Const) -> str:
    value = expr.value
    if expr.machine == "bool":
        return "true" if value else "false"
    if expr.machine == "own":
        return "NULL"
    if expr.machine in ("i64", "u64"):
        if value == INT64_MIN:
            return "INT64_MIN"
        text = (
            str(int(value)) if abs(value) < 2**31 else f"{'INT64_C' if expr.machine == 'i64' else 'UINT64_C'}({value})"
        )
        return text if value >= 0 else f"({text})"
    return _real(float(value), "f" if expr.machine == "f32" else "")


def _real(value: float, suffix: str) -> str:
    if value != value:
        nan = f'__builtin_nan{suffix}("")'
        return nan if math.copysign(1.0, value) > 0 else f"(-{nan})"
    if value in (float("inf"), float("-inf")):
        return f"(-__builtin_inf{suffix}())" if value < 0 else f"__builtin_inf{suffix}()"
    text = repr(value)
    exact = text if len(text) <= 17 else value.hex()
    return f"({exact}{suffix})" if text.startswith("-") else f"{exact}{suffix}"
