"""Which of Python and a compiled form runs a call: measured on real calls, for each size of arguments, and remembered.

Loops over numbers are always worth compiling. Whole-array code often is not: NumPy's own loops are vector code too.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any

from autopar._model.light_dataclass import dataclass

if TYPE_CHECKING:
    from autopar._model.compiler import Compiled, Counters, Function, Types

TIMED = 3
"""Calls of each way that are timed, of which the quickest counts. Unmeasured: the fewest that survive one interruption
and one cold cache."""

MOST_TRIALS = 16
"""Calls of a form after which it is judged by what it has shown, comparisons with Python among them."""

MARGIN = 0.97
"""Share of Python's time that a form must beat: where both are alike nothing is gained, and Python's ways stay."""

DISPATCH = 1e-6
"""Seconds that finding the size of a call's arguments takes (`benchmarks/numpy_kernels`: 0.5 to 1 us)."""

PYTHON = "python"


def size_class(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> int:
    """How large arguments are together, to a factor of two: bytes of arrays, lengths of lists, integers by themselves.

    Examples
    --------
    >>> size_class(([0] * 100, 7), {}), size_class(([0] * 100, 1000), {})
    (9, 11)
    """
    numpy = sys.modules.get("numpy")
    array = None if numpy is None else numpy.ndarray
    total = 0
    for value in (*args, *kwargs.values()) if kwargs else args:
        kind = type(value)
        if kind is array:
            total += value.nbytes
        elif kind is int:
            total += value if value >= 0 else -value
        elif kind in (list, tuple, str):
            total += 4 * len(value)
    return total.bit_length()


@dataclass(slots=True)
class _Trial:
    """What the calls of one size have shown."""

    python: list[float] = field(default_factory=list)
    compiled: list[float] = field(default_factory=list)
    tries: int = 0


class Chosen:
    """A form that runs where it has been measured to be quicker; see :class:`autopar._model.compiler.Compiled`.

    Parameters
    ----------
    form
        The compiled form.
    recall, remember
        What an earlier process has found for a size: the name of a way, or an empty string; and how to keep it. A
        choice of compiled code is trusted, one of Python is measured again.

    Attributes
    ----------
    verdicts
        Size -> what was chosen and why, in words.
    settled
        Called with what was chosen, the verdict, and the seconds of a call.
    """

    def __init__(self, form: Compiled, *, recall: Callable[[int], str], remember: Callable[[int, str], None]) -> None:
        self.form = form
        self.function = form.function
        self.verdicts: dict[int, str] = {}
        self.settled: Callable[[str, str, float], object] | None = None
        self.listener: Callable[[Function], object] | None = None
        self.call: Function = self._call
        self._recall, self._remember = recall, remember
        self._ways: dict[int, Function] = {}
        self._trials: dict[int, _Trial] = {}
        form.listener = self._form_changed

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.call(*args, **kwargs)

    def __autopar_block__(self, items: Any, star: bool, kwargs: Any, out: list[Any], /) -> bool:
        """Run a block of the form's, if calls of all these sizes have been chosen to run there."""
        block: Any = getattr(self.form, "__autopar_block__", None)
        if block is None or not self._ways:
            return False
        sizes = {size_class(item if star else (item,), kwargs) for item in items}
        if any(self._ways.get(size) in (None, self.function) for size in sizes):
            return False
        return bool(block(items, star, kwargs, out))

    # -- what the form is ----------------------------------------------------------------------------------------

    @property
    def compiler(self) -> str:
        """The name of the form's compiler."""
        return self.form.compiler

    @property
    def certain(self) -> bool:
        """It is not: that is what it measures."""
        return False

    @property
    def counters(self) -> Counters:
        """Of the form."""
        return self.form.counters

    @property
    def withdrawn(self) -> str:
        """Why it is not used any more, or an empty string."""
        return self.form.withdrawn

    @property
    def notes(self) -> tuple[str, ...]:
        """Of the form, and what was chosen."""
        return (*self.form.notes, *self.verdicts.values())

    @property
    def python_seconds(self) -> float | None:
        """What a call takes in Python, as far as somebody has measured it."""
        return self.form.python_seconds

    @python_seconds.setter
    def python_seconds(self, seconds: float | None) -> None:
        self.form.python_seconds = seconds

    @property
    def otherwise(self) -> Callable[[tuple[Any, ...]], Any] | None:
        """What else takes a call."""
        return self.form.otherwise

    @otherwise.setter
    def otherwise(self, find: Callable[[tuple[Any, ...]], Any] | None) -> None:
        self.form.otherwise = find

    @property
    def types(self) -> Types:
        """What it was compiled for."""
        return self.form.types

    @property
    def types_text(self) -> str:
        """The same in words."""
        return self.form.types_text

    @property
    def calls(self) -> int:
        """Calls that compiled code ran to their end."""
        return self.form.calls

    @property
    def pure(self) -> bool:
        """Nothing that outlives a call is written."""
        return self.form.pure

    @property
    def comparing_seconds(self) -> float:
        """What Python has taken where calls of the form were compared with it."""
        return self.form.comparing_seconds

    @property
    def holds_gil(self) -> bool:
        """Whether the form keeps the GIL while it runs."""
        return self.form.holds_gil

    def withdraw(self, reason: str) -> None:
        """From now on every call runs in Python."""
        self.form.withdraw(reason)

    def mismatch(self, found: str) -> None:
        """Withdraw it loudly."""
        self.form.mismatch(found)

    # -- choosing ------------------------------------------------------------------------------------------------

    def in_python(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str:
        """Why a call like this runs in Python, or an empty string."""
        size = size_class(args, kwargs)
        return self.verdicts.get(size, "") if self._ways.get(size) is self.function else ""

    def _form_changed(self, call: Function) -> None:
        self._ways = {size: self.function if way is self.function else call for size, way in self._ways.items()}
        if self.form.withdrawn:
            self.call = self.function
            if self.listener is not None:
                self.listener(self.call)

    def _call(self, *args: Any, **kwargs: Any) -> Any:
        way = self._ways.get(size_class(args, kwargs))
        return self._tried(args, kwargs) if way is None else way(*args, **kwargs)

    def _tried(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run a call one way or the other, and time it."""
        size = size_class(args, kwargs)
        trial = self._trials.get(size)
        if trial is None:
            trial = self._trials[size] = _Trial()
            known = self._recall(size)
            if known == self.compiler:  # where Python was quicker, a busy machine may have been why
                self._settle(size, known, f"{known}, as an earlier process has measured")
                return self._ways[size](*args, **kwargs)
        in_python = len(trial.python) < TIMED and len(trial.python) <= len(trial.compiled)
        before = self.form.counters.compared, self.form.calls
        started = time.perf_counter()
        result = self.function(*args, **kwargs) if in_python else self.form.call(*args, **kwargs)
        seconds = time.perf_counter() - started
        if in_python:
            trial.python.append(seconds)
        else:
            trial.tries += 1
            if self.form.counters.compared == before[0] and self.form.calls > before[1]:
                trial.compiled.append(seconds)
        if len(trial.compiled) >= TIMED or trial.tries >= MOST_TRIALS:
            self._judge(size, trial)
        return result

    def _judge(self, size: int, trial: _Trial) -> None:
        """Choose by the quickest call of each way."""
        if size in self._ways or self.form.withdrawn:
            return
        if not trial.compiled:
            self._settle(size, PYTHON, f"python, since no call of this size has ended in {self.compiler} code")
            return
        python, compiled = min(trial.python), min(trial.compiled)
        self.form.python_seconds = python
        name = self.compiler if compiled < MARGIN * python else PYTHON
        times = f"{compiled * 1e6:,.0f} us a call in {self.compiler} code, {python * 1e6:,.0f} us in Python"
        self._settle(size, name, f"{name}: {times}", compiled if name == self.compiler else python)
        self._remember(size, name)
        if name == PYTHON and python < DISPATCH / (1 - MARGIN) and set(self._ways.values()) == {self.function}:
            self.withdraw(f"measured: {times}")

    def _settle(self, size: int, name: str, why: str, seconds: float = 0.0) -> None:
        self.verdicts[size] = f"for arguments of 2**{size} bytes or so {why}"
        self._ways[size] = self.function if name == PYTHON else self.form.call
        self._trials.pop(size, None)
        if self.settled is not None:
            self.settled(name, self.verdicts[size], seconds)
