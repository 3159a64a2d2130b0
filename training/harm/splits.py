"""Where tree models part ways, and which nominals stand so close that a rounding error would decide.

A second stage of trees reads probabilities that two libraries, two machines or two batch sizes compute alike only to six
decimals or so. Where a split lies between the two values its answer jumps, and neither side is wrong (ours).
"""

import json
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sksurv.ensemble import RandomSurvivalForest
from xgboost import XGBClassifier

from app.harm.features import FEATURES, ROWS, Features
from training.harm.classifier import Stack
from training.harm.onnx_forest import rounded_down
from training.harm.survival import SURVIVAL_COLUMNS

Bools = NDArray[np.bool_]
Floats32 = NDArray[np.float32]
_STEADY = 5e-6


class Splits(NamedTuple):
    """Splits of tree models: column (T,) of their table, threshold float32 (T,)."""

    feature: NDArray[np.int64]
    threshold: Floats32


def first_stage_splits(stack: Stack) -> Splits:
    """All splits of both first-stage models, by number among the 380 flat features."""
    return _joined([table_splits(model) for model in stack.first])


def table_splits(model: Any) -> Splits:
    """All splits of a table classifier; none where it has no trees."""
    if isinstance(model, XGBClassifier):
        return _boosted_splits(model)
    if isinstance(model, RandomForestClassifier | GradientBoostingClassifier):
        return _joined([_tree_splits(each.tree_) for each in np.ravel(model.estimators_)])
    return _joined([])


def forest_splits(forest: RandomSurvivalForest) -> Splits:
    """All splits of the survival forest, by number among the 380 flat features."""
    columns = (np.arange(ROWS)[:, None] * len(FEATURES) + np.asarray(SURVIVAL_COLUMNS)).ravel()
    found = _joined([_tree_splits(tree.tree_) for tree in forest.estimators_])
    return Splits(columns[found.feature], found.threshold)


def divided(splits: Splits, one: Floats32, other: Floats32) -> Bools:
    """Rows of two tables (N, K) where some split lies between the one value and the other, (N,)."""
    found = np.zeros(len(one), dtype=bool)
    for feature in np.unique(splits.feature):
        thresholds = np.sort(splits.threshold[splits.feature == feature])
        for side in ("left", "right"):
            places = [np.searchsorted(thresholds, table[:, feature], side) for table in (one, other)]
            found |= places[0] != places[1]
    return found


def steady(stack: Stack, x: Features) -> Bools:
    """Nominals whose first-stage probabilities are further from any split of the second stage than rounding goes, (N,)."""
    stacked = stack.first_stage(x)
    margin = np.float32(_STEADY)
    return ~divided(table_splits(stack.second), stacked - margin, stacked + margin)


def _boosted_splits(model: XGBClassifier) -> Splits:
    """From xgboost's own JSON."""
    learner = json.loads(model.get_booster().save_raw("json"))["learner"]
    trees = learner["gradient_booster"]["model"]["trees"]
    inner = [np.asarray(tree["left_children"]) >= 0 for tree in trees]
    feature = [np.asarray(tree["split_indices"])[keep] for tree, keep in zip(trees, inner, strict=True)]
    threshold = [np.asarray(tree["split_conditions"])[keep] for tree, keep in zip(trees, inner, strict=True)]
    return Splits(np.concatenate(feature), np.concatenate(threshold).astype(np.float32))


def _tree_splits(tree: Any) -> Splits:
    inner = tree.children_left >= 0
    return Splits(tree.feature[inner], rounded_down(tree.threshold[inner]))


def _joined(parts: list[Splits]) -> Splits:
    empty = Splits(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32))
    feature, threshold = (np.concatenate(part) for part in zip(empty, *parts, strict=True))
    return Splits(feature, threshold)
