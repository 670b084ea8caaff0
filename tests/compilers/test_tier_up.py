"""Compiled code in maps and calls: where it is demanded, and where it is chosen because it pays."""

from __future__ import annotations

import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from autopar import parallel
from autopar._compilers.native import Refusal, frontend
from autopar._engine import compiling, early
from autopar._engine import native as native_module
from autopar._engine.native import Forms
from autopar._engine.tierup import NATIVE_ITEM, note_map
from autopar._model.decision import Decision
from autopar._plan import DEFAULT_COSTS
from autopar.errors import KernelMismatchWarning, UnavailableError
from autopar.testing import fake_host
from tests.compilers import numeric
from tests.compilers.by_hand import kernel, text

pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("not_eager"),
    pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler"),
]


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compiling pays from the first look on, and is done before anything else runs."""
    monkeypatch.setattr(native_module, "COMPILE_SECONDS", 0.0)
    monkeypatch.setattr(compiling, "DEFAULT_COSTS", replace(DEFAULT_COSTS, look_seconds=0.0))

    def begin(self: Forms, types: Any, *, then: Callable[[Any], None] | None = None) -> Any:
        return self.now(types)

    monkeypatch.setattr(Forms, "begin", begin)


def fresh(function: Any, **hints: Any) -> Any:
    """A decorated function that nothing is known of yet."""
    copy = type(function)(
        function.__code__, function.__globals__, function.__name__, function.__defaults__, function.__closure__
    )
    copy.__kwdefaults__ = function.__kwdefaults__
    copy.__module__, copy.__qualname__ = function.__module__, function.__qualname__
    return parallel(**hints)(copy)


def why_not_native(decision: Decision) -> str:
    """The reason that a decision gives against native code."""
    rows = [rival.because for rival in decision.rejected if rival.plan.compiler == "native"]
    notes = [note.removeprefix("not compiled: ") for note in decision.notes if note.startswith("not compiled: ")]
    [because] = rows + notes
    return because


def compilers(decision: Decision) -> list[str]:
    """The compilers of a map's parts in turn, without repeats."""
    found: list[str] = []
    for plan, _ in decision.tried:
        if not found or found[-1] != plan.compiler:
            found.append(plan.compiler)
    return found


# -- demanded -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", [None, "serial", "threads"])
def test_a_demanded_map_runs_compiled(backend: str | None) -> None:
    """With compiler="native" every item runs as native code, on each backend that shares this process."""
    hints = {} if backend is None else {"backend": backend}
    function = fresh(numeric.draw)
    assert function.map(range(200), compiler="native", **hints) == [numeric.draw(n) for n in range(200)]
    decision = function.decisions[-1]
    assert {plan.compiler for plan, _ in decision.tried} == {decision.plan.compiler} == {"native"}


@pytest.mark.parametrize("items", [[1, 2, 3], iter([1, 2, 3])], ids=["list", "iterator"])
def test_lazy_and_unseen_inputs_run_compiled_too(items: Any) -> None:
    """The first item says for which types, wherever it comes from."""
    function = fresh(numeric.draw)
    assert list(function.imap(items, compiler="native")) == [numeric.draw(n) for n in (1, 2, 3)]
    assert compilers(function.decisions[-1]) == ["native"]


def test_items_of_several_types_are_each_compiled_for() -> None:
    """A demand holds for every item: another type is compiled for when it comes."""

    def half(x: Any) -> Any:
        return x / 2

    assert fresh(half).map([1, 2.0, 3], compiler="native") == [0.5, 1.0, 1.5]


@pytest.mark.parametrize("items", [[1, "a"], ["a", 1]])
def test_a_demand_that_cannot_be_met_raises(items: list[Any]) -> None:
    """An item of a type that native code does not take raises, first or later."""
    with pytest.raises(UnavailableError, match=r'compiler="native" cannot compile .*draw: .*: str'):
        fresh(numeric.draw).map(items, compiler="native")


def test_the_error_names_line_and_reason() -> None:
    """A function outside the fragment is refused with the line of its file that stands in the way."""
    line = numeric.counts.__code__.co_firstlineno + 2
    with pytest.raises(UnavailableError, match=rf'compiler="native" cannot compile .*counts: line {line}: .*dict'):
        fresh(numeric.counts).map([1], compiler="native")
    with pytest.raises(UnavailableError, match=rf"counts: line {line}: "):
        fresh(numeric.counts, compiler="native")(1)


def test_other_processes_cannot_be_demanded_with_it() -> None:
    """Compiled code runs in this process, and a demand for both ways says so."""
    with pytest.raises(UnavailableError, match='backend="processes" is demanded, which runs the function as it is'):
        fresh(numeric.draw).map([1, 2], compiler="native", backend="processes")


def test_nothing_runs_before_a_demand_is_refused() -> None:
    """No item has been called, and none was taken from an input that could notice."""
    seen: list[int] = []

    def noted(x: int) -> int:
        seen.append(x)
        return x

    with pytest.raises(UnavailableError):
        fresh(noted).map([1, 2], compiler="native")
    assert seen == []


def test_parameters_by_name_only_are_compiled_for() -> None:
    """Parameters after a star, with their defaults or without, and parameters before a slash."""

    def scaled(x: float, /, shift: float = 1.0, *, by: float = 2.0) -> float:
        return (x + shift) * by

    function = fresh(scaled, compiler="native")
    assert [function(1.0), function(1.0, by=3.0), function(1.0, shift=0.5)] == [4.0, 6.0, 3.0]
    assert function.map([1.0, 2.0], by=0.5) == [1.0, 1.5]
    [form] = function._self_state.demanded_forms("native")._forms.values()
    assert (form.calls, form.counters.misses) == (5, 0)


def test_a_demanded_call_runs_compiled() -> None:
    """A single call of a function decorated with the demand is compiled for its types at once."""
    function = fresh(numeric.draw, compiler="native")
    assert [function(5), function(5, 10), function(rounds=3, seed=2)] == [
        numeric.draw(5),
        numeric.draw(5, 10),
        numeric.draw(2, 3),
    ]
    [form] = function._self_state.demanded_forms("native")._forms.values()
    assert form.calls == 3
    assert fresh(numeric.draw).options(compiler="native")(7) == numeric.draw(7)


def test_errors_and_retries_work_on_compiled_items() -> None:
    """An item that raises does so as itself, or has its place taken, as anywhere else."""
    function = fresh(numeric.raises_at_seven)
    with pytest.raises(LookupError, match="seven"):
        function.map(range(20), compiler="native")
    results = function.map(range(20), compiler="native", on_error="return")
    assert [index for index, value in enumerate(results) if isinstance(value, LookupError)] == [7]


# -- chosen ---------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("at_once")
def test_a_map_goes_over_to_compiled_code() -> None:
    """What the loop has begun native code ends, and the decision tells both."""
    function = fresh(numeric.draw)
    assert function.map(range(3000)) == [numeric.draw(n) for n in range(3000)]
    decision = function.decisions[-1]
    assert (compilers(decision), decision.plan.compiler) == (["python", "native"], "native")


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("operation", ["imap", "imap_unordered", "starmap"])
def test_every_kind_of_map_goes_over(operation: str) -> None:
    """Lazy maps and maps of tuples as well."""
    function = fresh(numeric.draw)
    expected = [numeric.draw(n, 200) for n in range(2000)]
    if operation == "starmap":
        results = function.starmap([(n, 200) for n in range(2000)])
    elif operation == "imap":
        results = list(function.imap(range(2000), rounds=200))
    else:
        results = [value for _, value in sorted(function.imap_unordered(range(2000), rounds=200))]
    assert results == expected
    assert compilers(function.decisions[-1])[-1] == "native"


@pytest.mark.usefixtures("at_once")
def test_items_of_starmap_may_be_any_iterables() -> None:
    """Lists of arguments are compiled for like tuples; iterators are not looked into, since that would use them up."""
    function = fresh(numeric.draw)
    expected = [numeric.draw(n, 200) for n in range(2000)]
    assert function.starmap([[n, 200] for n in range(2000)]) == expected
    assert function.starmap(iter((n, 200)) for n in range(2000)) == expected
    with pytest.raises(UnavailableError, match="items are of type tuple_iterator, and not tuples of arguments"):
        function.starmap([iter((1, 2))], compiler="native")


@pytest.mark.usefixtures("at_once")
def test_a_map_on_demanded_threads_goes_over_at_a_chunk() -> None:
    """The chunks that follow run compiled; the plan stays on threads."""
    function = fresh(numeric.draw)
    assert function.map(range(3000), backend="threads") == [numeric.draw(n) for n in range(3000)]
    decision = function.decisions[-1]
    assert {plan.backend for plan, _ in decision.tried} == {"threads"}
    assert compilers(decision) == ["python", "native"]


@pytest.mark.usefixtures("at_once")
def test_a_function_that_is_refused_stays_in_python_with_the_reason() -> None:
    """The decision has a row with line and reason, and the results are Python's."""
    function = fresh(numeric.counts)
    assert function.map(range(3000)) == [numeric.counts(n) for n in range(3000)]
    line = numeric.counts.__code__.co_firstlineno + 2
    assert why_not_native(function.decisions[-1]).startswith(f"line {line}: ")


@pytest.mark.usefixtures("at_once")
def test_a_function_with_effects_is_not_compiled() -> None:
    """What writes elsewhere than to its arguments is not for native code; the reason is the effect."""
    function = fresh(numeric.remembers)
    function.map(range(400))
    assert "writes a global" in why_not_native(function.decisions[-1])


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize(
    ("function", "items", "reason"),
    [
        (lambda text: sum(map(ord, text * 100)), ["abc"] * 2000, "not of a type of the native fragment: str"),
        (lambda pair: sum([pair[0]] * 300), [(n, {}) for n in range(2000)], ""),
        (numeric.hashed, range(2000), "it calls hashlib.sha256, which is not in the native fragment"),
    ],
    ids=["strings", "tuples", "hashes"],
)
def test_what_is_plainly_not_numeric_is_not_looked_at_closely(function: Any, items: Any, reason: str) -> None:
    """Items of other types, and calls of other kinds, are refused before anything is imported for them."""
    mapped = fresh(function)
    assert mapped.map(items) == [function(item) for item in items]
    assert reason in why_not_native(mapped.decisions[-1])


@pytest.mark.usefixtures("at_once")
def test_a_function_that_writes_to_its_argument_runs_compiled_in_order() -> None:
    """Arrays are changed in place, one item after the other, as in the loop."""
    function = fresh(numeric.smooth)
    ours, python = numeric.arrays(300), numeric.arrays(300)
    assert function.map(ours) == [numeric.smooth(values) for values in python]
    assert all((one == other).all() for one, other in zip(ours, python, strict=True))


@pytest.mark.usefixtures("at_once")
def test_a_kernel_that_keeps_leaving_is_given_up_and_the_map_goes_on() -> None:
    """Where most items leave the compiled code the rest runs in Python, and the decision says so."""
    function = fresh(numeric.powers)
    bases = [1] * 300 + [3] * 700
    assert function.map(bases) == [numeric.powers(base) for base in bases]
    fallbacks = " ".join(function.decisions[-1].fallbacks)
    assert "left compiled code" in fallbacks
    assert "calls left the compiled code" in fallbacks


@pytest.mark.usefixtures("at_once")
def test_items_that_leave_are_counted_in_the_decision() -> None:
    """How many items ran in Python all the same, and at which line they left, is a note."""
    function = fresh(numeric.powers)
    bases = [1] * 300 + [3, 1, 1, 1, 1, 1] * 10
    assert function.map(bases, compiler="native") == [numeric.powers(base) for base in bases]
    line = numeric.powers.__code__.co_firstlineno + 4
    assert any(f"10 items left the compiled code at line {line}: " in note for note in function.decisions[-1].notes)


@pytest.mark.usefixtures("at_once")
def test_compiled_code_that_is_wrong_never_gives_a_result(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first item, whose result is known, shows it before the kernel is used."""

    def wrong(function: Any, types: Any, **_: Any) -> Any:
        from autopar._kernel import types as t

        return kernel((t.Int(), t.Int()), t.Int()), text("s[2] = 1; return 0;")

    monkeypatch.setattr(frontend, "kernel_of", wrong)
    function = fresh(numeric.draw)
    with pytest.warns(KernelMismatchWarning, match="differs from Python"):
        results = function.map(range(3000))
    assert results == [numeric.draw(n) for n in range(3000)]
    assert "differs from Python" in why_not_native(function.decisions[-1])


@pytest.mark.parametrize("name", ["f*/ int planted; /*", "f*\\\n/ int planted; /*", 'f"\n#error planted', "ünï"])
def test_a_hostile_name_is_no_code(name: str) -> None:
    """Whatever a function is called, nothing of its name becomes C."""

    def hostile(x: int) -> int:
        y = 0  # */ int planted; /*
        for step in range(x):
            y += step
        return y

    hostile.__name__ = hostile.__qualname__ = name
    assert fresh(hostile).map([5], compiler="native") == [10]
    from autopar._kernel.types import type_of

    _, c_text = frontend.kernel_of(hostile, (type_of(5),))  # type: ignore[arg-type]
    without_comments = re.sub(r"/\*.*?\*/", "", c_text, flags=re.DOTALL)
    assert "planted" not in without_comments


def test_little_work_is_not_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """A map that is over before compiling could repay itself says so."""
    for name in ("COMPILE_SECONDS", "CACHED_SECONDS"):  # long against any item, also one that a busy machine holds up
        monkeypatch.setattr(native_module, name, 600.0)
    function = fresh(numeric.draw)
    function.map(range(300))
    decision = function.decisions[-1]
    assert compilers(decision) == ["python"]
    if decision.rejected:
        assert "repay compiling" in why_not_native(decision)


def test_another_compiler_on_demand_leaves_the_function_as_it_is() -> None:
    """With compiler="python" nothing is compiled, however long it takes."""
    function = fresh(numeric.draw, compiler="python")
    function.map(range(3000))
    assert why_not_native(function.decisions[-1]) == 'compiler="python" is demanded'


def test_what_an_earlier_process_compiled_is_expected_to_cost_less() -> None:
    """Where an object is likely to be in the cache compiling pays much sooner."""
    types = native_module.types_of_call(numeric.draw, (1,), {})
    assert not isinstance(types, Refusal)
    assert Forms(numeric.draw).cost(types) == native_module.COMPILE_SECONDS
    assert Forms(numeric.draw).now(types)
    assert Forms(numeric.draw).cost(types) == native_module.CACHED_SECONDS


# -- over several maps --------------------------------------------------------------------------------------------


def settled(function: Any) -> None:
    """Wait until nothing is being compiled for a function, and say so if that takes too long."""
    forms = function._self_state.forms
    for types in list(forms._pending):
        forms.wait(types, 40)
    assert not forms._pending


@pytest.fixture
def by_account(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compiling costs more than any map here, and between two maps as little as they have cost already."""
    monkeypatch.setattr(native_module, "COMPILE_SECONDS", 1e6)
    monkeypatch.setattr(native_module, "BEHIND_SECONDS", 1e-9)
    monkeypatch.setattr(native_module, "current_host", lambda: fake_host(2))


@pytest.mark.usefixtures("by_account")
@pytest.mark.parametrize("items", [range(300), [5]], ids=["some", "one"])
def test_short_maps_are_compiled_between_them(items: Any) -> None:
    """What maps have cost together has the function compiled once one of them ends; the next uses it throughout."""
    function = fresh(numeric.draw)
    expected = [numeric.draw(n) for n in items]
    for _ in range(3):
        assert function.map(items) == expected
        settled(function)
    assert compilers(function.decisions[0]) == ["python"]
    assert compilers(function.decisions[-1]) == ["native"]
    assert function._self_state.spent == 0.0


@pytest.mark.usefixtures("by_account")
def test_the_shortest_maps_use_compiled_code_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """A map that ends before a choice could pay runs compiled once that is known to be quicker, as a brief record."""
    monkeypatch.setattr(early, "DEFAULT_COSTS", replace(DEFAULT_COSTS, look_seconds=1e6))
    function = fresh(numeric.draw)
    expected = [numeric.draw(n) for n in range(30)]
    for _ in range(4):
        assert function.map(range(30)) == expected
        settled(function)
    [ready] = function._self_state.forms.ready.values()
    ready.seconds = 0.0  # whatever this machine makes of it
    before = ready.form.calls
    assert function.map(range(30)) == expected
    assert function.starmap([(n,) for n in range(3)]) == expected[:3]
    assert ready.form.calls == before + 33
    assert [decision.plan.compiler for decision in function.decisions[-2:]] == ["native", "native"]
    assert all(decision.speedup is not None for decision in function.decisions[-2:])
    assert function.map(range(1000)) == [numeric.draw(n) for n in range(1000)]
    assert ready.form.calls >= before + 1000


@pytest.mark.usefixtures("by_account")
def test_a_compiled_short_map_that_takes_long_goes_on_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was begun as the shortest map goes on the ordinary way with the same form."""
    function = fresh(numeric.draw)
    for _ in range(2):
        function.map(range(300))
        settled(function)
    [ready] = function._self_state.forms.ready.values()
    ready.seconds = 0.0
    monkeypatch.setattr(early, "DEFAULT_COSTS", replace(DEFAULT_COSTS, look_seconds=1e-9))
    assert function.map(range(300)) == [numeric.draw(n) for n in range(300)]
    decision = function.decisions[-1]
    assert (compilers(decision), decision.items) == (["native"], 300)


@pytest.mark.usefixtures("by_account")
def test_errors_of_compiled_short_maps_are_those_of_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """The item that raises ends the map, with a note that names it and the plan."""
    monkeypatch.setattr(early, "DEFAULT_COSTS", replace(DEFAULT_COSTS, look_seconds=1e6))
    function = fresh(numeric.raises_at_seven)
    for _ in range(2):
        function.map(range(7))
        settled(function)
    [ready] = function._self_state.forms.ready.values()
    ready.seconds = 0.0
    with pytest.raises(LookupError, match="seven") as raised:
        function.map(range(20))
    assert "item 7 of" in raised.value.__notes__[0]
    assert "native, serial" in raised.value.__notes__[0]


@pytest.mark.usefixtures("by_account")
def test_what_cannot_be_compiled_is_asked_about_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A function outside the fragment is looked at behind the first map, and stays as it is."""
    asked: list[Any] = []
    original = frontend.kernel_of

    def noted(*args: Any, **options: Any) -> Any:
        asked.append(args)
        return original(*args, **options)

    monkeypatch.setattr(frontend, "kernel_of", noted)
    function = fresh(numeric.counts)
    for _ in range(5):
        assert function.map(range(300)) == [numeric.counts(n) for n in range(300)]
        settled(function)
    assert len(asked) == 1
    assert compilers(function.decisions[-1]) == ["python"]


@pytest.mark.usefixtures("by_account")
def test_items_with_nothing_to_do_are_never_compiled() -> None:
    """Where an item takes no longer than its way in and out of compiled code there is nothing to save."""
    function = fresh(numeric.draw)
    state = function._self_state
    assert not note_map(state, 1000 * NATIVE_ITEM, 1000)
    assert state.spent == 0.0
    assert note_map(state, 2e-6, 1)


def test_the_account_of_earlier_maps_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A map begins with what earlier maps and calls have cost, and compiles as soon as that is enough."""
    monkeypatch.setattr(native_module, "BEHIND_SECONDS", 1e6)
    function = fresh(numeric.draw)
    function._self_state.spent = 1e6
    items = range(3000)
    assert function.map(items) == [numeric.draw(n) for n in items]
    settled(function)
    assert function.map(items) == [numeric.draw(n) for n in items]
    assert compilers(function.decisions[-1]) == ["native"]


def test_a_map_waits_for_what_is_in_the_cache() -> None:
    """Where an earlier process has compiled the function its object is loaded before the loop goes on."""
    types = native_module.types_of_call(numeric.draw, (1,), {})
    assert not isinstance(types, Refusal)
    assert not isinstance(Forms(numeric.draw).now(types), Refusal)
    function = fresh(numeric.draw)
    items = range(100_000, 120_000)
    assert function.map(items) == [numeric.draw(n) for n in items]
    decision = function.decisions[-1]
    assert compilers(decision) == ["python", "native"]


@pytest.mark.usefixtures("at_once")
def test_inputs_that_must_not_be_taken_early_use_what_is_there() -> None:
    """A generator's first item is run by the form that an earlier map had compiled."""
    function = fresh(numeric.draw)
    function.map(range(3000))
    assert function.map(iter(range(50))) == [numeric.draw(n) for n in range(50)]
    assert compilers(function.decisions[-1]) == ["native"]


# -- single calls ---------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("at_once")
def test_calls_go_over_to_compiled_code() -> None:
    """Once calls have cost what compiling costs the next one runs compiled, with the same results."""
    function = fresh(numeric.draw)
    assert [function(n) for n in range(50)] == [numeric.draw(n) for n in range(50)]
    assert function._self_state.target[0] is not function.__wrapped__
    [form] = function._self_state.forms._forms.values()
    assert form.calls > 30


@pytest.mark.usefixtures("at_once")
def test_calls_of_other_types_run_in_python_until_they_are_compiled_too() -> None:
    """A call that the compiled code does not take gives what Python gives."""

    def half(x: Any) -> Any:
        return x / 2

    function = fresh(half)
    for x in (1, 2, 3, 2.5, True, 10**30, 7):
        result = function(x)
        assert (type(result), result) == (type(half(x)), half(x))
    with pytest.raises(TypeError, match="unsupported operand"):
        function("a")


@pytest.mark.usefixtures("at_once")
def test_submitted_calls_run_compiled_too() -> None:
    """A call on a thread takes what a call here takes; with the demand it is compiled for."""
    function = fresh(numeric.draw)
    for number in range(20):
        function(number)
    [form] = function._self_state.forms._forms.values()
    before = form.calls
    assert function.submit(77).result() == numeric.draw(77)
    assert form.calls == before + 1
    demanded = fresh(numeric.draw, compiler="native")
    assert demanded.submit(5).result() == numeric.draw(5)
    with pytest.raises(UnavailableError, match="cannot compile"):
        demanded.submit("a").result()


@pytest.mark.usefixtures("at_once")
def test_a_second_map_is_compiled_from_its_first_item_on() -> None:
    """What is compiled in this process is used at once, and the loop's time is that of the first map's items."""
    function = fresh(numeric.draw)
    function.map(range(3000))
    assert function.map(range(3000)) == [numeric.draw(n) for n in range(3000)]
    decision = function.decisions[-1]
    assert compilers(decision) == ["native"]
    assert decision.serial_estimate is not None
    assert decision.serial_estimate > 0.01


@pytest.mark.usefixtures("at_once")
def test_calls_with_another_compiler_demanded_stay() -> None:
    """compiler="python" keeps single calls as they are."""
    function = fresh(numeric.draw, compiler="python")
    for number in range(50):
        function(number)
    assert function._self_state.forms._forms == {}


def patient(done: Callable[[], bool]) -> Iterator[int]:
    """Count until something has happened, for as long as a slow machine may need."""
    deadline = time.monotonic() + 40
    number = 0
    while not done() and time.monotonic() < deadline:
        yield number
        number += 1


def test_calls_are_compiled_in_the_background() -> None:
    """Without anybody waiting for it a function that is called for long becomes compiled."""
    function = fresh(numeric.draw)
    state = function._self_state
    for number in patient(lambda: state.target[0] is not state.function):
        assert function(number) == numeric.draw(number)
    assert state.target[0] is not state.function
    assert function(3) == numeric.draw(3)


def test_no_call_waits_for_the_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    """While the compiler works calls and maps run in Python."""
    release, begun = threading.Event(), threading.Event()
    original = frontend.kernel_of

    def slow(*args: Any, **kwargs: Any) -> Any:
        begun.set()
        release.wait(30)
        return original(*args, **kwargs)

    monkeypatch.setattr(frontend, "kernel_of", slow)
    function = fresh(numeric.draw)
    for number in patient(begun.is_set):
        assert function(number) == numeric.draw(number)
    assert begun.is_set()
    assert function.map(range(2000)) == [numeric.draw(n) for n in range(2000)]
    release.set()
    for number in patient(lambda: function._self_state.target[0] is not function._self_state.function):
        function(number)


def test_a_call_while_a_recursive_one_is_sampled() -> None:
    """A function that calls itself through its decorated name stays right when it is compiled meanwhile."""
    for number in range(3):
        assert numeric.drawn(number) == numeric.draw(number)
