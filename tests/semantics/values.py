"""Arguments of random programs, as expressions: ordinary ones, and those at the ends of each type."""

from __future__ import annotations

from tests.semantics.tape import Tape

INTS = ("0", "1", "2", "3", "5", "-1", "-2", "7", "100")
EXTREME_INTS = (
    "2**63 - 1",
    "-2**63",
    "2**62",
    "-2**62",
    "2**31",
    "-2**31 - 1",
    "2**53 + 1",
    "-2**53 - 1",
    "3037000500",
    "2**32",
    "2**63 - 3",
    "4611686018427387903",
    "-4611686018427387904",
)
WIDE_INTS = ("2**63", "-2**63 - 1", "2**70")
"""Past 64 bits: no compiler takes these as they are."""
FLOATS = ("0.0", "1.0", "0.5", "-1.5", "0.1", "3.0", "-7.25", "100.0")
EXTREME_FLOATS = (
    "-0.0",
    "float('nan')",
    "float('inf')",
    "-float('inf')",
    "5e-324",
    "-5e-324",
    "2.2250738585072014e-308",
    "1.7976931348623157e308",
    "-1e308",
    "9007199254740993.0",
    "9.223372036854776e18",
    "-9.223372036854776e18",
    "1e20",
    "709.9",
)
BOOLS = ("False", "True")

DTYPES = (
    "float64",
    "int64",
    "float64",
    "int64",
    "float32",
    "uint8",
    "int32",
    "int8",
    "uint64",
    "bool",
    "int16",
    "uint16",
    "uint32",
)
"""The common ones more often."""

_BITS = {"int8": 8, "int16": 16, "int32": 32, "int64": 64, "uint8": 8, "uint16": 16, "uint32": 32, "uint64": 64}


def elements(dtype: str, extreme: bool) -> tuple[str, ...]:
    """Values that an array of the dtype can hold."""
    if dtype == "bool":
        return BOOLS
    if dtype in _BITS:
        ordinary = ("0", "1", "2", "3", "5", "7", "100")
        if not extreme:
            return ordinary if dtype.startswith("u") else (*ordinary, "-1", "-3")
        bits = _BITS[dtype]
        if dtype.startswith("u"):
            return ("0", "1", str(2**bits - 1), str(2**bits - 2), str(2 ** (bits - 1)))
        return ("0", "-1", str(2 ** (bits - 1) - 1), str(-(2 ** (bits - 1))), str(-(2 ** (bits - 1)) + 1))
    if not extreme:
        return FLOATS
    if dtype == "float32":
        return ("-0.0", "np.nan", "np.inf", "-np.inf", "1e-45", "3.4e38", "-3.4e38", "0.1", "16777217.0")
    return tuple(value.replace("float('nan')", "np.nan").replace("float('inf')", "np.inf") for value in EXTREME_FLOATS)


LAYOUTS = ("np.array",) * 20 + ("every_second", "backwards") * 3 + ("read_only", "misaligned")


def array(tape: Tape, dtype: str, extreme: bool) -> str:
    """A one-dimensional array of up to six elements."""
    length = tape.pick((4, 3, 1, 6, 2, 5, 0) if extreme else (4, 3, 2, 6, 5, 1))
    choices = elements(dtype, extreme)
    values = ", ".join(tape.pick(choices) for _ in range(length))
    return f"{tape.pick(LAYOUTS)}([{values}], '{dtype}')"


def table(tape: Tape, dtype: str, extreme: bool) -> str:
    """A two-dimensional array."""
    rows, columns = tape.pick(((2, 3), (3, 3), (1, 2), (4, 1), (3, 0), (0, 2)))
    choices = elements(dtype, extreme)
    values = ", ".join(tape.pick(choices) for _ in range(rows * columns))
    text = f"np.array([{values}], '{dtype}').reshape({rows}, {columns})"
    return text + tape.pick(("", "", "", ".T", "[::-1, ::2]"))


def scalar(tape: Tape, kind: str, extreme: bool) -> str:
    """A Python scalar, now and then of a type near the one expected."""
    if extreme and not tape.below(16):
        floats = ("np.float64(0.5)", "np.float32(0.1)")
        return tape.pick(floats if kind == "float" else (*floats, "np.int64(3)", "True", "2.5", "3"))
    if kind == "int":
        if extreme and not tape.below(24):
            return tape.pick(WIDE_INTS)
        return tape.pick(EXTREME_INTS if extreme and tape.below(2) else INTS)
    if kind == "float":
        return tape.pick(EXTREME_FLOATS if extreme and tape.below(2) else FLOATS)
    return tape.pick(BOOLS)
