"""Trees of scikit-learn as one ONNX tree ensemble: the same branch for every float32 value."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_LEAF, _BRANCH = "LEAF", "BRANCH_LEQ"
Leaves = Sequence[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]]


def rounded_down(thresholds: NDArray[np.float64]) -> NDArray[np.float32]:
    """Largest float32 not above each threshold: `x <= threshold` then holds for the same float32 x."""
    nearest = thresholds.astype(np.float32)
    return np.where(nearest > thresholds, np.nextafter(nearest, np.float32(-np.inf)), nearest)


def leaves_of(tree: Any) -> NDArray[np.int64]:
    """Node numbers of a tree's leaves, (L,)."""
    return np.flatnonzero(tree.children_left < 0)


def ensemble(
    trees: Sequence[Any], leaves: Leaves, targets: int, columns: NDArray[np.int64] | None = None
) -> dict[str, Any]:
    """Attributes of a TreeEnsembleRegressor whose outputs are sums over the trees.

    `trees` scikit-learn's `tree_`; `leaves` for each of them (nodes, targets, weights): what a leaf adds to which of the
    `targets` outputs; `columns` the place of each feature in the graph's own table, if it is another.
    """
    sizes = [tree.node_count for tree in trees]
    below = np.concatenate([np.stack([tree.children_left, tree.children_right]).clip(min=0) for tree in trees], axis=1)
    branching = np.concatenate([tree.children_left >= 0 for tree in trees])
    feature = np.concatenate([tree.feature for tree in trees]).clip(min=0)
    threshold = np.concatenate([tree.threshold for tree in trees])
    nodes, places, weights = (np.concatenate(part) for part in zip(*leaves, strict=True))
    return {
        "n_targets": targets,
        "nodes_treeids": np.repeat(np.arange(len(trees)), sizes).tolist(),
        "nodes_nodeids": np.concatenate([np.arange(size) for size in sizes]).tolist(),
        "nodes_featureids": (feature if columns is None else columns[feature]).tolist(),
        "nodes_values": np.where(branching, rounded_down(threshold), 0).tolist(),
        "nodes_modes": np.where(branching, _BRANCH, _LEAF).tolist(),
        "nodes_truenodeids": below[0].tolist(),
        "nodes_falsenodeids": below[1].tolist(),
        "nodes_missing_value_tracks_true": [0] * sum(sizes),
        "target_treeids": np.repeat(np.arange(len(trees)), [len(part) for part, _, _ in leaves]).tolist(),
        "target_nodeids": nodes.tolist(),
        "target_ids": places.tolist(),
        "target_weights": weights.tolist(),
    }
