"""What Cython by itself does in another way than CPython, or might: functions on objects, with calls.

Each case is a module that defines `f`, and calls of it: expressions of argument tuples, or, where one begins with
``:``, a statement that is run in the module between two calls.
"""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import dedent


@dataclass(frozen=True, slots=True)
class ObjectCase:
    """A function and its calls.

    Attributes
    ----------
    topic, name
        What it shows.
    source
        A module that defines `f`.
    calls
        As the module says.
    refused
        A part of the reason why it is not compiled; empty if it is.
    line
        The line of the source that stands in the way.
    """

    topic: str
    name: str
    source: str
    calls: tuple[str, ...]
    refused: str = ""
    line: int = 0

    @property
    def calls_itself(self) -> bool:
        """The name `f` of its module stands for the compiled function."""
        return self.topic == "recursion"

    def __str__(self) -> str:
        return f"{self.topic}: {self.name}"


def _same(topic: str, name: str, source: str, *calls: str) -> ObjectCase:
    return ObjectCase(topic, name, dedent(source).strip() + "\n", calls)


def _refused(topic: str, name: str, source: str, reason: str, line: int) -> ObjectCase:
    return ObjectCase(topic, name, dedent(source).strip() + "\n", (), reason, line)


_NOISY = """
LOG = []
class Noisy:
    def __init__(self, name, value=0):
        self.name, self.value = name, value
    def __getattr__(self, name):
        LOG.append((self.name, 'get', name))
        raise AttributeError(name)
    def __getitem__(self, key):
        LOG.append((self.name, 'item', key))
        return self.value
    def __setitem__(self, key, value):
        LOG.append((self.name, 'set', key, value))
    def __delitem__(self, key):
        LOG.append((self.name, 'del', key))
    def __add__(self, other):
        LOG.append((self.name, 'add'))
        return 1
    def __radd__(self, other):
        LOG.append((self.name, 'radd'))
        return 2
    def __iadd__(self, other):
        LOG.append((self.name, 'iadd'))
        return self
    def __eq__(self, other):
        LOG.append((self.name, 'eq'))
        return self.value
    def __lt__(self, other):
        LOG.append((self.name, 'lt'))
        return self.value
    def __bool__(self):
        LOG.append((self.name, 'bool'))
        return bool(self.value)
    def __contains__(self, item):
        LOG.append((self.name, 'in'))
        return self.value
    def __repr__(self):
        return f'<{self.name}>'
    __hash__ = None
def note(value):
    LOG.append(value)
    return value
def fail(text='fail'):
    LOG.append(text)
    raise ValueError(text)
"""

CASES: tuple[ObjectCase, ...] = (
    # -- names ------------------------------------------------------------------------------------------------------
    _same(
        "names",
        "a global is read when it is needed",
        """
        K = 3
        def f(a):
            return a + K
        """,
        "(1,)", ":K = 'x'", "(1,)", "('y',)", ":del K", "(1,)",
    ),
    _same(
        "names",
        "a builtin replaced in the module",
        """
        def f(a):
            return len(a), abs(-3), [int(x) for x in a]
        """,
        "('123',)", ":len = lambda a: 'own'", "('123',)", ":int = lambda a: 'int'", "('12',)", ":del len", "('12',)",
    ),
    _same(
        "names",
        "a builtin replaced for all",
        """
        import builtins
        keep = builtins.len
        def f(a):
            try:
                builtins.len = lambda a: 'own'
                return len(a)
            finally:
                builtins.len = keep
        """,
        "('123',)",
    ),
    _same(
        "names",
        "a global is written",
        """
        COUNT = 0
        def f(a):
            global COUNT, NEW
            COUNT += a
            NEW = [COUNT]
            return COUNT
        """,
        "(1,)", "(2,)", ":COUNT = 'x'", "(1,)",
    ),
    _same("names", "a name that is nowhere", "def f(a):\n    return (a,\n        nowhere)\n", "(1,)"),
    _same(
        "names",
        "closure cells are the function's own",
        """
        def make():
            n = 0
            def f(a):
                nonlocal n
                n += a
                return n
            def other():
                return n
            return f, other
        f, other = make()
        def g(): return other()
        """,
        "(1,)", "(2,)", ":seen = other()", "(3,)",
    ),
    _same(
        "names",
        "an empty cell of the function around",
        """
        def make():
            def f(a):
                return n
            if not f:
                n = 1
            return f
        f = make()
        """,
        "(1,)",
    ),
    _same(
        "names",
        "defaults are the function's own",
        """
        def f(a, b=2, c=[3]):
            c.append(a)
            return a, b, list(c)
        """,
        "(1,)", "(1, 5)", ":f.__defaults__ = (7, [8])", "(1,)", "(1, 2, [3])", ":f.__defaults__ = None", "(1,)",
    ),
    _same(
        "names",
        "keyword-only parameters",
        """
        def f(a, *, b=2):
            return a, b
        """,
        "(1,)", ":f.__kwdefaults__ = {'b': 9}", "(1,)", "(1, 2)",
    ),
    _same("names", "code that is replaced", "def f(a):\n    return 1\ndef g(a):\n    return 2\n",
          "(1,)", ":f.__code__ = g.__code__", "(1,)"),
    _same("names", "words of Cython and C",
          "def f(cdef, nogil, int, NULL=1):\n    struct = cdef + nogil\n    return struct, int, NULL\n", "(1, 2, 3)"),
    _same("names", "wrong calls", "def f(a, b):\n    return a\n", "()", "(1,)", "(1, 2, 3)"),
    # -- unbound variables ------------------------------------------------------------------------------------------
    _same("unbound", "set on one path only", "def f(a):\n    if a:\n        b = 1\n    return b\n", "(1,)", "(0,)"),
    _same("unbound", "a loop variable after no round",
          "def f(a):\n    for i in a:\n        pass\n    return i\n", "([1, 2],)", "([],)"),
    _same("unbound", "deleted", "def f(a):\n    b = a\n    del b\n    return b\n", "(1,)"),
    _same("unbound", "deleted twice", "def f(a):\n    del a\n    del a\n", "(1,)"),
    _same("unbound", "a parameter deleted", "def f(a):\n    del a\n    return a\n", "(1,)"),
    _same("unbound", "the name of an exception",
          "def f(a):\n    try:\n        1 / a\n    except ZeroDivisionError as e:\n        pass\n    return e\n",
          "(0,)", "(1,)"),
    _same("unbound", "in an addition", "def f(a):\n    if a:\n        s = ''\n    s += 'x'\n    return s\n", "(1,)", "(0,)"),
    _same("unbound", "shared with an inner function",
          "def f(a):\n    if a:\n        b = 1\n    g = lambda: b\n    return g()\n", "(1,)", "(0,)"),
    _same("unbound", "shared, read outside of it",
          "def f(a):\n    if a:\n        b = 1\n    g = lambda: b\n    return b\n", "(1,)", "(0,)"),
    # -- numbers ----------------------------------------------------------------------------------------------------
    _same("numbers", "integers grow", "def f(a, n):\n    for i in range(n):\n        a = a * a + 1\n    return a\n",
          "(3, 10)", "(-3, 9)", "(True, 3)", "(2.5, 3)"),
    _same("numbers", "literals alone",
          "def f():\n    return 2**62 * 4, 1 << 70, -7 // 2, -7 % 3, 7 / 2, 1 - 2, ~5, -(-3), 2**-1, 10**20, 0.1 + 0.2\n",
          "()"),
    _same("numbers", "truth values are numbers",
          "def f(a, b):\n    return (a < b) + (a == b), (not a) & (not b), -(a is b), ~(not a), (a in (1, 2)) + 1, True + True\n",
          "(1, 2)", "(0, 0)"),
    _same("numbers", "int or float by path",
          "def f(a):\n    return (1 if a else 2.5), (a and 1), (a or 2.0), (1 if a else 2) / 2\n", "(0,)", "(1,)", "(2.0,)"),
    _same("numbers", "division",
          "def f(a, b):\n    return a / b, a // b, a % b, divmod(a, b)\n",
          "(7, 2)", "(-7, 2)", "(7, -2)", "(7.5, -2)", "(1, 0)", "(1.0, 0.0)", "(10**30, 7)", "(True, 2)", "('a%s', 2)"),
    _same("numbers", "division by literals",
          "def f(a):\n    return a // 2, a % 3, a / 4, a % -5, a // -3, 7 % a, 7 // a\n",
          "(7,)", "(-7,)", "(0,)", "(2.5,)", "(10**30,)", "(True,)"),
    _same("numbers", "division by zero is an error of its own text", "def f(a):\n    return a / 0\n", "(1,)", "(1.0,)"),
    _same("numbers", "modulo zero", "def f(a):\n    return a % 0\n", "(1,)", "(1.0,)", "('a',)"),
    _same("numbers", "floor division by zero", "def f(a):\n    return a // 0\n", "(1,)", "(1.0,)"),
    _same("numbers", "shifts",
          "def f(a, b):\n    return a << b, a >> b\n",
          "(1, 3)", "(1, 64)", "(1, -1)", "(-5, 1)", "(1.0, 1)", "(1, 10**30)", "(0, 70)"),
    _same("numbers", "shifts by literals",
          "def f(a):\n    return a << 1, a >> 1, a << 40, a >> 70, 1 << a\n", "(1,)", "(-1,)", "(10**20,)", "(1.5,)", "('a',)"),
    _same("numbers", "powers",
          "def f(a, b):\n    return a ** b\n",
          "(2, 3)", "(2, -1)", "(2, 100)", "(-8.0, 0.5)", "(0.0, -1)", "(10.0, 400)", "('a', 2)", "(0, -1)"),
    _same("numbers", "powers of literals",
          "def f(a):\n    return 2 ** a, a ** 2, a ** 0, a ** 3\n", "(3,)", "(-1,)", "(63,)", "(64,)", "(2.5,)", "('x',)"),
    _same("numbers", "comparison with literals",
          "def f(a):\n    return a == 1, a != 1, a < 1, a >= 0, 1 == a, 0 < a, a == 10**20\n",
          "(1,)", "(1.0,)", "(True,)", "('a',)", "(None,)", "(float('nan'),)", "(10**20,)", "([],)"),
    _same("numbers", "bit operators",
          "def f(a, b):\n    return a & b, a | b, a ^ b, ~a, a & 7, a | 8, 3 ^ a\n",
          "(5, 6)", "(True, False)", "({1}, {2})", "(-1, 10**20)", "(1.0, 1)"),
    _same("numbers", "unary operators", "def f(a):\n    return -a, +a, not a\n",
          "(5,)", "(True,)", "(0.0,)", "('a',)", "(-2**63,)"),
    _same("numbers", "complex numbers", "def f(a):\n    return a * 1j + 2, 1j ** 2, abs(a + 3j)\n", "(1,)", "(2.5,)", "('a',)"),
    _same("numbers", "augmented assignments",
          """
          def f(a, b):
              a += b; a -= 1; a *= 3; a //= 2; a %= 100; a <<= 2; a >>= 1; a |= 1; a &= 0xFFFF; a ^= 5; a **= 2
              a /= 4
              return a
          """,
          "(1, 2)", "(10**20, 5)", "(1.5, 2)", "('a', 'b')", "(True, True)"),
    _same("numbers", "subclasses of numbers",
          """
          class I(int):
              def __add__(self, other): return 'add'
              def __radd__(self, other): return 'radd'
              def __lt__(self, other): return 'lt'
              def __eq__(self, other): return 'eq'
              def __mod__(self, other): return 'mod'
              __hash__ = int.__hash__
          class F(float):
              def __mul__(self, other): return 'mul'
              def __sub__(self, other): return 'sub'
          def f(a, b):
              return a + 1, 1 + a, a < 1, a == 1, a % 2, b * 2.0, b - 1, a + b, b * a
          """,
          "(I(3), F(2.0))", "(I(3), I(4))"),
    # -- comparisons and truth --------------------------------------------------------------------------------------
    _same("comparisons", "chains stop early",
          _NOISY + "def f(a, b, c):\n    return (note(a) < note(b) < note(c)), list(LOG)\n",
          "(1, 2, 3)", "(2, 1, 3)", "(1, 3, 2)", "(Noisy('a', 5), 1, 2)", "(Noisy('a', 0), 1, 2)"),
    _same("comparisons", "any object as the result",
          _NOISY + "def f(a, b):\n    r = a == b\n    s = a < b\n    return r, s, (a == 'x'), list(LOG)\n",
          "(Noisy('a', [1]), 2)", "(1, Noisy('b', 'no'))"),
    _same("comparisons", "truth in conditions",
          _NOISY + "def f(a, b):\n    if a == b and not a < b or a in b:\n        LOG.append('yes')\n    return list(LOG)\n",
          "(Noisy('a', 1), Noisy('b', 0))", "(Noisy('a', 0), Noisy('b', 1))"),
    _same("comparisons", "and, or give operands",
          _NOISY + "def f(a, b, c):\n    return (a and b), (a or b), (a and b or c), (not a), list(LOG)\n",
          "(Noisy('a', 1), Noisy('b', 0), 3)", "([], 0, {})"),
    _same("comparisons", "is",
          "def f(a, b):\n    return a is b, a is not b, a is None, (a is b) is True\n", "(None, None)", "(1, 1)", "([], [])"),
    _same("comparisons", "in looks at identity first",
          "def f(a, b):\n    return a in b, a in (a, 1), a not in [a], a in {1: 2}\n",
          "(float('nan'), [1])", "(1, (1, 2))", "('a', 'abc')", "([], [])", "(1, 5)"),
    _same("comparisons", "in with literals",
          _NOISY + "def f(a):\n    return a in (1, 2), a in [1, 'x'], a in 'abc', list(LOG)\n",
          "(1,)", "('x',)", "(Noisy('a', 1),)", "(float('nan'),)", "([],)"),
    _same("comparisons", "in a literal set", "def f(a):\n    return a in {1, 2}\n", "(1,)", "([],)", "(1.0,)"),
    _same("comparisons", "texts",
          "def f(a, b):\n    if a == 'x':\n        return 1\n    if a != 'y':\n        return 2\n    return a == b, a < b\n",
          "('x', 1)", "('z', 1)", "('y', 'y')", "('y', 1)", "(b'x', 2)", "(None, 2)"),
    _same("comparisons", "a failing truth",
          """
          class Bad:
              def __bool__(self): raise KeyError('no truth')
          def f(a):
              while a:
                  return 1
              return 2
          """,
          "(Bad(),)", "(0,)"),
    # -- order of evaluation ----------------------------------------------------------------------------------------
    _same("order", "the method before its arguments",
          _NOISY + "def f(a):\n    return a.method(fail())\n", "(Noisy('a'),)", "(None,)", "([],)"),
    _same("order", "a method that is missing, settled arguments",
          _NOISY + "def f(a, b):\n    return a.method(b, 1, k=b)\n", "(Noisy('a'), 1)", "(None, 2)", "([], 3)"),
    _same("order", "methods of built-in types",
          _NOISY + "def f(a, b):\n    a.append(note(b) + 1)\n    return a, a.index(note(b) + 1), a.pop(note(0))\n",
          "([1], 1)", "([1], 'x')", "((1,), 1)", "(None, 1)"),
    _same("order", "a method found in a class",
          "def f(a, b):\n    return str.upper(a + b), list.append(b and [1], a + a), dict.fromkeys(a + b)\n",
          "('a', 'b')", "('a', 1)", "(1, 2)"),
    _same("order", "the function before its arguments",
          _NOISY + "def f(a):\n    return nowhere(fail())\n", "(1,)"),
    _same("order", "keyword arguments",
          _NOISY + "def g(*a, **k):\n    return a, k\ndef f(a):\n    return g(note(1), note(a), x=note(3), b=note(4)), list(LOG)\n",
          "(2,)"),
    _same("order", "items of displays",
          _NOISY + "def f(a):\n    return [note(1), note(a)], {note(3): note(4), note(5): note(6)}, (note(7), note(8)), list(LOG)\n",
          "(2,)"),
    _same("order", "storing",
          _NOISY + "def f(a, b):\n    a[note('i')] = note('v')\n    b[note('j')] += note('w')\n    return list(LOG)\n",
          "(Noisy('a'), Noisy('b', 3))", "({}, {'j': 'x'})", "((), ())", "({}, {})"),
    _same("order", "storing to an attribute",
          _NOISY + "class C: pass\ndef f(a):\n    note(a).x = note(1)\n    note(a).x += note(2)\n    a.y = a.z = note(3)\n    return vars(a), len(LOG)\n",
          "(C(),)", "(1,)"),
    _same("order", "swaps",
          "def f(a, i, j):\n    a[i], a[j] = a[j], a[i]\n    i, j = j, i\n    i, a[i] = j, 9\n    return a, i, j\n",
          "([1, 2, 3], 0, 2)", "([1, 2, 3], 0, 7)", "((1, 2), 0, 1)"),
    _same("order", "chained assignment",
          _NOISY + "def f(a, b):\n    a[0] = b[1] = c = note(5)\n    x = y = []\n    x.append(1)\n    return c, y, list(LOG)\n",
          "(Noisy('a'), Noisy('b'))", "([1], [1, 2])", "([], [])"),
    _same("order", "del", _NOISY + "def f(a):\n    del a[note(1)], a[2:3]\n    del a.x\n    return 1\n",
          "([1, 2, 3, 4],)", "(Noisy('a'),)", "({1: 2},)"),
    _same("order", "operands", _NOISY + "def f(a, b):\n    return note(a) + note(b), note(a) - fail('x')\n", "(1, 2)", "(1, 'x')"),
    _same("order", "a conditional expression",
          _NOISY + "def f(a):\n    return (note(1) if note(a) else note(2)), list(LOG)\n", "(0,)", "(1,)"),
    # -- unpacking --------------------------------------------------------------------------------------------------
    _same("unpacking", "a pair", "def f(a):\n    x, y = a\n    return x, y\n",
          "((1, 2),)", "([1, 2],)", "('ab',)", "({1: 2, 3: 4},)", "(iter([1, 2]),)", "((1,),)", "([1, 2, 3],)", "('abc',)",
          "(5,)", "(None,)", "({1, 2, 3},)", "(iter([1]),)", "(iter([1, 2, 3]),)", "([],)"),
    _same("unpacking", "with a star", "def f(a):\n    x, *y, z = a\n    [*w] = a\n    return x, y, z, w\n",
          "((1, 2),)", "([1, 2, 3, 4],)", "('a',)", "(5,)", "([],)", "(iter([1, 2, 3]),)"),
    _same("unpacking", "nested", "def f(a):\n    (x, y), [z, (u,)] = a\n    return x, y, z, u\n",
          "(((1, 2), (3, (4,))),)", "((1, 2),)", "(((1, 2), (3, 4)),)"),
    _same("unpacking", "in a loop", "def f(a):\n    out = []\n    for x, y in a:\n        out.append(x + y)\n    return out\n",
          "([(1, 2), (3, 4)],)", "([(1, 2), 3],)", "({'ab': 1},)", "([(1, 2, 3)],)"),
    _same("unpacking", "in a comprehension", "def f(a):\n    return [x + y for x, y in a], {k: v for k, v in a}\n",
          "([(1, 2), (3, 4)],)", "([(1, 2), 3],)", "([(1, 2, 3)],)"),
    _same("unpacking", "an iterator that fails",
          "def g():\n    yield 1\n    raise KeyError('g')\ndef f(a):\n    x, y = g()\n    return x\n", "(1,)"),
    _same("unpacking", "into items and attributes",
          "class C: pass\ndef f(a, c):\n    a[0], c.x, b = 1, 2, 3\n    (a[1], c.y), d = a\n    return a, vars(c), b, d\n",
          "([(5, 6), 7], C())", "([], C())", "([1, 2], 3)"),
    # -- calls ------------------------------------------------------------------------------------------------------
    _same("calls", "wrong arguments",
          "def g(a, b=1, *, c):\n    return a, b, c\ndef f(a):\n    return g(a)\n", "(1,)"),
    _same("calls", "an unknown keyword", "def g(a):\n    return a\ndef f(a):\n    return g(a, z=1)\n", "(1,)"),
    _same("calls", "a keyword twice", "def g(a):\n    return a\ndef f(a):\n    return g(1, a=a)\n", "(1,)"),
    _same("calls", "with a star", "def g(*a, **k):\n    return a, k\ndef f(a, b):\n    return g(*a), g(1, 2, *a), g(1, **b), g(*a, **b)\n",
          "((1, 2), {'x': 1})", "([1], {})", "('ab', {'x': 1})", "(5, {})", "((), 5)", "((), {1: 2})", "((), None)", "(iter([1]), {})"),
    _same("calls", "of what cannot be called", "def f(a):\n    return a(1)\n", "(1,)", "(None,)", "([],)"),
    _same("calls", "of a method with a star", "def f(a, b):\n    return a.join(*b)\n", "(',', ['ab'])", "(',', [1, 2])", "(',', 3)"),
    _same("calls", "errors inside are passed on",
          "def g(a):\n    return 1 / a\ndef f(a):\n    b = (1 +\n        g(a) +\n        2)\n    return b\n", "(1,)", "(0,)"),
    _same("recursion", "without end", "def f(n):\n    return 1 if n <= 0 else 1 + f(n - 1)\n", "(10,)", "(200,)", "(5000,)"),
    _same("recursion", "how deep it goes",
          "def f(n):\n    try:\n        return f(n + 1)\n    except RecursionError:\n        return n\n", "(0,)"),
    _same("recursion", "through a helper",
          "def g(n):\n    return f(n + 1)\ndef f(n):\n    try:\n        return g(n)\n    except RecursionError:\n        return n\n", "(0,)"),
    _same("recursion", "in a comprehension",
          "def f(n):\n    return [] if n <= 0 else [f(n - 1) for _ in 'ab']\n", "(3,)"),
    _same("recursion", "of a tree",
          "def f(t):\n    return 1 + sum(map(f, t)) if isinstance(t, list) else 0\n", "([[], [[], 1], 2],)"),
    _same("calls", "methods and attributes",
          """
          class C:
              n = 3
              def m(self, x, *more, k=0): return self.n, x, more, k
              @property
              def p(self): return self.n + 1
              @classmethod
              def c(cls, x): return cls.__name__, x
              @staticmethod
              def s(x): return x
              def __call__(self, *a): return a
          def f(a, b):
              return a.m(b), a.m(b, 2, k=b + 1), a.p, a.c(b), a.s(b), a(b, b), a.n
          """,
          "(C(), 1)", "(C, 1)", "(1, 2)"),
    _same("calls", "class instances are made",
          "class C:\n    __slots__ = ('x',)\n    def __init__(self, x):\n        self.x = x\ndef f(a):\n    c = C(a)\n    c.x += 1\n    c.y = 1\n    return c.x\n",
          "(1,)", "('a',)"),
    # -- sequences --------------------------------------------------------------------------------------------------
    _same("sequences", "literal indexes", "def f(a):\n    return a[0], a[-1], a[1]\n",
          "([1, 2],)", "('ab',)", "((1,),)", "({0: 1, -1: 2, 1: 3},)", "({0: 1},)", "(5,)", "(None,)", "(__import__('collections').deque([1, 2]),)"),
    _same("sequences", "indexes", "def f(a, i):\n    return a[i]\n",
          "([1, 2], 1)", "([1, 2], 2)", "([1, 2], -3)", "([1, 2], 'x')", "([1, 2], 1.0)", "({'x': 1}, 'y')", "('ab', True)", "([1], 10**30)", "(1, 1)", "({}, [])"),
    _same("sequences", "slices", "def f(a, i, j):\n    return a[i:j], a[:2], a[-2:], a[:], a[::2], a[i:j:-1]\n",
          "([1, 2, 3, 4], 1, 3)", "('abcd', -3, None)", "((1, 2, 3), 0, 10**30)", "('abc', 2, 1)", "([1], 'x', 2)", "(5, 1, 2)", "('ab', 1.0, 2)", "('ab', True, 5)", "(b'abc', -10**30, 2)"),
    _same("sequences", "slices are stored", "def f(a, b):\n    a[1:2] = b\n    a[:0] = [0]\n    del a[-1:]\n    return a\n",
          "([1, 2, 3], [7, 8])", "([1, 2], 5)", "((1, 2), [3])", "([1], 'ab')"),
    _same("sequences", "items are stored", "def f(a, i, v):\n    a[i] = v\n    a[0] = v\n    a[-1] += v\n    return a\n",
          "([1, 2], 1, 5)", "([1, 2], 2, 5)", "({}, 'k', 1)", "({-1: 2}, 'k', 1)", "((1,), 0, 1)", "(5, 0, 1)", "('ab', 0, 'c')"),
    _same("sequences", "a list that changes while it is looped over",
          "def f(a):\n    out = []\n    for x in a:\n        if len(a) < 6:\n            a.append(x + 10)\n        out.append(x)\n        if x == 2:\n            a.pop(0)\n    return out, a\n",
          "([1, 2, 3],)"),
    _same("sequences", "a dict that changes while it is looped over",
          "def f(a):\n    for k, v in a.items():\n        a[k + 'x'] = v\n    return a\n", "({'a': 1},)", "({},)"),
    _same("sequences", "keys and values",
          "def f(a):\n    return [k for k in a.keys()], [v for v in a.values()], list(a.items()), [k for k in a]\n", "({1: 2, 'x': []},)", "(5,)"),
    _same("sequences", "a loop over what cannot be looped over", "def f(a):\n    for x in (\n            a):\n        pass\n", "(5,)", "(None,)"),
    _same("sequences", "an iterator that fails",
          "class I:\n    def __iter__(self): return self\n    def __next__(self): raise KeyError('next')\ndef f(a):\n    for x in a:\n        pass\n    return 1\n",
          "(I(),)"),
    _same("sequences", "else of loops",
          "def f(a):\n    for x in a:\n        if x == 2:\n            break\n    else:\n        return 'none'\n    i = 0\n    while i < x:\n        i += 1\n        if i == 5: break\n        continue\n    else:\n        return 'all', i\n    return i\n",
          "([1, 2],)", "([1],)", "([],)"),
    _same("sequences", "range", "def f(a, b, c):\n    return [i for i in range(a, b, c)], sum(i * i for i in range(b % 5))\n",
          "(1, 10, 3)", "(5, 0, -2)", "(1, 2, 0)", "(1.5, 2, 3)", "(10**20, 10**20 + 3, 1)"),
    _same("sequences", "methods that Cython knows",
          "def f(a, b):\n    return a.pop(), a.append(b), a.extend([b]), a.reverse(), a.sort(), a.insert(0, b), a.copy(), a.get(b, 1)\n",
          "([1, 2], 3)", "([], 1)", "(None, 1)", "({1: 2}, 1)"),
    _same("sequences", "methods of dicts",
          "def f(a, k):\n    return a.get(k), a.get(k, 0), a.setdefault(k, []), a.pop(k), a.pop(k, 5), a.update({k: 1}), a.items()\n",
          "({}, 'x')", "({'x': 1}, 'x')", "({}, [])", "([], 1)"),
    _same("sequences", "sets", "def f(a, b):\n    s = {b, 1, b}\n    s.add(a)\n    s |= {2}\n    s.discard(1)\n    return sorted(map(str, s)), {x % 3 for x in range(a)}\n",
          "(5, 2)", "([], 1)", "(1, [])"),
    _same("sequences", "starred items", "def f(a, b):\n    return (*a, b), [b, *a], {*a, b}, [*a], [*a, *b]\n",
          "([1, 2], [3])", "([1], 3)", "(5, ())", "((), 'xy')", "({}, {1})"),
    _same("sequences", "starred results", "def f(a):\n    return sorted(a, key=lambda p: -p[1]), max(a, key=lambda p: p[0]), list(map(lambda p: p[0], a))\n",
          "([(1, 2), (3, 4)],)", "([],)", "([1],)"),
    # -- texts ------------------------------------------------------------------------------------------------------
    _same("texts", "f-strings",
          "def f(a, b):\n    return f'{a}', f'{a!r:>10}|{b:{b}}|{{}}', f'x{a!s}y{b!a}', f'{a=}', f''\n",
          "('ä', 5)", "([1], 3)", "(1.5, 'x')", "(None, 4)"),
    _same("texts", "formats that fail",
          "class Bad:\n    def __format__(self, spec): raise KeyError(spec)\n    def __str__(self): return 5\ndef f(a):\n    return f'{a:>3}'\n",
          "(Bad(),)", "([],)", "('x',)"),
    _same("texts", "percent", "def f(a):\n    return '%s and %r' % a\n", "((1, 'x'),)", "(1,)", "((1, 2, 3),)", "({},)"),
    _same("texts", "percent with one", "def f(a):\n    return '<%5.2f>' % a\n", "(1,)", "('x',)", "((1,),)"),
    _same("texts", "concatenation", "def f(a, b):\n    return a + b + 'c' + a\n", "('a', 'b')", "('a', 1)", "(1, 'a')", "(b'a', 'b')"),
    _same("texts", "a text that grows",
          "def f(a):\n    s = ''\n    t = s\n    for c in a:\n        s += c\n        s += 'x'\n        if len(s) == 4:\n            t = s\n    return s, t\n",
          "('abc',)", "(['a', 1],)", "('äß€',)", "([],)"),
    _same("texts", "anything that grows",
          "def f(a, b):\n    c = a\n    a += b\n    return a, c, a is c\n",
          "([1], [2])", "([1], 'ab')", "('a', 'b')", "(1, 2)", "((1,), (2,))", "({1}, {2})", "([1], 5)"),
    _same("texts", "methods",
          "def f(a, b):\n    return a.split(b), b.join([a, a]), a.replace(b, 'x'), a.startswith((b, 'y')), a.find(b), a.upper().strip(), '{}-{}'.format(a, b), a.encode('utf8')\n",
          "('a,b', ',')", "('', 'x')", "('abc', '')", "(1, ',')", "('a', 1)"),
    _same("texts", "literals are the interpreter's", "def f(a):\n    x = 'word'\n    return x is a, 'two words', '\\ud800', b'\\x00', 'ä'\n",
          "('word',)"),
    _same("texts", "printing", "def f(a):\n    print(a, end='!')\n    print('x', a, sep='-')\n", "(1,)", "([],)"),
    # -- exceptions -------------------------------------------------------------------------------------------------
    _same("exceptions", "handlers in order",
          """
          def f(a):
              try:
                  return {1: 2}[a] + [][a]
              except KeyError as e:
                  return 'key', e.args
              except (IndexError, TypeError):
                  return 'other'
              else:
                  return 'else'
              finally:
                  a = 5
          """,
          "(1,)", "(2,)", "([],)", "('x',)"),
    _same("exceptions", "context and cause",
          """
          def f(a):
              try:
                  try:
                      1 / a
                  except ZeroDivisionError as e:
                      if a == 0:
                          raise KeyError('new') from e
                      raise ValueError('other')
                  finally:
                      LOG.append('finally')
              except (KeyError, ValueError) as e:
                  return repr(e), repr(e.__cause__), repr(e.__context__), e.__suppress_context__
          LOG = []
          """,
          "(0,)", "(0.0,)", "('x',)"),
    _same("exceptions", "raised again",
          """
          def g(a):
              return 1 / a
          def f(a):
              try:
                  g(a)
              except ZeroDivisionError:
                  LOG.append('seen')
                  raise
              return 1
          LOG = []
          """,
          "(0,)", "(1,)", "('x',)"),
    _same("exceptions", "raised again by name",
          """
          def f(a):
              try:
                  1 / a
              except ZeroDivisionError as e:
                  raise e
              finally:
                  a = 2
          """,
          "(0,)", "(1,)"),
    _same("exceptions", "raised again from two depths",
          """
          def f(a):
              try:
                  try:
                      try:
                          1 / a
                      except ZeroDivisionError:
                          raise
                  except KeyError:
                      pass
              finally:
                  LOG.append('x')
          LOG = []
          """,
          "(0,)",
    ),
    _same("exceptions", "nothing fits", "def f(a):\n    try:\n        1 / a\n    except KeyError:\n        return 1\n    return 2\n", "(0,)", "(1,)"),
    _same("exceptions", "handlers that fail",
          "def f(a):\n    try:\n        1 / a\n    except nowhere:\n        return 1\n", "(0,)", "(1,)"),
    _same("exceptions", "a handler of no exception class",
          "def f(a):\n    try:\n        1 / a\n    except (KeyError, 5):\n        return 1\n", "(0,)", "(1,)"),
    _same("exceptions", "what is raised",
          "def f(a):\n    raise a\n", "(ValueError,)", "(ValueError('x'),)", "(5,)", "(None,)", "(dict,)"),
    _same("exceptions", "what it is raised from",
          "def f(a):\n    try:\n        raise ValueError('v') from a\n    except ValueError as e:\n        return repr(e.__cause__), e.__suppress_context__\n",
          "(KeyError,)", "(KeyError('x'),)", "(5,)", "(None,)", "(dict,)"),
    _same("exceptions", "a class that makes no exception",
          "class E(Exception):\n    def __new__(cls):\n        return 5\ndef f(a):\n    raise E\n", "(1,)"),
    _same("exceptions", "finally wins",
          "def f(a):\n    for i in range(3):\n        try:\n            if a:\n                return 1 / (a - 1)\n            continue\n        finally:\n            if i == a:\n                return 'finally', i\n    return 'end'\n",
          "(0,)", "(1,)", "(2,)"),
    _same("exceptions", "finally that fails",
          "def f(a):\n    try:\n        return [][a]\n    finally:\n        {}[a]\n", "(0,)"),
    _same("exceptions", "assertions", "def f(a):\n    assert a > 0, f'not {a}'\n    assert a < 10\n    return a\n", "(1,)", "(0,)", "(11,)", "('x',)"),
    _same("exceptions", "the exception in hand",
          "import sys\ndef g():\n    return sys.exc_info()[0]\ndef f(a):\n    before = g()\n    try:\n        1 / a\n    except ZeroDivisionError:\n        inside = g()\n        try:\n            {}[1]\n        except KeyError:\n            deeper = g()\n        again = g()\n        return before, inside, deeper, again\n    finally:\n        last = g()\n    return last\n",
          "(0,)", "(1,)"),
    _same("exceptions", "names are gone after a handler",
          "def f(a):\n    e = 1\n    try:\n        1 / a\n    except ZeroDivisionError as e:\n        x = str(e)\n    else:\n        x = None\n    try:\n        return x, e\n    except UnboundLocalError as error:\n        return str(error)\n",
          "(0,)", "(1,)"),
    _same("exceptions", "notes and traceback",
          "import traceback\ndef f(a):\n    try:\n        return (a.x\n            .y\n            .z)\n    except AttributeError:\n        return [(s.lineno, s.name) for s in traceback.extract_tb(__import__('sys').exc_info()[2])]\n"
          .replace("__import__('sys')", "SYS").replace("import traceback\n", "import traceback, sys as SYS\n"),
          "(1,)"),
    _same("exceptions", "lines of long expressions",
          "def f(a, b, c):\n    x = [a,\n         b /\n         c,\n         -c]\n    y = (a +\n         b[0])\n    return {\n        'a': x,\n        'b': y.upper(\n            b,\n            c()),\n    }\n",
          "(1, 2, 0)", "(1, 2, 'x')", "('a', 'b', 5)", "('a', 5, 1)", "(1, [2], 0)"),
    _same("exceptions", "lines of comprehensions",
          "def f(a):\n    return [\n        1 / x\n        for x in\n        a\n        if x.real\n    ]\n", "([1, 2],)", "([1, 'x'],)", "(5,)", "([1, True],)"),
    _same("exceptions", "lines of calls of methods",
          "def f(a):\n    return (a\n        .strip()\n        .split(',')\n        .pop()\n        .nothing())\n", "('a,b',)", "(5,)", "([],)"),
    # -- with -------------------------------------------------------------------------------------------------------
    _same("with", "entered and left",
          """
          class M:
              def __init__(self, name, keeps=False): self.name, self.keeps = name, keeps
              def __enter__(self): LOG.append(('enter', self.name)); return self.name
              def __exit__(self, *error): LOG.append(('exit', self.name, error[0], str(error[1]))); return self.keeps
          LOG = []
          def f(a, k):
              for i in range(3):
                  with M('a', k) as x, M('b') as (y):
                      LOG.append((x, y))
                      if a == i:
                          return 'returned', list(LOG)
                      if a == 'break':
                          break
                      if a == 'continue':
                          continue
                      1 / a
              return list(LOG)
          """,
          "(5, False)", "(1, False)", "('break', False)", "('continue', True)", "(0.0, True)", "(0.0, False)", "('x', True)"),
    _same("with", "no context manager", "def f(a):\n    with a as b:\n        return b\n", "(5,)", "(None,)"),
    _same("with", "half a context manager",
          "class H:\n    def __enter__(self): return 1\ndef f(a):\n    with a:\n        return 2\n", "(H(),)"),
    _same("with", "leaving fails",
          "class M:\n    def __enter__(self): return 1\n    def __exit__(self, *e): raise KeyError('exit')\ndef f(a):\n    with M():\n        a = 1 / a\n    return a\n",
          "(1,)", "(0,)"),
    _same("with", "entering fails",
          "class M:\n    def __enter__(self): raise KeyError('enter')\n    def __exit__(self, *e): return True\ndef f(a):\n    with M():\n        a = 1 / a\n    return a\n",
          "(1,)"),
    # -- inner functions and comprehensions -------------------------------------------------------------------------
    _same("inner functions", "they share variables",
          """
          def f(a):
              n = 0
              def add(x, k=2, *, m=1):
                  nonlocal n
                  n += x * k * m
                  return n
              add(a)
              n += 1
              add(a, m=3)
              return n, add.__name__, add.__defaults__, add.__kwdefaults__, type(add).__name__
          """,
          "(1,)", "('a',)"),
    _same("inner functions", "made in a loop",
          "def f(a):\n    out = []\n    for i in range(a):\n        out.append(lambda k=i: (i, k))\n    return [g() for g in out]\n", "(3,)", "(0,)"),
    _same("inner functions", "returned", "def f(a):\n    def g(b):\n        return a + b\n    a = a + 1\n    return g(1), g.__qualname__, g.__module__\n", "(1,)"),
    _same("inner functions", "generator expressions",
          "def f(a, b):\n    return sum(x * b for x in a), any(x > b for x in a), list((x, y) for x in a for y in range(x) if y), type(x for x in a).__name__\n",
          "([1, 2, 3], 2)", "(5, 1)", "([1, 'x'], 2)"),
    _same("inner functions", "generator expressions see later values",
          "def f(a):\n    k = 1\n    g = (x + k for x in a)\n    k = 10\n    return list(g)\n", "([1, 2],)", "(['a'],)"),
    _same("comprehensions", "their names are their own",
          "def f(a):\n    x = 'mine'\n    b = [x for x in a]\n    return x, b, [x + y for x in a for y in a if x != y]\n", "([1, 2],)"),
    _same("comprehensions", "nested",
          "def f(a, n):\n    return [[x * y + n for x in a] for y in range(n)], {k: [k + str(i) for i in range(n)] for k in 'ab'}\n", "([1, 2], 2)", "('ab', 3)", "([None], 2)"),
    _same("comprehensions", "order of keys and values",
          _NOISY + "def f(a):\n    return {note(x): note(-x) for x in a}, list(LOG)\n", "([1, 2],)", "([1, []],)"),
    _same("comprehensions", "keys that cannot be hashed", "def f(a):\n    return {x for x in a}, {x: 1 for x in a}\n", "([1, 2],)", "([[]],)"),
    _same("comprehensions", "with shared variables",
          "def f(a):\n    k = 2\n    g = lambda: k\n    return [x * k for x in a], g()\n", "([1, 2],)"),
    _same("assignment expressions", "in conditions",
          "def f(a):\n    while (n := len(a)) > 2:\n        a = a[:-1]\n    if (m := n + 1) and (k := m * 2) > 5:\n        return n, m, k\n    return n, m\n", "([1, 2, 3, 4],)", "([],)", "(5,)"),
    # -- what is refused --------------------------------------------------------------------------------------------
    _refused("refused", "locals", "def f(a):\n    b = 1\n    return locals()\n", "locals", 3),
    _refused("refused", "globals", "def f(a):\n    return globals()\n", "globals", 2),
    _refused("refused", "vars", "def f(a):\n    return vars()\n", "vars()", 2),
    _refused("refused", "eval", "def f(a):\n    return eval('a')\n", "eval", 2),
    _refused("refused", "exec", "def f(a):\n    exec('a = 1')\n", "exec", 2),
    _refused("refused", "frames", "import sys\ndef f(a):\n    return sys._getframe().f_lineno\n", "_getframe", 3),
    _refused("refused", "inspect", "import inspect\ndef f(a):\n    return inspect.signature(a)\n", "inspect", 3),
    _refused("refused", "a callee that looks at frames",
             "import sys\ndef g():\n    return sys._getframe(1).f_code.co_name\ndef f(a):\n    return g()\n", "g()", 0),
    _refused("refused", "warnings", "import warnings\ndef f(a):\n    warnings.warn('x')\n", "warn", 3),
    _refused("refused", "logging", "import logging\nlog = logging.getLogger('x')\ndef f(a):\n    log.error('x')\n", "log", 4),
    _refused("refused", "generators", "def f(a):\n    yield a\n", "generators", 1),
    _refused("refused", "coroutines", "async def f(a):\n    return a\n", "coroutines", 1),
    _refused("refused", "classes", "def f(a):\n    class C:\n        pass\n    return C\n", "source", 0),
    _refused("refused", "imports", "def f(a):\n    import math\n    return math.pi\n", "import", 2),
    _refused("refused", "match", "def f(a):\n    match a:\n        case 1:\n            return 2\n", "match", 2),
    _refused("refused", "except*", "def f(a):\n    try:\n        a()\n    except* ValueError:\n        pass\n", "except*", 2),
    _refused("refused", "identity of literals", "def f(a):\n    return a is (a, 2)\n", "literals", 2),
    _refused("refused", "a bare raise outside of a handler", "def f(a):\n    raise\n", "raise", 2),
    _refused("refused", "NumPy", "import numpy as np\ndef f(a):\n    return np.sqrt(a)\n", "numpy", 3),
    _refused("refused", "super", "class C:\n    def f(self):\n        return super().x\nf = C.f\n", "super", 3),
    _refused("refused", "an unbound name in a comprehension",
             "def f(a):\n    if a:\n        b = 1\n    return [b for _ in a]\n", "no value", 4),
    _same("inner functions", "several in one line",
          "def f(a):\n    return sorted(a, key=lambda x: x), sorted(a, key=lambda x: -x), max(a, key=lambda x: -x)\n", "([1, 3, 2],)"),
    _refused("refused", "names beyond ASCII", "def f(ä):\n    return ä\n", "ASCII", 0),
    _refused("refused", "any number of arguments", "def f(*a):\n    return a\n", "parameters", 0),
)  # fmt: skip
