"""What it costs to use each backend, apart from the items themselves."""

from __future__ import annotations

from autopar._model.light_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Costs:
    """Prices in seconds unless said otherwise; the defaults were measured by ``benchmarks/backend_costs.py``
    (2 shared x86-64 cores, CPython 3.11).

    Attributes
    ----------
    thread_start
        Start of one worker thread.
    thread_dispatch, process_dispatch
        The caller's time for handing over one chunk and taking its outcome back.
    thread_item, process_item
        Additional time of each item of a chunk, for a small item and result.
    process_base, process_start
        Cold start of a process pool whose workers are new interpreters: once, and for each worker.
    fork_base, fork_start
        The same where workers can be forked.
    interpreter_base, interpreter_start
        Cold start of interpreters in this process.
    joblib_base, joblib_start, joblib_dispatch
        Cold start of loky's executor, and the caller's time for one chunk of it.
    process_call, fork_call
        The caller's own part of each worker's start.
    second_thread, second_process
        Cores that a second worker adds: less than one where it is a hyper-thread, shared or throttled.
    thread_gap, process_gap
        What a worker that computes waits between two chunks while all cores are busy: the caller's threads have to get
        one too. As far as chunks are sized by it; predictions are corrected by what comes.
    process_byte
        Each pickled byte, there or back: pickle, pipe and unpickle.
    process_object
        The caller's own time for each object that it pickles or takes back; workers take theirs side by side.
    async_start, async_dispatch
        An event loop's start, and one coroutine's way through it.
    climb_start
        Items under way at which adaptive concurrency begins.
    io_ceiling, async_ceiling
        Most items that may wait at the same time, on threads and on an event loop.
    planning
        Looking at a function and choosing a plan.
    race_chunk
        Work of each of the two chunks that measure the GIL share.
    look_seconds
        Time in the plain loop before the first planning.
    margin, margin_seconds, warm_margin_seconds
        What a parallel plan must be better by, as a share and in seconds; the last where all its workers are there.
    """

    thread_start: float = 120e-6  # benchmarks/backend_costs.py: thread start
    thread_dispatch: float = 30e-6  # benchmarks/backend_costs.py: thread chunk
    thread_item: float = 20e-9  # benchmarks/backend_costs.py: thread item
    process_base: float = 45e-3  # benchmarks/backend_costs.py: process pool cold, intercept
    process_start: float = 40e-3  # benchmarks/backend_costs.py: process pool cold, slope
    fork_base: float = 8e-3  # benchmarks/backend_costs.py: forked pool cold, intercept
    fork_start: float = 4e-3  # benchmarks/backend_costs.py: forked pool cold, slope
    interpreter_base: float = 30e-3  # benchmarks/backends: interpreters cold, intercept
    interpreter_start: float = 50e-3  # benchmarks/backends: interpreters cold, slope
    joblib_base: float = 250e-3  # benchmarks/backends: joblib cold, intercept
    joblib_start: float = 150e-3  # benchmarks/backends: joblib cold, slope
    joblib_dispatch: float = 0.3e-3  # benchmarks/backends: joblib chunk
    process_call: float = 0.4e-3  # benchmarks/backend_costs.py: process call
    fork_call: float = 1.4e-3  # benchmarks/backend_costs.py: fork call
    process_dispatch: float = 110e-6  # benchmarks/backend_costs.py: process chunk
    thread_gap: float = 0.1e-3  # benchmarks/free_threaded: 1.15 times the loop's speed without it, 1.35 with it
    process_gap: float = 0.3e-3  # benchmarks/regret: words, regex: by 0.1 ms they took a sixth longer, by 0.6 the same
    process_item: float = 0.2e-6  # benchmarks/backend_costs.py: process item
    process_byte: float = 4e-9  # benchmarks/backend_costs.py: process byte
    process_object: float = 130e-9  # benchmarks/backend_costs.py: process object
    second_thread: float = 1.0  # until it is calibrated: autopar calibrate
    second_process: float = 1.0  # until it is calibrated: autopar calibrate
    async_start: float = 200e-6  # benchmarks/backend_costs.py: asyncio start
    async_dispatch: float = 10e-6  # benchmarks/backend_costs.py: asyncio item
    climb_start: int = 64  # benchmarks/regret: http, sleep; a server that allows 4 connections loses nothing by it
    io_ceiling: int = 256  # unmeasured: 256 threads of 8 MiB stack are 2 GiB of address space, a few MiB of memory
    async_ceiling: int = 1024  # unmeasured: the usual soft limit of open files
    planning: float = 0.5e-3  # benchmarks/backend_costs.py: planning
    race_chunk: float = 5e-3  # unmeasured: one sys.getswitchinterval(), below which two threads hardly meet
    margin: float = 0.10  # unmeasured: the model's error on a quiet machine is of this size
    look_seconds: float = 1e-3  # unmeasured: less was spent in the loop than one planning and its analysis take
    margin_seconds: float = 2e-3  # benchmarks/simulate.py: with 5 ms maps of few items lose more than they risk
    warm_margin_seconds: float = 0.3e-3  # ten dispatches to a thread, three to a process

    def lost_with_a_chunk(self, *, same_process: bool, waits: bool = False) -> float:
        """Seconds that say how long a chunk should be; items that wait leave the caller a core."""
        if not same_process:
            return max(self.process_gap, self.process_dispatch)
        return self.thread_dispatch if waits else max(self.thread_gap, self.thread_dispatch)


DEFAULT_COSTS = Costs()
