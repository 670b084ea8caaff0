from array import array
from collections.abc import Callable, Iterable, Iterator
from typing import Any

def thread_probe() -> tuple[int, int, int, int, int]: ...
def call_each(
    function: Callable[..., Any], iterator: Iterator[Any], count: int, out: list[Any], star: bool = False, /
) -> bool | BaseException: ...
def copied_arrays(
    empty: Callable[[tuple[int, ...], Any], Any],
    dtype: object,
    release: int,
    rows: array[int] | bytearray,
    ndim: int,
    first: int,
    count: int,
    /,
) -> list[Any]: ...
def exact_types(values: Iterable[Any], /) -> list[type]: ...
def shared_dtype(items: list[Any], ndarray: type, /) -> Any: ...
def pack_numbers(kind: str, items: list[Any] | tuple[Any, ...] | range, /) -> bytearray | None: ...
def counted_call_type(proxy: type, /) -> type: ...
def settle(type: type, binds: bool, /) -> None: ...

class KernelEntry:
    countdown: int
    @property
    def calls(self) -> int: ...
    def __init__(
        self,
        address: int,
        parameters: bytes,
        result: bytes,
        count: int,
        words: int,
        result_at: int,
        classes: tuple[Any, ...],
        facts: tuple[tuple[Any, ...], ...],
        miss: Callable[[int, tuple[Any, ...], dict[str, Any]], Any],
        finish: Callable[[tuple[int, ...], tuple[Any, ...]], Any] | None,
        library: object,
    ) -> None: ...
    def __call__(self, *arguments: Any, **keywords: Any) -> Any: ...
    def enter(self, arguments: tuple[Any, ...], /) -> tuple[int, Any]: ...
    def pack_rows(
        self, items: list[Any] | tuple[Any, ...], star: bool, tail: tuple[Any, ...], /
    ) -> bytearray | None: ...
