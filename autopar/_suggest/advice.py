"""What each loop of a program costs, what the planner predicts for it as a map, and what stands against that."""

from __future__ import annotations

import ast
import gc
import os
import sys
import time
import types
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import CodeType
from typing import Any

from autopar._classify import classify
from autopar._engine.functions import ArgumentTypes, FunctionState
from autopar._engine.prices import host_prices
from autopar._model.hints import DEFAULTS
from autopar._model.observation import Host, Profile, Sample, Traits
from autopar._model.plan import Choice, Rejected
from autopar._model.workload import Kind
from autopar._observe.pickled_size import pickled_size, shared_size
from autopar._plan import Costs, Situation, choose
from autopar._suggest.counted import DRAW, Count, calls_something
from autopar._suggest.exact import InexactError, Rewriting, rewriting
from autopar._suggest.loading import START
from autopar._suggest.program import Run
from autopar._suggest.sampler import Spent
from autopar._suggest.sites import Site, Syntax, carried
from autopar._suggest.spans import Span, span_at, span_of

WORTH_NAMING = 0.02
"""Share of the program's time from which a loop is spoken of."""

ALIKE = 0.75
"""Share of an inner loop's gain from which the loop around it is as good a map: predictions are not more exact."""

MOSTLY = 0.5
"""Share of a loop's time in one call from which that call is the loop's work."""


@dataclass
class Advice:
    """What is to be said of one loop.

    Attributes
    ----------
    path, line, kind, scope
        Which loop.
    calls
        What it calls for each item, as it is written; empty if its work stands in the loop itself.
    executions, items
        How often it ran, and over how many items in all; None where that was not counted.
    seconds, cpu_seconds
        What it took, of wall clock and of CPU.
    plan, predicted, gain
        The plan for it as a map, the seconds that all of its executions would take, and the seconds saved.
    pays
        A map is predicted to save enough.
    why
        The reason, in words.
    hint
        What would make it pay, if the user can give that word; empty for nothing.
    rewriting
        How it becomes a map; None with ``by_hand`` saying why not.
    """

    path: str
    line: int
    kind: str
    scope: str
    calls: str
    seconds: float
    cpu_seconds: float
    executions: int | None = None
    items: int | None = None
    plan: str = ""
    predicted: float | None = None
    gain: float = 0.0
    pays: bool = False
    why: str = ""
    hint: str = ""
    function: str = ""
    by_hand: str = ""
    rewriting: Rewriting | None = None
    span: Span | None = None


@dataclass
class _Seen:
    """What the samples say of one loop."""

    whole: Spent = field(default_factory=Spent)
    calls: dict[int, Spent] = field(default_factory=dict)
    callees: Counter[CodeType] = field(default_factory=Counter)
    inside: dict[tuple[str, int], float] = field(default_factory=dict)


class Adviser:
    """Goes through what a run has shown.

    Parameters
    ----------
    run
        The run.
    host
        The machine to predict for.
    least
        Seconds of gain from which a map is suggested.
    start
        Seconds that the program pays once for the library.
    """

    def __init__(self, run: Run, host: Host, least: float, start: Callable[[], float] = lambda: START) -> None:
        self._run = run
        self._host = host
        self._least = least
        self._start = start
        self._seen: dict[tuple[str, int], _Seen] = {}
        self._spans: dict[tuple[CodeType, int], Span | None] = {}
        self._functions = _functions_by_code()
        self.start = 0.0
        for stack, spent in run.sampler.stacks.items():
            self._take(stack, spent)

    @property
    def costs(self) -> Costs:
        """What this machine is known to cost."""
        return host_prices().costs

    def advice(self) -> list[Advice]:
        """All loops that took a share of the time, the longest first, each with what is to be said of it."""
        enough = WORTH_NAMING * self._run.seconds
        found = [(key, seen) for key, seen in self._seen.items() if seen.whole.wall >= enough]
        found.sort(key=lambda pair: (-pair[1].whole.wall, pair[0]))
        told = {key: self._of(key, seen) for key, seen in found}
        self._only_outermost(told)
        self._with_the_library(told.values())
        return list(told.values())

    def _take(self, stack: tuple[tuple[CodeType, int], ...], spent: Spent) -> None:
        """Give what was spent with a stack to each loop that it stands in."""
        around: list[tuple[str, int]] = []
        for depth, (code, instruction) in enumerate(stack):
            place = self._place(code, instruction)
            syntax = self._run.modules.get(code.co_filename)
            if place is None or syntax is None:
                continue
            for site in syntax.sites:
                key = (code.co_filename, site.number)
                if not site.span.holds(place) or (key in around and not _same_frame(stack, depth)):
                    continue
                seen = self._seen.setdefault(key, _Seen())
                if key not in around:
                    seen.whole.add(spent)
                    for outer in around:
                        seen.inside[outer] = seen.inside.get(outer, 0.0) + spent.wall
                    around.append(key)
                callee = stack[depth + 1][0] if depth + 1 < len(stack) else None
                self._take_call(seen, site, place, callee, spent)

    def _take_call(self, seen: _Seen, site: Site, place: Span, callee: CodeType | None, spent: Spent) -> None:
        comprehension = callee is not None and callee.co_name.startswith("<") and callee.co_name != "<lambda>"
        if isinstance(site.node, ast.Call):
            number = 0
        else:
            found = [number for number, call in enumerate(site.calls) if span_of(call).holds(place)]
            if not found:
                return
            number = found[0]
        seen.calls.setdefault(number, Spent()).add(spent)
        if callee is not None and not comprehension:
            seen.callees[callee] += spent.samples

    def _place(self, code: CodeType, instruction: int) -> Span | None:
        key = (code, instruction)
        if key not in self._spans:
            self._spans[key] = span_at(code, instruction)
        return self._spans[key]

    # -- one loop -----------------------------------------------------------------------------------------------------

    def _of(self, key: tuple[str, int], seen: _Seen) -> Advice:
        path, number = key
        syntax = self._run.modules[path]
        site = syntax.sites[number]
        count = self._run.counts.of.get(key)
        told = Advice(
            path=path,
            line=site.line,
            kind=site.kind,
            scope=syntax.name_of(syntax.scope_of(site.node)),
            calls="",
            seconds=0.0,
            cpu_seconds=0.0,
            executions=None if count is None else count.executions,
            items=None if count is None else count.items,
            span=site.span,
        )
        self._without_counting(key, seen)
        told.seconds, told.cpu_seconds = seen.whole.wall, min(seen.whole.cpu, seen.whole.wall)
        call, spent = self._work(site, seen)
        if isinstance(site.node, ast.While):
            told.why = "each round of a while loop may depend on the one before"
        elif spent is None:
            told.why = "its work stands in the loop itself: put it into a function of the item, then look again"
        elif call is not None and (names := carried(site, call)):
            told.calls = syntax.text_of(call.func)
            told.why = f"each call of {told.calls} needs what the one before has left in {', '.join(sorted(names))}"
        else:
            expression = site.node.args[0] if isinstance(site.node, ast.Call) else call.func  # type: ignore[union-attr]
            told.calls = syntax.text_of(expression)
            self._price(told, syntax, site, call, spent, count, self._function(syntax, expression, site, seen))
        return told

    def _without_counting(self, key: tuple[str, int], seen: _Seen) -> None:
        """Take off what the counting of the loops inside of this one has cost."""
        counting = 0.0
        for inner, other in self._seen.items():
            count, share = self._run.counts.of.get(inner), other.inside.get(key, 0.0)
            if count is not None and share and inner != key:
                counting += DRAW * count.items * min(1.0, share / max(other.whole.wall, 1e-9))
        left = max(0.5, 1.0 - counting / max(seen.whole.wall, 1e-9))
        for spent in (seen.whole, *seen.calls.values()):
            spent.wall, spent.cpu = left * spent.wall, left * spent.cpu

    def _work(self, site: Site, seen: _Seen) -> tuple[ast.Call | None, Spent | None]:
        """The call that most of the loop's time goes into."""
        if not seen.calls:
            return None, None
        number, spent = max(seen.calls.items(), key=lambda pair: pair[1].wall)
        if spent.wall < MOSTLY * seen.whole.wall:
            return None, None
        return (None if isinstance(site.node, ast.Call) else site.calls[number]), spent

    def _price(
        self,
        told: Advice,
        syntax: Syntax,
        site: Site,
        call: ast.Call | None,
        spent: Spent,
        count: Count | None,
        function: Callable[..., Any] | None,
    ) -> None:
        if function is None or count is None or not count.items:
            told.why = self._why_unknown(told.calls, site, function)
            return
        state = FunctionState(function)
        told.function = state.name
        alone = call is None or (len(call.args) == 1 and not call.keywords)
        types = ArgumentTypes.of((count.item,), {}) if count.has_item and alone else None
        began = time.process_time()
        traits = _traits(state, types)
        analysis = time.process_time() - began
        per_loop = max(1, round(count.items / max(1, count.executions)))
        profile = _profile(count, spent, traits)
        each, loops = profile.seconds_per_item, count.executions
        # The first map of a function it knows nothing of runs an item in the loop, and looks at the function.
        cold = self._choice(traits, profile, state, max(1, per_loop - 1), warm=False)
        warm = self._choice(traits, profile, state, per_loop, warm=True)
        serial = per_loop * each
        taken = analysis + each + _seconds(cold, serial - each) + (loops - 1) * _seconds(warm, serial)
        chosen = warm if loops > 1 else cold
        told.plan, told.gain = str(chosen.plan), max(0.0, loops * serial - taken)
        told.predicted = told.seconds - told.gain
        told.pays = told.gain >= self._least and told.gain > 0
        told.why = chosen.why if told.pays else self._why_not(chosen, per_loop, profile, told)
        if not told.pays:
            told.hint = self._hint(chosen, serial, loops)
            return
        try:
            told.rewriting = rewriting(syntax, site, call)
            read = told.rewriting.reads_of & {each.name for each in traits.report.reads}
            if read:
                told.rewriting, told.by_hand = None, f"{told.calls} reads {min(read)}, which the loop changes"
        except InexactError as reason:
            told.by_hand = str(reason)

    def _why_unknown(self, calls: str, site: Site, function: Callable[..., Any] | None) -> str:
        if not calls_something(site):
            return "it calls nothing but built-in functions that take less than sending an item anywhere"
        return f"it is not seen what {calls} is" if function is None else "its items were not counted"

    def _choice(self, traits: Traits, profile: Profile, state: FunctionState, items: int, *, warm: bool) -> Choice:
        profile = replace(profile, bytes_shared=shared_size(state.carried()))
        there = {"processes": self._host.cores, "threads": self.costs.io_ceiling} if warm else {}
        return choose(
            Situation(
                traits=traits,
                workload=classify(traits, profile, self._host),
                profile=profile,
                host=self._host,
                settings=DEFAULTS,
                remaining=items,
                warm=there,
                forkable=self._host.platform == "linux" and not self._run.threads,
                costs=self.costs,
            )
        )

    def _why_not(self, choice: Choice, items: int, profile: Profile, told: Advice) -> str:
        if items < 2:
            return "it runs over one item at a time"
        rival = _best_rival(choice)
        if rival is not None and rival.hint:
            return rival.because
        if choice.workload.kind is Kind.TINY:
            return choice.workload.evidence[0]
        if choice.plan.backend != "serial":
            return f"too little would be gained: {told.gain:.2g} s"
        return choice.why

    def _hint(self, choice: Choice, serial: float, loops: int) -> str:
        rival = _best_rival(choice)
        if rival is None or not rival.hint or rival.plan.predicted is None:
            return ""
        return rival.hint if loops * (serial - rival.plan.predicted) >= self._least else ""

    def _function(self, syntax: Syntax, expression: ast.expr, site: Site, seen: _Seen) -> Callable[..., Any] | None:
        """What is called: by its name where that is the module's, else by the code that the samples met below."""
        if seen.callees:
            code = seen.callees.most_common(1)[0][0]
            if code in self._functions:
                return self._functions[code]
            written = self._run.written.get(code)
            if written is not None and written in self._functions:
                return self._functions[written]
        return _by_name(syntax.path, expression)

    def _with_the_library(self, told: Iterable[Advice]) -> None:
        """Nothing is suggested where all gains together do not repay the library."""
        paying = [one for one in told if one.pays]
        if not paying:
            return
        self.start = self._start()
        if sum(one.gain for one in paying) - self.start >= self._least:
            return
        for one in paying:
            one.pays, one.rewriting = False, None
            one.why = f"it would gain {one.gain:.2g} s, and loading the library takes {self.start:.2g} s"

    def _only_outermost(self, told: dict[tuple[str, int], Advice]) -> None:
        """Of loops within one another only one becomes a map: the one that gains most, the outer of two alike."""
        paying = [key for key, one in told.items() if one.pays]
        chosen: list[tuple[str, int]] = []
        for key in sorted(paying, key=lambda key: -self._worth(key, paying, told)):
            one = told[key]
            for other in chosen:
                inside, outside = self._is_inside(key, other, told), self._is_inside(other, key, told)
                if inside or outside:
                    one.pays, one.rewriting, one.gain = False, None, 0.0
                    where = "runs inside of" if inside else "is around"
                    one.why = f"it {where} the loop at line {told[other].line}, which is the better map"
                    break
            else:
                chosen.append(key)

    def _worth(
        self, key: tuple[str, int], paying: Sequence[tuple[str, int]], told: Mapping[tuple[str, int], Advice]
    ) -> float:
        """The gain of a loop; more than theirs where those inside of it gain hardly more by shorter maps."""
        inner = [told[other].gain for other in paying if other != key and self._is_inside(other, key, told)]
        gain = told[key].gain
        return gain / ALIKE if inner and gain >= ALIKE * max(inner) else gain

    def _is_inside(self, key: tuple[str, int], other: tuple[str, int], told: Mapping[tuple[str, int], Advice]) -> bool:
        """Most of a loop's time passes inside of another one."""
        return self._seen[key].inside.get(other, 0.0) > MOSTLY * told[key].seconds


def _same_frame(stack: tuple[tuple[CodeType, int], ...], depth: int) -> bool:
    """A comprehension's own code, which belongs to the frame around it."""
    name = stack[depth][0].co_name
    return depth > 0 and name.startswith("<") and name not in ("<lambda>", "<module>")


def _profile(count: Count, spent: Spent, traits: Traits) -> Profile:
    """The items as if they had been measured one by one."""
    cpu = min(spent.cpu, spent.wall)
    waits = count.items if spent.wall > cpu else 0  # time without a core is not counted: what is left was waited for
    profile = Profile()
    profile.add(Sample(count.items, spent.wall, cpu, None, waits))
    if count.has_item:
        profile.bytes_in = pickled_size((count.item,)).bytes
    if count.has_result:
        profile.bytes_out = pickled_size(count.result).bytes
    return profile


def _traits(state: FunctionState, types: ArgumentTypes | None) -> Traits:
    """Static facts, of calls with these types if that finds fewer effects."""
    traits = state.traits()
    if types is None or not traits.report.effects:
        return traits
    typed = state.traits(types)
    return typed if not types.plain or len(typed.report.effects) < len(traits.report.effects) else traits


def _seconds(choice: Choice, serial: float) -> float:
    return serial if choice.plan.predicted is None else choice.plan.predicted


def _best_rival(choice: Choice) -> Rejected | None:
    """The way that would be fastest, were nothing against it."""
    priced = [rival for rival in choice.rejected if rival.plan.predicted is not None]
    return min(priced, key=lambda rival: rival.plan.predicted or 0.0, default=None)


def _functions_by_code() -> dict[CodeType, Callable[..., Any]]:
    return {found.__code__: found for found in gc.get_objects() if type(found) is types.FunctionType}


def _by_name(path: str, expression: ast.expr) -> Callable[..., Any] | None:
    """A callable that a dotted name means in a module, without running any of its code."""
    parts: list[str] = []
    while isinstance(expression, ast.Attribute):
        parts.append(expression.attr)
        expression = expression.value
    if not isinstance(expression, ast.Name):
        return None
    found: Any = _namespace(path, expression.id)
    for part in reversed(parts):
        if not isinstance(found, types.ModuleType | type):
            return None
        found = vars(found).get(part)
    return found if callable(found) else None


def _namespace(path: str, name: str) -> Any:
    import builtins

    for module in list(sys.modules.values()):
        file = vars(module).get("__file__") if isinstance(module, types.ModuleType) else None
        if isinstance(file, str) and os.path.abspath(file) == path and name in vars(module):
            return vars(module)[name]
    return vars(builtins).get(name)


def seconds_saved(advice: Iterable[Advice], start: float) -> float:
    """What all suggestions together are predicted to save: the program pays once for the library."""
    gains = [one.gain for one in advice if one.pays]
    return max(0.0, sum(gains) - start) if gains else 0.0
