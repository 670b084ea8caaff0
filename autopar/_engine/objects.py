"""Functions on objects, compiled as a whole once their calls have cost in Python what Cython takes to compile them.

Only single calls lead here. A map over objects may run in processes, several items at a time, which compiled code that
holds the GIL would have to give up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autopar._compilers import load
from autopar._compilers.native import Refusal

if TYPE_CHECKING:
    from autopar._engine.functions import FunctionState
    from autopar._engine.native import Forms
    from autopar._model.compiler import Compiled

CYTHON = "cython"

MOST_REFUSALS = 3
"""Combinations of types for which a function is refused before it is not asked about again."""


def note_calls(state: FunctionState, args: Any, kwargs: Any, seconds: float) -> None:
    """Add what calls took to the account of a function that no kernel can be made of; compile it once that pays."""
    account = state.objects
    account.spent += seconds
    compiler = load(CYTHON)
    if account.spent < compiler.CACHED_SECONDS or len(account.refused) >= MOST_REFUSALS:
        return
    forms = account.forms
    types = forms.types_of_call(args, kwargs)
    if isinstance(types, Refusal):
        account.refuse(str(types))
        return
    cost = compiler.CACHED_SECONDS if forms.remembers(types) else compiler.COMPILE_SECONDS
    if account.spent < cost:
        return
    account.spent = 0.0
    if why := state.unseen(args, kwargs):
        account.refuse(why)
        return

    def install(form: Compiled) -> None:
        form.listener = lambda call: state.target.__setitem__(0, call)
        if not form.withdrawn:
            state.target[0] = form.call

    form = forms.begin(types, then=install)
    if isinstance(form, Refusal):
        account.refuse(str(form))
    elif form is not None:
        install(form)


class Account:
    """What calls of a function on objects have cost, and its compiled forms.

    Attributes
    ----------
    spent
        Seconds of its calls in Python since compiling was last begun.
    forms
        What Cython has made of it.
    refused
        Why not, in words; each once.
    """

    def __init__(self, forms: Forms) -> None:
        self.spent = 0.0
        self.forms = forms
        self.refused: list[str] = []

    def refuse(self, why: str) -> None:
        """Note a reason."""
        self.spent = 0.0
        if why not in self.refused:
            self.refused.append(why)
