"""Many functions in one run of Cython and of the C compiler, since each run costs seconds."""

from __future__ import annotations

import sys
from collections.abc import Hashable, Mapping
from types import FunctionType
from typing import TypeVar

import pytest

from autopar._compilers.cython.builder import FLAGS, build
from autopar._compilers.cython.compiled import CompiledObjects
from autopar._compilers.cython.generate import Written, module_text, write
from autopar._effects import analyse
from autopar._model.compiler import NotCompiled, Refusal

Key = TypeVar("Key", bound=Hashable)

QUICK = tuple("-O0" if flag == "-O2" else flag for flag in FLAGS)
DEADLINE = 600.0
MOST_IN_ONE = 250

needs_gil = pytest.mark.skipif(
    not getattr(sys, "_is_gil_enabled", lambda: True)(), reason="a module of Cython's would switch the GIL on"
)


def opened(
    functions: Mapping[Key, FunctionType], *, flags: tuple[str, ...] = QUICK
) -> dict[Key, CompiledObjects | Refusal]:
    """Compile each function as a whole, or say why not."""
    found: dict[Key, CompiledObjects | Refusal] = {}
    written: dict[Key, Written] = {}
    for key, function in functions.items():
        try:
            written[key] = write(function, analyse(function).codes)
        except NotCompiled as refused:
            found[key] = refused.refusal
    keys = list(written)
    for first in range(0, len(keys), MOST_IN_ONE):
        some = keys[first : first + MOST_IN_ONE]
        text, before = module_text([written[key] for key in some])
        built = build(text, flags=flags, deadline=DEADLINE)
        for number, key in enumerate(some):
            found[key] = CompiledObjects(
                written[key].function, (), written[key], built, number=number, before=before[number]
            )
    return found
