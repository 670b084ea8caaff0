"""One map's way to compiled code: when compiling pays, what came of it, and why not."""

from __future__ import annotations

import functools
import sys
from collections import Counter
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Any

from autopar._compilers import load
from autopar._compilers.native import Refusal
from autopar._engine import native
from autopar._engine.candidates import is_likely_refused, is_one_call
from autopar._engine.chooser import Chosen
from autopar._engine.machine import THIS_MACHINE
from autopar._engine.native import Forms, Ready, cached_seconds, kind_of
from autopar._engine.tierup import begin, compile_between_maps, note_map, saving
from autopar._model.effects import EffectKind
from autopar._model.plan import BACKENDS, COMPILERS
from autopar._plan import DEFAULT_COSTS

if TYPE_CHECKING:
    from autopar._engine.task import MapTask
    from autopar._model.compiler import Compiled, Types
    from autopar._model.plan import Plan, Rejected

AT_HAND = 2.5
"""Times of what loading should take that a map waits for an object that may be in the cache: meanwhile the loop would
only compete for the GIL with what reads the function."""

FRONT_END = 100e-3
"""Seconds that a map waits at most until the C compiler is at work, or an item's if that takes longer: what comes
before, imports included, took 35 to 60 ms of CPU time on a busy machine, and beside a loop in Python 250 to 400 ms
until the compiler had begun."""

NEARLY = 2.0
"""Times of what compiling costs that others wait for it while a first item runs, and that a map must be predicted to
take for its workers to wait: then waiting in vain costs it a half more at most. A guess."""

UNLIKELY = 3.0
"""Times of what compiling costs that a function must have cost which the compilers are likely to refuse: to find that
out took a third of it where NumPy was not loaded. What makes it unlikely may stand in a branch that is never taken, so
they are asked all the same. A guess."""

FEW = 2
"""Items from which their mean tells what the others take; a first one may import something, or wake a core up."""

_COMPILABLE_EFFECTS = frozenset({EffectKind.WRITES_ARGUMENT, EffectKind.UNKNOWN})
"""Effects that a function may have and still be worth a look: native code writes to arguments in place, and may know
the calls that the effect analysis cannot see into."""


_NUMBERS = frozenset({int, float, bool, type(None)})
_NUMERIC_MODULES = frozenset({"builtins", "math", "operator"})


def _numeric(value: Any) -> bool:
    """Whether a value could be one of the native fragment, by a look that imports nothing."""
    if type(value) in (list, tuple):
        return not value or _numeric(value[0])
    return type(value) in _NUMBERS or type(value).__module__.partition(".")[0] == "numpy"


def _of_another_kind(call: str) -> bool:
    """Whether a library call is one that no compiler has: the standard library's for other things, random numbers."""
    module = call.partition(".")[0]
    return (module in sys.stdlib_module_names and module not in _NUMERIC_MODULES) or call.startswith("numpy.random.")


_NONE = object()


class Compiling:
    """Decides for one map whether its function is compiled, and keeps what came of it.

    Attributes
    ----------
    why_not
        Why the map's function is not compiled, for the decision; empty while nothing speaks against it.
    form
        The compiled function in use, or None.
    python_seconds
        Seconds of an item in Python, where that is known.
    """

    def __init__(self, task: MapTask) -> None:
        self.task = task
        self.form: Compiled | None = None
        self.why_not = ""
        self._item: Any = _NONE
        self._found: Types | None = None
        self._types: Types | None = None
        self._cost = cached_seconds()
        self._asked = self._looked = self._waited = False
        self._begun_beside, self._begun_at = False, 0.0
        self._used: Compiled | None = None
        self.python_seconds: float | None = None
        self._left_before: Counter[tuple[int, str]] = Counter()
        settings = task.settings
        self.demanded = settings.must_compile
        if settings.compiler == "python":
            self.why_not = 'compiler="python" is demanded'
        elif settings.backend not in (None, "serial", "threads", "dask"):
            self.why_not = f'backend="{settings.backend}" is demanded, which runs the function as it is'
        elif settings.eager and not self.demanded:
            self.why_not = "AUTOPAR_EAGER asks for a backend, whatever that gains"

    def see(self, item: Any) -> None:
        """Note the first item: its types are those to compile for."""
        if self._item is _NONE:
            self._item = item

    @functools.cached_property
    def _unlikely(self) -> bool:
        return is_likely_refused(self.task.state.function)

    @property
    def pending(self) -> bool:
        """The compiler is at work for this map."""
        return self._types is not None and self.form is None and self._forms.pending(self._types)

    @property
    def wants_the_gil(self) -> bool:
        """The compiler is at work for this map, and not yet where it leaves the GIL to others."""
        return self.pending and self._types is not None and not self._forms.parked(self._types)

    def demand(self, item: Any) -> None:
        """Compile for a first item now, since compiled code is demanded; what stands against it is in ``why_not``."""
        if not self.demanded or self.form is not None or self.why_not:
            return
        self.see(item)
        found = self._find_types(item)
        form = found if isinstance(found, Refusal) else self._forms.now(found)
        if isinstance(form, Refusal):
            self.why_not = str(form)
        else:
            self._use(form)

    def consider(self, seconds_spent: float, *, may_wait: bool, at_hand: bool = False) -> None:
        """Begin to compile if what the function has cost, and what is left to do, reaches what that costs.

        Parameters
        ----------
        seconds_spent
            What this map has cost in Python so far.
        may_wait
            Nothing else is under way, so the map may stand still for an object that is to be loaded.
        at_hand
            Only what an earlier process has left in the cache is wanted, or what is likely to be compiled. Work on
            whole arrays may be refused, and workers that are sent for first are busy meanwhile.
        """
        if self._begun_beside and may_wait:
            self._begun_beside = False
            self._wait_until_begun()
        if self.form is not None or self._types is not None or self.why_not:
            return
        task = self.task
        if seconds_spent < DEFAULT_COSTS.look_seconds or (task.profile.items < FEW and seconds_spent < self._cost):
            return  # first items are often slow
        remaining = task.source.remaining
        # What compiled code saves is computing: not waits, nor what other programs take of a core.
        spent = saving(seconds_spent * task.profile.cpu_share, task.source.taken)
        left = spent if remaining is None else saving(remaining * task.profile.cpu_per_item, remaining)
        owed = task.state.spent + spent + left
        unlikely = self._unlikely
        if unlikely and owed < UNLIKELY * native.COMPILE_SECONDS and not task.state.memory.has_compiled:
            return  # not even worth a look for an object in the cache
        worth = owed / UNLIKELY if unlikely else owed
        # With little left the end of the map is the better moment: it has nothing to lose any more.
        if worth < self._cost or left < min(native.CACHED_SECONDS, self._cost):
            return
        if self._found is None and not self._look_at_types():
            return
        if worth < self._cost or self._found is None:
            return
        cached = self._forms.remembers(self._found)
        if not cached and (blocked := self._not_a_candidate()):
            self.why_not = blocked
            return
        if at_hand and not cached and (unlikely or task.traits().releasing_calls):
            return
        patience = AT_HAND * cached_seconds()
        self._begin(self._found)
        if may_wait and not unlikely and left >= min(self._cost, native.BEHIND_SECONDS):
            self._wait_until_begun(patience if cached else 0.0)

    def _wait_until_begun(self, for_the_cache: float = 0.0) -> None:
        """Wait until the C compiler is at work, or for so long for an object that is in the cache."""
        if self._types is None:
            return
        if for_the_cache:
            self._forms.wait(self._types, for_the_cache)
        elif self._forms.next_compiler(self._types) == "native":
            longest = max(FRONT_END, self.task.profile.seconds_per_item)
            self._forms.wait_for_the_c_compiler(self._types, self._before_the_deadline(longest))

    def _before_the_deadline(self, seconds: float) -> float:
        ends, now = self.task.deadline_at, self.task.machine.now()
        return seconds if ends is None else max(0.0, min(seconds, ends - now))

    def begin_beside(self, seconds: float) -> bool:
        """Whether others had better wait for compiled code while the first item runs, which has taken so many seconds.

        It is asked for where the others would cost as much as compiling if they took no longer than that. Worker
        processes cannot be forked meanwhile, so they wait as long as a C compiler may need.
        """
        task = self.task
        if self._types is None and self.form is None and not self.why_not and task.machine is THIS_MACHINE:
            owed = task.state.spent + saving(seconds * (1 + (task.source.remaining or 0)), 1)
            likely = not self._unlikely and not task.traits().releasing_calls
            if likely and owed >= self._cost and (self._found is not None or self._look_at_types()):
                self._begin_beside(seconds, owed)
        if self._types is None or self.why_not:
            return False
        patient = seconds - self._begun_at < NEARLY * native.COMPILE_SECONDS
        if self.pending:
            return patient and self._forms.next_compiler(self._types) == "native"
        return self._is_there(self._types)

    def _begin_beside(self, seconds: float, owed: float) -> None:
        if self._found is None or owed < self._cost:
            return
        self.why_not = "" if self._forms.remembers(self._found) else self._not_a_candidate()
        if not self.why_not:
            self._begin(self._found)
            self._begun_beside, self._begun_at = True, seconds

    def _is_there(self, types: Types) -> bool:
        """There is compiled code, and neither a refusal nor anything still to be asked."""
        known = self._forms.known(types)
        return known is not None and not isinstance(known, Refusal)

    def patience(self, plan: Plan) -> float:
        """Seconds for which no workers had better start for this plan, because the compiler is nearly done.

        An item that takes longer is not begun either: then the time has passed already. Only once: if the compiler
        needs more, the plan is followed after all.
        """
        task = self.task
        heavy = task.profile.seconds_per_item > native.COMPILE_SECONDS
        starts = plan.backend == "processes" and not task.machine.warm_workers().get("processes")
        if self._types is None or self._waited or not (starts or (heavy and plan.backend == "serial")):
            return 0.0
        if starts and self.wants_the_gil:
            self._wait_until_begun()  # until then nothing can be forked, and to spawn takes longer
        nearly = self.pending and not self.wants_the_gil and (plan.predicted or 0.0) > NEARLY * native.COMPILE_SECONDS
        if not nearly and not self._is_there(self._types):
            return 0.0
        self._waited = True
        if heavy:
            self._forms.wait(self._types, self._before_the_deadline(native.COMPILE_SECONDS))
            if not self._is_there(self._types):
                return 0.0
        return native.COMPILE_SECONDS

    def _begin(self, types: Types) -> None:
        self._types = types
        begin(self.task.state, types, kind_of(self._item, star=self.task.source.star))

    def _look_at_types(self) -> bool:
        """Find out for which types, and what that costs; False if there is nothing to compile for."""
        self._asked = True
        found: Types | Refusal
        found = Refusal(other) if (other := self._of_another_type()) else self._find_types(self._item)
        if isinstance(found, Refusal):
            self.why_not = str(found)
            return False
        self._found, self._cost = found, self._forms.cost(found)
        return True

    def settle(self) -> None:
        """The map has ended: note what it has cost in Python, and have the next one compiled if that is enough."""
        task, state = self.task, self.task.state
        if self._types is not None or self.why_not or self.demanded or self._item is _NONE:
            return
        if task.maps_inside or task.machine is not THIS_MACHINE:
            return
        args = self._arguments(self._item)
        share = task.profile.cpu_share if task.profile.items else 1.0
        if not note_map(state, task.worked * share, task.items_done) or args is None:
            return
        if self._of_another_type() or (state.followed_codes() is not None and self._not_a_candidate()):
            state.spent = 0.0
            return
        compile_between_maps(state, args, task.kwargs, kind_of(self._item, star=task.source.star))

    @property
    def comparing_seconds(self) -> float:
        """What comparing with Python has taken so far; it says nothing about the items that follow."""
        return 0.0 if self.form is None else self.form.comparing_seconds

    @property
    def has_forms(self) -> bool:
        """The function has been compiled in this process, or is being, for some types."""
        return self.task.state.forms.some

    def take_up(self) -> bool:
        """Take a form that an earlier map or call has had compiled for the first item's types; True if there is one.

        One that is still being made is taken by :meth:`adopt` when it is there.
        """
        if self._looked or self.form is not None or self.why_not or self._item is _NONE:
            return False
        self._looked = True
        found = self._find_types(self._item)
        form = found if isinstance(found, Refusal) else self._forms.known(found)
        if isinstance(found, Refusal) or isinstance(form, Refusal):
            return False
        if form is not None or self._forms.pending(found):
            self._types = self._found = found
        if form is not None and (why := self._no_gain(form)):
            self.why_not = why
            return False
        if form is not None:
            self._use(form)
        return form is not None

    def note_seconds(self, each: float) -> None:
        """Keep what an item has taken in compiled code; the first maps compare with Python on top of that."""
        ready = self._ready
        if ready is not None and ready.form is self.form:
            ready.seconds = each if ready.seconds is None else min(each, ready.seconds)

    @property
    def seconds(self) -> float:
        """What an item has taken at least in the compiled code that runs now; 0 if that is not known."""
        ready = self._ready
        return 0.0 if ready is None or ready.form is not self.form else ready.seconds or 0.0

    @property
    def _ready(self) -> Ready | None:
        return self._forms.ready.get(kind_of(self._item, star=self.task.source.star))

    def go_on(self, form: Compiled) -> None:
        """Go on with a form that the first items ran with."""
        self._types = self._found = form.types
        self._use(form)

    def adopt(self) -> bool:
        """Take the compiled function if it has become ready; True if it just has."""
        if self._types is None or self.form is not None or self.why_not:
            return False
        form = self._forms.known(self._types)
        if form is None:
            return False
        if isinstance(form, Refusal):
            self.why_not = str(form)
            return False
        self._check_sample(form)
        if form.withdrawn:
            self.why_not = form.withdrawn
            return False
        self._use(form)
        return True

    def dropped(self) -> bool:
        """Whether the compiled function in use was withdrawn, or is no gain here; the rest then runs in Python."""
        why = "" if self.form is None else self.form.withdrawn or self._no_gain(self.form)
        if not why:
            return False
        self.why_not, self.form = why, None
        return True

    def _no_gain(self, form: Compiled) -> str:
        """Why items like the first run in Python although there is a form, or an empty string."""
        args = self._arguments(self._item)
        return form.in_python(args, self.task.kwargs) if isinstance(form, Chosen) and args is not None else ""

    @property
    def excluded(self) -> dict[str, str]:
        """What the planner must not take, and why: native code where there is none, else what cannot have it."""
        if self.form is not None:
            elsewhere = [name for name, spec in BACKENDS.items() if not spec.same_process and name != "dask"]
            others = {
                name: self.reason_against(name) for name in COMPILERS if name not in ("python", self.form.compiler)
            }
            return {**dict.fromkeys(elsewhere, "the compiled code runs in this process"), **others}
        found = {name: self.reason_against(name) for name in COMPILERS if name != "python"}
        if self.demanded and not self.why_not:
            found.pop(self.task.settings.compiler or "", None)
        return found

    @property
    def reason(self) -> str:
        """Why the map is not compiled, in words."""
        if self.why_not:
            return self.why_not
        if self.pending:
            return "it was still being compiled"
        return f"too little is left to repay compiling, which takes about {native.COMPILE_SECONDS:g} s"

    def reason_against(self, compiler: str) -> str:
        """Why the map is not compiled by this compiler, in words."""
        refused = self._forms.refusals(self._found)
        if compiler in refused:
            return str(refused[compiler])
        form = self.form or self._used
        if form is not None and form.compiler != compiler and not self.why_not:
            return f"the function is compiled already, to {form.compiler} code"
        if self.why_not or compiler in (self._forms.compilers[0], "cython"):
            return self.reason
        if not refused:
            return f"it is asked where {self._forms.compilers[0]} code is not to be had"
        return f"too little is left to repay compiling, which takes about {load(compiler).COMPILE_SECONDS:g} s"

    def latest(self, rejected: tuple[Rejected, ...]) -> tuple[Rejected, ...]:
        """The planner's rows with what has become known of native code since the choice was made."""
        used = "" if self._used is None or self.why_not else self._used.compiler
        return tuple(
            row if row.plan.compiler == "python" else replace(row, because=self.reason_against(row.plan.compiler))
            for row in rejected
            if row.plan.compiler != used or row.plan.compiler == "python"
        )

    @property
    def used(self) -> bool:
        """Compiled code has run items of this map."""
        return self._used is not None

    def notes(self, *, chosen: bool) -> tuple[str, ...]:
        """What the decision should say besides its rows; where nothing was ``chosen`` there are no rows."""
        found = [] if chosen or self._used is not None or not self._asked else [f"not compiled: {self.reason}"]
        used = self._used
        if used is not None:
            left = used.counters.exits - self._left_before
            found += [f"{used.types_text}: {note}" for note in used.notes]
            found += [
                f"{times:,} items left the compiled code at line {line}: {why}" for (line, why), times in left.items()
            ]
        return tuple(found)

    def _use(self, form: Compiled) -> None:
        task = self.task
        latest = task.state.memory.latest.get(type(self._item))
        known = task.profile if task.profile.items else task.remembered or latest
        if known is not None:
            form.python_seconds = known.seconds_per_item
        self.python_seconds = form.python_seconds
        self.form = self._used = form
        self._left_before = form.counters.exits.copy()
        self._forms.ready.setdefault(kind_of(self._item, star=self.task.source.star), Ready(form)).form = form
        self.task.another_function()

    @property
    def _forms(self) -> Forms:
        state = self.task.state
        return state.demanded_forms(self.task.settings.compiler or "") if self.demanded else state.forms

    def _find_types(self, item: Any) -> Types | Refusal:
        args = self._arguments(item)
        if args is None:
            return Refusal(f"items are of type {type(item).__name__}, and not tuples of arguments")
        return self._forms.types_of_call(args, self.task.kwargs)

    def _arguments(self, item: Any) -> tuple[Any, ...] | None:
        """An item as positional arguments; None for one that only can be used up."""
        if not self.task.source.star:
            return (item,)
        return tuple(item) if type(item) in (tuple, list) else None

    def _of_another_type(self) -> str:
        """Why the first item is none that can be compiled for, by a glance, or an empty string."""
        if self._item is _NONE:
            return "no item has been seen yet"
        args = self._arguments(self._item) or ()
        other = next((value for value in chain(args, self.task.kwargs.values()) if not _numeric(value)), None)
        if other is None:
            return ""
        return f"a parameter's value is not of a type of the native fragment: {type(other).__name__}"

    def _not_a_candidate(self) -> str:
        """Why there is no use in asking the compiler, by the function's analysis, or an empty string."""
        traits = self.task.traits()
        if traits.is_async or traits.is_generator:
            return "coroutines and generators are not in the native fragment"
        foreign = [effect for effect in traits.report.effects if effect.kind not in _COMPILABLE_EFFECTS]
        if foreign:
            return str(foreign[0])
        calls = traits.report.calls
        foreign_calls = [call for call in calls if _of_another_kind(call)]
        if foreign_calls:
            return f"it calls {foreign_calls[0]}, which is not in the native fragment"
        nothing_else = len(traits.report.codes) == 1 and is_one_call(self.task.state.function)
        return f"it does nothing but call {calls[0]}, which is compiled already" if calls and nothing_else else ""

    def _check_sample(self, form: Compiled) -> None:
        """Compare with the item that ran first in Python: its result is there already, and costs nothing."""
        from autopar._compilers.native.comparing import difference

        task = self.task
        if not form.pure or task.collects or task.sample_item is not self._item:
            return
        args = task.sample_item if task.source.star else (task.sample_item,)
        found = difference(form(*args, **task.kwargs), task.sample_result, rtol=task.settings.rtol)
        if found and not form.withdrawn:
            form.mismatch(found)
