"""The way into a kernel, in C and as its pure-Python twin: what fits runs there, all else as if it were not there."""

from __future__ import annotations

import gc
import math
import shutil
import sys
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from autopar import _native_twin_entry
from autopar._compilers.native import entry as entry_module
from autopar._kernel import types as t
from autopar._kernel.ir import Fact
from autopar._native_api import NATIVE
from tests.compilers.by_hand import ADD, add, compiled

pytestmark = [
    pytest.mark.slow,  # each kernel is compiled
    pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler"),
]

INT, FLOAT, BOOL = t.Int(), t.Float(), t.Bool()


@pytest.fixture(params=["native", "twin"], autouse=True)
def either(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Every test runs with the extension's entry and with its twin."""
    if request.param == "native":
        if not NATIVE:
            pytest.skip("the extension is not in use")
        from autopar import _native

        monkeypatch.setattr(entry_module, "KernelEntry", _native.KernelEntry)
    else:
        monkeypatch.setattr(entry_module, "KernelEntry", _native_twin_entry.KernelEntry)
    return str(request.param)


def test_a_call_that_fits_runs_in_the_kernel() -> None:
    """Arguments of the right types, by position, by name or by default, never come back to Python."""
    function = compiled(add, (INT, INT), INT, ADD)
    assert [function(1, 2), function(1), function(one=3, other=4), function(5, other=6)] == [3, 11, 7, 11]
    assert (function.calls, function.counters.misses, function.counters.exits) == (4, 0, {})


class Whole(int):
    """An int by inheritance."""


@pytest.mark.parametrize(
    "args", [(1.5, 2), (True, 1), (1, 2**63), (-(2**63) - 1, 1), (Whole(3), 4), (np.int64(3), 4), ("a", "b")]
)
def test_other_types_and_ranges_run_in_python(args: tuple[Any, Any]) -> None:
    """Only an exact int of 64 bits is an int to the kernel."""
    function = compiled(add, (INT, INT), INT, ADD)
    result = function(*args)
    assert (type(result), result) == (type(add(*args)), add(*args))
    assert (function.calls, function.counters.misses) == (0, 1)


@pytest.mark.parametrize(("args", "keywords"), [((), {}), ((1, 2, 3), {}), ((1,), {"one": 2}), ((1,), {"three": 3})])
def test_a_wrong_call_raises_what_the_function_raises(args: tuple[Any, ...], keywords: dict[str, Any]) -> None:
    """A call that does not fit the signature gets Python's own error."""
    function = compiled(add, (INT, INT), INT, ADD)
    with pytest.raises(TypeError) as expected:
        add(*args, **keywords)
    with pytest.raises(TypeError) as caught:
        function(*args, **keywords)
    assert str(caught.value) == str(expected.value)


def test_a_side_exit_runs_the_call_in_python_and_is_counted() -> None:
    """What the kernel cannot do exactly is Python's, with the line and the reason on record."""
    function = compiled(add, (INT, INT), INT, ADD)
    assert function(2**63 - 1, 1) == 2**63
    assert function.counters.exits == {(7, "the integer does not fit 64 bits"): 1}


IDENTITY: list[tuple[t.Type, list[Any], str]] = [
    (INT, [0, -1, 2**63 - 1, -(2**63)], "s[1] = s[0]; return 0;"),
    (FLOAT, [0.0, -0.0, 1.5, math.inf, -math.inf, math.nan, 5e-324], "s[1] = s[0]; return 0;"),
    (BOOL, [True, False], "s[1] = s[0]; return 0;"),
    (t.Nothing(), [None], "return 0;"),
    (t.Tuple((INT, t.Tuple((FLOAT, BOOL)))), [(1, (2.5, True))], "memcpy(s + 3, s, 24); return 0;"),
    (t.Tuple(()), [()], "return 0;"),
    *((t.NpScalar(name), [getattr(np, name)(3)], "s[1] = s[0]; return 0;") for name in t.DTYPES if name != "bool"),
    (t.NpScalar("bool"), [np.True_, np.False_], "s[1] = s[0]; return 0;"),
    (t.NpScalar("uint64"), [np.uint64(2**64 - 1)], "s[1] = s[0]; return 0;"),
    (t.NpScalar("float32"), [np.float32("nan"), np.float32(0.1)], "s[1] = s[0]; return 0;"),
]


def same(value: Any) -> Any:
    return value


@pytest.mark.parametrize(("kind", "values", "body"), IDENTITY, ids=lambda case: str(case)[:30])
def test_values_go_through_unchanged(kind: t.Type, values: list[Any], body: str) -> None:
    """Each value that fits 64 bits comes back with its exact type and bits."""
    function = compiled(same, (kind,), kind, body)
    for value in values:
        result = function(value)
        assert type(result) is type(value)
        assert repr(result) == repr(value)
    assert (function.calls, function.counters.misses) == (len(values), 0)


def total(array: Any) -> Any:
    return sum(array.tolist())


SUM = """
double sum = 0; const char *at = (const char *)s[0];
for (int64_t i = 0; i < s[1]; i++, at += s[2]) { double item; memcpy(&item, at, 8); sum += item; }
s[3] = w(sum); return 0;
"""


def test_an_array_is_read_where_it_lies() -> None:
    """Address, shape and strides reach the kernel, for contiguous arrays and for views."""
    values = np.arange(10.0)
    contiguous = compiled(total, (t.Array("float64", 1),), FLOAT, SUM)
    strided = compiled(total, (t.Array("float64", 1, "strided"),), FLOAT, SUM)
    assert contiguous(values) == strided(values) == 45.0
    assert strided(values[::3]) == strided(values[::-3]) == 18.0
    assert (contiguous.calls, strided.calls) == (1, 3)
    assert contiguous(values[::3]) == 18.0
    assert (contiguous.calls, contiguous.counters.misses) == (1, 1)


def misaligned() -> Any:
    """A float64 array at an odd address."""
    raw = np.zeros(17, np.uint8)
    return raw[1:].view(np.float64)


class Matrix(np.ndarray[Any, Any]):
    """An array by inheritance."""


@pytest.mark.parametrize(
    "array",
    [
        np.arange(3),
        np.arange(3.0, dtype=np.float32),
        np.arange(3.0).astype(">f8"),
        misaligned(),
        np.arange(3.0).view(Matrix),
        np.arange(3).astype("m8[s]"),
        np.arange(3.0).astype(complex),
    ],
    ids=["int64", "float32", "byte-swapped", "misaligned", "subclass", "timedelta", "complex"],
)
def test_other_arrays_run_in_python(array: Any) -> None:
    """Another dtype, byte order, alignment or class is not the kernel's."""
    function = compiled(lambda value: len(value), (t.Array("float64", 1),), FLOAT, SUM)
    assert function(array) == len(array)
    assert (function.calls, function.counters.misses) == (0, 1)


def grow(array: Any) -> Any:
    for place in range(len(array)):
        array[place] += 1
    return array


GROW = """
int64_t *item = (int64_t *)s[0];
for (int64_t i = 0; i < s[1]; i++) { if (item[i] == INT64_MAX) return 1; item[i]++; }
return 0;
"""


def grown(**more: Any) -> Any:
    """A function that writes into its argument, and returns it."""
    types = (t.Array("int64", 1),)
    return compiled(grow, types, t.Argument(0), GROW, written=frozenset({0}), may_exit_after_write=True, **more)


def test_what_is_written_is_in_the_array_and_the_result_is_the_argument() -> None:
    """A kernel writes in place, and gives back the very object it was given."""
    function, array = grown(), np.arange(3)
    assert function(array) is array
    assert array.tolist() == [1, 2, 3]
    assert function.calls == 1


def test_a_kernel_that_leaves_has_written_nothing() -> None:
    """After a side exit the writes are undone before Python runs the call: nothing happens twice."""
    function = compiled(
        lambda array: array.tolist(),
        (t.Array("int64", 1),),
        t.Argument(0),
        GROW,
        written=frozenset({0}),
        may_exit_after_write=True,
    )
    array = np.array([1, 2, 2**63 - 1, 4])
    assert function(array) == [1, 2, 2**63 - 1, 4]
    assert function.counters.exits.total() == 1


def test_undoing_works_again_and_again() -> None:
    """Calls with two arrays of any sizes are undone one after the other, in memory that earlier calls have left."""
    kind = t.Array("int64", 1)
    body = """
    for (int64_t i = 0; i < s[1]; i++) ((int64_t *)s[0])[i] = -1;
    for (int64_t i = 0; i < s[4]; i++) ((int64_t *)s[3])[i] = -1;
    return 1;
    """
    more: dict[str, Any] = {"written": frozenset({0, 1}), "may_exit_after_write": True}
    function = compiled(lambda one, other: None, (kind, kind), t.Nothing(), body, **more)
    for sizes in ((10, 20), (1000, 5), (0, 3000), (2000, 2000), (1, 1)):
        one, other = map(np.arange, sizes)
        function(one, other)
        assert (one.tolist(), other.tolist()) == (list(range(sizes[0])), list(range(sizes[1])))


def test_a_strided_array_is_undone_too() -> None:
    """The undoing of a view leaves what lies between its elements alone."""
    body = """
    char *at = (char *)s[0];
    for (int64_t i = 0; i < s[1]; i++, at += s[2]) { int64_t one = -1; memcpy(at, &one, 8); }
    return 1;
    """
    kind = t.Array("int64", 1, "strided")
    function = compiled(
        lambda array: None, (kind,), t.Nothing(), body, written=frozenset({0}), may_exit_after_write=True
    )
    base = np.arange(10)
    function(base[::3])
    function(base[::-2])
    assert base.tolist() == list(range(10))
    assert function.counters.exits.total() == 2


def test_a_read_only_array_is_not_written() -> None:
    """Python says what is wrong with writing to an array that may not be written."""
    function, array = grown(), np.arange(3)
    array.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        function(array)
    assert function.calls == 0


def bump(items: Any) -> None:
    for place in range(len(items)):
        if items[place] == 5:
            items[place] = 6


BUMP = "int64_t *item = (int64_t *)s[0]; for (int64_t i = 0; i < s[1]; i++) if (item[i] == 5) item[i] = 6; return 0;"


def test_a_list_takes_back_what_was_written() -> None:
    """Changed items are new objects of the right type; the others stay the objects they were."""
    function = compiled(bump, (t.List(INT),), t.Nothing(), BUMP, written=frozenset({0}))
    kept = 10**15
    items = [5, kept, 5]
    assert function(items) is None
    assert (items, items[1] is kept, function.calls) == ([6, kept, 6], True, 1)


@pytest.mark.parametrize("items", [[], [1, 2.0], [1, True], [2**63], (1, 2), [[1]]])
def test_other_lists_run_in_python(items: Any) -> None:
    """A list of mixed, large or no items is not the kernel's."""
    function = compiled(lambda value: len(value), (t.List(INT),), INT, "s[2] = -1; return 0;")
    assert function(items) == len(items)
    assert function.calls == 0


def test_a_list_given_twice_is_not_written_twice() -> None:
    """Two copies of one list would part: such a call runs in Python."""
    types = (t.List(INT), t.List(INT))
    body = "((int64_t *)s[0])[0] = 9; return 0;"

    def first(one: Any, other: Any) -> Any:
        one[0] = 9
        return other[0]

    function = compiled(first, types, t.Nothing(), body, written=frozenset({0}))
    items = [1, 2]
    assert function(items, items) == 9
    assert function.counters.misses == 1
    function(items, [1])
    assert function.calls == 1


TRANSPOSED = """
int64_t *item = (int64_t *)s[0], rows = s[1], columns = s[2];
for (int64_t i = 0; i < rows; i++) for (int64_t k = 0; k < columns; k++) item[i * columns + k] += 10 * i + k;
return 0;
"""


def test_rows_of_a_list_of_lists_are_written_each() -> None:
    """Rows keep their identity; rows that are one object, or of different lengths, run in Python."""

    def added(rows: Any) -> str:
        return "python"

    function = compiled(added, (t.List(INT, 2),), t.Nothing(), TRANSPOSED, written=frozenset({0}))
    rows = [[0, 0], [0, 0]]
    inner = rows[1]
    assert function(rows) is None
    assert (rows, rows[1] is inner) == ([[0, 1], [10, 11]], True)
    assert function([inner, inner]) == function([[1], [1, 2]]) == function([[], []]) == "python"


def test_memory_of_the_kernel_becomes_an_object_and_is_given_back() -> None:
    """An array, or a list, that the kernel has made is copied into a new object."""
    body = """
    int64_t *made = malloc(6 * 8); for (int i = 0; i < 6; i++) made[i] = s[0] + i;
    s[1] = (int64_t)made; s[2] = (int64_t)made; s[3] = 2; s[4] = 3; return 0;
    """
    array = compiled(same, (INT,), t.Array("int64", 2), body)(5)
    assert (type(array), array.dtype, array.tolist(), array.flags.owndata) == (
        np.ndarray,
        np.int64,
        [[5, 6, 7], [8, 9, 10]],
        True,
    )
    assert compiled(same, (INT,), t.List(INT, 2), body)(5) == [[5, 6, 7], [8, 9, 10]]
    pair = t.Tuple((t.List(INT, 2), INT))
    assert compiled(same, (INT,), pair, body)(5)[0] == [[5, 6, 7], [8, 9, 10]]


def test_many_arguments_fit() -> None:
    """More words and arrays than the entry keeps room for on its stack go through all the same."""
    types = (t.Tuple((t.Array("int64", 2),) * 30),)
    function = compiled(same, types, INT, "s[150] = s[0] == s[145]; return 0;")
    array = np.zeros((2, 2), np.int64)
    assert function((array,) * 30) == 1
    assert function.calls == 1


def test_a_changed_global_is_noticed() -> None:
    """A kernel that rests on a global's value is not used once that is another."""
    namespace: dict[str, Any] = {"factor": 2}
    fact = Fact("factor", "value", 2, lambda: namespace["factor"], namespace)
    function = compiled(lambda x: x * namespace["factor"], (INT,), INT, "s[1] = 2 * s[0]; return 0;", facts=(fact,))
    assert (function(4), function.calls) == (8, 1)
    namespace["factor"] = 3
    assert (function(4), function.withdrawn) == (12, "factor has changed since it was compiled")
    namespace["factor"] = 2
    assert (function(4), function.calls) == (8, 1)


def test_another_object_of_the_same_value_is_the_same_global() -> None:
    """A number that is assigned anew does not end the kernel; one of another type does."""
    namespace: dict[str, Any] = {"factor": 2.5}
    fact = Fact("factor", "value", 2.5, lambda: namespace["factor"], namespace)
    function = compiled(same, (INT,), INT, "s[1] = s[0]; return 0;", facts=(fact,))
    namespace["factor"] = float("2.5")
    assert (function(4), function(4), function.calls, function.withdrawn) == (4, 4, 2, "")
    namespace["factor"] = np.float64(2.5)
    function(4)
    assert (function.calls, function.withdrawn) == (2, "factor has changed since it was compiled")


@pytest.mark.parametrize("change", ["code", "defaults", "keyword default", "binding"])
def test_a_changed_callee_is_noticed(change: str) -> None:
    """A function that the kernel was compiled with must be that very function, with its code and defaults."""

    def helper(x: Any, y: Any = 1, *, z: Any = 1) -> Any:
        return x * z

    def other(x: Any, y: Any = 1, *, z: Any = 1) -> Any:
        return -x

    namespace: dict[str, Any] = {"helper": helper}
    value = (helper, helper.__code__, helper.__defaults__, helper.__kwdefaults__)
    fact = Fact("helper", "function", value, lambda: namespace["helper"], namespace)
    function = compiled(lambda x: namespace["helper"](x), (INT,), INT, "s[1] = s[0]; return 0;", facts=(fact,))
    assert (function(4), function.calls) == (4, 1)
    if change == "code":
        helper.__code__ = other.__code__
    elif change == "defaults":
        helper.__defaults__ = (2,)
    elif change == "keyword default":
        (helper.__kwdefaults__ or {})["z"] = 3
    else:
        namespace["helper"] = other
    assert function(4) == namespace["helper"](4)
    what = "a keyword default of a function that it calls" if change == "keyword default" else "helper"
    assert function.withdrawn == f"{what} has changed since it was compiled"


def test_a_builtin_that_is_hidden_is_noticed() -> None:
    """A module that gets a name of its own for a built-in function changes what the kernel rests on."""
    namespace: dict[str, Any] = {"__builtins__": __builtins__}
    fact = Fact("len", "identity", len, lambda: namespace.get("len", len), namespace)
    function = compiled(same, (INT,), INT, "s[1] = s[0]; return 0;", facts=(fact,))
    assert (function(4), function.calls) == (4, 1)
    namespace["len"] = max
    function(4)
    assert (function.calls, function.withdrawn) == (1, "len has changed since it was compiled")


def test_a_fact_outside_of_any_namespace_is_asked_for() -> None:
    """What a closure cell holds is asked before each call; a cell that is empty ends the kernel."""
    held: list[Any] = [5]

    def now() -> Any:
        return held[0]

    function = compiled(same, (INT,), INT, "s[1] = s[0]; return 0;", facts=(Fact("n", "value", 5, now),))
    assert (function(1), function.calls) == (1, 1)
    held.clear()
    assert (function(1), function.calls) == (1, 1)
    assert function.withdrawn == "n has changed since it was compiled"


def test_new_code_of_the_function_itself_is_noticed() -> None:
    """A function whose code was replaced runs the new code."""

    def own(x: Any) -> Any:
        return x

    def other(x: Any) -> Any:
        return -x

    function = compiled(own, (INT,), INT, "s[1] = s[0]; return 0;")
    assert function(3) == 3
    own.__code__ = other.__code__
    assert function(3) == -3


def test_new_defaults_are_used() -> None:
    """Defaults are those that the function has at the call."""

    def plus(one: Any, other: Any = 1) -> Any:
        return one + other

    function = compiled(plus, (INT, INT), INT, ADD)
    assert function(1) == 2
    plus.__defaults__ = (5,)
    assert (function(1), function.calls) == (6, 2)


def test_other_threads_run_while_the_kernel_does() -> None:
    """The kernel holds no GIL: another thread's Python code goes on."""
    body = "while (*(volatile int64_t *)s[0] == 0) {} return 0;"
    function = compiled(same, (t.Array("int64", 1),), t.Nothing(), body)
    flag = np.zeros(1, np.int64)
    waiting = threading.Thread(target=function, args=(flag,), daemon=True)
    waiting.start()
    deadline = time.monotonic() + 30
    while function.calls == 0 and time.monotonic() < deadline:
        flag[0] = 1
        waiting.join(0.01)
    assert function.calls == 1


def test_brief_calls_do_not_wait_for_the_gil_each_time(either: str) -> None:
    """Beside a thread that computes, a call of a brief kernel takes far less than the interpreter's switch interval."""
    if either == "twin":
        pytest.skip("ctypes gives the GIL up at every call")
    function = compiled(add, (INT, INT), INT, ADD)
    over = threading.Event()

    def compute() -> None:
        while not over.is_set():
            sum(range(100))

    for number in range(100):
        function(number, 1)
    busy = threading.Thread(target=compute, daemon=True)
    busy.start()
    calls, started = 5000, time.perf_counter()
    for number in range(calls):
        function(number, 1)
    spent = time.perf_counter() - started
    over.set()
    busy.join()
    assert spent < calls * sys.getswitchinterval() / 5


def test_it_is_used_from_many_threads() -> None:
    """Calls on several threads at once have each their own words."""
    function = compiled(add, (INT, INT), INT, ADD)
    wrong: list[int] = []

    def work(first: int) -> None:
        wrong.extend(n for n in range(first, first + 3000) if function(n, n) != 2 * n)

    threads = [threading.Thread(target=work, args=(10_000 * n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_nothing_leaks() -> None:
    """Calls that run, miss and leave keep no object, and an entry that nobody uses is collected."""
    function = grown()
    arrays = [np.arange(3), np.arange(3.0), np.array([2**63 - 1])]
    counts = [sys.getrefcount(array) for array in arrays]
    for _ in range(50):
        function(arrays[0])
        function(arrays[1])
        arrays[2][0] = 2**63 - 1
        with np.errstate(all="ignore"):
            function(arrays[2])
    assert [sys.getrefcount(array) for array in arrays] == counts
    gone = weakref.ref(function)
    del function
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize(
    "wrong",
    [{"address": 0}, {"words": 1, "result_at": 2}, {"classes": ()}, {"facts": ((1, 2),)}, {"count": -1}],
    ids=lambda wrong: next(iter(wrong)),
)
def test_an_entry_that_cannot_be_is_refused(wrong: dict[str, Any], either: str) -> None:
    """What would read or write where nothing is raises at once."""
    make: Callable[..., Any] = vars(entry_module)["KernelEntry"]
    right: dict[str, Any] = {
        "address": 1,
        "parameters": b"",
        "result": b"n",
        "count": 0,
        "words": 0,
        "result_at": 0,
        "classes": (None,) * 12,
        "facts": (),
        "miss": print,
        "finish": None,
        "library": None,
    }
    with pytest.raises(ValueError, match="must"):
        make(**{**right, **wrong})


VECTOR = t.Array("float64", 1)


def first_of(a: Any, n: int = 5) -> Any:
    return a[0]


def test_many_calls_are_packed_as_rows() -> None:
    """Each row has a call's words: the address, lengths and strides of its arrays, and its numbers."""
    function = compiled(first_of, (VECTOR, INT), FLOAT, "return 0;")
    items = [np.arange(3.0), np.arange(4.0)]
    rows = function.pack_rows(items, False, (7,))
    assert rows is not None
    words = np.frombuffer(rows, np.int64).reshape(2, 4)
    assert words.tolist() == [[item.ctypes.data, len(item), 8, 7] for item in items]
    assert function.pack_rows([(item, 7) for item in items], True, ()) == rows
    assert function.pack_rows([], False, (7,)) == bytearray()


@pytest.mark.parametrize(
    ("items", "star", "tail"),
    [
        ([np.arange(3.0), np.arange(3)], False, (7,)),
        ([np.arange(3.0), np.arange(6.0)[::2]], False, (7,)),
        ([np.arange(3.0)], False, ()),
        ([np.arange(3.0)], False, (7, 8)),
        ([np.arange(3.0)], True, (7,)),
        ([(np.arange(3.0), 7), (np.arange(3.0),)], True, ()),
        ([np.arange(3.0)], False, (7.5,)),
        ([[1.0]], False, (7,)),
    ],
)
def test_items_that_do_not_fit_are_not_packed(items: Any, star: bool, tail: Any) -> None:
    """Another type, layout or number of arguments, and lists, whose packed form would not outlive the packing."""
    assert compiled(first_of, (VECTOR, INT), FLOAT, "return 0;").pack_rows(items, star, tail) is None


def test_lists_are_not_packed_as_rows() -> None:
    """Not even where the kernel takes them."""
    function = compiled(first_of, (t.List(FLOAT), INT), FLOAT, "return 0;")
    assert function.pack_rows([[1.0]], False, (7,)) is None
    with pytest.raises(TypeError, match="items must be a list or tuple"):
        function.pack_rows(range(3), False, ())  # type: ignore[arg-type]
