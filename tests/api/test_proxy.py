"""A decorated function is, to everybody who looks, the function itself."""

from __future__ import annotations

import copy
import functools
import inspect
import io
import pickle
import pydoc
import types
from typing import Any, get_type_hints

import cloudpickle
import pytest

import autopar
from autopar import parallel
from tests.api import functions
from tests.api.functions import Scaler, SlottedScaler, affine, async_square, plain_square, square


def test_it_has_the_name_and_documentation_of_the_function() -> None:
    """__name__, __qualname__, __module__, __doc__ and __annotations__ are the function's."""
    assert square.__name__ == square.__qualname__ == "square"
    assert square.__module__ == "tests.api.functions"
    assert square.__doc__ == "Square a number."
    assert square.__annotations__ == square.__wrapped__.__annotations__
    assert get_type_hints(square) == {"x": int, "return": int}


def test_it_has_the_signature_of_the_function() -> None:
    """inspect.signature sees the parameters, also of methods with self bound."""
    assert str(inspect.signature(affine)) == "(x: 'int', factor: 'int' = 2, *, offset: 'int' = 0) -> 'int'"
    assert str(inspect.signature(Scaler(1).scale)) == "(x: 'int') -> 'int'"
    assert str(inspect.signature(Scaler.scale)) == "(self, x: 'int') -> 'int'"


def test_wrapped_is_the_function_itself() -> None:
    """__wrapped__ gives the undecorated function."""
    assert parallel(plain_square).__wrapped__ is plain_square
    assert inspect.unwrap(square) is square.__wrapped__


def test_it_is_an_instance_of_what_the_function_is() -> None:
    """isinstance, callable and the questions of inspect are answered as for the function."""
    assert isinstance(square, types.FunctionType)
    assert callable(square)
    assert inspect.isfunction(square)
    assert isinstance(parallel(abs), types.BuiltinFunctionType)


def test_coroutine_functions_are_known_as_such() -> None:
    """`inspect` and asyncio tell coroutine functions from others."""
    assert inspect.iscoroutinefunction(async_square)
    assert not inspect.iscoroutinefunction(square)
    assert inspect.iscoroutinefunction(Scaler(1).ascale)
    coroutine = async_square(3)
    assert inspect.iscoroutine(coroutine)
    coroutine.close()


def test_source_and_code_are_found() -> None:
    """inspect.getsource and the code object lead to the function."""
    assert "return x * x" in inspect.getsource(square)
    assert square.__code__ is square.__wrapped__.__code__
    assert inspect.getsourcefile(square) == functions.__file__


def test_help_shows_the_function() -> None:
    """help() prints signature and documentation of the function."""
    out = io.StringIO()
    pydoc.Helper(output=out)(square)
    assert "square(x: int) -> int" in out.getvalue().replace("'", "")  # quoted before Python 3.14
    assert "Square a number." in out.getvalue()


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_it_pickles_by_name(protocol: int) -> None:
    """Unpickling gives the very same object."""
    assert pickle.loads(pickle.dumps(square, protocol)) is square
    assert pickle.loads(pickle.dumps(Scaler.scale, protocol)) is not None


def test_a_bound_method_pickles_with_its_object() -> None:
    """A bound decorated method pickles as a bound plain one does."""
    bound = pickle.loads(pickle.dumps(Scaler(5).scale))
    assert bound(2) == 11
    assert bound.map([1, 2]) == [8, 11]


def test_a_local_function_pickles_only_with_cloudpickle() -> None:
    """What plain pickle refuses of a plain function it refuses here, and cloudpickle takes both."""

    def local(x: int) -> int:
        return x + 1

    decorated = parallel(local)
    with pytest.raises((AttributeError, pickle.PicklingError), match="local"):
        pickle.dumps(decorated)
    assert cloudpickle.loads(cloudpickle.dumps(decorated))(1) == 2


def test_copies_are_the_function_itself() -> None:
    """`copy` and deepcopy give back what they were given, as for functions."""
    assert copy.copy(square) is square
    assert copy.deepcopy(square) is square
    assert copy.deepcopy([square])[0] is square


def test_it_is_hashable_and_equal_to_itself() -> None:
    """It can be a key, and equals itself."""
    assert {square: 1}[square] == 1
    assert square == square


def test_its_repr_names_the_function() -> None:
    """The repr tells which function it is."""
    assert "square" in repr(square)


def test_attributes_of_the_function_are_read_and_written() -> None:
    """Attributes live on the function."""

    @parallel
    def counts(x: int) -> int:
        return x

    counts.note = "mine"  # type: ignore[attr-defined]
    assert counts.__wrapped__.note == "mine"  # type: ignore[attr-defined]
    assert counts.note == "mine"


def test_attributes_of_the_function_do_not_hide_the_methods() -> None:
    """The methods of the wrapper win over attributes of the same name, which stay in reach by __wrapped__."""

    def item(x: int) -> int:
        return x

    item.map = "a plan of the town"  # type: ignore[attr-defined]
    decorated = parallel(item)
    assert decorated.map([1]) == [1]
    assert decorated.__wrapped__.map == "a plan of the town"  # type: ignore[attr-defined]


def test_functools_wraps_over_it_works() -> None:
    """Other decorators may stand above it."""

    @functools.wraps(square)
    def twice(x: int) -> int:
        return 2 * square(x)

    assert twice(3) == 18
    assert twice.__name__ == "square"


def test_partial_over_it_works() -> None:
    """functools.partial of a decorated function is a plain partial, and can be decorated again."""
    partial = functools.partial(affine, factor=10)
    assert partial(2) == 20
    assert autopar.map(partial, [1, 2]) == [10, 20]
    assert parallel(partial).map([1, 2]) == [10, 20]


def test_methods_bind() -> None:
    """Methods get their object, class methods their class, static methods neither."""
    scaler = Scaler(1)
    assert scaler.scale(2) == 7
    assert Scaler.scale(scaler, 2) == 7
    # mypy knows class and static methods only below other decorators.
    assert Scaler.of_class(2) == scaler.of_class(2) == 6  # type: ignore[call-arg, arg-type]
    assert Scaler.static(2) == scaler.static(2) == 3  # type: ignore[call-arg]
    assert SlottedScaler(4).scale(2) == 8


def test_a_bound_method_knows_its_object() -> None:
    """__self__ and __func__ are those of the bound method."""
    scaler = Scaler(1)
    assert scaler.scale.__self__ is scaler
    assert inspect.ismethod(scaler.scale)


def test_inherited_methods_bind_to_the_subclass() -> None:
    """A subclass inherits decorated methods, and super() reaches them."""

    class Tripled(Scaler):
        factor = 30

        @parallel
        def scale(self, x: int) -> int:
            return super().scale(x) + 1000

    assert Tripled(1).scale(2) == 1061
    assert Tripled(1).scale.map([1, 2]) == [1031, 1061]
    assert Tripled.of_class.map([1]) == [30]


def test_decorating_calls_nothing() -> None:
    """The function is not called, and nothing is imported, when it is decorated."""
    calls: list[Any] = []
    parallel(calls.append)
    assert calls == []


def test_decorating_twice_merges_the_hints() -> None:
    """A second @parallel adds its hints to the first ones and wraps nothing twice."""
    decorated = parallel(parallel(plain_square, backend="serial", workers=3), workers=2)
    assert decorated.__wrapped__ is plain_square
    decorated.map([1])
    assert decorated.decisions[-1].plan.backend == "serial"
