"""The native code and its pure-Python twin: one specification, and the choice between them."""

from __future__ import annotations

import importlib.util
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

import autopar
from autopar import _native_api, _native_twin, _native_twin_call, _native_twin_entry

ROOT = Path(__file__).parents[1]
WALL, THREAD, PROCESS, VOLUNTARY, INVOLUNTARY = range(5)

Reading = tuple[int, int, int, int, int]
CallEach = Callable[..., bool | BaseException]
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux counts the switches of each thread")


def native_module() -> ModuleType:
    module: ModuleType = pytest.importorskip("autopar._native", reason="the extension is not built")
    return module


def load_again(module: ModuleType) -> ModuleType:
    """Load a second copy of a module and leave the first as it is."""
    spec = module.__spec__
    assert spec is not None
    assert spec.loader is not None
    copy = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(copy)
    return copy


def public_names(module: ModuleType) -> set[str]:
    """Name what the module itself defines for others."""
    own = {name for name, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__}
    return {name for name in own if not name.startswith("_")}


@pytest.fixture(params=["native", "twin"])
def either(request: pytest.FixtureRequest) -> ModuleType:
    return native_module() if request.param == "native" else _native_twin


@pytest.fixture
def thread_probe(either: ModuleType) -> Callable[[], Reading]:
    chosen: Callable[[], Reading] = either.thread_probe
    return chosen


@pytest.fixture
def call_each(either: ModuleType) -> CallEach:
    chosen: CallEach = either.call_each
    return chosen


def spent(probe: Callable[[], Reading], work: Callable[[], object]) -> list[int]:
    before = probe()
    work()
    return [after - start for start, after in zip(before, probe(), strict=True)]


def burn_cpu(seconds: float) -> None:
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


def in_another_thread(work: Callable[[], object]) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def test_a_reading_is_five_whole_numbers(thread_probe: Callable[[], Reading]) -> None:
    """A reading is a tuple of five non-negative integers."""
    reading = thread_probe()
    assert type(reading) is tuple
    assert [type(number) for number in reading] == [int] * 5
    assert min(reading) >= 0


def test_no_number_ever_falls(thread_probe: Callable[[], Reading]) -> None:
    """Read again by the same thread, no number is smaller than before."""
    readings = [thread_probe() for _ in range(200)]
    for column in zip(*readings, strict=True):
        assert list(column) == sorted(column)


def test_the_wall_clock_is_that_of_perf_counter(thread_probe: Callable[[], Reading]) -> None:
    """The wall clock may be compared with time.perf_counter_ns()."""
    before, reading, after = time.perf_counter_ns(), thread_probe(), time.perf_counter_ns()
    assert before <= reading[WALL] <= after


def test_work_of_this_thread_counts_for_thread_and_process(thread_probe: Callable[[], Reading]) -> None:
    """CPU time that this thread uses is counted for the thread and for the process."""
    used = spent(thread_probe, lambda: burn_cpu(0.02))
    assert used[THREAD] >= 20e6
    assert used[PROCESS] >= 20e6


def test_work_of_another_thread_counts_for_the_process_alone(thread_probe: Callable[[], Reading]) -> None:
    """CPU time that another thread uses is counted for the process and not for this thread."""
    used = spent(thread_probe, lambda: in_another_thread(lambda: burn_cpu(0.03)))
    assert used[PROCESS] >= 30e6
    assert used[THREAD] < used[PROCESS] - 15e6


def test_waiting_uses_wall_time_alone(thread_probe: Callable[[], Reading]) -> None:
    """A thread that waits uses wall time but next to no CPU time."""
    used = spent(thread_probe, lambda: threading.Event().wait(0.02))
    assert used[WALL] >= 19e6
    assert used[THREAD] < used[WALL] / 2


@on_linux
def test_a_wait_is_a_voluntary_switch(thread_probe: Callable[[], Reading]) -> None:
    """A thread that waits again and again gives up its core again and again."""

    def wait_often() -> None:
        for _ in range(20):
            threading.Event().wait(0.001)

    assert spent(thread_probe, wait_often)[VOLUNTARY] >= 10


@on_linux
def test_switches_of_other_threads_do_not_count(thread_probe: Callable[[], Reading]) -> None:
    """What another thread waits for is no switch of this one beyond waiting for it to end."""

    def wait_often() -> None:
        for _ in range(50):
            threading.Event().wait(0.0001)

    assert spent(thread_probe, lambda: in_another_thread(wait_often))[VOLUNTARY] < 25


@pytest.mark.parametrize("column", [WALL, THREAD, PROCESS, VOLUNTARY, INVOLUNTARY])
def test_native_and_twin_read_the_same_counters(column: int) -> None:
    """A native reading between two readings of the twin lies between them, number by number."""
    native = native_module()
    before, between, after = _native_twin.thread_probe(), native.thread_probe(), _native_twin.thread_probe()
    assert before[column] <= between[column] <= after[column]


def test_the_native_probe_takes_no_arguments() -> None:
    """An argument to the native probe is a TypeError, as it is for the twin."""
    with pytest.raises(TypeError, match="takes no arguments"):
        native_module().thread_probe(1)


@pytest.mark.parametrize(
    ("items", "count", "results", "all_ran"),
    [
        ([], 0, [], True),
        ([], 1, [], False),
        ([-1, -2, -3], 0, [], True),
        ([-1, -2, -3], 2, [1, 2], True),
        ([-1, -2, -3], 3, [1, 2, 3], True),
        ([-1, -2, -3], 4, [1, 2, 3], False),
    ],
)
def test_call_each_takes_count_items_and_no_more(
    call_each: CallEach, items: list[int], count: int, results: list[int], all_ran: bool
) -> None:
    """Up to count items are called in order, and what is left stays in the iterator."""
    iterator, out = iter(items), ["earlier"]
    assert call_each(abs, iterator, count, out) is all_ran
    assert out == ["earlier", *results]
    assert list(iterator) == items[count:]


@pytest.mark.parametrize(
    "item", [(7, 2), [7, 2], {7: "a", 2: "b"}, range(7, 1, -5)], ids=lambda item: type(item).__name__
)
def test_call_each_can_spread_an_item(call_each: CallEach, item: object) -> None:
    """With star, the elements of an item are the positional arguments, whatever iterable it is."""
    out: list[object] = []
    assert call_each(divmod, iter([item]), 1, out, True) is True
    assert out == [(3, 1)]


def test_call_each_asks_for_an_item_when_the_last_call_is_done(call_each: CallEach) -> None:
    """Taking items and calling the function alternate, as in the plain loop."""
    happened = []

    def items() -> Iterator[int]:
        for number in range(3):
            happened.append(f"take {number}")
            yield number

    call_each(lambda number: happened.append(f"call {number}"), items(), 3, [])
    assert happened == ["take 0", "call 0", "take 1", "call 1", "take 2", "call 2"]


@pytest.mark.parametrize("error", [ValueError("bad"), StopIteration("end"), KeyboardInterrupt()], ids=repr)
def test_what_the_function_raises_is_raised(call_each: CallEach, error: BaseException) -> None:
    """An exception of the function, of any kind, is raised as it is, and the earlier results stay."""

    def fail_at_two(number: int) -> int:
        if number == 2:
            raise error
        return number

    iterator, out = iter(range(5)), list[int]()
    with pytest.raises(type(error)) as raised:
        call_each(fail_at_two, iterator, 5, out)
    assert raised.value is error
    assert out == [0, 1]
    assert next(iterator) == 3


@pytest.mark.parametrize("error", [ValueError("bad"), KeyboardInterrupt()], ids=repr)
def test_what_the_iterator_raises_is_returned(call_each: CallEach, error: BaseException) -> None:
    """An exception of the iterator is returned with its traceback, so that it is told from one of the function."""

    def items() -> Iterator[int]:
        yield -1
        raise error

    out: list[int] = []
    assert call_each(abs, items(), 5, out) is error
    assert out == [1]
    assert error.__traceback__ is not None


def test_an_item_that_cannot_be_spread_is_the_functions_error(call_each: CallEach) -> None:
    """With star, an item that is no iterable raises a TypeError, as f(*item) does."""
    with pytest.raises(TypeError, match="iterable"):
        call_each(divmod, iter([5]), 1, [], True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((abs, [1], 1, []), "iterator must be an iterator, not list"),
        ((abs, iter([1]), 1, ()), "out must be a list, not tuple"),
    ],
)
def test_call_each_names_the_wrong_argument(call_each: CallEach, arguments: tuple[object, ...], message: str) -> None:
    """An argument of the wrong type is a TypeError that names it and the type it got."""
    with pytest.raises(TypeError, match=message):
        call_each(*arguments)


@pytest.mark.parametrize(
    ("numbers", "fits"),
    [
        (range(0), True),
        (range(5), True),
        (range(10, -10, -3), True),
        (range(2**63 - 2, 2**63), True),
        (range(-(2**63), 2**63 - 1, 2**62), True),
        (range(-(2**63), 2**63, 2**63), False),
        (range(5, 6, 2**70), False),
        (range(0, 2**63 + 1, 2**62), False),
        (range(2**63, 2**63 + 2), False),
    ],
    ids=str,
)
def test_a_range_is_packed_as_its_numbers_are(either: ModuleType, numbers: range, fits: bool) -> None:
    """Words of 64 bits, or None where one does not fit; a step beyond that is not looked into."""
    packed = either.pack_numbers("i", numbers)
    if fits or packed is not None:
        assert memoryview(packed).cast("q").tolist() == list(numbers)
    assert (packed is None) <= (not fits)
    assert not either.pack_numbers("f", numbers)


class Asked(type):
    """A metaclass that must not be asked anything."""

    def __eq__(cls, other: object) -> bool:
        raise AssertionError("asked")

    def __hash__(cls) -> int:
        raise AssertionError("asked")


class OneOfThose(metaclass=Asked):
    """Its class is left alone."""


MANY = [type(f"Class{number}", (), {})() for number in range(40)]


@pytest.mark.parametrize(
    ("values", "types"),
    [
        ([], []),
        ((1, "a", 2, True, "b"), [int, str, bool]),
        (deque([1.5, 2, 2.5]), [float, int]),
        ({"a": 1, 2: 3}.keys(), [str, int]),
        ([OneOfThose(), 1, OneOfThose()], [OneOfThose, int]),
        (MANY * 3, list(map(type, MANY))),
    ],
    ids=["none", "tuple", "queue", "keys", "strange metaclass", "many"],
)
def test_exact_types_are_told_once_each(either: ModuleType, values: Iterable[object], types: list[type]) -> None:
    """The types of some objects come in the order of their first objects, and no metaclass is asked."""
    found = either.exact_types(values)
    assert len(found) == len(types)
    assert all(one is other for one, other in zip(found, types, strict=True))


def test_what_the_iterator_of_exact_types_raises_is_raised(either: ModuleType) -> None:
    """An error of the iterator is not taken for its end."""
    with pytest.raises(ZeroDivisionError):
        either.exact_types(1 // number for number in (1, 0))


def test_the_stub_the_twin_and_the_extension_offer_the_same_names() -> None:
    """The public names of the extension are those of its stub and of its twin."""
    stub = set(re.findall(r"^(?:def|class) (\w+)", (ROOT / "autopar" / "_native.pyi").read_text(), re.MULTILINE))
    assert public_names(native_module()) == stub
    twin = public_names(_native_twin) | {"KernelEntry", "copied_arrays"} & public_names(_native_twin_entry)
    assert twin | public_names(_native_twin_call) == stub


def test_the_extension_can_be_loaded_twice() -> None:
    """The extension keeps no state for the process: loading it again gives a module of its own."""
    native = native_module()
    again = load_again(native)
    assert again is not native
    assert again.thread_probe()[WALL] >= native.thread_probe()[WALL] - 1e9


def test_the_extension_is_in_use_where_it_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the extension is built its functions are the ones in use, and there is no reason against it."""
    monkeypatch.delenv("AUTOPAR_NATIVE", raising=False)
    native, chosen = native_module(), load_again(_native_api)
    assert (chosen.thread_probe, chosen.call_each) == (native.thread_probe, native.call_each)
    assert (chosen.NATIVE, chosen.why_not_native) == (True, "")


def test_the_environment_can_demand_the_twin(monkeypatch: pytest.MonkeyPatch) -> None:
    """AUTOPAR_NATIVE=0 puts the twin to use and is given as the reason."""
    monkeypatch.setenv("AUTOPAR_NATIVE", "0")
    chosen = load_again(_native_api)
    assert (chosen.thread_probe, chosen.call_each) == (_native_twin.thread_probe, _native_twin.call_each)
    assert (chosen.NATIVE, chosen.why_not_native) == (False, "AUTOPAR_NATIVE=0 asks for the pure-Python twin")


def test_a_missing_extension_leaves_the_twin(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extension the twin is in use, and the reason names the extension."""
    monkeypatch.delenv("AUTOPAR_NATIVE", raising=False)
    monkeypatch.setitem(sys.modules, "autopar._native", None)
    monkeypatch.delattr(autopar, "_native", raising=False)
    chosen = load_again(_native_api)
    assert (chosen.thread_probe, chosen.call_each) == (_native_twin.thread_probe, _native_twin.call_each)
    assert chosen.NATIVE is False
    assert chosen.why_not_native.startswith("the extension autopar._native cannot be imported: ")


@pytest.mark.parametrize("source", sorted((ROOT / "native").glob("*.c")), ids=lambda source: source.name)
def test_the_c_sources_compile_without_a_warning(source: Path, tmp_path: Path) -> None:
    """Each C file compiles with -Wall -Wextra and warnings as errors."""
    compiler = shlex.split(sysconfig.get_config_var("CC") or "cc")
    if shutil.which(compiler[0]) is None:
        pytest.skip("there is no C compiler")
    flags = ["-O2", "-fPIC", "-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wstrict-prototypes", "-Werror"]
    headers = ["-isystem", sysconfig.get_path("include")]
    command = [*compiler, *flags, *headers, "-c", str(source), "-o", str(tmp_path / "object.o")]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
