"""Takes exceptions apart for another process, and puts them together there: as what they were, with all they held.

Pickle calls an exception's class with ``args``, which fails where ``__init__`` takes others, and leaves out cause,
context and traceback. Here every exception that one leads to is taken apart by itself, none of its own code is called
on the way, and a part that does not pickle costs that part alone. The exceptions are numbered, so that they may refer
to each other in circles and be as many as they like.
"""

from __future__ import annotations

import functools
import io
import pickle
from types import GetSetDescriptorType, MemberDescriptorType
from typing import Any, NamedTuple

from autopar.errors import TransportError

PROTOCOL = 5

_BASE = vars(BaseException)
_LEFT_OUT = frozenset({(AttributeError, "obj")})
"""What a lookup failed on may be large, and is no part of what the error says; pickle leaves it out as well."""


class _Parts(NamedTuple):
    """One exception, in bytes that load independently of each other.

    ``kind`` and ``state`` (args, attributes, fields of built-in bases), or ``whole``, the exception pickled its own
    way; ``group`` is the message of a group and the numbers of its members.
    """

    name: str
    text: str
    kind: bytes | None
    state: bytes | None
    whole: bytes | None
    group: tuple[str, list[int]] | None
    traceback: bytes | None
    cause: int | None
    context: int | None
    suppress: bool


def take_apart(error: BaseException, pickler: Any) -> bytes:
    """An exception, and those it leads to, as bytes that are sure to load; ``pickler`` is the class that pickles."""
    found = _reachable(error)
    numbers = {id(each): number for number, each in enumerate(found)}
    sender = _Sender(numbers, found, pickler)
    parts = [tuple(_parts(each, numbers, sender)) for each in found]
    return pickle.dumps((numbers[id(error)], parts), PROTOCOL)


def put_together(data: bytes) -> BaseException:
    """The exception on the other side, with the frames of its traceback."""
    root: int
    root, table = pickle.loads(data)
    parts = [_Parts(*row) for row in table]
    made: list[BaseException] = []
    kept = []
    for each in parts:
        error = _make(each, made)
        kept.append(error is not None)
        made.append(error if error is not None else _stand_in(each))
    for error, each, is_kept in zip(made, parts, kept, strict=True):
        if is_kept and each.whole is None:
            _fill(error, each, made)
        _link(error, each, made)
    return made[root]


def describe(error: BaseException) -> str:
    """Type and first line of the message of an exception, even if its ``__str__`` raises."""
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    try:
        text = str(error)
    except BaseException:
        text = "<exception str() failed>"
    return f"{name}: {text.splitlines()[0]}" if text.strip() else name


def attributes_of(error: BaseException) -> dict[str, Any]:
    """The ``__dict__`` of an exception, whatever its class makes of attributes."""
    found: dict[str, Any] = _BASE["__dict__"].__get__(error)
    return found


# -- taking apart --------------------------------------------------------------------------------------------------


def _reachable(error: BaseException) -> list[BaseException]:
    """It and all that are its cause, context or members, directly or not; members come before their group."""
    found: dict[int, BaseException] = {}
    stack = [error]
    while stack:
        top = stack[-1]
        waiting = [] if id(top) in found else [each for each in _members(top) if id(each) not in found]
        if waiting:
            stack += waiting
            continue
        stack.pop()
        if id(top) not in found:
            found[id(top)] = top
            stack += [each for each in (_get("__cause__", top), _get("__context__", top)) if each is not None]
    return list(found.values())


def _members(error: BaseException) -> tuple[BaseException, ...]:
    if not isinstance(error, BaseExceptionGroup):
        return ()
    members: tuple[BaseException, ...] = vars(BaseExceptionGroup)["exceptions"].__get__(error)
    return members


def _get(name: str, error: BaseException) -> Any:
    return _BASE[name].__get__(error)


def _parts(error: BaseException, numbers: dict[int, int], sender: _Sender) -> _Parts:
    kind = type(error)
    group = None
    if isinstance(error, BaseExceptionGroup):
        members = [numbers[id(member)] for member in _members(error)]
        group = vars(BaseExceptionGroup)["message"].__get__(error), members
    state = _state(error)
    data, whole = sender.tried(state), None
    if data is None:
        whole = sender.whole(error, state)
        data = sender.piecewise(state) if whole is None else None
    cause, context = _get("__cause__", error), _get("__context__", error)
    return _Parts(
        name=f"{kind.__module__}.{kind.__qualname__}",
        text=describe(error),
        kind=sender.tried(kind),
        state=data,
        whole=whole,
        group=group,
        traceback=_traceback(error),
        cause=None if cause is None else numbers[id(cause)],
        context=None if context is None else numbers[id(context)],
        suppress=_get("__suppress_context__", error),
    )


_State = tuple[tuple[Any, ...], dict[str, Any], dict[str, Any]]


def _state(error: BaseException) -> _State:
    """Args, attributes in ``__dict__`` and slots, and the fields that built-in bases keep elsewhere."""
    kind: Any = type(error)
    fields = {}
    for name, field in _fields(kind).items():
        try:
            value = field.__get__(error)
        except AttributeError:
            continue
        if value is not None:
            fields[name] = value
    return _get("args", error), dict(attributes_of(error)), fields


@functools.lru_cache(512)
def _fields(kind: Any) -> dict[str, Any]:
    """Descriptors of what exceptions of this kind hold besides args and ``__dict__``, by name."""
    return {
        name: field
        for base in reversed(kind.__mro__)
        if base not in (object, BaseException, BaseExceptionGroup)
        for name, field in vars(base).items()
        if isinstance(field, (GetSetDescriptorType, MemberDescriptorType))
        and not name.startswith("__")
        and (base, name) not in _LEFT_OUT
    }


class _Sender:
    """Pickles parts of exceptions that refer to each other by number."""

    def __init__(self, numbers: dict[int, int], found: list[BaseException], pickler: Any) -> None:
        self._found = found

        class Numbered(pickler):  # type: ignore[misc]
            def persistent_id(self, obj: Any) -> int | None:
                return numbers.get(id(obj)) if isinstance(obj, BaseException) else None

        self._pickler, self._plain = Numbered, pickler

    def tried(self, part: Any) -> bytes | None:
        """A part as bytes that were seen to load, or None."""
        buffer = io.BytesIO()
        try:
            self._pickler(buffer, protocol=PROTOCOL).dump(part)
            _load(buffer.getvalue(), self._found)
        except BaseException:
            return None
        return buffer.getvalue()

    def whole(self, error: BaseException, state: _State) -> bytes | None:
        """The exception pickled as its class says, if that gives the same kind with the same names and args."""
        if isinstance(error, BaseExceptionGroup):
            return None
        buffer = io.BytesIO()
        try:
            pickler = self._plain(buffer, protocol=PROTOCOL)
            pickler.own_way = error
            pickler.dump(error)
            copy = pickle.loads(buffer.getvalue())
            args, *rest = _state(copy)
            same = type(copy) is type(error) and repr(args) == repr(state[0])
            same = same and [each.keys() for each in rest] == [each.keys() for each in state[1:]]
        except BaseException:
            return None
        return buffer.getvalue() if same else None

    def piecewise(self, state: _State) -> bytes | None:
        """Where a whole state does not pickle, texts take the place of what is to blame."""
        args, *rest = state
        kept = [{name: self._kept(value) for name, value in values.items()} for values in rest]
        return self.tried((tuple(map(self._kept, args)), *kept))

    def _kept(self, value: Any) -> Any:
        if self.tried(value) is not None:
            return value
        try:
            return repr(value)
        except BaseException:
            return f"<{type(value).__name__} that does not pickle>"


def _traceback(error: BaseException) -> bytes | None:
    try:
        import tblib

        frames = _get("__traceback__", error)
        while frames is not None and frames.tb_frame.f_globals.get("__name__", "").startswith("autopar._backends"):
            frames = frames.tb_next
        return None if frames is None else pickle.dumps(tblib.Traceback(frames).as_dict(), PROTOCOL)
    except Exception:
        return None


# -- putting together ----------------------------------------------------------------------------------------------


def _load(data: bytes, exceptions: list[BaseException]) -> Any:
    """Load a part; numbers in it mean these exceptions."""

    class Unpickler(pickle.Unpickler):
        def persistent_load(self, number: Any) -> BaseException:
            return exceptions[int(number)]

    return Unpickler(io.BytesIO(data)).load()


def _make(parts: _Parts, made: list[BaseException]) -> BaseException | None:
    """An exception of the right kind, still without most of what it held; None if it cannot be made."""
    try:
        if parts.whole is not None:
            whole: BaseException = pickle.loads(parts.whole)
            return whole
        kind = pickle.loads(parts.kind or b"")
        given = () if parts.group is None else (parts.group[0], [made[number] for number in parts.group[1]])
        # The class's own ways to make one may want other arguments; the built-in base below it is content with these.
        base = next(each for each in kind.__mro__ if each.__module__ == "builtins")
        error: BaseException = base.__new__(kind, *given)
    except BaseException:
        return None
    return error


def _stand_in(parts: _Parts) -> BaseException:
    return TransportError(f"an item raised {parts.name}, which cannot be pickled: {parts.text}")


def _fill(error: BaseException, parts: _Parts, made: list[BaseException]) -> None:
    """Give an exception what it held, past any code of its class."""
    try:
        args, attributes, fields = _load(parts.state or b"", made)
    except BaseException:
        args, attributes, fields = (parts.text,), {}, {}
    _BASE["args"].__set__(error, args)
    attributes_of(error).update(attributes)
    kind: Any = type(error)
    for name, value in fields.items():
        _fields(kind)[name].__set__(error, value)


def _link(error: BaseException, parts: _Parts, made: list[BaseException]) -> None:
    """Give it its cause and context, and the frames it passed."""
    _BASE["__context__"].__set__(error, None if parts.context is None else made[parts.context])
    _BASE["__cause__"].__set__(error, None if parts.cause is None else made[parts.cause])
    _BASE["__suppress_context__"].__set__(error, parts.suppress)
    if parts.traceback is not None:
        _BASE["__traceback__"].__set__(error, _frames(parts.traceback))


def _frames(data: bytes) -> Any:
    try:
        import tblib

        return tblib.Traceback.from_dict(pickle.loads(data)).as_traceback()
    except Exception:
        return None
