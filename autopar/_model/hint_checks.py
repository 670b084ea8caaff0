"""How the value of each hint is checked, and how one is read from the text of an environment variable."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Mapping
from typing import Any, cast

from autopar.errors import HintTypeError, HintValueError, NotBuiltError, UnknownNameError

OnError = Callable[[Exception, Any], Any]
ProgressCallback = Callable[[int, "int | None"], object]


def wrong_type(name: str, value: object, expected: str) -> HintTypeError:
    return HintTypeError(f"{name} must be {expected}, not {type(value).__name__}")


def named(name: str, table: Mapping[str, Any]) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        if not isinstance(value, str):
            raise wrong_type(name, value, f"a string, one of {', '.join(table)}")
        if value not in table:
            raise UnknownNameError(f"{name}={value!r} is unknown; choose one of {', '.join(table)}")
        if table[value].module is None:
            raise NotBuiltError(
                f"{name}={value!r} is planned but not part of this version of autopar; "
                f"choose one of {', '.join(k for k, spec in table.items() if spec.module)}"
            )
        return value

    return check


def count(name: str, least: int) -> Callable[[Any], int]:
    def check(value: Any) -> int:
        if isinstance(value, bool) or not hasattr(type(value), "__index__"):
            raise wrong_type(name, value, f"a whole number of at least {least}")
        number = int(value.__index__())
        if number < least:
            raise HintValueError(f"{name} must be at least {least}, not {number}")
        return number

    return check


def seconds(name: str) -> Callable[[Any], float]:
    def check(value: Any) -> float:
        if isinstance(value, bool) or not hasattr(type(value), "__float__") or isinstance(value, str):
            raise wrong_type(name, value, "a number of seconds above 0")
        number = float(value)
        if math.isnan(number) or number <= 0:
            raise HintValueError(f"{name} must be above 0 seconds, not {number:g}; leave it out for no limit")
        return number

    return check


def flag(name: str) -> Callable[[Any], bool]:
    def check(value: Any) -> bool:
        if not isinstance(value, bool):
            raise wrong_type(name, value, "True or False")
        return value

    return check


def on_error(value: Any) -> str | OnError:
    if isinstance(value, str):
        if value not in ("raise", "return"):
            raise HintValueError(f'on_error must be "raise", "return" or a callable, not {value!r}')
        return value
    if not callable(value):
        raise wrong_type("on_error", value, '"raise", "return" or a callable taking (exception, item)')
    return value  # type: ignore[no-any-return]


def retry_on(value: Any) -> tuple[type[BaseException], ...]:
    kinds = value if isinstance(value, tuple) else (value,)
    for kind in kinds:
        if not isinstance(kind, type) or not issubclass(kind, Exception):
            named = kind.__name__ if isinstance(kind, type) else type(kind).__name__
            raise HintTypeError(f"retry_on must be a class of Exception, or a tuple of such classes, not {named}")
    if not kinds:
        raise HintValueError("retry_on must name at least one exception; leave retries= out to run nothing again")
    return kinds


_UNITS = {"": 1, "B": 1, **{f"{p}{b}": k**n for n, p in enumerate("kMGT", 1) for b, k in (("B", 1000), ("iB", 1024))}}


def size(name: str) -> Callable[[Any], int]:
    def check(value: Any) -> int:
        if isinstance(value, str):
            found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kKMGT]?i?B?)\s*", value)
            unit = None if found is None else _UNITS.get(found[2].replace("K", "k"))
            if found is None or unit is None:
                raise HintValueError(f'{name} must be a number of bytes, such as "500MB" or "2GiB", not {value!r}')
            value = int(float(found[1]) * unit)
        return count(name, 1)(value)

    return check


def seed(value: Any) -> int | str:
    if value == "fresh" and isinstance(value, str):
        return "fresh"
    if isinstance(value, bool) or not hasattr(type(value), "__index__"):
        raise wrong_type("seed", value, 'a whole number or "fresh"')
    return int(value.__index__())


def text(name: str, expected: str) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        if not isinstance(value, str):
            raise wrong_type(name, value, f"a string, {expected}")
        if not value or "\0" in value:
            raise HintValueError(f"{name} must be {expected}, not {value!r}")
        return value

    return check


def path(name: str) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        if not isinstance(value, (str, os.PathLike)):
            raise wrong_type(name, value, "the path of a file")
        path = os.fspath(value)
        if not isinstance(path, str) or not path or "\0" in path:
            raise HintValueError(f"{name} must be the path of a file, not {path!r}")
        return os.path.abspath(path)

    return check


def one_of(name: str, *values: str) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        if not isinstance(value, str):
            raise wrong_type(name, value, f"a string, one of {', '.join(values)}")
        if value not in values:
            raise HintValueError(f"{name} must be one of {', '.join(values)}, not {value!r}")
        return value

    return check


def cluster(value: Any) -> Any:
    if isinstance(value, str):
        if not value.strip():
            raise HintValueError('cluster must be an address, "local" or a distributed.Client, not an empty string')
        return value.strip()
    if any(kind.__module__.partition(".")[0] == "distributed" for kind in type(value).__mro__):
        if hasattr(value, "scatter"):
            return value
        raise HintTypeError(f"cluster must be a distributed.Client, not a {type(value).__name__}: pass Client(it)")
    raise wrong_type("cluster", value, 'an address such as "tcp://host:8786", "local" or a distributed.Client')


def resources(value: Any) -> dict[str, float]:
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        raise wrong_type("resources", value, 'a dictionary of names and amounts, such as {"GPU": 1}')
    for name, amount in value.items():
        if isinstance(amount, (bool, str)) or not hasattr(type(amount), "__float__"):
            raise wrong_type(f"resources[{name!r}]", amount, "a number above 0")
        if not 0 < float(amount) < math.inf:
            raise HintValueError(f"resources[{name!r}] must be above 0, not {float(amount):g}")
    if not value:
        raise HintValueError('resources must name at least one, such as {"GPU": 1}; leave it out for none')
    return {name: float(amount) for name, amount in value.items()}


def rtol(value: Any) -> float:
    if isinstance(value, (bool, str)) or not hasattr(type(value), "__float__"):
        raise wrong_type("rtol", value, "a relative tolerance from 0 up to 1")
    number = float(value)
    if not 0 <= number < 1:
        raise HintValueError(f"rtol must be from 0 up to 1, not {number:g}")
    return number


def progress(value: Any) -> bool | ProgressCallback:
    if isinstance(value, bool):
        return value
    if callable(value):
        return cast(ProgressCallback, value)
    raise wrong_type("progress", value, "True, False or a callable taking (done, total)")


def number_from_text(text: str) -> Any:
    try:
        return int(text)
    except ValueError:
        return float(text)


def flag_from_text(text: str) -> Any:
    words = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    return words[text.strip().lower()]


def resources_from_text(text: str) -> Any:
    parts = [part.partition("=") for part in text.split(",")]
    return {name.strip(): float(amount) for name, _, amount in parts}


def seed_from_text(text: str) -> Any:
    return text if text == "fresh" else int(text)
