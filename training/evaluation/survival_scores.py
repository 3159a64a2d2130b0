"""How good survival curves are, for one set of weights or for thousands of replicates.

Everyone is followed for exactly 365 days (or had the event before), so nobody is censored before the horizon: inverse
censoring weights are 1 and scikit-survival's definitions become plain weighted ones. That makes the population mix exact
where scikit-survival, which takes no weights, would need a resample; the tests hold these functions to it.
"""

import numpy as np

from app.harm.features import Floats
from training.evaluation.ranking import Flags, auc, ranked
from training.harm.survival import HORIZON, outcomes

_BLOCK = 1_000
INTEGRATED_DAYS = np.arange(1, HORIZON)
"""Days over which the Brier score is integrated: 1 to 364, the last on which someone can still be seen to have none."""


def concordance_of(risk: Floats, event_day: Floats, weights: Floats) -> Floats:
    """Concordance index for weights (..., N), each pair counting by the product of its weights, (...,).

    A pair counts where the earlier time is an event; equal risks count half, equal event days not at all; NaN where no
    pair counts.
    """
    happened, days = outcomes(event_day)
    flat = weights.reshape(-1, weights.shape[-1])
    right, counted = np.zeros(len(flat)), np.zeros(len(flat))
    for start in range(0, len(risk), _BLOCK):
        part = slice(start, start + _BLOCK)
        later = (days > days[part, None]) | ((days == days[part, None]) & ~happened)
        pairs = (later & happened[part, None]).astype(np.float64)
        won = (risk[part, None] > risk) + 0.5 * (risk[part, None] == risk)
        right += ((flat[:, part] @ (pairs * won)) * flat).sum(axis=1)
        counted += ((flat[:, part] @ pairs) * flat).sum(axis=1)
    found = np.divide(right, counted, out=np.full(len(flat), np.nan), where=counted > 0)
    return np.asarray(found.reshape(weights.shape[:-1]))


def auc_by(curves: Floats, event_day: Floats, day: int, weights: Floats) -> Floats:
    """Cumulative/dynamic AUC on a day: event by then against none by then, ranked by 1 - S(day), (...,)."""
    return auc(ranked(-curves[:, day]), event_day <= day, weights)


def integrated_brier_rows(curves: Floats, event_day: Floats) -> Floats:
    """Squared error of each curve (N, 366) against what happened, averaged over `INTEGRATED_DAYS`, (N,)."""
    error = (curves[:, INTEGRATED_DAYS] - free_on(event_day, INTEGRATED_DAYS)) ** 2
    return np.asarray(np.trapezoid(error, INTEGRATED_DAYS, axis=1) / (INTEGRATED_DAYS[-1] - INTEGRATED_DAYS[0]))


def free_on(event_day: Floats, days: Floats | np.ndarray | int) -> Flags:
    """Whether no event had come by each day, (N,) or (N, D)."""
    return np.asarray(~(event_day[:, None] <= np.atleast_1d(days)))
