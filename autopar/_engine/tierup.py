"""One account for what a function has cost in Python, by calls and by maps: once it is large enough, it is compiled.

Renting and buying (ski rental: Karlin et al., Competitive snoopy caching, Algorithmica 3, 1988): a function is compiled
when its Python seconds have reached what compiling costs, so all of it never costs more than twice the best in
hindsight. Where nobody waits for the compiler, at the end of a map, the price is only what a program notices of it.
"""

from __future__ import annotations

import functools
import time
from typing import TYPE_CHECKING, Any

from autopar._compilers.native import Refusal
from autopar._engine import native, objects
from autopar._engine.journal import record
from autopar._engine.native import Ready, cached_seconds, seconds_behind
from autopar._model.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from autopar._engine.functions import FunctionState
    from autopar._engine.native import Kind
    from autopar._model.compiler import Compiled, Types

NATIVE_ITEM = 0.1e-6
"""Seconds of an item in compiled code that has nothing to do: 60 to 100 ns for its way in and out of a block, 120 for a
call (benchmarks/native). So much of an item's time compiling does not save."""

CALL_SECONDS = 0.25e-6
"""What a call of a compiled form takes around the code itself, from a loop in C (benchmarks/native)."""


def saving(seconds: float, items: int) -> float:
    """What compiled code could save at most of so many seconds in Python."""
    return max(0.0, seconds - items * NATIVE_ITEM)


def note_map(state: FunctionState, seconds: float, items: int) -> bool:
    """Add what a map has taken in Python to the account; whether it holds enough now to ask between two maps."""
    saved = seconds - items * NATIVE_ITEM
    if saved > 0.0:
        state.spent += saved
    return state.spent >= native.BEHIND_SECONDS or state.spent >= native.COMPILE_SECONDS


def note_calls(state: FunctionState, args: Any, kwargs: Any, seconds: float) -> None:
    """Add single calls to the account; once it holds what compiling costs, have it done for calls like this."""
    state.spent += seconds
    if state.spent < cached_seconds() or state.target[0] is not state.function:
        return
    types = state.forms.types_of_call(args, kwargs)
    if isinstance(types, Refusal):
        if state.spent >= native.COMPILE_SECONDS:
            _on_objects(state, args, kwargs)
            state.spent = 0.0  # another call may be of other types
        return
    if state.spent < state.forms.cost(types):
        return

    def install(form: Compiled) -> None:
        form.listener = lambda call: state.target.__setitem__(0, call)
        if not form.withdrawn:
            state.target[0] = form.call

    state.forms.settled = functools.partial(_write_down, state)
    form = state.forms.begin(types, then=install)
    if form is None:
        state.spent = 0.0
        return
    if isinstance(form, Refusal):
        _on_objects(state, args, kwargs)
    else:
        install(form)
    state.spent = 0.0


def _on_objects(state: FunctionState, args: Any, kwargs: Any) -> None:
    """Hand what the account holds to that of functions compiled as a whole: no kernel can be made of this call."""
    state.objects.forms.settled = functools.partial(_write_down, state)
    objects.note_calls(state, args, kwargs, state.spent)


def _write_down(state: FunctionState, compiler: str, why: str, seconds: float) -> None:
    """Write down what single calls run from now on."""
    plan = Plan(compiler=compiler)
    record(state, operation="call", started=time.time(), items=1, workload=None, plan=plan, why=why, actual=seconds)


def compile_between_maps(state: FunctionState, args: tuple[Any, ...], kwargs: Mapping[str, Any], kind: Kind) -> None:
    """Have the function compiled for calls like this on another thread, if the account holds what that costs by now.

    The next map whose first item is of this ``kind`` finds the form.
    """
    types = state.forms.types_of_call(args, kwargs)
    if isinstance(types, Refusal):
        state.spent = 0.0  # the items of another map may be of other types
    elif state.spent >= _price(state, types):
        begin(state, types, kind)


def _price(state: FunctionState, types: Types) -> float:
    """What a program notices of the next compiler while nobody waits for it: of Numba all, which holds the GIL."""
    cost = state.forms.cost(types)
    return min(cost, seconds_behind()) if state.forms.next_compiler(types) == "native" else cost


def begin(state: FunctionState, types: Types, kind: Kind) -> Compiled | Refusal | None:
    """Begin to compile on another thread; the account starts anew."""
    state.spent = 0.0
    return state.forms.begin(types, then=lambda form: state.forms.ready.__setitem__(kind, Ready(form)))
