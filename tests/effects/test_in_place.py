"""Functions of the library that do ``y -= 1`` to a parameter: free for what that leaves as it is, and only for that."""

from __future__ import annotations

import calendar
import collections
import enum
import importlib
import sys
import sysconfig
import threading
import uuid
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest

from autopar._effects import analyse, facts
from autopar._effects.decode import decode
from autopar._model.effects import EffectKind
from tests.ids import named

np = pytest.importorskip("numpy")

WRITES = EffectKind.WRITES_ARGUMENT

JUDGED = {
    "codeop.Compile.__call__": "flags: bits of the compiler, which takes nothing but an int",
    "ctypes.CDLL.__init__": "an effect by itself that cannot be seen into",
    "ctypes.macholib.dyld.framework_find": "an effect by itself that cannot be seen into",
    "fractions.Fraction.__new__": "numerator, denominator: replaced by new ints before",
    "gzip.GzipFile.__init__": "mode: a text, for anything else opening fails",
    "lzma.LZMAFile.__init__": "mode: a text, for anything else opening fails",
    "logging.Logger.findCaller": "stacklevel: compared with an int before, in a module whose calls are output",
    "pstats.Stats.eval_print_amount": "msg: a text of the module's own",
    "socket.SocketIO.__init__": "mode: one of six texts, which is checked before",
    "threading.Thread.__init__": "name: a text made there",
    "zipfile.ZipInfo.from_file": "arcname: made anew from its parts before",
}
"""Those that need no row, and why."""

_INPLACE = range(13, 26)  # NB_INPLACE_ADD to NB_INPLACE_XOR
_PASSED_OVER = {"test", "tests", "site-packages", "idlelib", "lib2to3", "turtledemo", "ensurepip", "pydoc_data", "this"}


class Countdown:
    """A number of the program's own that changes where it stands."""

    def __init__(self, left: int) -> None:
        self.left = left

    def __isub__(self, other: int) -> Countdown:
        self.left -= other
        return self


steps: list[int] = []


class Counted(int):
    """A number that notes what is taken from it."""

    def __isub__(self, other: int) -> Counted:
        steps.append(other)
        return self


class Rows(Sequence[int]):
    """A sequence that has `index` from the library."""

    def __len__(self) -> int:
        return 3

    def __getitem__(self, at: Any) -> Any:
        return range(3)[at]


def years_between(first: Any) -> Any:
    return calendar.leapdays(first, 2000)


def years_by_name(first: Any) -> Any:
    return calendar.leapdays(y2=2000, y1=first)


def found_before(stop: Any) -> Any:
    return Rows().index(1, 0, stop)


def waking(n: Any) -> None:
    condition = threading.Condition()
    with condition:
        condition.notify(n)


def named_by(number: Any) -> uuid.UUID:
    return uuid.UUID(int=number, version=4)


@pytest.mark.parametrize(
    ("function", "types", "changes"),
    [
        (calendar.leapdays, (int, int), False),
        (calendar.leapdays, (float, bool), False),
        (calendar.leapdays, (np.int64, np.float32), False),
        (calendar.leapdays, (np.ndarray, int), True),
        (calendar.leapdays, (int, np.ndarray), True),
        (calendar.leapdays, (Countdown, int), True),
        (calendar.leapdays, None, True),
        (calendar.format, (tuple, int, str), False),
        (calendar.format, (tuple, int, list), True),
        (years_between, (int,), False),
        (years_between, (np.ndarray,), True),
        (years_between, (Countdown,), True),
        (years_by_name, (int,), False),
        (years_by_name, (np.ndarray,), True),
        (found_before, (int,), False),
        (found_before, (np.ndarray,), True),
        (waking, (int,), False),
        (waking, (np.ndarray,), True),
        (named_by, (int,), False),
        (named_by, (np.ndarray,), True),
        (enum.show_flag_values, (int,), False),
        (enum.show_flag_values, (np.ndarray,), True),
    ],
    ids=named,
)
def test_a_row_holds_for_what_cannot_be_changed(
    function: Callable[..., Any], types: tuple[type, ...] | None, changes: bool
) -> None:
    """Numbers and texts stay as they are; arrays, lists and objects of the program are changed."""
    kinds = {effect.kind for effect in analyse(function, argument_types=types).effects}
    assert (WRITES in kinds) is changes


def test_arguments_by_name_count_as_well() -> None:
    """A mapped library function that gets its array by name changes it."""
    report = analyse(calendar.leapdays, argument_types=(), keyword_types={"y1": np.ndarray, "y2": int})
    assert [effect.what for effect in report.effects if effect.kind is WRITES] == ["argument 'y1'"]


def test_what_the_in_place_method_itself_does_is_seen() -> None:
    """The library's ``y1 -= 1`` runs the ``__isub__`` of an object of the program, with all that it does."""
    kinds = {effect.kind for effect in analyse(years_between, argument_types=(Counted,)).effects}
    assert EffectKind.WRITES_GLOBAL in kinds or EffectKind.WRITES_SHARED in kinds


def test_the_change_is_real() -> None:
    """The library does change an array that it is given: the row is there for a reason."""
    years = np.array([1999])
    calendar.leapdays(years, 2000)
    assert years.tolist() == [1998]


def changed_in_place(function: FunctionType) -> set[str]:
    """The parameters that the code does ``+=`` or the like to, unless it replaces them first whatever happens."""
    code = function.__code__
    parameters = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    decoded = decode(code)
    found: set[str] = set()
    replaced: set[str] = set()
    for at, instruction in enumerate(decoded.instructions):
        if not instruction.name.startswith(("STORE_FAST", "STORE_DEREF")):
            continue
        both = instruction.name in ("STORE_FAST_LOAD_FAST", "STORE_FAST_STORE_FAST")
        name = decoded.slots[instruction.arg >> 4 if both else instruction.arg]
        before = decoded.instructions[at - 1]
        if name not in parameters:
            continue
        if before.name == "BINARY_OP" and before.arg in _INPLACE:
            found |= {name} - replaced
        elif at < min(decoded.starts - {0}, default=len(decoded.instructions)):
            replaced.add(name)
    return found


def modules_of_the_tables() -> Iterator[str]:
    """The public modules of the standard library that the tables speak of and that are written in Python."""
    library = Path(sysconfig.get_paths()["stdlib"])
    for path in sorted(library.rglob("*.py")):
        parts = path.relative_to(library).with_suffix("").parts
        if parts[-1] == "__init__":
            parts = parts[:-1]
        hidden = any(part.startswith("_") or part in _PASSED_OVER for part in parts)
        if not hidden and facts.in_library(".".join(parts)):
            yield ".".join(parts)


def public_functions(name: str) -> Iterator[tuple[str, FunctionType]]:
    """The functions and methods of a module that its users may call; none where it cannot be imported here."""
    try:
        module = importlib.import_module(name)
    except ImportError:
        return
    for key, member in list(vars(module).items()):
        if key.startswith("_") or getattr(member, "__module__", None) != name:
            continue
        if isinstance(member, FunctionType):
            yield f"{name}.{key}", member
        elif isinstance(member, type):
            for own, method in list(vars(member).items()):
                function = getattr(method, "__func__", method)
                if isinstance(function, FunctionType) and (own[0] != "_" or own.endswith("__")):
                    yield f"{name}.{member.__qualname__}.{own}", function


@pytest.mark.slow
def test_the_table_has_every_such_function_of_this_python() -> None:
    """Each public function of the library whose code changes a parameter in place has its row, or a reason for none."""
    missing: dict[str, set[str]] = collections.defaultdict(set)
    seen = set()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for module in modules_of_the_tables():
            for name, function in public_functions(module):
                if changed := changed_in_place(function):
                    seen.add(name)
                    row = facts.canonical(name).removesuffix(".__init__").removesuffix(".__new__")
                    if name not in JUDGED:
                        missing[name] |= changed - set(map(str, facts.in_place_of(row)))
    assert {"calendar.leapdays", "uuid.UUID.__init__", "gzip.GzipFile.__init__"} <= seen, sys.version
    assert {name: left for name, left in missing.items() if left} == {}
