"""Leaves out the functions that need NumPy or pandas where these are not."""

from __future__ import annotations

import importlib.util

collect_ignore = [f"with_{name}.py" for name in ("numpy", "pandas") if importlib.util.find_spec(name) is None]
