"""What the published network is held against: logistic regression on tf-idf, and a model that knows the scores' order.

The ordinal model is the proportional odds model (McCullagh 1980): one weight a term, four thresholds,
P(place <= k) = sigmoid(threshold_k - x . weights).
"""

from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize
from scipy.sparse import csr_array
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from app.harm.features import Floats, Ints
from training.text.matrix import TfIdf
from training.text.network import CLASSES

_COST = 3.0
_PENALTY = 1.0 / _COST


class Logistic(NamedTuple):
    """Multinomial logistic regression on tf-idf: `weight` (5, T), `bias` (5,)."""

    tf_idf: TfIdf
    weight: Floats
    bias: Floats

    def probabilities(self, x: csr_array) -> Floats:
        """Probabilities (N, 5) for counts (N, T)."""
        logits = self.tf_idf(x) @ self.weight.T + self.bias
        chances = np.exp(logits - logits.max(axis=1, keepdims=True))
        found: Floats = chances / chances.sum(axis=1, keepdims=True)
        return found


class Ordinal(NamedTuple):
    """Proportional odds on tf-idf: `weight` (T,), rising `thresholds` (4,)."""

    tf_idf: TfIdf
    weight: Floats
    thresholds: Floats

    def probabilities(self, x: csr_array) -> Floats:
        """Probabilities (N, 5) for counts (N, T)."""
        return _between(self.tf_idf(x) @ self.weight, self.thresholds)


def fit_logistic(tf_idf: TfIdf, x: csr_array, y: Ints) -> Logistic:
    """Fit on counts (N, T) and places (N,)."""
    found = LogisticRegression(C=_COST, max_iter=400).fit(tf_idf(x), y)
    return Logistic(tf_idf, found.coef_.astype(np.float64), found.intercept_.astype(np.float64))


def fit_ordinal(tf_idf: TfIdf, x: csr_array, y: Ints) -> Ordinal:
    """Fit on counts (N, T) and places (N,) by penalised maximum likelihood."""
    rows, terms = tf_idf(x), x.shape[1]
    start = np.concatenate([np.zeros(terms), [-1.5], np.zeros(CLASSES - 2)])  # gaps as logarithms, so they stay gaps
    found = minimize(_loss, start, args=(rows, y), jac=True, method="L-BFGS-B", options={"maxiter": 300})
    return Ordinal(tf_idf, found.x[:terms], _thresholds(found.x[terms:]))


def _thresholds(raw: Floats) -> Floats:
    return np.cumsum(np.concatenate([raw[:1], np.exp(raw[1:])]))


def _between(level: Floats, thresholds: Floats) -> Floats:
    below = expit(thresholds - level[:, None])
    ends = np.zeros((len(level), 1)), np.ones((len(level), 1))
    return np.diff(np.hstack([ends[0], below, ends[1]]), axis=1)


def _loss(parameters: Floats, rows: csr_array, y: Ints) -> tuple[float, Floats]:
    """Penalised negative log-likelihood and its gradient."""
    terms = rows.shape[1]
    weight, raw = parameters[:terms], parameters[terms:]
    thresholds = _thresholds(raw)
    below = expit(thresholds - (rows @ weight)[:, None])
    padded = np.hstack([np.zeros((len(y), 1)), below, np.ones((len(y), 1))])
    each = np.arange(len(y))
    upper, lower = padded[each, y + 1], padded[each, y]
    chance = (upper - lower).clip(1e-12)
    steep_upper, steep_lower = upper * (1 - upper) / chance, lower * (1 - lower) / chance
    to_thresholds = np.zeros((len(y), len(thresholds) + 2))
    to_thresholds[each, y + 1] -= steep_upper
    to_thresholds[each, y] += steep_lower
    by_threshold = to_thresholds[:, 1:-1].sum(axis=0)
    tails = np.cumsum(by_threshold[::-1])[::-1]  # a gap moves every threshold above it
    by_raw = np.concatenate([tails[:1], tails[1:] * np.exp(raw[1:])])
    by_weight = rows.T @ (steep_upper - steep_lower) + _PENALTY * weight
    loss = -np.log(chance).sum() + 0.5 * _PENALTY * weight @ weight
    return float(loss), np.concatenate([by_weight, by_raw])
