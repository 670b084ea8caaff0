from collections.abc import Callable, Iterator
from typing import Any

def thread_probe() -> tuple[int, int, int, int, int]: ...
def call_each(
    function: Callable[..., Any], iterator: Iterator[Any], count: int, out: list[Any], star: bool = False, /
) -> bool | BaseException: ...
