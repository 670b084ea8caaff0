"""What the rest of autopar uses of the native code: the extension, or its pure-Python twin where there is none.

``AUTOPAR_NATIVE=0`` in the environment chooses the twin. It is read once, when this module is imported.
"""

from __future__ import annotations

import os
import sys
from typing import Any

_calls: Any

__all__ = ["NATIVE", "call_each", "counted_call_type", "pack_numbers", "settle", "thread_probe", "why_not_native"]

why_not_native = ""
if os.environ.get("AUTOPAR_NATIVE") == "0":
    why_not_native = "AUTOPAR_NATIVE=0 asks for the pure-Python twin"
else:
    try:
        from autopar._native import call_each, pack_numbers, thread_probe
    except ImportError as error:
        why_not_native = f"the extension autopar._native cannot be imported: {error}"
    else:
        _calls = sys.modules["autopar._native"]

if why_not_native:
    from autopar import _native_twin_call as _calls
    from autopar._native_twin import call_each, pack_numbers, thread_probe

NATIVE: bool = not why_not_native
"""True if the extension is in use; ``why_not_native`` says why it is not."""


def counted_call_type(proxy: type, /) -> type:
    """Make a subclass of a proxy type whose calls go straight to a target and are counted.

    In Python where the proxies themselves are, as without wrapt's own extension: CPython makes no type in C whose
    metaclass has a ``__new__`` of its own.
    """
    calls = _calls
    if not _plain(proxy):
        from autopar import _native_twin_call as calls
    made: type = calls.counted_call_type(proxy)
    return made


def settle(type: type, binds: bool, /) -> None:
    """Let calls of instances of a subclass of such a type take the short way."""
    if _plain(type):
        _calls.settle(type, binds)


def _plain(proxy: type) -> bool:
    return type(proxy).__new__ is type.__new__
