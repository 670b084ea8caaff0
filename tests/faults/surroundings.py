"""Functions whose results depend on things around them, which tests change between two maps."""

from __future__ import annotations

import os
import random
from pathlib import Path

from autopar import parallel
from tests.api.functions import spend

FACTOR = 2
TABLE = {"factor": 2}


class Config:
    factor = 2


def helper(x: int) -> int:
    return 2 * x


@parallel
def by_global(x: int) -> int:
    spend()
    return FACTOR * x


@parallel
def by_table(x: int) -> int:
    spend()
    return TABLE["factor"] * x


@parallel
def by_class(x: int) -> int:
    spend()
    return Config.factor * x


@parallel
def by_helper(x: int) -> int:
    spend()
    return helper(x)


@parallel
def by_environment(x: int) -> str | None:
    spend()
    return os.environ.get("AUTOPAR_TEST_FACTOR")


@parallel
def by_folder(x: int) -> str:
    spend()
    return Path("here.txt").read_text()


@parallel
def draws(x: int) -> float:
    spend()
    return random.random()


@parallel
def draws_twice(x: int) -> tuple[float, int]:
    spend()
    return random.random(), random.randrange(1000)


@parallel
async def adraws(x: int) -> float:
    return random.random()
