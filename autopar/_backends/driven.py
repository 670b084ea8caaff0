"""Coroutine functions that never wait, called as plain ones: what they return is there after the first step."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from autopar._backends.transport import resolve


class Driven:
    """A plain function that does what a coroutine function without ``await`` does.

    Parameters
    ----------
    function
        The coroutine function.
    reference
        Module and qualified name by which a worker process finds it, or None.
    """

    def __init__(self, function: Callable[..., Coroutine[Any, Any, Any]], reference: tuple[str, str] | None) -> None:
        self.__wrapped__ = function
        self.__module__ = function.__module__
        self.__qualname__ = function.__qualname__
        self.__name__ = function.__name__
        self._reference = reference

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        coroutine = self.__wrapped__(*args, **kwargs)
        try:
            coroutine.send(None)
        except StopIteration as ended:
            return ended.value
        coroutine.close()
        raise RuntimeError(f"{self.__qualname__} waits for something, though its code has no await")

    def __reduce__(self) -> tuple[Any, ...]:
        if self._reference is not None:
            return _by_name, self._reference
        return Driven, (self.__wrapped__, None)


def _by_name(module: str, qualname: str) -> Driven:
    return Driven(resolve(module, qualname), (module, qualname))
