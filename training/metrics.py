"""The report's measures of a harm model (section 4), as functions of a confusion matrix or of scored nominals.

Rows of a confusion matrix are true groups, columns predicted groups, both lowest first. Counts may be weighted, so the
same functions answer at the test mix and at the population mix, and for every replicate of a bootstrap at once. All of
the report's own measures rise when 80-90 is over-predicted; accuracy and the share predicted 80-90 are therefore always
computed beside them.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import roc_auc_score
from sksurv.metrics import concordance_index_censored

from training.harm.survival import outcomes, risk

GROUP_COUNT = 4
LOWEST, SECOND, THIRD, TOP = range(GROUP_COUNT)
Floats = NDArray[np.float64]
_RANKS = np.arange(GROUP_COUNT)
_DISTANCE = (_RANKS[:, None] - _RANKS) ** 2


@dataclass(frozen=True)
class HarmBalance:
    """Future harm, days, on the wrong side of the line: `missed`, `positive` (prevented), `net` the difference."""

    missed: float
    positive: float
    net: float


@dataclass(frozen=True)
class ReportMetrics:
    """Section 4.1 from one confusion matrix; shares are 0..1, counts are nominals (or summed weights).

    The report's: `precision` true top two among those predicted top; `sensitivity` true top two predicted top two;
    `adjusted_f1` their harmonic mean; `top_2_accuracy` true top predicted top two; `max_correct` true top predicted
    top; `max_false` true lowest predicted top; `max_missed` true top predicted lowest; `hamming_loss` 1 - accuracy.
    Beside them (ours): `flagged` share predicted top; `predicted_80_90` share predicted one below it; `top_found` true
    top predicted top; `flagged_are_top` true top among those predicted top; `false_alarm` true lowest predicted top;
    `balanced_accuracy` mean share found of each group; `macro_f1` mean F1 of the groups; `weighted_kappa` agreement
    beyond chance, disagreement counted by its square. `harm` where a matrix of harm was given.
    Arrays instead of numbers where several matrices were given.
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
    top_found: float
    flagged_are_top: float
    false_alarm: float
    balanced_accuracy: float
    macro_f1: float
    weighted_kappa: float
    harm: HarmBalance | None


def confusion(true: NDArray[np.int64], predicted: NDArray[np.int64], weights: Floats | None = None) -> Floats:
    """Confusion matrix (4, 4) of group numbers 0..3, optionally weighted; future harm as weights gives harm by cell.

    `weights` (..., N) gives matrices (..., 4, 4). scikit-learn's own takes milliseconds to check its input, and the
    search for decision weights asks a thousand times.
    """
    cell = GROUP_COUNT * true + predicted
    if weights is None or weights.ndim == 1:
        cells = np.bincount(cell, weights=weights, minlength=GROUP_COUNT**2).astype(np.float64)
    else:
        cells = weights @ (cell[:, None] == np.arange(GROUP_COUNT**2)).astype(np.float64)
    return cells.reshape(*cells.shape[:-1], GROUP_COUNT, GROUP_COUNT)


def report_metrics(matrix: ArrayLike, harm: ArrayLike | None = None) -> ReportMetrics:
    """Everything a confusion matrix (..., 4, 4) holds; `harm` future harm in days of each of its cells, if known."""
    cells = np.asarray(matrix, dtype=np.float64)
    total = _sum(cells)
    diagonal = np.diagonal(cells, axis1=-2, axis2=-1)
    true, predicted = cells.sum(axis=-1), cells.sum(axis=-2)
    precision = share(cells[..., THIRD:, TOP].sum(axis=-1), predicted[..., TOP])
    sensitivity = share(_sum(cells[..., THIRD:, THIRD:]), true[..., THIRD:].sum(axis=-1))
    accuracy = share(diagonal.sum(axis=-1), total)
    chance = true[..., :, None] * predicted[..., None, :]
    return ReportMetrics(
        precision=precision,
        sensitivity=sensitivity,
        adjusted_f1=share(2 * precision * sensitivity, precision + sensitivity),
        top_2_accuracy=share(cells[..., TOP, THIRD:].sum(axis=-1), true[..., TOP]),
        max_correct=_cell(cells, TOP, TOP),
        max_false=_cell(cells, LOWEST, TOP),
        max_missed=_cell(cells, TOP, LOWEST),
        accuracy=accuracy,
        hamming_loss=1 - accuracy,
        flagged=share(predicted[..., TOP], total),
        predicted_80_90=share(predicted[..., THIRD], total),
        top_found=share(cells[..., TOP, TOP], true[..., TOP]),
        flagged_are_top=share(cells[..., TOP, TOP], predicted[..., TOP]),
        false_alarm=share(cells[..., LOWEST, TOP], true[..., LOWEST]),
        balanced_accuracy=share(diagonal, true).mean(axis=-1),
        macro_f1=share(2 * diagonal, true + predicted).mean(axis=-1),
        weighted_kappa=1 - share(_sum(_DISTANCE * cells) * total, _sum(_DISTANCE * chance)),
        harm=None if harm is None else _balance(np.asarray(harm, dtype=np.float64)),
    )


def harm_balance(
    true: NDArray[np.int64],
    predicted: NDArray[np.int64],
    future_harm: Floats,
    weights: Floats | None = None,
) -> HarmBalance:
    """Harm missed (true top predicted in the lower two) against harm prevented (lower two predicted top), in days."""
    return _balance(confusion(true, predicted, future_harm if weights is None else future_harm * weights))


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
    return float(concordance_index_censored(happened, days, risk(curves))[0])


def share(part: Any, whole: Any) -> Any:
    """part / whole, 0 where there is nothing to take a share of; numbers or arrays of one shape."""
    part, whole = np.broadcast_arrays(np.asarray(part, dtype=np.float64), whole)
    return np.divide(part, whole, out=np.zeros(part.shape), where=whole != 0)[()]


def _balance(harm: Floats) -> HarmBalance:
    missed, positive = _sum(harm[..., TOP:, :THIRD]), _sum(harm[..., :THIRD, TOP:])
    return HarmBalance(missed, positive, missed - positive)


def _cell(cells: Floats, true: int, predicted: int) -> Any:
    return cells[..., true, predicted][()]


def _sum(cells: Floats) -> Any:
    return cells.sum(axis=(-2, -1))
