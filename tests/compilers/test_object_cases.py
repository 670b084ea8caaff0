"""Functions on objects, compiled as a whole by Cython: the same as in Python, or refused with the line."""

from __future__ import annotations

import functools
import re
import sys
from types import FunctionType
from typing import Any

import pytest

from autopar._compilers.cython import compile_for, signature
from autopar._compilers.cython.compiled import CompiledObjects
from autopar._compilers.cython.generate import write
from autopar._effects import analyse
from autopar._model.compiler import NotCompiled, Refusal
from tests.compilers.object_cases import CASES, ObjectCase
from tests.compilers.objects_together import needs_gil, opened
from tests.semantics.outcome import arguments_of, module, outcome

pytestmark = [needs_gil, pytest.mark.filterwarnings("ignore:'return' in a 'finally':SyntaxWarning")]  # from 3.14 on

COMPILED = [case for case in CASES if not case.refused]
REFUSED = [case for case in CASES if case.refused]
MANY = 100
"""References to what the interpreter shares, such as small numbers, whose count others change."""
_ADDRESS = re.compile("0x[0-9a-f]+")


def _file(case: ObjectCase) -> str:
    return f"<case {case}>"


def _function(names: dict[str, Any]) -> FunctionType:
    function = names["f"]
    assert isinstance(function, FunctionType)
    return function


@functools.cache
def _together() -> dict[ObjectCase, tuple[dict[str, Any], CompiledObjects]]:
    """All cases in one module, since each run of Cython and of the C compiler costs seconds."""
    names = {case: module(case.source, _file(case)) for case in COMPILED}
    forms = opened({case: _function(names[case]) for case in COMPILED})
    assert {str(case): str(form) for case, form in forms.items() if isinstance(form, Refusal)} == {}
    return {case: (names[case], form) for case, form in forms.items() if not isinstance(form, Refusal)}


def _outcomes(case: ObjectCase, names: dict[str, Any], function: Any) -> list[str]:
    """What each call does, one after the other in one module, but for the addresses of objects."""
    found = []
    for call in case.calls:
        if call.startswith(":"):
            exec(call[1:], names)
        else:
            found.append(_ADDRESS.sub("0x", repr(outcome(function, arguments_of(call, names), names, _file(case)))))
    return found


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("case", COMPILED, ids=str)
def test_a_function_goes_as_in_python(case: ObjectCase) -> None:
    """Value, exception with its lines, output, warnings and arguments are Python's, and compiled code has run."""
    fresh = module(case.source, _file(case))
    expected = _outcomes(case, fresh, fresh["f"])
    names, compiled = _together()[case]
    if case.calls_itself:
        names["f"] = compiled.call
    assert _outcomes(case, names, compiled.call) == expected


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_no_argument_loses_a_reference() -> None:
    """What a call is given is there after it as before, also where the function assigns to its parameters."""
    lost = set()
    for case, (names, compiled) in _together().items():
        for call in (call for call in case.calls if not call.startswith(":")):
            args = arguments_of(call, names)
            held = [*args] * 8  # so that nothing is freed too early by a call that takes more than is its own
            before = list(map(sys.getrefcount, held))
            outcome(compiled.call, args, names, _file(case))
            after = list(map(sys.getrefcount, held))
            if any(now < then < MANY for now, then in zip(after, before, strict=True)):
                lost.add(f"{case} {call}")
    assert lost == set()


@pytest.mark.slow
def test_compiled_code_has_run() -> None:
    """A case whose calls all ran in Python shows nothing."""
    never = []
    for case, (names, compiled) in _together().items():
        before = compiled.calls, compiled.counters.misses
        _outcomes(case, names, compiled.call)
        returned = compiled.calls > before[0]
        if not returned and compiled.counters.misses - before[1] >= sum(not c.startswith(":") for c in case.calls):
            never.append(str(case))
    assert set(never) <= {"names: wrong calls", "names: code that is replaced"}


@pytest.mark.parametrize("case", REFUSED, ids=str)
def test_what_differs_is_refused(case: ObjectCase) -> None:
    """With the reason, and with the line that stands in the way where one does."""
    names = module(case.source, _file(case))
    function = _function(names)
    types = signature(function, (1,), {})
    if not isinstance(types, Refusal):
        with pytest.raises(NotCompiled) as raised:
            write(function, analyse(function).codes)
        types = raised.value.refusal
    assert case.refused in types.reason
    assert case.line in (0, types.line)


def test_a_refusal_is_an_answer() -> None:
    """What cannot be compiled is no error: the reason comes back, and nothing was built."""
    names = module("def f(a):\n    return eval(a)\n", "<eval>")
    function = _function(names)
    types = signature(function, ("1",), {})
    assert not isinstance(types, Refusal)
    assert compile_for(function, types) == Refusal("eval: it runs in the frame that calls it", 2)
