"""Docstrings of public things: what they take, what they give, and an example; pytest runs the examples."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import re
from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any

import pytest

import autopar
from autopar._api.async_wrapper import AsyncParallel
from autopar._api.wrapper import Parallel

MODULES = ("autopar.errors", "autopar.executor", "autopar.joblib_backend", "autopar.testing")
MADE_BY_OTHERS = {"Parallel", "AsyncParallel", "AutoparBackend"}
"""Classes that nobody makes by hand: what makes them has the example."""


def public_things() -> Iterator[tuple[str, Any]]:
    """Everything public with its full name, methods included; a method of a base class has its words there."""
    found = {f"autopar.{name}": getattr(autopar, name) for name in autopar.__all__}
    for module in map(importlib.import_module, MODULES):
        names = getattr(module, "__all__", None) or [
            name
            for name, value in vars(module).items()
            if not name.startswith("_") and getattr(value, "__module__", None) == module.__name__
        ]
        found |= {f"{module.__name__}.{name}": getattr(module, name) for name in names}
    found |= {"autopar.Parallel": Parallel, "autopar.AsyncParallel": AsyncParallel}
    seen: set[int] = set()
    for name, value in found.items():
        if id(value) in seen or not (inspect.isclass(value) or inspect.isfunction(value)):
            continue
        seen.add(id(value))
        yield name, value
        if inspect.isclass(value) and not issubclass(value, BaseException):
            for method, inside in vars(value).items():
                callable_ = isinstance(inside, (FunctionType, classmethod, staticmethod))
                of_a_base = any(hasattr(base, method) for base in value.__bases__)
                if callable_ and not method.startswith("_") and not of_a_base:
                    yield f"{name}.{method}", getattr(value, method)


THINGS = dict(public_things())
FUNCTIONS = {name: value for name, value in THINGS.items() if not inspect.isclass(value)}


def sections(value: Any) -> set[str]:
    """Headings of a NumPy-style docstring."""
    return set(re.findall(r"^(\w[\w ]*)\n-{3,}$", inspect.getdoc(value) or "", re.MULTILINE))


def parameters(function: Callable[..., Any]) -> list[str]:
    """The parameters that callers give."""
    return [name for name in inspect.signature(function).parameters if name not in ("self", "cls")]


@pytest.mark.parametrize("name", THINGS)
def test_each_public_thing_says_what_it_is(name: str) -> None:
    """The first line of the docstring is a sentence."""
    first = (inspect.getdoc(THINGS[name]) or "").partition("\n\n")[0]
    assert first.endswith("."), first


@pytest.mark.parametrize("name", FUNCTIONS)
def test_each_public_function_says_what_it_takes_and_gives(name: str) -> None:
    """What it takes has a section that names every parameter, and so has what it returns."""
    function = FUNCTIONS[name]
    text, found = inspect.getdoc(function) or "", sections(function)
    if parameters(function):
        assert "Parameters" in found
        missing = [each for each in parameters(function) if not re.search(rf"^[\w*, ]*\*{{0,2}}\b{each}\b", text, re.M)]
        assert missing == []
    returns = inspect.signature(function).return_annotation
    if returns not in (None, "None", inspect.Signature.empty):
        assert found & {"Returns", "Yields"}


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name.count(".") == 1 or ".Parallel." in name])
def test_each_public_function_shows_an_example(name: str) -> None:
    """The example is a doctest, which the suite runs."""
    assert "Examples" in sections(FUNCTIONS[name])
    assert ">>> " in (inspect.getdoc(FUNCTIONS[name]) or "")


@pytest.mark.parametrize("name", [name for name, value in THINGS.items() if inspect.isclass(value)])
def test_each_public_class_shows_what_it_is_made_of(name: str) -> None:
    """A class that users make has its parameters and an example; an error says when it is raised."""
    value, found = THINGS[name], sections(THINGS[name])
    if issubclass(value, BaseException) or value.__name__ in MADE_BY_OTHERS:
        return
    assert "Examples" in found
    if dataclasses.is_dataclass(value) or parameters(value):
        assert found & {"Parameters", "Attributes"}
