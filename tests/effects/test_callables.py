"""Which callables the analysis takes, and what its report says besides the effects."""

from __future__ import annotations

import collections
import functools
import json
import math
import operator
import random
import sys
import threading
import time
import types
from collections.abc import Callable
from typing import Any

import pytest

from autopar._effects import analyse
from autopar._model.effects import EffectKind, EffectReport, GlobalRead
from tests.effects import impure
from tests.ids import named
from tests.scripts import run_python

E = EffectKind
LIMIT = 3
seen: list[Any] = []
settings = types.ModuleType("settings")
settings.DEBUG = False  # type: ignore[attr-defined]


def kinds_of(function: Callable[..., Any], **options: Any) -> set[EffectKind]:
    return {effect.kind for effect in analyse(function, **options).effects}


class Plain:
    """Nothing special."""

    def __init__(self, x: Any = None) -> None:
        self.x = x

    def get(self) -> Any:
        return self.x

    def put(self, x: Any) -> None:
        self.x = x


class Keeper:
    """Keeps its objects."""

    def __init__(self, x: Any) -> None:
        seen.append(x)


@pytest.mark.parametrize(
    ("function", "kinds"),
    [
        (len, set()),
        (print, {E.OUTPUT}),
        (exec, {E.UNKNOWN, E.WRITES_ARGUMENT}),
        (str.split, set()),
        (list.append, {E.WRITES_ARGUMENT}),
        ("-".join, set()),
        ([].append, {E.WRITES_SELF}),
        (operator.itemgetter(1), set()),
        (operator.methodcaller("run"), {E.UNKNOWN}),
        (functools.partial(print, 1), {E.OUTPUT}),
        (functools.partial(functools.partial(len), "abc"), set()),
        (dict, set()),
        (Plain, set()),
        (Keeper, {E.WRITES_SHARED}),
        (Plain().get, set()),
        (Plain().put, {E.WRITES_SELF}),
        (Plain.get, set()),
        (Plain.put, {E.WRITES_SELF}),
        (json.dumps, set()),
        (time.sleep, set()),
        (math.hypot, set()),
        (random.random, {E.RANDOM}),
        (random.Random(1).random, {E.WRITES_SELF}),
        (threading.get_ident, {E.THREAD_IDENTITY}),
        (sys.stdout.write, {E.WRITES_SELF}),
        (collections.Counter, set()),
        (types.SimpleNamespace, set()),
    ],
    ids=named,
)
def test_any_callable_is_taken(function: Callable[..., Any], kinds: set[EffectKind]) -> None:
    """Built-in functions, classes, methods, partials and callable objects are analysed as what a call of them does."""
    assert kinds_of(function) == kinds


def test_something_that_is_no_function_is_unknown_at_worst() -> None:
    """What cannot be called does not make the analysis fail."""
    assert isinstance(analyse(3), EffectReport)  # type: ignore[arg-type]
    assert isinstance(analyse(None), EffectReport)  # type: ignore[arg-type]


def test_a_functools_wrapper_is_analysed_as_the_closure_it_is() -> None:
    """A decorator's own effects count, and those of what it wraps."""

    def logged(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            print("calling")
            return function(*args, **kwargs)

        return wrapper

    @logged
    def keep(x: Any) -> None:
        seen.append(x)

    report = analyse(keep)
    assert {(effect.kind, effect.via) for effect in report.effects} == {
        (E.OUTPUT, ()),
        (E.WRITES_SHARED, ("test_a_functools_wrapper_is_analysed_as_the_closure_it_is.<locals>.keep",)),
    }


def test_wrapt_proxies_are_seen_through() -> None:
    """A transparent proxy is what it stands for; a decorator's wrapper is followed as well."""
    wrapt: Any = pytest.importorskip("wrapt")

    def print_first(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        print("calling")
        return wrapped(*args, **kwargs)

    def only_call(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        return wrapped(*args, **kwargs)

    noisy, quiet = wrapt.decorator(print_first), wrapt.decorator(only_call)
    assert kinds_of(wrapt.ObjectProxy(impure.appends_to_global)) == {E.WRITES_SHARED}
    assert kinds_of(quiet(impure.appends_to_global)) == {E.WRITES_SHARED}
    assert kinds_of(noisy(impure.appends_to_global)) == {E.WRITES_SHARED, E.OUTPUT}
    assert kinds_of(quiet(Plain().get)) == set()


def test_a_single_dispatch_function_is_all_its_implementations() -> None:
    """Any implementation may be the one that is called."""

    @functools.singledispatch
    def show(x: Any) -> Any:
        return x

    @show.register
    def _(x: int) -> Any:
        print(x)

    def use(x: Any) -> Any:
        return show(x)

    assert kinds_of(use) == {E.OUTPUT}


def helper(x: Any) -> Any:
    return x + LIMIT


def reads(x: Any) -> Any:
    return helper(x) if settings.DEBUG else math.floor(x)


def test_reads_name_what_another_process_must_have() -> None:
    """Module-level names that user functions read are listed, those of modules' attributes included."""
    found = analyse(reads).reads
    assert set(found) == {
        GlobalRead(__name__, "helper"),
        GlobalRead(__name__, "LIMIT"),
        GlobalRead(__name__, "settings"),
        GlobalRead("settings", "DEBUG"),
        GlobalRead(__name__, "math"),
    }
    assert len(set(found)) == len(found)


def test_calls_name_the_library() -> None:
    """Library callables are listed under the names of their documentation."""

    def f(x: Any) -> Any:
        time.sleep(0)
        return json.dumps(x), math.floor(2.5)

    assert analyse(f).calls == ("time.sleep", "json.dumps", "math.floor")


def test_codes_begin_with_the_function_itself() -> None:
    """Every Python function that was followed is listed once, the function's own code first."""
    assert analyse(reads).codes == (reads.__code__, helper.__code__)


def test_an_effect_says_where_and_through_whom() -> None:
    """The line is that of the effect, and the chain leads to its function."""

    def inner(x: Any) -> None:
        seen.append(x)

    def outer(x: Any) -> None:
        inner(x)

    def f(x: Any) -> None:
        outer(x)

    (effect,) = analyse(f).effects
    assert effect.line == inner.__code__.co_firstlineno + 1
    assert [name.rpartition(".")[2] for name in effect.via] == ["outer", "inner"]
    assert effect.function.endswith("<locals>.inner")
    assert effect.what == "global 'seen'"


def chain(length: int) -> Callable[[Any], Any]:
    """A function that calls one that calls one, and so on."""

    def last(x: Any) -> Any:
        return x

    functions: list[Callable[[Any], Any]] = [last]
    for _ in range(length):
        names = {"next": functions[-1]}
        exec("def f(x): return next(x)", names)
        functions.append(names["f"])
    return functions[-1]


def test_the_budget_ends_the_walk() -> None:
    """Past the budget the report is incomplete, and says so by an UNKNOWN effect."""
    assert analyse(chain(5), budget=6).complete
    report = analyse(chain(6), budget=6)
    assert not report.complete
    assert [effect.kind for effect in report.effects] == [E.UNKNOWN]
    assert "budget" in report.effects[0].what


def test_a_long_chain_of_calls_ends_the_walk() -> None:
    """Calls nested deeper than the analysis goes are unknown, not a RecursionError."""
    report = analyse(chain(300), budget=1000)
    assert not report.complete
    assert E.UNKNOWN in {effect.kind for effect in report.effects}


def test_types_of_arguments_sharpen_the_report() -> None:
    """What is a change of an unknown argument is none of a number."""

    def f(x: Any, step: Any = 1) -> Any:
        x += step
        return x

    assert kinds_of(f) == {E.WRITES_ARGUMENT}
    assert kinds_of(f, argument_types=[list]) == {E.WRITES_ARGUMENT}
    assert kinds_of(f, argument_types=[int]) == set()
    assert kinds_of(f, argument_types=[str]) == set()


def test_types_of_keywords_sharpen_the_report() -> None:
    """A keyword argument that is given is no longer its default."""

    def f(x: Any, quiet: Any = True, key: Any = None) -> Any:
        if not quiet:
            print(x)
        return key(x) if key is not None else x

    assert kinds_of(f, argument_types=[int]) == set()
    assert kinds_of(f, argument_types=[int], keyword_types={"quiet": bool}) == {E.OUTPUT}
    assert kinds_of(f, argument_types=[int], keyword_types={"key": types.FunctionType}) == {E.UNKNOWN}


def test_methods_of_an_argument_of_known_class_are_followed() -> None:
    """With the class known, a method of the argument is no longer unknown."""

    def f(x: Any) -> Any:
        return x.total()

    class Quiet:
        """Has the method."""

        def total(self) -> int:
            return 1

    assert kinds_of(f) == {E.UNKNOWN}
    assert kinds_of(f, argument_types=[Quiet]) == set()


def test_many_threads_may_analyse_at_once() -> None:
    """Analyses share no state: each thread gets the report that it gets alone."""
    functions = [impure.memoises, impure.counts, impure.draws, reads, impure.writes_rows]
    alone = [analyse(function).effects for function in functions]
    results: list[list[Any]] = []

    def work() -> None:
        results.append([analyse(function).effects for function in functions])

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [alone] * 8


def test_the_report_is_the_same_every_time() -> None:
    """Two analyses of one function give equal reports."""
    assert analyse(impure.memoises) == analyse(impure.memoises)


def test_an_ordinary_function_takes_less_than_two_milliseconds() -> None:
    """The best of several analyses of each ordinary function, in the median, takes less than 2 ms."""
    functions = [case.function for case in impure.TABLE.cases][:60]
    best = []
    for function in functions:
        times = []
        for _ in range(3):
            start = time.perf_counter()
            analyse(function)
            times.append(time.perf_counter() - start)
        best.append(min(times))
    assert sorted(best)[len(best) // 2] < 0.002


@pytest.mark.slow
def test_no_map_waits_for_the_analysis_to_load_but_workers_start_without_it() -> None:
    """Tables and interpreter are loaded with the engine; worker processes, which rarely plan, load them when needed."""
    script = """
import multiprocessing, sys
decorates = "import sys, autopar; autopar.parallel(len); print('autopar._effects.entry' in sys.modules, flush=True)"
exec(decorates)
worker = multiprocessing.get_context("spawn").Process(target=exec, args=(decorates,))
worker.start()
worker.join()
"""
    assert run_python("-c", script) == "True\nFalse\n"
