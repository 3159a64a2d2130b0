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
from training.harm.onnx_forest import ensemble, leaves_of
from training.harm.survival import HORIZON, SURVIVAL_COLUMNS, on_days

_STEP = 2.0**-17
_MOST_TREES = 128


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


def _leaves(tree: SurvivalTree, times: NDArray[np.float64], horizon: int) -> _Leaves:
    nodes = leaves_of(tree.tree_)
    curves = on_days(tree.tree_.value[nodes, :, 1], times, horizon)
    return _Leaves(nodes, (np.round(curves / _STEP) * _STEP).astype(np.float32))


def _ensemble(forest: RandomSurvivalForest, leaves: list[_Leaves], columns: NDArray[np.int64]) -> dict[str, Any]:
    """Attributes of a TreeEnsembleRegressor with one target a tree: the row of the table its leaf owns."""
    ends = np.cumsum([len(part.nodes) for part in leaves])
    owned = [
        (part.nodes, np.full(len(part.nodes), tree), np.arange(end - len(part.nodes), end, dtype=float))
        for tree, (part, end) in enumerate(zip(leaves, ends, strict=True))
    ]
    return ensemble([tree.tree_ for tree in forest.estimators_], owned, len(leaves), columns)
