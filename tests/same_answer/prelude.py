"""What every random program begins with: classes, module-level state and helpers."""

from __future__ import annotations

PRELUDE = '''\
import copy
import functools
import heapq
import itertools
import operator
import random
import sys
from collections import Counter, OrderedDict, defaultdict, deque
from random import randrange


class Failed(Exception):
    """Takes other arguments than it passes on."""

    def __init__(self, code, why="no reason"):
        super().__init__(f"{why}: {code}")
        self.code = code


class Box:
    """Holds a number and a list; some of its methods change it."""

    total = 0
    common = [0]

    def __init__(self, n=0, items=()):
        self.n = n
        self.items = list(items)

    def peek(self):
        return self.n + len(self.items)

    def add(self, k):
        self.n += k
        return self.n

    def keep(self, k):
        self.items.append(k)
        return self

    def renewed(self, k):
        return Box(self.n + k, [*self.items, k])

    @property
    def size(self):
        return len(self.items)

    @property
    def next_number(self):
        self.n += 1
        return self.n

    @classmethod
    def count(cls, k):
        cls.total += k
        return cls.total

    @staticmethod
    def twice(k):
        return k * 2

    def __repr__(self):
        return f"Box({self.n}, {self.items})"

    def __len__(self):
        return len(self.items)

    def __iter__(self):
        return iter(self.items)

    def __iadd__(self, k):
        self.items.append(k)
        return self

    def __call__(self, k):
        self.n += k
        return self.n

    def __enter__(self):
        self.n += 1
        return self

    def __exit__(self, *error):
        return False


class Point:
    __match_args__ = ("x", "trail")

    def __init__(self, x=0, trail=None):
        self.x = x
        self.trail = [] if trail is None else trail


TOLD = []


class Loud:
    """Notes what it is asked: its special methods have an effect."""

    def __init__(self, n=0):
        self.n = n

    def __eq__(self, other):
        TOLD.append("eq")
        return type(other) is Loud and other.n == self.n

    def __hash__(self):
        TOLD.append("hash")
        return hash(self.n)

    def __lt__(self, other):
        TOLD.append("lt")
        return self.n < other.n

    def __bool__(self):
        TOLD.append("bool")
        return self.n > 0

    def __str__(self):
        TOLD.append("str")
        return f"Loud {self.n}"


NUMBER = 3
NUMBERS = [1, 2, 3]
NESTED = [[1], [2, 3]]
TABLE = {"a": 1, "b": 2}
LISTS = {"a": [1], "b": []}
BOX = Box(2, [5])
POINT = Point(1, [4])
SAME = NUMBERS
HELD = (NUMBERS, 7)
TAKEN = iter(range(1000))
COUNTED = itertools.count(5)
QUEUE = deque([1, 2], maxlen=4)


def double(v):
    return v * 2 + 1


def sized(v):
    return len(v) if hasattr(v, "__len__") else 1


def through(v):
    return v


def chosen(flag, one, other):
    return one if flag else other


def fresh(v):
    out = [v]
    out.append(v + 1)
    return out


def put(into, v):
    into.append(v)
    return into


def put_twice(into, v):
    return put(put(into, v), v)


def remembered(v, seen=[]):
    seen.append(v)
    return len(seen)


def reads(v):
    return v + NUMBER + len(NUMBERS)


def bump(v):
    global NUMBER
    NUMBER += v
    return NUMBER


def numbers_of(v):
    yield v
    yield v + 1


def keeping(v):
    NUMBERS.append(v)
    yield v


def make_counter(start=0):
    n = start
    log = []

    def step(k):
        nonlocal n
        n += k
        log.append(k)
        return n

    return step


COUNTER = make_counter()


@functools.lru_cache(maxsize=None)
def cached(v):
    return v + 1


def applied(do, *args):
    return do(*args)


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def risky(v):
    if v % 3 == 0:
        raise Failed(v, "multiple of three")
    return v

'''
"""What every program begins with."""


class Program:
    """Source text that defines the function ``f`` and the list ``ITEMS``."""

    def __init__(self, source: str) -> None:
        self.source = source

    def __repr__(self) -> str:
        return 'program("""\\\n' + self.source.partition("# --\n")[2] + '""")'


def program(body: str) -> Program:
    """A program written by hand, after the prelude."""
    return Program(f"{PRELUDE}# --\n{body}")
