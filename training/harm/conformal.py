"""Thresholds of the conformal sets, from the calibration part (app/harm/conformal.py says what they promise).

The calibration part has settled the regression behind the population probabilities, and nothing else: first and second
stage, their settings and the decision weights come from the training part. Nonconformity uses those alone, so the
calibration nominals and anybody new are exchangeable within a group.
"""

import math

import numpy as np

from app.harm.conformal import conformal_sets, nonconformity
from app.harm.features import Floats, Ints
from app.harm.robustness import Conformal
from training.evaluation.calibration import mean
from training.harm.classifier import Stack
from training.harm.population import GROUP_COUNT, shares

LEVEL = 0.9


def thresholds(scores: Floats, groups: Ints, level: float = LEVEL) -> Floats:
    """Threshold of each group (4,): the ceil(level * (n + 1))-th smallest nonconformity of its n calibration nominals.

    `scores` (N, 4), `groups` (N,). With fewer than level / (1 - level) nominals nothing short of 1 keeps the promise.
    """
    return np.array([_quantile(scores[groups == group, group], level) for group in range(GROUP_COUNT)])


def fit_conformal(
    stack: Stack, calibration: tuple[Floats, Ints], held_out: tuple[Floats, Ints, Floats], trained_on: Ints, mix: Floats
) -> Conformal:
    """The manifest's block. `calibration` probabilities (N, 4) of the stack and groups; `held_out` the same of the test
    set with weights to the population mix; `trained_on` groups of the training part; `mix` (4,) population shares."""
    odds = mix / shares(trained_on)
    probabilities, groups = calibration
    limits = thresholds(nonconformity(probabilities, stack.decide(probabilities), odds), groups)
    test, _, weights = held_out
    sizes = conformal_sets(nonconformity(test, stack.decide(test), odds), limits).sum(axis=1)
    return Conformal(
        level=LEVEL,
        odds=tuple(odds.tolist()),
        thresholds=tuple(limits.tolist()),
        people=tuple(np.bincount(groups, minlength=GROUP_COUNT).tolist()),
        mean_set_size=round(float(mean(weights, sizes)), 6),
    )


def _quantile(scores: Floats, level: float) -> float:
    # A hair less than the product, or .9 * 250 would count as a little above 225.
    rank = math.ceil(level * (len(scores) + 1) - 1e-9)
    return float(np.sort(scores)[rank - 1]) if rank <= len(scores) else 1.0
