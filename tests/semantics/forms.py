"""Expressions of random programs, by the type that they have, with holes: see `HOLES`."""

from __future__ import annotations

import re

HOLES = """\
{i} {f} {b} {e}  an int, float, bool, or a number that is, or may be, a NumPy scalar
{x} {a}          an element of an array, an array's name
{I} {k} {m} {z}  literals: in a loop, a distance to shift by, a divisor, 0 or 1
{d} {D}          a divisor, an int or a float, mostly not zero
{c}              a comparison
{gi} {gf}        a call of a helper that gives an int, a float
"""

INT_LITERALS = (
    "1",
    "0",
    "2",
    "3",
    "-1",
    "5",
    "10",
    "7",
    "255",
    "1000003",
    "2**31",
    "2**62",
    "9223372036854775807",
    "-2**63",
)
FLOAT_LITERALS = (
    "1.0",
    "0.5",
    "0.0",
    "-0.0",
    "2.0",
    "0.1",
    "-1.5",
    "3.25",
    "1e-300",
    "1e300",
    "1e16",
    "math.pi",
    "math.inf",
    "math.nan",
    "5e-324",
)
SMALL_INTS, SMALL_FLOATS = INT_LITERALS[:8], FLOAT_LITERALS[:8]
COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")

INT_FORMS = (
    "{i} + {i}",
    "{i} - {i}",
    "{i} * {I}",
    "{i} + {i}",
    "{i} // {d}",
    "{i} % {d}",
    "{i} - {i} * {I}",
    "-{i}",
    "abs({i})",
    "{i} & {i}",
    "{i} | {i}",
    "{i} ^ {i}",
    "~{i}",
    "{i} << {k}",
    "{i} >> {k}",
    "({i}) ** 2 % {m}",
    "({i}) ** 3 % {m}",
    "({i} * {i}) % {m}",
    "({i} * {i} + {i}) & 65535",
    "min({i}, {i})",
    "max({i}, {i}, {i})",
    "{i} if {b} else {i}",
    "int({f})",
    "int({f} % 1000.0)",
    "int({b})",
    "len({a})",
    "int({e})",
    "int({e})",
    "divmod({i}, {d})[{z}]",
    "math.floor({f})",
    "math.floor({f} % 100.0)",
    "round({f} % 100.0)",
    "sum(({i}, {i}))",
    "{gi}",
    "{i} + {b}",
    "{i} // {m} + {i} % {m}",
    "{i} // 2",
    "{i} % 10",
)
FLOAT_FORMS = (
    "{f} + {f}",
    "{f} - {f}",
    "{f} * {f}",
    "{f} / {D}",
    "{i} / {d}",
    "{f} * {i}",
    "{i} - {f}",
    "{f} + {i}",
    "{f} / {d}",
    "-{f}",
    "abs({f})",
    "{f} // {D}",
    "{f} % {D}",
    "{f} // {d}",
    "{i} % {D}",
    "({f}) ** 2",
    "({f}) ** 3",
    "({D}) ** -1",
    "({D}) ** -2",
    "{f} * {f} + {f}",
    "min({f}, {f})",
    "max({f}, {f})",
    "{f} if {b} else {f}",
    "float({i})",
    "float({e})",
    "float({e})",
    "math.sqrt(abs({f}))",
    "math.sqrt({f})",
    "math.sin({f})",
    "math.cos({f})",
    "math.exp(-abs({f}))",
    "math.log(abs({f}) + 0.1)",
    "math.exp({f})",
    "math.log({f})",
    "math.tanh({f})",
    "math.atan2({f}, {f})",
    "math.pow(abs({f}), 0.7)",
    "math.floor({f} % 10.0) * 0.5",
    "math.fabs({f})",
    "math.copysign({f}, {f})",
    "math.fmod({f}, {D})",
    "{gf}",
)
BOOL_FORMS = (
    "{i} {c} {i}",
    "{f} {c} {f}",
    "{i} {c} {f}",
    "{f} {c} {i}",
    "{i} {c} {i} {c} {i}",
    "{f} {c} {f} {c} {i}",
    "{b} and {b}",
    "{b} or {b}",
    "not {b}",
    "bool({i})",
    "bool({f})",
    "bool({e} {c} {i})",
    "bool({e} {c} {f})",
    "bool({e} {c} {e})",
    "{e} {c} {e}",
    "{b} == {b}",
    "{i} % 2 == 0",
    "math.isnan({f})",
)
ELEMENT_FORMS = (
    "{x}",
    "{x}",
    "{x}",
    "{e} + {e}",
    "{e} - {e}",
    "{e} * {e}",
    "{e} * {f}",
    "{e} + {i}",
    "-{e}",
    "{e} / {e}",
    "{e} // {i}",
    "{e} % {e}",
    "abs({e})",
    "{f} - {e}",
    "{e} ** 2",
    "min({e}, {e})",
    "{e} if {b} else {e}",
    "int({e}) & {i}",
    "{i} - {e}",
)

ELEMENT_FORMS_OF_LISTS = tuple(
    form.replace("{e} * {e}", "{e} + {e}").replace("{e} ** 2", "{e}") for form in ELEMENT_FORMS
)
"""Without those that make integers of lists grow without end in a loop."""

ATOM = re.compile(r"[\w.]+|[\w.]+\([^()]*\)|\w+\[[^\[\]]*\]")
"""What needs no brackets inside an expression."""
