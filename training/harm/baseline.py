"""Drift baselines: what inputs and outputs look like at the population mix (app/harm/drift.py compares with them)."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from app.harm.drift import DRIFT_WARNINGS, bin_shares
from app.harm.features import FEATURES, Features, Floats, Ints
from app.harm.robustness import Bins, DriftBaseline
from training.evaluation.calibration import mean
from training.harm.population import GROUP_COUNT

WATCH, ALARM = 0.1, 0.25
"""The usual reading of the index: below the first stable, above the second another population."""
FEWEST = 300
"""With ten bins and nothing changed, PSI passes .1 by chance in 1 of 2,000 windows of 300 (chi-square, nine degrees)."""
_DECILES = np.linspace(0.1, 0.9, 9)


def fit_baseline(
    index: Features,
    weights: Floats,
    top: Floats,
    predicted: Ints,
    unseen_weights: Floats,
    warned: Mapping[str, NDArray[np.bool_]],
    mix: Floats,
) -> DriftBaseline:
    """The manifest's block. `index` (N, 19) features of index rows with weights (N,); `top` (M,) and `predicted` (M,) of
    people the stack has not learnt from, with theirs; `warned` (N,) who would be warned of what; `mix` (4,) true shares
    of the groups."""
    groups = np.bincount(predicted, weights=unseen_weights, minlength=GROUP_COUNT) / unseen_weights.sum()
    return DriftBaseline(
        features={
            name: fit_bins(values, weights) for name, values in zip(FEATURES, index.T.astype(np.float64), strict=True)
        },
        top_probability=fit_bins(top, unseen_weights),
        predicted_groups=tuple(groups.tolist()),
        group_shares=tuple(mix.tolist()),
        warnings={code: float(mean(weights, warned[code])) for code in DRIFT_WARNINGS},
        watch=WATCH,
        alarm=ALARM,
        fewest=FEWEST,
    )


def fit_bins(values: Floats, weights: Floats) -> Bins:
    """Bins at the deciles; values that many share are one edge, and the highest is none. What nobody differs in has a bin
    of its own with empty ones on both sides: the first who do differ must show."""
    deciles = np.unique(np.quantile(values, _DECILES, weights=weights, method="inverted_cdf"))
    edges = deciles[deciles < values.max()].tolist()
    if values.min() == values.max():
        edges = [float(np.nextafter(values[0], -np.inf)), float(values[0])]
    return Bins(edges=tuple(edges), shares=tuple(bin_shares(values, edges, weights).tolist()))
