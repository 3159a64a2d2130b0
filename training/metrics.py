"""The report's measures of a harm model (section 4), as functions of a confusion matrix or of scored nominals.

Rows of a confusion matrix are true groups, columns predicted groups, both lowest first. Counts may be weighted, so the
same functions answer at the test mix and at the population mix. All of the report's own measures rise when 80-90 is
over-predicted; accuracy and the share predicted 80-90 are therefore always computed beside them.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import roc_auc_score
from sksurv.metrics import concordance_index_censored

from training.harm.survival import HORIZON, outcomes

GROUP_COUNT = 4
LOWEST, SECOND, THIRD, TOP = range(GROUP_COUNT)
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class GroupMetrics:
    """Section 4.1 from one confusion matrix; shares are 0..1, counts are nominals (or summed weights).

    `precision` true top two among those predicted top; `sensitivity` true top two predicted top two; `adjusted_f1`
    their harmonic mean; `top_2_accuracy` true top predicted top two; `max_correct` true top predicted top; `max_false`
    true lowest predicted top; `max_missed` true top predicted lowest; `hamming_loss` 1 - accuracy; `flagged` share
    predicted top; `predicted_80_90` share predicted one below it.
    """

    precision: float
    sensitivity: float
    adjusted_f1: float
    top_2_accuracy: float
    max_correct: float
    max_false: float
    max_missed: float
    accuracy: float
    hamming_loss: float
    flagged: float
    predicted_80_90: float


@dataclass(frozen=True)
class HarmBalance:
    """Future harm, days, on the wrong side of the line: `missed`, `positive` (prevented), `net` the difference."""

    missed: float
    positive: float
    net: float


def confusion(true: NDArray[np.int64], predicted: NDArray[np.int64], weights: Floats | None = None) -> Floats:
    """Confusion matrix (4, 4) of group numbers 0..3, optionally weighted.

    scikit-learn's own takes milliseconds to check its input, and the search for decision weights asks a thousand times.
    """
    cells = np.bincount(GROUP_COUNT * true + predicted, weights=weights, minlength=GROUP_COUNT**2)
    return cells.reshape(GROUP_COUNT, GROUP_COUNT).astype(np.float64)


def group_metrics(matrix: ArrayLike) -> GroupMetrics:
    """Every measure of section 4.1 that a confusion matrix (4, 4) holds."""
    cells = np.asarray(matrix, dtype=np.float64)
    total = cells.sum()
    precision = _share(cells[THIRD:, TOP].sum(), cells[:, TOP].sum())
    sensitivity = _share(cells[THIRD:, THIRD:].sum(), cells[THIRD:].sum())
    accuracy = _share(np.trace(cells), total)
    return GroupMetrics(
        precision=precision,
        sensitivity=sensitivity,
        adjusted_f1=_share(2 * precision * sensitivity, precision + sensitivity),
        top_2_accuracy=_share(cells[TOP, THIRD:].sum(), cells[TOP].sum()),
        max_correct=float(cells[TOP, TOP]),
        max_false=float(cells[LOWEST, TOP]),
        max_missed=float(cells[TOP, LOWEST]),
        accuracy=accuracy,
        hamming_loss=1 - accuracy,
        flagged=_share(cells[:, TOP].sum(), total),
        predicted_80_90=_share(cells[:, THIRD].sum(), total),
    )


def harm_balance(
    true: NDArray[np.int64],
    predicted: NDArray[np.int64],
    future_harm: Floats,
    weights: Floats | None = None,
) -> HarmBalance:
    """Harm missed (true top predicted in the lower two) against harm prevented (lower two predicted top), in days."""
    harm = future_harm if weights is None else future_harm * weights
    missed = float(harm[(true == TOP) & (predicted <= SECOND)].sum())
    positive = float(harm[(true <= SECOND) & (predicted == TOP)].sum())
    return HarmBalance(missed, positive, missed - positive)


def top_against_lowest_auc(true: NDArray[np.int64], probabilities: Floats, weights: Floats | None = None) -> float:
    """AUC of the top group's probability, among nominals truly in the top or the lowest group."""
    rows = (true == LOWEST) | (true == TOP)
    chosen = None if weights is None else weights[rows]
    return float(roc_auc_score(true[rows] == TOP, probabilities[rows, TOP], sample_weight=chosen))


def concordance(curves: NDArray[np.floating], event_day: Floats) -> float:
    """Concordance index of survival curves (N, 366); risk = minus the mean of S(1..365) (section 5).

    `event_day` days to the event, NaN where none came within 365 days (censored there).
    """
    happened, days = outcomes(event_day)
    risk = -np.asarray(curves, dtype=np.float64)[:, 1 : HORIZON + 1].mean(axis=1)
    return float(concordance_index_censored(happened, days, risk)[0])


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole else 0.0
