"""Measure, print the table, and write it as JSON if asked to: ``python -m benchmarks.regret --help``."""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.regret.driver import Effort, Measurement, environment_with
from benchmarks.regret.regret import Times, ratio
from benchmarks.regret.report import as_json, failures, import_seconds, machine, notes, table
from benchmarks.regret.ways import WAYS
from benchmarks.regret.workloads import all_workloads

MODES = ("cold", "warm", "stored")


def main() -> int:
    """Measure; the exit code is 1 if anything was wrong."""
    known = all_workloads()
    options = parsed(list(known))
    names = options.only or list(known)
    quick = Effort(quick=True, repeat=1, warm=(2, 3), seconds=0.1)
    full = Effort()
    chosen = quick if options.quick else full
    effort = Effort(
        quick=options.quick,
        repeat=options.repeat or chosen.repeat,
        warm=chosen.warm,
        seconds=chosen.seconds,
        modes=frozenset(options.mode or MODES),
    )
    # Those beside are no part of any ratio of autopar's, and slow to start.
    ways = options.way or [way for way, entry in WAYS.items() if entry.role != "beside" or not options.quick]
    about = machine()
    started = time.perf_counter()
    results: dict[str, dict[str, Times]] = {}
    with TemporaryDirectory(prefix="regret-") as folder:
        scratch = Path(folder)
        base = calibrated_store(scratch)
        environment = environment_with(scratch, scratch / "import", None)
        import_seconds(environment, rounds=1)  # compiles the modules
        about["import_seconds"] = import_seconds(environment)
        for name in names:
            family, workload = known[name]
            results[name] = Measurement(family, workload, effort, scratch, base, ways).run()
            say_progress(name, results[name])
            about |= {"seconds": time.perf_counter() - started, "quick": options.quick, "repeat": effort.repeat}
            if options.json:  # after each, so that a run that is ended leaves what it has
                Path(options.json).write_text(as_json(results, about), encoding="utf-8")
    wrong = failures(results)
    print(described(about))
    print(table(results))
    print("", *notes(results), "", sep="\n")
    print(*[f"FAILED: {each}" for each in wrong] or ["Every result was the plain loop's."], sep="\n")
    return 1 if wrong else 0


def parsed(names: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.regret",
        description="Time taken over the time of the best hand-picked way, on the same inputs, in the same run.",
    )
    parser.add_argument("--quick", action="store_true", help="small, one interpreter each, without joblib and mpire")
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=names, help=f"these workloads: {', '.join(names)}")
    parser.add_argument("--way", nargs="+", metavar="WAY", choices=WAYS, help=f"these ways: {', '.join(WAYS)}")
    parser.add_argument("--mode", nargs="+", choices=MODES, help="these modes; default all")
    parser.add_argument("--repeat", type=int, metavar="N", help="fresh interpreters of each way; default 3, quick 1")
    parser.add_argument("--json", metavar="FILE", help="also write everything that was measured to this file")
    options = parser.parse_args()
    if options.way and "loop" not in options.way:
        options.way.insert(0, "loop")
    return options


def calibrated_store(scratch: Path) -> Path:
    """Fill a store with what autopar measures of a host once."""
    folder = scratch / "calibrated"
    command = [sys.executable, "-c", "import autopar; autopar.calibrate()"]
    subprocess.run(command, env=environment_with(scratch, folder, None), stdout=subprocess.DEVNULL, check=True)
    return folder


def say_progress(name: str, times: dict[str, Times]) -> None:
    """Tell on standard error how one workload went."""
    figures = [(mode, ratio(times, "autopar", mode)) for mode in MODES]
    shown = ", ".join(f"{mode} {value:.2f}" for mode, value in figures if value is not None)
    print(f"{name}: {shown}", file=sys.stderr, flush=True)


def described(about: dict[str, object]) -> str:
    """Describe the machine and the run in a few lines."""
    import_ms = float(str(about["import_seconds"])) * 1e3
    return (
        f"{about['date']}  {about['python']}, {about['system']}, {about['processor']}, {about['cores']} cores, "
        f"quota {about['cpu_quota'] or 'none'}, load before {about['load']}\n"
        f"{about['packages']}, autopar {about['commit']}; {'quick' if about['quick'] else 'full'}, "
        f"{about['repeat']} interpreters each, {about['seconds']:.0f} s in all; "
        f"import autopar, not in the ratios: {import_ms:.0f} ms\n"
    )


if __name__ == "__main__":
    sys.exit(main())
