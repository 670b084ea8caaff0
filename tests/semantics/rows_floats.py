"""Rows about floats: what raises in Python and is inf or nan in C, and what another library rounds otherwise."""

from __future__ import annotations

from tests.semantics.case import Case, Topic

POWER = Topic("float powers")
DOMAIN = Topic("domain and range errors of math")
LIBM = Topic("math functions that are the C library's")
OTHER = Topic("math functions that are not, and powers")
BITS = Topic("float arithmetic, bit by bit")
UNIFIED = Topic("int or float by path")

FINITE = ("0.5", "1.0", "-1.0", "2.0", "0.1", "-0.7", "1e-300", "5e-324", "-0.0", "0.0", "3.7", "100.25")
EXTREME = (
    "1e308",
    "-1e308",
    "1e16",
    "1000.0",
    "-1000.0",
    "float('inf')",
    "-float('inf')",
    "float('nan')",
    "-5e-324",
    "709.8",
)
ALL = (*FINITE, *EXTREME)


def calls(values: tuple[str, ...]) -> tuple[str, ...]:
    """One-argument calls."""
    return tuple(f"({value},)" for value in values)


def pairs(lefts: tuple[str, ...], rights: tuple[str, ...]) -> tuple[str, ...]:
    """Two-argument calls."""
    return tuple(f"({a}, {b})" for a in lefts for b in rights)


LIBM_FUNCTIONS = ("sin", "cos", "exp", "tanh")
"""Those the exact fragment promises, and that are defined for every finite number that follows."""

OTHER_FUNCTIONS = (
    "tan",
    "asin",
    "acos",
    "atan",
    "sinh",
    "cosh",
    "asinh",
    "acosh",
    "atanh",
    "expm1",
    "log1p",
    "log2",
    "log10",
    "erf",
    "erfc",
    "gamma",
    "lgamma",
    "cbrt",
    "exp2",
    "fabs",
    "degrees",
    "radians",
    "ulp",
    "isnan",
    "isinf",
    "isfinite",
    "frexp",
    "modf",
)

BINARY_FUNCTIONS = (
    "atan2",
    "fmod",
    "hypot",
    "copysign",
    "pow",
    "remainder",
    "nextafter",
    "ldexp",
    "gcd",
    "dist",
    "isclose",
)

CASES: tuple[Case, ...] = (
    *(
        POWER.expression(
            f"a ** {power}",
            "a",
            calls(("0.5", "1.5", "-1.5", "3.0", "0.1", "1e100")),
            calls((*ALL, "1e200", "-1e200", "1e-200", "7", "0")),
            promised=power in ("2", "3", "-1", "-2"),
        )
        for power in ("2", "3", "-1", "-2", "0.5", "10", "-0.5", "0", "1", "2.0", "-1.0")
    ),
    POWER.expression(
        "a ** b",
        "a, b",
        ("(2.0, 3.0)", "(0.1, 0.3)"),
        (
            *pairs(ALL, ("-1.0", "0.5", "400.0", "-0.0", "3.0", "float('inf')", "float('nan')")),
            "(-8.0, 0.5)",
            "(10.0, 400.0)",
        ),
    ),
    POWER.expression(
        "a ** b", "a, b", ("(2.0, 3)",), pairs(("0.0", "-8.0", "10.0", "-0.0", "0.1"), ("-1", "400", "10", "0"))
    ),
    POWER.expression("a ** b", "a, b", ("(2, 3.0)",), pairs(("0", "-8", "10", "2**53 + 1"), ("-1.0", "400.0", "0.5"))),
    DOMAIN.expression("math.sqrt(a)", "a", calls(("4.0", "2.0", "0.0", "-0.0")), calls(ALL), promised=True),
    DOMAIN.expression(
        "math.log(a)", "a", calls(("4.0", "0.1", "5e-324")), calls((*ALL, "0", "7", "2**70")), promised=True
    ),
    DOMAIN.expression("math.exp(a)", "a", calls(("4.0", "0.1", "-745.2")), calls((*ALL, "3", "1000")), promised=True),
    DOMAIN.expression("math.sqrt(a)", "a", calls(("4", "2", "0")), calls(("-1", "2**53 + 1", "2**63 - 1"))),
    DOMAIN.expression("math.log(a, b)", "a, b", ("(8.0, 2.0)",), ("(8.0, 1.0)", "(0.0, 2.0)", "(8, 2)", "(8.0, -1.0)")),
    *(
        DOMAIN.expression(f"math.copysign(a, {sign})", "a, b", ("(1.5, 2.0)",) if calm else (), leaves)
        for sign, calm, leaves in (
            ("-math.nan", False, ("(1.5, 0.0)",)),
            ("math.nan", False, ("(1.5, 0.0)",)),
            ("b", True, ("(1.5, float('nan'))", "(1.5, -float('nan'))", "(0.5, -0.0)")),
            ("-b", True, ("(1.5, float('nan'))", "(1.5, -float('nan'))")),
            ("math.inf - math.inf", False, ("(1.5, 0.0)",)),
            ("b - b", True, ("(1.5, float('inf'))", "(1.5, -float('inf'))")),
            ("0.0 * b", True, ("(1.5, float('inf'))",)),
        )
    ),
    DOMAIN.expression("math.factorial(a)", "a", (), calls(("5", "20", "21", "-1", "5.0"))),
    DOMAIN.expression("math.isqrt(a)", "a", (), calls(("0", "17", "2**53 + 1", "2**63 - 1", "-1", "4.0"))),
    DOMAIN.expression("math.comb(a, b)", "a, b", (), ("(5, 2)", "(70, 35)", "(5, 7)", "(-1, 2)")),
    DOMAIN.function(
        "a domain error after writes",
        """
        def f(a):
            for i in range(len(a)):
                a[i] = math.sqrt(a[i]) + 1.0
            return a.sum() if len(a) > 100 else 0.0
        """,
        ("(np.array([1.0, 4.0, 9.0]),)", "(np.zeros(0),)"),
        ("(np.array([1.0, 4.0, -9.0]),)", "(np.array([float('nan'), 1.0]),)"),
    ),
    DOMAIN.expression(
        "math.sqrt(a)", "a", (), ("(np.float64(-1.0),)", "(np.float32(4.0),)", "(np.int64(-4),)", "(True,)")
    ),
    DOMAIN.expression("abs(a)", "a", calls(ALL)),
    DOMAIN.expression("-a", "a", calls(ALL)),
    *(LIBM.expression(f"math.{name}(a)", "a", calls(FINITE), calls(EXTREME), promised=True) for name in LIBM_FUNCTIONS),
    LIBM.expression("math.atan2(a, b)", "a, b", pairs(FINITE, FINITE), pairs(ALL, EXTREME), promised=True),
    LIBM.expression("math.pow(a, b)", "a, b", ("(2.0, 0.5)", "(0.1, 7.3)"), pairs(ALL, ALL), promised=True),
    LIBM.function(
        "from math import", "from math import sin, pi\ndef f(a):\n    return sin(a) * pi", calls(FINITE), calls(EXTREME)
    ),
    LIBM.function(
        "import as",
        "import math as m\ndef f(a):\n    return m.sin(a) * m.pi + m.e - m.inf if a > 1.0 else m.nan",
        calls(FINITE),
        calls(EXTREME),
    ),
    *(
        OTHER.expression(f"math.{name}(a)", "a", (), calls((*ALL, "1.0", "-0.5", "3", "171.0", "172.0")))
        for name in OTHER_FUNCTIONS
    ),
    *(
        OTHER.expression(
            f"math.{name}(a, b)",
            "a, b",
            (),
            (
                *pairs(("7.5", "-7.5", "0.0", "-0.0", *EXTREME), ("2.0", "-2.0", "0.0", "-0.0", *EXTREME)),
                "(6, 4)",
                "(6, 0)",
            ),
        )
        for name in BINARY_FUNCTIONS
    ),
    OTHER.expression("math.hypot(a, b, a)", "a, b", (), ("(1.0, 2.0)", "(1e200, 1e200)", "(5e-324, 5e-324)")),
    OTHER.expression("math.fma(a, b, a)", "a, b", (), ("(0.1, 10.0)",)),
    OTHER.function(
        "math.fsum", "def f(a):\n    return math.fsum(a)", (), ("(np.array([1e100, 1.0, -1e100]),)", "([0.1] * 10,)")
    ),
    OTHER.function(
        "math.prod", "def f(a):\n    return math.prod(a)", (), ("((1, 2, 3),)", "((2**62, 2),)", "((0.1, 3),)")
    ),
    *(
        BITS.expression(
            text, "a, b", (*pairs(FINITE, ("1.5", "-0.1", "3.0")), *pairs(ALL, ("1.5", "-7.0"))), promised=True
        )
        for text in (
            "a + b",
            "a - b",
            "a * b",
            "a * b + a",
            "a + b - a",
            "-a * b",
            "(a + b) + 1.0",
            "a * b - b * a",
            "a / 3.0",
        )
    ),
    *(
        BITS.expression(text, "a, b", pairs(FINITE, ("1.5", "-0.1")), pairs(ALL, ALL))
        for text in (
            "a // b",
            "a % b",
            "a / b",
            "a + b",
            "a - b",
            "a * b",
            "a == b",
            "a < b",
            "a != b",
            "a >= b",
            "not a < b",
        )
    ),
    BITS.expression("a + 0.0, a - 0.0, 0.0 - a, a * 1.0, a * 0.0, a - a", "a", calls(ALL)),
    BITS.expression(
        "0.0 - n, n * 0.0 - n, 0.0 - abs(a), a * 0.0 - float(n), n + 0.0",
        "n, a",
        pairs(("0", "3", "-7"), ("0.0", "-0.0", "2.5")),
        promised=True,
    ),
    BITS.expression("0.1 + 0.2 + a, a + 0.1 + 0.2", "a", calls(ALL)),
    BITS.expression("a * 0.1 + a * 0.2", "a", calls(FINITE), calls(EXTREME)),
    BITS.expression("a if a == a else 0.0", "a", calls(ALL)),
    BITS.expression("bool(a), not a, a and 1.0, a or 2.0", "a", calls(ALL)),
    *(
        BITS.expression(text, "a, b", (), pairs(ALL, ("0.0", "-0.0", "1.0", "float('nan')")))
        for text in ("min(a, b)", "max(a, b)", "min(a, b, 0.0)", "max(0.0, a, b)", "a if a < b else b")
    ),
    BITS.function(
        "a sum in order",
        """
        def f(n, x):
            total = 0.0
            for i in range(n):
                total += x * i
                total -= x / (i + 1)
            return total
        """,
        ("(10, 0.1)", "(0, 1.0)", "(100, -1e-3)", "(50, 1e300)"),
        ("(5, float('nan'))", "(5, float('inf'))"),
        promised=True,
    ),
    BITS.function(
        "denormal numbers",
        "def f(n):\n    x = 1.0\n    for i in range(n):\n        x = x * 0.5\n    return x, x == 0.0",
        ("(1070,)", "(1074,)", "(1075,)", "(0,)"),
    ),
    UNIFIED.expression(
        "min(a, b)", "a, b", (), ("(1, 2.5)", "(3, 2.5)", "(2, 2.0)", "(2.0, 2)", "(True, 1.0)", "(1, True)")
    ),
    UNIFIED.expression(
        "max(a, b, 2)", "a, b", (), ("(1, 2.5)", "(3, 2.5)", "(2, 2.0)", "(2.0, 2)", "(1, float('nan'))")
    ),
    UNIFIED.expression("max(0, a)", "a", (), calls(ALL)),
    UNIFIED.expression("1 if c else 2.5", "c", (), ("(True,)", "(False,)", "(1,)")),
    UNIFIED.expression("a and b", "a, b", (), ("(0, 2.5)", "(1, 2.5)", "(0.0, 1)", "(True, 5)", "(False, 5)")),
    UNIFIED.expression("a or b", "a, b", (), ("(0, 2.5)", "(1, 2.5)", "(0.0, 1)", "(True, 5)", "(False, 5)")),
    UNIFIED.function(
        "an int that becomes a float",
        "def f(n):\n    s = 0\n    for i in range(n):\n        s += 0.5\n    return s",
        (),
        ("(0,)", "(1,)", "(5,)"),
    ),
    UNIFIED.function(
        "a float that becomes an int",
        "def f(n):\n    s = 0.5\n    for i in range(n):\n        s = i\n    return s",
        (),
        ("(0,)", "(1,)", "(5,)"),
    ),
    UNIFIED.function(
        "a name of two types in two branches",
        "def f(c, a):\n    if c:\n        x = a\n    else:\n        x = a / 2\n    return x * 2",
        (),
        ("(True, 3)", "(False, 3)", "(True, 2**62)"),
    ),
    UNIFIED.function(
        "two kinds of return",
        "def f(a):\n    if a > 0:\n        return a\n    return 0.0",
        (),
        ("(1,)", "(0,)", "(-5,)"),
    ),
    UNIFIED.function("no value on one path", "def f(a):\n    if a > 0:\n        return a", (), ("(1,)", "(0,)")),
    UNIFIED.function(
        "a sum of array elements",
        "def f(a):\n    s = 0\n    for x in a:\n        s += x\n    return s",
        (),
        ("(np.zeros(0),)", "(np.array([0.5, -0.0]),)", "(np.zeros(0, np.int64),)", "(np.array([2**62] * 2),)"),
    ),
    UNIFIED.function(
        "a float sum of array elements",
        "def f(a):\n    s = 0.0\n    for i in range(len(a)):\n        s += a[i]\n    return s",
        ("(np.array([0.5, 0.25]),)",),
        ("(np.zeros(0),)", "(np.array([1e308, 1e308]),)"),
        promised=True,
    ),
)
