"""An executor as in :mod:`concurrent.futures` that plans where each submitted function runs."""

from __future__ import annotations

import functools
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor as StandardExecutor
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from autopar._api.arguments import check_buffersize
from autopar._api.config import settings_for
from autopar._api.wrapper import Parallel
from autopar._api.wrapping import is_coroutine_function
from autopar._engine.driven import driven_state
from autopar._engine.executor_map import ExecutorMap, futures_in_order
from autopar._engine.functions import FunctionState
from autopar._engine.own_workers import Workers
from autopar._engine.passing import state_of_call
from autopar._engine.submitted import Calls
from autopar._model.hints import OF_WHOLE_MAPS, Settings, check_hints
from autopar.errors import HintTypeError

if TYPE_CHECKING:
    from multiprocessing.context import BaseContext
    from multiprocessing.process import BaseProcess

    from autopar._engine.own_coroutines import Coroutines

P = ParamSpec("P")
R = TypeVar("R")


class Executor(StandardExecutor):
    """A :class:`concurrent.futures.Executor` that plans where each submitted function runs.

    A call runs on a thread until its function is known to compute in Python for long; then, if nothing it does would be
    lost there, in a worker process. Coroutine functions run on an event loop. What was chosen, and why, is in the
    decision log under ``submit`` and ``map``.

    Parameters
    ----------
    max_workers
        Most calls under way at the same time. Without it as many threads as the standard library's executor of threads
        has, and as many processes as there are cores.
    mp_context
        A context of :mod:`multiprocessing`. It asks for worker processes that are started so and are as
        :class:`concurrent.futures.ProcessPoolExecutor` has them: they import the main module, and their globals are
        their own. Without it processes are autopar's, which see the globals that a function reads as they are here.
    initializer, initargs
        Called in each worker, thread or process, before anything else. Processes are then started as by
        ``mp_context``, with the method ``"spawn"`` where none is given.
    thread_name_prefix
        For the names of threads.
    max_tasks_per_child
        Calls after which a worker process makes way for a new one; not with the start method ``"fork"``.
    **hints
        Any hint of :func:`autopar.parallel` that concerns calls, such as ``backend="processes"`` or ``timeout=5``.

    Raises
    ------
    ValueError, TypeError
        An argument is of a wrong type or value, as in the standard library.
    autopar.errors.HintError, autopar.errors.DemandError
        A hint is.

    Notes
    -----
    Where the process that runs a call ends, only that call fails, with an error that is both a
    :class:`~concurrent.futures.process.BrokenProcessPool` and an :class:`autopar.errors.WorkerDiedError`; the executor
    can still be used. An initializer that fails breaks it, as in the standard library.

    Examples
    --------
    >>> import autopar as ap
    >>> with ap.Executor(max_workers=2) as executor:
    ...     future = executor.submit(pow, 2, 10)
    ...     list(executor.map(abs, [-1, -2])), future.result()
    ([1, 2], 1024)
    """

    def __init__(
        self,
        max_workers: int | None = None,
        mp_context: BaseContext | None = None,
        initializer: Callable[..., object] | None = None,
        initargs: tuple[Any, ...] = (),
        *,
        thread_name_prefix: str = "",
        max_tasks_per_child: int | None = None,
        **hints: Any,
    ) -> None:
        self._hints = check_hints(hints, where="Executor()")
        if of_maps := [name for name in hints if name in OF_WHOLE_MAPS]:
            raise HintTypeError(f"Executor() got the hint {of_maps[0]!r}, which is for maps of decorated functions")
        settings = settings_for({}, self._hints)
        _check_workers(max_workers)
        _check_tasks(max_tasks_per_child, mp_context)
        if initializer is not None and not callable(initializer):
            raise TypeError(f"initializer must be a callable, not {type(initializer).__name__}")
        self._max_workers = max_workers if max_workers is not None else settings.workers
        self._workers = Workers(
            self._max_workers,
            settings,
            context=mp_context,
            initializer=initializer,
            initargs=tuple(initargs),
            thread_name_prefix=thread_name_prefix,
            calls_per_process=max_tasks_per_child,
        )
        self._shut_down = False
        # A pool that nobody holds any more ends its work and then itself.
        self._lost = weakref.finalize(self, self._workers.shutdown, wait=False)
        self._lost.atexit = False

    # -- calls --------------------------------------------------------------------------------------------------------

    def submit(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Have a call made, and return a future for what becomes of it.

        Parameters
        ----------
        fn
            Any callable; of a decorated one the hints count, too, and of a coroutine function the result is awaited.
        *args, **kwargs
            Its arguments.

        Raises
        ------
        RuntimeError
            The executor is shut down.
        concurrent.futures.BrokenExecutor
            Its initializer has failed.
        """
        function, state, settings = self._known(fn)
        if is_coroutine_function(function):
            return self._await(state, args, dict(kwargs), settings)
        return Calls(self._workers, state, dict(kwargs), settings).submit_one(args)

    def map(
        self,
        fn: Callable[..., R],
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int | None = None,
        buffersize: int | None = None,
    ) -> Iterator[R]:
        """Call a function with each item and return an iterator of the results, in order.

        Parameters
        ----------
        fn
            Any callable.
        *iterables
            One for each positional argument; the shortest ends the map.
        timeout
            Seconds from now after which the next result raises TimeoutError.
        chunksize
            Items that run together, on threads too; sized by what they take without it.
        buffersize
            Most items taken from the iterables and not yet handed out. Without it all are taken now, as by every
            executor.

        Raises
        ------
        ValueError, TypeError
            ``chunksize`` or ``buffersize`` is not a number of at least 1.
        """
        if chunksize is not None and chunksize < 1:
            raise ValueError(f"chunksize must be >= 1, not {chunksize}; leave it out to go by time")
        size = check_buffersize(buffersize)
        function, state, settings = self._known(fn)
        items = zip(*iterables, strict=False)
        if is_coroutine_function(function):
            submit = functools.partial(self._await_item, state, settings)
            return futures_in_order(submit, items, timeout=timeout, buffersize=size)
        self._refuse_late_calls()
        calls = Calls(self._workers, state, {}, settings, "map")
        chunksize = chunksize if chunksize is not None else settings.chunksize
        run = ExecutorMap(self._workers, calls, items, chunksize=chunksize, buffersize=size, timeout=timeout)
        return run.results()

    def _known(self, fn: Any) -> tuple[Any, FunctionState, Settings]:
        """The function out of its wrapper, what is known of it, and its hints under the executor's."""
        if not callable(fn):
            raise TypeError(f"an executor calls functions; {type(fn).__name__} is not callable")
        if isinstance(fn, Parallel):
            function, state = fn.__wrapped__, fn._self_state
            settings = settings_for(self._hints, fn._self_hints)
        else:
            function, state, settings = fn, state_of_call(fn), settings_for({}, self._hints)
        if is_coroutine_function(function):
            plain = driven_state(state, settings)
            if plain is not None:
                return plain.function, plain, settings
        return function, state, settings

    def _refuse_late_calls(self) -> None:
        if self._shut_down:
            raise RuntimeError("cannot schedule new futures after shutdown")

    def _await(self, state: FunctionState, args: tuple[Any, ...], kwargs: Any, settings: Settings) -> Future[Any]:
        from autopar._engine.one_coroutine import one_call

        self._refuse_late_calls()
        return self._coroutines.submit(lambda: one_call(state, args, kwargs, settings))

    def _await_item(self, state: FunctionState, settings: Settings, *args: Any) -> Future[Any]:
        return self._await(state, args, {}, settings)

    @functools.cached_property
    def _coroutines(self) -> Coroutines:
        from autopar._engine.own_coroutines import Coroutines

        return Coroutines(self._max_workers)

    # -- the end ------------------------------------------------------------------------------------------------------

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more calls.

        Parameters
        ----------
        wait
            Return when all calls have ended and the workers are gone.
        cancel_futures
            Cancel the calls that no worker has begun.
        """
        self._shut_down = True
        self._lost.detach()
        if "_coroutines" in self.__dict__:
            self._coroutines.shutdown(wait=False, cancel=cancel_futures)
        self._workers.shutdown(wait=wait, cancel=cancel_futures)
        if wait and "_coroutines" in self.__dict__:
            self._coroutines.shutdown(wait=True, cancel=False)

    def terminate_workers(self) -> None:
        """End the worker processes by the system's request to end, and shut down without waiting.

        Calls that run in them fail with BrokenProcessPool, those that wait are cancelled. Calls that run on threads or
        on an event loop go on to their end: Python cannot end a thread.
        """
        self._end(gently=True)

    def kill_workers(self) -> None:
        """Like :meth:`terminate_workers`, by the signal that cannot be ignored."""
        self._end(gently=False)

    def _end(self, *, gently: bool) -> None:
        self._shut_down = True
        self._lost.detach()
        if "_coroutines" in self.__dict__:
            self._coroutines.shutdown(wait=False, cancel=True)
        self._workers.end_processes(gently=gently)

    @property
    def _processes(self) -> dict[int | None, BaseProcess]:
        """Worker processes by their id, where tools that watch executors look for them."""
        if not self._workers.has_processes():
            return {}
        return {process.pid: process for process in self._workers.processes.processes}

    @property
    def _executor_manager_thread(self) -> threading.Thread | None:
        """One of the threads that serve the workers, where the standard library's suite looks for one to wait for."""
        return next(iter(self._workers.threads._threads), None)

    @property
    def _broken(self) -> object:
        return self._workers.broken or getattr(self._workers.threads, "_broken", False)


def _check_workers(number: object) -> None:
    if number is None:
        return
    if isinstance(number, bool) or not hasattr(type(number), "__index__"):
        raise TypeError(f"max_workers must be a whole number of at least 1 or None, not {type(number).__name__}")
    if number.__index__() <= 0:  # type: ignore[attr-defined]
        raise ValueError(f"max_workers must be greater than 0, not {number}")


def _check_tasks(number: object, context: BaseContext | None) -> None:
    if number is None:
        return
    if isinstance(number, bool) or not isinstance(number, int):
        raise TypeError(f"max_tasks_per_child must be an integer of at least 1 or None, not {type(number).__name__}")
    if number <= 0:
        raise ValueError(f"max_tasks_per_child must be >= 1, not {number}")
    if context is not None and context.get_start_method(allow_none=False) == "fork":
        raise ValueError(
            "max_tasks_per_child is incompatible with the 'fork' start method, since the program has threads by then; "
            "give another mp_context"
        )
