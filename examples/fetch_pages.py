"""I/O-bound work: fetching pages from a web server, with a plain function and with a coroutine function.

Run ``python examples/fetch_pages.py [PAGES]``. The server is ``page_server.py``, a process of its own on this machine.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from subprocess import PIPE, Popen

from autopar import parallel


@parallel
def fetch(address: str) -> str:
    """Fetch a page and wait for it."""
    host, _, path = address.partition("/")
    connection = HTTPConnection(host)
    connection.request("GET", f"/{path}")
    text = connection.getresponse().read().decode()
    connection.close()
    return text


@parallel
async def fetch_async(address: str) -> str:
    """Fetch a page and let others run meanwhile."""
    host, _, path = address.partition("/")
    name, _, port = host.partition(":")
    reader, writer = await asyncio.open_connection(name, int(port))
    writer.write(f"GET /{path} HTTP/1.0\r\nHost: {host}\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer.partition(b"\r\n\r\n")[2].decode()


@contextmanager
def page_server() -> Iterator[str]:
    """Start the server; give its address, as host and port."""
    script = Path(__file__).with_name("page_server.py")
    with Popen([sys.executable, script], stdin=PIPE, stdout=PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()


def main(pages: int = 200) -> None:
    """Fetch pages one after the other, then with ``map``, for both functions."""
    with page_server() as server:
        addresses = [f"{server}/{number}" for number in range(pages)]
        print(f"Fetching {pages} pages that take the server 15 ms each")

        started = time.perf_counter()
        expected = [fetch(address) for address in addresses]
        loop = time.perf_counter() - started

        for function in (fetch, fetch_async):
            started = time.perf_counter()
            texts = function.map(addresses)
            mapped = time.perf_counter() - started
            print(f"  {function.__name__}()")
            print(f"    plain loop {loop:.2f} s, autopar {mapped:.2f} s: {loop / mapped:.0f} times as fast")
            assert texts == expected
            print("    the results are equal")
            print(f"    decision: {function.decisions[-1].plan}, because {function.decisions[-1].why}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
