"""What the engine knows of the machine at the moment."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from autopar._engine.machine import cores_here, threads_left, warm_workers
from autopar._model.nesting import nested_cores
from autopar.testing import fake_host


def test_a_backend_that_another_thread_is_importing_is_cold(monkeypatch: pytest.MonkeyPatch) -> None:
    """A module of which only the beginning has run has no workers yet."""
    monkeypatch.setitem(sys.modules, "autopar._backends.threads", ModuleType("autopar._backends.threads"))
    assert not warm_workers().get("threads")


@pytest.mark.parametrize(("share", "cores"), [(None, 8), (1, 1), (3, 3), (0, 1), (100, 8)])
def test_a_map_has_the_share_of_the_item_that_it_runs_in(share: int | None, cores: int) -> None:
    """Outside of items that is the whole host, inside at least one core and never more than the host has."""
    token = nested_cores.set(share)
    try:
        assert cores_here(fake_host(cores=8)) == cores
    finally:
        nested_cores.reset(token)


def test_some_thread_may_always_be_started() -> None:
    """However many threads there are, a plan may ask for one."""
    assert threads_left() >= 1
