"""What the engine remembers of one function: its traits, what was learned of it, how a worker process finds it."""

from __future__ import annotations

import functools
import sys
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from itertools import chain
from types import BuiltinFunctionType, CellType, CodeType, FunctionType, MethodType, ModuleType, NoneType
from typing import Any

from autopar import _effects
from autopar._backends.importing import importable
from autopar._engine.memory import Memory
from autopar._engine.native import Forms, demanded_target
from autopar._engine.objects import CYTHON, Account
from autopar._model.compiler import EXACT, Terms
from autopar._model.decision import Brief, Decision
from autopar._model.effects import Effect, EffectKind, GlobalRead
from autopar._model.light_dataclass import dataclass
from autopar._model.observation import Profile, Traits
from autopar._model.work import UNCHANGING
from autopar._observe.traits import observe_traits

OWN_CALL_SECONDS = 2e-6
"""Seconds of the GIL for one call of a user's own C function: checking and converting a few arguments. Measured as 1 to
3 us (CPython 3.11)."""

DECISIONS_KEPT = 1000
"""Newest decisions of a function that its ``decisions`` show."""


class KeptDecisions:
    """A function's own decisions, newest last, out of one log; two functions of the same name have each their own."""

    def __init__(self) -> None:
        self.decisions: deque[Decision | Brief] = deque(maxlen=DECISIONS_KEPT)
        self.log: object = None

    def keep(self, decision: Decision | Brief, log: object) -> None:
        """Add the decision that a log has numbered."""
        if self.log is not log:
            self.decisions.clear()
            self.log = log
        self.decisions.append(decision)


@dataclass(frozen=True, slots=True)
class ArgumentTypes:
    """The exact types of the arguments of a call, and of all that they hold."""

    positional: tuple[type, ...]
    keyword: tuple[tuple[str, type], ...] = ()
    held: _effects.Held = ()

    @classmethod
    def of(cls, args: tuple[Any, ...], kwargs: dict[str, Any]) -> ArgumentTypes:
        """Those of a real call."""
        keyword = tuple((name, type(value)) for name, value in kwargs.items())
        positional = tuple(map(type, args))
        if UNCHANGING.issuperset(positional) and UNCHANGING.issuperset(kind for _, kind in keyword):
            return cls(positional, keyword)  # without the analysis, which a short map does not load
        return cls(positional, keyword, _effects.held_types((*args, *kwargs.values())))

    @property
    def plain(self) -> bool:
        """They are built-in types, whose methods do nothing that the function's own code does not show.

        To loop over an iterator changes it, so iterators are not among them.
        """
        kinds = (*self.positional, *dict(self.keyword).values(), *chain(*self.held))
        return all(kind.__module__ == "builtins" and not hasattr(kind, "__next__") for kind in kinds)

    @property
    def all_seen(self) -> bool:
        """The types of all that the arguments hold are known; a plain `object` stands for what is not."""
        return object not in chain(self.positional, *self.held)

    def fit(self, items: list[Any], *, star: bool) -> bool:
        """Whether all these items have these types."""
        if not star:
            return set(map(type, items)) <= {self.positional[0]}
        return all(type(item) is tuple and tuple(map(type, item)) == self.positional for item in items)


class FunctionState:
    """One function's memory, shared by its wrapper, its bound methods and all its maps.

    Attributes
    ----------
    target
        What a single call runs, as its only item: the function, or its compiled code once it has that.
    spent
        Seconds that its calls and maps have taken in Python since compiling it was last begun; see
        :mod:`autopar._engine.tierup`.
    ways
        States of callables that make an argument and call it with that, by what they make.
    """

    def __init__(self, function: Callable[..., Any], terms: Terms = EXACT) -> None:
        self.function = function
        self.terms = terms
        self._under: dict[Terms, FunctionState] = {terms: self}
        self.lock = threading.RLock()
        self.memory = Memory(function)
        self.calls = Profile()
        self.target: list[Callable[..., Any]] = [function]
        self.spent = 0.0
        self.kept = KeptDecisions()
        self.witnessed = False
        self.seen_effects: tuple[Effect, ...] = ()
        self.hinted = False
        self.ways: dict[Any, FunctionState] = {}
        self._demanded: dict[str, Forms] = {}
        self._demanded_targets: dict[str, list[Callable[..., Any]]] = {}
        self._traits: dict[ArgumentTypes | None, Traits] = {}
        self._seen: tuple[tuple[dict[str, Any], str, Any], ...] = ()

    @functools.cached_property
    def forms(self) -> Forms:
        """Its compiled forms."""
        return Forms(self.function, terms=self.terms)

    @functools.cached_property
    def objects(self) -> Account:
        """What its calls on objects have cost, and its forms compiled as a whole."""
        return Account(Forms(self.function, compilers=(CYTHON,)))

    def demanded_forms(self, compiler: str) -> Forms:
        """Its compiled forms where those of one compiler are demanded."""
        known = self._demanded.get(compiler)
        if known is None:
            made = Forms(self.function, demanded=self.name, compilers=(compiler,), terms=self.terms)
            known = self._demanded.setdefault(compiler, made)
        return known

    def demanded_target(self, compiler: str) -> list[Callable[..., Any]]:
        """What a single call runs where a compiler is demanded, as its only item."""
        known = self._demanded_targets.get(compiler)
        if known is None:
            known = self._demanded_targets.setdefault(compiler, demanded_target(self.demanded_forms(compiler)))
        return known

    def unseen(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
        """What a call like this calls that cannot be seen into, or an empty string: such code may look at frames."""
        effects = self.traits(ArgumentTypes.of(args, kwargs)).report.effects
        return next((str(effect) for effect in effects if effect.kind is EffectKind.UNKNOWN), "")

    def under(self, terms: Terms) -> FunctionState:
        """The memory of the same function where compiled code may differ in this; what maps have taught is shared."""
        if terms == self.terms:
            return self
        known = self._under.get(terms)
        if known is None:
            other = FunctionState(self.function, terms)
            other.memory, other.calls, other.kept, other._under = self.memory, self.calls, self.kept, self._under
            known = self._under.setdefault(terms, other)
        return known

    @functools.cached_property
    def name(self) -> str:
        """``module.qualname``, as in the decision log."""
        target = self.function
        module = getattr(target, "__module__", None) or type(target).__module__
        return f"{module}.{getattr(target, '__qualname__', type(target).__qualname__)}"

    def traits(self, types: ArgumentTypes | None = None) -> Traits:
        """Static facts, looked up once and again when a name that the function reads got another value.

        With the exact types of a call's arguments fewer effects are suspected; they then hold for such calls only.
        """
        if not self._current():
            self._traits.clear()
        known = self._traits.get(types)
        if known is None:
            known = self._traits[types] = self._observe(types)
        return known

    def reads(self) -> tuple[GlobalRead, ...] | None:
        """The module-level names that calls read; None if the analysis is not needed to see that in the code itself."""
        return None if not self._traits and _calls_no_python(self.function) else tuple(self.traits().report.reads)

    def _observe(self, types: ArgumentTypes | None) -> Traits:
        subject = self.analysed
        if types is None:
            traits = observe_traits(subject)
            self._seen = tuple(
                (vars(module), read.name, _identity(vars(module).get(read.name)))
                for read in traits.report.reads
                if (module := sys.modules.get(read.module)) is not None
            )
        else:
            report = _effects.analyse(
                subject,
                argument_types=types.positional,
                keyword_types=dict(types.keyword),
                held=types.held,
            )
            traits = observe_traits(subject, report)
        traits = self._as_called(traits)
        if not self.seen_effects:
            return traits
        return replace(traits, report=replace(traits.report, effects=traits.report.effects + self.seen_effects))

    @property
    def analysed(self) -> Callable[..., Any]:
        """What a call runs, for the analysis: of a user's own C function its Python body."""
        body: Callable[..., Any] = getattr(self.function, "__autopar_body__", self.function)
        return body

    def _as_called(self, traits: Traits) -> Traits:
        """What is true of calls beside what is true of the body."""
        return traits if self.analysed is self.function else _as_c(traits, self.function)

    def _current(self) -> bool:
        return all(_identity(namespace.get(name)) is identity for namespace, name, identity in self._seen)

    def followed_codes(self) -> tuple[CodeType, ...] | None:
        """The code that the analysis has followed, or None if the function was not analysed yet."""
        known = self._traits.get(None)
        return None if known is None else known.report.codes

    def shared_globals(self) -> dict[tuple[str, str], Any]:
        """Values of the module-level names that a worker process must see as they are here.

        Modules, and functions that still stand where they were defined, are the same in a worker that imports them;
        of such a class the data attributes are sent. Everything else may have changed since its module was imported,
        so its value is sent.
        """
        shared: dict[tuple[str, str], Any] = {}
        for read in self.traits().report.reads:
            module = sys.modules.get(read.module)
            if read.module.partition(".")[0] == "autopar":  # every process has its own state of these
                continue
            if module is None or not importable(module) or read.name not in vars(module):
                continue
            value = vars(module)[read.name]
            if not _unchanged(value, read.name):
                shared[read.module, read.name] = value
            elif isinstance(value, type):
                shared.update(_class_data(value))
        return shared

    def carried(self) -> list[Any]:
        """What travels with the function to each worker, beside its code: globals, and what it captures."""
        carried = [*self.shared_globals().values()]
        if self.reference() is not None:
            return carried
        for read in self.traits().report.reads:
            module = sys.modules.get(read.module)
            if module is not None and not importable(module) and read.name in vars(module):
                carried.append(vars(module)[read.name])
        # Code goes by reference or is small.
        return [value for value in carried + captured_by(self.function) if not isinstance(value, _CODE)]

    def reference(self) -> tuple[str, str] | None:
        """Module and qualified name by which another process can import this very function, or None."""
        function = self.function
        module_name, qualname = getattr(function, "__module__", None), getattr(function, "__qualname__", None)
        module = sys.modules.get(module_name or "")
        if module is None or not isinstance(qualname, str) or "<" in qualname or not importable(module):
            return None
        found: Any = module
        for part in qualname.split("."):
            try:
                found = vars(found)[part]
            except (KeyError, TypeError):
                return None
        if isinstance(found, (staticmethod, classmethod)):
            found = found.__func__
        unwrap = getattr(type(found), "__autopar_unwrap__", None)
        if unwrap is not None:
            found = unwrap(found)
        return (module.__name__, qualname) if found is function else None


def _as_c(traits: Traits, function: Any) -> Traits:
    """The traits of a user's own C function, whose effects are those of its Python body, if it has one."""
    report = traits.report
    if not function.has_body:
        body = function.__autopar_body__
        unseen = Effect(EffectKind.UNKNOWN, "C code", body.__qualname__, body.__code__.co_firstlineno)
        report = replace(report, effects=(*report.effects, unseen), complete=False)
    return replace(traits, report=report, gil_seconds=OWN_CALL_SECONDS)


_CODE = (ModuleType, FunctionType, type)


def captured_by(function: Any) -> list[Any]:
    """Values that a function takes along: its closure and defaults, its object, or its arguments so far."""
    if isinstance(function, FunctionType):
        cells = filter(None, map(_content, function.__closure__ or ()))
        return [*chain(*cells), *(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()]
    if isinstance(function, MethodType):
        return [function.__self__]
    if isinstance(function, functools.partial):
        return [*function.args, *function.keywords.values(), *captured_by(function.func)]
    return [function]


def _content(cell: CellType) -> tuple[Any] | None:
    try:
        return (cell.cell_contents,)
    except ValueError:  # nothing was assigned to the variable yet
        return None


def _calls_no_python(function: Callable[..., Any]) -> bool:
    """Whether all global names of a function are numbers, texts, functions in C and modules of the library."""
    if type(function) is not FunctionType or any(isinstance(each, CodeType) for each in function.__code__.co_consts):
        return False
    names = function.__globals__
    return all(_of_the_library(names[name]) for name in function.__code__.co_names if name in names)


def _of_the_library(value: Any) -> bool:
    if type(value) is ModuleType:
        return value.__name__.partition(".")[0] in sys.stdlib_module_names
    return type(value) in UNCHANGING or type(value) is BuiltinFunctionType


def _unchanged(value: Any, name: str) -> bool:
    """A worker that imports the module finds the same under this name."""
    if isinstance(value, ModuleType):
        return True
    if isinstance(value, (FunctionType, type)):
        home = sys.modules.get(value.__module__ or "")
        own_name = value.__qualname__
        return home is not None and own_name == name and vars(home).get(name) is value
    unwrap: Any = getattr(type(value), "__autopar_unwrap__", None)
    return unwrap is not None


_IMMUTABLE = 1 << 8
"""Flag of a type whose attributes cannot be set: ``Py_TPFLAGS_IMMUTABLETYPE``."""


def _class_data(cls: type) -> dict[tuple[str, str], Any]:
    """The attributes of a class, and of its bases, that are plain data and so may have been set anew.

    Those of a class written in C cannot be set, here or in a worker.
    """
    data: dict[tuple[str, str], Any] = {}
    for base in cls.__mro__:
        home = sys.modules.get(base.__module__)
        if home is None or not importable(home) or vars(home).get(base.__qualname__) is not base:
            continue
        if base.__flags__ & _IMMUTABLE:
            continue
        for name, value in vars(base).items():
            if not name.startswith("__") and _is_data(value) and type(base) is type:
                data[base.__module__, f"{base.__qualname__}.{name}"] = value
    return data


def _is_data(value: Any) -> bool:
    """Numbers, texts and containers of them; what computes an attribute, or does not pickle, is left alone."""
    if isinstance(value, (bool, int, float, complex, str, bytes, NoneType)):
        return True
    if type(value) in (list, tuple, set, frozenset):
        return all(map(_is_data, value))
    return type(value) is dict and all(map(_is_data, value)) and all(map(_is_data, value.values()))


def _identity(value: Any) -> Any:
    """What must stay the same for the analysis to hold: of code, which; of data, the type."""
    return value if callable(value) or isinstance(value, ModuleType) else type(value)


_states: dict[int, tuple[Any, FunctionState]] = {}
_states_lock = threading.RLock()
_STATES_KEPT = 1024


def state_of(function: Callable[..., Any]) -> FunctionState:
    """The memory of an undecorated function that is mapped by ``autopar.map``; kept for the newest ones."""
    with _states_lock:
        known = _states.pop(id(function), None)
        if known is None or known[0] is not function:
            known = (function, FunctionState(function))
        _states[id(function)] = known
        while len(_states) > _STATES_KEPT:
            del _states[next(iter(_states))]
        return known[1]


def state_for(function: Callable[..., Any]) -> FunctionState:
    """The memory of a function that is being decorated: the one it has from ``autopar.map``, or a new one."""
    known = _states.get(id(function))
    return known[1] if known is not None and known[0] is function else FunctionState(function)


def bound_state(state: FunctionState, function: Callable[..., Any]) -> FunctionState:
    """The memory of a bound method: what was learned of its function, the traits of its own."""
    bound = FunctionState(function, state.terms)
    bound.memory = state.memory
    bound.calls = state.calls
    bound.kept = state.kept
    return bound
