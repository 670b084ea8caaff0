"""The room's door: from any callable to its report."""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from autopar._effects import calls, facts, lookup
from autopar._effects.analysis import Analysis, Links, TooLongError
from autopar._effects.held import Held
from autopar._effects.special import SPECIAL
from autopar._effects.values import NOTHING, Args, Origin, Value
from autopar._effects.walk import Frame
from autopar._model.effects import EffectKind, EffectReport

_GENERATOR_FLAGS = 0x20 | 0x200
_LINKS = Links(calls.call, calls.make_super, SPECIAL)
_SIMPLE = (int, float, complex, str, bytes, bool, type(None))


def analyse(
    function: Callable[..., Any],
    *,
    budget: int = 200,
    argument_types: Sequence[type] | None = None,
    keyword_types: Mapping[str, type] | None = None,
    held: Held | None = None,
    walk_library: bool = False,
) -> EffectReport:
    """Find out what a callable does besides returning a value, without running any of it.

    The bytecode of the function, and of the Python functions it calls, is walked with abstract values: each says
    where an object came from. Changing what the call itself has made is no effect; changing what outlives it is.

    Parameters
    ----------
    function
        Any callable: function, lambda, method, class, `functools.partial`, object with ``__call__``, built-in function.
    budget
        How many Python functions are followed. Past it the report says so by an UNKNOWN effect and ``complete=False``.
    argument_types, keyword_types
        The exact types of the arguments of a real call, if there is one. Parameters that get no argument then have
        their defaults. With them fewer effects are suspected: ``n += 1`` changes an array, but no `int`.
    held
        The types of all that those arguments hold, level by level, as `held_types` finds them. With them ``p[0] += 1``
        changes nothing in a copy of a list of numbers, and the special methods of objects in lists are followed.
    walk_library
        Whether a library function that is itself analysed is walked, with the rest of its package, instead of looked up
        in the tables: to check the tables by the code.

    Returns
    -------
    EffectReport
        Always; what cannot be analysed is an UNKNOWN effect that names the reason.

    Examples
    --------
    >>> __name__ = "shop"  # a module of your program
    >>> seen = []
    >>> def remember(x):
    ...     seen.append(x)
    >>> [str(effect.kind.value) for effect in analyse(remember).effects]
    ['changes an object that outlives the call']
    >>> analyse(str.upper).effects
    ()
    """
    analysis = Analysis(budget, _own_modules(function) if walk_library else frozenset(), _LINKS)
    recorder = analysis.recorder
    name = lookup.object_name(function) or lookup.class_name(type(function))
    try:
        if held is not None:
            analysis.hold(held)
        entry = _Entry(analysis, argument_types, keyword_types)
        for _ in analysis.passes():
            entry.call(function)
    except TooLongError as reason:
        recorder.complete = False
        recorder.unknown(str(reason), name)
    except RecursionError:
        recorder.complete = False
        recorder.unknown("calls nested too deeply to be followed", name)
    except Exception as error:  # a fault of the analysis must not become one of the program's
        recorder.complete = False
        recorder.unknown(f"the analysis failed: {type(error).__name__}: {error}", name)
    return recorder.report()


def _own_modules(function: Any) -> frozenset[str]:
    """The package of a library function that is itself analysed: its functions are walked, not looked up."""
    if type(function) is types.MethodType:
        function = function.__func__
    if type(function) is types.FunctionType:
        module = function.__globals__.get("__name__")
    elif lookup.is_class(function):
        module = lookup.module_of(function)
    else:
        module = lookup.module_of(type(function))
    if type(module) is str and facts.in_library(module) and module != "builtins":
        return frozenset((module.partition(".")[0],))
    return frozenset()


class _Entry:
    """Calls the analysed callable with what its caller may hand in."""

    def __init__(
        self, analysis: Analysis, argument_types: Sequence[type] | None, keyword_types: Mapping[str, type] | None
    ) -> None:
        self._analysis = analysis
        self._types = None if argument_types is None else [_known_type(cls) for cls in argument_types]
        self._keywords = {name: _known_type(cls) for name, cls in (keyword_types or {}).items()}

    def call(self, function: Any, bound: list[Value] | None = None, named: dict[str, Value] | None = None) -> Value:
        """One pass over the callable."""
        bound, named = bound or [], named or {}
        inner = calls.transparent(function)
        if inner is not lookup.MISSING and lookup.proxy_part(function, "_self_wrapper") is lookup.MISSING:
            return self.call(inner, bound, named)
        if type(function) is types.MethodType:
            own = self._self(function.__self__)
            return self.call(function.__func__, [own, *bound], named)
        if type(function) is functools.partial:
            held = self._analysis.pool.origin(EffectKind.WRITES_SHARED, "an argument held by functools.partial")
            before = [self._held(value, held) for value in function.args]
            keywords = {key: self._held(value, held) for key, value in function.keywords.items()}
            return self.call(function.func, [*bound, *before], {**keywords, **named})
        if type(function) is types.FunctionType and not self._in_tables(function):
            if function.__code__.co_flags & _GENERATOR_FLAGS:
                self._generator(function)
            return self._follow(function, bound, named)
        if not lookup.is_class(function):
            method = lookup.python_method(type(function), "__call__")
            if (
                method is not None
                and inner is lookup.MISSING
                and not facts.in_library(lookup.module_of(type(function)))
            ):
                return self.call(method, [self._self(function), *bound], named)
        return self._call_inside(function, bound, named)

    def _in_tables(self, function: types.FunctionType) -> bool:
        return facts.in_tables(function, self._analysis.own_modules)

    def _held(self, value: Any, origin: Origin) -> Value:
        return self._analysis.pool.known(value, None if lookup.is_one_of(value, _SIMPLE) else origin)

    def _self(self, owner: Any) -> Value:
        kind = EffectKind.WRITES_SHARED if lookup.is_class(owner) else EffectKind.WRITES_SELF
        what = "the class" if lookup.is_class(owner) else "self"
        return self._analysis.pool.known(owner, self._analysis.pool.origin(kind, what))

    def _generator(self, function: types.FunctionType) -> None:
        from autopar._model.effects import Effect

        line = function.__code__.co_firstlineno
        self._analysis.recorder.add(Effect(EffectKind.GENERATOR, f"{function.__name__}()", function.__qualname__, line))

    def _follow(self, function: types.FunctionType, bound: list[Value], named: dict[str, Value]) -> Value:
        analysis = self._analysis
        code = function.__code__
        callee = analysis.callee(function)
        names = code.co_varnames
        positional = list(bound)
        first = len(bound)
        count = code.co_argcount
        defaults = callee.defaults
        for index in range(first, count):
            if names[index] in named:
                break
            behind = index - (count - len(defaults))
            default = defaults[behind] if 0 <= behind < len(defaults) else None
            positional.append(self._argument(function, names[index], index - first, default))
        star = count + code.co_kwonlyargcount
        if code.co_flags & 0x04:
            positional += self._surplus(names[star], count - first)
        keywords = dict(named)
        for index in range(count, star):
            if names[index] not in keywords:
                default = callee.kwdefaults.get(names[index])
                keywords[names[index]] = self._argument(function, names[index], -1, default)
        if code.co_flags & 0x08:
            rest = names[star + bool(code.co_flags & 0x04)]
            keywords[f"{rest}.*"] = analysis.pool.outer(self._origin(rest))
            keywords |= {key: analysis.pool.outer(self._origin(key), cls) for key, cls in self._keywords.items()
                         if key not in names[:star]}  # fmt: skip
        return analysis.follow(callee, Args(positional, keywords), None)

    def _surplus(self, name: str, taken: int) -> list[Value]:
        """What ``*args`` may hold."""
        origin = self._origin(name)
        if self._types is None:
            return [self._analysis.pool.outer(origin)] * 2
        return [self._analysis.pool.outer(origin, cls) for cls in self._types[max(taken, 0) :]]

    def _origin(self, name: str) -> Origin:
        return self._analysis.of_argument(EffectKind.WRITES_ARGUMENT, f"argument '{name}'")

    def _argument(self, function: types.FunctionType, name: str, position: int, default: Value | None) -> Value:
        """What a parameter may hold: an argument of the caller, or its default."""
        pool = self._analysis.pool
        known: type | None = None
        if self._types is not None:
            if 0 <= position < len(self._types):
                known = self._types[position]
            elif name in self._keywords:
                known = self._keywords[name]
            elif default is not None:
                return default
            if known is not None:
                default = None
        origin = self._origin(name)
        if position == 0 and name == "self" and "." in function.__qualname__:
            origin = self._analysis.of_argument(EffectKind.WRITES_SELF, "self")
            known = known or _class_of(function)
        given = pool.outer(origin, known)
        return given if default is None else given | default

    def _call_inside(self, function: Any, bound: list[Value], named: dict[str, Value]) -> Value:
        """Classes, built-in functions and callable objects: called as if by a function of the program."""
        analysis = self._analysis
        callee = analysis.callee(_caller)
        callee.qualname = lookup.object_name(function) or lookup.class_name(type(function))
        slots: list[Value | None] = []
        frame = Frame(analysis, callee, slots, None, ())
        origin = self._origin("0")
        given: list[Value] = list(bound)
        if self._types is None:
            star = analysis.pool.outer(origin)
            if lookup.is_class(function) or lookup.is_one_of(function, _DESCRIPTORS):
                return self._known_call(frame, function, Args([*given, star], named, star, NOTHING))
            return self._known_call(frame, function, Args([*given, star, star], named))
        given += [analysis.pool.outer(self._origin(str(i)), cls) for i, cls in enumerate(self._types)]
        named = named | {key: analysis.pool.outer(self._origin(key), cls) for key, cls in self._keywords.items()}
        return self._known_call(frame, function, Args(given, named))

    def _known_call(self, frame: Any, function: Any, args: Args) -> Value:
        origin = self._analysis.pool.origin(
            EffectKind.WRITES_SELF if not lookup.is_class(function) else EffectKind.WRITES_SHARED, "self"
        )
        if type(function) is types.BuiltinFunctionType:
            origin = self._analysis.pool.origin(EffectKind.WRITES_SELF, "self")
        return calls.call(frame, self._analysis.pool.known(function, origin), args)


def _known_type(cls: type) -> type | None:
    return cls if lookup.compares_by_identity(cls) else None


_DESCRIPTORS = (types.MethodDescriptorType, types.WrapperDescriptorType)


def _caller_of_what_is_no_function() -> None:
    """Stands for a function of the program that calls the class, built-in function or object."""


_caller = cast(types.FunctionType, _caller_of_what_is_no_function)


def _class_of(function: types.FunctionType) -> type | None:
    """The class that a method is from, if it can be found by name and nothing inherits from it."""
    name, _, rest = function.__qualname__.partition(".")
    found = dict.get(function.__globals__, name)
    if found is None or rest != function.__name__ or not lookup.is_class(found):
        return None
    cls: type = found
    return cls if lookup.class_dict(cls).get(rest) is function and not type.__subclasses__(cls) else None
