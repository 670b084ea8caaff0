"""The static facts about a function: async, generator, loops, and what is known of the library calls in it."""

from __future__ import annotations

import functools
import inspect
import opcode
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from types import CodeType
from typing import Any

from autopar import _effects
from autopar._model.effects import EffectReport
from autopar._model.observation import Traits
from autopar._observe.known_calls import Known, classify_call
from autopar._observe.outside import reaches_outside

# A `while` jumps backwards. JUMP_BACKWARD_NO_INTERRUPT is not here: it is how `await` and `yield from` resume.
_BACKWARD = frozenset(
    number
    for name, number in opcode.opmap.items()
    if name == "JUMP_BACKWARD" or name.startswith("POP_JUMP_BACKWARD_IF_")
)
# Exception handlers begin with these. The compiler moves them to the end (push_cold_blocks_to_end in CPython's
# Python/flowgraph.c, Python/compile.c before 3.12), from where they jump back to what follows the `try`: no loop.
_HANDLERS = frozenset(opcode.opmap[name] for name in ("PUSH_EXC_INFO", "CLEANUP_THROW") if name in opcode.opmap)
_FOR = opcode.opmap["FOR_ITER"]
# Attribute that marks a coroutine function, and where its value is kept; a module that nobody imported marked none.
_MARKS = (
    ("_is_coroutine", "asyncio.coroutines", "_is_coroutine"),
    ("_is_coroutine_marker", "inspect", "_is_coroutine_mark"),
    ("_is_coroutine_marker", "inspect", "_is_coroutine_marker"),  # its name in 3.12
)
# Packages with operators whose C code releases the GIL, or that stand below those which have some.
_ARRAY_PACKAGES = frozenset({"cupy", "jaxlib", "numpy", "polars", "pyarrow", "torch"})
_COMPREHENSIONS = frozenset({"<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>"})


def observe_traits(function: Callable[..., Any], report: EffectReport | None = None) -> Traits:
    """Collect what can be said of a function without calling it.

    Parameters
    ----------
    function
        The user's own callable: function, method, partial or callable object.
    report
        Its effects, if they have been analysed already.

    Examples
    --------
    >>> __name__ = "shop"  # a module of your program
    >>> import time
    >>> def poll(url):
    ...     while True:
    ...         time.sleep(1)
    >>> traits = observe_traits(poll)
    >>> traits.has_loops, traits.blocking_calls
    (True, ('time.sleep',))
    """
    if report is None:
        report = _effects.analyse(function)
    calls = {known: tuple(call for call in report.calls if classify_call(call) is known) for known in Known}
    return Traits(
        name=name_of(function),
        is_async=returns_coroutine(function),
        is_generator=returns_generator(function),
        has_loops=any(map(_has_loop, report.codes)),
        blocking_calls=calls[Known.BLOCKS],
        releasing_calls=calls[Known.RELEASES],
        foreign_calls=calls[Known.FOREIGN],
        outside_calls=tuple(call for call in report.calls if reaches_outside(call)),
        array_work=(*report.array_work, *report.array_work_on_arguments) if _arrays_are_possible() else (),
        report=report,
    )


def without_array_arguments(traits: Traits) -> Traits:
    """The same for calls whose arguments are no arrays and hold none."""
    ours = traits.report.array_work if traits.array_work else ()
    return traits if ours == traits.array_work else replace(traits, array_work=ours)


def _arrays_are_possible() -> bool:
    """Some package is loaded that has arrays; nobody but one of these makes any."""
    return not _ARRAY_PACKAGES.isdisjoint(sys.modules)


def name_of(function: Callable[..., Any]) -> str:
    """Return ``module.qualname`` of a callable; a callable object has its class's.

    Examples
    --------
    >>> import textwrap
    >>> name_of(functools.partial(textwrap.dedent, "x"))
    'textwrap.dedent'
    """
    target: Any = _behind(function)
    qualname = _attribute(target, "__qualname__")
    if not isinstance(qualname, str):
        target = type(target)
        qualname = target.__qualname__
    module = _attribute(target, "__module__")
    return f"{module}.{qualname}" if isinstance(module, str) else qualname


def returns_coroutine(function: Callable[..., Any]) -> bool:
    """Tell whether calling it gives a coroutine, so that somebody must await it."""
    target = _behind(function)
    return inspect.iscoroutinefunction(_code_of_call(target)) or _is_marked(target)


def returns_generator(function: Callable[..., Any]) -> bool:
    """Tell whether calling it gives a generator or an asynchronous one: its body runs later, in whoever consumes it."""
    code = _code_of_call(_behind(function))
    return inspect.isgeneratorfunction(code) or inspect.isasyncgenfunction(code)


def _behind(function: Any) -> Any:
    """Follow what passes on the result of what it wraps.

    Not ``__wrapped__`` of any decorator: one that runs a coroutine to its end wraps an async function and is none
    itself.
    """
    while True:
        if isinstance(function, functools.partial):
            function = function.func
        elif isinstance(function, staticmethod | classmethod):
            function = function.__func__
        elif isinstance(function, functools._lru_cache_wrapper):
            function = function.__wrapped__
        else:
            return function


def _code_of_call(target: Any) -> Any:
    """Return what runs when the target is called: itself, or the ``__call__`` of an object."""
    return target if _is_plain(target) else _behind(inspect.getattr_static(type(target), "__call__", None))


def _is_plain(target: Any) -> bool:
    """Tell a function, method or class from an object whose attributes run the user's code when they are looked up."""
    return inspect.isroutine(target) or isinstance(target, type)


def _attribute(target: Any, name: str) -> Any:
    return getattr(target, name, None) if _is_plain(target) else inspect.getattr_static(target, name, None)


def _is_marked(target: Any) -> bool:
    """Know the marks that asyncio, and inspect from 3.12 on, put on what only behaves like a coroutine function."""
    for attribute, module, name in _MARKS:
        mark = getattr(sys.modules.get(module), name, None)
        if mark is not None and _attribute(target, attribute) is mark:
            return True
    return False


def _has_loop(code: CodeType) -> bool:
    """Look for a loop in the bytecode; a `while` inside an exception handler is missed."""
    opcodes = code.co_code[::2]
    first_handler = next((at for at, number in enumerate(opcodes) if number in _HANDLERS), len(opcodes))
    return (
        _FOR in opcodes
        or not _BACKWARD.isdisjoint(opcodes[:first_handler])
        or any(map(_has_loop, _comprehensions(code)))  # code of their own before 3.12
    )


def _comprehensions(code: CodeType) -> Iterable[CodeType]:
    return (inner for inner in code.co_consts if isinstance(inner, CodeType) and inner.co_name in _COMPREHENSIONS)
