"""What the snippets of `hidden` have around them: shared objects, classes and functions with an effect in each corner.

Whatever is appended to `seen` is an effect.
"""

from __future__ import annotations

import asyncio
import atexit
import builtins
import collections
import concurrent.futures
import contextlib
import contextvars
import copy
import dataclasses
import decimal
import functools
import io
import itertools
import json
import logging
import operator
import os
import pickle
import queue
import random
import sys
import threading
import types
import weakref
from collections.abc import Callable, Iterator
from typing import Any

seen: list[Any] = []
cache: dict[Any, Any] = {}
names: set[Any] = set()
nested: dict[str, list[list[Any]]] = {"a": [[]]}
generator = random.Random(0)
logger = logging.getLogger("effects.hidden")
async_lock = asyncio.Lock()
MODULES = (
    atexit, builtins, collections, concurrent.futures, contextvars, copy, decimal, functools, io, itertools, json,
    operator, os, pickle, queue, sys, threading, types, weakref,
)  # fmt: skip


class Box:
    """Holds things; its methods change it, its class or the program's list."""

    shared: dict[Any, Any] = {}  # noqa: RUF012
    count = 0
    inner: Any = None
    callback: Any = None

    def __init__(self, items: Any = None) -> None:
        self.items = items if items is not None else []

    def add(self, item: Any) -> None:
        self.items.append(item)

    def count_by_type(self) -> None:
        type(self).count += 1

    def count_by_class(self) -> None:
        self.__class__.count += 1

    @functools.cached_property
    def lazy(self) -> int:
        return 1

    @staticmethod
    def keep(item: Any) -> None:
        seen.append(item)

    @classmethod
    def counted(cls, item: Any) -> None:
        cls.count += 1


box = Box()
box.callback = print
box.inner = Box()


class Noisy:
    """Every special method has an effect."""

    def __len__(self) -> int:
        seen.append("len")
        return 1

    def __bool__(self) -> bool:
        seen.append("bool")
        return True

    def __lt__(self, other: Any) -> bool:
        seen.append("lt")
        return True

    def __eq__(self, other: object) -> bool:
        seen.append("eq")
        return True

    def __hash__(self) -> int:
        seen.append("hash")
        return 1

    def __repr__(self) -> str:
        seen.append("repr")
        return "Noisy()"

    def __contains__(self, item: Any) -> bool:
        seen.append("contains")
        return True

    def __delitem__(self, key: Any) -> None:
        seen.append("delitem")

    def __setitem__(self, key: Any, value: Any) -> None:
        seen.append("setitem")

    def __radd__(self, other: Any) -> int:
        seen.append("radd")
        return 1

    def __iadd__(self, other: Any) -> Noisy:
        seen.append("iadd")
        return self

    def __neg__(self) -> int:
        seen.append("neg")
        return 1

    def __call__(self, item: Any) -> Any:
        seen.append(item)
        return item


noisy = Noisy()


class Property:
    """A property with a setter that has an effect."""

    @property
    def value(self) -> int:
        return 1

    @value.setter
    def value(self, value: Any) -> None:
        seen.append(value)


class SetsAttributes:
    """Has an effect when any attribute is set."""

    def __setattr__(self, name: str, value: Any) -> None:
        seen.append(value)


class GetsAttributes:
    """Has an effect when a missing attribute is looked up."""

    def __getattr__(self, name: str) -> int:
        seen.append(name)
        return 1


class Descriptor:
    """Has an effect when it is read or set."""

    def __get__(self, instance: Any, owner: Any = None) -> int:
        seen.append("get")
        return 1

    def __set__(self, instance: Any, value: Any) -> None:
        seen.append("set")


class HasDescriptor:
    """Has a descriptor."""

    value = Descriptor()


@dataclasses.dataclass
class Checked:
    """Has an effect after it was made."""

    a: Any
    b: int = 1

    def __post_init__(self) -> None:
        seen.append(self.a)


class Entered:
    """Has an effect when a coroutine enters it."""

    async def __aenter__(self) -> None:
        seen.append("entered")

    async def __aexit__(self, *exc: object) -> None:
        """Leave."""


Row = collections.namedtuple("Row", "a b")


def same(a: Any) -> Any:
    return a


def either(a: Any, b: Any) -> Any:
    return a if b else b


def add_one(a: Any) -> None:
    a.append(1)


def by_name(**given: Any) -> None:
    given["target"].append(1)


def by_star(*given: Any) -> None:
    given[0].append(1)


def apply(function: Any, *args: Any, **kwargs: Any) -> Any:
    return function(*args, **kwargs)


def countdown(n: int, found: Any) -> None:
    if n:
        found.append(n)
        countdown(n - 1, found)


@contextlib.contextmanager
def keeping(x: Any) -> Iterator[Any]:
    seen.append(x)
    yield x


@contextlib.contextmanager
def giving(x: Any) -> Iterator[Any]:
    yield x


def counting(function: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a function so that its calls are counted in a closure."""
    calls: list[Any] = []

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        calls.append(args)
        return function(*args, **kwargs)

    return wrapper


@counting
def counted(x: Any) -> Any:
    return x
