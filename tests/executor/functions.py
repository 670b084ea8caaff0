"""What the tests of the executor submit."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from typing import Any

STATUS = "as imported"


def work(number: int) -> int:
    """Compute for about ten milliseconds, holding the GIL."""
    total = 0
    for i in range(number, number + 150_000):
        total += i * i
    return total


def square(number: int) -> int:
    return number * number


def invert(number: int) -> float:
    return 1 / number


def process_id(_: object = None) -> int:
    return os.getpid()


def set_status(status: str) -> None:
    global STATUS
    STATUS = status


def status() -> str:
    return STATUS


def fail_to_start() -> None:
    raise LookupError("no database")


def die(number: int) -> int:
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def sleep_long(_: object = None) -> None:
    time.sleep(60)


def make_lock(_: object = None) -> Any:
    return threading.Lock()


async def double(number: int) -> int:
    await asyncio.sleep(0)
    return 2 * number
