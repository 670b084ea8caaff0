"""Users' own C functions: called without the GIL under a Python function's signature, and checked against its body."""

from __future__ import annotations

import ctypes
import dis
import functools
import math
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FunctionType
from typing import Any

from autopar._compilers.native.annotations import Array, Parameter, Prototype, prototype_of
from autopar._compilers.native.binding import as_call, bind
from autopar._compilers.native.comparing import difference
from autopar._compilers.native.loader import function_at, load
from autopar._compilers.native.refusal import NotCompiled
from autopar._compilers.native.rehearsal import Rehearsal
from autopar._compilers.native.sampling import Sampling
from autopar._compilers.native.toolchain import find_toolchain, preprocess
from autopar.errors import CMismatchError, HintTypeError, HintValueError, UnavailableError


class OwnFunction:
    """A C function behind a Python function's signature.

    Parameters
    ----------
    body
        The Python function: its annotations are the prototype, its body, if it has one, is what the C must do.
    hint
        ``"c"`` for a function of a library, ``"c_source"`` for one of a C file that is compiled.
    where
        Path, and after a colon the symbol; without it the symbol is the function's name. A relative path starts at the
        folder of the file that defines the function.
    rtol
        Relative difference of floats that the C function may have.

    Raises
    ------
    HintTypeError
        It is no plain function, or an annotation is missing or has no C type.
    HintValueError
        The file, or the symbol in the library, does not exist.
    UnavailableError
        The library cannot be loaded.
    """

    def __init__(self, body: Callable[..., Any], hint: str, where: str, *, rtol: float = 0.0) -> None:
        if not isinstance(body, FunctionType):
            raise HintTypeError(f"{hint} takes a function written with def, not {type(body).__name__}")
        functools.update_wrapper(self, body)
        self.body = self.__autopar_body__ = body
        self.has_body = _has_body(body)
        self._hint = hint
        self._rtol = rtol
        self._prototype: Prototype = prototype_of(body)
        self._path, self._symbol = _split(hint, where, body)
        self._said = f"{hint}={where!r}"
        self._sampling = Sampling(grace=math.inf)
        self._wait = self._distance = 1
        self._lock = threading.Lock()
        self._function: Callable[..., Any] | None = None
        if hint == "c":
            self._function = self._from_library()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        bound = bind(self.body, args, kwargs)
        if bound is None:
            return self.body(*args, **kwargs)  # which does not run, but says what is wrong with the call
        function = self._function or self._compiled()
        given = zip(self._prototype.parameters, bound, strict=True)
        words = [_to_c(parameter, value, self.body) for parameter, value in given]
        if not self.has_body:
            return function(*words)
        self._wait -= 1
        if self._wait > 0:
            return function(*words)
        return self._compared(function, bound, words)

    def __reduce__(self) -> Any:
        return _restored, (self.body, self._hint, f"{self._path}:{self._symbol}", self._rtol)

    def __repr__(self) -> str:
        return f"<C function {self._symbol} of {self._path}, as {self.body!r}>"

    def _compared(self, function: Callable[..., Any], bound: tuple[Any, ...], words: list[Any]) -> Any:
        """Run the body on copies of the arguments, then the C function, and compare."""
        rehearsal = Rehearsal(bound)
        args, kwargs = as_call(self.body, rehearsal.args)
        started = time.perf_counter()
        expected = self.body(*args, **kwargs)
        between = time.perf_counter()
        result = function(*words)
        ended = time.perf_counter()
        found = difference(result, expected, rtol=self._rtol) or self._differing_argument(bound, rehearsal.args)
        if found:
            rehearsal.put_into_originals()
            said = f"the C function {self._symbol} ({self._said}) differs from the body: {found}"
            raise CMismatchError(f"{self.body.__qualname__}(): {said}", ours=result, python=expected)
        ours = ended - between
        self._sampling.ran(self._distance, ours * self._distance)
        self._sampling.compare(python=between - started, ours=ours)
        self._wait = self._distance = max(1, self._sampling.distance(ours))
        return result

    def _differing_argument(self, ours: tuple[Any, ...], python: tuple[Any, ...]) -> str:
        for parameter, own, other in zip(self._prototype.parameters, ours, python, strict=True):
            where = f"argument {parameter.name}"
            if isinstance(parameter.type, Array) and (found := difference(own, other, rtol=self._rtol, where=where)):
                return found
        return ""

    # -- where the C comes from -------------------------------------------------------------------------------------

    def _from_library(self) -> Callable[..., Any]:
        try:
            library = ctypes.CDLL(str(self._path))
        except OSError as error:
            raise UnavailableError(f"{self._said} cannot be loaded: {error}") from error
        try:
            address = ctypes.cast(getattr(library, self._symbol), ctypes.c_void_p).value or 0
        except AttributeError:
            raise HintValueError(f"{self._said}: {self._path} has no function {self._symbol!r}") from None
        return self._typed(address)

    def _compiled(self) -> Callable[..., Any]:
        """The function of the C file, compiled when it is first called.

        Raises
        ------
        UnavailableError
            There is no compiler, or it refuses the file; the message holds its first complaint.
        """
        with self._lock:
            if self._function is None:
                try:
                    text = preprocess(self._path, find_toolchain())
                    self._function = self._typed(load(text).address(self._symbol))
                except NotCompiled as refused:
                    raise UnavailableError(f"{self._said} cannot be compiled: {refused}") from None
            return self._function

    def _typed(self, address: int) -> Callable[..., Any]:
        types = [
            ctypes.c_void_p if isinstance(parameter.type, Array) else parameter.type.ctype
            for parameter in self._prototype.parameters
        ]
        result = None if self._prototype.result is None else self._prototype.result.ctype
        return function_at(address, result, *types)


def _restored(body: Callable[..., Any], hint: str, where: str, rtol: float) -> OwnFunction:
    return OwnFunction(body, hint, where, rtol=rtol)


def _split(hint: str, where: str, body: FunctionType) -> tuple[Path, str]:
    """The path and the symbol that a hint names."""
    path, colon, symbol = where.rpartition(":")
    if not colon or os.sep in symbol or not symbol.isidentifier():
        path, symbol = where, body.__name__
    if hint == "c" and path == where:
        wanted = f"'lib.so:{body.__name__}'"
        raise HintValueError(f"c={where!r} must be the path of a library, a colon and a symbol: {wanted}")
    full = Path(body.__code__.co_filename).parent / Path(path).expanduser()
    if not full.is_file():
        raise HintValueError(f"{hint}={where!r}: there is no file {full}")
    return full.resolve(), symbol


def _to_c(parameter: Parameter, value: Any, body: FunctionType) -> Any:
    """A value as C takes it.

    Raises
    ------
    TypeError, OverflowError, ValueError
        It is not what the annotation says; the message names the argument, what it is and what it should be.
    """
    name, kind = parameter.name, parameter.type
    said = f"{body.__qualname__}(): argument {name!r}"
    if isinstance(kind, Array):
        return _address(kind, value, said)
    if type(value) is not kind.kind:
        raise TypeError(f"{said} must be {kind.kind.__name__}, not {type(value).__name__}")
    if isinstance(value, int) and kind.kind is int:
        least, greatest = kind.bounds
        if not least <= value <= greatest:
            raise OverflowError(f"{said} must lie from {least} to {greatest} to fit {kind.ctype.__name__}")
    return value


def _address(kind: Array, value: Any, said: str) -> int:
    numpy = sys.modules.get("numpy")
    if numpy is None or not isinstance(value, numpy.ndarray):
        raise TypeError(f"{said} must be an array of {kind.dtype}, not {type(value).__name__}")
    if value.dtype != kind.dtype or not value.dtype.isnative:
        raise TypeError(f"{said} must be an array of {kind.dtype}, not of {value.dtype}; convert it with astype()")
    if not value.flags.c_contiguous or not value.flags.aligned:
        raise ValueError(f"{said} must be a C-contiguous array; numpy.ascontiguousarray() makes one")
    if not value.flags.writeable:
        raise ValueError(f"{said} is read-only, and nothing keeps C from writing to it; pass a copy")
    return int(value.ctypes.data)


_IDLE = frozenset({"RESUME", "NOP", "COPY_FREE_VARS", "LOAD_CONST", "RETURN_VALUE", "RETURN_CONST"})


def _has_body(function: FunctionType) -> bool:
    """Whether a function does anything: a docstring, ``...``, ``pass`` and ``raise NotImplementedError`` do not."""
    steps = [step for step in dis.get_instructions(function) if step.opname not in ("CACHE", "EXTENDED_ARG")]
    if any(step.opname == "RAISE_VARARGS" for step in steps):
        named = [step.argval for step in steps if step.opname == "LOAD_GLOBAL"]
        return named != ["NotImplementedError"]
    if any(step.opname not in _IDLE for step in steps):
        return True
    return any(step.argval is not None for step in steps if step.opname in ("LOAD_CONST", "RETURN_CONST"))
