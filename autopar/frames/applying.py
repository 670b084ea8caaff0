"""The door: `apply` of pandas' frames, series and groups, with the calls planned."""

from __future__ import annotations

import functools
import inspect
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from autopar._api.arguments import keyword_names
from autopar._api.config import settings_for
from autopar._engine.functions import FunctionState, state_of
from autopar._model.hints import HINTS, Settings, check_hints
from autopar._observe.traits import returns_coroutine, returns_generator
from autopar.errors import HintTypeError, UnavailableError
from autopar.frames.stepping import Step, write_down
from autopar.frames.works import GroupWork, RowWork, element_results, elements_of

_AXES: dict[Any, int] = {0: 0, "index": 0, "rows": 0, 1: 1, "columns": 1}


class _Call(NamedTuple):
    """One apply: the object, the user's function, pandas' own arguments by name, and the function's."""

    obj: Any
    function: Callable[..., Any]
    given: dict[str, Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


def apply(obj: Any, func: Any, /, *args: Any, **kwargs: Any) -> Any:
    """Apply a function as pandas does, with its calls planned, and parallel where that pays.

    The result is that of ``obj.apply(func, *args, **kwargs)``: values, dtypes, index, names and exceptions.

    Parameters
    ----------
    obj : DataFrame, Series, DataFrameGroupBy or SeriesGroupBy
        What to apply it to.
    func
        The function, decorated with ``@parallel`` or not. What else pandas takes, such as the name of a method, goes to
        pandas as it is.
    *args, **kwargs
        Those of pandas' own method, for example ``axis=1``, ``raw=True``, ``result_type="expand"``, ``args=(...)``, and
        the function's own. A keyword that is a hint of :func:`autopar.parallel` and no parameter of the function is a
        hint.

    Returns
    -------
    Series, DataFrame or scalar
        What pandas returns.

    Raises
    ------
    HintTypeError
        The object has no ``apply``, or a hint has a wrong type.
    UnavailableError
        A backend is demanded, and only pandas' own loop can do this.

    Notes
    -----
    The first calls are pandas' own, and a short apply ends there. Where the rest is worth a plan the function's effects
    are looked at, as in :meth:`~autopar.Parallel.map`; one that changes its row, or anything outside, stays with
    pandas. The rest is mapped by position, over a frame that travels once to each worker, and pandas puts the results
    together. `autopar.decisions` says what was chosen, and why.

    Examples
    --------
    >>> import pandas as pd
    >>> import autopar as ap
    >>> frame = pd.DataFrame({"width": [2, 3], "height": [5, 7]})
    >>> ap.apply(frame, lambda row: row["width"] * row["height"], axis=1)
    0    10
    1    21
    dtype: int64
    """
    if not callable(getattr(obj, "apply", None)):
        raise HintTypeError(f"apply() takes a DataFrame, a Series or a groupby of pandas, not {type(obj).__name__}")
    state, function, own_hints = _behind(func)
    kwargs, hints = _without_hints(obj, function, kwargs)
    settings = settings_for(hints, own_hints)
    call, why = _bound(obj, function, args, kwargs)
    if call is None or state is None:
        return _by_pandas(obj, function, args, kwargs, settings, state, why)
    if call.obj.ndim == 1 and type(call.obj).__name__ == "Series":
        return _apply_to_series(call, state, settings)
    if type(call.obj).__name__ == "DataFrame":
        axis, raw = _AXES[call.given.get("axis", 0)], bool(call.given.get("raw", False))
        work: Any = RowWork(state, settings, obj, axis, call.args, call.kwargs, raw=raw)
        given = {**call.given, **({"args": call.args} if call.args else {}), **call.kwargs}
        pandas_apply = functools.partial(obj.apply, **given)
    else:
        work = GroupWork(state, settings, obj, call.given, call.args, call.kwargs)
        pandas_apply = functools.partial(_apply_to_groups, obj, call)
    step = Step(function, work)
    try:
        result = pandas_apply(step)
    except BaseException as error:
        step.write_down(state, error)
        raise
    step.write_down(state, None)
    return result


def _apply_to_groups(groups: Any, call: _Call, step: Any) -> Any:
    return groups.apply(step, *call.args, **call.given, **call.kwargs)


def _apply_to_series(call: _Call, state: FunctionState, settings: Settings) -> Any:
    """All elements are known beforehand, so that they are an ordinary map."""
    items = elements_of(call.obj)
    results = element_results(state, settings, items, call.args, call.kwargs)
    # A partial of `next` gives one result after the other without a Python frame; the element is its default.
    return call.obj.apply(functools.partial(next, iter(results)), **call.given)


def _behind(func: Any) -> tuple[FunctionState | None, Any, dict[str, Any]]:
    """The state, the function and the hints behind what is to be applied."""
    unwrap = getattr(type(func), "__autopar_unwrap__", None)
    if unwrap is not None:
        return func._self_state, unwrap(func), func._self_hints
    return (state_of(func) if callable(func) else None), func, {}


def _without_hints(obj: Any, function: Any, kwargs: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The keywords that are not hints, and the hints among them."""
    if HINTS.keys().isdisjoint(kwargs):
        return kwargs, {}
    names, any_name = keyword_names(function) if callable(function) else (frozenset(), False)
    kind: Any = type(obj)
    own = frozenset(_signature(kind).parameters) | (names or frozenset())
    if any_name:
        return kwargs, {}
    hints = {name: value for name, value in kwargs.items() if name in HINTS and name not in own}
    return {name: value for name, value in kwargs.items() if name not in hints}, check_hints(hints, where="apply()")


def _bound(obj: Any, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[_Call | None, str]:
    """The arguments told apart, or None and why pandas has to make the calls."""
    import pandas
    from pandas.api.typing import DataFrameGroupBy, SeriesGroupBy

    kind: Any = type(obj)
    if kind not in (pandas.DataFrame, pandas.Series, DataFrameGroupBy, SeriesGroupBy):
        return None, f"{kind.__name__} may apply functions in a way of its own"
    if why := _no_function(function):
        return None, why
    try:
        bound = _signature(kind).bind(obj, function, *args, **kwargs).arguments
    except TypeError:
        return None, "its arguments are not those of pandas' apply"
    own_kwargs = dict(bound.pop("kwargs", {}))
    del bound["self"], bound["func"]
    own_args: Any = bound.pop("args", ())
    if type(own_args) not in (tuple, list):
        return None, f"args is {type(own_args).__name__}, of which it is not known that it can be taken twice"
    why = _no_loop(bound, frame=kind is pandas.DataFrame) or _too_little(obj)
    return (None, why) if why else (_Call(obj, function, bound, tuple(own_args), own_kwargs), "")


@functools.lru_cache(maxsize=32)
def _signature(kind: Any) -> inspect.Signature:
    """That of pandas' own method."""
    return inspect.signature(kind.apply)


def _no_function(function: Any) -> str:
    """Why this is not a function that is called with one item after the other."""
    import numpy
    from pandas.api.types import is_list_like

    if isinstance(function, str) or not callable(function) or is_list_like(function):
        return f"pandas finds out itself what {type(function).__name__} stands for"
    if isinstance(function, numpy.ufunc):
        return "a ufunc takes all values in one call"
    if returns_coroutine(function) or returns_generator(function):
        return "its calls give coroutines or generators, which run later"
    return ""


def _no_loop(given: dict[str, Any], *, frame: bool) -> str:
    """Why these arguments of pandas' own do not leave a call for each item."""
    if given.get("engine") not in (None, "python") or given.get("engine_kwargs"):
        return f"engine={given.get('engine')!r} makes the calls"
    if given.get("by_row", "compat") is not given.get("by_row", "compat") or given.get("by_row", "compat") != "compat":
        return "by_row=False gives the function everything at once"
    if frame and given.get("result_type") == "broadcast":
        return 'result_type="broadcast" writes each result into the frame before it asks for the next'
    axis = given.get("axis", 0)
    if frame and not (isinstance(axis, (int, str)) and axis in _AXES):
        return "pandas has no such axis"
    return ""


def _too_little(obj: Any) -> str:
    """Why there is nothing to call a function with."""
    return "it is empty" if getattr(obj, "size", 1) == 0 else ""


def _by_pandas(
    obj: Any,
    function: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    settings: Settings,
    state: FunctionState | None,
    why: str,
) -> Any:
    """Leave it to pandas, and write down why; what is demanded cannot be met then."""
    if settings.backend not in (None, "serial") and why != _too_little(obj):
        raise UnavailableError(f"backend={settings.backend!r} cannot be met by apply(): {why}")
    started, unix = time.perf_counter(), time.time()
    error: BaseException | None = None
    try:
        return obj.apply(function, *args, **kwargs)
    except BaseException as raised:
        error = raised
        raise
    finally:
        noted = state if state is not None else state_of(type(obj).apply)
        items = len(obj) if hasattr(obj, "__len__") else 0
        write_down(noted, f"by pandas: {why}", items, unix, time.perf_counter() - started, error)
