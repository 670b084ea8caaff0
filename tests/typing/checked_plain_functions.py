"""What type checkers see of the results of plain functions on their way through futures and event loops."""

from __future__ import annotations

from collections.abc import AsyncIterator
from concurrent.futures import Future
from typing import assert_type

from autopar import parallel


@parallel
def length(text: str) -> int:
    return len(text)


def futures() -> None:
    assert_type(length.submit("a"), Future[int])


async def asynchronous() -> None:
    assert_type(await length.amap(["a"]), list[int])
    assert_type(await length.asubmit("a"), int)
    assert_type(length.aimap(["a"]), AsyncIterator[int])
