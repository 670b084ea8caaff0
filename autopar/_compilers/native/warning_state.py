"""What NumPy does about floating-point errors at the moment: whether it tells of underflow, and whether that may raise.

Kernels look for overflow, division by zero and invalid operations, which NumPy warns of unless told otherwise, and
leave for Python then. They do not look for underflow, which it passes over unless told otherwise.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from typing import Any

from autopar._kernel.kernel import Kernel

_PASSES = frozenset({"ignore", "warn", "print"})
"""What NumPy may be told to do about an error that lets the computation go on."""

_Row = tuple[Any, str, Any, Any, Any, Any, Any, Any]


def rows_of_state(kernel: Kernel) -> tuple[_Row, ...]:
    """What :class:`KernelEntry` has to look at so that the kernel runs under the state of now only."""
    if not kernel.float_flags:
        return ()
    state = _state()
    rows = [_row("numpy.errstate", state)]
    if kernel.undo != kernel.undo_if_warnings_pass:
        rows.append(_row("warnings.filters", warnings_raise))
    return tuple(rows)


def tells_of_underflow() -> bool:
    """Whether NumPy would say so where a result is too small, which kernels do not notice."""
    return bool(_numpy().geterr()["under"] != "ignore")


def warnings_raise() -> bool:
    """Whether a floating-point error may end a computation, so that what comes after it is not written."""
    if not _PASSES.issuperset(_numpy().geterr().values()):
        return True
    if warnings.showwarning is not getattr(warnings, "_showwarning_orig", None):
        return True
    filters: Any = warnings.filters
    if getattr(sys.flags, "context_aware_warnings", 0):
        of_this_context = getattr(warnings, "_get_filters", None)
        if of_this_context is None:
            return True
        filters = of_this_context()
    for action, message, category, module, line in filters:
        if issubclass(RuntimeWarning, category):
            if action == "error":
                return True
            if message is None and module is None and not line:
                return False  # it takes all warnings of this kind, and those behind it see none
    return False


def _row(name: str, now: Callable[[], Any]) -> _Row:
    return (None, name, None, now, now(), None, None, None)


def _state() -> Callable[[], Any]:
    """What gives an object that is another one when NumPy's state is; its own variable, where that is to be had."""
    umath = sys.modules.get("numpy._core.umath")
    variable = getattr(umath, "_extobj_contextvar", None)
    return variable.get if variable is not None else _state_in_words


def _state_in_words() -> str:
    return sys.intern(repr(sorted(_numpy().geterr().items())))


def _numpy() -> Any:
    return sys.modules["numpy"]
