"""Which cluster a map uses: named by a hint, by the environment, by the program's own client, or started for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import autopar as ap
from autopar._backends.dask import traffic
from autopar.errors import UnavailableError
from tests.cluster.command_line import CommandLineCluster
from tests.cluster.functions import maps_inside, tripled

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


@pytest.fixture
def client(cluster: CommandLineCluster) -> Iterator[Any]:
    """The program's own."""
    with cluster.client() as found:
        yield found


def test_the_environment_names_it(cluster: CommandLineCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """AUTOPAR_CLUSTER holds for the whole program."""
    monkeypatch.setenv("AUTOPAR_CLUSTER", cluster.address)
    assert tripled.map(range(20), backend="dask") == [3 * x for x in range(20)]
    assert not any("no cluster is configured" in note for note in tripled.decisions[-1].notes)


def test_the_programs_current_client_is_used(client: Any) -> None:
    """Where none is named, a demand takes it, and the decision says so."""
    with client.as_current():
        assert tripled.map(range(20), backend="dask") == [3 * x for x in range(20)]
    assert f"no cluster is configured, so this is {client.scheduler.address}" in tripled.decisions[-1].notes


def test_a_client_of_the_users_stays_open(client: Any) -> None:
    """It is used as it is; functions that were decorated with it travel all the same."""
    decorated = ap.parallel(lambda x: 2 * x, cluster=client, backend="dask")
    assert decorated.map(range(5)) == [0, 2, 4, 6, 8]
    assert ap.map(lambda x: decorated(x) + 1, range(3), cluster=client, backend="dask", pure=True) == [1, 3, 5]
    assert client.status == "running"


def test_a_demand_inside_an_item_is_refused(client: Any) -> None:
    """Items that wait for the workers on which they run would wait for ever; maps without a demand stay on the node."""
    with ap.config(cluster=client, backend="dask", pure=True):
        assert maps_inside.map([4], backend_inside=None) == [[0, 3, 6, 9]]
        with pytest.raises(UnavailableError, match="this is an item that runs on a cluster"):
            maps_inside.map([4], backend_inside="dask")


def test_large_captured_data_is_sent_once(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next map of a function that writes to nothing finds them there; what has changed is sent anew."""
    sizes: list[int] = []
    scattered = traffic.Traffic._scattered

    def count(self: traffic.Traffic, value: Any) -> Any:
        sizes.append(len(value) if isinstance(value, bytes) else 0)
        return scattered(self, value)

    monkeypatch.setattr(traffic.Traffic, "_scattered", count)
    table = list(range(100_000, 200_000))

    def look_up(x: int) -> int:
        return table[x]

    with ap.config(cluster=client, backend="dask"):
        assert ap.map(look_up, range(50)) == table[:50]
        assert ap.map(look_up, range(50)) == table[:50]
        assert sum(size > 100_000 for size in sizes) == 1
        table[7] = -1
        assert ap.map(look_up, range(50)) == table[:50]
        assert sum(size > 100_000 for size in sizes) == 2


def test_large_items_travel_beside_the_tasks(client: Any) -> None:
    """Dask warns of large graphs, and warnings are errors here."""
    items = [bytes([number]) * 3_000_000 for number in range(8)]
    with ap.config(cluster=client, backend="dask"):
        assert ap.map(lambda item: item[:2], items) == [item[:2] for item in items]
        assert ap.map(lambda item: item, items) == items
