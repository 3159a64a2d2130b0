"""What a nominal is compared with: the population's medians and percentiles (explanation.md, "Factors").

Rows are labelled nominals outside the test set, weighted to the population mix. Never the balanced training sample:
its 90th percentile is the population's 96th.
"""

import numpy as np
from numpy.typing import NDArray

from app.harm.features import DAYS_A_YEAR, FEATURES, ROWS, Features, Histories, Nominals

Floats = NDArray[np.float64]
_PERCENTS = np.linspace(0, 1, 101)


def index_ages(histories: Histories, nominals: Nominals) -> Floats:
    """Age at the index incident, years, NaN where the birth date is unknown, (N,)."""
    return np.asarray((histories.day_zero - nominals.birth_day) / DAYS_A_YEAR, dtype=np.float64)


def weighted_median(values: Floats, weights: Floats) -> float:
    """Median of the known values; an actual value, so that a count stays a count."""
    known = ~np.isnan(values)
    return float(np.quantile(values[known], 0.5, weights=weights[known], method="inverted_cdf"))


def reference_medians(x: Features, weights: Floats) -> Floats:
    """Median of each feature at each position (20, 19), over the nominals who have a row there; zero where nobody."""
    real = (x != 0).any(axis=2)
    out = np.zeros((ROWS, len(FEATURES)))
    for row in range(ROWS):
        theirs = real[:, row] & (weights > 0)
        if theirs.any():
            out[row] = np.quantile(
                x[theirs, row].astype(np.float64), 0.5, axis=0, weights=weights[theirs], method="inverted_cdf"
            )
    return out


def population_percentiles(x: Features, weights: Floats) -> dict[str, list[float]]:
    """0th to 100th percentile of each feature in the index row."""
    index = x[:, -1].astype(np.float64)
    found = np.quantile(index, _PERCENTS, axis=0, weights=weights, method="inverted_cdf")
    return {name: found[:, column].tolist() for column, name in enumerate(FEATURES)}
