"""One case of a table: a function's source, and the calls that it is put to."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import dedent


@dataclass(frozen=True, slots=True)
class Case:
    """A function and its calls.

    Attributes
    ----------
    topic
        The row of the table of differences that it belongs to.
    name
        What it shows.
    source
        A module that defines `f`.
    stays
        Calls that compiled code carries to the end where the case is admitted: expressions of argument tuples, or,
        where one begins with ``:``, a statement that is run in the module between two calls.
    leaves
        Calls that compiled code may, or must, leave to Python.
    promised
        Whether an exact compiler admits the calls of `stays`. Of the others only the answer counts.
    """

    topic: str
    name: str
    source: str
    stays: tuple[str, ...] = ()
    leaves: tuple[str, ...] = ()
    promised: bool = False

    def __str__(self) -> str:
        return f"{self.topic}: {self.name}"


@dataclass(frozen=True, slots=True)
class Topic:
    """Makes the cases of one row."""

    name: str

    def function(
        self,
        name: str,
        source: str,
        stays: tuple[str, ...] = (),
        leaves: tuple[str, ...] = (),
        *,
        promised: bool = False,
    ) -> Case:
        """Make a case of a whole source."""
        return Case(self.name, name, dedent(source).strip() + "\n", stays, leaves, promised)

    def expression(
        self,
        text: str,
        parameters: str,
        stays: tuple[str, ...] = (),
        leaves: tuple[str, ...] = (),
        *,
        promised: bool = False,
    ) -> Case:
        """Make a case of one expression."""
        return Case(self.name, text, f"def f({parameters}):\n    return {text}\n", stays, leaves, promised)
