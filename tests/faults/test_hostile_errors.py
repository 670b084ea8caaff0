"""Exceptions whose classes, args or chains are hard to send arrive as what they are."""

from __future__ import annotations

import io
import traceback
from collections.abc import Callable
from typing import Any

import pytest

import autopar as ap
from autopar._backends.exceptions import attributes_of
from autopar._backends.pickling import dump_error, dumps, load_error
from autopar.errors import TransportError
from tests.faults.hostile import BAD, HOSTILE, araises, holds_a_lock, raises, returns

pytestmark = pytest.mark.timeout(60)

FIELDS = (
    "errno strerror filename filename2 name path value code msg lineno offset text encoding object start end".split()
)


def items(kind: str) -> list[tuple[int, str]]:
    return [(number, kind) for number in range(6)]


def answered(ask: Callable[[], Any]) -> str:
    """What a question to a hostile object gives, in words."""
    try:
        return repr(ask())
    except Exception as error:
        return f"raises {type(error).__name__}"


def facts(error: BaseException | None, depth: int = 3) -> Any:
    """All that a program can learn from an exception."""
    if error is None or depth == 0:
        return type(error).__name__
    members = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    attributes = {name: value for name, value in attributes_of(error).items() if name != "__notes__"}
    return {
        "type": type(error),
        "args": "itself" if error.args and error.args[0] is error else answered(lambda: error.args),
        "text": answered(lambda: str(error)),
        "attributes": answered(lambda: attributes),
        "fields": [answered(lambda name=name: getattr(error, name)) for name in FIELDS],  # type: ignore[misc]
        "members": [facts(member, depth - 1) for member in members],
        "cause": facts(error.__cause__, depth - 1),
        "context": facts(error.__context__, depth - 1),
        "suppress": error.__suppress_context__,
    }


def raised(run: Callable[[], Any]) -> BaseException:
    try:
        run()
    except BaseException as error:
        return error
    raise AssertionError("nothing was raised")


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_map_raises_what_the_loop_raises(route: dict[str, Any], kind: str) -> None:
    """Type, args, text, attributes, fields, members, cause and context are the loop's, and a note says which item."""
    expected = raised(lambda: [raises(item) for item in items(kind)])
    error = raised(lambda: ap.map(raises, items(kind), **route))
    assert facts(error) == facts(expected)
    assert any(f"item {BAD} " in note for note in attributes_of(error)["__notes__"])
    assert "raises" in [frame.name for frame in traceback.extract_tb(error.__traceback__)]


@pytest.mark.parametrize("kind", [kind for kind in HOSTILE if kind not in ("stop", "last word")])
def test_imap_raises_what_the_loop_raises(route: dict[str, Any], kind: str) -> None:
    """The same for results one by one; `StopIteration` would end an iterator, and has a test of its own."""
    expected = raised(lambda: [raises(item) for item in items(kind)])
    assert facts(raised(lambda: list(ap.parallel(raises, **route).imap(items(kind))))) == facts(expected)


@pytest.mark.parametrize("kind", [kind for kind in HOSTILE if kind not in ("stop", "last word", "stop async")])
def test_a_map_of_coroutines_raises_what_the_loop_raises(async_route: dict[str, Any], kind: str) -> None:
    """The same for coroutines; Python itself turns the exceptions that end iterators into RuntimeError there."""
    expected = raised(lambda: [raises(item) for item in items(kind)])
    assert facts(raised(lambda: ap.map(araises, items(kind), **async_route))) == facts(expected)


@pytest.mark.parametrize("kind", [kind for kind in HOSTILE if isinstance(HOSTILE[kind](), Exception)])
@pytest.mark.parametrize("backend", ["threads", "processes"])
def test_submit_raises_what_the_call_raises(backend: str, kind: str) -> None:
    """The same for a single call."""
    function = ap.parallel(raises, backend=backend)
    expected = raised(lambda: raises((BAD, kind)))
    assert facts(raised(lambda: function.submit((BAD, kind)).result())) == facts(expected)


@pytest.mark.parametrize("kind", HOSTILE)
def test_an_exception_may_be_a_value(kind: str) -> None:
    """Returned instead of raised, it comes back from a process with all it held, frames included."""
    expected = returns(kind)
    (value,) = ap.map(returns, [kind], backend="processes")
    assert facts(value) == facts(expected)
    assert [frame.name for frame in traceback.extract_tb(value.__traceback__)] == ["returns"]


def test_what_does_not_pickle_in_an_exception_leaves_its_text() -> None:
    """The type stays, and the args that can; the others say what they were."""
    with pytest.raises(ValueError, match="locked") as caught:
        ap.map(holds_a_lock, range(6), backend="processes")
    assert caught.value.args[0] == "locked"
    assert "lock" in caught.value.args[1]


def test_references_among_exceptions_are_kept() -> None:
    """An argument that is the cause is the cause on the other side too."""
    error = load_error(dump_error(returns("knows its cause")))
    assert error.args[1] is error.__cause__


def test_an_open_text_file_is_not_copied() -> None:
    """A copy would be written to in vain: it is refused, with the way out."""
    with open(__file__, encoding="utf-8") as file:
        with pytest.raises(
            TransportError, match=r"open text file \(.*test_hostile_errors.py'\) cannot be sent.*its name"
        ):
            ap.map(len, [file], backend="processes")
        assert file.tell() == 0
        with pytest.raises(TypeError, match="open text file"):
            dumps({"log": file})
    with pytest.raises(TypeError, match="open text file"):
        dumps(io.TextIOWrapper(io.BytesIO()))


def test_an_open_text_file_keeps_a_map_here(tmp_path: Any) -> None:
    """What an undemanded map captures in a function may be such a file: then it stays in this process."""
    target = tmp_path / "log.txt"
    with open(target, "w+", encoding="utf-8") as file:

        def item(x: int) -> int:
            file.write(f"{x}\n")
            return x

        assert ap.parallel(item).map(range(20)) == list(range(20))
    assert target.read_text() == "".join(f"{x}\n" for x in range(20))
