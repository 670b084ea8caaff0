"""The program that maps: random maps until it is told to stop, each with its sums, a line of JSON before and after.

It is started by the driver (``__main__.py``), which watches the lines, and torments its worker processes meanwhile.
"""

from __future__ import annotations

import argparse
import faulthandler
import gc
import itertools
import json
import os
import random
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import autopar
from autopar import parallel
from autopar.errors import ItemError, UnavailableError, WorkerDiedError
from benchmarks.chaos.items import DEADLY, FAILING, SLOW, Recipe, Unpicklable, item, value_of, wrong

HOSTILE_SHARES = (0.0, 0.02, 0.06)
WITHOUT_TIMEOUT = ("joblib",)
TIMEOUT = 1.0
SETTLING = 20.0
"""Seconds within which threads that were given up, since their items ran out of time, must have ended."""

chaotic = parallel(pure=True)(item)


class WrongError(Exception):
    """A map gave something that it must not give."""


class Map:
    """One random map: what it is to do, and its account."""

    def __init__(self, number: int, backend: str, seed: int, *, tormented: bool) -> None:
        rng = random.Random(seed)
        elsewhere = backend != "threads"
        self.number, self.backend = number, backend
        self.shape = rng.choice(SHAPES if backend != "multiprocessing" else [s for s in SHAPES if s != "submit"])
        self.items = rng.choice((1, 7, 40, 120)) if self.shape != "submit" else rng.choice((1, 7, 40))
        self.timeout = rng.random() < 0.3 and self.shape != "submit" and backend not in WITHOUT_TIMEOUT
        kinds = FAILING + (DEADLY if elsewhere else ()) + ((SLOW,) if self.timeout else ())
        self.recipe = Recipe(seed, rng.choice(HOSTILE_SHARES), kinds, rng.choice((0.0, 0.001, 0.003)))
        self.hints: dict[str, Any] = {"backend": backend, "workers": rng.randint(1, 4)}
        if self.timeout:
            self.hints["timeout"] = TIMEOUT
        if self.shape != "submit":
            self.hints |= {"chunksize": rng.choice((None, 1, 4, 16)), "retries": rng.choice((0, 0, 1))}
        self.may = (WorkerDiedError,) if elsewhere and tormented else ()
        self.results = 0
        self.errors: Counter[str] = Counter()

    def run(self) -> None:
        """Map, and check what comes.

        Raises
        ------
        WrongError
            Something came that must not.
        """
        getattr(self, f"_{self.shape}")()

    def account(self) -> dict[str, Any]:
        """What went in, and what came out."""
        return {
            "items": self.items,
            "results": self.results,
            "errors": dict(self.errors),
            "backend": self.backend,
            "shape": self.shape,
        }

    def _map(self) -> None:
        self._check_all(chaotic.map(range(self.items), recipe=self.recipe, on_error="return", **self.hints))

    def _imap(self) -> None:
        source, results = iter(range(self.items)), []
        for result in chaotic.imap(source, recipe=self.recipe, on_error="return", **self.hints):
            results.append(result)  # noqa: PERF402
        self._check_all(results)

    def _unordered(self) -> None:
        found = list(chaotic.imap_unordered(range(self.items), recipe=self.recipe, on_error="return", **self.hints))
        by_place = dict(found)
        if len(found) != self.items or sorted(by_place) != list(range(self.items)):
            raise WrongError(f"items lost or doubled: {sorted(Counter(place for place, _ in found).items())}")
        self._check_all([by_place[x] for x in range(self.items)])

    def _raises(self) -> None:
        """The first failure in the order of the input is raised; results before it have been given."""
        results: list[Any] = []
        try:
            for result in chaotic.imap(range(self.items), recipe=self.recipe, **self.hints):
                results.append(result)  # noqa: PERF402
        except UnavailableError:
            raise  # the way is closed, and no item has failed
        except Exception as error:
            results.append(error)
        if len(results) < self.items and not (results and isinstance(results[-1], BaseException)):
            raise WrongError(f"{len(results)} results of {self.items} and no error")
        self.items = len(results)
        self._check_all(results)

    def _left(self) -> None:
        """An endless input whose results are left early."""
        wanted, results = self.items, []
        lazy = chaotic.imap(itertools.count(), recipe=self.recipe, on_error="return", **self.hints)
        for result in lazy:
            results.append(result)
            if len(results) == wanted:
                break
        lazy.close()
        self._check_all(results)

    def _submit(self) -> None:
        calls = chaotic.options(backend=self.backend)
        futures = [calls.submit(x, self.recipe) for x in range(self.items)]
        results: list[Any] = []
        for x, future in enumerate(futures):
            try:
                results.append(future.result())
            except ItemError as error:
                error.index = x  # a single call has no place in an input
                results.append(error)
            except Exception as error:
                results.append(error)
        self._check_all(results)

    def _check_all(self, results: list[Any]) -> None:
        if len(results) != self.items:
            raise WrongError(f"{len(results)} results and errors of {self.items} items")
        said = []
        for x, result in enumerate(results):
            said.append(wrong(x, result, self.recipe, timeout=self.timeout, errors=self.may))
            if isinstance(result, BaseException):
                self.errors[type(result).__name__] += 1
            else:
                self.results += 1
        if any(said):
            raise WrongError("; ".join(filter(None, said)))
        given = sum(_place(result) for result in results if not isinstance(result, (BaseException, Unpicklable)))
        failed = sum(x for x, result in enumerate(results) if isinstance(result, (BaseException, Unpicklable)))
        if given + failed != sum(range(self.items)):
            raise WrongError(f"the sums of results ({given}) and errors ({failed}) are not that of the items")


SHAPES = ("map", "imap", "unordered", "raises", "left", "submit")


def _place(result: Any) -> int:
    """The item that a result is of."""
    return (int(value_of(result)) - 1) // 3


# -- the program ---------------------------------------------------------------------------------------------------

_saying = threading.Lock()
_numbers = itertools.count(1)


def say(**what: Any) -> None:
    """Tell the driver."""
    with _saying:
        sys.stdout.write(json.dumps(what) + "\n")
        sys.stdout.flush()


def map_until(stop: Callable[[], bool], backends: list[str], seed: int, *, tormented: bool) -> None:
    """Run random maps one after the other."""
    rng = random.Random(seed)
    while not stop():
        one = Map(next(_numbers), rng.choice(backends), rng.getrandbits(48), tormented=tormented)
        say(begin=one.number, backend=one.backend, shape=one.shape, items=one.items, hints=one.hints)
        try:
            one.run()
        except KeyboardInterrupt:
            say(end=one.number, interrupted=True, **one.account())
            raise
        except UnavailableError as error:
            # An item that ran out of time goes on in its thread for a while, and such a process is not forked.
            busy = one.backend == "multiprocessing" and "other thread" in str(error)
            say(end=one.number, **({"refused": True} if busy else {"wrong": str(error)}), **one.account())
        except BaseException as error:
            say(end=one.number, wrong=f"{type(error).__name__}: {error}"[:2000], **one.account())
        else:
            say(end=one.number, **one.account())


def count() -> tuple[int, int]:
    """Open descriptors, and threads."""
    gc.collect()
    fds = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    return fds, threading.active_count()


def settle(threads: int) -> tuple[int, int]:
    """Wait until no more threads are left than there may be, or long enough; return :func:`count`."""
    end = time.monotonic() + SETTLING
    while count()[1] > threads and time.monotonic() < end:
        time.sleep(0.1)
    return count()


def main() -> None:
    """Map on so many threads until a line comes on standard input, or a signal."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--backends", nargs="+", required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--tormented", action="store_true")
    options = parser.parse_args()
    faulthandler.register(signal.SIGUSR1, all_threads=True)
    os.environ["AUTOPAR_CHAOS_MAPPER"] = str(os.getpid())
    # A shell that starts the driver in the background has Ctrl-C ignored, and all processes below inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    stopped = threading.Event()
    if options.threads == 1:
        poll = _Poll()  # without a thread of its own, so that this process can be forked
        stop: Callable[[], bool] = poll.stop
    else:
        stop = stopped.is_set
    say(ready=os.getpid())
    before = count()
    args = stop, options.backends, options.seed
    try:
        if options.threads == 1:
            map_until(*args, tormented=options.tormented)
        else:
            crew = [
                threading.Thread(
                    target=map_until,
                    args=(stop, options.backends, options.seed + n),
                    kwargs={"tormented": options.tormented},
                )
                for n in range(options.threads)
            ]
            for thread in crew:
                thread.start()
            sys.stdin.readline()
            stopped.set()
            for thread in crew:
                thread.join()
    except KeyboardInterrupt:
        results = autopar.map(abs, range(-100, 0), backend=options.backends[0])
        say(interrupted=True, usable=results == list(range(100, 0, -1)))
    fds, threads = settle(60)
    say(final=True, descriptors=fds - before[0], threads=threads - before[1])


class _Poll:
    """Whether a line has come on standard input."""

    def stop(self) -> bool:
        import select

        return bool(select.select([sys.stdin], [], [], 0)[0])


if __name__ == "__main__":
    main()
