"""The examples of pages about clusters, on a cluster."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cluster.command_line import CommandLineCluster
from tests.docs.blocks import ROOT, run_page
from tests.docs.test_examples import NEED_A_CLUSTER, TEXTS

WITH_A_CLUSTER = [name for name in TEXTS if NEED_A_CLUSTER in TEXTS[name] and name != "README.md"]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::autopar.errors.PerformanceHint")
@pytest.mark.parametrize("name", WITH_A_CLUSTER)
def test_the_examples_of_a_page_run(
    name: str, cluster: CommandLineCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They hold for a cluster whose address stands in the place of the one that the page names."""
    monkeypatch.chdir(tmp_path)
    assert run_page(ROOT / name, TEXTS[name].replace(NEED_A_CLUSTER, cluster.address), tmp_path) >= 1
