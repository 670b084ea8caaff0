"""The callable of a compiled kernel: the extension's, or its pure-Python twin."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from autopar._compilers.native.loader import Code
from autopar._compilers.native.programs import RAW, classes_of, parameter_program, result_program
from autopar._compilers.native.results import finisher
from autopar._compilers.native.warning_state import warnings_raise
from autopar._kernel.kernel import Kernel
from autopar._native_api import NATIVE

if TYPE_CHECKING:
    from autopar._native_twin_entry import KernelEntry
elif NATIVE:
    from autopar._native import KernelEntry
else:
    from autopar._native_twin_entry import KernelEntry

Miss = Callable[[int, tuple[Any, ...], dict[str, Any]], Any]


def entry_of(kernel: Kernel, library: Code, facts: tuple[Any, ...], miss: Miss) -> KernelEntry:
    """Make the callable; ``miss(why, args, kwargs)`` answers the calls that it cannot run itself.

    Raises
    ------
    NotCompiled
        The library lacks a function, or the types are beyond what the programs can say.
    """
    program = result_program(kernel)
    cautious = kernel.undo != kernel.undo_if_warnings_pass and warnings_raise()
    layout = kernel.layout
    finish = None
    if program == RAW:
        finish = finisher(kernel.result, library.address("ap_free"))
    return KernelEntry(
        library.address("ap_call"),
        parameter_program(kernel, warnings_raise=cautious),
        program,
        len(kernel.parameters),
        layout.words,
        layout.result,
        classes_of(kernel),
        facts,
        miss,
        finish,
        library.handle,
    )
