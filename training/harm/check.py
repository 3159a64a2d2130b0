"""Is the export the model? An artefact is only written if the graphs and the libraries agree.

The two sides share nothing but the features: xgboost, torch, scikit-learn and scikit-survival on one, ONNX Runtime on
the other. Besides real nominals both get inputs lying exactly on split thresholds, where `<` and `<=`, float32 and
float64 part ways.
"""

import json
from typing import NamedTuple

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from sksurv.ensemble import RandomSurvivalForest
from xgboost import XGBClassifier

from app.errors import SetupError
from app.harm.features import FEATURES, ROWS, Features
from training.harm.classifier import Stack
from training.harm.onnx_survival import rounded_down
from training.harm.survival import SURVIVAL_COLUMNS, curves

Floats = NDArray[np.float64]
TOLERANCE = 1e-5
GROUP_MARGIN = 2e-5
MOST_ROWS = 2_400
BATCH = 1_000
_SMALL_BATCHES = (1, 2)
_SMALL_BATCH_ROWS = 100
_THRESHOLD_ROWS = 600


class Splits(NamedTuple):
    """Splits of a tree model: flat feature number (T,) out of 380, threshold float32 (T,)."""

    feature: NDArray[np.int64]
    threshold: NDArray[np.float32]


class Agreement(NamedTuple):
    """Largest differences found: probabilities, population probabilities, survival; nominals compared."""

    probabilities: float
    population_probabilities: float
    survival: float
    nominals: int


def check_export(
    model: bytes, survival: bytes, stack: Stack, forest: RandomSurvivalForest, x: Features, seed: int
) -> Agreement:
    """Compare graphs and libraries on up to 2,400 nominals of `x`, and on as many with values on thresholds.

    Raises SetupError naming what differs: probabilities or curves by more than 1e-5, a predicted group where the
    weighted margin is above 2e-5, another answer in another batch, or a curve that rises or does not start at 1.
    """
    rng = np.random.default_rng(seed)
    rows = x[rng.permutation(len(x))[:MOST_ROWS]]
    on_trees = on_thresholds(rows[:_THRESHOLD_ROWS], tree_splits(stack.trees), rng)
    on_forest = on_thresholds(rows[:_THRESHOLD_ROWS], forest_splits(forest), rng)
    groups, curve = _session(model), _session(survival)
    inputs = np.concatenate([rows, on_trees, on_forest])

    plain, population = _in_batches(groups, inputs, BATCH)
    expected = stack.probabilities(inputs)
    (found_curves,) = _in_batches(curve, inputs, BATCH)
    agreement = Agreement(
        probabilities=_difference(plain, expected),
        population_probabilities=_difference(population, stack.population_probabilities(inputs)),
        survival=_difference(found_curves, curves(forest, inputs)),
        nominals=len(rows),
    )
    for name in ("probabilities", "population_probabilities", "survival"):
        _require(getattr(agreement, name) <= TOLERANCE, f"{name} differ by up to {getattr(agreement, name):.1e}")
    _require(_same_groups(plain, expected, stack.decision_weights), "predicted groups differ")
    _require(bool((found_curves[:, 0] == 1).all()), "a survival curve does not start at 1")
    _require(bool((np.diff(found_curves, axis=1) <= 0).all()), "a survival curve rises")
    _check_batches(groups, curve, inputs[:BATCH])
    return agreement


def on_thresholds(x: Features, splits: Splits, rng: np.random.Generator) -> Features:
    """Copies of `x` with a third of each real row's values put exactly on, just below or just above a threshold."""
    flat = x.reshape(len(x), -1).copy()
    real = np.repeat((x != 0).any(axis=2), len(FEATURES), axis=1)
    infinity = np.float32(np.inf)
    below, above = (np.nextafter(splits.threshold, side) for side in (-infinity, infinity))
    near = np.choose(rng.integers(0, 3, len(splits.threshold)), [below, splits.threshold, above])
    near = np.maximum(near, 0)
    for feature in np.unique(splits.feature):
        candidates = near[splits.feature == feature]
        chosen = rng.choice(candidates, len(flat))
        flat[:, feature] = np.where(real[:, feature] & (rng.random(len(flat)) < 1 / 3), chosen, flat[:, feature])
    return flat.reshape(x.shape)


def tree_splits(model: XGBClassifier) -> Splits:
    """All splits of the boosted trees, from xgboost's own JSON."""
    learner = json.loads(model.get_booster().save_raw("json"))["learner"]
    trees = learner["gradient_booster"]["model"]["trees"]
    inner = [np.asarray(tree["left_children"]) >= 0 for tree in trees]
    feature = [np.asarray(tree["split_indices"])[keep] for tree, keep in zip(trees, inner, strict=True)]
    threshold = [np.asarray(tree["split_conditions"])[keep] for tree, keep in zip(trees, inner, strict=True)]
    return Splits(np.concatenate(feature), np.concatenate(threshold).astype(np.float32))


def forest_splits(forest: RandomSurvivalForest) -> Splits:
    """All splits of the survival forest, by number among the 380 flat features."""
    columns = (np.arange(ROWS)[:, None] * len(FEATURES) + np.asarray(SURVIVAL_COLUMNS)).ravel()
    trees = [tree.tree_ for tree in forest.estimators_]
    feature = np.concatenate([tree.feature[tree.children_left >= 0] for tree in trees])
    threshold = np.concatenate([tree.threshold[tree.children_left >= 0] for tree in trees])
    return Splits(columns[feature], rounded_down(threshold))


def _check_batches(groups: ort.InferenceSession, curve: ort.InferenceSession, x: Features) -> None:
    """Same answers one by one, in pairs, and all at once."""
    few = x[:_SMALL_BATCH_ROWS]
    for session, same in ((groups, _close), (curve, np.array_equal)):
        whole = [part[: len(few)] for part in _in_batches(session, x, len(x))]
        for size in _SMALL_BATCHES:
            parts = _in_batches(session, few, size)
            _require(all(map(same, parts, whole)), f"answers depend on the batch (size {size})")


def _in_batches(session: ort.InferenceSession, x: Features, size: int) -> list[NDArray[np.float32]]:
    found = [session.run(None, {"features": x[start : start + size]}) for start in range(0, len(x), size)]
    return [np.concatenate(parts) for parts in zip(*found, strict=True)]


def _same_groups(found: NDArray[np.float32], expected: Floats, weights: Floats) -> bool:
    """Same predicted group wherever the best two weighted probabilities are further apart than the margin."""
    weighted = np.sort(expected * weights, axis=1)
    clear = weighted[:, -1] - weighted[:, -2] > GROUP_MARGIN * weights.max()
    same = np.argmax(found * weights, axis=1) == np.argmax(expected * weights, axis=1)
    return bool(same[clear].all())


def _session(graph: bytes) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    return ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def _difference(found: NDArray[np.float32], expected: Floats) -> float:
    return float(np.abs(found - expected).max())


def _close(one: NDArray[np.float32], other: NDArray[np.float32]) -> bool:
    return bool(np.abs(one - other).max() <= TOLERANCE / 10)


def _require(holds: bool, what: str) -> None:
    if not holds:
        raise SetupError(f"The export is not the fitted model: {what}. Nothing was written.")
