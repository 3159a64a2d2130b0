"""How the fitted models do on the test set, for the manifest: a few values of what `dayzero-train evaluate` measures, by
the same functions, without intervals."""

from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sksurv.ensemble import RandomSurvivalForest

from app.harm.features import Features
from training.evaluation.calibration import mean
from training.evaluation.survival_scores import free_on
from training.harm.classifier import Stack
from training.harm.population import mix_weights
from training.harm.survival import curves
from training.metrics import TOP, concordance, confusion, report_metrics, top_against_lowest_auc

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
CHECKED_DAYS = (30, 90, 180, 365)
_DIGITS = 6


def measure(
    stack: Stack,
    forest: RandomSurvivalForest,
    x: Features,
    groups: Ints,
    future_harm: Floats,
    first_event_day: Floats,
    population_mix: Floats,
) -> dict[str, Any]:
    """Section 4 and 5 on the test set, at its own mix and weighted to the population's; plain numbers, for JSON.

    `x` (N, 20, 19), `groups` (N,), `future_harm` days (N,), `first_event_day` (N,) NaN for none within 365 days.
    """
    probabilities, predicted = stack.probabilities(x), stack.predict(x)
    weights = mix_weights(groups, population_mix)
    curve = curves(forest, x)
    mixes = {"test_mix": np.ones(len(groups)), "population_mix": weights}
    found: dict[str, Any] = {
        name: {
            "confusion": confusion(groups, predicted, mix).tolist(),
            **asdict(
                report_metrics(confusion(groups, predicted, mix), confusion(groups, predicted, mix * future_harm))
            ),
        }
        for name, mix in mixes.items()
    }
    found["auc_top_against_lowest"] = top_against_lowest_auc(groups, probabilities)
    found["survival"] = {
        "concordance": concordance(curve, first_event_day),
        "calibration_at_population_mix": _calibration(curve, first_event_day, weights),
    }
    top = stack.population_probabilities(x)[:, TOP]
    found["population_probability_top"] = {
        "mean_predicted": float(mean(weights, top)),
        "observed": float(mean(weights, groups == TOP)),
    }
    rounded: dict[str, Any] = round_floats(found)
    return rounded


def round_floats(value: Any) -> Any:
    """The same structure with floats at six decimals."""
    if isinstance(value, dict):
        return {name: round_floats(part) for name, part in value.items()}
    if isinstance(value, list):
        return [round_floats(part) for part in value]
    return round(float(value), _DIGITS) if isinstance(value, float) else value


def _calibration(curve: Floats, first_event_day: Floats, weights: Floats) -> dict[str, dict[str, float]]:
    """Mean predicted and observed share without a further incident at 30, 90, 180 and 365 days."""
    return {
        str(day): {
            "predicted": float(mean(weights, curve[:, day])),
            "observed": float(mean(weights, free)),
        }
        for day, free in zip(CHECKED_DAYS, free_on(first_event_day, np.array(CHECKED_DAYS)).T, strict=True)
    }
