"""What a row of the fault matrix says."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One fault.

    Attributes
    ----------
    fault
        What goes wrong.
    backends
        Where it can: names of backends, ``"any"`` where all ways share what is tested, ``"none"`` outside of maps.
    what
        What happens then, in words.
    proven_by
        The test, as the beginning of its pytest node id: ``tests/faults/test_x.py::test_y`` with all its cases, or
        ``tests/faults/test_x.py::test_y[case`` with those that begin so; ``*`` stands for anything.
    """

    fault: str
    backends: tuple[str, ...]
    what: str
    proven_by: str

    @property
    def file(self) -> str:
        """The file of the test, in the repository."""
        return self.proven_by.partition("::")[0]

    @property
    def function(self) -> str:
        """The test function, with its class if it has one."""
        return self.proven_by.partition("::")[2].partition("[")[0]

    def is_proven_by(self, nodeid: str) -> bool:
        """Whether a test is one of those that the row names."""
        pattern = re.escape(self.proven_by).replace(r"\*", ".*")
        return re.fullmatch(pattern + (".*" if "[" in self.proven_by else r"(\[.*)?"), nodeid) is not None
