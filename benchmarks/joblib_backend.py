"""scikit-learn and joblib on autopar's backend and on loky, joblib's default: same results, seconds of each.

    python benchmarks/joblib_backend.py [--rounds 5] [--jobs 2]

Each workload runs on both backends in turn, so that a change of the machine's load meets both; of the rounds the
quickest counts, after one that starts the workers. The goal is a ratio of at most 1.1.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from joblib import Parallel, delayed, parallel_config
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score

import autopar as ap

GOAL = 1.1
BACKENDS = ("loky", "autopar")


def collatz(number: int) -> int:
    steps = 0
    while number != 1:
        number = number // 2 if number % 2 == 0 else 3 * number + 1
        steps += 1
    return steps


def row_sum(rows: Any, index: int) -> float:
    return float(np.sqrt(rows[index]).sum())


def workloads(jobs: int) -> dict[str, Callable[[], Any]]:
    """Name -> what is timed."""
    samples, labels = make_classification(3000, 20, random_state=0)
    large = np.random.default_rng(0).random((64, 200_000))
    model = RandomForestClassifier(30, random_state=0).fit(samples, labels)
    forest = RandomForestClassifier(60, random_state=0, n_jobs=jobs)
    grid = {"C": [0.01, 0.1, 1.0, 10.0], "penalty": ["l2"]}

    def fit_and_predict() -> Any:
        return forest.fit(samples, labels).predict_proba(samples)

    def search() -> Any:
        return (
            GridSearchCV(LogisticRegression(max_iter=300), grid, cv=5)
            .fit(samples, labels)
            .cv_results_["mean_test_score"]
        )

    return {
        "cross_val_score": lambda: cross_val_score(RandomForestClassifier(30, random_state=0), samples, labels, cv=6),
        "GridSearchCV": search,
        "RandomForest fit, predict": fit_and_predict,
        "permutation_importance": lambda: (
            permutation_importance(model, samples, labels, n_repeats=3, random_state=0).importances
        ),
        "3,000 short calls": lambda: np.array(Parallel()(delayed(collatz)(n) for n in range(10_000, 13_000))),
        "102 MB array, 64 calls": lambda: np.array(Parallel()(delayed(row_sum)(large, i) for i in range(64))),
    }


def measure(work: Callable[[], Any], backend: str, jobs: int) -> tuple[float, Any]:
    """Seconds and result of one round."""
    with parallel_config(backend=backend, n_jobs=jobs):
        began = time.perf_counter()
        result = work()
        return time.perf_counter() - began, result


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    ap.register_joblib()
    missed = 0
    print(f"{'workload':28}{'loky':>10}{'autopar':>10}{'ratio':>8}  equal")
    for name, work in workloads(options.jobs).items():
        seconds: dict[str, list[float]] = {backend: [] for backend in BACKENDS}
        results: dict[str, Any] = {}
        for _ in range(options.rounds + 1):
            for backend in BACKENDS:
                spent, results[backend] = measure(work, backend, options.jobs)
                seconds[backend].append(spent)
        loky, ours = (min(seconds[backend][1:]) for backend in BACKENDS)
        equal = bool(np.array_equal(results["loky"], results["autopar"]))
        missed += not equal or ours > GOAL * loky
        print(f"{name:28}{loky:9.3f}s{ours:9.3f}s{ours / loky:8.2f}  {equal}", flush=True)
    return min(missed, 1)


if __name__ == "__main__":
    sys.exit(main())
