"""Runs a script with counted loops under the sampler, as ``python SCRIPT`` would run it."""

from __future__ import annotations

import builtins
import importlib.abc
import importlib.machinery
import importlib.util
import os
import runpy
import sys
import threading
import time
import tokenize
import traceback
import types
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import CodeType
from typing import Any

from autopar._suggest.counted import Counts, compile_counted
from autopar._suggest.sampler import Sampler
from autopar._suggest.sites import Syntax

INTERRUPTED = 130
"""Exit status of a program that was ended by Ctrl-C, as shells have it."""

_NOT_OWN = ("site-packages", "dist-packages")


@dataclass
class Run:
    """What was seen of a program.

    Attributes
    ----------
    folder
        Where the program's own modules are.
    modules
        Path -> syntax of each of them that was loaded.
    counts
        What its loops have counted.
    written
        Counting code -> the code that was written.
    sampler
        Where its time went.
    seconds
        What it took.
    status
        Its exit status.
    threads
        It had threads of its own.
    """

    folder: str
    modules: dict[str, Syntax] = field(default_factory=dict)
    counts: Counts = field(default_factory=Counts)
    written: dict[CodeType, CodeType] = field(default_factory=dict)
    sampler: Any = None
    seconds: float = 0.0
    status: int = 0
    threads: bool = False

    def compile(self, data: bytes, path: str) -> CodeType:
        """Counting code of one of its modules."""
        syntax = Syntax(importlib.util.decode_source(data), path)
        counted, written = compile_counted(syntax, self.counts)
        self.modules[path] = syntax
        self.written |= written
        return counted

    def owns(self, path: str) -> bool:
        """A file is one of the program's own: in its folder, and no installed package there."""
        inside = os.path.realpath(path).startswith(os.path.realpath(self.folder) + os.sep)
        return inside and not any(f"{os.sep}{name}{os.sep}" in path for name in _NOT_OWN)


def run_program(script: str, arguments: Sequence[str], *, as_module: bool = False) -> Run:
    """Run a program to its end in this process, and watch it.

    Parameters
    ----------
    script
        A file, or with ``as_module`` the name of a module.
    arguments
        What it finds in ``sys.argv`` after its own name.

    Raises
    ------
    OSError, SyntaxError
        The script cannot be read.
    """
    folder = os.getcwd() if as_module else os.path.dirname(os.path.abspath(script))
    run = Run(folder)
    sys.argv[:] = [script, *arguments]
    sys.path.insert(0, folder)
    path = os.path.abspath(script)
    code = None if as_module else run.compile(_read(script), path)
    sys.meta_path.insert(0, _Finder(run))
    run.sampler = Sampler(run.written.__contains__)
    run.counts.install()
    began = time.perf_counter()
    run.sampler.start()
    try:
        with _output_to_standard_error():
            run.status = _status_of(script, path, code)
    finally:
        run.threads = threading.active_count() > 2  # this one and the sampler's
        run.sampler.stop()
        run.seconds = time.perf_counter() - began
    _put_back(run.written)
    return run


def _read(script: str) -> bytes:
    with open(script, "rb") as file:
        return file.read()


def _status_of(script: str, path: str, code: CodeType | None) -> int:
    """Run it; say how it ended as the interpreter would."""
    try:
        if code is None:
            runpy.run_module(script, run_name="__main__", alter_sys=True)
        else:
            main = types.ModuleType("__main__")
            vars(main).update(__file__=path, __builtins__=builtins)
            sys.modules["__main__"] = main
            exec(code, vars(main))  # noqa: S102 - the user's own program is what was asked for
    except SystemExit as ended:
        if ended.code is None or isinstance(ended.code, int):
            return ended.code or 0
        sys.stderr.write(f"{ended.code}\n")
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception:
        traceback.print_exc()
        return 1
    return 0


@contextmanager
def _output_to_standard_error() -> Iterator[None]:
    """Let what the program prints go to standard error, so that the advice has standard output for itself."""
    sys.stdout.flush()
    try:
        kept = os.dup(1)
    except OSError:  # closed
        yield
        return
    os.dup2(2, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)


def _put_back(written: dict[CodeType, CodeType]) -> None:
    """Give every function the code that was written for it, for the analysis of effects."""
    import gc

    for found in gc.get_objects():
        if type(found) is types.FunctionType and found.__code__ in written:
            found.__code__ = written[found.__code__]


class _Finder(importlib.abc.MetaPathFinder):
    """Finds the program's own modules, to have them counted."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        plain = spec is not None and type(spec.loader) is importlib.machinery.SourceFileLoader
        if spec is None or not plain or spec.origin is None or not self._run.owns(spec.origin):
            return None
        spec.loader = _Loader(fullname, spec.origin, self._run)
        return spec


class _Loader(importlib.machinery.SourceFileLoader):
    """Loads a module counted, past the cache of bytecode."""

    def __init__(self, fullname: str, path: str, run: Run) -> None:
        super().__init__(fullname, path)
        self._run = run

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        return self._run.compile(self.get_data(path), path)


def file_encoding(path: str) -> str:
    """In which encoding a Python file is written."""
    with open(path, "rb") as file:
        return tokenize.detect_encoding(file.readline)[0]
