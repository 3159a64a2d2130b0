"""Classifiers that learn from a table of numbers: flattened histories, or the eight probabilities of a first stage.

Random forest, GBM, multinomial regression and basic neural network of the report (section 3.3.2, appendix 1); settings
were tuned out of fold on the synthetic force (ours). Each runs on one thread.
"""

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from xgboost import XGBClassifier

from training.harm.folds import Ints
from training.harm.svm import CalibratedSvm

Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]
FOREST_TREES = 100
HIDDEN = 16
GBM_RATE = 0.1
_MOST_ITERATIONS = 200


def fit_forest(values: Floats32, groups: Ints, leaf: int, seed: int) -> RandomForestClassifier:
    """A random forest; every leaf holds at least `leaf` nominals."""
    return RandomForestClassifier(FOREST_TREES, min_samples_leaf=leaf, random_state=seed).fit(values, groups)


def fit_gbm(values: Floats32, groups: Ints, rounds: int, depth: int, seed: int) -> GradientBoostingClassifier:
    """Gradient boosting as scikit-learn has it; each split looks at a random few of the columns."""
    model = GradientBoostingClassifier(
        n_estimators=rounds,
        max_depth=depth,
        learning_rate=GBM_RATE,
        subsample=0.8,
        max_features="sqrt",
        min_samples_leaf=10,
        random_state=seed,
    )
    return model.fit(values, groups)


def fit_boosted(values: Floats32, groups: Ints, rounds: int, seed: int) -> XGBClassifier:
    """XGBoost for a narrow table: every column at every split, two levels deep."""
    model = XGBClassifier(
        objective="multi:softprob",
        max_depth=2,
        learning_rate=0.1,
        subsample=0.8,
        min_child_weight=5,
        reg_lambda=2.0,
        tree_method="hist",
        n_jobs=1,
        n_estimators=rounds,
        random_state=seed,
    )
    return model.fit(values, groups, verbose=False)


def fit_regression(values: Floats32, groups: Ints, cost: float) -> LogisticRegression:
    """Multinomial regression; a low `cost` keeps coefficients small."""
    return LogisticRegression(C=cost, max_iter=1000).fit(values.astype(np.float64), groups)


def fit_network(values: Floats32, groups: Ints, penalty: float, seed: int) -> MLPClassifier:
    """One hidden layer; `penalty` on squared weights."""
    model = MLPClassifier((HIDDEN,), solver="lbfgs", alpha=penalty, max_iter=_MOST_ITERATIONS, random_state=seed)
    with warnings.catch_warnings():
        # A limit of steps is one more restraint on so small a network, and no failure.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(values.astype(np.float64), groups)


def table_probabilities(model: Any, values: Floats32) -> Floats:
    """Probabilities of the four groups (N, 4) for values (N, K), by whichever of these classifiers."""
    if isinstance(model, CalibratedSvm):
        return model.probabilities(values)
    if isinstance(model, XGBClassifier):
        found = np.asarray(model.predict_proba(values), dtype=np.float64)
        return np.asarray(found / found.sum(axis=1, keepdims=True))  # float32 sums to 1 only nearly
    return np.asarray(model.predict_proba(values.astype(np.float64)), dtype=np.float64)
