"""Expressions of random programs, by the type that they have, with holes: see `HOLES`."""

from __future__ import annotations

import re

HOLES = """\
{i} {f} {b} {e}  an int, float, bool, or a number that is, or may be, a NumPy scalar
{x} {a}          an element of an array, an array's name
{I} {k} {m} {z}  literals: in a loop, a distance to shift by, a divisor, 0 or 1
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
    "1e-300",
    "1e300",
    "1e16",
    "math.pi",
    "math.inf",
    "math.nan",
)
SMALL_LITERALS = INT_LITERALS[:8]
COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")

INT_FORMS = (
    "{i} + {i}",
    "{i} - {i}",
    "{i} * {I}",
    "{i} // {i}",
    "{i} % {i}",
    "{i} // (abs({i}) + 1)",
    "{i} % (abs({i}) + 3)",
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
    "int({b})",
    "len({a})",
    "int({e})",
    "divmod({i}, {i})[{z}]",
    "math.floor({f})",
    "round({f})",
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
    "{f} / {f}",
    "{f} / (abs({f}) + 1.0)",
    "{i} / {i}",
    "{f} * {i}",
    "{i} - {f}",
    "{f} + {i}",
    "{f} / {i}",
    "-{f}",
    "abs({f})",
    "{f} // {f}",
    "{f} % {f}",
    "{f} // {i}",
    "{i} % {f}",
    "({f}) ** 2",
    "({f}) ** 3",
    "({f}) ** -1",
    "({f}) ** -2",
    "{f} * {f} + {f}",
    "min({f}, {f})",
    "max({f}, {f})",
    "{f} if {b} else {f}",
    "float({i})",
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
    "math.pow({f}, {f})",
    "math.floor({f}) * 0.5",
    "math.fabs({f})",
    "math.copysign({f}, {f})",
    "math.fmod({f}, {f})",
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
    "{e} {c} {f}",
    "bool({e} {c} {e})",
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
