"""Imports of packages that write to the environment: a program that did not import them itself finds it as it was."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

WRITTEN = {"joblib": ("KMP_INIT_AT_FORK", "FALSE"), "threadpoolctl": ("KMP_DUPLICATE_LIB_OK", "True")}
"""Package -> the variable that it sets where there is none, and the value (joblib 1.6, threadpoolctl 3.6)."""


@contextmanager
def importing(package: str) -> Iterator[None]:
    """Around an import of autopar's own: what it adds to the environment is taken back.

    The variables are advice to Intel's OpenMP runtime, about which the program would not hear without autopar. Of the
    rest nothing is touched, since an item may write to the environment at the same time.
    """
    name, value = WRITTEN[package]
    ours = package not in sys.modules and name not in os.environ
    try:
        yield
    finally:
        if ours and os.environ.get(name) == value:
            os.environ.pop(name, None)
