"""The forest behind the survival curve (report, section 5), over everyone rather than over the extremes.

The report keeps nominals with no further incident and the top group; four people in ten then have no curve. Here the
event is the first further incident of *any* labelled nominal outside the test set, censored at 365 days (design's
reading, ours), so the curve answers "how likely is it that nothing further has been recorded by day d".
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from sksurv.ensemble import RandomSurvivalForest
from sksurv.util import Surv

from app.harm.features import COLUMN, SURVIVAL_FEATURES, Features

HORIZON = 365
SURVIVAL_COLUMNS = [COLUMN[name] for name in SURVIVAL_FEATURES]
Floats = NDArray[np.float64]

# Concordance per megabyte: the table in an artefact is leaves x 366 x 4 bytes.
TREES = 64
MIN_LEAF = 60
MAX_ROWS_A_TREE = 6_000
_TREES_A_STEP = 8
STEPS = TREES // _TREES_A_STEP


def outcomes(event_day: Floats) -> tuple[NDArray[np.bool_], Floats]:
    """(whether the event came, day it came or 365), each (N,), from days with NaN for none within 365."""
    happened = ~np.isnan(event_day)
    return happened, np.where(happened, event_day, float(HORIZON))


def survival_inputs(x: Features) -> Features:
    """(N, 20, 19) -> (N, 220): the 11 features of table 3, incident by incident."""
    return np.ascontiguousarray(x[:, :, SURVIVAL_COLUMNS]).reshape(len(x), -1)


def fit_forest(
    x: Features, event_day: Floats, *, seed: int, jobs: int = 1, done: Callable[[], None] = lambda: None
) -> RandomSurvivalForest:
    """Grow the forest; each tree sees at most 6,000 rows drawn with replacement, which bounds time and size.

    `x` (N, 20, 19), `event_day` (N,) days to the first further incident, NaN for none. `done` is called after each
    eight trees, `STEPS` times.
    """
    return grow_forest(survival_inputs(x), *outcomes(event_day), seed=seed, jobs=jobs, done=done)


def grow_forest(
    inputs: Features | Floats,
    happened: NDArray[np.bool_],
    times: Floats,
    *,
    seed: int,
    jobs: int = 1,
    done: Callable[[], None] = lambda: None,
) -> RandomSurvivalForest:
    """The same forest on any flat inputs (N, F): whether the event `happened` (N,), and when, or when watching ended."""
    forest = RandomSurvivalForest(
        n_estimators=0,
        min_samples_leaf=min(MIN_LEAF, max(3, len(inputs) // 20)),
        max_features="sqrt",
        max_samples=min(MAX_ROWS_A_TREE, len(inputs)),
        n_jobs=jobs,
        random_state=seed,
        warm_start=True,
    )
    target = Surv.from_arrays(happened, times)
    for trees in range(_TREES_A_STEP, TREES + 1, _TREES_A_STEP):
        forest.set_params(n_estimators=trees).fit(inputs, target)
        done()
    return forest


def risk(curves: NDArray[np.floating]) -> Floats:
    """The forest's order of risk, (N,): minus the mean of S(1..365) of curves (N, 366) (section 5)."""
    return np.asarray(-np.asarray(curves, dtype=np.float64)[:, 1 : HORIZON + 1].mean(axis=1))


def population_rows(weights: Floats, seed: int) -> NDArray[np.int64]:
    """Rows thinned to the population mix: each kept with a chance in proportion to its weight, the heaviest always."""
    chance = weights / weights.max()
    return np.flatnonzero(np.random.default_rng(seed).random(len(weights)) < chance)


def curves(forest: RandomSurvivalForest, x: Features) -> Floats:
    """Probability that no further incident has happened by each day 0..365, (N, 366), through scikit-survival."""
    steps = forest.predict_survival_function(survival_inputs(x), return_array=True)
    return on_days(steps, forest.unique_times_)


def on_days(steps: Floats, times: Floats, horizon: int = HORIZON) -> Floats:
    """Values (..., T) at the event times, ascending, -> values on days 0..`horizon`; 1 before the first event."""
    place = np.searchsorted(times, np.arange(horizon + 1), side="right")
    return np.concatenate([np.ones((*steps.shape[:-1], 1)), steps], axis=-1)[..., place]
