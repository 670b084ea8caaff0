"""What the bodies of `ordinary` have around them, besides `world`: classes and functions without effects."""

from __future__ import annotations

SOURCE = r"""
class V:
    def __init__(self, a, b): self.a, self.b = a, b
    def __add__(self, o): return V(self.a + o.a, self.b + o.b)
    def __mul__(self, k): return V(self.a * k, self.b * k)
    def __eq__(self, o): return isinstance(o, V) and (self.a, self.b) == (o.a, o.b)
    def __hash__(self): return hash((self.a, self.b))
    def __lt__(self, o): return (self.a, self.b) < (o.a, o.b)
    def __repr__(self): return f"V({self.a}, {self.b})"
    def __iter__(self): yield self.a; yield self.b
    def __len__(self): return 2
    def __bool__(self): return bool(self.a or self.b)
    def __getitem__(self, i): return (self.a, self.b)[i]
    def __contains__(self, x): return x == self.a or x == self.b
    @property
    def norm(self): return math.hypot(self.a, self.b)
    @classmethod
    def zero(cls): return cls(0, 0)
    @staticmethod
    def unit(): return V(1, 0)
    def scaled(self, k): return self * k
class It:
    def __init__(self, n): self.n = n; self.i = 0
    def __iter__(self): return self
    def __next__(self):
        self.i += 1
        if self.i > self.n: raise StopIteration
        return self.i
class Stack:
    def __init__(self): self.items = []
    def push(self, x): self.items.append(x); return self
    def pop(self): return self.items.pop()
    def __len__(self): return len(self.items)
    def __enter__(self): return self
    def __exit__(self, *a): self.items.clear()
class Node:
    __slots__ = ("value", "next")
    def __init__(self, value, next=None): self.value, self.next = value, next
class Tree(dict):
    def __missing__(self, k):
        v = self[k] = type(self)()
        return v
class Shape(abc.ABC):
    @abc.abstractmethod
    def area(self): ...
    def describe(self): return f"{type(self).__name__} of {self.area():.2f}"
class Sq(Shape):
    def __init__(self, s): self.s = s
    def area(self): return self.s ** 2
class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2
    @property
    def label(self): return self.name.lower()
    def better(self, o): return self if self > o else o
@dataclasses.dataclass(frozen=True, order=True)
class P:
    x: float = 0.0
    y: float = 0.0
    tags: list = dataclasses.field(default_factory=list, compare=False)
    def moved(self, dx): return dataclasses.replace(self, x=self.x + dx)
    @functools.cached_property
    def far(self): return self.x * 2
class Row3(typing.NamedTuple):
    a: int
    b: str = ""
    def total(self): return self.a + len(self.b)
class MyErr(ValueError):
    def __init__(self, msg, code=0): super().__init__(msg); self.code = code
class Plugin:
    registry = {}
    def __init_subclass__(cls, **k): super().__init_subclass__(**k)
class Impl2(Plugin):
    def run(self, x): return x
class Desc:
    def __set_name__(self, o, n): self.n = n
    def __get__(self, i, o=None): return i.__dict__.get(self.n, 0) if i is not None else self
    def __set__(self, i, v): i.__dict__[self.n] = v
class HasDesc:
    v = Desc()
class Enc2(json.JSONEncoder):
    def default(self, o): return str(o)
def helper(a, b=2, *c, d=4, **e): return a + b + sum(c) + d + len(e)
def parse(line):
    k, _, v = line.partition("=")
    return k.strip(), v.strip()
@functools.singledispatch
def show(x): return str(x)
@show.register
def _(x: list): return ",".join(map(show, x))
@contextlib.contextmanager
def timing():
    t = []
    try: yield t
    finally: t.append(1)
WORD = re.compile(r"\w+")
LIMITS = {"a": 1, "b": 2}
NAMES = ("a", "b")
OPS = {"+": operator.add, "-": operator.sub, "neg": lambda a, b: -a}
sqrt = math.sqrt
def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)
def gen3(n):
    for i in range(n): yield i * 2
def even(n): return n == 0 or odd(n - 1)
def odd(n): return n != 0 and even(n - 1)
"""
