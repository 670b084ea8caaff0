"""What type checkers see of decorated functions; `test_typing.py` has mypy check this file. It is not run."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future
from typing import assert_type

import autopar as ap
from autopar import parallel


@parallel
def length(text: str, times: int = 1) -> int:
    return len(text) * times


@parallel(backend="threads", workers=2)
def shout(text: str) -> str:
    return text.upper()


@parallel
async def fetch(url: str) -> bytes:
    return url.encode()


@parallel(timeout=5)
async def fetch_slowly(url: str) -> bytes:
    return url.encode()


class Thing:
    @parallel
    def weigh(self, factor: float) -> float:
        return factor

    @parallel(workers=2)
    def paint(self, colour: str) -> str:
        return colour

    @parallel
    async def send(self, to: str) -> int:
        return len(to)


def plain(x: int) -> str:
    return str(x)


def calls(thing: Thing) -> None:
    assert_type(length("a", times=2), int)
    assert_type(shout("a"), str)
    assert_type(thing.weigh(1.5), float)
    assert_type(thing.paint("red"), str)


def maps(thing: Thing) -> None:
    assert_type(length.map(["a"]), list[int])
    assert_type(length.starmap([("a", 2)]), list[int])
    assert_type(length.imap(["a"]), Iterator[int])
    assert_type(length.imap_unordered(["a"]), Iterator[tuple[int, int]])
    assert_type(shout.map(["a"]), list[str])
    assert_type(shout.options(workers=3).map(["a"]), list[str])
    assert_type(thing.weigh.map([1.5]), list[float])
    assert_type(fetch.map(["u"]), list[bytes])
    assert_type(fetch.starmap([("u",)]), list[bytes])
    assert_type(fetch.imap(["u"]), Iterator[bytes])
    assert_type(fetch.options(workers=3).map(["u"]), list[bytes])
    assert_type(fetch_slowly.map(["u"]), list[bytes])
    assert_type(ap.map(plain, [1]), list[str])
    assert_type(ap.map(str.upper, ["a"]), list[str])


async def asynchronous(thing: Thing) -> None:
    assert_type(await fetch("u"), bytes)
    assert_type(await thing.send("you"), int)
    assert_type(await fetch.amap(["u"]), list[bytes])
    assert_type(await fetch.asubmit("u"), bytes)
    assert_type(fetch.aimap(["u"]), AsyncIterator[bytes])
    assert_type(fetch.submit("u"), Future[bytes])
    async for each in fetch.aimap(["u"]):
        assert_type(each, bytes)


def the_log() -> None:
    assert_type(length.explain(), str)
    assert_type(length.decisions[-1].items, int)


def mistakes(thing: Thing) -> None:
    # Each of these comments is wanted: mypy reports those that are not.
    length(1)  # type: ignore[arg-type]
    length("a", time=2)  # type: ignore[call-arg]
    length.submit(1)  # type: ignore[arg-type]
    thing.weigh("heavy")  # type: ignore[arg-type]
    length.map(5)  # type: ignore[arg-type]
