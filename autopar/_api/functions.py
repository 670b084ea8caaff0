"""The module-level functions: ``parallel``, ``map``, and what shows how they fare."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeVar, cast, overload

from autopar._api.async_wrapper import AsyncParallel
from autopar._api.later import engine
from autopar._api.wrapper import Parallel
from autopar._api.wrapping import checked_hints, is_coroutine_function, wrap
from autopar.errors import HintTypeError

if TYPE_CHECKING:
    from autopar._model.calibration import Calibration
    from autopar._model.decision import Decision

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


class Decorator(Protocol):
    """What ``parallel(**hints)`` returns."""

    @overload
    def __call__(self, function: Callable[P, Coroutine[Any, Any, T]], /) -> AsyncParallel[P, T]: ...
    @overload
    def __call__(self, function: Callable[P, R], /) -> Parallel[P, R]: ...


@overload
def parallel(function: Callable[P, Coroutine[Any, Any, T]], /, **hints: Any) -> AsyncParallel[P, T]: ...
@overload
def parallel(function: Callable[P, R], /, **hints: Any) -> Parallel[P, R]: ...
@overload
def parallel(**hints: Any) -> Decorator: ...
def parallel(function: Any = None, /, **hints: Any) -> Any:
    """Make a function mappable in parallel; called, it stays what it is.

    Nothing is analysed, measured or started when the function is decorated.

    Parameters
    ----------
    function
        A function, method, class method, static method, coroutine function or other callable. Put ``@parallel`` above
        ``@classmethod`` and ``@staticmethod``.
    **hints
        backend : str
            Where items run: ``"serial"``, ``"threads"``, ``"asyncio"``, ``"processes"``, ``"multiprocessing"``,
            ``"joblib"``, ``"interpreters"`` (Python 3.14), ``"dask"``. A demand: it is
            met or the call raises.
        compiler : str
            How one call runs: ``"python"``; ``"native"``, compiled to C; ``"numba"``, compiled by Numba's LLVM, which
            takes whole-array code too; ``"cython"``, which takes objects of any types. A demand; for single calls it
            counts where it is given to the decorator or to ``options``.
        workers : int
            Most items under way at the same time.
        chunksize : int
            Items sent to a worker together; sized by time without it.
        timeout : float
            Seconds one item may take.
        deadline : float
            Seconds the whole map may take; then ``DeadlineError``, with ``on_error`` for each item without a result.
        retries : int
            Times an item that raised, or whose worker died, runs again; default 0.
        retry_on : type or tuple of type
            Exceptions after which it does; any ``Exception`` without it.
        backoff : float
            Longest pause before the first retry, in seconds, which doubles with each; default no pause. How much of it
            is waited is drawn at random.
        backoff_max : float
            Seconds that no pause exceeds; default 120.
        on_error : {"raise", "return"} or callable
            ``"return"`` puts the exception in the result's place; a callable gets ``(exception, item)`` and gives the
            result; default ``"raise"``.
        seed : int or "fresh"
            Own random stream for each item.
        pure : bool
            Your word that calls change nothing outside themselves.
        thread_safe : bool
            Your word that calls may overlap on threads.
        rtol : float
            Relative rounding difference you accept from compiled code; default 0. It admits functions that NumPy
            rounds in ways of its own, as ``np.exp``, and sums in another order.
        exact : bool
            ``False``, with ``compiler="numba"``, takes what Numba gives, unchecked; default True.
        c : str
            A C function that is called in place of the Python body: ``"path/lib.so:symbol"``. Annotations give its
            types: ctypes types, or int, float, bool and NDArray; the body, if there is one, is what it is checked
            against. A relative path starts at the folder of the file that defines the function.
        c_source : str
            The same for a C file, which is compiled when the function is first called: ``"kernel.c"``, or
            ``"kernel.c:symbol"`` where the C function has another name.
        max_tasks_per_worker : int
            Items after which a worker process makes way for a fresh one.
        worker_memory : int or str
            Bytes, or a text such as ``"2GB"``, beyond which it does so after its item.
        checkpoint : str or os.PathLike
            File that keeps results, so that the same call goes on where it was: see docs/recovery.md.
        checkpoint_changed : {"raise", "rerun", "reuse"}
            What to do with kept results of other code; default ``"raise"``.
        checkpoint_pickle : bool
            Your word that the file is your own: results of any type are kept, and loaded, as pickles.
        progress : bool or callable
            A bar on standard error, if that is a terminal, or in a notebook: after a second without this, at once with
            True, never with False. A callable is called with ``(done, total)``.
        cluster : str or distributed.Client
            Dask cluster that items may run on where that pays: its address, ``"local"`` for one on this machine, or
            a client.
        plaintext : bool
            Your word that a connection to a cluster on other machines needs no encryption.
        gather : bool
            False leaves results on the cluster and returns a ``distributed.Future`` for each; demands a cluster.
        resources : dict
            Dask resources that each chunk of items needs of its worker: ``{"GPU": 1}``; demands a cluster.

    Returns
    -------
    Parallel
        The function with ``map``, ``starmap``, ``imap``, ``imap_unordered``, ``submit``, ``asubmit``, ``amap``,
        ``aimap``, ``options``, ``explain`` and ``decisions`` on it.

    Raises
    ------
    autopar.errors.HintError
        A hint is unknown or has a wrong type or value, or the first argument is not callable.
    autopar.errors.UnknownNameError, autopar.errors.NotBuiltError
        A backend or compiler does not exist, or not yet.

    Examples
    --------
    >>> from autopar import parallel
    >>> @parallel
    ... def square(x):
    ...     return x * x
    >>> square(3), square.map(range(4))
    (9, [0, 1, 4, 9])
    """
    hints = checked_hints(hints)
    if function is None:
        return lambda function, /: wrap(function, hints)
    return wrap(function, hints)


def decisions() -> list[Decision]:
    """List the decisions of all functions in this process, newest last.

    The newest 10,000 are kept in memory; the store keeps more, across processes.

    Returns
    -------
    list of Decision
        Evidence, plan, rejected plans with their reasons, predicted and actual seconds, fall-backs.

    Examples
    --------
    >>> import autopar as ap
    >>> ap.map(abs, [-1, 2])
    [1, 2]
    >>> ap.decisions()[-1].function
    'builtins.abs'
    """
    from autopar._api.shown import Decisions

    return Decisions(engine.all_decisions())


def calibrate(seconds: float = 1.0) -> Calibration:
    """Measure now what this host costs, and keep it for later programs.

    Nobody has to call it: maps that take long are followed by short measurements, a hundredth of their time, until
    everything is known; and what maps show by themselves, such as the start of worker processes, counts too. Values
    are kept in the store with a fingerprint of the host, for 30 days or until predictions prove them wrong.

    Parameters
    ----------
    seconds
        When so many have passed no further trial begins, on a machine that is too busy; default 1.

    Returns
    -------
    Calibration
        ``quantities`` maps names to values, in seconds, seconds per byte, or cores; printed, it is a table.

    Notes
    -----
    Takes under a second on a quiet machine; on a busy one what it measures is how busy that is. Where this process has
    no worker processes yet, it has two afterwards.

    Examples
    --------
    >>> import autopar as ap
    >>> prices = ap.calibrate()
    >>> "process_base" in prices.quantities
    True
    """
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
        raise HintTypeError(
            f"calibrate() takes seconds as a number, not {type(seconds).__name__}; leave it out for 1.0"
        )
    from autopar._engine.calibrating import calibrate as calibrate_host

    return calibrate_host(seconds)


def table(decisions: Iterable[Decision] | None = None) -> str:
    """Lay decisions out as a text table.

    Parameters
    ----------
    decisions
        Which; without it all of this process.

    Returns
    -------
    str
        A line for each, with what was chosen, how long it was predicted to take and took, and why.

    Examples
    --------
    >>> import autopar as ap
    >>> print(ap.table([]))
    function  items  kind  plan  predicted  actual  speedup  why
    --------  -----  ----  ----  ---------  ------  -------  ---
    """
    return engine.decision_table(engine.all_decisions() if decisions is None else decisions)


def map(function: Callable[..., R], /, *iterables: Iterable[Any], **keywords: Any) -> list[R]:
    """Map a function that is not decorated.

    Parameters
    ----------
    function
        Any callable, classes and built-in functions too.
    *iterables, **keywords
        As for the ``map`` method of a decorated function.

    Returns
    -------
    list
        Results in order.

    Examples
    --------
    >>> import autopar as ap
    >>> ap.map(str.upper, ["a", "b"])
    ['A', 'B']
    """
    if not callable(function):
        raise HintTypeError(f"map() takes a function first, not {type(function).__name__}")
    if isinstance(function, Parallel):
        return function.map(*iterables, **keywords)
    if not isinstance(function, type) and is_coroutine_function(function):
        coroutine_function: Callable[..., Coroutine[Any, Any, Any]] = cast(Any, function)
        return AsyncParallel(coroutine_function, {}, engine.state_of(function)).map(*iterables, **keywords)
    engine.check_iterables(iterables, "map")
    own, hints = engine.split_keywords(function, keywords, "map")
    return engine.map_list(engine.state_of(function), iterables, own, engine.settings_for(hints, {}))
