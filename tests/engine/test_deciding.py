"""The plannings of one map: what is not tried again."""

from __future__ import annotations

import pytest

from autopar._engine.deciding import Deciding
from autopar._engine.functions import FunctionState
from autopar._engine.source import Source
from autopar._engine.task import MapTask
from autopar._model.hints import DEFAULTS

PROCESSES = {"processes", "multiprocessing", "joblib", "interpreters"}


@pytest.mark.parametrize(
    ("backend", "slow", "excluded"),
    [
        ("processes", False, {"processes"}),
        ("processes", True, PROCESSES),
        ("multiprocessing", True, PROCESSES),
        ("threads", True, {"threads"}),
        ("dask", True, {"dask"}),
    ],
)
def test_what_was_slower_than_the_loop_is_not_tried_on_another_kind_of_process(
    backend: str, slow: bool, excluded: set[str]
) -> None:
    """Items and results travel to all of them alike; what failed for another reason may work elsewhere."""
    deciding = Deciding(MapTask(FunctionState(abs), Source((range(3),), star=False), {}, DEFAULTS))
    deciding.exclude(backend, "why", slow=slow)
    assert deciding.excluded == dict.fromkeys(excluded, "why")


def test_what_kept_another_way_from_being_taken_stays_said() -> None:
    """The first reason is the one that the log gives."""
    deciding = Deciding(MapTask(FunctionState(abs), Source((range(3),), star=False), {}, DEFAULTS))
    deciding.exclude("joblib", "its workers died")
    deciding.exclude("processes", "slower than the loop", slow=True)
    assert deciding.excluded["joblib"] == "its workers died"
