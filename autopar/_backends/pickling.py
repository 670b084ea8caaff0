"""Pickles anything that plain pickle or cloudpickle can, and a few things that neither keeps whole.

Bytes come from our own live processes over private pipes only, never from a file.
"""

from __future__ import annotations

import functools
import io
import sys
from collections.abc import Callable
from types import FunctionType
from typing import Any

from autopar._backends.exceptions import PROTOCOL, put_together, take_apart
from autopar._backends.generators import reduce_generator
from autopar._backends.importing import importable
from autopar._backends.variables import reduce_variable

PLAIN = frozenset({int, float, complex, bool, str, bytes, type(None)})


def dumps(obj: Any) -> bytes:
    """Pickle an object; functions and classes of ``__main__`` go by value, exceptions with all they hold."""
    buffer = io.BytesIO()
    pickler()(buffer, protocol=PROTOCOL).dump(obj)
    return buffer.getvalue()


def dump_error(error: BaseException) -> bytes:
    """An exception as bytes that are sure to load."""
    return take_apart(error, pickler())


def load_error(data: bytes) -> BaseException:
    """The exception on the other side, with the frames of its traceback."""
    return put_together(data)


def _standard_streams() -> tuple[Any, ...]:
    return sys.stdout, sys.stderr, sys.stdin


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


@functools.cache
def pickler() -> Any:
    """The class of picklers; made at the first need, since it imports cloudpickle."""
    import cloudpickle

    class Pickler(cloudpickle.Pickler):  # type: ignore[misc]
        own_way: BaseException | None = None
        """An exception that is pickled as its class says."""

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
            elif isinstance(obj, BaseException):
                if obj is not self.own_way:
                    return put_together, (take_apart(obj, Pickler),)
            elif isinstance(obj, io.TextIOWrapper) and not any(obj is stream for stream in _standard_streams()):
                return _refuse(obj)
            return super().reducer_override(obj)

    def _by_value_if_need_be(name: str | None) -> None:
        # cloudpickle trusts sys.modules; what a worker could not import must travel whole.
        module = sys.modules.get(name or "")
        if module is not None and name not in by_value and name != "__main__" and not importable(module):
            by_value.add(module.__name__)
            cloudpickle.register_pickle_by_value(module)

    by_value: set[str] = set()
    return Pickler
