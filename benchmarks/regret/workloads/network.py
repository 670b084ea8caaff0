"""Fetching pages: from a server that takes all comers, from one that takes four at a time, from one that refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack
from http.client import HTTPConnection
from typing import Any

from benchmarks.regret.server import start_server
from benchmarks.regret.workload import Prepare, Work, Workload


class RefusedError(Exception):
    """The server had too many requests."""


def fetch(address: str) -> bytes:
    """Fetch a page."""
    host, _, path = address.partition("/")
    connection = HTTPConnection(host)
    connection.request("GET", f"/{path}")
    response = connection.getresponse()
    page = response.read()
    connection.close()
    if response.status != 200:
        raise RefusedError(address)
    return page


def fetch_until_served(address: str) -> bytes:
    """Fetch a page, again and again while the server has too many requests."""
    while True:
        try:
            return fetch(address)
        except RefusedError:
            continue


def fetch_and_parse(address: str) -> int:
    """Fetch a page, then compute for about 3 ms in Python."""
    page = fetch(address).decode()
    table = {f"{page}{n}": n * len(page) for n in range(4_000)}
    return len(json.dumps(table))


def fetched(function: Callable[..., Any], seconds: float, at_once: int = 0, refuses: float = 0.0) -> Prepare:
    """Prepare fetches from a server of their own."""

    def prepare(count: int, stack: ExitStack) -> Work:
        host = start_server(stack, seconds, at_once, refuses)
        pages = [f"{host}/{number}" for number in range(count)]
        return Work(function, lambda: pages)

    return prepare


# The port differs from cell to cell, so nothing of it may be in a result.
WORKLOADS = (
    Workload("http", "fetch a page of 15 ms", fetched(fetch, 0.015), 100, 20),
    Workload("http-parse", "fetch a page of 15 ms, 4 ms of Python", fetched(fetch_and_parse, 0.015), 100, 20),
    Workload("http-four", "the server works on 4 pages of 10 ms at a time", fetched(fetch, 0.010, 4), 100, 24),
    Workload(
        "http-refusing",
        "the server takes 4 at a time, refuses others after 30 ms",
        fetched(fetch_until_served, 0.010, 4, 0.030),
        100,
        24,
    ),
)
