"""Rows about NumPy: promotion, scalars, stores, reductions, layouts; indices and overlap are in `indices.txt`."""

from __future__ import annotations

from tests.semantics.case import Case, Topic

ZERO = Topic("division of NumPy elements by zero")
NARROW = Topic("promotion of narrow integers")
FLOAT32 = Topic("float32 stays float32")
WIDE = Topic("promotion of mixed kinds")
STORE = Topic("stores into integer arrays")
REDUCE = Topic("NumPy reductions")
UFUNC = Topic("NumPy functions of arrays and scalars")
SIGN = Topic("signs of zeros in NumPy functions")
RETURNED = Topic("NumPy scalars that are returned")
LAYOUT = Topic("layouts and dtypes of arrays")

INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
DTYPES = (*INTEGERS, "float32", "float64", "bool")

KNOWN_ANYWAY = (
    "n += 1 if q / q < 1.0 and (1.0 < 1.0 < n) else 2",
    "n += 1 if q / q < 1.0 or 1.0 < 2.0 else 2",
    "n += 1 if n >= 0 and (q / q < 1.0 and 1.0 < 1.0) else 2",
    "n += 1 if n >= 0 and (q / q < q / q) else 2",
    "n += 1 if n >= 0 and q / q < 1.0 and n < -1 and n > 5 else 2",
    "n += 1 if not (bool(q / q < 1.0) and False) else 2",
    "n += 3 if bool(q / q < 1.0) else 3",
    "n += bool(q / q < 1.0) * 0",
    "n += bool(q / q < 1.0) & False",
    "n += bool(q / q < 1.0) - bool(q / q < 1.0)",
    "n += int(bool(q / q < 1.0)) // 4",
    "n += int(bool(q / q < 1.0)) ** 0",
    "n += bool(q / q < 1.0) == 5",
    "n += int(bool(q / q < 1.0)) + 3 < 2",
    "n += bool(q / q < 1.0) in (5, 6)",
    "n += (q / q < 1.0) is None",
    "n += (bool(q / q < 1.0), 1)[1]",
    "n += len((q / q, 1))",
    "for i in range(5): n += int(bool(a[i] / a[i] < 1.0) and n < -5 and n > 5)",
    "for i in range(5): n += int(not (a[i] / a[i] < 1.0 and n < -100))",
    "for i in range(5): n += bool(a[i] / a[i] < 1.0) * 0",
    "for i in range(5): n += int(bool(a[i] / a[i] < 1.0)) + 3 < 2",
    "for i in range(5): n += (a[i] / a[i], 1)[1]",
    "while bool(q / q < 1.0) and n < 0 and n > 5: n += 1",
)
"""Lines whose outcome is certain whatever the division gives, of which NumPy warns all the same."""

ELEMENTS = "np.array([0, 1, 7, 100], '{}')"
EDGES = "np.array([np.iinfo('{0}').min, np.iinfo('{0}').max, 3, 1], '{0}')"
SPECIAL = "np.array([np.nan, np.inf, -np.inf, -0.0, 5e-324, 1e38, 0.1], '{}')"


def array(dtype: str) -> str:
    """An array with the dtype's extremes."""
    if dtype == "bool":
        return "np.array([True, False, True, True])"
    return (EDGES if dtype in INTEGERS else SPECIAL).format(dtype)


def elements(text: str) -> tuple[str, ...]:
    """Calls of ``f(a)`` on arrays of each dtype, ordinary and extreme."""
    plain = tuple(f"({ELEMENTS.format(dtype)},)" for dtype in DTYPES)
    return (*plain, *(f"({array(dtype)},)" for dtype in DTYPES)) if text else ()


CASES: tuple[Case, ...] = (
    *(
        ZERO.expression(
            f"a[0] {operator} a[1]",
            "a",
            (),
            (
                *(f"(np.array([7, 0], '{dtype}'),)" for dtype in DTYPES),
                *(f"(np.array([0, 0], '{dtype}'),)" for dtype in DTYPES),
                *(f"(np.array([np.iinfo('{dtype}').min, -1], '{dtype}'),)" for dtype in INTEGERS[:4]),
                "(np.array([-7.5, -0.0]),)",
                "(np.array([np.inf, np.inf]),)",
                "(np.array([np.nan, 0.0]),)",
            ),
        )
        for operator in ("/", "//", "%", "**")
    ),
    ZERO.expression("a[0] / b", "a, b", (), ("(np.array([7.0]), 0)", "(np.array([7.0]), 0.0)", "(np.array([7]), 0)")),
    ZERO.expression("b / a[0]", "a, b", (), ("(np.array([0.0]), 1)", "(np.array([0.0]), 1.0)", "(np.array([0]), 1)")),
    ZERO.expression(
        "b // a[0], b % a[0]", "a, b", (), ("(np.array([0.0]), 1)", "(np.array([0]), 1)", "(np.array([3]), 10)")
    ),
    ZERO.function(
        "in a loop with a store",
        "def f(a, b):\n    for i in range(len(a)):\n        a[i] = a[i] / b[i]",
        ("(np.array([1.0, 2.0]), np.array([4.0, 5.0]))",),
        ("(np.array([1.0, 2.0]), np.array([4.0, 0.0]))", "(np.array([0.0, 2.0]), np.array([0.0, 0.0]))"),
    ),
    *(
        ZERO.function(
            f"known without it: {line}",
            f"def f(a, n):\n    q = a[0]\n    {line}\n    return n",
            ("(np.ones(8), 0)",),
            ("(np.zeros(8), 0)",),
            promised=True,
        )
        for line in KNOWN_ANYWAY
    ),
    ZERO.function(
        "divided by a Python scalar after a write",
        "def f(a, d):\n    for i in range(len(a)):\n        a[i] = float(a[i]) / d\n        d = d - 1.0",
        ("(np.array([1.0, 2.0]), 4.0)",),
        ("(np.array([1.0, 2.0]), 1.0)",),
        promised=True,
    ),
    *(
        NARROW.expression(text, "a", (), elements(text))
        for text in (
            "a[3] + 200",
            "a[3] + a[3]",
            "a[1] - a[0]",
            "a[1] * a[2]",
            "-a[1]",
            "~a[1]",
            "abs(a[0])",
            "a[2] // a[3]",
            "a[2] % a[3]",
            "a[2] / a[3]",
            "a[2] ** 2",
            "a[1] << 1",
            "a[1] >> 1",
            "a[0] & 3",
            "a[0] | a[1]",
            "a[0] ^ 1",
            "a[0] < a[1]",
            "a[0] == 0",
            "a[0] < 2.5",
            "a[1] + 1.5",
            "a[1] + True",
            "a[0] + 2**40",
            "a[3] + -1",
            "a[3] * 1000",
            "a[0] and a[1]",
            "not a[0]",
            "a[0] if a[1] > a[2] else a[3]",
            "min(a[0], a[1])",
            "max(a[0], 5)",
            "int(a[1]) + int(a[1])",
            "float(a[1]) * 0.1",
            "bool(a[0])",
            "round(a[1])",
            "math.sqrt(abs(a[3]))",
            "a[0] + a[1] + a[2]",
            "sum(a)",
        )
    ),
    NARROW.function(
        "uint8 array plus 200", "def f(a):\n    return a + 200", (), ("(np.array([100], np.uint8),)", "(np.arange(3),)")
    ),
    NARROW.function(
        "in place on elements",
        "def f(a):\n    for i in range(len(a)):\n        a[i] += 200\n        a[i] *= 3",
        (),
        elements("a"),
    ),
    NARROW.function(
        "a sum of narrow elements",
        "def f(a):\n    s = a[0]\n    for i in range(1, len(a)):\n        s = s + a[i]\n    return s",
        (),
        elements("s"),
    ),
    NARROW.function(
        "differences as Python integers",
        "def f(a):\n    s = 0\n    for i in range(1, len(a)):\n        s += abs(int(a[i]) - int(a[0]))\n    return s",
        tuple(f"({ELEMENTS.format(dtype)},)" for dtype in INTEGERS),
        elements("s"),
    ),
    *(
        FLOAT32.expression(
            text,
            "a",
            (),
            (
                "(np.array([0.1, 3.3, 1e30], 'float32'),)",
                "(np.array([1e38, 1e10, -1.0], 'float32'),)",
                "(np.arange(3),)",
            ),
        )
        for text in (
            "a[0] * 2.0",
            "a[0] + 0.1",
            "a[0] + 1",
            "a[0] * a[1]",
            "a[0] / 3",
            "a[0] + True",
            "a[0] * 2**40",
            "a[0] * 1e300",
            "a[2] * a[1] + a[0]",
            "float(a[0]) * 0.1",
            "a[0] ** 2",
            "a[0] == 0.1",
            "a[0] < 0.1",
            "math.sin(a[0])",
            "a[0] // a[1], a[0] % a[1]",
            "int(a[1])",
            "-a[0]",
            "round(a[1])",
        )
    ),
    FLOAT32.function(
        "a sum of float32 that starts as a float",
        "def f(a):\n    s = 0.0\n    for x in a:\n        s += x\n    return s",
        (),
        ("(np.array([0.1, 3.3, 1e30], 'float32'),)", "(np.zeros(0, 'float32'),)"),
    ),
    FLOAT32.function(
        "stored and read again",
        "def f(a, b):\n    for i in range(len(a)):\n        a[i] = a[i] * 0.1 + b\n    return a[0]",
        (),
        ("(np.array([0.1, 3.3], 'float32'), 0.2)", "(np.array([0.1, 3e38], 'float32'), 1e300)"),
    ),
    FLOAT32.function(
        "a double rounded on the way in",
        "def f(a, b):\n    a[0] = b\n    return float(a[0])",
        ("(np.zeros(1, 'float32'), 0.1)",),
        (
            "(np.zeros(1, 'float32'), 1e300)",
            "(np.zeros(1, 'float32'), float('nan'))",
            "(np.zeros(1, 'float32'), 3)",
            "(np.zeros(1, 'float32'), 2**62 + 1)",
            "(np.zeros(1, 'float32'), 16777217)",
            "(np.zeros(1, 'float32'), 1e-46)",
            "(np.zeros(1, 'float32'), True)",
        ),
    ),
    *(
        WIDE.expression(
            text,
            "a, b",
            (),
            tuple(
                f"({array(left)}, {array(right)})"
                for left, right in (
                    ("int64", "uint64"),
                    ("uint64", "int64"),
                    ("int8", "uint8"),
                    ("int32", "float32"),
                    ("int16", "float32"),
                    ("uint32", "int64"),
                    ("float32", "float64"),
                    ("bool", "int8"),
                    ("bool", "float32"),
                    ("int64", "float64"),
                    ("uint8", "uint16"),
                )
            ),
        )
        for text in (
            "a[0] + b[0]",
            "a[1] * b[2]",
            "a[0] < b[0]",
            "a[1] == b[1]",
            "a[1] - b[0]",
            "a[2] / b[2]",
            "a[2] // b[3]",
        )
    ),
    WIDE.function("np.sqrt of int8", "def f(a):\n    return np.sqrt(a)", (), ("(np.array([4], np.int8),)",)),
    WIDE.function("np.sqrt of an element", "def f(a):\n    return np.sqrt(a[0])", (), elements("a")),
    *(
        STORE.function(
            f"into {dtype}",
            "def f(a, v):\n    a[1] = 1\n    a[0] = v\n    return a[0]",
            (f"(np.zeros(2, '{dtype}'), 1)",),
            tuple(
                f"(np.zeros(2, '{dtype}'), {value})"
                for value in (
                    "-1",
                    "127",
                    "128",
                    "255",
                    "256",
                    "300",
                    "2**31",
                    "2**32",
                    "2**63 - 1",
                    "2**63",
                    "2**64 - 1",
                    "2**64",
                    "-2**63",
                    "1.9",
                    "-1.9",
                    "300.5",
                    "1e20",
                    "-1e20",
                    "float('nan')",
                    "float('inf')",
                    "True",
                    "np.int8(-1)",
                    "np.uint8(200)",
                    "np.int64(300)",
                    "np.float64(1e20)",
                    "np.float32(2.5)",
                )
            ),
        )
        for dtype in DTYPES
    ),
    STORE.function(
        "an overflow in the middle of a fill",
        "def f(a):\n    for i in range(len(a)):\n        a[i] = i * 100\n",
        ("(np.zeros(2, np.int8),)", "(np.zeros(300, np.int64),)"),
        ("(np.zeros(5, np.int8),)", "(np.zeros(5, np.uint8),)", "(np.zeros(400, np.int16),)"),
    ),
    STORE.function("a read-only array", "def f(a):\n    a[0] = 1.0", (), ("(read_only([0.0]),)", "(np.zeros(1),)")),
    STORE.function("an array of nothing", "def f(a):\n    a[0] = 1.0", (), ("(np.zeros(0),)",)),
    *(
        REDUCE.expression(
            text,
            "a",
            (),
            (
                "(np.arange(100.0) / 7,)",
                "(np.zeros(0),)",
                "(np.array([1e100, 1.0, -1e100] * 50),)",
                "(np.arange(5),)",
                "(np.array([np.nan, 1.0]),)",
                "(np.arange(12.0).reshape(3, 4) / 7,)",
                "(np.arange(300, dtype=np.uint8),)" if "arange(300" in text else "(np.arange(200, dtype=np.uint8),)",
            ),
        )
        for text in (
            "np.sum(a)",
            "a.sum()",
            "np.mean(a)",
            "a.mean()",
            "np.var(a)",
            "a.std()",
            "np.linalg.norm(a)",
            "a.min()",
            "a.max()",
            "np.prod(a)",
            "a.cumsum()",
            "a.argmax()",
            "np.dot(a, a.T)",
            "a @ a.T",
            "a.any()",
            "np.median(a)",
        )
    ),
    REDUCE.expression("sum([a, 0.1, 0.2, 0.3])", "a", (), ("(0.1,)", "(1e100,)", "(float('inf'),)", "(1,)")),
    REDUCE.expression("sum((a, b, a))", "a, b", (), ("(1e100, 1.0)", "(0.1, 0.2)", "(2**62, 2**62)", "(-0.0, -0.0)")),
    REDUCE.expression(
        "sum(a)", "a", (), ("([0.1] * 10,)", "((0.1, 0.2, 0.3),)", "(np.full(10, 0.1),)", "([1, 2],)", "([],)")
    ),
    REDUCE.expression("sum(a, 0.5)", "a", (), ("([0.1] * 10,)", "(np.full(10, 0.1),)", "([-0.0],)")),
    REDUCE.expression("sum(x * x for x in a)", "a", (), ("([0.1] * 10,)", "(np.full(10, 0.1),)", "([1, 2],)")),
    REDUCE.expression("sum(i * 0.1 for i in range(n))", "n", (), ("(10,)", "(0,)", "(1000,)")),
    *(
        UFUNC.expression(
            f"np.{name}(a)",
            "a",
            (),
            (
                "(np.linspace(-3, 3, 41),)",
                "(np.linspace(0.1, 3, 41, dtype=np.float32),)",
                "(0.7,)",
                "(np.float64(0.7),)",
                "(np.float64(-0.0),)",
                "(3,)",
                "(np.arange(3),)",
                "(np.array([np.nan, np.inf, 0.0, -0.0]),)",
            ),
        )
        for name in (
            "exp",
            "log",
            "tanh",
            "cbrt",
            "sin",
            "cos",
            "sqrt",
            "abs",
            "floor",
            "rint",
            "square",
            "sign",
            "log1p",
            "arctan",
            "isnan",
            "negative",
        )
    ),
    UFUNC.expression("np.power(a, 1.7)", "a", (), ("(np.linspace(0, 3, 41),)", "(0.7,)", "(np.float64(0.7),)")),
    UFUNC.expression("a[0] ** 1.7", "a", (), ("(np.array([0.7]),)", "(np.array([-0.7]),)", "(np.array([3]),)")),
    UFUNC.expression("np.arctan2(a, b)", "a, b", (), ("(0.7, -1.0)", "(np.arange(5.0), np.arange(5.0) - 2)")),
    UFUNC.expression(
        "a + b",
        "a, b",
        (),
        ("(np.arange(3.0), 1)", "(np.arange(3.0), np.arange(3.0))", "(np.arange(3.0), np.arange(2.0))"),
    ),
    UFUNC.expression("np.where(a > 0, a, 0.0)", "a", (), ("(np.linspace(-1, 1, 7),)", "(-0.0,)")),
    UFUNC.expression("np.clip(a, 0, 1)", "a", (), ("(np.linspace(-1, 2, 7),)", "(0.5,)", "(np.arange(4),)")),
    *(
        SIGN.expression(text, "a, b", (), tuple(f"({a}, {b})" for a in ZEROS for b in ZEROS))
        for ZEROS in (("0.0", "-0.0", "float('nan')", "1.0"),)
        for text in (
            "np.maximum(a, b)",
            "np.minimum(a, b)",
            "np.sign(a)",
            "np.abs(a)",
            "max(a, b)",
            "min(a, b)",
            "a + b",
            "a * b",
        )
    ),
    SIGN.expression("np.maximum(a, b)", "a, b", (), ("(np.array([0.0, -0.0]), np.array([-0.0, 0.0]))",)),
    SIGN.expression("max(a[0], a[1])", "a", (), ("(np.array([0.0, -0.0]),)", "(np.array([-0.0, 0.0]),)")),
    *(
        RETURNED.expression(text, "a", (), elements(text))
        for text in (
            "a[0]",
            "a[-1]",
            "(a[0], a[1])",
            "a[0], 1",
            "[a[0]]",
            "a[0] == a[0]",
            "a[1] > 2",
            "a[0] + 0",
            "a.item(0)",
            "len(a)",
        )
    ),
    RETURNED.expression(
        "a[0]", "a", (), ("(np.arange(4.0).reshape(2, 2),)", "(np.array(3.0),)", "(np.array([3], '>i4'),)")
    ),
    RETURNED.expression("a[()]", "a", (), ("(np.array(3.0),)",)),
    RETURNED.expression(
        "a[0, 1]", "a", (), ("(np.arange(4.0).reshape(2, 2),)", "(np.arange(4, dtype='u1').reshape(2, 2),)")
    ),
    RETURNED.function("the array itself", "def f(a):\n    a[0] = 1\n    return a", (), ("(np.zeros(3),)",)),
    RETURNED.function("the array twice", "def f(a):\n    a[0] = 1\n    return a, a", (), ("(np.zeros(3),)",)),
    RETURNED.function("a view", "def f(a):\n    a[0] = 1\n    return a[1:]", (), ("(np.zeros(3),)",)),
    RETURNED.function("a transposed view", "def f(a):\n    return a.T", (), ("(np.zeros((3, 2)),)",)),
    RETURNED.function(
        "a new array",
        "def f(n):\n    a = np.zeros(n)\n    for i in range(n):\n        a[i] = i * 0.5\n    return a",
        (),
        ("(3,)", "(0,)", "(-1,)"),
    ),
    RETURNED.function(
        "a new array of integers",
        "def f(n):\n    a = np.zeros(n, dtype=np.int64)\n    for i in range(n):\n        a[i] = i * i\n    return a",
        (),
        ("(3,)", "(0,)", "(-1,)"),
    ),
    RETURNED.function(
        "a copy",
        "def f(a):\n    b = a.copy()\n    b[0] = 5\n    return b",
        (),
        ("(np.zeros(3),)", "(np.zeros((2, 2)).T,)"),
    ),
    RETURNED.function(
        "empty_like", "def f(a):\n    b = np.empty_like(a)\n    b[:] = 2\n    return b", (), ("(np.zeros(3),)",)
    ),
    *(
        LAYOUT.function(
            f"{dtype} in many layouts",
            "def f(a, b):\n    for i in range(len(a)):\n        b[i] = a[i]\n    return len(a)",
            (f"(np.arange(4).astype('{dtype}'), np.zeros(4, '{dtype}'))",),
            (
                f"(every_second([3, 1, 0, 1], '{dtype}'), np.zeros(4, '{dtype}'))",
                f"(backwards([3, 1, 0, 1], '{dtype}'), every_second([0] * 4, '{dtype}'))",
                f"(misaligned([3, 1, 0, 1], '{dtype}'), misaligned([0] * 4, '{dtype}'))",
                f"(np.zeros(0, '{dtype}'), np.zeros(4, '{dtype}'))",
                f"(np.zeros(3, '{dtype}').byteswap().view(np.dtype('{dtype}').newbyteorder()), np.zeros(3, '{dtype}'))",
                f"(read_only([3, 1], '{dtype}'), np.zeros(2, '{dtype}'))",
                f"(np.zeros(2, '{dtype}'), read_only([3, 1], '{dtype}'))",
                f"(np.broadcast_to(np.ones(1, '{dtype}'), (3,)), np.zeros(3, '{dtype}'))",
            ),
        )
        for dtype in DTYPES
    ),
    *(
        LAYOUT.function(
            f"unusual: {call}",
            "def f(a):\n    s = 0.0\n    for i in range(len(a)):\n        s += float(a[i])\n    return s",
            (),
            (call,),
        )
        for call in (
            "(np.arange(3, dtype=np.float16),)",
            "(np.arange(3, dtype=np.longdouble),)",
            "(np.arange(3).astype(object),)",
            "(np.ma.masked_array([1.0, 2.0], [True, False]),)",
            "(np.arange(3.0).view(np.recarray),)",
            "(np.array(3.0),)",
            "(np.arange(4.0).reshape(2, 2),)",
            "([1.0, 2.0],)",
            "((1.0, 2),)",
            "(range(3),)",
            "(memoryview(np.arange(3.0)),)",
            "(np.array([1+2j]),)",
            "(np.array(['1', '2']),)",
            "(np.array(['2020-01-01'], 'M8[D]'),)",
        )
    ),
    LAYOUT.function(
        "two dimensions, any order",
        "def f(a):\n    s = 0.0\n    for i in range(a.shape[0]):\n        for j in range(a.shape[1]):\n"
        "            s = s * 1.5 + float(a[i, j])\n            a[i, j] = i - j\n    return s",
        ("(np.arange(6.0).reshape(2, 3),)",),
        (
            "(np.arange(6.0).reshape(2, 3).T,)",
            "(np.asfortranarray(np.arange(6.0).reshape(2, 3)),)",
            "(np.arange(24.0).reshape(4, 6)[::2, ::-3],)",
            "(np.zeros((0, 3)),)",
            "(np.zeros((3, 0)),)",
            "(np.arange(6).reshape(2, 3),)",
            "(np.arange(6, dtype=np.uint8).reshape(2, 3),)",
        ),
    ),
)
