"""Imported by every interpreter that the suite starts, so that joblib's own workers know autopar's backend by name."""

from __future__ import annotations

import autopar as ap

ap.register_joblib()
