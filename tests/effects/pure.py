"""Small functions without effects: ordinary Python as people write it."""

from __future__ import annotations

import asyncio
import base64
import collections
import contextlib
import copy
import csv
import dataclasses
import datetime
import decimal
import enum
import functools
import hashlib
import heapq
import io
import itertools
import json
import math
import operator
import os
import random
import re
import socket
import sqlite3
import statistics
import string
import struct
import subprocess
import tempfile
import textwrap
import time
import urllib.request
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tests.effects.table import Table

TABLE = Table()
pure = TABLE.pure

WORDS = ("alpha", "beta")
LIMITS = {"low": 1, "high": 9}
WORD = re.compile(r"\w+")
WEIGHTS = [0.1, 0.2]
HEADER = struct.Struct("<IH")


@pure("arithmetic on the argument")
def polynomial(x: Any) -> Any:
    return 3 * x**2 - 2 * x + 1


@pure("the caller's number stays what it is", types=[int])
def digits(n: int) -> int:
    total = 0
    while n:
        total += n % 10
        n //= 10
    return total


@pure("the running text is a new string each time", types=[str])
def repeats(text: str) -> str:
    text += "!"
    return text * 2


@pure("methods of strings")
def slug(title: str) -> str:
    words = title.strip().lower().split()
    return "-".join(word.replace("'", "") for word in words if word.isalnum())


@pure("a local list")
def squares(n: int) -> list[int]:
    found = []
    for i in range(n):
        if i % 2:
            found.append(i * i)
        else:
            found.insert(0, i)
    found.reverse()
    return found


@pure("a local dict")
def counts_words(text: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for word in text.split():
        found[word] = found.get(word, 0) + 1
    return found


@pure("a local dict of local lists")
def groups(words: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for word in words:
        found.setdefault(word[0], []).append(word)
    return found


@pure("a local defaultdict of lists")
def groups_by_default(words: Iterable[str]) -> Any:
    found: dict[int, list[str]] = collections.defaultdict(list)
    for word in words:
        found[len(word)].append(word)
    return dict(found)


@pure("a local set")
def unique(xs: Any) -> int:
    seen = set()
    for x in xs:
        if x not in seen:
            seen.add(x)
    return len(seen)


@pure("a local Counter")
def most_common(words: Any) -> Any:
    return collections.Counter(words).most_common(3)


@pure("a local deque")
def window(xs: Any) -> Any:
    recent: collections.deque[Any] = collections.deque(maxlen=3)
    for x in xs:
        recent.append(x)
    return list(recent)


@pure("a local heap")
def smallest(xs: Any) -> Any:
    heap: list[Any] = []
    for x in xs:
        heapq.heappush(heap, x)
    return [heapq.heappop(heap) for _ in range(3)]


@pure("the list is copied before it is sorted")
def middle(xs: Any) -> Any:
    mine = list(xs)
    mine.sort()
    return mine[len(mine) // 2]


@pure("the name of the argument is bound to a copy")
def sorts_copy(xs: Any) -> Any:
    xs = sorted(xs)
    xs.reverse()
    return xs


@pure("a slice of a list is a copy", types=[list])
def appends_to_slice(xs: Any) -> Any:
    rest = xs[1:]
    rest.append(0)
    return rest


@pure("a copy of the dict is changed")
def with_default(row: Any) -> Any:
    mine = dict(row)
    mine["kind"] = "x"
    return mine


@pure("a display copies the dict")
def merges(row: Any) -> Any:
    mine = {**row, "a": 1}
    mine.update(b=2)
    return mine


@pure("a deep copy is all new")
def deep(row: Any) -> Any:
    mine = copy.deepcopy(row)
    mine["a"]["b"].append(1)
    return mine


@pure("comprehensions")
def table(n: int) -> Any:
    return {i: [j * i for j in range(n)] for i in range(n) if i % 2}


@pure("a comprehension in a comprehension over local lists")
def transposes(rows: Any) -> Any:
    return [[row[i] for row in rows] for i in range(len(rows[0]))]


@pure("sorting by a key")
def ranks(rows: Any) -> Any:
    return sorted(rows, key=lambda row: (-row["score"], row["name"]))


@pure("a key made by the library")
def orders(rows: Any) -> Any:
    return sorted(rows, key=operator.itemgetter("name"), reverse=True)


@pure("map, filter and reduce")
def folds(xs: Any) -> Any:
    return functools.reduce(lambda a, b: a + b, map(abs, filter(None, xs)), 0)


@pure("zip, enumerate, any, all, min, max, sum")
def pairs(xs: Any, ys: Any) -> Any:
    found = [(i, x, y) for i, (x, y) in enumerate(zip(xs, ys, strict=True))]
    return any(xs), all(ys), min(xs), max(ys, default=0), sum(xs), found


@pure("itertools")
def chains(xs: Any) -> Any:
    return list(itertools.islice(itertools.chain(xs, [0]), 3)), list(itertools.combinations(xs, 2))


@pure("a constant of the module is read")
def in_range(x: Any) -> bool:
    return bool(LIMITS["low"] <= x <= LIMITS["high"])


@pure("a loop over a constant of the module")
def weighted(x: float) -> float:
    total = 0.0
    for weight in WEIGHTS:
        total += weight * x
    return total


@pure("a loop over the items of a constant dict")
def named_limits(x: Any) -> Any:
    return [name for name, limit in LIMITS.items() if limit < x]


@pure("recursion")
def fibonacci(n: int) -> int:
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


@pure("recursion over a tree, with a local list")
def leaves(tree: Any) -> list[Any]:
    if not isinstance(tree, list):
        return [tree]
    found = []
    for branch in tree:
        found.extend(leaves(branch))
    return found


def even(n: int) -> bool:
    return True if n == 0 else odd(n - 1)


def odd(n: int) -> bool:
    return False if n == 0 else even(n - 1)


@pure("two functions call each other")
def parity(n: int) -> str:
    return "even" if even(n) else "odd"


def fill(target: list[Any], x: Any) -> None:
    target.append(x)


@pure("the helper changes a list that is new")
def fills(x: Any) -> list[Any]:
    found: list[Any] = []
    fill(found, x)
    return found


def swap(pair: Any) -> Any:
    a, b = pair
    return b, a


@pure("tuples packed and unpacked")
def swaps(x: Any) -> Any:
    a, b = swap((x, [1]))
    a.append(2)
    return a, b


@pure("an inner function adds up in the closure of this call")
def total(xs: Any) -> Any:
    result = 0

    def add(x: Any) -> None:
        nonlocal result
        result += x

    for x in xs:
        add(x)
    return result


@pure("an inner function with a list of this call")
def walks(tree: Any) -> list[Any]:
    found: list[Any] = []

    def visit(node: Any) -> None:
        if isinstance(node, list):
            for child in node:
                visit(child)
        else:
            found.append(node)

    visit(tree)
    return found


@pure("an inner generator is consumed")
def primes(n: int) -> list[int]:
    def candidates() -> Iterator[int]:
        for i in range(2, n):
            if all(i % j for j in range(2, int(i**0.5) + 1)):
                yield i

    return list(candidates())


@pure("a generator expression is consumed")
def norm(xs: Any) -> float:
    return math.sqrt(sum(x * x for x in xs))


@pure("a closure is made and called")
def composes(x: Any) -> Any:
    def adder(n: int) -> Callable[[Any], Any]:
        return lambda value: value + n

    return adder(2)(adder(3)(x))


@pure("a partial is made and called")
def partially(x: Any) -> Any:
    scale = functools.partial(operator.mul, 3)
    return scale(x)


def scaled_by(factor: float) -> Callable[[float], float]:
    return lambda x: x * factor


TABLE.add(scaled_by(2.0), because="a closure over a number")
TABLE.add(lambda x: x + 1, because="a lambda")
TABLE.add(functools.partial(pow, 2), because="a partial of a built-in function")
TABLE.add(str.upper, because="a method of a built-in class")
TABLE.add(math.sqrt, because="a function written in C")
TABLE.add(json.dumps, because="a function of the library")
TABLE.add(WORD.findall, because="a method of a compiled expression")
TABLE.add(int, because="a built-in class")


@dataclasses.dataclass
class Point:
    """A point with methods that change it or make a new one."""

    x: float
    y: float
    tags: list[str] = dataclasses.field(default_factory=list)

    def moved(self, dx: float) -> Point:
        return dataclasses.replace(self, x=self.x + dx)

    def move(self, dx: float) -> None:
        self.x += dx
        self.tags.append("moved")

    def distance(self) -> float:
        return math.hypot(self.x, self.y)


@dataclasses.dataclass(frozen=True, slots=True)
class Span:
    """An interval that cannot change."""

    start: int
    end: int

    @property
    def length(self) -> int:
        return self.end - self.start


class Pair(NamedTuple):
    """A named tuple with a method."""

    a: int
    b: int

    def total(self) -> int:
        return self.a + self.b


class Colour(enum.Enum):
    """An enumeration."""

    RED = 1
    BLUE = 2


class Stack:
    """A stack written by hand."""

    def __init__(self, items: Iterable[Any] = ()) -> None:
        self._items = list(items)

    def push(self, item: Any) -> Stack:
        self._items.append(item)
        return self

    def pop(self) -> Any:
        return self._items.pop()

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._items)


class Named(Stack):
    """Inherits, and calls the inherited method."""

    def __init__(self, name: str) -> None:
        super().__init__([name])
        self.name = name

    def push(self, item: Any) -> Stack:
        return super().push((self.name, item))


class Timer:
    """A context manager of its own."""

    def __enter__(self) -> Timer:
        self.start = time.perf_counter()
        return self

    def __exit__(self, *exc: object) -> None:
        self.seconds = time.perf_counter() - self.start


class ParseError(ValueError):
    """An exception with attributes."""

    def __init__(self, text: str, position: int) -> None:
        super().__init__(text)
        self.position = position


@pure("a new dataclass is changed", types=[float])
def moves(x: float) -> float:
    point = Point(x, 2.0)
    point.move(1.0)
    return point.moved(1.0).distance()


@pure("a frozen dataclass with slots and a property")
def spans(n: int) -> int:
    return Span(1, n).length


@pure("a named tuple")
def adds_pair(x: int) -> int:
    return Pair(x, 2).total() + Pair(1, x).a


@pure("members of an enumeration")
def paints(x: int) -> str:
    colour = Colour.RED if x else Colour(2)
    return f"{colour.name} {colour.value}"


@pure("a new object with methods that chain")
def stacks(x: Any) -> Any:
    stack = Stack().push(x).push(2)
    return stack.pop(), len(stack), list(stack)


@pure("a class that inherits")
def names(x: Any) -> Any:
    return Named("n").push(x).pop()


@pure("a context manager made here")
def times(x: Any) -> float:
    with Timer() as timer:
        math.factorial(20)
    return timer.seconds


TABLE.add(Point, because="making a dataclass")
TABLE.add(Named, because="making an object of a class that inherits")
TABLE.add(Point(1.0, 2.0).distance, because="a bound method that only reads")


class Scaler:
    """A callable object that does not change."""

    def __init__(self, factor: float) -> None:
        self.factor = factor

    def __call__(self, x: float) -> float:
        return x * self.factor


TABLE.add(Scaler(2.0), because="a callable object that only reads itself")


@pure("exceptions are raised and caught")
def parses(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        return -1
    finally:
        text = ""


@pure("an exception of its own class is raised")
def demands(text: str) -> str:
    if not text:
        raise ParseError("empty", 0)
    return text


@pure("an exception is caught and looked at")
def explains(text: str) -> int:
    try:
        demands(text)
    except ParseError as error:
        return error.position
    return 0


@pure("a match statement")
def matches(shape: Any) -> Any:
    match shape:
        case {"kind": "circle", "r": r}:
            return 3.14 * r * r
        case [x, y, *rest]:
            return x * y + len(rest)
        case Point(x=0, y=y):
            return y
        case str() as text:
            return text
        case _:
            return None


@pure("regular expressions")
def tokens(text: str) -> Any:
    return [m.group(0).lower() for m in WORD.finditer(text)] + re.findall(r"\d+", text)


@pure("a substitution by a function")
def shouts(text: str) -> str:
    return WORD.sub(lambda m: m.group(0).upper(), text)


@pure("JSON in and out")
def renames(text: str) -> str:
    data = json.loads(text)
    data["name"] = data.pop("title", None)
    data["tags"].append("new")
    return json.dumps(data, sort_keys=True)


@pure("a digest")
def digest(data: bytes) -> str:
    state = hashlib.sha256()
    state.update(data)
    return state.hexdigest() + hashlib.md5(data).hexdigest()


@pure("compression and encoding")
def packs(data: bytes) -> bytes:
    return base64.b64encode(zlib.compress(data, 6))


@pure("a binary header")
def header(data: bytes) -> Any:
    size, kind = HEADER.unpack(data[:6])
    return size, kind, struct.pack("<I", size)


@pure("numbers of the library")
def summary(xs: Any) -> Any:
    return statistics.mean(xs), math.floor(math.log(len(xs))), decimal.Decimal("1.1") + 1


@pure("dates")
def days(text: str) -> int:
    start = datetime.datetime.fromisoformat(text)
    return (start + datetime.timedelta(days=3)).date().toordinal()


@pure("text of the library")
def wraps(text: str) -> str:
    return textwrap.fill(text.translate(str.maketrans("", "", string.punctuation)), width=40)


@pure("a text stream of this call")
def writes_csv(rows: Any) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    for row in rows:
        writer.writerow(row)
    print("done", file=out)
    return out.getvalue()


@pure("a file is opened, read and closed here")
def lines(path: str) -> int:
    with open(path, encoding="utf-8") as stream:
        return sum(1 for line in stream if line.strip())


@pure("a file is written here: what is on the disk is the outside world's")
def saves(path: str) -> int:
    with open(path, "w", encoding="utf-8") as stream:
        return stream.write("text")


@pure("paths")
def stem(path: str) -> str:
    return os.path.join(os.path.dirname(path), Path(path).with_suffix(".txt").name)


@pure("the environment is read")
def home(x: Any) -> Any:
    return os.environ.get("HOME", x), os.getenv("USER"), os.getcwd()


@pure("a page is fetched")
def fetches(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=5) as answer:
        content: bytes = answer.read()
    return content


@pure("a database is opened and closed here")
def queries(path: str) -> Any:
    with contextlib.closing(sqlite3.connect(path)) as database:
        cursor = database.cursor()
        cursor.execute("create table t (x)")
        database.executemany("insert into t values (?)", [(1,), (2,)])
        database.commit()
        return cursor.execute("select sum(x) from t").fetchone()


@pure("a database binds the parameters of a statement and only reads them")
def asks(task: Any) -> Any:
    path, number = task
    with sqlite3.connect(path) as database:
        cursor = database.cursor()
        cursor.execute("select ?", (number,))
        rows = list(cursor)
        database.executemany("insert into t values (:x)", ({"x": number} for _ in range(3)))
        total = database.execute("select sum(x) from t where x < ?", [number]).fetchone()
        return rows, total, cursor.execute("select :n", {"n": number}).fetchall(), cursor.fetchmany(number)


@pure("what is written to a file or a socket is only read")
def sends(task: Any) -> Any:
    address, content = task
    with socket.create_connection(address) as connection:
        connection.send(content)
        connection.sendall(content)
        answer = connection.recv(10)
    with tempfile.TemporaryFile("w+") as file:
        json.dump(content, file)
        csv.writer(file).writerow(content)
    packed = bytearray(8)
    struct.pack_into("d", packed, 0, content)
    return answer, packed


@pure("a child process")
def runs(argument: str) -> str:
    return subprocess.run(["echo", argument], capture_output=True, text=True, check=True).stdout.strip()


@pure("waiting")
def sleeps(x: Any) -> Any:
    time.sleep(0.01)
    return x, time.time()


@pure("a coroutine that waits")
async def waits(x: Any) -> Any:
    await asyncio.sleep(0.01)
    return x


@pure("coroutines awaited together")
async def gathers(xs: Any) -> Any:
    async def one(x: Any) -> Any:
        await asyncio.sleep(0)
        return x * 2

    return await asyncio.gather(*(one(x) for x in xs))


@pure("a random generator of this call")
def simulates(seed: int) -> float:
    rng = random.Random(seed)
    rows = [rng.random() for _ in range(10)]
    rng.shuffle(rows)
    return sum(rows)


@pure("keyword and starred arguments handed on")
def hands_on(*args: Any, **kwargs: Any) -> Any:
    return receives(*args, **kwargs)


def receives(*args: Any, sep: str = " ", **rest: Any) -> str:
    found = list(args)
    found.append(len(rest))
    return sep.join(str(x) for x in found)


@pure("a local name shadows one of the module")
def shadows(x: Any) -> Any:
    WEIGHTS = []  # noqa: N806
    WEIGHTS.append(x)
    return WEIGHTS


@pure("objects in local lists change")
def sieve(n: int) -> list[int]:
    flags = [True] * (n + 1)
    for i in range(2, int(n**0.5) + 1):
        if flags[i]:
            for j in range(i * i, n + 1, i):
                flags[j] = False
    return [i for i in range(2, n + 1) if flags[i]]


@pure("a local matrix is filled row by row")
def matrix_product(a: Any, b: Any) -> Any:
    size = len(a)
    product = [[0.0] * size for _ in range(size)]
    for i in range(size):
        for j in range(size):
            total = 0.0
            for k in range(size):
                total += a[i][k] * b[k][j]
            product[i][j] = total
    return product


@pure("dynamic programming in a local table")
def edit_distance(a: str, b: str) -> int:
    previous = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        current = [i]
        for j, y in enumerate(b, 1):
            current.append(min(previous[j] + 1, current[j - 1] + 1, previous[j - 1] + (x != y)))
        previous = current
    return previous[-1]


@pure("a search with a local queue")
def breadth_first(graph: Any, start: Any) -> list[Any]:
    waiting = collections.deque([start])
    found = []
    reached = {start}
    while waiting:
        node = waiting.popleft()
        found.append(node)
        for neighbour in graph[node]:
            if neighbour not in reached:
                reached.add(neighbour)
                waiting.append(neighbour)
    return found


@pure("a flag that is off by default keeps the function quiet", types=[int])
def quiet(x: int, verbose: bool = False) -> int:
    if verbose:
        print(x)
    return x


@pure("a class made inside")
def makes_class(x: Any) -> Any:
    class Box:
        def __init__(self, value: Any) -> None:
            self.value = value

        def doubled(self) -> Any:
            return self.value * 2

    return Box(x).doubled()


@pure("a library function is imported inside")
def imports_inside(x: Any) -> Any:
    from math import floor

    return floor(x)


@pure("the list is filled by a method of a local object")
def collects(xs: Any) -> list[Any]:
    found: list[Any] = []
    keep = found.append
    for x in xs:
        keep(x)
    return found


@pure("a walrus, a conditional and a chain of comparisons")
def clamps(x: Any) -> Any:
    return y if 0 <= (y := x * 2) <= 10 else 10


@pure("string formatting in three ways")
def formats(x: Any) -> str:
    return f"{x!r:>10}" + "{} {name}".format(x, name="n") + "%s" % x  # noqa: UP031
