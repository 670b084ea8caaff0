"""A compiled function travels as the function and its types, and is compiled where it arrives."""

from __future__ import annotations

import pickle

import pytest

from autopar._backends.payload import Kept
from autopar._backends.transport import dump_job, load_job
from autopar._compilers.native import Refusal, compile_function
from autopar._compilers.native.compiled import CompiledFunction
from autopar._compilers.native.portable import PortableFunction, compiled_here
from autopar._kernel.types import type_of
from autopar._model.work import Job


def tripled(number: int) -> int:
    """Multiply."""
    return 3 * number


def test_a_job_with_a_compiled_function_arrives_with_one() -> None:
    """Where it arrives it is compiled code for the same types."""
    form = compile_function(tripled, (1,))
    assert isinstance(form, CompiledFunction)
    arrived = load_job(dump_job(Job(PortableFunction(form))), Kept()).function
    assert isinstance(arrived, CompiledFunction)
    assert arrived.types == form.types
    assert [arrived(x) for x in (1, -5, 2**70)] == [3, -15, 3 * 2**70]


def test_where_it_cannot_be_compiled_it_is_the_function(monkeypatch: pytest.MonkeyPatch) -> None:
    """A node without a compiler runs it in Python."""
    from autopar._compilers import native

    monkeypatch.setattr(native, "compile_for", lambda function, types, *, terms: Refusal("no C compiler is found"))
    kind = type_of(1)
    assert kind is not None
    assert compiled_here(tripled, (kind,)) is tripled


def test_it_is_the_function_until_it_travels() -> None:
    """Called, it gives what the function gives."""
    form = compile_function(tripled, (1,))
    assert isinstance(form, CompiledFunction)
    assert PortableFunction(form)(4) == 12
    assert pickle.loads(pickle.dumps(PortableFunction(form)))(4) == 12
