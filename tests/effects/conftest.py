"""Leaves out the functions that need NumPy where there is none."""

from __future__ import annotations

import importlib.util

collect_ignore = [] if importlib.util.find_spec("numpy") is not None else ["with_numpy.py"]
