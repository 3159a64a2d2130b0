"""The three blocks of manifest format 2 from what was fitted: conformal thresholds, experience, drift baselines."""

import numpy as np
from numpy.typing import NDArray

from app.harm.experience import Familiar, measures
from app.harm.features import Features, Floats
from app.harm.robustness import Robustness
from training.harm.baseline import fit_baseline
from training.harm.classifier import Stack
from training.harm.conformal import fit_conformal
from training.harm.experience import fit_experience
from training.harm.population import mix_weights
from training.metrics import TOP
from training.split import Split


def fit_robustness(
    stack: Stack, x: Features, split: Split, mix: Floats, unknown_birth: NDArray[np.bool_]
) -> Robustness:
    """Features (N, 20, 19) of everyone labelled, population shares (4,), whose birth date is unknown (N,).

    Inputs are those of everyone outside the test set; outputs those of calibration part and rest, since a model is too
    sure of people it has learnt from.
    """
    groups, outside = split.groups, split.outside
    weights, test_weights = (mix_weights(groups[rows], mix) for rows in (outside, split.test))
    calibration, test = (stack.probabilities(x[rows]) for rows in (split.calibration, split.test))
    conformal = fit_conformal(
        stack,
        (calibration, groups[split.calibration]),
        (test, groups[split.test], test_weights),
        groups[split.train],
        mix,
    )
    experience = fit_experience(x[outside], weights, x[split.test], test_weights)
    unseen = np.sort(np.concatenate([split.calibration, split.rest]))
    warned = {
        "short-history": measures(x[outside]).rows == 1,
        "birth-date-unknown": unknown_birth[outside],
        "out-of-distribution": Familiar(experience).odd(x[outside]),
    }
    drift = fit_baseline(
        x[outside, -1],
        weights,
        stack.population_probabilities(x[unseen])[:, TOP],
        stack.predict(x[unseen]),
        mix_weights(groups[unseen], mix),
        warned,
        mix,
    )
    return Robustness(conformal=conformal, experience=experience, drift=drift)
