"""The quick ``dataclass`` makes classes that behave as the standard library's."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Callable
from dataclasses import field
from typing import Any

import pytest

from autopar._model import light_dataclass

Decorator = Callable[..., Any]


def _made(decorator: Decorator) -> dict[str, Any]:
    """The same classes by one decorator or the other."""

    @decorator(frozen=True, slots=True)
    class Point:
        x: int
        y: float = 1.5
        tags: list[str] = field(default_factory=list, compare=False)

    @decorator(frozen=True)
    class Base:
        a: int

    @decorator(frozen=True)
    class Derived(Base):
        b: int = 2

    @decorator
    class Mutable:
        x: int
        y: list[int] = field(default_factory=list, repr=False)

    @decorator(frozen=True, slots=True, kw_only=True)
    class Keyword:
        x: int
        y: int = 3

    @decorator(frozen=True, slots=True, eq=False)
    class Identity:
        x: int = 0

    @decorator(frozen=True)
    class Empty:
        pass

    @decorator(slots=True)
    class Checked:
        x: int

        def __post_init__(self) -> None:
            if self.x < 0:
                raise ValueError("negative")

    @decorator(frozen=True)
    class Shown:
        x: int

        def __repr__(self) -> str:
            return "shown"

    return {name: made for name, made in locals().items() if name != "decorator"}


def _changed(obj: Any) -> Any:
    obj.x = 2
    return obj


STANDARD, LIGHT = _made(dataclasses.dataclass), _made(light_dataclass.dataclass)

USES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "text": lambda of: repr(of["Point"](1)).rsplit(".", 1)[-1],
    "own text": lambda of: repr(of["Shown"](1)),
    "text of what is hidden": lambda of: repr(of["Mutable"](1, [2])).rsplit(".", 1)[-1],
    "positions": lambda of: dataclasses.astuple(of["Point"](1, 2, ["a"])),
    "keywords": lambda of: dataclasses.asdict(of["Keyword"](y=1, x=2)),
    "inherited": lambda of: dataclasses.asdict(of["Derived"](1)),
    "a new default for each": lambda of: of["Mutable"](1).y is of["Mutable"](1).y,
    "equal": lambda of: (of["Point"](1) == of["Point"](1), of["Point"](1) == of["Point"](2)),
    "what does not count": lambda of: of["Point"](1, tags=["a"]) == of["Point"](1),
    "of another class": lambda of: (of["Derived"](1) == of["Base"](1), of["Base"](1) == 1),
    "nothing to compare": lambda of: (of["Empty"]() == of["Empty"](), hash(of["Empty"]()) == hash(())),
    "identity": lambda of: of["Identity"]() == of["Identity"](),
    "hash": lambda of: (hash(of["Point"](1)) == hash((1, 1.5)), hash(of["Base"](1)) == hash((1,))),
    "in a set": lambda of: len({of["Point"](1), of["Point"](1), of["Point"](2)}),
    "copy": lambda of: copy.copy(of["Point"](1, 2.0)) == of["Point"](1, 2.0),
    "deep copy": lambda of: copy.deepcopy(of["Derived"](1, 3)) == of["Derived"](1, 3),
    "another value": lambda of: dataclasses.astuple(dataclasses.replace(of["Point"](1), x=2)),
    "matched": lambda of: of["Point"].__match_args__,
    "slots": lambda of: (of["Point"].__slots__, hasattr(of["Point"](1), "__dict__")),
    "changed": lambda of: _changed(of["Mutable"](1)).x,
    "set": lambda of: setattr(of["Point"](1), "x", 2),
    "set without slots": lambda of: setattr(of["Base"](1), "a", 2),
    "set what is not there": lambda of: setattr(of["Base"](1), "other", 2),
    "deleted": lambda of: delattr(of["Base"](1), "a"),
    "hash of what can change": lambda of: hash(of["Mutable"](1)),
    "positions of keywords": lambda of: of["Keyword"](1),
    "too little": lambda of: of["Point"](),
    "checked": lambda of: of["Checked"](-1),
}


@pytest.mark.parametrize("use", USES)
def test_a_class_goes_as_the_standard_librarys(use: str) -> None:
    """Any use of a class gives the same result, or the same error."""
    results = []
    for classes in (STANDARD, LIGHT):
        try:
            results.append(repr(USES[use](classes)))
        except Exception as error:
            results.append(f"{type(error).__name__}: {error}".replace("_made.<locals>.", ""))
    assert results[0] == results[1]


@light_dataclass.dataclass(frozen=True, slots=True)
class _Sent:
    x: int
    y: str = "a"


def test_a_frozen_object_can_be_pickled() -> None:
    """An object with slots that cannot be set comes out of a pickle as it went in."""
    assert pickle.loads(pickle.dumps(_Sent(1, "b"))) == _Sent(1, "b")
