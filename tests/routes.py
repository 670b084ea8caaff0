"""The ways a map can take, as fixtures: each backend demanded, and each left to choose; and how to use up results."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from autopar._backends import forkable
from autopar._engine import journal
from autopar._model.plan import BACKENDS
from autopar._observe import host

T = TypeVar("T")

PLAIN_ROUTES: dict[str, dict[str, Any]] = {
    "chosen": {},
    "serial": {"backend": "serial"},
    "threads": {"backend": "threads"},
    "processes": {"backend": "processes"},
    "multiprocessing": {"backend": "multiprocessing"},
    "joblib": {"backend": "joblib"},
    **({"interpreters": {"backend": "interpreters"}} if sys.version_info >= (3, 14) else {}),
    "chosen-threads": {},
    "chosen-processes": {},
    "dask": {"backend": "dask"},
    "chosen-dask": {},
}
"""Routes of plain functions and the hints that lead there; ``chosen-`` ones are left to an eager planner."""

ON_A_CLUSTER = frozenset({"dask", "chosen-dask"})

PARALLEL = frozenset(name for name, spec in BACKENDS.items() if spec.module is not None and name != "serial")

ASYNC_ROUTES: dict[str, dict[str, Any]] = {
    "chosen": {},
    "serial": {"backend": "serial"},
    "asyncio": {"backend": "asyncio"},
}
"""Routes of coroutine functions."""


@pytest.fixture(autouse=True)
def own_log(isolated_store: Path) -> None:
    """Give the test a decision log of its own, on the store of its own."""
    journal.new_log()


@pytest.fixture
def choose_only(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Make the planner choose one backend for whatever may run there, by taking the others away."""

    def only(backend: str) -> None:
        monkeypatch.setenv("AUTOPAR_EAGER", "1")
        monkeypatch.setattr(host, "_latest", None)
        for name in PARALLEL - {backend}:
            monkeypatch.setitem(BACKENDS, name, replace(BACKENDS[name], minimum_python=(99, 0)))

    return only


@pytest.fixture
def fork_anyway(monkeypatch: pytest.MonkeyPatch) -> None:
    """Count the threads of the test runner, and those of earlier tests, as harmless to a fork."""
    monkeypatch.setattr(forkable, "why_not_forkable", lambda *_: "")


@pytest.fixture(
    params=[pytest.param(name, marks=pytest.mark.slow) if name in ON_A_CLUSTER else name for name in PLAIN_ROUTES]
)
def route(request: pytest.FixtureRequest, choose_only: Callable[[str], None]) -> dict[str, Any]:
    """Hints that send a plain function each way in turn."""
    name: str = request.param
    if name == "multiprocessing":
        request.getfixturevalue("fork_anyway")
    if name.startswith("chosen-"):
        choose_only(name.removeprefix("chosen-"))
    if name in ON_A_CLUSTER:
        return PLAIN_ROUTES[name] | {"cluster": request.getfixturevalue("cluster").address}
    return PLAIN_ROUTES[name]


@pytest.fixture(params=ASYNC_ROUTES)
def async_route(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Hints that send a coroutine function each way in turn."""
    return ASYNC_ROUTES[request.param]


def not_beside_numpy(route: dict[str, Any], function: Callable[..., Any] | None = None) -> None:
    """Leave out a function that stands on NumPy where that is refused: see tests/backends/test_interpreters.py."""
    on_numpy = function is None or "numpy" in getattr(function, "__globals__", {})
    if on_numpy and route.get("backend") == "interpreters":
        pytest.skip("NumPy does not support several interpreters")


def drained(results: Iterator[T]) -> tuple[list[T], Exception | None]:
    """What an iterator gives before it ends, and the exception that ends it."""
    values: list[T] = []
    try:
        values.extend(results)
    except Exception as error:
        return values, error
    return values, None


async def adrained(results: AsyncIterator[T]) -> tuple[list[T], Exception | None]:
    """What an asynchronous iterator gives before it ends, and the exception that ends it."""
    values: list[T] = []
    try:
        async for value in results:
            values.append(value)  # noqa: PERF401
    except Exception as error:
        return values, error
    return values, None
