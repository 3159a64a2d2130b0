"""From the balanced sample a model learns on to the mix it will meet: weights and calibrated probabilities."""

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from training.harm.folds import Ints

Floats = NDArray[np.float64]
GROUP_COUNT = 4
# Below this a probability says no more than "hardly"; its logarithm would only magnify rounding.
FLOOR = 1e-4


def shares(groups: Ints) -> Floats:
    """Share of nominals in each of the four groups, (4,)."""
    return np.bincount(groups, minlength=GROUP_COUNT) / len(groups)


def mix_weights(groups: Ints, mix: Floats) -> Floats:
    """Weight of each row that gives these rows the group shares `mix`; mean 1, (N,)."""
    found = shares(groups)
    each = np.divide(mix, found, out=np.zeros(GROUP_COUNT), where=found > 0)
    weights = each[groups]
    return np.asarray(weights / weights.mean(), dtype=np.float64)


def log_probabilities(probabilities: Floats) -> Floats:
    """Natural logarithms, floored at `FLOOR`."""
    return np.log(np.maximum(probabilities, FLOOR))


def fit_population(probabilities: Floats, groups: Ints, mix: Floats) -> LogisticRegression:
    """Multinomial regression on log-probabilities, the rows weighted to the population mix (ours).

    `probabilities` (N, 4) of the calibration part, which neither stage of the stack has seen; `mix` (4,) group shares
    of the population. Moving the prior alone would under-predict the top group.
    """
    model = LogisticRegression(max_iter=1000)
    return model.fit(log_probabilities(probabilities), groups, sample_weight=mix_weights(groups, mix))


def population_probabilities(model: LogisticRegression, probabilities: Floats) -> Floats:
    """(N, 4) probabilities of the stack -> (N, 4) at the population mix."""
    return np.asarray(model.predict_proba(log_probabilities(probabilities)), dtype=np.float64)
