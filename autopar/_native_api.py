"""What the rest of autopar uses of the native code: the extension, or its pure-Python twin where there is none.

``AUTOPAR_NATIVE=0`` in the environment chooses the twin. It is read once, when this module is imported.
"""

from __future__ import annotations

import os

__all__ = ["NATIVE", "call_each", "counted_call_type", "pack_numbers", "settle", "thread_probe", "why_not_native"]

why_not_native = ""
if os.environ.get("AUTOPAR_NATIVE") == "0":
    why_not_native = "AUTOPAR_NATIVE=0 asks for the pure-Python twin"
else:
    try:
        from autopar._native import call_each, counted_call_type, pack_numbers, settle, thread_probe
    except ImportError as error:
        why_not_native = f"the extension autopar._native cannot be imported: {error}"

if why_not_native:
    from autopar._native_twin import call_each, pack_numbers, thread_probe
    from autopar._native_twin_call import counted_call_type, settle

NATIVE: bool = not why_not_native
"""True if the extension is in use; ``why_not_native`` says why it is not."""
