"""What the rest of autopar uses of the native code: the extension, or its pure-Python twin where there is none.

``AUTOPAR_NATIVE=0`` in the environment chooses the twin. It is read once, when this module is imported.
"""

from __future__ import annotations

import os

__all__ = [
    "NATIVE",
    "call_each",
    "counted_call_type",
    "exact_types",
    "pack_numbers",
    "settle",
    "shared_dtype",
    "thread_probe",
    "why_not_native",
]

why_not_native = ""
if os.environ.get("AUTOPAR_NATIVE") == "0":
    why_not_native = "AUTOPAR_NATIVE=0 asks for the pure-Python twin"
else:
    try:
        from autopar._native import call_each, exact_types, pack_numbers, shared_dtype, thread_probe
        from autopar._native import counted_call_type as _counted_call_type
        from autopar._native import settle as _settle
    except ImportError as error:
        why_not_native = f"the extension autopar._native cannot be imported: {error}"

if why_not_native:
    from autopar._native_twin import call_each, exact_types, pack_numbers, shared_dtype, thread_probe
    from autopar._native_twin_call import counted_call_type as _counted_call_type
    from autopar._native_twin_call import settle as _settle

NATIVE: bool = not why_not_native
"""True if the extension is in use; ``why_not_native`` says why it is not."""


def counted_call_type(proxy: type, /) -> type:
    """Make a subclass of a proxy type whose calls go straight to a target and are counted.

    In Python where the proxies themselves are, as without wrapt's own extension: CPython makes no type in C whose
    metaclass has a ``__new__`` of its own.
    """
    if not _plain(proxy):
        from autopar._native_twin_call import counted_call_type as in_python

        return in_python(proxy)
    return _counted_call_type(proxy)


def settle(type: type, binds: bool, /) -> None:
    """Let calls of instances of a subclass of such a type take the short way."""
    if _plain(type):
        _settle(type, binds)


def _plain(proxy: type) -> bool:
    return type(proxy).__new__ is type.__new__
