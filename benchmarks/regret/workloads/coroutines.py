"""Functions written with ``async def``, mapped from synchronous code and inside a running event loop."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack

from benchmarks.regret.server import start_server
from benchmarks.regret.workload import Work, Workload, over


async def wait(number: int) -> int:
    """Wait for 10 ms."""
    await asyncio.sleep(0.010)
    return number


async def nap(number: int) -> int:
    """Wait for 1 ms."""
    await asyncio.sleep(0.001)
    return number


async def fetch(address: str) -> bytes:
    """Fetch a page."""
    host, _, path = address.partition("/")
    name, _, port = host.partition(":")
    reader, writer = await asyncio.open_connection(name, int(port))
    writer.write(f"GET /{path} HTTP/1.0\r\n\r\n".encode())
    page = await reader.read()
    writer.close()
    await writer.wait_closed()
    return page.partition(b"\r\n\r\n")[2]


def fetched_from_four(count: int, stack: ExitStack) -> Work:
    """Prepare fetches from a server that works on four pages at a time."""
    host = start_server(stack, 0.010, 4)
    pages = [f"{host}/{number}" for number in range(count)]
    return Work(fetch, lambda: pages)


WORKLOADS = (
    Workload("async-map", "a coroutine of 10 ms, from synchronous code", over(wait, range), 200, 40, coroutine=True),
    Workload("async-amap", "a coroutine of 10 ms, in a running loop", over(wait, range), 200, 40, "amap", True),
    Workload("async-many", "3,000 coroutines of 1 ms, in a running loop", over(nap, range), 3_000, 300, "amap", True),
    Workload(
        "async-four", "the server works on 4 pages of 10 ms at a time", fetched_from_four, 100, 24, coroutine=True
    ),
)
