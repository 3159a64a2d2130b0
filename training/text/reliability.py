"""Do the chances read out of a log mean what they say: of the score named, and of each score."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from app.harm.features import Floats, Ints
from app.text.manifest import SCORES
from training.evaluation import calibration
from training.evaluation.intervals import bootstrap
from training.evaluation.ranking import Flags, ranked
from training.evaluation.reliability import reliability


def measure_reliability(probabilities: Floats, places: Ints, seed: int) -> dict[str, Any]:
    """Of N logs with probabilities (N, 5) and true places (N,): calibration error of the chance of the score named and of
    each score, with their bins; Brier score (0..2), ranked probability score and log loss."""
    each = {f"{score:g}": (probabilities[:, place], places == place) for place, score in enumerate(SCORES)}
    highest, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == places
    rows = {
        "brier": calibration.brier_rows(probabilities, places),
        "ranked_probability": calibration.ranked_probability_rows(probabilities, places),
        "log_loss": calibration.log_loss_rows(probabilities, places),
    }
    apart = np.arange(len(places))  # a log is nobody else's

    def statistic(weights: Floats) -> Mapping[str, Floats]:
        return {name: calibration.mean(weights, values) for name, values in rows.items()}

    return {
        **bootstrap(statistic, apart, seed=seed),
        "named": _calibrated(highest, right, seed),
        "scores": {name: _calibrated(chance, happened, seed) for name, (chance, happened) in each.items()},
    }


def _calibrated(chance: Floats, happened: Flags, seed: int) -> dict[str, Any]:
    """Ten bins of equal weight, and the error over them; logs are drawn one by one."""
    order, apart = ranked(-chance), np.arange(len(chance))

    def statistic(weights: Floats) -> Mapping[str, Floats]:
        return {"expected_calibration_error": calibration.calibration_error(order, chance, happened, weights)}

    found = bootstrap(statistic, apart, seed=seed, replicates=200)
    bins = reliability(chance, happened, np.zeros(len(chance), dtype=np.int64), np.ones(1), apart, seed)
    return {"predicted": float(chance.mean()), "observed": float(happened.mean()), **found, "reliability": bins}
