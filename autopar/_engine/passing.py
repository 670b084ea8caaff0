"""What is known of functions that are submitted: those that only their calls hold leave with them."""

from __future__ import annotations

import functools
import threading
from collections import OrderedDict
from collections.abc import Callable
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType, NoneType
from typing import Any
from weakref import WeakValueDictionary

from autopar._engine.functions import FunctionState, bound_state, state_of
from autopar._model.observation import Profile

_PROFILES_KEPT = 1024

_passing: WeakValueDictionary[int, FunctionState] = WeakValueDictionary()
"""States of functions that only their calls hold: a closure, a partial, a callable object."""

_profiles: OrderedDict[object, Profile] = OrderedDict()
"""What single calls took, of functions that come and go: by their code, or by the type of the callable."""

_lock = threading.RLock()


def state_of_call(function: Callable[..., Any]) -> FunctionState:
    """The memory of a function that was submitted; it keeps nothing alive that the function alone holds."""
    if stays(function):
        return state_of(function)
    if type(function) is MethodType and stays(function.__func__):
        return bound_state(state_of(function.__func__), function)
    with _lock:
        known = _passing.get(id(function))
        if known is None or known.function is not function:
            known = FunctionState(function)
            known.calls = _profile(_kind(function))
            _passing[id(function)] = known
        return known


def stays(function: Any) -> bool:
    """It holds no values: a function without a closure, or one in C that belongs to a module."""
    if type(function) is FunctionType:
        return function.__closure__ is None and not function.__defaults__ and not function.__kwdefaults__
    return type(function) is BuiltinFunctionType and type(function.__self__) in (ModuleType, NoneType)


def _kind(function: Any) -> object:
    """What functions have in common whose calls are likely to take as long."""
    while type(function) is functools.partial:
        function = function.func
    code: CodeType | None = getattr(function, "__code__", None)
    if code is not None:
        return code
    return function if stays(function) else type(function)


def _profile(kind: object) -> Profile:
    profile = _profiles.pop(kind, None) or Profile()
    _profiles[kind] = profile
    while len(_profiles) > _PROFILES_KEPT:
        _profiles.popitem(last=False)
    return profile
