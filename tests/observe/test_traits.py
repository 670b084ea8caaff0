"""What is said of a function without calling it."""

from __future__ import annotations

import copy
import functools
import operator
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import wrapt

from autopar import _effects
from autopar._model.effects import Effect, EffectKind, EffectReport
from autopar._observe.known_calls import Known, classify_call
from autopar._observe.traits import (
    name_of,
    observe_traits,
    returns_coroutine,
    returns_generator,
    without_array_arguments,
)

ROOT = Path(__file__).parents[2]


def plain(x: int) -> int:
    return x


async def coroutine(x: int) -> int:
    return x


def generator(x: int) -> Iterator[int]:
    yield x


async def async_generator(x: int) -> AsyncIterator[int]:
    yield x


class Service:
    async def fetch(self, x: int) -> int:
        return x

    @staticmethod
    async def static(x: int) -> int:
        return x

    @classmethod
    async def of_class(cls, x: int) -> int:
        return x

    def rows(self) -> Iterator[int]:
        yield 1

    def plain(self) -> int:
        return 1


class AsyncCall:
    async def __call__(self, x: int) -> int:
        return x


class StaticAsyncCall:
    @staticmethod
    async def __call__(x: int) -> int:
        return x


class PlainCall:
    def __call__(self, x: int) -> int:
        return x


class GeneratorCall:
    def __call__(self) -> Iterator[int]:
        yield 1


class Awkward:
    """Answers every question about its attributes with an error."""

    def __call__(self) -> int:
        return 1

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)


@wrapt.decorator
def passing(wrapped: Callable[..., Any], instance: Any, args: Any, kwargs: Any) -> Any:
    return wrapped(*args, **kwargs)


def to_its_end(function: Callable[..., Awaitable[Any]]) -> Callable[..., Any]:
    @functools.wraps(function)
    def run(*args: Any) -> Any:
        try:
            function(*args).__await__().__next__()
        except StopIteration as stop:
            return stop.value

    return run


@pytest.mark.parametrize(
    ("function", "is_async", "is_generator"),
    [
        (plain, False, False),
        (lambda x: x, False, False),
        (len, False, False),
        (PlainCall(), False, False),
        (Service().plain, False, False),
        (Service, False, False),
        (AsyncCall, False, False),
        (coroutine, True, False),
        (Service().fetch, True, False),
        (Service.static, True, False),
        (Service.of_class, True, False),
        (staticmethod(coroutine), True, False),
        (AsyncCall(), True, False),
        (StaticAsyncCall(), True, False),
        (functools.partial(coroutine, 1), True, False),
        (functools.partial(functools.partial(AsyncCall()), 1), True, False),
        (functools.lru_cache(coroutine), True, False),
        (passing(coroutine), True, False),
        (to_its_end(coroutine), False, False),
        (generator, False, True),
        (async_generator, False, True),
        (Service().rows, False, True),
        (GeneratorCall(), False, True),
        (functools.partial(generator, 1), False, True),
        (passing(generator), False, True),
    ],
    ids=lambda value: name_of(value).rpartition(".")[2] if callable(value) else str(value),
)
def test_what_a_call_gives_is_seen(function: Callable[..., Any], is_async: bool, is_generator: bool) -> None:
    """Coroutines and generators are known through methods, partials, wrappers and callable objects, never assumed."""
    traits = observe_traits(function, EffectReport())
    assert (traits.is_async, traits.is_generator) == (is_async, is_generator)


def test_asyncios_own_mark_counts() -> None:
    """A plain function that asyncio was told to be a coroutine function is one."""
    import asyncio.coroutines

    def marked() -> None: ...

    mark = getattr(asyncio.coroutines, "_is_coroutine", None)
    if mark is None:
        pytest.skip("this Python has no such mark any more")
    marked._is_coroutine = mark  # type: ignore[attr-defined]
    assert returns_coroutine(marked)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the mark is new in 3.12")
def test_inspects_mark_counts() -> None:
    """A plain callable marked by inspect.markcoroutinefunction gives coroutines."""
    import inspect

    marked = PlainCall()
    inspect.markcoroutinefunction(marked)  # type: ignore[attr-defined,unused-ignore]
    assert returns_coroutine(marked)
    assert not returns_coroutine(PlainCall())


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (plain, f"{__name__}.plain"),
        (Service().fetch, f"{__name__}.Service.fetch"),
        (PlainCall(), f"{__name__}.PlainCall"),
        (Service, f"{__name__}.Service"),
        (functools.partial(textwrap.dedent, "x"), "textwrap.dedent"),
        (functools.lru_cache(plain), f"{__name__}.plain"),
        (passing(plain), f"{__name__}.plain"),
        (len, "builtins.len"),
    ],
)
def test_a_function_is_named_by_module_and_qualname(function: Callable[..., Any], name: str) -> None:
    """The name says where the code is; an object that can be called has its class's."""
    assert name_of(function) == name
    assert observe_traits(function, EffectReport()).name == name


def test_an_object_whose_attributes_raise_is_only_looked_at() -> None:
    """The user's __getattr__ is not run."""
    traits = observe_traits(Awkward(), EffectReport())
    assert (traits.name, traits.is_async, traits.is_generator) == (f"{__name__}.Awkward", False, False)


def has_for(rows: list[int]) -> int:
    total = 0
    for row in rows:
        total += row
    return total


def has_while(n: int) -> int:
    while n > 1:
        n //= 2
    return n


def has_endless_while(n: int) -> int:
    while True:
        n -= 1
        if n < 0:
            return n


def has_comprehension(rows: list[int]) -> list[int]:
    return [row + 1 for row in rows]


def has_generator_expression(rows: list[int]) -> int:
    return sum(row + 1 for row in rows)


async def has_async_for(rows: AsyncIterator[int]) -> int:
    total = 0
    async for row in rows:
        total += row
    return total


def only_branches(x: int) -> int:
    try:
        return 1 if x > 2 else 2
    finally:
        x = 3


def only_handles(x: Any) -> int:
    try:
        plain(x)
    except ValueError as error:
        plain(len(error.args))
    with x:
        plain(x)
    return 3


def only_delegates(x: int) -> Iterator[int]:
    yield from generator(x)


def only_defines(x: int) -> Callable[[], int]:
    def inner() -> int:
        for _ in range(x):
            pass
        return x

    return inner


async def only_awaits(x: int) -> int:
    return await coroutine(x)


@pytest.mark.parametrize(
    ("function", "loops"),
    [
        (has_for, True),
        (has_while, True),
        (has_endless_while, True),
        (has_comprehension, True),
        (has_generator_expression, True),
        (has_async_for, True),
        (only_branches, False),
        (only_handles, False),
        (only_delegates, False),
        (only_awaits, False),
        (only_defines, False),
    ],
)
def test_loops_are_found_in_the_bytecode(function: Callable[..., Any], loops: bool) -> None:
    """`for`, `while` and comprehensions are loops; `await`, `yield from` and functions only defined are not."""
    assert observe_traits(function, EffectReport(codes=(function.__code__,))).has_loops is loops


def test_a_loop_in_a_function_that_it_calls_counts() -> None:
    """All code that was followed is searched."""
    report = EffectReport(codes=(plain.__code__, has_for.__code__))
    assert observe_traits(plain, report).has_loops


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("time.sleep", Known.BLOCKS),
        ("input", Known.BLOCKS),
        ("builtins.input", Known.BLOCKS),
        ("socket.create_connection", Known.BLOCKS),
        ("_socket.socket.recv", Known.BLOCKS),
        ("socket.socket.recv", Known.BLOCKS),
        ("http.client.HTTPConnection.getresponse", Known.BLOCKS),
        ("urllib.request.urlopen", Known.BLOCKS),
        ("requests.api.get", Known.BLOCKS),
        ("httpx.AsyncClient.get", Known.BLOCKS),
        ("subprocess.run", Known.BLOCKS),
        ("select.epoll.poll", Known.BLOCKS),
        ("queue.Queue.get", Known.BLOCKS),
        ("_queue.SimpleQueue.get", Known.BLOCKS),
        ("_thread.lock.acquire", Known.BLOCKS),
        ("_sqlite3.Cursor.execute", Known.BLOCKS),
        ("posix.waitpid", Known.BLOCKS),
        ("concurrent.futures._base.Future.result", Known.BLOCKS),
        ("zlib.compress", Known.RELEASES),
        ("_bz2.BZ2Compressor.compress", Known.RELEASES),
        ("lzma.compress", Known.RELEASES),
        ("hashlib.sha256", Known.RELEASES),
        ("_hashlib.openssl_sha256", Known.RELEASES),
        ("_hashlib.HASH.update", Known.RELEASES),
        ("_blake2.blake2b", Known.RELEASES),
        ("numpy.linalg.norm", Known.RELEASES),
        ("numpy.ndarray.sort", Known.RELEASES),
        ("numpy.fft.rfft", Known.RELEASES),
        ("PIL.Image.Image.resize", Known.RELEASES),
        ("numpy.vectorize", Known.HOLDS),
        ("numpy.ndarray.tolist", Known.HOLDS),
        ("re.Pattern.sub", Known.HOLDS),
        ("json.loads", Known.HOLDS),
        ("math.sqrt", Known.HOLDS),
        ("str.join", Known.HOLDS),
        ("len", Known.HOLDS),
        ("urllib.parse.urlsplit", Known.HOLDS),
        ("queue.Queue", Known.HOLDS),
        ("timeit.default_timer", Known.HOLDS),
        ("ctypes.CDLL", Known.FOREIGN),
        ("company.time.sleep", Known.FOREIGN),
        ("numpyro.infer", Known.FOREIGN),
    ],
)
def test_library_calls_are_known_by_their_longest_entry(name: str, known: Known) -> None:
    """A call is known by itself, its module or its package, under its public or its private name."""
    assert classify_call(name) is known


def test_traits_sort_the_calls() -> None:
    """Calls that wait, that release the GIL and that are not known are listed apart; those that hold it nowhere."""
    calls = ("time.sleep", "zlib.compress", "json.dumps", "vendor.score", "hashlib.md5")
    effects = (Effect(EffectKind.OUTPUT, "print()", "f", 3),)
    report = EffectReport(effects=effects, calls=calls)
    traits = observe_traits(plain, report)
    assert traits.blocking_calls == ("time.sleep",)
    assert traits.releasing_calls == ("zlib.compress", "hashlib.md5")
    assert traits.foreign_calls == ("vendor.score",)
    assert traits.report is report


ARRAY = np.ones(4)
ARRAYS = [ARRAY]
SCALAR = np.float64(2.0)
NUMBERS = list(range(1000))
SQUARES = {number: number * number for number in range(1000)}


class Model:
    def __init__(self) -> None:
        self.weights = ARRAY
        self.bias = 2.0

    def predicted(self, x: int) -> Any:
        return self.weights @ self.weights + x

    def biased(self, x: int) -> float:
        return self.bias * SQUARES[3]


def adds_global(x: Any) -> Any:
    return ARRAY + 1


def adds_member(x: Any) -> Any:
    return ARRAYS[0] * 2


def compares(x: Any) -> Any:
    return ARRAY < 3


def negates(x: Any) -> Any:
    return -ARRAY


def asks(x: Any) -> Any:
    return ARRAY.sum()


def reduces(x: Any) -> Any:
    return functools.reduce(operator.add, ARRAYS)


def changes_copy(x: Any) -> Any:
    y = copy.copy(ARRAY)
    y += 1
    return y


def scaled_by(weights: Any) -> Callable[[Any], Any]:
    def scale(x: int) -> Any:
        return weights * 2

    return scale


def multiplies(x: Any) -> Any:
    return x @ x


def counts(n: int) -> int:
    total = 0
    for i in range(n):
        total += i * i % 7
    return total


def sums_numbers(x: Any) -> Any:
    return sum(number * number for number in NUMBERS) + SQUARES[3] - SCALAR


def joins(x: Any) -> str:
    return "-" * 3 + ", ".join(str(n) for n in range(9))


@pytest.mark.parametrize(
    ("function", "work"),
    [
        (adds_global, ("+",)),
        (adds_member, ("*",)),
        (compares, ("<",)),
        (negates, ("-",)),
        (asks, (".sum()",)),
        (reduces, ("functools.reduce()", "operator.add()")),
        (changes_copy, ("copy.copy()", "+=")),
        (scaled_by(ARRAY), ("*",)),
        (scaled_by(2.5), ()),
        (Model().predicted, ("@",)),
        (Model().biased, ()),
        (counts, ()),
        (sums_numbers, ()),
        (joins, ()),
    ],
)
def test_operators_on_arrays_may_release_the_gil(function: Callable[..., Any], work: tuple[str, ...]) -> None:
    """Globals, closures, attributes and what they hold are looked at; numbers and texts hold the GIL."""
    assert without_array_arguments(observe_traits(function)).array_work == work


@pytest.mark.parametrize(("kind", "work"), [(np.ndarray, ("@",)), (int, ()), (np.float64, ()), (None, ("@",))])
def test_an_argument_of_unknown_type_may_be_an_array(kind: type | None, work: tuple[str, ...]) -> None:
    """The exact types of the arguments of a call decide, where there are some."""
    report = _effects.analyse(multiplies, argument_types=None if kind is None else (kind,))
    assert observe_traits(multiplies, report).array_work == work


def test_without_a_package_that_has_arrays_no_operator_is_suspected(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a program that has loaded none, an argument of unknown type is no array."""
    for package in ("cupy", "jaxlib", "numpy", "polars", "pyarrow", "torch"):
        monkeypatch.delitem(sys.modules, package, raising=False)
    assert observe_traits(multiplies).array_work == ()


@pytest.mark.slow
def test_asking_does_not_import_asyncio() -> None:
    """Whether a function is a coroutine function is found out without asyncio."""
    code = (
        "import sys, types; sys.modules['autopar'] = house = types.ModuleType('autopar'); house.__path__ = ['autopar'];"
        "from autopar._observe.traits import returns_coroutine, returns_generator;"
        "print(returns_coroutine(print), returns_generator(print), 'asyncio' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False", "False"]


def test_generators_are_no_coroutines() -> None:
    """The two answers exclude each other."""
    for function in (coroutine, generator, async_generator, plain):
        assert not (returns_coroutine(function) and returns_generator(function))
