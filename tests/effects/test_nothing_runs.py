"""The analysis looks at the user's objects and runs none of their code."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from autopar._effects import analyse

ran: list[str] = []


class Meta(type):
    """A metaclass of which every hook is noticed."""

    def __getattribute__(cls, name: str) -> Any:
        ran.append(f"Meta.__getattribute__ {name}")
        return super().__getattribute__(name)

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        ran.append("Meta.__call__")
        return super().__call__(*args, **kwargs)

    def __instancecheck__(cls, instance: Any) -> bool:
        ran.append("Meta.__instancecheck__")
        return True

    def __subclasscheck__(cls, subclass: type) -> bool:
        ran.append("Meta.__subclasscheck__")
        return True

    def __eq__(cls, other: object) -> bool:
        ran.append("Meta.__eq__")
        return True

    def __hash__(cls) -> int:
        ran.append("Meta.__hash__")
        return 1

    @property
    def attribute(cls) -> int:
        ran.append("Meta.attribute")
        return 1


class Watched(metaclass=Meta):
    """A class of which every hook is noticed."""

    def __getattribute__(self, name: str) -> Any:
        ran.append(f"__getattribute__ {name}")
        return super().__getattribute__(name)

    def __getattr__(self, name: str) -> Any:
        ran.append(f"__getattr__ {name}")
        return 1

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        ran.append("__class__")
        return int

    @property
    def __dict__(self) -> Any:  # type: ignore[override]
        ran.append("__dict__")
        return {}

    @property
    def __wrapped__(self) -> Any:
        ran.append("__wrapped__")
        return len

    @property
    def value(self) -> int:
        ran.append("value")
        return 1

    def __eq__(self, other: object) -> bool:
        ran.append("__eq__")
        return True

    def __hash__(self) -> int:
        ran.append("__hash__")
        return 1

    def __bool__(self) -> bool:
        ran.append("__bool__")
        return True

    def __len__(self) -> int:
        ran.append("__len__")
        return 1

    def __repr__(self) -> str:
        ran.append("__repr__")
        return "Watched()"

    def __iter__(self) -> Any:
        ran.append("__iter__")
        return iter(())

    def __getitem__(self, key: Any) -> Any:
        ran.append("__getitem__")
        return key

    def __call__(self, x: Any) -> Any:
        ran.append("__call__")
        return x

    def method(self, x: Any) -> Any:
        ran.append("method")
        return x


class WatchedDict(dict[Any, Any]):
    """A dict of which look-up is noticed."""

    def __getitem__(self, key: Any) -> Any:
        ran.append("dict.__getitem__")
        return super().__getitem__(key)

    def __iter__(self) -> Any:
        ran.append("dict.__iter__")
        return super().__iter__()

    def keys(self) -> Any:
        ran.append("dict.keys")
        return super().keys()


thing = Watched()
held = {"a": thing, thing: 1, 3: [thing]}
table = WatchedDict(a=1)


def uses(x: Any) -> Any:
    found = [thing.value, thing.missing, thing.method(x), thing(x), len(thing), thing[x], list(thing), thing == x]
    found += [held["a"], held.get(x), Watched(), Watched.attribute, isinstance(x, Watched), str(thing), table["a"]]
    for key, value in held.items():
        if key is value or value in (thing,):
            found.append(f"{key}{value}")
    return found, {**table}, thing.__class__, vars(thing), hash(thing), bool(thing), issubclass(int, Watched)


def with_default(x: Any, other: Any = thing, *, more: Any = thing) -> Any:
    return x, other.value, more.value


def closes_over(it: Any) -> Callable[[Any], Any]:
    return lambda x: (it.value, it(x), it.method(x))


@pytest.mark.parametrize(
    "function",
    [uses, with_default, closes_over(thing), thing, Watched, closes_over(Watched), closes_over(table)],
    ids=["function", "default", "closure", "object", "class", "class in a closure", "dict in a closure"],
)
def test_no_hook_of_an_object_runs(function: Callable[..., Any]) -> None:
    """Properties, attribute and metaclass hooks, comparison, hash and conversion of objects stay unused."""
    ran.clear()
    analyse(function, argument_types=[int])
    noticed = list(ran)
    assert noticed == []


def test_a_bound_method_of_a_watched_object_is_left_alone() -> None:
    """A method is analysed without asking its object for anything."""
    method = thing.method
    ran.clear()
    analyse(method)
    noticed = list(ran)
    assert noticed == []


def test_annotations_are_not_evaluated() -> None:
    """Annotations may be any expression, and stay unevaluated, whichever way this Python keeps them."""
    namespace: dict[str, Any] = {"ran": ran}
    source = "def f(x: ran.append('x')) -> ran.append('y'):\n    y: ran.append('z') = x\n"
    exec("from __future__ import annotations\n" + source, namespace)
    ran.clear()
    assert analyse(namespace["f"]).effects == ()
    assert ran == []


def test_a_generator_held_by_a_function_is_not_advanced() -> None:
    """An iterator in a closure or a default stays where it is."""
    numbers = iter([1, 2, 3])

    def f(x: Any, given: Any = numbers) -> Any:
        return next(numbers), list(given), x

    analyse(f)
    assert list(numbers) == [1, 2, 3]


def test_nothing_of_an_analysis_stays_behind() -> None:
    """The analysis keeps no object of the program alive."""

    class Large:
        """Something to be freed."""

    large = Large()
    reference = weakref.ref(large)

    def make(held: Any) -> Callable[[Any], Any]:
        return lambda x: (held, x)

    analyse(make(large))
    del large
    gc.collect()
    assert reference() is None
