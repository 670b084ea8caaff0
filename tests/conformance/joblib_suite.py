"""Runs joblib's own tests of its backends on autopar's.

    python -m tests.conformance.joblib_suite [-k EXPRESSION]

The tests come with joblib's wheel. Those that are parametrised over the registered backends take in ours, since it is
registered before they are imported; of these, the ones with our name in their parameters run.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import joblib
import pytest

import autopar as ap

HERE = Path(__file__).parent
SUITE = Path(joblib.__file__).parent / "test" / "test_parallel.py"


class OnlyOurs:
    """Leaves out the cases that do not run on autopar's backend."""

    @staticmethod
    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
        ours = [item for item in items if _is_ours(item)]
        """Keep ours."""
        config.hook.pytest_deselected(items=[item for item in items if item not in ours])
        items[:] = ours


def _is_ours(item: pytest.Item) -> bool:
    parameters = getattr(getattr(item, "callspec", None), "params", {}).values()
    return any(value == "autopar" or type(value).__name__ == "AutoparBackend" for value in parameters)


def main(*arguments: str) -> int:
    """Run them; pytest's exit status."""
    ap.register_joblib()
    # A case that nests our backend in another one needs that one's workers to know ours.
    os.environ["PYTHONPATH"] = os.pathsep.join([str(HERE / "in_workers"), str(HERE.parents[1])])
    options = ["-q", "-p", "no:cacheprovider", "--import-mode=importlib", "-o", "addopts=", "-o", "filterwarnings="]
    return int(pytest.main([*options, "--rootdir", str(SUITE.parent), str(SUITE), *arguments], plugins=[OnlyOurs()]))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
