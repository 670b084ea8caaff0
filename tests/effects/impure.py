"""Small functions that have effects, of every kind."""

from __future__ import annotations

import asyncio
import bisect
import contextlib
import contextvars
import csv
import decimal
import functools
import gc
import heapq
import io
import itertools
import json
import locale
import logging
import operator
import os
import random
import signal
import socket
import sqlite3
import struct
import sys
import threading
import warnings
from collections import Counter, defaultdict, deque
from collections.abc import AsyncIterator, Callable, Iterator
from random import gauss
from types import SimpleNamespace
from typing import Any

from autopar._model.effects import EffectKind as E
from tests.effects.table import Table

TABLE = Table()
impure = TABLE.impure

counter = 0
seen: list[Any] = []
cache: dict[Any, Any] = {}
names: set[str] = set()
queue: deque[Any] = deque()
by_key: defaultdict[str, list[Any]] = defaultdict(list)
tally: Counter[str] = Counter()
numbers = iter(range(10))
ids = itertools.count()
log_file = io.StringIO()
connection = sqlite3.connect(":memory:", check_same_thread=False)
lock = threading.Lock()
local = threading.local()
variable: contextvars.ContextVar[int] = contextvars.ContextVar("variable")
generator = random.Random(0)
logger = logging.getLogger("effects")
settings = SimpleNamespace(level=1)
draw = random.Random(1).random
writer = csv.writer(log_file)
handlers: dict[str, Callable[[Any], Any]] = {"keep": seen.append}


# Globals


@impure(E.WRITES_GLOBAL, E.READS_SHARED, because="the global is rebound, and read before")
def counts(x: Any) -> Any:
    global counter
    counter += 1
    return x


@impure(E.WRITES_GLOBAL, because="the global is rebound, and never read")
def sets_global(x: Any) -> None:
    global counter
    counter = x


@impure(E.WRITES_GLOBAL, because="the global name is deleted")
def deletes_global(x: Any) -> None:
    global counter
    del counter


@impure(E.WRITES_SHARED, because="a module-level list grows")
def appends_to_global(x: Any) -> None:
    seen.append(x)


@impure(E.WRITES_SHARED, because="the method was looked up before the loop")
def appends_by_bound_method(xs: Any) -> None:
    keep = seen.append
    for x in xs:
        keep(x)


@impure(E.WRITES_SHARED, because="the list has another name in the function")
def appends_by_alias(x: Any) -> None:
    where = seen
    where.append(x)


@impure(E.WRITES_SHARED, because="one of the two lists is the module's")
def appends_by_branch(x: Any) -> Any:
    where = seen if x else []
    where.append(x)
    return where


@impure(E.WRITES_SHARED, E.READS_SHARED, because="a cache kept by hand: read, then filled")
def memoises(x: Any) -> Any:
    if x not in cache:
        cache[x] = x * x
    return cache[x]


@impure(E.WRITES_SHARED, because="an item of a module-level dict is deleted")
def forgets(x: Any) -> None:
    del cache[x]


@impure(E.WRITES_SHARED, because="a module-level set grows")
def adds_to_set(x: str) -> None:
    names.add(x)


@impure(E.WRITES_SHARED, because="the set changes in place by an operator")
def unites_set(x: Any) -> None:
    global_names = names
    global_names |= {x}


@impure(E.WRITES_SHARED, because="a module-level deque loses an item")
def pops_queue(x: Any) -> Any:
    return queue.popleft()


@impure(E.WRITES_SHARED, E.READS_SHARED, because="looking up a missing key of a defaultdict adds it")
def touches_defaultdict(x: str) -> Any:
    return by_key[x]


@impure(E.WRITES_SHARED, because="a module-level counter is updated")
def tallies(x: Any) -> None:
    tally.update(x)


@impure(E.WRITES_SHARED, because="something inside a module-level dict changes")
def appends_inside(x: str) -> None:
    by_key.setdefault(x, []).append(x)


@impure(E.WRITES_SHARED, because="a module-level iterator is advanced by next()")
def takes_next(x: Any) -> Any:
    return next(numbers), x


@impure(E.WRITES_SHARED, because="a module-level iterator is used up by a loop")
def loops_over_iterator(x: Any) -> Any:
    return [n + x for n in numbers]


@impure(E.WRITES_SHARED, because="itertools.count keeps its place")
def numbers_itself(x: Any) -> Any:
    return next(ids), x


@impure(E.WRITES_SHARED, because="a module-level heap is pushed to by a library function")
def pushes(x: Any) -> None:
    heapq.heappush(seen, x)


@impure(E.WRITES_SHARED, because="setattr() on a module-level object")
def sets_by_name(x: Any) -> None:
    setattr(settings, "level" + str(x), x)


@impure(E.WRITES_SHARED, because="an attribute of a module-level object is set")
def sets_attribute(x: Any) -> None:
    settings.level = x


@impure(E.WRITES_SHARED, because="the dict behind a module-level object is updated")
def updates_vars(x: Any) -> None:
    vars(settings).update(level=x)


@impure(E.WRITES_SHARED, because="operator.setitem() changes its argument")
def sets_by_operator(x: Any) -> None:
    operator.setitem(cache, x, 1)


@impure(E.WRITES_SHARED, E.READS_SHARED, because="the handler is looked up in a dict, and changes what it holds")
def dispatches(x: Any) -> None:
    handlers["keep"](x)


@impure(E.WRITES_SHARED, because="map() calls the method that appends")
def appends_by_map(xs: Any) -> Any:
    return list(map(seen.append, xs))


@impure(E.WRITES_SHARED, because="the key function appends")
def appends_by_key(xs: Any) -> Any:
    def key(x: Any) -> Any:
        seen.append(x)
        return x

    return sorted(xs, key=key)


@impure(E.WRITES_SHARED, because="functools.partial holds the method that appends")
def appends_by_partial(x: Any) -> None:
    functools.partial(seen.append, x)()


@impure(E.WRITES_SHARED, because="an exception handler appends")
def appends_on_error(x: Any) -> Any:
    try:
        return 1 / x
    except ZeroDivisionError as error:
        seen.append(str(error))
        return 0


@impure(E.WRITES_SHARED, because="the clean-up appends")
def appends_finally(x: Any) -> Any:
    try:
        return 1 / x
    finally:
        seen.append(x)


@impure(E.WRITES_GLOBAL, because="globals() is the module's own dict")
def writes_globals_dict(x: Any) -> None:
    globals()["counter"] = x


@impure(E.WRITES_SHARED, because="setdefault() fills a module-level dict")
def fills_cache(xs: Any) -> Any:
    return [cache.setdefault(x, x) for x in xs]


@functools.cache
def squared(x: Any) -> Any:
    return x * x


@impure(E.WRITES_SHARED, because="calls a function with a cache")
def calls_cached(x: Any) -> Any:
    return squared(x)


# Closures and defaults


def make_counter() -> Callable[[Any], Any]:
    total = 0

    def count(x: Any) -> Any:
        nonlocal total
        total += x
        return total

    return count


def make_keeper() -> Callable[[Any], None]:
    kept: list[Any] = []

    def keep(x: Any) -> None:
        kept.append(x)

    return keep


def make_indirect() -> Callable[[Any], None]:
    kept: list[Any] = []

    def keep(x: Any) -> None:
        kept.append(x)

    def run(x: Any) -> None:
        keep(x)

    return run


TABLE.add(make_counter(), E.WRITES_CLOSURE, because="a closure variable is rebound")
TABLE.add(make_keeper(), E.WRITES_CLOSURE, because="the list in a closure cell grows")
TABLE.add(make_indirect(), E.WRITES_CLOSURE, because="a function in the closure changes the list in its own")


@impure(
    E.WRITES_DEFAULT, E.WRITES_ARGUMENT, because="a mutable default is filled, or what the caller gave in its place"
)
def keeps_in_default(x: Any, kept: list[Any] = []) -> Any:  # noqa: B006
    kept.append(x)
    return kept


@impure(E.WRITES_DEFAULT, because="in this call the parameter has its default", types=[int])
def keeps_in_own_default(x: Any, kept: dict[Any, Any] = {}) -> Any:  # noqa: B006
    kept[x] = 1
    return x


@impure(E.WRITES_DEFAULT, E.WRITES_ARGUMENT, because="a mutable default of a keyword-only parameter")
def keeps_in_keyword(x: Any, *, kept: set[Any] = set()) -> Any:  # noqa: B006
    kept.add(x)
    return x


# Arguments


@impure(E.WRITES_ARGUMENT, because="an item of the argument is set")
def sets_item(row: Any) -> Any:
    row["done"] = True
    return row


@impure(E.WRITES_ARGUMENT, because="an attribute of the argument is set")
def sets_attribute_of_argument(row: Any) -> None:
    row.done = True


@impure(E.WRITES_ARGUMENT, because="the argument is sorted in place")
def sorts_argument(row: Any) -> Any:
    row.sort()
    return row


@impure(E.WRITES_ARGUMENT, because="something deep inside the argument changes")
def appends_deep(row: Any) -> None:
    row["a"][0].append(1)


@impure(E.WRITES_ARGUMENT, because="the element of a loop over the argument changes")
def changes_elements(rows: Any) -> None:
    for row in rows:
        row["seen"] = 1


@impure(E.WRITES_ARGUMENT, because="the argument was put into a new list and is reached through it")
def changes_through_list(row: Any) -> None:
    held = [row]
    held[0].append(1)


@impure(E.WRITES_ARGUMENT, because="the argument was put into a new object and is reached through it")
def changes_through_object(row: Any) -> None:
    holder = SimpleNamespace(row=row)
    holder.row.append(1)


def add_one(items: Any) -> None:
    items.append(1)


@impure(E.WRITES_ARGUMENT, because="a function it calls changes the argument")
def changes_by_helper(row: Any) -> None:
    add_one(row)


@impure(E.WRITES_ARGUMENT, because="the copy is shallow: the rows inside are the caller's")
def changes_shallow_copy(rows: Any) -> Any:
    mine = list(rows)
    mine[0].append(1)
    return mine


@impure(E.WRITES_ARGUMENT, because="+= changes a list in place", types=[list])
def adds_in_place(row: Any) -> Any:
    row += [1]
    return row


@impure(E.WRITES_ARGUMENT, because="+= changes an array in place, and the argument may be one")
def adds_number_in_place(value: Any) -> Any:
    value += 1
    return value


@impure(E.WRITES_ARGUMENT, because="next() advances the argument")
def advances(iterator: Any) -> Any:
    return next(iterator)


@impure(E.WRITES_ARGUMENT, because="the argument is a file that is written to")
def writes_to(stream: Any) -> None:
    stream.write("line\n")


@impure(E.WRITES_ARGUMENT, because="json.dump() writes to its second argument")
def dumps_to(stream: Any) -> None:
    json.dump([1], stream)


@impure(E.WRITES_ARGUMENT, because="the writer hands the row on to the argument")
def writes_rows(stream: Any) -> None:
    csv.writer(stream).writerow([1, 2])


@impure(E.WRITES_ARGUMENT, because="print() to a file that the caller gave")
def prints_to(stream: Any) -> None:
    print("line", file=stream)


@impure(E.WRITES_ARGUMENT, because="bisect.insort() changes its first argument")
def inserts(row: Any) -> None:
    bisect.insort(row, 3)


@impure(E.WRITES_ARGUMENT, because="a random generator of the caller moves on")
def draws_from(rng: Any) -> Any:
    return rng.normal()


@impure(E.WRITES_ARGUMENT, because="one of the starred arguments changes")
def changes_starred(*rows: Any) -> None:
    rows[0].append(1)


@impure(E.WRITES_ARGUMENT, because="one of the keyword arguments changes")
def changes_keywords(**rows: Any) -> None:
    rows["a"].append(1)


@impure(E.WRITES_ARGUMENT, because="a comprehension pops from the argument")
def drains(row: Any) -> Any:
    return [row.pop() for _ in range(2)]


@impure(E.WRITES_ARGUMENT, because="a lambda changes the elements")
def changes_by_lambda(rows: Any) -> Any:
    change: Callable[[Any], Any] = lambda row: row.update(a=1)  # noqa: E731
    return [change(row) for row in rows]


@impure(E.WRITES_ARGUMENT, because="unpacking hands out the caller's objects")
def changes_unpacked(pair: Any) -> None:
    first, *rest = pair
    rest[0].append(first)


@impure(E.WRITES_ARGUMENT, because="an item is deleted")
def deletes_item(row: Any) -> None:
    del row[0]


@impure(E.WRITES_ARGUMENT, because="a slice is assigned")
def assigns_slice(row: Any) -> None:
    row[:2] = [0, 0]


@impure(E.WRITES_ARGUMENT, because="a method of an argument of a known class changes it", types=[bytearray])
def extends_bytes(data: Any) -> None:
    data.extend(b"more")


# Objects and classes


class Account:
    """Has methods that change it, and one that does not."""

    opened = 0
    members: list[Any] = []  # noqa: RUF012

    def __init__(self, owner: str) -> None:
        self.owner = owner
        self.total = 0
        self.history: list[Any] = []

    def deposit(self, amount: Any) -> None:
        self.total += amount

    def record(self, amount: Any) -> None:
        self.history.append(amount)

    def record_twice(self, amount: Any) -> None:
        self.record(amount)
        self.record(amount)

    def join(self, member: Any) -> None:
        self.members.append(member)

    @classmethod
    def open(cls, owner: Any) -> Any:
        cls.opened += 1
        return cls(owner)

    @property
    def touched(self) -> Any:
        self.history.append("touched")
        return self.total

    def __call__(self, amount: Any) -> None:
        self.total = amount

    def __enter__(self) -> Account:
        seen.append("entered")
        return self

    def __exit__(self, *exc: object) -> None:
        """Leave."""

    def __getitem__(self, key: Any) -> Any:
        seen.append(key)
        return key

    def __add__(self, other: Any) -> Any:
        seen.append(other)
        return self

    def __iter__(self) -> Iterator[Any]:
        seen.append("iterated")
        return iter([1])

    def __str__(self) -> str:
        seen.append("shown")
        return "account"


account = Account("nobody")

TABLE.add(account.deposit, E.WRITES_SELF, because="the bound method rebinds an attribute of its object")
TABLE.add(account.record, E.WRITES_SELF, because="the bound method appends to a list of its object")
TABLE.add(account.record_twice, E.WRITES_SELF, because="the bound method calls one that appends")
TABLE.add(account, E.WRITES_SELF, because="the object that is called rebinds its attribute")
TABLE.add(account.join, E.WRITES_SHARED, because="the list is the class's, found through the object")
TABLE.add(Account.open, E.WRITES_SHARED, because="a class attribute is rebound")
TABLE.add(Account.record, E.WRITES_SELF, because="the method changes whatever object it is called on")
TABLE.add(seen.append, E.WRITES_SELF, because="the method of a list changes that list")
TABLE.add(functools.partial(add_one, seen), E.WRITES_SHARED, because="the partial holds the list that grows")
TABLE.add(squared, E.WRITES_SHARED, because="the function has a cache")


@impure(E.WRITES_SHARED, because="a method of a module-level object changes it")
def deposits(x: Any) -> None:
    account.deposit(x)


@impure(E.WRITES_SHARED, because="a property of a module-level object has an effect")
def looks(x: Any) -> Any:
    return account.touched


@impure(E.WRITES_SHARED, because="a class attribute is set")
def sets_class_attribute(x: Any) -> None:
    Account.opened = x


@impure(E.WRITES_SHARED, because="a new object, but its list is the class's")
def joins(x: Any) -> None:
    Account("new").join(x)


@impure(E.WRITES_SHARED, because="entering the context has an effect")
def enters(x: Any) -> Any:
    with Account("new"):
        return x


@impure(E.WRITES_SHARED, because="the subscript is a method with an effect")
def subscripts(x: Any) -> Any:
    return Account("new")[x]


@impure(E.WRITES_SHARED, because="the operator is a method with an effect")
def operates(x: Any) -> Any:
    return Account("new") + x


@impure(E.WRITES_SHARED, because="the loop calls a method with an effect")
def iterates(x: Any) -> Any:
    return [y + x for y in Account("new")]


@impure(E.WRITES_SHARED, because="formatting calls a method with an effect")
def formats(x: Any) -> Any:
    return f"{Account('new')} {x}"


class Registry(type):
    """A metaclass that keeps its objects."""

    def __call__(cls, *args: Any) -> Any:
        made = super().__call__(*args)
        seen.append(made)
        return made


class Registered(metaclass=Registry):
    """Each object is kept by the metaclass."""

    def __init__(self, x: Any) -> None:
        self.x = x


@impure(E.WRITES_SHARED, because="the metaclass keeps every object")
def registers(x: Any) -> Any:
    return Registered(x).x


class Noticing:
    """Keeps its objects when they are made."""

    def __new__(cls, x: Any) -> Any:
        seen.append(x)
        return super().__new__(cls)


@impure(E.WRITES_SHARED, because="__new__ has an effect")
def notices(x: Any) -> Any:
    return Noticing(x)


# The rest of the process


@impure(E.RANDOM, because="the module's functions share one stream")
def draws(x: Any) -> Any:
    return random.random() + x


@impure(E.RANDOM, because="the function was imported by name")
def draws_by_name(x: Any) -> Any:
    return gauss(0, 1) + x


@impure(E.RANDOM, E.WRITES_ARGUMENT, because="random.shuffle() draws, and changes its argument")
def shuffles(row: Any) -> None:
    random.shuffle(row)


@impure(E.RANDOM, because="the seed of the shared stream is set")
def seeds(x: Any) -> None:
    random.seed(x)


@impure(E.WRITES_SHARED, because="a module-level generator moves on")
def draws_from_global(x: Any) -> Any:
    return generator.random() + x


@impure(E.WRITES_SHARED, because="the bound method of a module-level generator")
def draws_by_bound(x: Any) -> Any:
    return draw() + x


@impure(E.OUTPUT, because="print()")
def prints(x: Any) -> None:
    print(x)


@impure(E.OUTPUT, because="print() in a function it calls")
def prints_by_helper(x: Any) -> None:
    prints(x)


@impure(E.OUTPUT, because="writes to the standard output")
def writes_out(x: Any) -> None:
    sys.stdout.write(str(x))


@impure(E.OUTPUT, because="a logger of the module")
def logs(x: Any) -> None:
    logger.info("x is %s", x)


@impure(E.OUTPUT, because="the root logger")
def logs_at_root(x: Any) -> None:
    logging.warning("x is %s", x)


@impure(E.OUTPUT, because="a warning is shown once, at the first item")
def warns(x: Any) -> None:
    warnings.warn("careful", stacklevel=1)


@impure(E.OUTPUT, because="a file that is open outside")
def writes_log(x: Any) -> None:
    log_file.write(str(x))


@impure(E.OUTPUT, because="a writer onto a file that is open outside")
def writes_record(x: Any) -> None:
    writer.writerow([x])


@impure(E.WRITES_ARGUMENT, because="a copy of a database is written to another connection")
def backs_up(task: Any) -> None:
    path, target = task
    sqlite3.connect(path).backup(target)


@impure(E.WRITES_ARGUMENT, because="the numbers are packed into a buffer of the caller's")
def packs_into(task: Any) -> None:
    buffer, number = task
    struct.pack_into("d", buffer, 0, number)


@impure(E.WRITES_SHARED, because="a database's rows are made by a function of the program")
def makes_rows(path: str) -> Any:
    database = sqlite3.connect(path)
    database.row_factory = lambda cursor, row: seen.append(row)
    return database.execute("select 1").fetchall()


@impure(E.WRITES_SHARED, because="the parameters of many statements are taken from an iterator of the program")
def uses_up_parameters(path: str) -> None:
    sqlite3.connect(path).executemany("insert into t values (?)", ((n,) for n in numbers))


@impure(E.OUTPUT, because="a database connection that is open outside")
def inserts_record(x: Any) -> None:
    connection.execute("insert into t values (?)", (x,))


@impure(E.LOCK, because="a module-level lock is taken")
def locks(x: Any) -> Any:
    with lock:
        return x


@impure(E.LOCK, because="a module-level lock is taken by its method")
def acquires(x: Any) -> Any:
    lock.acquire()
    try:
        return x
    finally:
        lock.release()


@impure(E.THREAD_LOCAL, because="each thread sees another value")
def reads_local(x: Any) -> Any:
    return local.value + x


@impure(E.THREAD_LOCAL, because="a thread-local is set")
def sets_local(x: Any) -> None:
    local.value = x


@impure(E.CONTEXT, because="a context variable is set")
def sets_context(x: Any) -> None:
    variable.set(x)


@impure(E.CONTEXT, because="the decimal context is the thread's")
def sets_precision(x: Any) -> None:
    decimal.getcontext().prec = x


@impure(E.PROCESS_STATE, because="an environment variable")
def sets_environment(x: Any) -> None:
    os.environ["AUTOPAR_CASE"] = str(x)


@impure(E.PROCESS_STATE, because="the working directory")
def changes_directory(path: Any) -> None:
    os.chdir(path)


@impure(E.PROCESS_STATE, because="where modules are found")
def extends_path(path: Any) -> None:
    sys.path.append(path)


@impure(E.PROCESS_STATE, because="the standard output is replaced")
def replaces_stdout(x: Any) -> None:
    sys.stdout = io.StringIO()


@impure(E.PROCESS_STATE, because="the locale")
def sets_locale(x: Any) -> None:
    locale.setlocale(locale.LC_ALL, "C")


@impure(E.PROCESS_STATE, because="a signal handler")
def handles_signal(x: Any) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


@impure(E.PROCESS_STATE, because="the filters of warnings, until the block ends")
def catches_warnings(x: Any) -> Any:
    with warnings.catch_warnings():
        return x


@impure(E.PROCESS_STATE, because="the recursion limit")
def sets_limit(x: Any) -> None:
    sys.setrecursionlimit(x)


@impure(E.PROCESS_STATE, because="the garbage collector")
def disables_collector(x: Any) -> None:
    gc.disable()


@impure(E.PROCESS_STATE, because="the default time-out of sockets")
def sets_timeout(x: Any) -> None:
    socket.setdefaulttimeout(x)


@impure(E.PROCESS_STATE, because="the standard output is redirected")
def redirects(x: Any) -> Any:
    with contextlib.redirect_stdout(io.StringIO()):
        return x


@impure(E.THREAD_IDENTITY, because="the current thread's name")
def names_thread(x: Any) -> Any:
    return threading.current_thread().name


@impure(E.THREAD_IDENTITY, because="the number of the process")
def numbers_process(x: Any) -> Any:
    return os.getpid(), x


@impure(E.THREAD_IDENTITY, because="the running loop")
async def finds_loop(x: Any) -> Any:
    return asyncio.get_running_loop().time() + x


@impure(E.GENERATOR, because="a generator runs when it is consumed")
def generates(x: Any) -> Iterator[Any]:
    yield x


@impure(E.GENERATOR, because="an asynchronous generator runs when it is consumed")
async def generates_async(x: Any) -> AsyncIterator[Any]:
    yield x


@impure(E.GENERATOR, E.WRITES_SHARED, because="a generator with an effect of its own")
def generates_and_appends(x: Any) -> Iterator[Any]:
    seen.append(x)
    yield x


def inner_generator(x: Any) -> Iterator[Any]:
    seen.append(x)
    yield x


@impure(E.WRITES_SHARED, because="the generator is consumed inside, and appends")
def consumes(x: Any) -> Any:
    return sum(inner_generator(x))


@impure(E.WRITES_SHARED, because="the coroutine is awaited inside, and appends")
async def awaits(x: Any) -> Any:
    async def keep() -> None:
        seen.append(x)

    await keep()


# Unseen code


@impure(E.UNKNOWN, because="exec()")
def executes(text: str) -> None:
    exec(text)


@impure(E.UNKNOWN, because="eval()")
def evaluates(text: str) -> Any:
    return eval(text)


@impure(E.UNKNOWN, because="the argument is called")
def calls_argument(function: Any) -> Any:
    return function(1)


@impure(E.UNKNOWN, because="the key function is the caller's")
def sorts_by_argument(rows: Any, key: Any) -> Any:
    return sorted(rows, key=key)


@impure(E.UNKNOWN, because="the method is found by a computed name")
def calls_by_name(x: Any, name: str) -> Any:
    return getattr(x, name)()


@impure(E.UNKNOWN, because="a module is imported by a computed name")
def imports_by_name(name: str) -> Any:
    return __import__(name)


@impure(E.UNKNOWN, because="nothing is known of the method")
def calls_method(x: Any) -> Any:
    return x.frobnicate()
