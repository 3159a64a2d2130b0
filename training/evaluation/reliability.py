"""The reliability curve: what was said against what happened, in ten bins of equal weight."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from app.harm.features import Floats, Ints
from training.evaluation.calibration import bins_by_weight
from training.evaluation.intervals import bootstrap, to_mix
from training.evaluation.ranking import Flags


def reliability(
    probability: Floats, happened: Flags, kind: Ints, mix: Floats, component: Ints, seed: int
) -> list[dict[str, Any]]:
    """Ten bins, lowest first: mean probability, share of nominals, observed share with its interval.

    `kind` (N,) what the rows are weighted by to the shares `mix`. Fewer bins where equal probabilities fill several.
    """
    weights = to_mix(np.ones(len(kind)), kind, mix)
    bins = bins_by_weight(probability, weights)
    present = np.unique(bins)
    members = (bins[:, None] == present).astype(np.float64)
    who = members * happened[:, None]

    def statistic(drawn: Floats) -> Mapping[str, Floats]:
        at_mix = to_mix(drawn, kind, mix)
        inside = at_mix @ members
        observed = np.divide(at_mix @ who, inside, out=np.full_like(inside, np.nan), where=inside > 0)
        return {str(number): observed[..., number] for number in range(len(present))}

    observed = bootstrap(statistic, component, seed=seed)
    mass = weights @ members
    predicted = (weights * probability) @ members / mass
    return [
        {
            "predicted": float(predicted[number]),
            "share": float(mass[number] / mass.sum()),
            "observed": observed[str(number)],
        }
        for number in range(len(present))
    ]
