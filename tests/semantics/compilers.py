"""The compilers that the tables and the random programs are run through, each behind one small face.

To have another compiler take the same tests: write its `Opened`, and add it to `COMPILERS`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from autopar._compilers.native import NotCompiled, Refusal, signature
from autopar._compilers.native.compiled import CompiledFunction
from autopar._compilers.native.frontend import kernel_of
from autopar._compilers.native.loader import Code, Library
from autopar._compilers.native.sampling import Sampling
from autopar._compilers.numba.jit import compile_kernel
from autopar._kernel.ir import Kernel
from autopar._kernel.types import Type
from tests.semantics.together import Texts

Function = Callable[..., Any]


class Opened(Protocol):
    """A function as one compiler runs it.

    Attributes
    ----------
    refusals
        Why calls were refused, a reason for each; they ran in Python.
    compiled
        For each call: whether compiled code ran it to its end. Otherwise Python did.
    """

    refusals: list[str]
    compiled: list[bool]

    def __call__(self, *arguments: Any) -> Any:
        """Call the function, compiled for the arguments' types where that is admitted."""

    def texts_for(self, arguments: tuple[Any, ...]) -> tuple[str, ...]:
        """The C texts that a call would need, where the compiler makes such; they may be compiled ahead."""


class Never(Sampling):
    """Compares no call with Python: a mistake must show in the test."""

    def distance(self, ours: float) -> int:
        return 1 << 40


Load = Callable[[str], Library]


AHEAD = Texts()
"""What has been compiled ahead."""


class Native:
    """The native route, with nothing but the kernel between a call and its answer.

    Parameters
    ----------
    function
        The function.
    loaded
        How a C text becomes code.
    """

    def __init__(self, function: Function, loaded: Load = AHEAD.loaded) -> None:
        self.refusals: list[str] = []
        self.compiled: list[bool] = []
        self._function = function
        self._loaded = loaded
        self._texts: dict[tuple[Type, ...], tuple[Kernel, str] | Refusal] = {}
        self._kernels: dict[tuple[Type, ...], CompiledFunction] = {}

    def __call__(self, *arguments: Any) -> Any:
        """Call it; a kernel that was withdrawn is compiled anew, so that every call is put to one."""
        self.compiled.append(False)
        kernel = self.kernel_for(arguments)
        if isinstance(kernel, Refusal):
            self.refusals.append(str(kernel))
            return self._function(*arguments)
        before = kernel.calls
        try:
            return kernel(*arguments)
        finally:
            self.compiled[-1] = kernel.calls > before

    def text_for(self, arguments: tuple[Any, ...]) -> tuple[Kernel, str] | Refusal:
        """The kernel for arguments of these types and its C text, or why there is none."""
        types = signature(self._function, arguments, {})
        if isinstance(types, Refusal):
            return types
        if types not in self._texts:
            try:
                self._texts[types] = kernel_of(self._function, types)
            except NotCompiled as refused:
                self._texts[types] = refused.refusal
        return self._texts[types]

    def texts_for(self, arguments: tuple[Any, ...]) -> tuple[str, ...]:
        """The one text, unless the call is refused."""
        found = self.text_for(arguments)
        return () if isinstance(found, Refusal) else (found[1],)

    def kernel_for(self, arguments: tuple[Any, ...]) -> CompiledFunction | Refusal:
        """The kernel for arguments of these types, or why there is none."""
        types = signature(self._function, arguments, {})
        if isinstance(types, Refusal):
            return types
        known = self._kernels.get(types)
        if known is not None and not known.withdrawn:
            return known
        if known is not None:
            del self._texts[types]
        found = self.text_for(arguments)
        if isinstance(found, Refusal):
            return found
        kernel, text = found
        try:
            compiled = CompiledFunction(self._function, kernel, self.library(kernel, text), sampling=Never())
        except NotCompiled as refused:
            return refused.refusal
        self._kernels[types] = compiled
        return compiled

    def library(self, kernel: Kernel, text: str) -> Code:
        """The kernel in memory."""
        return self._loaded(text)


class Numba(Native):
    """The same kernels by way of Numba's LLVM."""

    def texts_for(self, arguments: tuple[Any, ...]) -> tuple[str, ...]:
        """None: there is no C compiler on this way."""
        return ()

    def library(self, kernel: Kernel, text: str) -> Code:
        """The kernel in memory."""
        return compile_kernel(kernel)


class Naive:
    """Numba as it is: not exact, so the tables must find it out. The suite's own test."""

    def __init__(self, function: Function) -> None:
        import numba

        self.refusals: list[str] = []
        self.compiled: list[bool] = []
        self._function = function
        self._compiled = numba.njit(function)

    def __call__(self, *arguments: Any) -> Any:
        """Call the compiled function, or Python's where Numba cannot compile it."""
        from numba.core.errors import NumbaError

        self.compiled.append(False)
        try:
            result = self._compiled(*arguments)
        except NumbaError as error:
            self.refusals.append(str(error))
            return self._function(*arguments)
        self.compiled[-1] = True
        return result

    def texts_for(self, arguments: tuple[Any, ...]) -> tuple[str, ...]:
        """None: Numba needs no C compiler."""
        return ()


COMPILERS: dict[str, Callable[[Function], Opened]] = {"native": Native, "numba": Numba}
