"""Bad input: an error at once, of autopar's own type, that names the argument, what it was, and the way out."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

import autopar as ap
from autopar import AutoparError, parallel
from autopar._model.plan import BACKENDS
from autopar.errors import (
    DemandError,
    HintError,
    HintTypeError,
    HintValueError,
    NotBuiltError,
    UnavailableError,
    UnknownNameError,
)
from tests.api.functions import async_square, plain_square, square

BAD_HINTS: list[tuple[dict[str, Any], type[AutoparError], str]] = [
    ({"worker": 2}, HintTypeError, "unknown hint 'worker'; the hints are backend, compiler, workers"),
    ({"backend": "thread"}, UnknownNameError, "backend='thread' is unknown; choose one of serial, threads, asyncio"),
    ({"backend": 3}, HintTypeError, "backend must be a string, one of serial, .*, not int"),
    ({"cluster": 8786}, HintTypeError, r"cluster must be an address such as .*, not int"),
    ({"cluster": " "}, HintValueError, "cluster must be an address, .*, not an empty string"),
    ({"gather": 0}, HintTypeError, "gather must be True or False, not int"),
    ({"plaintext": "yes"}, HintTypeError, "plaintext must be True or False, not str"),
    ({"resources": ["GPU"]}, HintTypeError, "resources must be a dictionary of names and amounts"),
    ({"resources": {"GPU": "1"}}, HintTypeError, r"resources\['GPU'\] must be a number above 0, not str"),
    ({"resources": {"GPU": 0}}, HintValueError, r"resources\['GPU'\] must be above 0, not 0"),
    ({"resources": {}}, HintValueError, "resources must name at least one"),
    ({"compiler": "pypy"}, UnknownNameError, "compiler='pypy' is unknown; choose one of python, native"),
    ({"workers": -1}, HintValueError, "workers must be at least 1, not -1"),
    ({"workers": 0}, HintValueError, "workers must be at least 1, not 0"),
    ({"workers": 2.0}, HintTypeError, "workers must be a whole number of at least 1, not float"),
    ({"workers": "2"}, HintTypeError, "workers must be a whole number of at least 1, not str"),
    ({"workers": True}, HintTypeError, "workers must be a whole number of at least 1, not bool"),
    ({"chunksize": 0}, HintValueError, "chunksize must be at least 1, not 0"),
    ({"chunksize": 1.5}, HintTypeError, "chunksize must be a whole number of at least 1, not float"),
    ({"timeout": 0}, HintValueError, "timeout must be above 0 seconds, not 0; leave it out for no limit"),
    ({"timeout": -1.5}, HintValueError, "timeout must be above 0 seconds, not -1.5"),
    ({"timeout": float("nan")}, HintValueError, "timeout must be above 0 seconds, not nan"),
    ({"timeout": "5"}, HintTypeError, "timeout must be a number of seconds above 0, not str"),
    ({"retries": -1}, HintValueError, "retries must be at least 0, not -1"),
    ({"retries": None}, HintTypeError, "retries must be a whole number of at least 0, not NoneType"),
    ({"on_error": "ignore"}, HintValueError, 'on_error must be "raise", "return" or a callable, not \'ignore\''),
    ({"on_error": 5}, HintTypeError, "on_error must be .* a callable taking .exception, item., not int"),
    ({"seed": "lucky"}, HintTypeError, 'seed must be a whole number or "fresh", not str'),
    ({"seed": 1.5}, HintTypeError, 'seed must be a whole number or "fresh", not float'),
    ({"pure": 1}, HintTypeError, "pure must be True or False, not int"),
    ({"thread_safe": "yes"}, HintTypeError, "thread_safe must be True or False, not str"),
    ({"rtol": -0.1}, HintValueError, "rtol must be from 0 up to 1, not -0.1"),
    ({"rtol": 1}, HintValueError, "rtol must be from 0 up to 1, not 1"),
    ({"rtol": "small"}, HintTypeError, "rtol must be a relative tolerance from 0 up to 1, not str"),
    ({"progress": "yes"}, HintTypeError, "progress must be True, False or a callable taking .done, total., not str"),
]

PLACES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "decorator": lambda hints: parallel(**hints)(plain_square),
    "direct": lambda hints: parallel(plain_square, **hints),
    "options": lambda hints: square.options(**hints),
    "config": lambda hints: ap.config(**hints),
    "map": lambda hints: square.map([1], **hints),
    "imap": lambda hints: square.imap([1], **hints),
    "amap": lambda hints: async_square.amap([1], **hints),
    "ap.map": lambda hints: ap.map(plain_square, [1], **hints),
}


@pytest.mark.parametrize(("hints", "error", "message"), BAD_HINTS, ids=lambda value: str(value)[:40])
def test_a_bad_hint_is_an_error_where_it_is_written(
    hints: dict[str, Any], error: type[AutoparError], message: str
) -> None:
    """Each kind of wrong hint has its message."""
    with pytest.raises(error, match=message):
        parallel(**hints)(plain_square)


@pytest.mark.parametrize("place", PLACES)
def test_hints_are_checked_in_every_place(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong value is refused in the decorator, in options, in config and in the call, before anything runs."""
    with pytest.raises(HintValueError, match="workers must be at least 1, not -3"):
        PLACES[place]({"workers": -3})
    with pytest.raises(HintTypeError, match="'wrokers'"):
        PLACES[place]({"wrokers": 3})
    monkeypatch.setitem(BACKENDS, "joblib", replace(BACKENDS["joblib"], module=None))
    with pytest.raises(NotBuiltError, match="joblib"):
        PLACES[place]({"backend": "joblib"})


def test_the_decorator_checks_hints_before_it_has_a_function() -> None:
    """`parallel(...)` with a wrong hint raises on its own line."""
    with pytest.raises(HintTypeError, match="unknown hint 'wrokers'"):
        parallel(wrokers=3)


loose_parallel: Any = parallel
loose_square: Any = square
loose_async_square: Any = async_square
loose_map: Any = ap.map


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: loose_parallel(5), "@parallel takes a function, not int"),
        (lambda: loose_parallel("name"), "@parallel takes a function, not str"),
        (lambda: loose_parallel(property()), "@parallel takes a function, not "),
        (
            lambda: loose_parallel(int),
            "@parallel takes a function, not the class int; decorate its methods, or use",
        ),
        (lambda: loose_map(5, [1]), r"map\(\) takes a function first, not int"),
        (lambda: loose_map([1, 2], abs), r"map\(\) takes a function first, not list"),
        (lambda: loose_square.map(), r"map\(\) needs at least one iterable of items"),
        (lambda: loose_square.map(5), r"map\(\) needs iterables of items; argument 1 is int"),
        (lambda: loose_square.map([1], None), r"map\(\) needs iterables of items; argument 2 is NoneType"),
        (lambda: loose_square.starmap(5), r"starmap\(\) needs iterables of items; argument 1 is int"),
        (lambda: loose_square.imap(5), r"imap\(\) needs iterables of items; argument 1 is int"),
        (
            lambda: loose_square.imap_unordered(5),
            r"imap_unordered\(\) needs iterables of items; argument 1 is int",
        ),
        (lambda: loose_async_square.map(5), r"map\(\) needs iterables of items; argument 1 is int"),
        (lambda: loose_async_square.amap(5), r"amap\(\) needs iterables of items; argument 1 is int"),
        (lambda: loose_square.aimap(5), r"aimap\(\) needs iterables of items; argument 1 is int"),
        (
            lambda: loose_square.map([1], facter=3),
            r"map\(\) got 'facter', which is neither a parameter of square nor a hint",
        ),
        (lambda: loose_square.imap([1], buffersize=0), "buffersize must be at least 1, not 0"),
        (lambda: loose_square.imap([1], buffersize=-1), "buffersize must be at least 1, not -1"),
        (
            lambda: loose_square.imap([1], buffersize=2.5),
            "buffersize must be a whole number of at least 1 or None, not float",
        ),
        (lambda: loose_async_square.imap([1], buffersize=0), "buffersize must be at least 1, not 0"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_bad_arguments_are_named(call: Callable[[], Any], message: str) -> None:
    """What cannot be called or iterated is refused by its name and type, before anything runs."""
    with pytest.raises(HintError, match=message) as caught:
        call()
    assert isinstance(caught.value, AutoparError)
    assert isinstance(caught.value, (TypeError, ValueError))


@pytest.mark.parametrize("operation", ["map", "starmap", "imap", "imap_unordered"])
def test_a_plain_function_cannot_be_sent_to_asyncio(operation: str) -> None:
    """backend="asyncio" for a plain function names the backend to use instead."""
    message = (
        r'backend="asyncio" cannot run tests\.api\.functions\.square: .*coroutine functions.* use backend="threads"'
    )
    with pytest.raises(UnavailableError, match=message):
        list(getattr(square, operation)([(1,)], backend="asyncio"))


@pytest.mark.parametrize("backend", ["threads", "processes"])
def test_a_coroutine_function_cannot_be_sent_to_workers(backend: str) -> None:
    """backend="threads" and "processes" for an `async def` name asyncio."""
    message = rf'backend="{backend}" cannot run .*async_square: .*coroutine function: use backend="asyncio"'
    with pytest.raises(UnavailableError, match=message):
        async_square.map([1], backend=backend)
    with pytest.raises(UnavailableError, match=message):
        async_square.options(backend=backend).submit(1)


def test_an_unsafe_demand_names_line_and_hint() -> None:
    """A demand that would change what the function does is refused, with the line and the hint that allows it."""
    seen: list[int] = []

    @parallel
    def remember(x: int) -> None:
        seen.append(x)

    with pytest.raises(DemandError, match=r"(?s)would change what .*remember does: line \d+ .*pure=True"):
        remember.map([1, 2], backend="processes")
    assert seen == []


@pytest.mark.parametrize(
    ("variable", "text", "error", "message"),
    [
        ("AUTOPAR_WORKERS", "many", HintValueError, "AUTOPAR_WORKERS='many' is not a value of the hint workers"),
        ("AUTOPAR_WORKERS", "0", HintValueError, "workers must be at least 1, not 0"),
        ("AUTOPAR_WORKERS", "2.5", HintTypeError, "workers must be a whole number"),
        ("AUTOPAR_TIMEOUT", "soon", HintValueError, "AUTOPAR_TIMEOUT='soon' is not a value of the hint timeout"),
        ("AUTOPAR_BACKEND", "gpu", UnknownNameError, "backend='gpu' is unknown"),
        ("AUTOPAR_RESOURCES", "GPU", HintValueError, "AUTOPAR_RESOURCES='GPU' is not a value of the hint"),
        ("AUTOPAR_PURE", "perhaps", HintValueError, "AUTOPAR_PURE='perhaps' is not a value of the hint pure"),
        ("AUTOPAR_SEED", "x", HintValueError, "AUTOPAR_SEED='x' is not a value of the hint seed"),
        ("AUTOPAR_ON_ERROR", "ignore", HintValueError, "on_error must be"),
    ],
)
def test_nonsense_in_the_environment_is_an_error(
    variable: str, text: str, error: type[AutoparError], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A variable whose text is not a value of its hint is an error at the next map, not at the import or a call."""
    monkeypatch.setenv(variable, text)
    assert square(3) == 9
    with pytest.raises(error, match=re.escape(message)):
        square.map([1])


def test_nothing_is_taken_from_the_input_of_a_refused_map() -> None:
    """Checks come before the first item."""
    source = iter([1, 2, 3])
    with pytest.raises(HintError):
        square.map(source, workers=0)
    with pytest.raises(DemandError):
        square.map(source, backend="asyncio")
    assert next(source) == 1


def test_unknown_attributes_are_the_functions() -> None:
    """A misspelt method is an AttributeError of the function."""
    with pytest.raises(AttributeError, match="mapp"):
        square.mapp([1])
