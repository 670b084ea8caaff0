"""Which workers of a cluster can run chunks: they need this Python, this autopar and a cloudpickle that fits."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import FunctionType
from typing import Any, NamedTuple


class Fitness(NamedTuple):
    """Addresses of workers that can run chunks, and of the others with the reason in words."""

    fit: tuple[str, ...]
    unfit: Mapping[str, str]


def ask(client: Any) -> Fitness:
    """Ask all workers, in two steps: what another Python could not even load is sent to none."""
    pythons = client.get_versions()["workers"]
    same = [address for address, said in pythons.items() if not python_differs(said)]
    packages = client.run(_by_value(_packages), workers=same, on_error="return") if same else {}
    return fitness(pythons, packages)


def fitness(pythons: Mapping[str, Any], packages: Mapping[str, Any]) -> Fitness:
    """Judge workers by what each says of its Python and, where that is the caller's, of its packages.

    Examples
    --------
    >>> fitness({"tcp://node:1": {"host": {"python": "2.7.18.final.0"}}}, {}).unfit  # doctest: +ELLIPSIS
    {'tcp://node:1': 'Python 2.7 there, 3... here'}
    """
    reasons = {address: python_differs(said) or _why_unfit(packages.get(address)) for address, said in pythons.items()}
    return Fitness(
        tuple(address for address, reason in reasons.items() if not reason),
        {address: reason for address, reason in reasons.items() if reason},
    )


def python_differs(said: Any) -> str:
    """Why bytecode and pickles of here would not be understood there, or an empty string."""
    host = said.get("host", {}) if isinstance(said, Mapping) else {}
    there = ".".join(str(host.get("python", "")).split(".")[:2])
    here = f"{sys.version_info[0]}.{sys.version_info[1]}"
    return "" if there == here else f"Python {there or 'of an unknown version'} there, {here} here"


def _packages() -> dict[str, str]:
    """Runs on a worker, which has this function by value: versions, and what keeps a package from being imported."""
    import importlib

    found = {}
    for name in ("autopar", "cloudpickle"):
        try:
            found[name] = str(importlib.import_module(name).__version__)
        except Exception as error:
            found[name] = f"! {type(error).__name__}: {error}"
    return found


def _by_value(function: Any) -> FunctionType:
    """The same function as one of ``__main__``, which cloudpickle sends whole."""
    return FunctionType(function.__code__, {"__name__": "__main__"}, function.__name__)


def _why_unfit(packages: Any) -> str:
    import cloudpickle

    ours = str(sys.modules["autopar"].__version__)
    if not isinstance(packages, Mapping):
        return f"it does not say what it has: {packages}"
    theirs = {name: packages.get(name, "") for name in ("autopar", "cloudpickle")}
    for name, version in theirs.items():
        if version.startswith("! "):
            return f"{name} cannot be imported there: {version[2:]}"
    if theirs["autopar"] != ours:
        return f"autopar {theirs['autopar']} there, {ours} here"
    if theirs["cloudpickle"].split(".")[0] != cloudpickle.__version__.split(".")[0]:
        return f"cloudpickle {theirs['cloudpickle']} there, {cloudpickle.__version__} here"
    return ""


def in_words(unfit: Mapping[str, str], most: int = 3) -> str:
    """Which workers cannot run chunks, and why."""
    named = [f"{address}: {reason}" for address, reason in list(unfit.items())[:most]]
    more = len(unfit) - len(named)
    return "; ".join(named) + (f"; and {more} more" if more > 0 else "")
