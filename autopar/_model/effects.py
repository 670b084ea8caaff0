"""What a function does besides returning a value: the facts that decide which routes keep the loop's answer."""

from __future__ import annotations

import enum
from types import CodeType

from autopar._model.light_dataclass import dataclass


class EffectKind(enum.Enum):
    """One kind of effect; the value is the word used in the decision log."""

    WRITES_GLOBAL = "writes a global"
    WRITES_CLOSURE = "writes a closure variable"
    WRITES_DEFAULT = "changes a mutable default"
    WRITES_SELF = "changes its own object"
    WRITES_ARGUMENT = "changes an argument"
    WRITES_SHARED = "changes an object that outlives the call"
    READS_SHARED = "reads state that something changes"
    RANDOM = "draws from the global random state"
    OUTPUT = "writes output in order"
    LOCK = "uses a lock"
    THREAD_LOCAL = "uses a thread-local"
    CONTEXT = "changes a context variable"
    PROCESS_STATE = "changes the state of the whole process"
    NOT_THREAD_SAFE = "is not safe on several threads"
    THREAD_IDENTITY = "depends on the current thread, process or event loop"
    GENERATOR = "returns a generator that runs later"
    UNKNOWN = "calls code that cannot be seen"


@dataclass(frozen=True, slots=True)
class Effect:
    """One effect, where it happens and through whom.

    Attributes
    ----------
    kind
        What sort of effect.
    what
        The object concerned, in words: ``"global 'count'"``, ``"print()"``.
    function
        Qualified name of the function whose body has the line.
    line
        Line number in that function's file, or None where the code has no lines.
    via
        Qualified names of the calls that lead there from the analysed function, outermost first; empty for the
        function itself.
    """

    kind: EffectKind
    what: str
    function: str
    line: int | None = None
    via: tuple[str, ...] = ()

    def __str__(self) -> str:
        where = f"line {self.line}" if self.line is not None else self.function
        chain = f" (through {' > '.join(self.via)})" if self.via else ""
        return f"{where} {self.kind.value}: {self.what}{chain}"


@dataclass(frozen=True, slots=True)
class GlobalRead:
    """A module-level name whose value the function, or one it calls, reads."""

    module: str
    name: str


@dataclass(frozen=True, slots=True)
class EffectReport:
    """The result of analysing one function.

    Attributes
    ----------
    effects
        Everything found, in the order of discovery, without repeats.
    reads
        Module-level names read on the way: another process must see the same values.
    calls
        Dotted names of the library callables it calls (``"time.sleep"``, ``"hashlib.sha256"``, ``"re.Pattern.sub"``).
    codes
        Code objects of all Python functions that were followed, the function's own first.
    complete
        False where the budget ended the walk before everything had been seen (an UNKNOWN effect then says so too).
    array_work
        Operators, methods and built-in functions, in words, on what may be arrays: their C code may release the GIL.
    array_work_on_arguments
        The same on arguments and what these hold, where their types are not known to be others.
    """

    effects: tuple[Effect, ...] = ()
    reads: tuple[GlobalRead, ...] = ()
    calls: tuple[str, ...] = ()
    codes: tuple[CodeType, ...] = ()
    complete: bool = True
    array_work: tuple[str, ...] = ()
    array_work_on_arguments: tuple[str, ...] = ()
