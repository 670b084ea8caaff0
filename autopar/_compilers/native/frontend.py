"""From a function and the types of a call to C text: the kernel's own front end, with refusals as data."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any

from autopar._compilers.native.refusal import NotCompiled
from autopar._kernel.kernel import Kernel
from autopar._kernel.refusal import Refused
from autopar._kernel.types import Type


def kernel_of(function: Callable[..., Any], types: tuple[Type, ...], *, rtol: float = 0.0) -> tuple[Kernel, str]:
    """The kernel of a function for these types of all its parameters, and its C text.

    ``rtol`` above 0 admits what differs from Python by rounding only.

    Raises
    ------
    NotCompiled
        The function or the types are outside the native fragment; the line says where.
    """
    from autopar._compilers.native.emit import emit
    from autopar._kernel.lower import lower

    if type(function) is not FunctionType:
        raise NotCompiled(f"{type(function).__name__} is not in the native fragment, which takes functions made by def")
    positional = function.__code__.co_argcount
    by_name = dict(zip(function.__code__.co_varnames[positional:], types[positional:], strict=False))
    try:
        kernel = lower(function, types[:positional], by_name, rtol=rtol)
    except Refused as refused:
        raise NotCompiled(refused.reason, refused.line) from None
    except RecursionError:
        raise NotCompiled("its expressions nest too deep", function.__code__.co_firstlineno) from None
    return kernel, emit(kernel)
