"""How functions, items and results cross the pipe to a worker process.

Every pickling is under a handler of its own, since user code runs in it (``__reduce__``, ``__setstate__``) and may
raise anything at all. Bytes come from our own live processes over private pipes only, never from a file.
"""

from __future__ import annotations

import functools
import importlib
import io
import pickle
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from autopar._backends.context import capture
from autopar._backends.exceptions import PROTOCOL, describe
from autopar._backends.payload import Kept, Part, pack
from autopar._backends.pickling import PLAIN, dump_error, dumps, dumps_part, load_error, pickler
from autopar._backends.segments import Apart, HasBuffers, Packed, Ref, goes_apart
from autopar._model.work import Failure, Job, Outcome
from autopar.errors import TransportError


def dump_items(items: Sequence[Any], sharing: Apart | None = None) -> Packed:
    """Pickle the items of a chunk, the large buffers apart where they can be shared.

    Raises
    ------
    TransportError
        They do not pickle, whatever their own code raised.
    """
    try:
        if PLAIN.issuperset(map(type, items)):
            return Packed(pickle.dumps(items, PROTOCOL))
        return _dumped(items, sharing)[0]
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise TransportError(f"cannot be pickled for a worker process: {describe(error)}") from error


def _dumped(obj: Any, sharing: Apart | None) -> tuple[Packed, bool]:
    """An object pickled, and whether loading it makes nothing that other pickles share."""
    if sharing is not None:
        buffers: list[pickle.PickleBuffer] = []

        def take(buffer: pickle.PickleBuffer) -> bool:
            apart = goes_apart(buffer)
            if apart:
                buffers.append(buffer)
            return not apart

        data, alone = dumps_part(obj, take)
        packed = sharing.pack(data, buffers)
        if packed is not None:
            return packed, alone
    data, alone = dumps_part(obj)
    return Packed(data), alone


class PackedJob(NamedTuple):
    """A job on its way: its rules, and what it carries in parts, the function with its keyword arguments first.

    ``refs`` are the parts' buffers in ``segments``, which stay behind when the job is sent.
    """

    rules: bytes
    parts: list[Part]
    refs: list[tuple[Ref, ...]]
    segments: tuple[Any, ...] = ()
    writes_nothing: bool = False


def dump_job(job: Job, sharing: Apart | None = None) -> PackedJob:
    """Pickle a job: by reference where the worker can import the function, else by value.

    Raises
    ------
    TransportError
        The function, its keyword arguments or what it captures do not pickle.
    """
    function = None if job.reference is not None else job.function
    rules = {
        "star": job.star,
        "collect": job.collect,
        "retry": job.retry,
        "seed": job.seed,
        "name": job.name,
        "cores": job.cores,
        "numpy_random": job.numpy_random,
        "repeatable": job.repeatable,
        "line": None if job.line is None else job.line._replace(names=None),
    }
    try:
        names = [*job.shared]
        carried = [("", *_dumped((function, dict(job.kwargs)), sharing))]
        carried += [(":".join(name), *_dump_shared(job, *name, sharing)) for name in names]
        lasts = job.leaves_all_as_it_is
        return PackedJob(
            dumps((job.reference, rules, names)),
            [pack(name, packed.data, lasting=lasts and alone and not packed.refs) for name, packed, alone in carried],
            [packed.refs for _, packed, _ in carried],
            tuple(segment for _, packed, _ in carried for segment in packed.segments),
            lasts,
        )
    except (KeyboardInterrupt, TransportError):
        raise
    except BaseException as error:
        raise TransportError(
            f"the function {job.name} cannot be pickled for a worker process: {describe(error)}", about="function"
        ) from error


def dump_surroundings(place: str = "a worker process") -> bytes:
    """Pickle what surrounds the caller, for a job that runs at a place.

    Raises
    ------
    TransportError
        Something of it does not pickle.
    """
    try:
        return capture()
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        message = f"the caller's surroundings cannot be pickled for {place}: {describe(error)}"
        raise TransportError(message, about="function") from error


def _dump_shared(job: Job, module: str, name: str, sharing: Apart | None) -> tuple[Packed, bool]:
    try:
        return _dumped(job.shared[module, name], sharing)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise TransportError(
            f"the global {module}.{name}, which {job.name} reads, cannot be pickled: {describe(error)}",
            about="function",
        ) from error


def load_job(packed: PackedJob, kept: Kept, arrived: HasBuffers | None = None) -> Job:
    """The job on the worker's side; globals it reads get the caller's values, those of earlier jobs their own again."""
    reference, rules, names = pickle.loads(packed.rules)
    values = [
        kept[digest] if data is None else load_items(data, refs, arrived)
        for (data, digest), refs in zip(packed.parts, packed.refs, strict=True)
    ]
    kept.take(packed.parts, values)
    (function, kwargs), *shared = values
    if reference is not None:
        function = resolve(*reference)
    _share(dict(zip(names, shared, strict=True)))
    return Job(function, kwargs=kwargs, **rules)


def load_items(data: bytes, refs: Sequence[Ref] = (), arrived: HasBuffers | None = None) -> Any:
    """Load a pickle whose large buffers have arrived apart."""
    return pickle.loads(data, buffers=arrived.buffers(refs) if arrived is not None and refs else None)


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
    if PLAIN.issuperset(map(type, values)):
        return pickle.dumps(values, PROTOCOL)
    stream = io.BytesIO()
    packer = pickler()(stream, protocol=PROTOCOL)
    ends = []
    for value in values:
        start = stream.tell()
        try:
            packer.dump(_Sent(dump_error(value.error)) if isinstance(value, Failure) else value)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            stream.seek(start)
            stream.truncate()
            packer.clear_memo()
            packer.dump(_Sent(dump_error(_result_error("pickled", error)), lost=True))
        packer.clear_memo()
        ends.append(stream.tell())
    return ends, stream.getvalue()


def _result_error(what: str, error: BaseException) -> TransportError:
    text = f"its result cannot be {what} on its way back: {describe(error)}"
    failed = TransportError(text, about="result", loading=what == "unpickled")
    failed.__cause__ = error
    return failed


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
            value = Failure(_result_error("unpickled", error))
            lost = len(values) if lost is None else lost
        else:
            if type(value) is _Sent:
                lost = len(values) if value.lost and lost is None else lost
                value = Failure(load_error(value.data))
        values.append(value)
        start = end
    return values, lost
