"""What is known of one function's compiled forms: for which types there is one, or why not, and what is being compiled.

Compiling runs on a daemon thread, so that neither a call nor a map waits for it, unless compiled code is demanded.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Mapping
from functools import partial
from types import FunctionType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from autopar._compilers import load
from autopar._compilers.native import Refusal, as_call
from autopar._engine.chooser import Chosen
from autopar._model.compiler import EXACT, Compiled, Terms
from autopar._model.own_work import OWN_WORK
from autopar._model.parked import tell_when_parked
from autopar._model.threads import own_thread
from autopar._observe.host import current_host
from autopar.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from autopar._model.compiler import Types

COMPILE_SECONDS = 0.15
"""What compiling a function costs: a small kernel takes gcc 0.08 to 0.14 s on a core (benchmarks/native). A function is
compiled once it has cost as much, or is predicted to: then all of it never costs more than twice the best in hindsight
(ski rental: Karlin et al., Competitive snoopy caching, Algorithmica 3, 1988)."""

BEHIND_SECONDS = 0.05
"""What a program notices of it while it goes on with other things: reading the function holds the GIL for 5 ms, and
importing what does so for 35 ms the first time; the C compiler has another core."""

CACHED_SECONDS = 0.01
"""What it costs where the object is in the cache: reading the function and loading (benchmarks/native)."""

IMPORT_SECONDS = 0.035
"""What it costs more the first time in a process: 45 modules are imported (``python -X importtime``)."""

AUTOMATIC = ("native", "numba")
"""Compilers that are asked one after the other, the cheapest first. They take arguments of the same types."""

MOST_FORMS = 8
"""Combinations of types that one function is compiled for: each takes a compilation, and a guard that misses."""


def cached_seconds() -> float:
    """What compiling costs at present where the object is in the cache."""
    imports = 0.0 if "autopar._kernel.lower" in sys.modules else IMPORT_SECONDS
    return min(CACHED_SECONDS + imports, COMPILE_SECONDS)


Kind: TypeAlias = tuple[bool, type]


def seconds_behind() -> float:
    """What a program notices of compiling while it goes on with other things, on this host."""
    return min(BEHIND_SECONDS, COMPILE_SECONDS) if current_host().cores > 1 else COMPILE_SECONDS


def kind_of(item: Any, *, star: bool) -> Kind:
    """What tells, at a glance, maps over different items apart: whether they are unpacked, and the first one's type."""
    return star, type(item)


class Ready:
    """A form that short maps may take.

    Attributes
    ----------
    form
        The form.
    seconds
        What an item takes in it, once a map has measured that.
    """

    __slots__ = ("form", "seconds")

    def __init__(self, form: Compiled, seconds: float | None = None) -> None:
        self.form = form
        self.seconds = seconds


class _Work(NamedTuple):
    """What a process compiles: it is done, or at least parked, as long as the C compiler is at work."""

    process: int
    parked: threading.Event
    done: threading.Event


class Forms:
    """The compiled forms of one function.

    Parameters
    ----------
    function
        The Python function.
    demanded
        For messages the function's name, where its compiled code is demanded: what it cannot be compiled for then
        raises. Otherwise it runs in Python.
    compilers
        Those to ask, in order.
    terms
        What compiled code may differ in.

    Attributes
    ----------
    ready
        Kind of the first item of a map -> the form for such maps; see :func:`kind_of`.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        *,
        demanded: str = "",
        compilers: tuple[str, ...] = AUTOMATIC,
        terms: Terms = EXACT,
    ) -> None:
        self.function = function
        self.compilers = compilers
        self.terms = terms
        self.settled: Callable[[str, str, float], object] | None = None
        self._refused: dict[Types, dict[str, Refusal]] = {}
        self.ready: dict[Kind, Ready] = {}
        self._demanded = demanded
        self._forms: dict[Types, Compiled | Refusal] = {}
        self._pending: dict[Types, _Work] = {}
        self._remembered: dict[Types, bool] = {}

    @property
    def some(self) -> bool:
        """Some form is there, or being made."""
        return bool(self._pending) or any(not isinstance(form, Refusal) for form in self._forms.values())

    def forms(self) -> list[Compiled]:
        """Those that there are."""
        return [form for form in self._forms.values() if not isinstance(form, Refusal)]

    def cost(self, types: Types) -> float:
        """Seconds that compiling for these types is expected to take, by the next compiler to be asked."""
        name = self.next_compiler(types)
        if name != "native":
            return load(name).COMPILE_SECONDS
        return cached_seconds() if self.remembers(types) else COMPILE_SECONDS

    def next_compiler(self, types: Types) -> str:
        """The first compiler that has not refused these types, or else the last one."""
        refused = self._refused.get(types, {})
        return next((name for name in self.compilers if name not in refused), self.compilers[-1])

    def refusals(self, types: Types | None) -> dict[str, Refusal]:
        """Which compilers have refused, and why."""
        return {} if types is None else self._refused.get(types, {})

    def remembers(self, types: Types) -> bool:
        """Whether an earlier process has compiled it for these types: its object is likely to be in the cache."""
        if types not in self._remembered:
            self._remembered[types] = load(self.compilers[0]).was_worth_compiling(self.function, types)
        return self._remembered[types]

    def known(self, types: Types) -> Compiled | Refusal | None:
        """The form for these types, why there is none, or None while it is not known."""
        form = self._forms.get(types)
        if form is None or isinstance(form, Refusal):
            return form
        return Refusal(form.withdrawn) if form.withdrawn else form

    def pending(self, types: Types) -> bool:
        """Whether a form for these types is being compiled by this process."""
        return self._work_on(types) is not None

    def wait(self, types: Types, seconds: float) -> None:
        """Wait, for so long at most, until a form for these types is not being compiled."""
        work = self._work_on(types)
        if work is not None:
            work.done.wait(seconds)

    def wait_for_the_c_compiler(self, types: Types, seconds: float) -> None:
        """Wait, for so long at most, until the C compiler is at work, or nothing is being compiled any more.

        What comes before it takes the GIL. Two threads that both want that exchange it every 5 ms
        (``sys.getswitchinterval``), so whoever computes meanwhile saves nothing, and all that follows comes later.
        """
        work = self._work_on(types)
        if work is not None:
            work.parked.wait(seconds)

    def parked(self, types: Types) -> bool:
        """Whether what is being compiled leaves the GIL to others."""
        work = self._work_on(types)
        return work is None or work.parked.is_set()

    def _work_on(self, types: Types) -> _Work | None:
        work = self._pending.get(types)
        return work if work is not None and work.process == os.getpid() else None

    def now(self, types: Types) -> Compiled | Refusal:
        """The form for these types, compiled at once where it is not."""
        form = self.known(types)
        while form is None:
            form = self._compile(types)
        return form

    def begin(self, types: Types, *, then: Callable[[Compiled], None] | None = None) -> Compiled | Refusal | None:
        """The form for these types, or None where its compilation has begun on another thread."""
        form = self.known(types)
        if form is not None or self.pending(types):
            return form
        if len(self._forms) >= MOST_FORMS:
            return Refusal(f"it is compiled for {MOST_FORMS} combinations of types already")
        begun = self._pending[types] = _Work(os.getpid(), threading.Event(), threading.Event())

        def work() -> None:
            tell_when_parked(begun.parked)
            with OWN_WORK.under_way():
                made = self._compile(types)
                if then is not None and made is not None and not isinstance(made, Refusal):
                    then(made)

        thread = own_thread(work, "autopar-compiler")
        try:
            thread.start()
        except RuntimeError as error:  # the system refuses more threads
            self._pending.pop(types, None)
            return Refusal(f"no thread is left to compile on: {error}")
        return None

    def demand(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Compiled:
        """The form for the types of a call, compiled at once.

        Raises
        ------
        UnavailableError
            There is none; the message says why, with the line.
        """
        types = self.types_of_call(args, kwargs)
        form = types if isinstance(types, Refusal) else self.now(types)
        if isinstance(form, Refusal):
            raise UnavailableError(f'compiler="{self.compilers[0]}" cannot compile {self._demanded}: {form}')
        return form

    def _for_others(self, values: tuple[Any, ...]) -> Compiled | None:
        """The form for the types of these values of all parameters, which are others than those of the form at hand."""
        if self._demanded:
            return self.demand(*as_call(self.function, values))
        types = self.types_of_call(*as_call(self.function, values))
        form = None if isinstance(types, Refusal) else self.begin(types)
        return None if isinstance(form, Refusal) else form

    def types_of_call(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Types | Refusal:
        """The types that a call would be compiled for, or why it would not."""
        return types_of_call(self.function, args, kwargs, self.compilers[0], self.terms)

    def _compile(self, types: Types) -> Compiled | Refusal | None:
        """Ask the next compiler; None where it refuses and there is another to be asked."""
        name = self.next_compiler(types)
        form: Compiled | Refusal | None
        try:
            form = self._made(name, types)
        except Exception as error:  # a mistake of ours: the function runs in Python, and the reason is on record
            form = Refusal(f"autopar's compiler has failed with {type(error).__name__}; please report it")
        if isinstance(form, Refusal):
            refused = self._refused.setdefault(types, {})
            refused[name] = form
            if len(refused) < len(self.compilers):
                form = None
            elif self.settled is not None:
                self.settled("python", f"not compiled: {self._why_not(types)}", 0.0)
        if form is not None:
            form = self._forms.setdefault(types, form)
        work = self._pending.pop(types, None)
        if work is not None:
            work.parked.set()
            work.done.set()
        return form

    def _made(self, name: str, types: Types) -> Compiled | Refusal:
        compiler = load(name)
        form = compiler.compile_for(self.function, types, terms=self.terms)
        if isinstance(form, Refusal):
            return form
        form.otherwise = self._for_others
        compiler.remember(self.function, types)
        if form.certain or self._demanded:
            return form
        chosen = Chosen(form, recall=partial(self._recall, types), remember=partial(self._remember, types))
        chosen.settled = self._on_record
        return chosen

    def _on_record(self, name: str, why: str, seconds: float) -> None:
        if self.settled is not None:
            self.settled(name, why, seconds)

    def _why_not(self, types: Types) -> str:
        """What each compiler has said."""
        return "; ".join(f"{name}: {refusal}" for name, refusal in self.refusals(types).items())

    def _recall(self, types: Types, size: int) -> str:
        """What an earlier process has chosen for arguments of this size, or an empty string."""
        from autopar._compilers.native.cache import ObjectCache

        cache = ObjectCache.from_environment()
        names = ("python", *self.compilers)
        return next((name for name in names if cache.remembers(self._key(types, size, name))), "")

    def _remember(self, types: Types, size: int, name: str) -> None:
        from autopar._compilers.native.cache import ObjectCache

        ObjectCache.from_environment().remember(self._key(types, size, name))

    def _key(self, types: Types, size: int, name: str) -> str:
        from autopar._compilers.native.cache import function_key

        return function_key(self.function, (*types, self.terms, size, name))


class DemandedCall:
    """A function whose calls run compiled, or raise. After the first one the target is the compiled code itself."""

    def __init__(self, forms: Forms, target: list[Callable[..., Any]]) -> None:
        self._forms = forms
        self._target = target

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        form = self._forms.demand(args, kwargs)
        form.listener = partial(self._target.__setitem__, 0)
        self._target[0] = form.call
        return form.call(*args, **kwargs)


def demanded_target(forms: Forms) -> list[Callable[..., Any]]:
    """What single calls run where compiled code is demanded, as the only item."""
    target: list[Callable[..., Any]] = []
    target.append(DemandedCall(forms, target))
    return target


def types_of_call(
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    compiler: str = "native",
    terms: Terms = EXACT,
) -> Types | Refusal:
    """The types that a call would be compiled for, or why it would not."""
    if hasattr(function, "__autopar_body__"):
        return Refusal("it is a C function of the program's own")
    if type(function) is not FunctionType:
        return Refusal(
            f"{compiler} code is made of functions written with def; this is of type {type(function).__name__}"
        )
    return load(compiler).signature(function, args, kwargs, terms=terms)
