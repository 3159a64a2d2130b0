"""The reliability curve: what was said against what happened, in ten bins of equal weight."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from app.harm.features import Floats, Ints
from training.evaluation.calibration import bins_by_weight, mean
from training.evaluation.intervals import bootstrap, to_mix
from training.evaluation.ranking import Flags


def reliability(
    probability: Floats, happened: Flags, groups: Ints, mix: Floats, component: Ints, seed: int
) -> list[dict[str, Any]]:
    """Ten bins of equal weight, lowest first: mean probability, share of nominals, observed share with interval."""
    weights = to_mix(np.ones(len(groups)), groups, mix)
    bins = bins_by_weight(probability, weights)
    present = np.unique(bins)

    def statistic(drawn: Floats) -> Mapping[str, Floats]:
        at_mix = to_mix(drawn, groups, mix)
        return {str(one): _mean_or_nan(at_mix * (bins == one), happened) for one in present}

    observed = bootstrap(statistic, component, seed=seed)
    return [
        {
            "predicted": float(np.average(probability[bins == one], weights=weights[bins == one])),
            "share": float(weights[bins == one].sum() / weights.sum()),
            "observed": observed[str(one)],
        }
        for one in present
    ]


def _mean_or_nan(weights: Floats, happened: Flags) -> Floats:
    return np.where(weights.sum(axis=-1) > 0, mean(weights, happened), np.nan)
