"""How well scores are told from texts: everything that is measured follows from the confusion matrix."""

from typing import Any

import numpy as np

from app.harm.features import Floats, Ints
from app.text.manifest import SCORES

PUBLISHED_ACCURACY = 0.726
_RESAMPLES = 2_000


def confusion(true: Ints, named: Ints) -> Ints:
    """Counts (5, 5), true scores down, named scores across."""
    size = len(SCORES)
    return np.bincount(true * size + named, minlength=size * size).reshape(size, size)


def accuracy(matrix: Floats | Ints) -> float:
    """Share named rightly."""
    return float(np.trace(matrix) / matrix.sum())


def absolute_error(matrix: Floats | Ints) -> float:
    """Mean distance between the named and the true score, days on the harm index."""
    apart = np.abs(np.subtract.outer(SCORES, SCORES))
    return float((matrix * apart).sum() / matrix.sum())


def quadratic_kappa(matrix: Floats | Ints) -> float:
    """Cohen's kappa with squared distances between places on the scale: 1 perfect, 0 chance."""
    places = np.arange(len(SCORES))
    apart = np.square(np.subtract.outer(places, places))
    expected = np.outer(matrix.sum(axis=1), matrix.sum(axis=0)) / matrix.sum()
    return float(1 - (matrix * apart).sum() / (expected * apart).sum())


MEASURES = {"accuracy": accuracy, "mean_absolute_error": absolute_error, "quadratic_kappa": quadratic_kappa}


def measure(true: Ints, probabilities: Floats, seed: int) -> dict[str, Any]:
    """Every measure with its bootstrap 95 % interval (texts resampled), and the confusion matrix."""
    matrix = confusion(true, probabilities.argmax(axis=1))
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(matrix.sum(), (matrix / matrix.sum()).ravel(), size=_RESAMPLES).reshape(-1, *matrix.shape)
    told: dict[str, Any] = {"confusion": matrix.tolist()}
    for name, value in MEASURES.items():
        low, high = np.quantile([value(one) for one in drawn], [0.025, 0.975])
        told[name] = {"value": round(value(matrix), 6), "low": round(float(low), 6), "high": round(float(high), 6)}
    return told
