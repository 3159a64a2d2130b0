"""How well a score puts one kind before the other: areas under ROC and precision-recall curves, for many weights.

scikit-learn computes the same for one set of weights at a time (the tests hold these to it); the bootstrap asks for two
thousand. Its curves are used as they are.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_curve, roc_curve

from app.harm.features import Floats

Flags = NDArray[np.bool_]
POINTS = 200


class Ranked(NamedTuple):
    """Rows from the highest score to the lowest, `order` (N,); `starts` (B,) where each block of equal scores begins."""

    order: NDArray[np.int64]
    starts: NDArray[np.int64]

    def sums(self, values: Floats) -> Floats:
        """Sum of row values (..., N) in each block of equal scores, (..., B)."""
        return np.asarray(np.add.reduceat(values[..., self.order], self.starts, axis=-1))


def ranked(scores: Floats) -> Ranked:
    """Sort scores (N,) once; ties share a block."""
    order = np.argsort(-scores, kind="stable")
    starts = np.flatnonzero(np.diff(scores[order], prepend=np.inf))
    return Ranked(order, starts)


def auc(rows: Ranked, positive: Flags, weights: Floats) -> Floats:
    """Area under the ROC curve, (...,), for `positive` (N,) and weights (..., N); NaN where a side is empty."""
    for_it, against = rows.sums(weights * positive), rows.sums(weights * ~positive)
    above = np.cumsum(for_it, axis=-1) - for_it / 2
    return _ratio((against * above).sum(axis=-1), for_it.sum(axis=-1) * against.sum(axis=-1))


def average_precision(rows: Ranked, positive: Flags, weights: Floats) -> Floats:
    """Area under the precision-recall curve by its steps, (...,); NaN where nothing is positive."""
    for_it = rows.sums(weights * positive)
    found, flagged = np.cumsum(for_it, axis=-1), np.cumsum(rows.sums(weights), axis=-1)
    precision = np.divide(found, flagged, out=np.zeros_like(found), where=flagged > 0)
    return _ratio((for_it * precision).sum(axis=-1), for_it.sum(axis=-1))


def roc(scores: Floats, positive: Flags, weights: Floats) -> dict[str, list[float]]:
    """The ROC curve, at most 200 points: false and true positive rates."""
    false, true, _ = roc_curve(positive, scores, sample_weight=weights)
    kept = _thinned(false + true)
    return {"false_positive_rate": false[kept].tolist(), "true_positive_rate": true[kept].tolist()}


def precision_recall(scores: Floats, positive: Flags, weights: Floats) -> dict[str, list[float]]:
    """The precision-recall curve, at most 200 points, from everyone flagged to nobody."""
    precision, recall, _ = precision_recall_curve(positive, scores, sample_weight=weights)
    kept = _thinned(-recall)
    return {"recall": recall[kept].tolist(), "precision": precision[kept].tolist()}


def _thinned(along: Floats) -> NDArray[np.int64]:
    """Rows nearest to equal steps along a quantity that never falls, both ends kept."""
    steps = np.linspace(along[0], along[-1], POINTS)
    return np.unique(np.clip(np.searchsorted(along, steps), 0, len(along) - 1))


def _ratio(part: Floats, whole: Floats) -> Floats:
    return np.asarray(np.divide(part, whole, out=np.full(np.shape(part), np.nan), where=whole > 0))
