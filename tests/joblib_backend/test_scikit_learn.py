"""scikit-learn on autopar's joblib backend gives the results of joblib's default."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from joblib import parallel_config

import autopar as ap

pytest.importorskip("sklearn", reason="scikit-learn has no wheel for this Python")

from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score


@pytest.fixture(scope="module")
def data() -> tuple[Any, Any]:
    """A small problem."""
    ap.register_joblib()
    samples, labels = make_classification(300, 12, random_state=0)
    return samples, labels


def cross_validation(samples: Any, labels: Any) -> Any:
    return cross_val_score(LogisticRegression(), samples, labels, cv=4, n_jobs=2)


def grid_search(samples: Any, labels: Any) -> Any:
    search = GridSearchCV(LogisticRegression(), {"C": [0.01, 1.0, 100.0]}, cv=3, n_jobs=2).fit(samples, labels)
    return search.cv_results_["mean_test_score"], search.best_params_["C"], search.predict(samples)


def random_forest(samples: Any, labels: Any) -> Any:
    forest = RandomForestClassifier(20, random_state=3, n_jobs=2).fit(samples, labels)
    return forest.predict_proba(samples), forest.predict(samples), forest.feature_importances_


def forests_in_cross_validation(samples: Any, labels: Any) -> Any:
    return cross_val_score(RandomForestClassifier(10, random_state=3, n_jobs=2), samples, labels, cv=3, n_jobs=2)


def importance(samples: Any, labels: Any) -> Any:
    model = LogisticRegression().fit(samples, labels)
    return permutation_importance(model, samples, labels, n_repeats=4, random_state=5, n_jobs=2).importances


@pytest.mark.slow
@pytest.mark.parametrize(
    "work", [cross_validation, grid_search, random_forest, forests_in_cross_validation, importance]
)
def test_results_are_those_of_the_default_backend(work: Callable[[Any, Any], Any], data: tuple[Any, Any]) -> None:
    """Every number is the same, to the last bit."""
    with parallel_config(backend="loky"):
        expected = work(*data)
    with parallel_config(backend="autopar"):
        results = work(*data)
    if not isinstance(expected, tuple):
        expected, results = (expected,), (results,)
    for one, other in zip(expected, results, strict=True):
        np.testing.assert_array_equal(one, other)
