"""First stage, one half: gradient-boosted trees over the flattened history (report, section 3.3.2 and appendix 1)."""

from typing import Any

import numpy as np
import xgboost
from numpy.typing import NDArray

from app.harm.features import Features
from training.harm.folds import Ints, inner_split

# Few and shallow: an exact explanation calls them 1,024 times, and depth 3 does best out of fold anyway (ours).
MAX_ROUNDS = 100
PATIENCE = 15
_SETTINGS: dict[str, Any] = {
    "objective": "multi:softprob",
    "max_depth": 3,
    "learning_rate": 0.1,
    "subsample": 0.8,
    "colsample_bytree": 0.3,
    "min_child_weight": 5,
    "reg_lambda": 2.0,
    "max_bin": 64,
    "tree_method": "hist",
    "n_jobs": 1,
}


def flatten(x: Features) -> Features:
    """(N, 20, 19) -> (N, 380): incident by incident, index incident last."""
    return x.reshape(len(x), -1)


def rounds_needed(x: Features, groups: Ints, component: Ints, seed: int) -> int:
    """Boosting rounds at which log loss on an inner, grouped split stops falling."""
    learn, stop = inner_split(groups, component, seed)
    model = xgboost.XGBClassifier(
        **_SETTINGS,
        n_estimators=MAX_ROUNDS,
        early_stopping_rounds=PATIENCE,
        eval_metric="mlogloss",
        random_state=seed,
    )
    flat = flatten(x)
    model.fit(flat[learn], groups[learn], eval_set=[(flat[stop], groups[stop])], verbose=False)
    return int(model.best_iteration) + 1


def fit_trees(x: Features, groups: Ints, rounds: int, seed: int) -> xgboost.XGBClassifier:
    """Fit exactly `rounds` rounds on all rows given: nothing beyond a best iteration is left for an export to keep."""
    model = xgboost.XGBClassifier(**_SETTINGS, n_estimators=rounds, random_state=seed)
    return model.fit(flatten(x), groups, verbose=False)


def tree_probabilities(model: xgboost.XGBClassifier, x: Features) -> NDArray[np.float32]:
    """Probabilities of the four groups, (N, 4)."""
    return np.asarray(model.predict_proba(flatten(x)), dtype=np.float32)
