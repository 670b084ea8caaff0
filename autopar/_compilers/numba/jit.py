"""LLVM as Numba has it: imported when first needed, one compilation at a time, within a deadline."""

from __future__ import annotations

import importlib
import importlib.util
import itertools
import os
import sys
import threading
from dataclasses import field
from typing import Any

from autopar._kernel.kernel import Kernel
from autopar._model.compiler import NotCompiled
from autopar._model.light_dataclass import dataclass
from autopar._model.own_work import OWN_WORK

DEADLINE = 30.0
"""Seconds that Numba may take. A kernel takes it under a second; one that has not come by then is run in Python."""

MOST_STATEMENTS = 4000
"""Statements of a kernel, loops included, that LLVM is put to: it cannot be stopped once it has begun."""

GIL_STAYS_OFF = "importing Numba may switch the GIL on for the whole program, so that is left to the program"

_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class JitLibrary:
    """A kernel in memory.

    Attributes
    ----------
    handle
        Numba's library, which the code lives as long as.
    names
        The names of its functions.
    notes
        What went wrong on the way, in words.
    """

    handle: Any
    names: dict[str, str]
    notes: tuple[str, ...] = field(default=(), compare=False)

    def address(self, name: str) -> int:
        """The address of a function."""
        return int(self.handle.get_pointer_to_function(self.names[name]))


class _Numba:
    """Numba's code generator, and what stands against using it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.codegen: Any = None
        self.refused = ""
        self.working = 0

    def get(self) -> Any:
        """The code generator.

        Raises
        ------
        NotCompiled
            Numba is not there, or broken, or is left to the program to import.
        """
        with self.lock:
            if self.refused:
                raise NotCompiled(self.refused)
            if self.codegen is None:
                try:
                    self.codegen = _code_generator()
                except NotCompiled:
                    raise  # not for good: the program may import it yet
                except Exception as error:  # whatever a broken installation raises
                    self.refused = f"Numba cannot be used: {type(error).__name__}: {error}"
                    raise NotCompiled(self.refused) from error
            return self.codegen

    def forked(self) -> None:
        """In a child: a compilation under way in the parent holds Numba's lock here for ever."""
        self.lock = threading.Lock()
        if self.working and not self.refused:
            self.refused = "Numba was at work when this process was forked"
        self.working = 0


def import_numba(name: str = "numba") -> Any:
    """Import a module of Numba's, unless that may switch the GIL on: plans rest on there being none.

    Raises
    ------
    NotCompiled
        There is no GIL, and the program has not imported Numba itself.
    """
    gil = getattr(sys, "_is_gil_enabled", lambda: True)()
    if not gil and "numba" not in sys.modules and importlib.util.find_spec("numba") is not None:
        raise NotCompiled(GIL_STAYS_OFF)
    return importlib.import_module(name)


def _code_generator() -> Any:
    codegen = import_numba("numba.core.codegen")
    return codegen.JITCPUCodegen("autopar")


_numba = _Numba()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_numba.forked)


def compile_kernel(kernel: Kernel) -> JitLibrary:
    """Have Numba's LLVM compile a kernel; blocks.

    Raises
    ------
    NotCompiled
        Numba cannot be used, or LLVM does not take the kernel.
    """
    codegen = _numba.get()
    _numba.working += 1
    try:
        return _compiled(codegen, kernel)
    finally:
        _numba.working -= 1


def _compiled(codegen: Any, kernel: Kernel) -> JitLibrary:
    from numba.core.compiler_lock import global_compiler_lock

    from autopar._compilers.numba.emit import emit

    number = next(_numbers)
    names = {name: f"{name}_{number}" for name in ("ap_call", "ap_block", "ap_free")}
    with global_compiler_lock:
        library = codegen.create_library(f"autopar_{number}")
        module = library.create_ir_module(f"autopar_{number}")
        emit(module, kernel, names)
        library.add_ir_module(module)
        library.finalize()
    return JitLibrary(library, names)


def within(deadline: float, work: Any) -> Any:
    """Do something on a daemon thread, and wait for it until the deadline.

    Raises
    ------
    NotCompiled
        It has not ended, or failed in any way.
    """
    done: list[Any] = []

    def run() -> None:
        try:
            with OWN_WORK.under_way():
                done.append(work())
        except NotCompiled as refused:
            done.append(refused)
        except Exception as error:  # Numba's own assertions too: the function then runs in Python
            done.append(NotCompiled(f"Numba has failed with {type(error).__name__}: {_first_line(error)}"))

    thread = threading.Thread(target=run, name="autopar-numba", daemon=True)
    try:
        thread.start()
    except RuntimeError as error:  # the system refuses more threads
        raise NotCompiled(f"no thread is left to compile on: {error}") from error
    thread.join(deadline)
    if not done:
        raise NotCompiled(f"Numba has taken longer than {deadline:g} s")
    if isinstance(done[0], NotCompiled):
        raise done[0]
    return done[0]


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), "")[:200]
