"""The survival forest as ONNX: each tree names the leaf a nominal falls in, a table holds every leaf's curve.

Averaging curves on a fixed grid of days is exact. The table is rounded to multiples of 2^-17: sums of up to 128 such
numbers are exact in float32, so the mean never rises from one day to the next, is 1 on day 0, and is the same bits in
any batch and on any machine, for an error below 4e-6 in one tree and far less in the mean.
"""

from typing import Any, NamedTuple

import numpy as np
import onnx
from numpy.typing import NDArray
from sksurv.ensemble import RandomSurvivalForest
from sksurv.tree import SurvivalTree

from app.harm.features import FEATURES, ROWS
from training.harm.graph import FEATURES_INPUT, Graph
from training.harm.survival import HORIZON, SURVIVAL_COLUMNS, on_days

_STEP = 2.0**-17
_MOST_TREES = 128
_LEAF, _BRANCH = "LEAF", "BRANCH_LEQ"


class Layout(NamedTuple):
    """What a forest reads and tells: `shape` of one row of the input `features`, `columns` the flat place in it of each
    feature the forest knows, `horizon` the last day of its curves."""

    shape: tuple[int, ...]
    columns: NDArray[np.int64]
    horizon: int


NOMINALS = Layout(
    FEATURES_INPUT["features"],
    (np.arange(ROWS)[:, None] * len(FEATURES) + np.asarray(SURVIVAL_COLUMNS)).ravel(),
    HORIZON,
)
"""The 11 survival features of 20 incidents, over a year."""


class _Leaves(NamedTuple):
    """Node numbers of a tree's leaves (L,) and their curves on days 0..horizon, float32 (L, horizon + 1)."""

    nodes: NDArray[np.int64]
    curves: NDArray[np.float32]


def survival_graph(forest: RandomSurvivalForest, layout: Layout = NOMINALS) -> onnx.ModelProto:
    """features (N, *shape) -> survival (N, horizon + 1), for nominals (N, 20, 19) -> (N, 366).

    Raises ValueError beyond 128 trees: their sum would be rounded.
    """
    if len(forest.estimators_) > _MOST_TREES:
        raise ValueError(f"at most {_MOST_TREES} trees keep the mean exact")
    leaves = [_leaves(tree, forest.unique_times_, layout.horizon) for tree in forest.estimators_]
    graph = Graph("survival")
    flat = graph.node("Reshape", ["features", graph.constant([-1, int(np.prod(layout.shape))], dtype=int)])
    trees = _ensemble(forest, leaves, layout.columns)
    numbers = graph.node("TreeEnsembleRegressor", [flat], domain="ai.onnx.ml", **trees)
    places = graph.node("Cast", [numbers], to=onnx.TensorProto.INT64)
    table = graph.constant(np.concatenate([part.curves for part in leaves]))
    chosen = graph.node("Gather", [table, places])
    graph.node("ReduceMean", [chosen], ["survival"], axes=[1], keepdims=0)
    return graph.model({"features": layout.shape}, {"survival": (layout.horizon + 1,)})


def rounded_down(thresholds: NDArray[np.float64]) -> NDArray[np.float32]:
    """Largest float32 not above each threshold: `x <= threshold` then holds for the same float32 x."""
    nearest = thresholds.astype(np.float32)
    return np.where(nearest > thresholds, np.nextafter(nearest, np.float32(-np.inf)), nearest)


def _leaves(tree: SurvivalTree, times: NDArray[np.float64], horizon: int) -> _Leaves:
    nodes = np.flatnonzero(tree.tree_.children_left < 0)
    curves = on_days(tree.tree_.value[nodes, :, 1], times, horizon)
    return _Leaves(nodes, (np.round(curves / _STEP) * _STEP).astype(np.float32))


def _ensemble(forest: RandomSurvivalForest, leaves: list[_Leaves], columns: NDArray[np.int64]) -> dict[str, Any]:
    """Attributes of a TreeEnsembleRegressor with one target a tree: the row of the table its leaf owns."""
    trees = [tree.tree_ for tree in forest.estimators_]
    sizes = [tree.node_count for tree in trees]
    below = [np.stack([tree.children_left, tree.children_right]).clip(min=0) for tree in trees]
    branching = np.concatenate([tree.children_left >= 0 for tree in trees])
    feature = np.concatenate([tree.feature for tree in trees]).clip(min=0)
    threshold = np.concatenate([tree.threshold for tree in trees])
    owners = np.repeat(np.arange(len(trees)), [len(part.nodes) for part in leaves])
    return {
        "n_targets": len(trees),
        "nodes_treeids": np.repeat(np.arange(len(trees)), sizes).tolist(),
        "nodes_nodeids": np.concatenate([np.arange(size) for size in sizes]).tolist(),
        "nodes_featureids": columns[feature].tolist(),
        "nodes_values": np.where(branching, rounded_down(threshold), 0).tolist(),
        "nodes_modes": np.where(branching, _BRANCH, _LEAF).tolist(),
        "nodes_truenodeids": np.concatenate(below, axis=1)[0].tolist(),
        "nodes_falsenodeids": np.concatenate(below, axis=1)[1].tolist(),
        "nodes_missing_value_tracks_true": [0] * sum(sizes),
        "target_treeids": owners.tolist(),
        "target_nodeids": np.concatenate([part.nodes for part in leaves]).tolist(),
        "target_ids": owners.tolist(),
        "target_weights": np.arange(len(owners), dtype=float).tolist(),
    }
