"""Do probabilities mean what they say: proper scores and calibration, for one set of weights or for thousands.

Every function takes weights (..., N) and returns (...,). The scores of N rows are fixed; only their weights differ
between replicates, so a mean score is one matrix product.
"""

from typing import Any

import numpy as np

from app.harm.features import Floats, Ints
from training.evaluation.ranking import Flags, Ranked, ranked
from training.harm.population import FLOOR
from training.metrics import share

BINS = 10
_NEWTON_STEPS = 25
_NEAR = 1e-9


def mean(weights: Floats, values: Any) -> Floats:
    """Weighted mean of row values (N,)."""
    return np.asarray(share(weights @ np.asarray(values, dtype=np.float64), weights.sum(axis=-1)))


def brier_rows(probabilities: Floats, groups: Ints) -> Floats:
    """Squared distance of each row of probabilities (N, G) from what happened, 0..2, (N,)."""
    return np.asarray(((probabilities - _happened(probabilities, groups)) ** 2).sum(axis=1))


def ranked_probability_rows(probabilities: Floats, groups: Ints) -> Floats:
    """Ranked probability score of each row, 0..1: groups have an order, and a miss by two costs more than by one."""
    gap = np.cumsum(probabilities - _happened(probabilities, groups), axis=1)[:, :-1]
    return np.asarray((gap**2).mean(axis=1))


def log_loss_rows(probabilities: Floats, groups: Ints) -> Floats:
    """Minus the logarithm of the probability of what happened, floored as in the population model, (N,)."""
    return np.asarray(-np.log(np.maximum(probabilities[np.arange(len(groups)), groups], FLOOR)))


def calibration_error(rows: Ranked, probability: Floats, happened: Flags, weights: Floats) -> Floats:
    """Expected calibration error over ten bins of equal weight by probability; equal probabilities share a bin.

    A finite sample is never perfectly calibrated in every bin: even a true probability has an error above zero.
    """
    mass = rows.sums(weights)
    flat = mass.reshape(-1, mass.shape[-1])
    middle = (np.cumsum(flat, axis=1) - flat / 2) / flat.sum(axis=1, keepdims=True)
    bins = np.minimum((middle * BINS).astype(np.int64), BINS - 1) + BINS * np.arange(len(flat))[:, None]
    gap = rows.sums(weights * (happened - probability)).reshape(flat.shape)
    gaps = np.bincount(bins.ravel(), weights=gap.ravel(), minlength=BINS * len(flat)).reshape(-1, BINS)
    return np.asarray((np.abs(gaps).sum(axis=1) / flat.sum(axis=1)).reshape(mass.shape[:-1]))


def slope(probability: Floats, happened: Flags, weights: Floats) -> Floats:
    """Slope of the logistic regression of what happened on the log odds (Cox), (...,): below 1 is too extreme.

    NaN where there is none, as when the two kinds do not overlap.
    """
    x = log_odds(probability)
    level, steepness = np.zeros(weights.shape[:-1]), np.zeros(weights.shape[:-1])
    for _ in range(_NEWTON_STEPS):
        expected = _sigmoid(level[..., None] + steepness[..., None] * x)
        residual, spread = weights * (happened - expected), weights * expected * (1 - expected)
        up, along = residual.sum(axis=-1), residual @ x
        a, b, c = spread.sum(axis=-1), spread @ x, spread @ (x * x)
        with np.errstate(divide="ignore", invalid="ignore"):
            steps = np.array([c * up - b * along, a * along - b * up]) / (a * c - b * b)
        level, steepness = level + steps[0], steepness + steps[1]
        if not (np.abs(steps) > _NEAR).any():
            break
    return np.where(np.abs(steps[1]) <= _NEAR, steepness, np.nan)


def intercept(probability: Floats, happened: Flags, weights: Floats) -> Floats:
    """Calibration in the large, (...,): what must be added to the log odds; above 0 is too low. NaN if all are alike."""
    x = log_odds(probability)
    level = np.zeros(weights.shape[:-1])
    for _ in range(_NEWTON_STEPS):
        expected = _sigmoid(level[..., None] + x)
        residual, spread = weights * (happened - expected), weights * expected * (1 - expected)
        with np.errstate(divide="ignore", invalid="ignore"):
            step = np.clip(residual.sum(axis=-1) / spread.sum(axis=-1), -2, 2)
        level = level + step
        if not (np.abs(step) > _NEAR).any():
            break
    return np.where(np.abs(step) <= _NEAR, level, np.nan)


def log_odds(probability: Floats) -> Floats:
    """Natural log odds, probabilities kept `FLOOR` away from 0 and 1."""
    inside = np.clip(probability, FLOOR, 1 - FLOOR)
    return np.asarray(np.log(inside / (1 - inside)))


def bins_by_weight(probability: Floats, weights: Floats) -> Ints:
    """Bin 0..9 of each row (N,), lowest probabilities first, bins of equal weight (N,); ties share a bin."""
    rows = ranked(-probability)
    mass = rows.sums(weights)
    middle = (np.cumsum(mass) - mass / 2) / mass.sum()
    block = np.minimum((middle * BINS).astype(np.int64), BINS - 1)
    bins = np.empty(len(probability), dtype=np.int64)
    bins[rows.order] = np.repeat(block, np.diff(np.append(rows.starts, len(probability))))
    return bins


def _happened(probabilities: Floats, groups: Ints) -> Floats:
    return np.asarray(groups[:, None] == np.arange(probabilities.shape[1]), dtype=np.float64)


def _sigmoid(value: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(value, -60, 60))))
