"""Functions of the standard library that are written in Python and do ``y -= 1`` to a parameter.

Their documentation speaks of numbers and texts, which that leaves as they are. An array, a list or an object of the
program with an ``__isub__`` is changed by it, in the caller's hands too. A test compares the table with the library's
own code, on each version of Python.
"""

from __future__ import annotations

IN_PLACE: dict[str, tuple[int | str, ...]] = {
    "asyncio.graph.capture_call_graph": ("limit",),
    "asyncio.capture_call_graph": ("limit",),
    "calendar.format": (2, "spacing"),
    "calendar.formatstring": (2, "spacing"),
    "calendar.leapdays": (0, "y1", 1, "y2"),
    "collections_abc.Sequence.index": (2, "stop"),
    "_collections_abc.Sequence.index": (2, "stop"),
    "collections.abc.Sequence.index": (2, "stop"),
    "dis.pretty_flags": (0, "flags"),
    "encodings.punycode.adapt": (0, "delta"),
    "encodings.punycode.decode_generalized_number": (1, "extpos"),
    "encodings.punycode.selective_find": (2, "index", 3, "pos"),
    "enum.show_flag_values": (0, "value"),
    "imaplib.IMAP4.read": (0, "size"),
    "json.decoder.py_scanstring": (1, "end"),
    "tarfile.itn": (0, "n"),
    "threading.Condition.notify": (0, "n"),
    "uuid.UUID": (4, "int"),
    "zipfile.ZipExtFile.read": (0, "n"),
}
"""The parameters, by position behind the object itself and by name."""

METHODS = frozenset(name.rpartition(".")[2] for name in IN_PLACE if name.split(".")[-2][:1].isupper())
"""The names of those that are methods."""
