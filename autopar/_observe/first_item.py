"""What of a first item's time is its own, and what was paid once: modules that it imported, comparisons beside it."""

from __future__ import annotations

from dataclasses import replace

from autopar._model.observation import Sample

IMPORT_SECONDS = 2.5e-3
"""Most seconds that a module is taken to cost. Of the workloads of benchmarks/regret five import in their first item,
for 0.5 to 1.4 ms a module (benchmarks/first_items.py); from a disk that is cold, or beside others, it takes longer."""

IMPORT_SHARE = 0.8
"""Most of an item's CPU time that imports are taken for: the others of those five took a seventh to a half of what the
first one took, most of them a quarter (benchmarks/first_items.py)."""


def without(sample: Sample, seconds: float) -> Sample:
    """A sample less so many seconds of computing that were none of the items'.

    Examples
    --------
    >>> without(Sample(items=1, wall=0.5, cpu=0.25), 0.25)
    Sample(items=1, wall=0.25, cpu=0.0, process_cpu=None, waits=0, concurrency=1, importing=0.0)
    """
    if not seconds > 0.0:
        return sample
    wall, cpu = max(0.0, sample.wall - seconds), max(0.0, sample.cpu - seconds)
    process_cpu = None if sample.process_cpu is None else max(cpu, sample.process_cpu - seconds)
    return replace(sample, wall=wall, cpu=cpu, process_cpu=process_cpu)


def without_imports(sample: Sample, modules: int) -> Sample:
    """A sample less what importing so many modules has cost, as far as that can be told from their number.

    Examples
    --------
    >>> without_imports(Sample(items=1, wall=0.5, cpu=0.25), 20)
    Sample(items=1, wall=0.45, cpu=0.2, process_cpu=None, waits=0, concurrency=1, importing=0.05)
    """
    if modules <= 0:
        return sample
    seconds = min(IMPORT_SHARE * sample.cpu, modules * IMPORT_SECONDS)
    return replace(without(sample, seconds), importing=seconds)
