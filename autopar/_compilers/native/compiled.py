"""A function compiled for the types of one call: guard, kernel, result; and Python wherever that is not enough."""

from __future__ import annotations

import ctypes
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from typing import Any

from autopar._compilers.native.binding import as_call, bind
from autopar._compilers.native.blocks import run_block
from autopar._compilers.native.comparing import difference
from autopar._compilers.native.entry import entry_of
from autopar._compilers.native.facts import changed, keyword_defaults, rows_of
from autopar._compilers.native.loader import Code, function_at
from autopar._compilers.native.programs import classes_of
from autopar._compilers.native.rehearsal import Rehearsal
from autopar._compilers.native.sampling import Sampling
from autopar._compilers.native.warning_state import tells_of_underflow
from autopar._kernel.kernel import Kernel
from autopar._kernel.types import Type
from autopar._model.compiler import Counters
from autopar._native_twin_entry import CHANGED, COMPARE, DONE, UNBOUND, UNFIT, facts_hold
from autopar.errors import KernelMismatchWarning

EXITS_BEFORE_JUDGING = 32
EXITS_AT_MOST = 0.5
"""Side exits, and their share of the calls, from which a kernel is given up: a call that leaves costs the kernel's time
on top of Python's, which is small, and its undoing. Unmeasured."""


class CompiledFunction:
    """A function for which compiled code runs the calls of certain types.

    Called like the function itself, with the same result; what the kernel does not take runs in Python.

    Parameters
    ----------
    function
        The Python function.
    kernel
        What of it is compiled, and for which types of the parameters.
    library
        The code.
    sampling
        Which of its calls are compared with Python.
    rtol
        Relative difference from Python that the user accepts.
    compiler
        The name of what has made the code.

    All else that it has is told by :class:`autopar._model.compiler.Compiled`.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        kernel: Kernel,
        library: Code,
        *,
        sampling: Sampling | None = None,
        rtol: float = 0.0,
        compiler: str = "native",
    ) -> None:
        self.compiler = compiler
        self.function = function
        self.kernel = kernel
        self.library = library
        self.rtol = rtol
        self.types: tuple[Type, ...] = tuple(kind for _, kind in kernel.parameters)
        self.counters = Counters()
        self.withdrawn = ""
        self.notes: tuple[str, ...] = library.notes
        self.sampling = Sampling() if sampling is None else sampling
        self.listener: Callable[[Callable[..., Any]], object] | None = None
        self.otherwise: Callable[[tuple[Any, ...]], CompiledFunction | None] | None = None
        self.call: Callable[..., Any] = function
        self._code = function.__code__
        self._keyword_defaults = keyword_defaults(kernel)
        self.python_seconds: float | None = None
        self._distance = 1
        self._earlier = 0
        self._reload()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.call(*args, **kwargs)

    def __autopar_block__(self, items: Sequence[Any], star: bool, kwargs: Mapping[str, Any], out: list[Any], /) -> bool:
        """Run many items of a map at once; see :class:`autopar._model.work.RunsBlocks`."""
        return run_block(self, items, star, kwargs, out)

    def pack_rows(self, items: list[Any] | tuple[Any, ...], star: bool, tail: tuple[Any, ...]) -> bytearray | None:
        """The words of many calls, each of an item and ``tail``, or None where one does not fit."""
        return self._entry.pack_rows(items, star, tail)

    @cached_property
    def classes(self) -> tuple[Any, ...]:
        """The NumPy classes that arguments are compared with."""
        return classes_of(self.kernel)

    @cached_property
    def run_columns(self) -> Callable[..., int]:
        """The C function that runs the kernel over columns of arguments, without the GIL."""
        pointer, number = ctypes.c_void_p, ctypes.c_int64
        columns = (pointer, number, pointer, number, pointer, number, pointer)
        return function_at(self.library.address("ap_block"), number, *columns)

    @property
    def calls(self) -> int:
        """Calls that compiled code ran to their end, those of blocks included."""
        return self._earlier + self._entry.calls + self.counters.blocks

    @property
    def types_text(self) -> str:
        """The types that it was compiled for, in words."""
        return f"compiled for ({', '.join(map(str, self.types))})"

    @property
    def pure(self) -> bool:
        """Nothing that outlives a call is written."""
        return not self.kernel.written

    @property
    def certain(self) -> bool:
        """Its loops stand in the function: always quicker than in Python; NumPy's own loops are vector code too."""
        return not self.kernel.whole_arrays

    @property
    def comparing_seconds(self) -> float:
        """What Python has taken where calls were compared with it."""
        return self.sampling.python_seconds

    @property
    def holds_gil(self) -> bool:
        """It does not, but for calls too short for that to matter."""
        return False

    def withdraw(self, reason: str) -> None:
        """From now on every call runs in Python."""
        self.withdrawn = reason
        self._use(self.function)

    def _use(self, call: Callable[..., Any]) -> None:
        self.call = call
        if self.listener is not None:
            self.listener(call)

    def _reload(self) -> None:
        """Take what the kernel rests on as it is now, which is equal to what it was compiled for."""
        self._facts = rows_of(self.kernel, self.function)
        self._entry = entry_of(self.kernel, self.library, self._facts, self._miss)
        self._entry.countdown = self._distance
        self._use(self._entry)

    # -- what the entry could not do --------------------------------------------------------------------------------

    def _miss(self, why: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if why == COMPARE:
            return self._compare(args)
        if why == UNBOUND:
            bound = bind(self.function, args, kwargs)
            if bound is None:
                return self.function(*args, **kwargs)  # which says what is wrong with the call
            why, value = self._enter(bound)
            if why == DONE:
                return value
            args, kwargs = as_call(self.function, bound)
        else:
            bound = args
            args, kwargs = as_call(self.function, bound)
            if why == CHANGED:
                why, value = self._enter(bound)
                if why == DONE:
                    return value
        if why == UNFIT and self.otherwise is not None and (other := self.otherwise(bound)) not in (None, self):
            return other.call(*args, **kwargs)
        self.left(why)
        return self.function(*args, **kwargs)

    def _enter(self, bound: tuple[Any, ...]) -> tuple[int, Any]:
        """Run the kernel; if something that it rests on is another object of the same value, go on with that."""
        why, value = self._entry.enter(bound)
        if why == CHANGED and self.still_holds():
            why, value = self._entry.enter(bound)
        return why, value

    def current(self) -> bool:
        """Whether the kernel may run now: it is in use, and what it rests on is as it was."""
        return not self.withdrawn and (facts_hold(self._facts) or self.still_holds())

    def still_holds(self) -> bool:
        """Whether what the kernel rests on has the value it was compiled for; if not, it is withdrawn.

        Where NumPy is to tell of underflow for the moment, calls run in Python and the kernel stays.
        """
        if self.kernel.float_flags and tells_of_underflow():
            return False
        name = changed(self.kernel)
        if not name and any(names.get(key) is not value for names, key, value in self._keyword_defaults):
            name = "a keyword default of a function that it calls"
        if not name and self.function.__code__ is self._code:
            self._earlier += self._entry.calls
            self._reload()
            return True
        self.withdraw(f"{name or self.kernel.name} has changed since it was compiled")
        return False

    def left(self, why: int) -> None:
        """Count a call that runs in Python; withdraw the kernel if there are too many that it began."""
        if not 0 < why < UNFIT:
            self.counters.misses += 1
            return
        self.counters.exits[self.kernel.exits.get(why, (self.kernel.line, "left the compiled code"))] += 1
        exits = self.counters.exits.total()
        if exits >= EXITS_BEFORE_JUDGING and exits > EXITS_AT_MOST * (exits + self.calls) and not self.withdrawn:
            (line, reason), times = self.counters.exits.most_common(1)[0]
            self.withdraw(f"{exits} calls left the compiled code, {times} of them at line {line}: {reason}")

    # -- comparing with Python --------------------------------------------------------------------------------------

    def _compare(self, args: tuple[Any, ...]) -> Any:
        """Run a call compiled, and on copies of its arguments in Python too if that may cost so much; compare."""
        rehearsal = None if self.pure else Rehearsal(args)
        started = time.perf_counter()
        why, value = self._enter(args)
        ours = time.perf_counter() - started
        if why != DONE:
            self._entry.countdown = self._distance = 1
            self.left(why)
            return self._in_python(args)
        self.sampling.ran(self._distance, ours * self._distance)
        wait = self.sampling.distance(ours)
        if not wait:
            value = self.compared(args, value, ours, rehearsal)
            wait = self.sampling.distance(ours)
        self._entry.countdown = self._distance = max(1, wait)
        return value

    def compared(self, args: tuple[Any, ...], value: Any, ours: float, rehearsal: Rehearsal | None = None) -> Any:
        """The true result of a call that gave this value: the same, or Python's, and then the kernel is withdrawn."""
        python_args = args if rehearsal is None else rehearsal.args
        started = time.perf_counter()
        failed: Exception | None = None
        expected = None
        try:
            expected = self._in_python(python_args)
        except Exception as error:
            failed = error
        self.sampling.compare(python=time.perf_counter() - started, ours=ours)
        self.counters.compared += 1
        if failed is not None:
            found = f"result: {type(value).__name__}, where Python raises {type(failed).__name__}"
        else:
            if rehearsal is not None:
                expected = rehearsal.as_original(expected)
            found = difference(value, expected, rtol=self.rtol) or self._differing_argument(args, python_args)
        if not found:
            return value
        self.mismatch(found)
        if rehearsal is not None:
            rehearsal.put_into_originals()
        if failed is not None:
            raise failed
        return expected

    def mismatch(self, found: str) -> None:
        """Withdraw the kernel loudly."""
        self.withdraw(f"compiled code differs from Python: {found}")
        with suppress(KernelMismatchWarning):  # where warnings are errors this one must not cost the true result
            warnings.warn(
                f"{self.kernel.name} runs in Python from now on, since {self.withdrawn}. Please report this",
                KernelMismatchWarning,
                stacklevel=2,
            )

    def _in_python(self, bound: tuple[Any, ...]) -> Any:
        args, kwargs = as_call(self.function, bound)
        return self.function(*args, **kwargs)

    def _differing_argument(self, ours: tuple[Any, ...], python: tuple[Any, ...]) -> str:
        for index in sorted(self.kernel.written):
            name = self.kernel.parameters[index][0]
            if found := difference(ours[index], python[index], rtol=self.rtol, where=f"argument {name}"):
                return found
        return ""
