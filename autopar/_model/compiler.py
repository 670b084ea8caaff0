"""What a compiler offers the engine: why it does not take a function, or a callable that is the function, faster."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Mapping
from dataclasses import field
from typing import Any, Protocol

from autopar._model.light_dataclass import dataclass

Function = Callable[..., Any]
Types = tuple[Hashable, ...]
"""What a call is compiled for: one value a parameter, equal for calls that the same code serves; ``str()`` of each is
its text in the log."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A function that is not compiled.

    Attributes
    ----------
    reason
        In words.
    line
        Line of the function's file that stands in the way, or None where no line does.

    Examples
    --------
    >>> str(Refusal("dict is not in the native fragment", 12))
    'line 12: dict is not in the native fragment'
    """

    reason: str
    line: int | None = None

    def __str__(self) -> str:
        return self.reason if self.line is None else f"line {self.line}: {self.reason}"


class NotCompiled(Exception):  # noqa: N818 - it is no error: the function then runs in Python
    """Raised within a compiler where something cannot be compiled; ``str()`` of it is the reason."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        super().__init__(reason)
        self.refusal = Refusal(reason, line)


@dataclass(frozen=True, slots=True)
class Terms:
    """What the user allows compiled code.

    Attributes
    ----------
    rtol
        Relative difference of floats from what Python gives.
    exact
        Whether answers must be Python's; False is the user's own risk, and compilers may leave out all checks.
    """

    rtol: float = 0.0
    exact: bool = True


EXACT = Terms()


@dataclass(slots=True)
class Counters:
    """What became of the calls.

    Attributes
    ----------
    exits
        (line, reason) -> calls that left the compiled code there and ran in Python.
    misses
        Calls that ran in Python since a guard did not hold.
    compared
        Calls that were compared with Python.
    blocks
        Items that ran in blocks.
    """

    exits: Counter[tuple[int, str]] = field(default_factory=Counter)
    misses: int = 0
    compared: int = 0
    blocks: int = 0


class Compiled(Protocol):
    """A function for which compiled code runs the calls of certain types.

    Called like the function itself, with the same result; what the compiled code does not take runs in Python, and what
    it cannot end is undone and runs again in Python. A form may offer ``__autopar_block__`` too
    (:class:`autopar._model.work.RunsBlocks`).

    Attributes
    ----------
    compiler
        Its compiler's name.
    certain
        It is quicker than Python whatever the arguments are; otherwise that is measured on the first calls.
    function
        The Python function.
    counters
        What became of the calls.
    withdrawn
        Why it is not used any more, or an empty string.
    notes
        What the decision should say of it: what went wrong while it was made, or on whose word it is not exact.
    call
        The quickest way to call it at present.
    python_seconds
        What a call takes in Python, as far as somebody has measured it.
    listener
        Called with ``call`` when that becomes another.
    otherwise
        Finds, for the values of all parameters that this form does not take, another form that does.
    """

    function: Function
    call: Function
    python_seconds: float | None
    listener: Callable[[Function], object] | None
    otherwise: Callable[[tuple[Any, ...]], Any] | None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function."""

    @property
    def compiler(self) -> str:
        """Its compiler's name."""

    @property
    def certain(self) -> bool:
        """Whether it need not be measured."""

    @property
    def counters(self) -> Counters:
        """What became of the calls."""

    @property
    def withdrawn(self) -> str:
        """Why it is not used any more."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What the decision should say of it."""

    @property
    def types(self) -> Types:
        """What it was compiled for."""

    @property
    def types_text(self) -> str:
        """The same in words: ``compiled for (int, float)``."""

    @property
    def calls(self) -> int:
        """Calls that compiled code ran to their end."""

    @property
    def pure(self) -> bool:
        """Nothing that outlives a call is written."""

    @property
    def comparing_seconds(self) -> float:
        """What Python has taken where calls were compared with it; it says nothing about the calls that follow."""

    @property
    def holds_gil(self) -> bool:
        """Whether it keeps the GIL while it runs, so that threads gain nothing."""

    def withdraw(self, reason: str) -> None:
        """From now on every call runs in Python."""

    def mismatch(self, found: str) -> None:
        """Withdraw it with a `KernelMismatchWarning`: it was seen to differ from Python, as ``found`` says."""


class Compiler(Protocol):
    """A module ``autopar._compilers.NAME``. Importing it imports no package that it needs.

    Attributes
    ----------
    COMPILE_SECONDS
        What compiling a small function costs: it is done once as much has been spent, or is predicted to be, in Python.
    CACHED_SECONDS
        The same where an earlier process has compiled the function for such types; as above without a cache.
    """

    COMPILE_SECONDS: float
    CACHED_SECONDS: float

    def signature(
        self, function: Function, args: tuple[Any, ...], kwargs: Mapping[str, Any], /, *, terms: Terms = EXACT
    ) -> Types | Refusal:
        """What the call would be compiled for, or why it would not. Quick: no source is read."""

    def compile_for(
        self, function: Function, types: Types, /, *, terms: Terms = EXACT, deadline: float | None = None
    ) -> Compiled | Refusal:
        """Compile, or say why not. Blocks; raises nothing that is not a mistake of the compiler's own."""

    def remember(self, function: Function, types: Types, /) -> None:
        """Note for later processes that the function was worth compiling for these types."""

    def was_worth_compiling(self, function: Function, types: Types, /) -> bool:
        """Whether an earlier process has noted that."""
