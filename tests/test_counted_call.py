"""Calls of a decorated function: the native type and its twin keep one specification."""

from __future__ import annotations

import gc
import inspect
import sys
import threading
import tracemalloc
import types
import warnings
import weakref
from collections.abc import Callable
from contextlib import suppress
from types import ModuleType
from typing import Any

import pytest
from wrapt import BaseObjectProxy

from autopar import _native_api, _native_twin_call, parallel
from autopar._api.sampling import SAMPLE_SECONDS, SAMPLE_SHARE
from tests.scripts import run_python

Maker = Callable[..., Any]


@pytest.fixture(params=["native", "twin"])
def either(request: pytest.FixtureRequest) -> ModuleType:
    if request.param == "twin":
        return _native_twin_call
    if type(BaseObjectProxy) is not type:
        pytest.skip("wrapt is here without its extension, and the twin takes over")
    module: ModuleType = pytest.importorskip("autopar._native", reason="the extension is not built")
    return module


@pytest.fixture
def counted(either: ModuleType) -> Maker:
    """Make proxies of functions, which note what is sampled."""
    base: Any = either.counted_call_type(BaseObjectProxy)

    class Counted(base):  # type: ignore[misc]
        def __init__(self, function: Any, countdown: int = 1) -> None:
            super().__init__(function)
            self._self_target = [function]
            self._self_countdown = countdown
            self._self_samples: list[Any] = []

        def _sampled(self, *given: Any) -> None:
            self._self_samples.append(given)
            self._self_countdown = 3

    class Binding(Counted):
        def __get__(self, instance: Any, owner: Any = None) -> Any:
            return self if instance is None else types.MethodType(self, instance)

    either.settle(Counted, False)
    either.settle(Binding, True)

    def make(function: Any, countdown: int = 1, *, binds: bool = False) -> Any:
        return (Binding if binds else Counted)(function, countdown)

    return make


def add(a: int, b: int = 1, *more: int, c: int = 0, **named: int) -> tuple[Any, ...]:
    return a, b, more, c, named


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [
        ((1,), {}),
        ((1, 2), {}),
        ((1, 2, 3, 4), {}),
        ((1,), {"c": 3}),
        ((), {"a": 1, "b": 2}),
        ((1,), {"self": 5, "x": 2}),
    ],
    ids=["one", "two", "more", "keyword", "keywords", "names-of-ours"],
)
@pytest.mark.parametrize("countdown", [1, 5], ids=["sampled", "settled"])
def test_arguments_arrive_as_given(counted: Maker, args: Any, kwargs: Any, countdown: int) -> None:
    """Positional and keyword arguments go to the target, measured or not."""
    assert counted(add, countdown)(*args, **kwargs) == add(*args, **kwargs)


def test_every_so_many_calls_one_is_measured(counted: Maker) -> None:
    """The call at which the countdown has come to 1 is handed over with what it took; the others are not."""
    call = counted(add)
    for number in range(7):
        call(number, c=number)
    assert [(target, args, kwargs) for target, args, kwargs, _, _ in call._self_samples] == [
        (add, (number,), {"c": number}) for number in (0, 3, 6)
    ]
    for *_, before, after in call._self_samples:
        assert len(before) == len(after) == 5
        assert all(began <= ended for began, ended in zip(before, after, strict=True))


def test_the_target_may_change_at_any_time(counted: Maker) -> None:
    """Calls take what is in the list now, also while an earlier call still runs."""

    def replacing(x: int) -> int:
        call._self_target[0] = abs
        return -x

    call = counted(replacing, 5)
    assert (call(3), call(-3)) == (-3, 3)


def test_a_recursive_call_is_part_of_its_sample(counted: Maker) -> None:
    """While a call is measured, calls that it makes are not."""

    def count(depth: int) -> int:
        return 0 if depth == 0 else 1 + int(call(depth - 1))

    call = counted(count)
    assert call(50) == 50
    assert len(call._self_samples) == 1


@pytest.mark.parametrize("countdown", [1, 5], ids=["sampled", "settled"])
def test_what_the_function_raises_is_raised(counted: Maker, countdown: int) -> None:
    """An exception goes through, leaves no sample, and the next call is measured instead."""
    error = KeyError("x")

    def fail(x: int) -> int:
        if x:
            raise error
        return x

    call = counted(fail, countdown)
    with pytest.raises(KeyError) as raised:
        call(1)
    assert raised.value is error
    assert call._self_samples == []
    assert call._self_sampling is False
    call._self_countdown = 1
    assert call(0) == 0
    assert len(call._self_samples) == 1


def test_what_sampling_raises_is_raised(counted: Maker) -> None:
    """Ctrl-C between the function's end and the sample's is not lost."""
    call = counted(add)

    class Interrupting(type(call)):  # type: ignore[misc]
        def _sampled(self, *_: Any) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Interrupting(add)(1)


def test_without_a_target_it_says_so(either: ModuleType) -> None:
    """A proxy that was never set up raises like any uninitialised wrapper, and nothing else happens."""
    kind: Any = either.counted_call_type(BaseObjectProxy)
    with pytest.raises((ValueError, AttributeError)):
        kind.__new__(kind, add)()


def test_methods_bind(counted: Maker) -> None:
    """As an attribute of a class it takes the instance first, however it is looked up."""

    class Shop:
        rate = 2
        price = counted(lambda self, x: self.rate * x, 100, binds=True)

    shop = Shop()
    called = shop.price(4)
    assert called == shop.price(4) == Shop.price(shop, 4) == 8  # an assertion looks it up before it calls it


def test_a_proxy_in_every_other_way(counted: Maker) -> None:
    """Attributes, signature and weak references are the function's."""
    call = counted(add, 9)
    assert issubclass(type(call), BaseObjectProxy)
    assert (call.__name__, call.__wrapped__, inspect.signature(call)) == ("add", add, inspect.signature(add))
    assert weakref.ref(call)() is call


def test_cycles_are_collected(counted: Maker) -> None:
    """A proxy whose target holds the proxy goes with the cycle."""

    def target() -> None: ...

    call = counted(target)
    target.back = call  # type: ignore[attr-defined]
    call._self_target.append(call)
    gone = weakref.ref(target)
    del call, target
    gc.collect()
    assert gone() is None


def test_calls_leave_nothing_behind(counted: Maker) -> None:
    """A hundred thousand calls, sampled and not, with and without keywords, raising and not, take no memory."""

    def target(x: int, y: int = 0) -> int:
        if x < 0:
            raise ValueError
        return x

    call = counted(target)
    call._self_samples = types.SimpleNamespace(append=lambda _: None)

    def rounds(number: int) -> None:
        for x in range(number):
            call(x % 50)
            call(x % 50, y=3)
            with suppress(ValueError):
                call(-1)

    tracemalloc.start()
    try:
        rounds(1_000)
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        rounds(30_000)
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] - before < 30_000
    finally:
        tracemalloc.stop()


def test_many_threads_may_call(counted: Maker) -> None:
    """Calls of several threads at once all arrive, while the target is replaced."""
    call = counted(add)
    results: list[int] = []
    start = threading.Barrier(4)

    def work(number: int) -> None:
        start.wait()
        results.extend(call(number)[0] for _ in range(5_000))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        call._self_target[0] = add
    assert sorted(results) == sorted(number for number in range(4) for _ in range(5_000))


def test_only_what_leaves_calls_alone_is_settled(either: ModuleType) -> None:
    """The native type refuses the short way to a class with a __call__ of its own."""
    if either is _native_twin_call:
        pytest.skip("the twin has no short way")
    base: Any = either.counted_call_type(BaseObjectProxy)

    class Own(base):  # type: ignore[misc]
        def __call__(self) -> int:
            return 7

    with pytest.raises(TypeError, match="__call__"):
        either.settle(Own, False)
    assert Own(add)() == 7


@pytest.mark.skipif(
    not _native_api.NATIVE or type(BaseObjectProxy) is not type, reason="the twin is a Python function itself"
)
def test_the_function_sees_its_caller() -> None:
    """No frame of autopar's is between a call and its caller: warnings and tracebacks name the user's line."""

    @parallel
    def caller() -> Any:
        return sys._getframe(1).f_code

    assert caller() is sys._getframe(0).f_code
    assert caller() is sys._getframe(0).f_code

    @parallel
    def warn() -> None:
        warnings.warn("look", UserWarning, stacklevel=2)

    with pytest.warns(UserWarning, match="look") as caught:
        warn()
    assert caught[0].filename == __file__


def test_sampling_grows_rare_where_calls_are_short() -> None:
    """The distance doubles until measuring takes a hundredth of the time; a long call is measured every time."""

    @parallel
    def short() -> None: ...

    for _ in range(20_000):
        short()
    assert short._self_distance >= 64

    before = (0, 0, 0, 0, 0)
    long = (int(1e9 * SAMPLE_SECONDS / SAMPLE_SHARE) + 1, 0, 0, 0, 0)
    short._sampled(short.__wrapped__, (), {}, before, long)
    assert short._self_distance == 1


def test_a_method_call_makes_no_wrapper() -> None:
    """Called as a method, the function gets the instance without a bound proxy being made; kept, it is bound."""

    class Shop:
        @parallel
        def price(self, x: int) -> int:
            return 2 * x

        @parallel
        @classmethod
        def of(cls, x: int) -> tuple[type, int]:
            return cls, x

        @parallel
        @staticmethod
        def plain(x: int) -> int:
            return x

        length = parallel(len)

    shop = Shop()
    of: Any = shop.of
    assert (shop.price(2), Shop.price(shop, 3), of(1)) == (4, 6, (Shop, 1))
    plain: Any = shop.plain
    length: Any = shop.length
    assert (plain(5), length("abc")) == (5, 3)  # built-in functions do not bind
    kept = shop.price
    assert kept(4) == 8
    assert kept.map([1, 2]) == [2, 4]
    assert kept.__self__ is shop


def test_proxies_made_in_python_are_called_by_python() -> None:
    """As where wrapt has no extension: CPython warns of a type in C over theirs, and from 3.14 on refuses it."""
    program = (
        "import warnings; warnings.simplefilter('error')\n"
        "import autopar\n"
        "double = autopar.parallel(lambda x: 2 * x)\n"
        "assert double(4) == 8 and double.map(range(3)) == [0, 2, 4]\n"
    )
    run_python("-c", program, WRAPT_DISABLE_EXTENSIONS="1")
