"""``hashlib.blake2b`` by itself: all of ``hashlib`` takes as long to import as a short map to run (OpenSSL)."""

from __future__ import annotations

try:
    from _blake2 import blake2b
except ImportError:
    from hashlib import blake2b

__all__ = ["blake2b"]
