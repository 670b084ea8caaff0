"""How functions, items, results and exceptions cross the pipe to a worker process.

Every pickling is under a handler of its own, since user code runs in it (``__reduce__``, ``__setstate__``) and may
raise anything at all. Bytes come from our own live processes over private pipes only, never from a file.
"""

from __future__ import annotations

import functools
import importlib
import io
import pickle
import sys
import traceback
from collections.abc import Callable, Sequence
from types import FunctionType
from typing import Any

from autopar._backends.generators import reduce_generator
from autopar._backends.importing import importable
from autopar._backends.variables import reduce_variable
from autopar._model.work import Failure, Job, Outcome
from autopar.errors import TransportError

PROTOCOL = 5
_PLAIN = frozenset({int, float, complex, bool, str, bytes, type(None)})


def dumps(obj: Any) -> bytes:
    """Pickle anything that plain pickle or cloudpickle can; functions and classes of ``__main__`` go by value."""
    buffer = io.BytesIO()
    _pickler()(buffer, protocol=PROTOCOL).dump(obj)
    return buffer.getvalue()


# By the type's name, since looking for the types themselves would import their modules.
_BY_NAME: dict[str, Callable[[Any], Any]] = {
    "ContextVar": reduce_variable,
    "Random": reduce_generator,
    "RandomState": reduce_generator,
}


@functools.cache
def _pickler() -> Any:
    import cloudpickle

    class Pickler(cloudpickle.Pickler):  # type: ignore[misc]
        def reducer_override(self, obj: Any) -> Any:
            known = _BY_NAME.get(type(obj).__name__)
            if known is not None and (reduced := known(obj)) is not NotImplemented:
                return reduced
            # cloudpickle takes a transparent proxy for the function behind it; ours knows better how to travel.
            reduce = getattr(type(obj), "__autopar_reduce__", None)
            if reduce is not None:
                return reduce(obj)
            if isinstance(obj, (FunctionType, type)):
                _by_value_if_need_be(obj.__module__)
            return super().reducer_override(obj)

    def _by_value_if_need_be(name: str | None) -> None:
        # cloudpickle trusts sys.modules; what a worker could not import must travel whole.
        module = sys.modules.get(name or "")
        if module is not None and name not in by_value and name != "__main__" and not importable(module):
            by_value.add(module.__name__)
            cloudpickle.register_pickle_by_value(module)

    by_value: set[str] = set()
    return Pickler


def dump_items(items: Sequence[Any]) -> bytes:
    """Pickle the items of a chunk.

    Raises
    ------
    TransportError
        They do not pickle, whatever their own code raised.
    """
    try:
        if _PLAIN.issuperset(map(type, items)):
            return pickle.dumps(items, PROTOCOL)
        return dumps(items)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise TransportError(f"cannot be pickled for a worker process: {_describe(error)}") from error


def dump_job(job: Job) -> bytes:
    """Pickle a job: by reference where the worker can import the function, else by value.

    Raises
    ------
    TransportError
        The function, its keyword arguments or what it captures do not pickle.
    """
    function = None if job.reference is not None else job.function
    rules = (job.star, dict(job.kwargs), job.collect, job.retries, job.seed, job.name, job.cores, job.numpy_random)
    try:
        return dumps((function, job.reference, rules, _dump_shared(job)))
    except (KeyboardInterrupt, TransportError):
        raise
    except BaseException as error:
        raise TransportError(
            f"the function {job.name} cannot be pickled for a worker process: {_describe(error)}", about="function"
        ) from error


def _dump_shared(job: Job) -> list[tuple[str, str, bytes]]:
    parts = []
    for (module, name), value in job.shared.items():
        try:
            parts.append((module, name, dumps(value)))
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            raise TransportError(
                f"the global {module}.{name}, which {job.name} reads, cannot be pickled: {_describe(error)}",
                about="function",
            ) from error
    return parts


def load_job(data: bytes) -> Job:
    """The job on the worker's side; globals it reads get the caller's values, those of earlier jobs their own again."""
    function, reference, (star, kwargs, collect, retries, seed, name, cores, numpy_random), shared = pickle.loads(data)
    if reference is not None:
        function = resolve(*reference)
    _share({(module, attribute): pickle.loads(value) for module, attribute, value in shared})
    return Job(function, star, kwargs, collect, retries, seed, name=name, cores=cores, numpy_random=numpy_random)


_ABSENT = object()
_replaced: dict[tuple[str, str], Any] = {}
"""Globals of this worker that a job gave other values, with their own."""


def _share(values: dict[tuple[str, str], Any]) -> None:
    for (module, name), own in [*_replaced.items()]:
        if (module, name) not in values:
            _put(module, name, own)
            del _replaced[module, name]
    for (module, name), value in values.items():
        holder, last = _holder(module, name)
        _replaced.setdefault((module, name), vars(holder).get(last, _ABSENT))
        _put(module, name, value)


def _put(module: str, name: str, value: Any) -> None:
    holder, last = _holder(module, name)
    if value is not _ABSENT:
        setattr(holder, last, value)
    elif last in vars(holder):
        delattr(holder, last)


def _holder(module: str, name: str) -> tuple[Any, str]:
    """The module, or the class in it, that has the attribute."""
    *path, last = name.split(".")
    return functools.reduce(getattr, path, importlib.import_module(module)), last


def resolve(module: str, qualname: str) -> Callable[..., Any]:
    """Import a function by name and take it out of its wrapper."""
    found: Any = importlib.import_module(module)
    for part in qualname.split("."):
        found = getattr(found, part)
    unwrap = getattr(type(found), "__autopar_unwrap__", None)
    return unwrap(found) if unwrap is not None else found  # type: ignore[no-any-return]


def dump_outcome(outcome: Outcome) -> bytes:
    """Pickle an outcome; a result that does not pickle ends it with an error that says so."""
    meters = (outcome.wall, outcome.cpu, outcome.waits, outcome.process_cpu)
    ended = None if outcome.error is None else dump_error(outcome.error)
    return pickle.dumps((_dump_values(outcome.values), ended, meters, outcome.emitted), PROTOCOL)


def _dump_values(values: list[Any]) -> bytes | tuple[list[int], bytes]:
    """Plain values in one pickle; others in one each, with where they end, so that one that fails costs no other."""
    if _PLAIN.issuperset(map(type, values)):
        return pickle.dumps(values, PROTOCOL)
    stream = io.BytesIO()
    pickler = _pickler()(stream, protocol=PROTOCOL)
    ends = []
    for value in values:
        start = stream.tell()
        try:
            pickler.dump(_Sent(dump_error(value.error)) if isinstance(value, Failure) else value)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            stream.seek(start)
            stream.truncate()
            pickler.clear_memo()
            pickler.dump(_Sent(dump_error(_result_error("pickled", error)), lost=True))
        pickler.clear_memo()
        ends.append(stream.tell())
    return ends, stream.getvalue()


def _result_error(what: str, error: BaseException) -> TransportError:
    return TransportError(f"its result cannot be {what} on its way back: {_describe(error)}", about="result")


class _Sent:
    """A failure among the values of an outcome, as bytes; ``lost`` if the item had a result that cannot travel."""

    __slots__ = ("data", "lost")

    def __init__(self, data: bytes, lost: bool = False) -> None:
        self.data = data
        self.lost = lost

    def __reduce__(self) -> tuple[Any, ...]:
        return _Sent, (self.data, self.lost)


def load_outcome(data: bytes) -> Outcome:
    """The outcome on the caller's side; a result whose own code raises here is lost, with an error that says so."""
    packed, ended, (wall, cpu, waits, process_cpu), emitted = pickle.loads(data)
    values, lost = _load_values(packed)
    error = None if ended is None else load_error(ended)
    return Outcome(values, error, wall, cpu, waits, process_cpu, transport=len(data), emitted=emitted, lost=lost)


def _load_values(packed: bytes | tuple[list[int], bytes]) -> tuple[list[Any], int | None]:
    if isinstance(packed, bytes):
        return pickle.loads(packed), None
    ends, stream = packed
    values: list[Any] = []
    lost: int | None = None
    start = 0
    view = memoryview(stream)
    for end in ends:
        try:
            value = pickle.loads(view[start:end])
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            failed = _result_error("unpickled", error)
            failed.__cause__ = error
            value = Failure(failed)
            lost = len(values) if lost is None else lost
        else:
            if type(value) is _Sent:
                lost = len(values) if value.lost and lost is None else lost
                value = Failure(load_error(value.data))
        values.append(value)
        start = end
    return values, lost


def dump_error(error: BaseException) -> bytes:
    """An exception as bytes that are sure to load: tried here first, replaced by a stand-in if they do not."""
    seen: dict[int, None] = {}
    return pickle.dumps(_error_parts(error, seen), PROTOCOL)


def _error_parts(error: BaseException, seen: dict[int, None]) -> dict[str, Any]:
    seen[id(error)] = None
    cause, context = error.__cause__, error.__context__
    members = error.exceptions if isinstance(error, BaseExceptionGroup) else None
    return {
        "whole": _try_whole(error),
        "rebuilt": _try_parts(error, error.args if members is None else error.args[:1]),
        "members": None if members is None else [_error_parts(member, seen) for member in members],
        "type": f"{type(error).__module__}.{type(error).__qualname__}",
        "text": _describe(error),
        "traceback": _dump_traceback(error),
        "cause": _error_parts(cause, seen) if cause is not None and id(cause) not in seen else None,
        "context": _error_parts(context, seen) if context is not None and id(context) not in seen else None,
        "suppress": error.__suppress_context__,
    }


def _try_whole(error: BaseException) -> bytes | None:
    """The exception pickled its own way, if that gives the same type, args and attributes."""
    try:
        data = dumps(error)
        copy = pickle.loads(data)
        same = type(copy) is type(error) and _same(copy.args, error.args)
        same = same and _attributes(copy).keys() == _attributes(error).keys()
        return data if same else None
    except BaseException:
        return None


def _same(one: Any, other: Any) -> bool:
    try:
        return repr(one) == repr(other) or bool(one == other)
    except Exception:
        return False


def _attributes(error: BaseException) -> dict[str, Any]:
    """What an exception holds besides its args, in ``__dict__`` and in slots."""
    slots = (name for kind in type(error).__mro__ for name in _slots(kind))
    return {**vars(error), **{name: getattr(error, name) for name in slots if hasattr(error, name)}}


def _slots(kind: type) -> tuple[str, ...]:
    names = vars(kind).get("__slots__", ())
    names = (names,) if isinstance(names, str) else tuple(names)
    return tuple(name for name in names if not name.startswith("__"))


def _try_parts(error: BaseException, args: tuple[Any, ...]) -> bytes | None:
    """Type, args and attributes, to be put together without calling the type's ``__init__``."""
    attributes = {}
    for name, value in _attributes(error).items():
        try:
            dumps(value)
        except BaseException:
            value = f"<{type(value).__name__} that does not pickle>"
        attributes[name] = value
    try:
        data = dumps((type(error), args, attributes))
        pickle.loads(data)
        return data
    except BaseException:
        return None


def _dump_traceback(error: BaseException) -> bytes | None:
    try:
        import tblib

        frames = error.__traceback__
        while frames is not None and frames.tb_frame.f_globals.get("__name__", "").startswith("autopar._backends"):
            frames = frames.tb_next
        return None if frames is None else pickle.dumps(tblib.Traceback(frames).as_dict(), PROTOCOL)
    except Exception:
        return None


def load_error(data: bytes) -> BaseException:
    """The exception on the caller's side, with the worker's frames in its traceback."""
    return _build_error(pickle.loads(data))


def _build_error(parts: dict[str, Any]) -> BaseException:
    error = _load_whole(parts["whole"]) or _load_parts(parts["rebuilt"], parts["members"])
    if error is None:
        error = TransportError(f"an item raised {parts['type']}, which cannot be pickled: {parts['text']}")
    if parts["traceback"] is not None:
        try:
            import tblib

            frames = tblib.Traceback.from_dict(pickle.loads(parts["traceback"])).as_traceback()
            error = error.with_traceback(frames)
        except Exception:
            error.add_note(f"(the worker's traceback could not be rebuilt: {parts['text']})")
    if parts["context"] is not None:
        error.__context__ = _build_error(parts["context"])
    if parts["cause"] is not None:
        error.__cause__ = _build_error(parts["cause"])
    error.__suppress_context__ = parts["suppress"]
    return error


def _load_whole(data: bytes | None) -> BaseException | None:
    if data is None:
        return None
    try:
        error = pickle.loads(data)
    except BaseException:
        return None
    return error if isinstance(error, BaseException) else None


def _load_parts(data: bytes | None, members: list[dict[str, Any]] | None) -> BaseException | None:
    if data is None:
        return None
    try:
        kind, args, attributes = pickle.loads(data)
        if members is not None:
            args = (*args, [_build_error(member) for member in members])
        error = kind.__new__(kind, *args)
        if not isinstance(error, BaseException):
            return None
        # Built-in bases keep fields outside __dict__ that only their own __init__ sets.
        base = next(k for k in kind.__mro__ if k.__module__ == "builtins")
        base.__init__(error, *args)
        error.args = args
        for name, value in attributes.items():
            setattr(error, name, value)
    except BaseException:
        return None
    return error


def _describe(error: BaseException) -> str:
    """Type and message of an exception, even if its ``__str__`` raises; its last line as Python prints it."""
    try:
        return "".join(traceback.format_exception_only(type(error), error)).strip().splitlines()[-1]
    except BaseException:
        return type(error).__name__
