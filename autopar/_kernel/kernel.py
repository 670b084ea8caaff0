"""What is known of a function in typed form: what a caller has to know, beside the statements themselves.

It stands apart from the statements, so that a kernel whose code is in the cache loads nothing of the front end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from autopar._kernel import abi
from autopar._kernel.types import Type
from autopar._model.light_dataclass import dataclass

if TYPE_CHECKING:
    from autopar._kernel.ir import Block, Var

__all__ = ["Fact", "Kernel"]


@dataclass(frozen=True)
class Fact:
    """Something that the kernel rests on and that a guard has to look at again before each entry.

    `now()` gives the current value, or raises; the fact holds while that is the very object `value` (`by` "identity"),
    or a number of the same type and value (`by` "value"), or a function whose `__code__`, `__defaults__` and
    `__kwdefaults__` also are what they were (`by` "function": `value` is then (function, code, defaults, kwdefaults)).
    """

    name: str
    by: str
    value: Any
    now: Callable[[], Any] = field(compare=False, repr=False)
    namespace: Any = field(default=None, compare=False, repr=False)


@dataclass
class Kernel:
    """A function specialised for argument types, in typed form, with all that a caller has to know about it."""

    name: str
    file: str
    line: int
    parameters: tuple[tuple[str, Type], ...]
    result: Type
    body: Block
    variables: dict[str, str]  # machine type of each local variable
    slots: tuple[Var, ...]  # the variables that the parameter slots are loaded into, in order
    results: tuple[Var, ...]  # the variables that the result slots are stored from, in order
    restrict: frozenset[str]  # pointer variables that alias no other parameter
    owners: tuple[str, ...]  # variables that hold buffers, released at the end
    exits: dict[int, tuple[int, str]]  # side exit -> (line, reason)
    facts: tuple[Fact, ...]
    written: frozenset[int]  # parameters whose elements may be written
    read: frozenset[int]  # parameters whose elements may be read
    may_exit_after_write: bool
    float_flags: bool  # NumPy would warn of overflow, division or an invalid operation: those are side exits
    whole_arrays: bool = False  # some loops over elements are NumPy's in the function, and not its own
    overlaps: tuple[tuple[int, int], ...] = ()  # pairs of array parameters that must not overlap, or else exit 1
    sources: tuple[str, ...] = ()  # source text of the function and of every function compiled into it
    lookups: tuple[tuple[str, int, str], ...] | None = (
        None  # how the facts were found, if that can be told: see `names`
    )

    @property
    def undo(self) -> frozenset[int]:
        """Parameters whose elements are to be put back after a side exit.

        Those that are only written need not be: Python, which runs the call anew from the same arguments, writes the
        same values to them. It may stop short of that where NumPy's warnings raise, which the flags tell of too late.
        """
        if not self.may_exit_after_write:
            return frozenset()
        return self.written if self.float_flags else self.undo_if_warnings_pass

    @property
    def undo_if_warnings_pass(self) -> frozenset[int]:
        """The same where a warning of NumPy's raises nothing, so that Python goes on to the end."""
        return self.written & self.read if self.may_exit_after_write else frozenset()

    @cached_property
    def layout(self) -> abi.Layout:
        """Where parameters and result are in the slots."""
        return abi.layout_of([kind for _, kind in self.parameters], self.result)
