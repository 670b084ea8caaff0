"""Pickles anything that plain pickle or cloudpickle can, and a few things that neither keeps whole.

Bytes come from our own live processes over private pipes only, never from a file.
"""

from __future__ import annotations

import dis
import functools
import inspect
import io
import sys
from collections.abc import Callable
from pickle import PickleBuffer
from types import CodeType, FunctionType
from typing import Any

from autopar._backends.exceptions import PROTOCOL, put_together, take_apart
from autopar._backends.generators import reduce_generator
from autopar._backends.importing import importable
from autopar._backends.memory_maps import reduce_memory_map
from autopar._backends.variables import reduce_variable

_CALL = 2
"""Parts of a reduction that is a callable with its arguments, and nothing that is set afterwards."""

TakeBuffer = Callable[[PickleBuffer], bool]

PLAIN = frozenset({int, float, complex, bool, str, bytes, type(None)})


def dumps(obj: Any) -> bytes:
    """Pickle an object; functions and classes of ``__main__`` go by value, exceptions with all they hold."""
    buffer = io.BytesIO()
    pickler()(buffer, protocol=PROTOCOL).dump(obj)
    return buffer.getvalue()


def dumps_part(obj: Any, take: TakeBuffer | None = None) -> tuple[bytes, bool]:
    """The same, and whether loading it makes nothing that other pickles share: classes by value are shared.

    ``take`` is asked of each buffer that could go apart, to another process of this machine; one that it returns True
    for stays in the pickle.
    """
    buffer = io.BytesIO()
    packer = pickler()(buffer, protocol=PROTOCOL, buffer_callback=take)
    packer.here = take is not None
    packer.dump(obj)
    return buffer.getvalue(), not packer.shares


def dump_error(error: BaseException) -> bytes:
    """An exception as bytes that are sure to load."""
    return take_apart(error, pickler())


def load_error(data: bytes) -> BaseException:
    """The exception on the other side, with the frames of its traceback."""
    return put_together(data)


def _refuse(stream: Any) -> Any:
    """An open text file: cloudpickle would read it all and send a copy, which is another file."""
    name = getattr(stream, "name", None)
    raise TypeError(
        f"an open text file{f' ({name!r})' if name is not None else ''} cannot be sent to another process: what is "
        "read or written there would not happen here; open it inside the function, or pass its name"
    )


# By the type's name, since looking for the types themselves would import their modules.
_BY_NAME: dict[str, Callable[[Any], Any]] = {
    "ContextVar": reduce_variable,
    "Random": reduce_generator,
    "RandomState": reduce_generator,
}


def _reduced(obj: Any) -> Any:
    """What pickle needs for objects that know better, or are better known here, how to travel."""
    known = _BY_NAME.get(type(obj).__name__)
    if known is not None and (reduced := known(obj)) is not NotImplemented:
        return reduced
    # cloudpickle takes a transparent proxy for the function behind it.
    reduce = getattr(type(obj), "__autopar_reduce__", None)
    if reduce is not None:
        return reduce(obj)
    if isinstance(obj, io.TextIOWrapper) and obj not in (sys.stdout, sys.stderr, sys.stdin):
        return _refuse(obj)
    return NotImplemented


@functools.lru_cache(1024)
def _read_by_class_bodies(code: CodeType) -> dict[str, None]:
    """Names that the bodies of classes in a function, which are code without fast locals, look up."""
    names: dict[str, None] = {}
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            if not inner.co_flags & inspect.CO_OPTIMIZED:
                names.update((each.argval, None) for each in dis.get_instructions(inner) if each.opname in _LOOK_UPS)
            names.update(_read_by_class_bodies(inner))
    return names


_LOOK_UPS = ("LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS")


@functools.cache
def pickler() -> Any:
    """The class of picklers; made at the first need, since it imports cloudpickle."""
    import cloudpickle

    class Pickler(cloudpickle.Pickler):  # type: ignore[misc]
        own_way: BaseException | None = None
        """An exception that is pickled as its class says."""
        here = False
        """It is loaded on this machine."""
        shares = False
        """Loading it may set what other pickles share: a class by value gets its attributes anew."""

        def reducer_override(self, obj: Any) -> Any:
            if self.here and type(obj).__name__ == "memmap":
                return reduce_memory_map(obj)
            reduced = _reduced(obj)
            if reduced is not NotImplemented:
                self.shares = True
                return reduced
            if isinstance(obj, BaseException):
                self.shares = True
                return NotImplemented if obj is self.own_way else (put_together, (take_apart(obj, Pickler),))
            if isinstance(obj, (FunctionType, type)):
                _by_value_if_need_be(obj.__module__)
            if isinstance(obj, FunctionType):
                see_class_bodies(obj.__code__)
            reduced = super().reducer_override(obj)
            if reduced is not NotImplemented and not isinstance(obj, FunctionType) and len(reduced) > _CALL:
                self.shares = True  # a class that is made and then given a state
            return reduced

    def see_class_bodies(code: CodeType) -> None:
        # cloudpickle does not take along the globals that only the body of a class inside the function reads.
        if names := _read_by_class_bodies(code):
            cloudpickle.cloudpickle._extract_code_globals(code).update(names)

    def _by_value_if_need_be(name: str | None) -> None:
        # cloudpickle trusts sys.modules; what a worker could not import must travel whole.
        module = sys.modules.get(name or "")
        if module is not None and name not in by_value and name != "__main__" and not importable(module):
            by_value.add(module.__name__)
            cloudpickle.register_pickle_by_value(module)

    by_value: set[str] = set()
    return Pickler
