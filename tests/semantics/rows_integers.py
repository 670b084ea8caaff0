"""Rows about Python's integers: they have no end, and naive compiled ones wrap."""

from __future__ import annotations

from tests.semantics.case import Case, Topic

OVERFLOW = Topic("integers that grow past 64 bits")
WIDE = Topic("integer arguments past 64 bits")
SHIFT = Topic("shifts")
POWER = Topic("integer powers")
BOOL = Topic("arithmetic on bool")
TRUE_DIVISION = Topic("true division of large integers")
MIXED = Topic("comparing int with float")
ZERO = Topic("division of scalars by zero")
ROUNDING = Topic("round, int and floor")

SMALL_PAIRS = ("(7, 3)", "(-7, 3)", "(7, -3)", "(-7, -3)", "(0, 5)", "(1, 1)", "(2**31, 3)", "(-2**31, 7)")
EDGE_PAIRS = (
    "(2**63 - 1, 1)",
    "(2**63 - 1, -1)",
    "(-2**63, -1)",
    "(-2**63, 1)",
    "(-2**63, -2**63)",
    "(2**63 - 1, 2**63 - 1)",
    "(2**62, 2)",
    "(-2**62, 2)",
    "(-2**62, -2)",
    "(3037000500, 3037000500)",
    "(3037000499, 3037000499)",
    "(2**32, -2**31)",
)
FLOATS = ("0.0", "-0.0", "1.5", "-2.5", "5e-324", "1e308", "float('inf')", "-float('inf')", "float('nan')")


def arithmetic() -> list[Case]:
    """Every operator, at the edges."""
    cases = [
        OVERFLOW.expression(f"a {operator} b", "a, b", SMALL_PAIRS, EDGE_PAIRS, promised=True)
        for operator in ("+", "-", "*", "//", "%")
    ]
    cases += [
        OVERFLOW.expression(f"a {operator} b", "a, b", SMALL_PAIRS, EDGE_PAIRS) for operator in ("&", "|", "^", "/")
    ]
    cases += [
        OVERFLOW.expression(text, "a", ("(5,)", "(-5,)", "(0,)"), ("(2**63 - 1,)", "(-2**63,)"), promised=True)
        for text in ("-a", "abs(a)", "a + 1", "a - 1", "a * a", "a * 2 - 1", "-(-a)", "a - a + 1")
    ]
    return cases


CASES: tuple[Case, ...] = (
    *arithmetic(),
    OVERFLOW.expression("a * b // b", "a, b", SMALL_PAIRS, EDGE_PAIRS, promised=True),
    OVERFLOW.expression("(a + b) // 2", "a, b", SMALL_PAIRS, EDGE_PAIRS, promised=True),
    OVERFLOW.expression("a * b % c", "a, b, c", ("(7, 8, 9)",), ("(2**40, 2**40, 1000003)",), promised=True),
    OVERFLOW.expression("divmod(a, b)", "a, b", SMALL_PAIRS, (*EDGE_PAIRS, "(1, 0)")),
    OVERFLOW.function(
        "Fibonacci numbers",
        """
        def f(n):
            a, b = 0, 1
            for _ in range(n):
                a, b = b, a + b
            return a
        """,
        ("(0,)", "(1,)", "(50,)", "(91,)"),
        ("(92,)", "(93,)", "(100,)", "(300,)"),
        promised=True,
    ),
    OVERFLOW.function(
        "factorials",
        """
        def f(n):
            product = 1
            for i in range(1, n + 1):
                product *= i
            return product
        """,
        ("(0,)", "(5,)", "(20,)"),
        ("(21,)", "(25,)", "(40,)"),
        promised=True,
    ),
    OVERFLOW.function(
        "a sum that overflows late, after writes",
        """
        def f(a, step):
            total = 0
            for i in range(len(a)):
                total += step
                a[i] = i
            return total
        """,
        ("(np.zeros(5, np.int64), 3)",),
        ("(np.zeros(5, np.int64), 2**61)", "(np.zeros(5, np.int64), -2**62)"),
        promised=True,
    ),
    OVERFLOW.function(
        "the range of a loop at the edge",
        """
        def f(n, m):
            count = 0
            for i in range(n, m):
                count = count + 1
                last = i + 1
                if count > 4:
                    break
            return count
        """,
        ("(0, 3)", "(3, 0)"),
        ("(2**63 - 3, 2**63 - 1)", "(2**63 - 3, 2**63)", "(-2**63, -2**63 + 2)", "(-2**63 - 1, -2**63 + 2)"),
        promised=True,
    ),
    OVERFLOW.function(
        "a stepped range at the edge",
        """
        def f(start, stop, step):
            last = -1
            for i in range(start, stop, step):
                last = i
            return last
        """,
        ("(0, 10, 3)", "(10, 0, -3)", "(0, 10, -1)", "(5, 5, 1)"),
        (
            "(2**63 - 5, 2**63 - 1, 3)",
            "(2**63 - 5, 2**63 - 1, 2**62)",
            "(-2**63 + 5, -2**63, -3)",
            "(0, 2**63 - 1, 2**62)",
            "(-2**63, 2**63 - 1, 2**63 - 1)",
            "(0, 10, 0)",
        ),
    ),
    OVERFLOW.expression("sum(range(n))", "n", ("(10,)", "(0,)", "(-3,)")),
    OVERFLOW.expression("min(a, b) + max(a, b)", "a, b", SMALL_PAIRS, EDGE_PAIRS),
    OVERFLOW.expression("min(a, b) if a else max(b, a)", "a, b", SMALL_PAIRS, EDGE_PAIRS),
    OVERFLOW.expression("a < b, a <= b, a > b, a >= b, a == b, a != b", "a, b", SMALL_PAIRS, EDGE_PAIRS),
    OVERFLOW.expression("a < b < a + b", "a, b", SMALL_PAIRS, EDGE_PAIRS),
    OVERFLOW.expression("9223372036854775807 + a", "a", ("(0,)", "(-1,)"), ("(1,)",)),
    OVERFLOW.expression("a + 9223372036854775808", "a", (), ("(0,)", "(-1,)")),
    OVERFLOW.expression("-9223372036854775808 - a", "a", (), ("(0,)", "(1,)")),
    OVERFLOW.expression("100000000000000000000 > a", "a", (), ("(0,)", "(1,)")),
    WIDE.expression("a + 1", "a", ("(1,)",), ("(2**63,)", "(2**64 - 1,)", "(2**64,)", "(-2**63 - 1,)", "(10**30,)")),
    WIDE.expression("a // 3 - b", "a, b", ("(1, 2)",), ("(2**63, 1)", "(1, 2**63)", "(2**70, -2**70)")),
    WIDE.expression("a * 1.0", "a", ("(1,)",), ("(2**63,)", "(2**1024,)")),
    WIDE.function(
        "one wide integer in a tuple",
        "def f(t):\n    return t[0] + t[1]",
        ("((1, 2),)",),
        ("((1, 2**63),)", "((2**64, -2**64),)"),
    ),
    WIDE.function(
        "a wide default",
        "def f(a, b=2**70):\n    return a + b",
        (),
        ("(1,)", "(1, 2)"),
    ),
    WIDE.function("a wide global", "BIG = 2**64\ndef f(a):\n    return a + BIG", (), ("(1,)", "(-2**64,)")),
    *(
        SHIFT.expression(
            f"a {operator} b",
            "a, b",
            ("(1, 3)", "(-1, 3)", "(0, 3)", "(5, 0)", "(-8, 1)", "(1, 61)"),
            (
                "(1, 62)",
                "(1, 63)",
                "(1, 64)",
                "(1, 70)",
                "(-1, 63)",
                "(-1, 64)",
                "(0, 64)",
                "(0, 2**62)" if operator == ">>" else "(0, 100)",
                "(3, 62)",
                "(-3, 62)",
                "(2**63 - 1, 1)",
                "(-2**63, 1)",
                "(-2**63, 63)",
                "(-2**63, 64)",
                "(1, -1)",
                "(0, -1)",
            ),
        )
        for operator in ("<<", ">>")
    ),
    SHIFT.function(
        "shifts in place",
        "def f(a, b):\n    a <<= b\n    a >>= 1\n    return a",
        ("(1, 3)",),
        ("(1, 62)", "(1, 63)", "(1, 64)", "(1, -1)"),
    ),
    SHIFT.expression("(a >> 3) & 7", "a", ("(100,)", "(-100,)"), ("(2**63 - 1,)", "(-2**63,)")),
    *(
        POWER.expression(
            f"a ** {power}",
            "a",
            ("(3,)", "(-3,)", "(1,)"),
            (
                "(0,)",
                "(2**31,)",
                "(2**32,)",
                "(-2**31 - 1,)",
                "(2097151,)",
                "(2097152,)",
                "(-2097153,)",
                "(2**63 - 1,)",
            ),
            promised=power in ("2", "3"),
        )
        for power in ("0", "1", "2", "3", "4", "-1", "-2")
    ),
    POWER.expression(
        "a ** b",
        "a, b",
        ("(2, 3)", "(-2, 3)", "(0, 0)", "(7, 0)"),
        (
            "(2, -1)",
            "(2, 62)",
            "(2, 63)",
            "(2, 64)",
            "(-2, 63)",
            "(-2, 64)",
            "(0, -1)",
            "(1, 10**12)",
            "(-1, 10**12 + 1)",
        ),
    ),
    POWER.expression("pow(a, b)", "a, b", ("(2, 3)",), ("(2, -1)", "(2, 64)", "(0, -1)")),
    POWER.expression("pow(a, b, m)", "a, b, m", ("(2, 10, 1000)",), ("(3, 2**40, 2**62)", "(2, -1, 7)", "(2, 3, 0)")),
    POWER.expression("2 ** a", "a", ("(3,)",), ("(-1,)", "(62,)", "(63,)", "(64,)")),
    POWER.expression("(-2) ** a, -2 ** a", "a", ("(3,)", "(2,)"), ("(-1,)", "(62,)", "(63,)", "(64,)")),
    *(
        BOOL.expression(
            text, "a, b", ("(True, True)", "(True, False)", "(False, True)"), ("(False, False)", "(1, True)")
        )
        for text in (
            "a + b",
            "a - b",
            "a * b",
            "a & b",
            "a | b",
            "a ^ b",
            "a << b",
            "a >> b",
            "a // b",
            "a % b",
            "a / b",
            "a < b",
            "a == b",
            "a and b",
            "a or b",
            "not a",
            "a + 1",
            "a * 2.5",
            "a & 3",
            "a == 1",
            "min(a, b)",
            "max(a, 1)",
            "a ** b",
            "int(a) + int(b)",
            "float(a)",
            "a is True",
            "sum((a, b))",
        )
    ),
    *(BOOL.expression(text, "a", (), ("(True,)", "(False,)")) for text in ("-a", "+a", "abs(a)", "round(a)")),
    # Python 3.12 deprecates ~ on bool: compared with all warnings.
    BOOL.expression("~a", "a", (), ("(True,)", "(False,)", "(5,)", "(-2**63,)")),
    BOOL.expression("a > 1", "a", ("(5,)", "(0,)")),
    BOOL.function("a bool as an index", "def f(a, c):\n    return a[c]", (), ("(np.arange(3.0), True)",)),
    BOOL.function(
        "counting with comparisons",
        """
        def f(n):
            count = 0
            for i in range(n):
                count += i % 3 == 0
            return count
        """,
        ("(10,)", "(0,)"),
    ),
    TRUE_DIVISION.expression(
        "a / b",
        "a, b",
        ("(1, 3)", "(-1, 3)", "(0, 3)", "(0, -3)", "(2**53 - 1, 3)", "(10, 5)"),
        (
            "(2**53, 3)",
            "(2**53 + 1, 3)",
            "(2**53 + 1, 1)",
            "(2**62 + 1, 3)",
            "(2**63 - 1, 10)",
            "(2**63 - 1, 2**63 - 1)",
            "(-2**63, -1)",
            "(-2**63, 3)",
            "(3, 2**53 + 1)",
            "(9007199254740993, 9007199254740995)",
            "(4611686018427387905, 3)",
            "(1, 0)",
            "(0, 0)",
        ),
        promised=True,
    ),
    TRUE_DIVISION.expression("a / 10", "a", ("(1,)", "(-7,)"), ("(2**53 + 1,)", "(2**63 - 1,)", "(-2**63,)")),
    TRUE_DIVISION.function(
        "in place", "def f(a, b):\n    a /= b\n    return a", ("(1, 3)",), ("(2**62 + 1, 3)", "(1, 0)")
    ),
    *(
        MIXED.expression(
            f"a {operator} b",
            "a, b",
            ("(1, 1.0)", "(0, -0.0)", "(-1, 0.5)", "(3, float('inf'))", "(3, -float('inf'))", "(3, float('nan'))"),
            (
                "(2**53 + 1, float(2**53))",
                "(2**53, float(2**53))",
                "(2**53 - 1, float(2**53))",
                "(-2**53 - 1, -float(2**53))",
                "(2**63 - 1, 2.0**63)",
                "(-2**63, -2.0**63)",
                "(2**62 + 1, 2.0**62)",
                "(2**63 - 1, 1e300)",
                "(-2**63, -1e300)",
                "(2**63 - 1, float('inf'))",
                "(2**63 - 1, float('nan'))",
                "(1, 5e-324)",
            ),
            promised=True,
        )
        for operator in ("==", "!=", "<", "<=", ">", ">=")
    ),
    MIXED.expression("b < a", "a, b", ("(1, 1.5)",), ("(2**53 + 1, float(2**53))", "(2**63 - 1, 2.0**63)")),
    MIXED.expression("a < b <= a + 1", "a, b", ("(1, 1.5)",), ("(2**53, 2.0**53 + 2)", "(2**63 - 1, 2.0**63)")),
    *(
        MIXED.expression(
            f"a {operator} b",
            "a, b",
            ("(3, 2.5)", "(-3, 2.5)", "(3, -2.5)", "(0, 1.0)", "(3, float('inf'))", "(-3, float('inf'))"),
            (
                "(3, 0.0)",
                "(3, -0.0)",
                "(0, float('nan'))",
                "(2**53 + 1, 1.0)",
                "(2**63 - 1, 3.0)",
                "(-2**63, 3.5)",
                "(1, 5e-324)",
                "(-1, float('inf'))",
            ),
            promised=operator in ("+", "-", "*", "/"),
        )
        for operator in ("+", "-", "*", "/", "//", "%")
    ),
    *(
        ZERO.expression(
            f"a {operator} b",
            "a, b",
            stays,
            tuple(f"({a}, {b})" for a in lefts for b in rights),
            promised=True,
        )
        for operator in ("/", "//", "%")
        for stays, lefts, rights in (
            (("(7, 2)",), ("0", "7", "-7"), ("0",)),
            (("(7.5, 2.0)", "(-7.5, 2.0)", "(7.5, -2.0)"), FLOATS, FLOATS),
            (("(7, 2.0)",), ("0", "7", "-7"), ("0.0", "-0.0")),
            (("(7.0, 2)",), FLOATS, ("0",)),
        )
    ),
    ZERO.expression("divmod(a, b)", "a, b", ("(7.5, 2.0)",), tuple(f"({a}, {b})" for a in FLOATS for b in FLOATS)),
    ZERO.function(
        "after writes to an argument",
        """
        def f(a, b):
            for i in range(len(a)):
                a[i] = 7.0 / (b - i)
            return a[0]
        """,
        ("(np.zeros(4), 9)",),
        ("(np.zeros(4), 3)", "(np.zeros(4), 0)"),
        promised=True,
    ),
    ROUNDING.expression(
        "round(a)", "a", (), tuple(f"({one},)" for one in (*FLOATS, "0.5", "2.5", "-1.5", "1e20", "7"))
    ),
    ROUNDING.expression(
        "round(a, 2)",
        "a",
        (),
        ("(2.675,)", "(-2.675,)", "(1e300,)", "(0.005,)", "(float('nan'),)", "(7,)", "(2**63 - 1,)"),
    ),
    ROUNDING.expression("round(a, -2)", "a", (), ("(150,)", "(250,)", "(-150,)", "(2**63 - 1,)", "(1234.5,)")),
    ROUNDING.expression("round(a, n)", "a, n", (), ("(2.675, 2)", "(1e22, -21)", "(12345, -2)", "(0.5, 400)")),
    *(
        ROUNDING.expression(
            text,
            "a",
            ("(1.5,)", "(-1.5,)", "(0.0,)", "(-0.0,)", "(1e15,)"),
            (
                "(1e18,)",
                "(9.223372036854775e18,)",
                "(2.0**63,)",
                "(-2.0**63,)",
                "(1e20,)",
                "(-1e20,)",
                "(float('nan'),)",
                "(float('inf'),)",
                "(-float('inf'),)",
                "(True,)",
                "(3,)",
            ),
        )
        for text in ("int(a)", "math.floor(a)", "math.ceil(a)", "math.trunc(a)")
    ),
    ROUNDING.expression("int(a / b)", "a, b", ("(7.0, 2.0)",), ("(1e300, 1e-10)", "(1.0, 0.0)")),
    ROUNDING.expression("float(a)", "a", ("(1,)", "(-1,)", "(2**53,)"), ("(2**53 + 1,)", "(2**63 - 1,)", "(-2**63,)")),
)
