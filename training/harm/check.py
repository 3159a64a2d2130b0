"""Is the export the model? An artefact is only written if the graphs and the libraries agree.

The two sides share nothing but the features: xgboost, torch, scikit-learn and scikit-survival on one, ONNX Runtime on
the other. Besides real nominals both get inputs lying exactly on split thresholds, where `<` and `<=`, float32 and
float64 part ways.
"""

from typing import Any, NamedTuple

import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray
from sksurv.ensemble import RandomSurvivalForest

from app.errors import SetupError
from app.harm.features import FEATURES, Features
from training.harm.classifier import Stack
from training.harm.population import population_probabilities
from training.harm.splits import Splits, divided, first_stage_splits, forest_splits, table_splits
from training.harm.survival import curves
from training.harm.tables import table_probabilities

Floats = NDArray[np.float64]
TOLERANCE = 1e-5
GROUP_MARGIN = 2e-5
MOST_ROWS = 2_400
BATCH = 1_000
_SMALL_BATCHES = (1, 2)
_SMALL_BATCH_ROWS = 100
_THRESHOLD_ROWS = 600
MOST_DIVIDED = 0.01


class Agreement(NamedTuple):
    """Largest differences found: probabilities, population probabilities, survival; nominals compared.

    `divided` are the inputs whose first-stage probabilities agree, but with a split of the second stage between them:
    there the graph's second stage is held to the library's at the graph's own first-stage probabilities.
    """

    probabilities: float
    population_probabilities: float
    survival: float
    nominals: int
    divided: int


def check_export(
    model: bytes, survival: bytes, stack: Stack, forest: RandomSurvivalForest, x: Features, seed: int
) -> Agreement:
    """Compare graphs and libraries on up to 2,400 nominals of `x`, and on 600 twice with values on thresholds.

    Raises SetupError naming what differs: probabilities or curves by more than 1e-5, a predicted group where the
    weighted margin is above 2e-5, another answer in another batch, or a curve that rises or does not start at 1.
    """
    rng = np.random.default_rng(seed)
    rows = x[rng.permutation(len(x))[:MOST_ROWS]]
    on_trees = on_thresholds(rows[:_THRESHOLD_ROWS], first_stage_splits(stack), rng)
    on_forest = on_thresholds(rows[:_THRESHOLD_ROWS], forest_splits(forest), rng)
    groups, inside, curve = _session(model), _session(_with_first_stage(model, stack)), _session(survival)
    inputs = np.concatenate([rows, on_trees, on_forest])

    plain, population = _in_batches(groups, inputs, BATCH)
    *_, stacked = _in_batches(inside, inputs, BATCH)
    expected, jumps = _expected(stack, inputs, stacked)
    (found_curves,) = _in_batches(curve, inputs, BATCH)
    agreement = Agreement(
        probabilities=_difference(plain, expected),
        population_probabilities=_difference(population, population_probabilities(stack.population, expected)),
        survival=_difference(found_curves, curves(forest, inputs)),
        nominals=len(rows),
        divided=jumps,
    )
    for name in ("probabilities", "population_probabilities", "survival"):
        _require(getattr(agreement, name) <= TOLERANCE, f"{name} differ by up to {getattr(agreement, name):.1e}")
    _require(jumps <= MOST_DIVIDED * len(inputs), f"{jumps} of {len(inputs)} inputs lie on a split of the second stage")
    _require(_same_groups(plain, expected, stack.decision_weights), "predicted groups differ")
    _require(bool((found_curves[:, 0] == 1).all()), "a survival curve does not start at 1")
    _require(bool((np.diff(found_curves, axis=1) <= 0).all()), "a survival curve rises")
    _check_batches(groups, inside, stack, inputs[:BATCH])
    _check_curve_batches(curve, inputs[:BATCH])
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


def _expected(stack: Stack, x: Features, stacked: NDArray[np.float32]) -> tuple[Floats, int]:
    """Probabilities of the libraries, given what the graph's first stage says; how many inputs are divided."""
    own = stack.first_stage(x)
    _require(_difference(stacked, own) <= TOLERANCE, f"first stages differ by up to {_difference(stacked, own):.1e}")
    jumps = divided(table_splits(stack.second), own, stacked)
    return table_probabilities(stack.second, np.where(jumps[:, None], stacked, own)), int(jumps.sum())


def _with_first_stage(model: bytes, stack: Stack) -> bytes:
    """The same graph with a third output: the eight probabilities that its second stage reads."""
    graph = onnx.load_from_string(model)
    stacked = f"{stack.structure.second}_concat_0"
    graph.graph.output.append(onnx.helper.make_tensor_value_info(stacked, onnx.TensorProto.FLOAT, ["N", 8]))
    return bytes(graph.SerializeToString())


def _check_batches(groups: ort.InferenceSession, inside: ort.InferenceSession, stack: Stack, x: Features) -> None:
    """Same answers one by one, in pairs, and all at once, unless a split of the second stage lies between."""
    few, splits = x[:_SMALL_BATCH_ROWS], table_splits(stack.second)
    whole = [part[: len(few)] for part in _in_batches(groups, x, len(x)) + _in_batches(inside, x, len(x))[2:]]
    for size in _SMALL_BATCHES:
        parts = _in_batches(groups, few, size) + _in_batches(inside, few, size)[2:]
        same = ~divided(splits, parts[2], whole[2])
        close = [_difference(one[same], other[same]) <= TOLERANCE / 10 for one, other in zip(parts, whole, strict=True)]
        _require(all(close), f"answers depend on the batch (size {size})")


def _check_curve_batches(curve: ort.InferenceSession, x: Features) -> None:
    """The very same curves one by one, in pairs, and all at once."""
    few = x[:_SMALL_BATCH_ROWS]
    (whole,) = _in_batches(curve, x, len(x))
    for size in _SMALL_BATCHES:
        (parts,) = _in_batches(curve, few, size)
        _require(np.array_equal(parts, whole[: len(few)]), f"curves depend on the batch (size {size})")


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


def _difference(found: NDArray[np.float32], expected: NDArray[np.floating[Any]]) -> float:
    return float(np.abs(found - expected).max(initial=0))


def _require(holds: bool, what: str) -> None:
    if not holds:
        raise SetupError(f"The export is not the fitted model: {what}. Nothing was written.")
