"""The small functions of tests/effects: whatever the way, a map of each leaves what the plain loop leaves."""

from __future__ import annotations

import contextlib
import gc
import importlib.util
import io
import random
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from autopar._model.effects import EffectKind
from tests.effects import cases as table
from tests.effects.table import Case
from tests.same_answer.comparing import NAME, Ran, check_all_ways, outcome, ran

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(120),
    pytest.mark.filterwarnings("ignore:unclosed database:ResourceWarning"),
]


@pytest.fixture(scope="module", autouse=True)
def databases_left_open() -> Iterator[None]:
    """Collect the modules whose databases nobody closes, of which Python warns from 3.13 on."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


OF_THE_PROCESS = frozenset({EffectKind.PROCESS_STATE, EffectKind.CONTEXT, EffectKind.THREAD_IDENTITY})
"""Effects that no test's process should have; no way but the loop is left to them, as tests/plan checks."""

ITEMS: dict[str, Callable[[ModuleType], Any]] = {
    "numbers": lambda module: [3, 0, 2, 7],
    "floats": lambda module: [0.5, 2.0],
    "texts": lambda module: ["a", "some words", "12", '{"a": 1}', "2024-02-29"],
    "bytes": lambda module: [b"abc", bytearray(b"12345678")],
    "lists": lambda module: [[3, 1, 2], [], [5, 5, 1]],
    "the same list": lambda module: [[2, 1]] * 3,
    "lists of lists": lambda module: [[[1, 2], [3, 4]], [[5, 6], [7, 8]]],
    "lists of texts": lambda module: [["b", "a"], ["c", "c", "b"]],
    "dicts": lambda module: [{"a": 1, "b": [2]}, {}, {"low": 3}],
    "generators": lambda module: [random.Random(1), random.Random(2)],
    "streams": lambda module: [io.StringIO("text"), io.StringIO()],
    "iterators": lambda module: [iter([1, 2]), iter([3])],
    "objects": lambda module: [_an_object(module), _an_object(module)],
}
"""Items of every type that the functions take; what does not fit raises, in the loop and everywhere else."""

OUTSIDE = frozenset("fetches runs inserts_record writes_log writes_record lines saves queries".split())
"""These go to the outside world, whose order is not promised."""

BY_THE_CLOCK = frozenset({"times", "sleeps"})
"""What these return depends on when they run."""

OWN_NAMES = frozenset({"TABLE", "impure", "pure"})
"""Names of a table's module that belong to the table."""


def _an_object(module: ModuleType) -> Any:
    names = vars(module)
    if "account" in names:
        return names["account"]
    return names["Point"](1.0, 2.0) if "Point" in names else {}


def _places() -> Iterator[tuple[str, str, int]]:
    """Each case as the name of its module and its place in it."""
    files = ["impure", "pure"] + (["with_numpy"] if importlib.util.find_spec("numpy") else [])
    for file in files:
        module = importlib.import_module(f"tests.effects.{file}")
        for place, case in enumerate(module.TABLE.cases):
            if not case.kinds & OF_THE_PROCESS and str(case) not in OUTSIDE | BY_THE_CLOCK and not _runs_later(case):
                yield str(case), file, place


def _runs_later(case: Case) -> bool:
    flags = getattr(getattr(case.function, "__code__", None), "co_flags", 0)
    return bool(flags & 0x2A0)


PLACES = list(_places())


def _fresh(file: str) -> ModuleType:
    """A copy of one of the tables' modules, with state of its own."""
    spec = importlib.util.find_spec(f"tests.effects.{file}")
    assert spec is not None
    module = ModuleType(NAME)
    module.__file__ = spec.origin
    sys.modules[NAME] = module
    exec(_code(str(spec.origin)), vars(module))
    return module


_codes: dict[str, Any] = {}


def _code(path: str) -> Any:
    if path not in _codes:
        _codes[path] = compile(Path(path).read_text(), path, "exec")
    return _codes[path]


@pytest.mark.parametrize(("name", "file", "place"), PLACES, ids=[name for name, _, _ in PLACES])
def test_a_small_function(name: str, file: str, place: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Results, exception, output, random stream and everything that the module's names reach are the loop's."""
    monkeypatch.chdir(tmp_path)

    def run_by(apply: Any) -> Ran:
        module = _fresh(file)
        numpy = sys.modules.get("numpy")
        random.seed(1)
        try:
            function = vars(module)["TABLE"].cases[place].function
            names = {name: value for name, value in vars(module).items() if name not in OWN_NAMES}
            if numpy is not None:
                numpy.random.seed(1)
            items = [make(module) for make in ITEMS.values()]
            with contextlib.redirect_stdout(io.StringIO()) as output:
                made = [outcome(apply, function, each, str(module.__file__)) for each in items]
            if numpy is not None:
                names["numpy's stream"] = numpy.random.get_state()
            results, ended = [results for results, _ in made], [ended for _, ended in made]
            return ran(results, ended, output.getvalue(), items, names)
        finally:
            del sys.modules[NAME]

    check_all_ways(run_by, thorough=False)


def test_most_of_the_table_is_here() -> None:
    """At least 120 of the small functions are mapped."""
    assert len(PLACES) >= 120
    assert len(PLACES) >= len(table.CASES) * 3 // 4
