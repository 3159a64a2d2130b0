"""What the model has seen: mean and spread of a record's measures by band of length (app/harm/experience.py uses them).

From all labelled nominals outside the test set, weighted to the population; how many ordinary records are called odd is
measured on the test set.
"""

import numpy as np

from app.harm.experience import BANDS, MEASURES, Familiar, band_of, deviations, measures
from app.harm.features import Features, Floats
from app.harm.robustness import Band, Experience
from training.evaluation.calibration import mean

EXCEEDED = 0.005
"""Share of the population above each of the two thresholds of a band: at most one in a hundred above either."""
_SHRINKAGE = 0.02  # towards uncorrelated measures: some follow from others, and in a short record all do
_LEAST_SPREAD = 0.1  # of the spread over all bands, for measures that hardly vary within one
_LEAST_THRESHOLD = 1e-6
_DIGITS = 8


def fit_experience(x: Features, weights: Floats, test: Features, test_weights: Floats) -> Experience:
    """The manifest's block, from features (N, 20, 19) with weights (N,), and those of the test set."""
    values, rows = measures(x)
    bands = band_of(rows)
    spread = np.sqrt(np.cov(values.T, aweights=weights).diagonal())
    fitted = tuple(
        _fit_band(number, values[bands == number], weights[bands == number], spread) for number in range(len(BANDS))
    )
    found = Experience(
        measures=MEASURES,
        lowest=tuple(values.min(axis=0).tolist()),
        highest=tuple(values.max(axis=0).tolist()),
        bands=fitted,
        false_alarms=0,
    )
    odd = Familiar(found).odd(test)
    return found.model_copy(update={"false_alarms": round(float(mean(test_weights, odd)), 6)})


def _fit_band(number: int, values: Floats, weights: Floats, spread: Floats) -> Band:
    """One band, from the measures (M, 16) of its records."""
    if len(values) <= 1:  # nobody to speak of has so many incidents: whoever has is unlike those learnt from
        values, weights = np.zeros((2, len(MEASURES))), np.ones(2)
    centre = np.average(values, axis=0, weights=weights)
    precision = rounded(precision_matrix(np.cov(values.T, aweights=weights), spread))
    found = deviations(values, rounded(centre), precision)
    distance, deviation = (
        max(float(np.quantile(each, 1 - EXCEEDED, weights=weights, method="inverted_cdf")), _LEAST_THRESHOLD)
        for each in (found.distance, found.largest)
    )
    shortest, longest = BANDS[number]
    return Band(
        shortest=shortest,
        longest=longest,
        mean=tuple(rounded(centre).tolist()),
        precision=tuple(map(tuple, precision.tolist())),
        distance=distance,
        deviation=deviation,
    )


def precision_matrix(covariance: Floats, spread: Floats) -> Floats:
    """Inverse of a covariance (K, K), its correlations shrunk and no spread below a tenth of the overall one (K,)."""
    own = np.maximum(np.sqrt(np.maximum(covariance.diagonal(), 0)), _LEAST_SPREAD * np.maximum(spread, 1e-3))
    correlation = (1 - _SHRINKAGE) * covariance / np.outer(own, own)
    np.fill_diagonal(correlation, 1)
    inverse = np.linalg.inv(correlation) / np.outer(own, own)
    return np.asarray((inverse + inverse.T) / 2)


def rounded(values: Floats) -> Floats:
    """Eight significant digits: what goes into the manifest, and so what thresholds must be found with."""
    return np.array([float(f"{value:.{_DIGITS}g}") for value in values.ravel()]).reshape(values.shape)
