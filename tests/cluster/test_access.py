"""Who may be talked to, and who can run chunks: encryption, versions, missing packages, addresses."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dask
import pytest
from distributed import Security

import autopar as ap
from autopar._backends.dask.addresses import check_address
from autopar._backends.dask.connections import close_all
from autopar._backends.dask.fitness import fitness
from autopar.errors import UnavailableError
from tests.cluster.command_line import command_line_cluster, free_port
from tests.cluster.functions import counts_letters, tripled

TLS = Path(__file__).parent / "tls"
HERE = f"{sys.version_info[0]}.{sys.version_info[1]}.0.final.0"


@pytest.fixture
def connections() -> Iterator[None]:
    """Close what the test connects to."""
    yield
    close_all()


def _security() -> Any:
    make: Any = Security
    files = {"tls_ca_file": str(TLS / "cert.pem")}
    for role in ("client", "scheduler", "worker"):
        files |= {f"tls_{role}_cert": str(TLS / "cert.pem"), f"tls_{role}_key": str(TLS / "key.pem")}
    return make(require_encryption=True, **files)


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.usefixtures("connections")
def test_a_cluster_with_certificates(tmp_path: Path) -> None:
    """By an address, with the certificates of Dask's configuration, and by a client of the user's own."""
    with command_line_cluster(tmp_path, _security()) as cluster:
        cluster.start(1)
        names = {"ca-file": "cert.pem", "client.cert": "cert.pem", "client.key": "key.pem"}
        with dask.config.set({f"distributed.comm.tls.{name}": str(TLS / file) for name, file in names.items()}):
            assert tripled.map(range(50), cluster=cluster.address, backend="dask") == [3 * x for x in range(50)]
        with cluster.client() as client, ap.config(cluster=client):
            assert tripled.map(range(50), backend="dask") == [3 * x for x in range(50)]
        close_all()


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.usefixtures("connections")
def test_a_worker_without_autopar(tmp_path: Path) -> None:
    """Alone it is an error that names it; beside one that has autopar it is left out, and the decision says so."""
    hidden = tmp_path / "hidden" / "autopar"
    hidden.mkdir(parents=True)
    (hidden / "__init__.py").write_text("raise ModuleNotFoundError('no autopar here', name='autopar')")
    with command_line_cluster(tmp_path) as cluster:
        cluster.start(1, path=(str(hidden.parent),))
        with ap.config(cluster=cluster.address, backend="dask"):
            with pytest.raises(UnavailableError, match=r"no worker .*autopar cannot be imported there: ModuleNotFound"):
                tripled.map(range(10))
            cluster.add_workers(1)
            assert tripled.map(range(1000)) == [3 * x for x in range(1000)]
        assert any("left out: tcp://127.0.0.1" in note for note in tripled.decisions[-1].notes)
        close_all()


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_cluster_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """A demand raises at once; otherwise the map goes another way, and the decision has the reason."""
    nowhere = f"tcp://127.0.0.1:{free_port()}"
    with pytest.raises(UnavailableError, match=f"the cluster at {nowhere} cannot be reached"):
        tripled.map(range(10), cluster=nowhere, backend="dask")
    monkeypatch.setenv("AUTOPAR_EAGER", "1")  # asks for a cluster however short the map
    assert counts_letters.map(range(400), cluster=nowhere) == [4000] * 400
    decision = counts_letters.decisions[-1]
    [reason] = [rival.because for rival in decision.rejected if rival.plan.backend == "dask"]
    assert "cannot be reached" in reason


OTHERS = "tcp://10.1.2.3:8786"


@pytest.mark.parametrize("address", ["tcp://localhost:1", "127.0.0.1:8786", "tcp://[::1]:1", "tls://10.1.2.3:1"])
def test_addresses_that_are_safe(address: str) -> None:
    """This machine's own, and encrypted ones."""
    assert check_address(address, plaintext=False) == address


@pytest.mark.parametrize(
    "address", [OTHERS, "10.1.2.3:8786", "tcp://node.example:8786", "ws://10.1.2.3:1", "tcp://[::]:1"]
)
def test_addresses_that_take_the_users_word(address: str) -> None:
    """Others are refused with the ways out, unless the user says that it is all right."""
    with pytest.raises(UnavailableError, match=r'would not be encrypted.*"tls://.*plaintext=True'):
        check_address(address, plaintext=False)
    assert check_address(address, plaintext=True) == address


def test_a_remote_cluster_without_encryption_is_refused_before_anything_is_sent() -> None:
    """The map raises at once."""
    with pytest.raises(UnavailableError, match="would not be encrypted"):
        tripled.map(range(10), cluster=OTHERS, backend="dask")


@pytest.mark.parametrize(
    ("python", "packages", "reason"),
    [
        ("2.7.18.final.0", None, "Python 2.7 there"),
        (HERE, {"autopar": "0.0.1", "cloudpickle": "3.0.0"}, "autopar 0.0.1 there"),
        (HERE, {"autopar": ap.__version__, "cloudpickle": "1.6.0"}, "cloudpickle 1.6.0 there"),
        (HERE, {"autopar": "! ImportError: no", "cloudpickle": "3.0.0"}, "autopar cannot be imported there: ImportErr"),
        (HERE, OSError("gone"), "it does not say what it has: gone"),
        (HERE, {"autopar": ap.__version__, "cloudpickle": "3.0.0"}, ""),
    ],
)
def test_what_a_worker_needs(python: str, packages: Any, reason: str) -> None:
    """The same Python but for its last number, the same autopar, a cloudpickle of the same kind."""
    found = fitness({"tcp://w:1": {"host": {"python": python}}}, {"tcp://w:1": packages})
    assert found.fit == (() if reason else ("tcp://w:1",))
    assert reason in found.unfit.get("tcp://w:1", "")
