"""Cases of the rows as items of a map: compiled code runs them in a block, with no Python between them."""

from __future__ import annotations

import warnings
from collections import defaultdict
from functools import cache
from typing import Any

import pytest

from autopar._compilers.native import Refusal, signature
from autopar._compilers.native.blocks import run_block
from tests.semantics import rows
from tests.semantics.case import Case
from tests.semantics.compilers import Native
from tests.semantics.outcome import arguments_of, described, module
from tests.semantics.together import QUICK, Texts

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]  # the first test compiles for all

CASES = [
    case
    for case in rows.CASES
    if case.topic.startswith(
        (
            *("integer", "shifts", "comparing", "float", "math", "int or", "division of scalars"),
            *("whole arrays", "promotion", "indices out of bounds", "NumPy scalars", "layouts"),
        )
    )
]


def items_by_type(case: Case) -> dict[Any, list[tuple[Any, ...]]]:
    """Arguments of the calls that return in Python, those of equal types together."""
    names = module(case.source, rows.file_of(case))
    found = defaultdict(list)
    for call, expected in zip((*case.stays, *case.leaves), rows.expected(case), strict=True):
        arguments = arguments_of(call, names)
        types = signature(names["f"], arguments, {})
        if expected.error is None and not expected.warned and not isinstance(types, Refusal):
            found[types].append(arguments)
    return found


@cache
def natives() -> dict[Case, Native]:
    """The cases' functions, all compiled in one go."""
    texts = Texts(blocks=True)
    found = {case: Native(module(case.source, rows.file_of(case))["f"], texts.loaded) for case in CASES}
    for case, native in found.items():
        for items in items_by_type(case).values():
            texts.wanted |= dict.fromkeys(native.texts_for(items[0]))
    texts.compile(QUICK)
    return found


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_block_gives_what_the_loop_gives(case: Case) -> None:
    """The results of all items, in order, to the bit; an item that leaves compiled code runs in Python in its turn."""
    function = module(case.source, rows.file_of(case))["f"]
    ran = writes = False
    warnings.simplefilter("ignore")  # an item that overflows in Python warns there, as in the loop
    for items in items_by_type(case).values():
        kernel = natives()[case].kernel_for(items[0])
        if isinstance(kernel, Refusal):
            continue
        writes = writes or not kernel.pure
        repeated = items * 3
        out: list[Any] = []
        assert run_block(kernel, repeated, True, {}, out) or out == []
        if out:
            ran = True
            assert list(map(described, out)) == [described(function(*item)) for item in repeated]
    assert ran or not case.promised or writes or "np." in case.source
