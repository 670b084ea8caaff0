"""A kernel as LLVM's intermediate representation; nothing here knows Numba, only llvmlite, which it comes with."""

from __future__ import annotations

from typing import Any

from autopar._compilers.numba.emit.body import kernel_function
from autopar._compilers.numba.emit.buffers import free_function
from autopar._compilers.numba.emit.entry import block_function, call_function
from autopar._kernel.kernel import Kernel

__all__ = ["emit"]


def emit(module: Any, kernel: Kernel, names: dict[str, str]) -> None:
    """Write a kernel into an LLVM module.

    Parameters
    ----------
    module
        Of llvmlite's.
    kernel
        The function in typed form.
    names
        What ``ap_call``, ``ap_block`` and ``ap_free`` are to be called.
    """
    inner = call_function(module, kernel, kernel_function(module, kernel), names["ap_call"])
    block_function(module, inner, names["ap_block"])
    free_function(module, names["ap_free"])
