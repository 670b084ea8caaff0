"""Machine types as LLVM has them, and conversions between them as C does them."""

from __future__ import annotations

from typing import Any

from llvmlite import ir as ll

Value = Any
"""A value of LLVM's, which llvmlite gives no static type."""

BIT, BYTE, INT32, INT64 = (ll.IntType(bits) for bits in (1, 8, 32, 64))
FLOAT, DOUBLE = ll.FloatType(), ll.DoubleType()
ADDRESS = BYTE.as_pointer()
TYPES = {"i64": INT64, "u64": INT64, "f64": DOUBLE, "f32": FLOAT, "bool": BIT, "ptr": ADDRESS, "own": ADDRESS}
ELEMENTS = {
    "bool": BYTE,
    "float32": FLOAT,
    "float64": DOUBLE,
    **{f"{sign}int{bits}": ll.IntType(bits) for sign in ("", "u") for bits in (8, 16, 32, 64)},
}
FLOATS = ("f64", "f32")


def number(value: int) -> Value:
    """A 64-bit constant."""
    return ll.Constant(INT64, value)


def constant(machine: str, value: int | float | bool) -> Value:
    """A constant of a machine type; of addresses there is only that of nothing."""
    if machine in ("ptr", "own"):
        return ll.Constant(ADDRESS, None)
    if machine in FLOATS:
        return ll.Constant(TYPES[machine], float(value))
    return ll.Constant(TYPES[machine], int(value))


def convert(builder: Any, value: Value, have: str, want: str) -> Value:
    """A number of one machine type as another."""
    if have == want or {have, want} <= {"i64", "u64"} or {have, want} <= {"ptr", "own"}:
        return value
    if want == "bool":
        zero = constant(have, 0)
        return builder.fcmp_unordered("!=", value, zero) if have in FLOATS else builder.icmp_signed("!=", value, zero)
    if have in FLOATS:
        if want in FLOATS:
            return builder.fpext(value, DOUBLE) if want == "f64" else builder.fptrunc(value, FLOAT)
        return builder.fptosi(value, INT64) if want == "i64" else builder.fptoui(value, INT64)
    if want in FLOATS:
        return (builder.sitofp if have == "i64" else builder.uitofp)(value, TYPES[want])
    return builder.zext(value, INT64)


def loaded(builder: Any, dtype: str, place: Value, want: str) -> Value:
    """The element of a dtype at an address, as a machine type."""
    value = builder.load(builder.bitcast(place, ELEMENTS[dtype].as_pointer()))
    if dtype == "float64":
        return convert(builder, value, "f64", want)
    if dtype == "float32":
        return convert(builder, value, "f32", want)
    if dtype == "bool" or (want == "bool" and value.type == BYTE):
        return convert(builder, builder.icmp_unsigned("!=", value, ll.Constant(BYTE, 0)), "bool", want)
    if value.type.width < INT64.width:
        value = (builder.zext if dtype[0] == "u" else builder.sext)(value, INT64)
    return convert(builder, value, "u64" if dtype == "uint64" else "i64", want)


def store(builder: Any, dtype: str, place: Value, value: Value, have: str) -> None:
    """Write a number of a machine type as an element of a dtype."""
    if dtype in ("float64", "float32"):
        value = convert(builder, value, have, "f64" if dtype == "float64" else "f32")
    else:
        value = convert(builder, value, have, "i64")
        if ELEMENTS[dtype].width < INT64.width:
            value = builder.trunc(value, ELEMENTS[dtype])
    builder.store(value, builder.bitcast(place, ELEMENTS[dtype].as_pointer()))
