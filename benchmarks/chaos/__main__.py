"""Chaos: maps on all backends while worker processes are killed, stopped and starved at random.

Run ``python -m benchmarks.chaos [--seconds S] [--seed N] [--backends NAME ...] [--patience S] [--json FILE]``.

A session is one program (``program.py``) that maps for some seconds and then ends: by itself, or by a signal. Of every
map, items in = results + named errors out, checked item by item and by sums. A map or an end that takes longer than the
patience is a hang; processes, temporary files, shared memory and descriptors that stay behind are leftovers. It prints
a summary as JSON and exits with 1 if anything was wrong, hung or stayed.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from benchmarks.chaos.driver import BACKENDS, chaos


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long (default: 60)")
    parser.add_argument("--seed", type=int, default=1, help="of all that is random but the machine")
    parser.add_argument("--backends", nargs="+", default=list(BACKENDS), help="default: all but dask")
    parser.add_argument("--patience", type=float, default=60.0, help="seconds after which something hangs")
    parser.add_argument("--rate", type=float, default=2.5, help="torments a second, on average")
    parser.add_argument("--json", type=Path, help="also write the summary to this file")
    options = parser.parse_args()
    summary = chaos(
        options.seconds,
        options.seed,
        options.backends,
        patience=options.patience,
        rate=options.rate,
        tell=lambda line: print(line, file=sys.stderr, flush=True),
    )
    text = json.dumps(summary.as_dict(), indent=2)
    print(text)
    if options.json is not None:
        options.json.write_text(text + "\n", encoding="utf-8")
    return 0 if summary.clean else 1


if __name__ == "__main__":
    sys.exit(main())
