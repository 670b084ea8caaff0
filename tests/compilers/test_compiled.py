"""A compiled function next to Python: compared within a budget, withdrawn when it is wrong or of no use."""

from __future__ import annotations

import math
import shutil
import sys
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autopar import _native_twin
from autopar._compilers.native.comparing import difference
from autopar._compilers.native.compiled import EXITS_BEFORE_JUDGING
from autopar._compilers.native.rehearsal import Rehearsal
from autopar._compilers.native.sampling import FIRST, SHORTEST_DISTANCE, Sampling
from autopar._kernel import types as t
from autopar.errors import KernelMismatchWarning
from tests.compilers.by_hand import ADD, add, compiled

needs_compiler = pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")

INT, FLOAT = t.Int(), t.Float()


def generous() -> Sampling:
    """A budget that lets the first calls be compared however slow the machine is."""
    return Sampling(grace=60.0)


INTS = t.Array("int64", 1)

NAN = float("nan")


def array(values: Any, dtype: str) -> Any:
    return np.array(values, dtype)


SAME = [
    (1, 1),
    (NAN, -NAN),
    (-0.0, -0.0),
    ((1, 2.0), (1, 2.0)),
    ([1, [2]], [1, [2]]),
    (None, None),
    (np.float32(NAN), np.float32(NAN)),
    (array([1.0, NAN, -0.0], "f8"), array([1.0, -NAN, -0.0], "f8")),
    (array([], "i4"), array([], "i4")),
    (array([1 + 2j], "c16"), array([1 + 2j], "c16")),
]


@pytest.mark.parametrize(("ours", "python"), SAME)
def test_what_is_the_same(ours: Any, python: Any) -> None:
    """Equal values of equal types, signs of zero and places of NaN are the same."""
    assert difference(ours, python) == ""


DIFFERENT = [
    (1, True, "result: int, where Python gives bool"),
    (1, 2, "result: an int and an int of another value"),
    (0.0, -0.0, "result: a float and a float of another value"),
    (NAN, 1.0, "result: a float and a float of another value"),
    (1.0, np.float64(1.0), "result: float, where Python gives numpy.float64"),
    ((1, 2), (1, 2, 3), "result: 2 elements, where Python gives 3"),
    ((1, (2, 3)), (1, (2, 4)), "result[1][1]: an int and an int of another value"),
    (array([1, 2], "i4"), array([1, 2], "i8"), "result: int32, where Python gives int64"),
    (array([1, 2], "i4"), array([[1, 2]], "i4"), "result: shape (2,), where Python gives (1, 2)"),
    (
        array([[1, 2], [3, 4]], "i4"),
        array([[1, 2], [3, 5]], "i4"),
        "result[1, 1]: an int32 and an int32 of another value",
    ),
    (array([0.0], "f8"), array([-0.0], "f8"), "result[0]: a float64 and a float64 of another value"),
    (array(0.0, "f8"), array(1.0, "f8"), "result: a float64 and a float64 of another value"),
    (np.float32(1), np.float32(2), "result: a float32 and a float32 of another value"),
]


@pytest.mark.parametrize(("ours", "python", "said"), DIFFERENT)
def test_what_is_different_is_said_by_type_and_place(ours: Any, python: Any, said: str) -> None:
    """The first difference is named by its place and the two types, without the values."""
    assert difference(ours, python) == said


def test_rtol_admits_rounding_and_nothing_else() -> None:
    """A relative difference is admitted where it is asked for, another type or sign of zero is not."""
    assert difference(1.0, 1.0 + 1e-12, rtol=1e-9) == ""
    assert difference(array([1.0], "f8"), array([1.0 + 1e-12], "f8"), rtol=1e-9) == ""
    assert difference(1.0, 1.1, rtol=1e-9)
    assert difference(1, 1.0, rtol=1e-9)
    assert difference(0.0, -0.0, rtol=1e-9)


@given(st.one_of(st.integers(), st.floats(), st.tuples(st.floats(), st.integers()), st.lists(st.floats())))
def test_every_value_is_the_same_as_itself(value: Any) -> None:
    """Nothing differs from itself."""
    assert difference(value, value) == ""


def test_copies_of_arguments_share_what_the_arguments_share() -> None:
    """An object that is there twice is there twice among the copies; changes of either stay apart until put back."""
    items, values = [1, 2], np.arange(3)
    rehearsal = Rehearsal((items, (items, values), values, 5))
    first, (again, copied), other, five = rehearsal.args
    assert (first is again, copied is other, five) == (True, True, 5)
    assert (first is items, copied is values) == (False, False)
    first[0], copied[1] = 9, 9
    assert (items, values.tolist()) == ([1, 2], [0, 1, 2])
    rehearsal.put_into_originals()
    assert (items, values.tolist()) == ([9, 2], [0, 9, 2])
    assert rehearsal.as_original(copied) is values
    assert rehearsal.as_original(five) == 5


# -- the budget of comparisons --------------------------------------------------------------------------------------


@pytest.mark.parametrize("python", [1e-6, 50e-6, 5e-3, 10.0])
@pytest.mark.parametrize("ratio", [0.5, 30, 450])
def test_comparing_takes_its_share_and_no_more(python: float, ratio: float) -> None:
    """Whatever calls take, comparisons take at most a hundredth of their time, besides a few at the start."""
    ours, sampling = python / ratio, Sampling()
    compared = spent = 0.0
    wait, calls = 1, 0
    for _ in range(60):
        sampling.ran(wait, wait * ours)
        calls += wait
        wait = sampling.distance(ours)
        if not wait:
            sampling.compare(python=python, ours=ours)
            compared, spent = compared + 1, spent + python
            wait = 1
        assert spent <= sampling.grace + 2 * FIRST * python * (ratio < 100) + sampling.share * calls * ours + python
    assert compared >= (1 if python < 1 else 0)


def test_the_first_calls_are_compared_if_they_are_short() -> None:
    """Three calls in a row are compared at the start, and then none for a while."""
    sampling, distances = Sampling(), []
    for _ in range(FIRST):
        sampling.ran(1, 1e-6)
        distances.append(sampling.distance(1e-6))
        sampling.compare(python=1e-6, ours=1e-6)
    assert distances == [0, 0, 0]
    assert sampling.distance(1e-6) >= SHORTEST_DISTANCE - 1


def test_a_long_first_call_is_not_repeated_in_python() -> None:
    """A kernel that ran for a second may have saved minutes: they are not spent on comparing."""
    sampling = Sampling()
    sampling.ran(1, 1.0)
    assert sampling.distance(1.0) > 1000


# -- withdrawn --------------------------------------------------------------------------------------------------------


@needs_compiler
@pytest.mark.slow
def test_a_kernel_that_is_wrong_is_withdrawn_loudly_and_pythons_result_returned() -> None:
    """The first comparison finds it, a warning says so, and every later call runs in Python."""
    function = compiled(add, (INT, INT), INT, "s[2] = s[0] - s[1]; return 0;", sampling=generous())
    with pytest.warns(KernelMismatchWarning, match="by_hand runs in Python from now on, since compiled code differs"):
        assert function(5, 3) == 8
    assert function.withdrawn == "compiled code differs from Python: result: an int and an int of another value"
    assert (function(5, 3), function.calls) == (8, 1)


@needs_compiler
@pytest.mark.slow
def test_where_warnings_are_errors_the_result_is_returned_all_the_same() -> None:
    """A program that turns warnings into errors loses no result."""
    function = compiled(add, (INT, INT), INT, "s[2] = 0; return 0;", sampling=generous())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert function(5, 3) == 8
    assert function.withdrawn


@needs_compiler
@pytest.mark.slow
def test_a_kernel_that_returns_where_python_raises_is_withdrawn() -> None:
    """The exception is raised, as Python would."""

    def picky(x: int) -> int:
        raise LookupError(f"no {x}")

    function = compiled(picky, (INT,), INT, "s[1] = 0; return 0;", sampling=generous())
    with pytest.warns(KernelMismatchWarning, match="where Python raises LookupError"), pytest.raises(LookupError):
        function(3)
    assert function.withdrawn


def double(values: Any) -> Any:
    values *= 2
    return values


DOUBLE = "for (int64_t i = 0; i < s[1]; i++) ((int64_t *)s[0])[i] *= 2; return 0;"


@needs_compiler
@pytest.mark.slow
def test_what_a_kernel_writes_is_compared_too() -> None:
    """A function that writes is run by Python on copies; where they differ the argument gets what Python wrote."""
    right = compiled(double, (INTS,), t.Argument(0), DOUBLE, written=frozenset({0}), sampling=generous())
    values = np.arange(3)
    assert right(values) is values
    assert (values.tolist(), right.counters.compared, right.withdrawn) == ([0, 2, 4], 1, "")

    body = DOUBLE.replace("*= 2", "*= 3")
    wrong = compiled(double, (INTS,), t.Argument(0), body, written=frozenset({0}), sampling=generous())
    values = np.arange(3)
    with pytest.warns(KernelMismatchWarning, match=r"argument p0\[1\]|result\[1\]"):
        assert wrong(values) is values
    assert values.tolist() == [0, 2, 4]


@needs_compiler
@pytest.mark.slow
def test_a_kernel_that_mostly_leaves_is_given_up() -> None:
    """Calls that begin in the kernel and end in Python are counted, and too many of them end its use."""
    function = compiled(add, (INT, INT), INT, ADD)
    for _ in range(EXITS_BEFORE_JUDGING):
        assert not function.withdrawn
        assert function(2**63 - 1, 1) == 2**63
    assert function.withdrawn == (
        f"{EXITS_BEFORE_JUDGING} calls left the compiled code, {EXITS_BEFORE_JUDGING} of them at line 7: "
        "the integer does not fit 64 bits"
    )


@needs_compiler
@pytest.mark.slow
def test_a_kernel_that_leaves_now_and_then_is_kept() -> None:
    """As long as most calls end in the kernel it pays."""
    function = compiled(add, (INT, INT), INT, ADD)
    for _ in range(3 * EXITS_BEFORE_JUDGING):
        function(1, 1)
        function(2, 2)
        function(2**63 - 1, 1)
    assert not function.withdrawn
    assert function.calls == 6 * EXITS_BEFORE_JUDGING


@needs_compiler
@pytest.mark.slow
def test_right_calls_go_on_compiled_after_they_were_compared() -> None:
    """Of a thousand calls the first three are compared, and none is different."""
    function = compiled(add, (INT, INT), INT, ADD, sampling=generous())
    assert [function(number, 1) for number in range(1000)] == list(range(1, 1001))
    assert (function.calls, function.counters.compared, function.withdrawn) == (1000, FIRST, "")


@pytest.mark.parametrize("module", ["native", "twin"])
def test_numbers_are_packed_exactly(module: str) -> None:
    """Exact ints and floats of 64 bits become words; anything else is refused as a whole."""
    twin: Any = _native_twin
    pack = (pytest.importorskip("autopar._native") if module == "native" else twin).pack_numbers
    ints, floats = [0, -1, 2**63 - 1, -(2**63)], (0.5, -0.0, math.inf)
    assert pack("i", ints) == bytearray(np.array(ints, np.int64).tobytes())
    assert pack("f", floats) == bytearray(np.array(floats).tobytes())
    assert (pack("i", []), pack("f", ())) == (bytearray(), bytearray())
    for kind, items in (("i", [1, True]), ("i", [2**63]), ("i", [1.0]), ("f", [1]), ("f", (np.float64(1),))):
        assert pack(kind, items) is None
    with pytest.raises(ValueError, match="kind must be 'i' or 'f'"):
        pack("b", [True])
    with pytest.raises(TypeError, match="items must be a list, a tuple or a range, not set"):
        pack("i", {3})


# -- blocks -----------------------------------------------------------------------------------------------------------


def block(function: Any, items: Sequence[Any], *, star: bool = False, **kwargs: Any) -> tuple[bool, list[Any]]:
    """What a block gives: whether it ran, and its results."""
    out: list[Any] = []
    return function.__autopar_block__(items, star, kwargs, out), out


@needs_compiler
@pytest.mark.slow
class TestBlocks:
    def test_a_block_gives_what_the_loop_gives(self) -> None:
        """Items as single arguments or as tuples, with defaults and keywords, give the loop's results in order."""
        function = compiled(add, (INT, INT), INT, ADD)
        items = list(range(-500, 500))
        assert block(function, items) == (True, [add(item) for item in items])
        assert block(function, items, other=3) == (True, [add(item, 3) for item in items])
        assert block(function, range(-500, 500)) == (True, [add(item) for item in items])
        pairs = [(item, item * item) for item in items]
        assert block(function, pairs, star=True) == (True, [add(*pair) for pair in pairs])
        assert function.counters.misses == 0
        assert function.calls == 4 * len(items)

    @pytest.mark.parametrize(
        "items",
        [[], [1, 2.0], [1, True], [1, 2**63], ["a"], [np.int64(1), np.int64(2)]],
        ids=lambda items: str(items)[:20],
    )
    def test_items_of_other_types_are_not_for_a_block(self, items: list[Any]) -> None:
        """Where one item does not fit the whole block is left to the loop."""
        assert block(compiled(add, (INT, INT), INT, ADD), items) == (False, [])

    @pytest.mark.parametrize("items", [[(1, 2), (3,)], [(1, 2), [3, 4]], [(1, 2, 3)], [()]])
    def test_tuples_that_do_not_fit_the_parameters_are_not_for_a_block(self, items: list[Any]) -> None:
        """Tuples of different lengths, of too many or of no items are left to the loop, which says what is wrong."""
        assert block(compiled(add, (INT, INT), INT, ADD), items, star=True) == (False, [])

    def test_an_item_that_leaves_runs_in_python_and_the_others_do_not(self) -> None:
        """A side exit costs its item only."""
        function = compiled(add, (INT, INT), INT, ADD)
        items = [1, 2**63 - 1, 3, 2**63 - 1, 2**63 - 2]
        assert block(function, items, other=1) == (True, [item + 1 for item in items])
        assert (function.counters.blocks, function.counters.exits.total()) == (3, 2)

    def test_an_item_that_raises_ends_the_block(self) -> None:
        """The results before it are kept."""

        def picky(x: int) -> int:
            if x == 7:
                raise LookupError("seven")
            return x

        function = compiled(picky, (INT,), INT, "if (s[0] == 7) return 1; s[1] = s[0]; return 0;")
        out: list[Any] = []
        with pytest.raises(LookupError, match="seven"):
            function.__autopar_block__(list(range(20)), False, {}, out)
        assert out == list(range(7))

    def test_results_of_every_scalar_type_come_back_as_that_type(self) -> None:
        """Floats, truth values, NumPy scalars, tuples of them, None and the item itself."""
        flag = compiled(lambda x: x > 1, (INT,), t.Bool(), "s[1] = s[0] > 1; return 0;")
        assert block(flag, [1, 2]) == (True, [False, True])
        half = compiled(lambda x: x / 2, (FLOAT,), FLOAT, "s[1] = w(f(s[0]) / 2); return 0;")
        done, values = block(half, [1.0, -0.0, math.inf])
        assert (done, [str(value) for value in values]) == (True, ["0.5", "-0.0", "inf"])
        kind = t.NpScalar("float32")
        single = compiled(lambda x: x, (kind,), kind, "s[1] = s[0]; return 0;")
        _, values = block(single, [np.float32(0.1), np.float32(2)])
        assert [(type(value), value) for value in values] == [
            (np.float32, np.float32(0.1)),
            (np.float32, np.float32(2)),
        ]
        pair = compiled(
            lambda x: (x, (x > 0,)),
            (INT,),
            t.Tuple((INT, t.Tuple((t.Bool(),)))),
            "s[1] = s[0]; s[2] = s[0] > 0; return 0;",
        )
        assert block(pair, [-1, 1]) == (True, [(-1, (False,)), (1, (True,))])
        none = compiled(lambda x: None, (INT,), t.Nothing(), "return 0;")
        assert block(none, [1, 2]) == (True, [None, None])
        large = [10**15, 10**16]
        same = compiled(lambda x: x, (INT,), t.Argument(0), "return 0;")
        assert all(one is other for one, other in zip(block(same, large)[1], large, strict=True))

    def test_a_wrong_kernel_is_found_in_a_block(self) -> None:
        """No result of a block that was found wrong is used."""
        function = compiled(add, (INT, INT), INT, "s[2] = s[0] - s[1]; return 0;", sampling=generous())
        with pytest.warns(KernelMismatchWarning):
            assert block(function, list(range(200))) == (True, [item + 10 for item in range(200)])
        assert block(function, [1]) == (False, [])

    def test_a_kernel_that_writes_has_no_blocks(self) -> None:
        """Items that write run one by one, in order."""
        function = compiled(double, (INTS,), t.Argument(0), DOUBLE, written=frozenset({0}))
        assert block(function, [np.arange(3)]) == (False, [])

    def test_a_kernel_that_always_leaves_is_given_up_within_a_block(self) -> None:
        """The rest of the block runs in Python."""
        function = compiled(add, (INT, INT), INT, ADD)
        items = [2**63 - 1] * 100
        assert block(function, items) == (True, [2**63 + 9] * 100)
        assert function.withdrawn
        assert function.counters.exits.total() == EXITS_BEFORE_JUDGING

    def test_an_array_may_be_the_same_for_all_items(self) -> None:
        """A constant argument of any type is packed once."""

        def at(place: int, values: Any) -> int:
            return int(values[place])

        body = "if (s[0] < 0 || s[0] >= s[2]) return 1; s[4] = ((int64_t *)s[1])[s[0]]; return 0;"
        function = compiled(at, (INT, INTS), INT, body)
        assert block(function, [0, 2, -1], values=np.array([5, 6, 7])) == (True, [5, 7, 7])

    def test_nothing_is_kept_of_a_block(self) -> None:
        """Items and results are let go."""
        function = compiled(add, (INT, INT), INT, ADD)
        items = [10**15 + number for number in range(10)]
        counts = [sys.getrefcount(item) for item in items]
        block(function, items)
        assert [sys.getrefcount(item) for item in items] == counts
