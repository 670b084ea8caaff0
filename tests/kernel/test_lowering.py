"""What the kernel says about a function: its types, its facts, what it writes, and which checks it needs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from autopar._compilers.native.emit import emit
from autopar._kernel import abi, ir
from autopar._kernel import types as t
from autopar._kernel.ir import Kernel
from autopar._kernel.prune import walk
from tests.kernel.running import Left, Running, kernel_for, same

SCALE = 3


def helper(x: Any, factor: float = 2.0) -> Any:
    return x * factor


def uses_helper(x: Any) -> Any:
    return helper(x) + SCALE + math.sqrt(x)


def in_place(a: Any, b: Any) -> None:
    for i in range(len(a)):
        a[i] = b[i] * 2.0


def total(a: Any) -> Any:
    s = 0.0
    for x in a:
        s += x
    return s


def affine(a: Any, n: Any) -> Any:
    s = 0.0
    for i in range(n):
        s += a[i] * a[n - 1 - i]
    return s


def counted(n: Any, m: Any) -> Any:
    count = 0
    for i in range(n):
        for j in range(m):
            if i ^ j:
                count += 1
    return count


def wrapped(n: Any, m: Any) -> Any:
    s = 0
    for i in range(n):
        s += (i * 7) % m
    return s


def last(n: Any) -> Any:
    for i in range(n):  # noqa: B007
        pass
    return i


def exits_in_loops(kernel: Kernel) -> list[ir.Statement]:
    """Return the checks inside the loops of a kernel."""
    inside = [s for loop in walk(kernel.body) if isinstance(loop, (ir.For, ir.Loop)) for s in walk(loop.body)]
    return [s for s in inside if isinstance(s, (ir.Checked, ir.ExitIf, ir.Exit))]


def test_facts_are_what_the_function_rests_on() -> None:
    """Globals, callees with their code and defaults, and attributes of modules are noted once each."""
    facts = {fact.name: fact for fact in kernel_for(uses_helper, 1.0).facts}
    assert set(facts) == {"uses_helper", "helper", "SCALE", "math", "math.sqrt"}
    assert facts["helper"].by == "function"
    assert facts["helper"].value == (helper, helper.__code__, (2.0,), None)
    assert (facts["SCALE"].by, facts["SCALE"].value, facts["SCALE"].now()) == ("value", 3, 3)
    assert facts["math.sqrt"].now() is math.sqrt


def test_sources_are_those_of_the_function_and_its_callees() -> None:
    """A cache can be keyed by all the text that went in."""
    sources = kernel_for(uses_helper, 1.0).sources
    assert [text.split("(")[0] for text in sources] == ["def uses_helper", "def helper"]


def test_written_parameters_are_known() -> None:
    """The kernel says which arrays it may write to, and that they may not overlap with others."""
    kernel = kernel_for(in_place, np.ones(3), np.ones(3))
    assert kernel.written == {0}
    assert kernel.overlaps == ((0, 1),)
    assert kernel.result == t.Nothing()
    assert kernel_for(total, np.ones(3)).written == frozenset()


RESULTS: list[tuple[Any, tuple[Any, ...], str]] = [
    (total, (np.ones(3),), "np.float64"),
    (total, (np.ones(3, np.float32),), "np.float32"),
    (total, ([1.5],), "float"),
    (helper, (1,), "float"),
    (helper, (np.float32(1),), "np.float32"),
    (counted, (3, 4), "int"),
]


@pytest.mark.parametrize(("function", "arguments", "kind"), RESULTS)
def test_result_types(function: Any, arguments: tuple[Any, ...], kind: str) -> None:
    """The type of the result is inferred."""
    assert str(kernel_for(function, *arguments).result) == kind


def test_a_sum_over_nothing_leaves() -> None:
    """A sum that starts as 0.0 is no NumPy scalar before the first item, and then the call runs in Python."""
    compiled = Running(total, np.ones(3))
    assert type(compiled(np.ones(3))) is np.float64
    with pytest.raises(Left, match=r"float, not np\.float64"):
        compiled(np.ones(0))


def test_a_variable_that_may_be_unbound_leaves() -> None:
    """A loop variable after an empty loop is Python's to complain about."""
    compiled = Running(last, 3)
    assert compiled(3) == 2
    with pytest.raises(Left, match="'i' has no value"):
        compiled(0)


@pytest.mark.parametrize(
    ("function", "arguments"), [(total, (np.ones(3),)), (in_place, (np.ones(3), np.ones(3))), (counted, (3, 4))]
)
def test_no_check_is_left_in_a_loop_where_none_can_fail(function: Any, arguments: tuple[Any, ...]) -> None:
    """Indexes below a length, indexes that move evenly, and counters are proven before the loop."""
    assert exits_in_loops(kernel_for(function, *arguments)) == []


def test_an_index_from_both_ends_is_checked_before_the_loop() -> None:
    """Evenly moving indexes are checked for the first and the last round."""
    assert exits_in_loops(kernel_for(affine, np.ones(3), 3)) == []
    compiled = Running(affine, np.ones(3), 3)
    assert compiled(np.ones(3), 3) == 3.0
    with pytest.raises(Left, match="index out of range"):
        compiled(np.ones(3), 4)


def test_a_sum_whose_items_are_bounded_needs_no_check() -> None:
    """A number of rounds times a bound on what one adds is how far a sum gets; the divisor alone is checked."""
    kernel = kernel_for(wrapped, 10, 5)
    reasons = [kernel.exits[s.number][1] for s in exits_in_loops(kernel) if isinstance(s, ir.ExitIf)]
    assert all("division" in reason for reason in reasons)


def test_slots() -> None:
    """Parameters are flattened in order, and the result follows."""
    kernel = kernel_for(affine, np.ones(3), 3)
    assert kernel.layout == abi.Layout((0, 3), 4, 5)
    assert [var.name for var in kernel.slots] == ["arg$a", "arg$a_n0", "arg$a_s0", "arg$n"]


def test_the_c_text_is_the_same_each_time() -> None:
    """One function and one signature make one text, as a cache wants it."""
    assert emit(kernel_for(affine, np.ones(3), 3)) == emit(kernel_for(affine, np.zeros(9), 8))


def late_alias(t: Any) -> Any:
    k = 2
    for i in range(2, len(t)):
        x = t[k - 1]
        t[i] = x + 1
        k = i
    return t


def only_sometimes(t: Any, n: Any) -> Any:
    for i in range(n):
        if i > 0:
            t[i] = t[i - 1] + 1
        else:
            t[i] = 5
    return t


def from_the_end(t: Any) -> Any:
    for i in range(len(t)):
        t[i] = t[i - 1] + 1
    return t


def backwards(t: Any) -> Any:
    for i in range(len(t) - 2, -1, -1):
        t[i] = t[i + 1] * 2
    return t


@pytest.mark.parametrize(
    ("function", "more"), [(late_alias, ()), (only_sometimes, (6,)), (from_the_end, ()), (backwards, ())]
)
@pytest.mark.parametrize("dtype", ["int64", "float32", "uint8"])
def test_what_a_round_stores_the_next_one_loads(function: Any, more: tuple[Any, ...], dtype: str) -> None:
    """Carrying an element from round to round changes nothing, wherever the first one comes from."""
    ours, theirs = np.arange(6).astype(dtype), np.arange(6).astype(dtype)
    compiled = Running(function, ours, *more)
    assert same(compiled(ours, *more), function(theirs, *more))
    if function is only_sometimes:
        assert same(compiled(np.zeros(0, dtype), 0), np.zeros(0, dtype))
