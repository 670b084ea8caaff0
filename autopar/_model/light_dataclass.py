"""``dataclass`` that is quick to apply: about a hundred of them are made before the first map of a program.

The standard library compiles six methods for each class, of which few are ever called; that took 40 ms of a program's
start. Here only ``__init__`` is compiled, and the others are shared or made of ``operator.attrgetter``. All else is
still the standard library's: the fields, slots, ``replace``, ``asdict``.
"""

from __future__ import annotations

import dataclasses
import functools
import reprlib
from operator import attrgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:

    def dataclass(cls=None, /, *, frozen=False, slots=False, eq=True, kw_only=False, weakref_slot=False):
        """As :func:`dataclasses.dataclass`, with those of its options that are used here."""
        if cls is None:
            return functools.partial(
                dataclass, frozen=frozen, slots=slots, eq=eq, kw_only=kw_only, weakref_slot=weakref_slot
            )
        made = dataclasses.dataclass(
            cls, init=False, repr=False, eq=False, slots=slots, kw_only=kw_only, weakref_slot=weakref_slot
        )
        methods = {"__init__": _init(made, frozen), "__repr__": _repr}
        if eq:
            methods |= _comparison(made, hashable=frozen)
        if frozen:
            methods |= {"__setattr__": _refuse, "__delattr__": _refuse}
        if frozen and slots:
            methods |= {"__getstate__": _state, "__setstate__": _take_state}
        for name, method in methods.items():
            if name not in cls.__dict__:
                setattr(made, name, method)
        return made


def _init(made: type, frozen: bool) -> Any:
    """The one method that has to be compiled: its parameters are the fields."""
    names: dict[str, Any] = {"put": object.__setattr__, "made": made}
    positional: list[str] = []
    keyword: list[str] = []
    body: list[str] = []
    for field in dataclasses.fields(made):
        if field.init:
            (keyword if field.kw_only else positional).append(field.name + _default(field, names))
            value = f"default_{field.name}() if {field.name} is made else {field.name}"
            body.append(_assignment(made, field.name, value if _made_anew(field) else field.name, frozen, names))
    if hasattr(made, "__post_init__"):
        body.append("self.__post_init__()")
    parameters = ", ".join(["self", *positional, *(["*", *keyword] if keyword else [])])
    exec(  # noqa: S102 - names of fields, as the standard library does
        f"def __init__({parameters}):\n " + "\n ".join(body or ["pass"]), names
    )
    method = names["__init__"]
    method.__qualname__ = f"{made.__qualname__}.__init__"
    method.__module__ = made.__module__
    return method


def _default(field: dataclasses.Field[Any], names: dict[str, Any]) -> str:
    """What follows the name of a parameter. The class itself stands for a default that is made anew for each call."""
    if _made_anew(field):
        names[f"default_{field.name}"] = field.default_factory
        return "=made"
    if field.default is dataclasses.MISSING:
        return ""
    names[f"default_{field.name}"] = field.default
    return f"=default_{field.name}"


def _made_anew(field: dataclasses.Field[Any]) -> bool:
    return field.default_factory is not dataclasses.MISSING


def _assignment(made: type, name: str, value: str, frozen: bool, names: dict[str, Any]) -> str:
    """A line that gives a field its value; of a frozen class by way of its slot."""
    if not frozen:
        return f"self.{name} = {value}"
    slot = getattr(getattr(made, name, None), "__set__", None)
    if slot is None:
        return f"put(self, {name!r}, {value})"
    names[f"put_{name}"] = slot
    return f"put_{name}(self, {value})"


def _comparison(made: type, *, hashable: bool) -> dict[str, Any]:
    """``__eq__`` and ``__hash__``, by all fields that count."""
    names = [field.name for field in dataclasses.fields(made) if field.compare]
    values: Any = attrgetter(*names) if len(names) > 1 else _none_or_one(names)

    def equal(self: Any, other: Any) -> Any:
        if self is other:
            return True
        return values(self) == values(other) if other.__class__ is self.__class__ else NotImplemented

    def hashed(self: Any) -> int:
        return hash(values(self))

    return {"__eq__": equal, "__hash__": hashed if hashable else None}


def _none_or_one(names: list[str]) -> Any:
    return lambda self: tuple(getattr(self, name) for name in names)


@reprlib.recursive_repr()
def _repr(self: Any) -> str:
    shown = (f"{field.name}={getattr(self, field.name)!r}" for field in dataclasses.fields(self) if field.repr)
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _refuse(self: Any, name: str, *value: Any) -> None:
    what = "assign to" if value else "delete"
    raise dataclasses.FrozenInstanceError(f"cannot {what} field {name!r}")


def _state(self: Any) -> list[Any]:
    return [getattr(self, field.name) for field in dataclasses.fields(self)]


def _take_state(self: Any, state: list[Any]) -> None:
    for field, value in zip(dataclasses.fields(self), state, strict=True):
        object.__setattr__(self, field.name, value)
