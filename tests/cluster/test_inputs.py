"""Inputs that are on the cluster already, and results that stay there."""

from __future__ import annotations

from typing import Any

import dask.array
import dask.bag
import pytest

import autopar as ap
from autopar.errors import HintValueError
from tests.cluster.command_line import CommandLineCluster
from tests.cluster.functions import fails, total, tripled

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


@pytest.fixture(autouse=True)
def on(cluster: CommandLineCluster) -> Any:
    """The cluster is configured by a client of the test's own."""
    with cluster.client() as client, ap.config(cluster=client):
        yield client


def test_elements_of_a_bag() -> None:
    """They are the items, in order, whatever the partitions."""
    make: Any = dask.bag.from_sequence
    bag = make(range(20), npartitions=3).map(lambda x: x + 1)
    assert tripled.map(bag) == [3 * (x + 1) for x in range(20)]


def test_blocks_of_an_array() -> None:
    """Each is an item, in the order of its memory."""
    array = dask.array.arange(16, chunks=4).reshape(4, 4)
    assert sum(total.map(array)) == sum(range(16))
    assert len(total.map(dask.array.ones((4, 4), chunks=(2, 2)))) == 4


def test_futures(on: Any) -> None:
    """What they hold is the item; beside other inputs too."""
    futures = on.map(lambda x: x + 10, range(4))
    assert tripled.map(futures) == [30, 33, 36, 39]
    assert ap.map(lambda a, b: (a, b), futures, range(4)) == [(10 + x, x) for x in range(4)]


def test_without_a_cluster_they_are_what_the_loop_sees(on: Any) -> None:
    """A list of futures is a list of futures."""
    futures = on.map(abs, [-1, -2])
    with ap.config(backend="serial"):
        assert ap.map(lambda future: future.result(), futures) == [1, 2]


def test_results_that_stay_are_futures(on: Any) -> None:
    """One for each item, in order; the next map takes them from there."""
    kept = tripled.map(range(10), gather=False)
    assert {type(each).__name__ for each in kept} == {"Future"}
    assert on.gather(kept) == [3 * x for x in range(10)]
    assert tripled.map(kept) == [9 * x for x in range(10)]


def test_an_error_is_raised_where_results_stay(on: Any) -> None:
    """As in any map; as a value it stands among the futures."""
    with pytest.raises(LookupError, match="no 5"):
        fails.map(range(8), gather=False)
    found: list[Any] = fails.map(range(8), gather=False, on_error="return")
    assert isinstance(found[5], LookupError)
    assert on.gather(found[:5]) == list(range(5))


def test_results_stay_nowhere_but_on_a_cluster() -> None:
    """Another backend is a contradiction."""
    with pytest.raises(HintValueError, match=r"gather=False is for backend=\"dask\""):
        tripled.map([1], gather=False, backend="threads")
