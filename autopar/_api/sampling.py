"""How often single calls of a decorated function are measured."""

from __future__ import annotations

SAMPLE_SECONDS = 5e-6
"""What it takes to measure a call (benchmarks/main_job.py)."""

SAMPLE_SHARE = 0.01
"""Part of a function's time that measuring its calls may take."""

FAR = SAMPLE_SECONDS / SAMPLE_SHARE * 1e9
"""Nanoseconds of calls between two that are measured."""

WORTH_LOADING = 50e6
"""Nanoseconds that a function's calls have taken before the engine is loaded, which takes as long, to know of it."""
