"""The report's selection for its survival model (section 5): those with no further incident, and the top group."""

from typing import NamedTuple

import numpy as np

from app.harm.features import Floats, Ints
from training.families import PUBLISHED_NOMINALS
from training.harm.fit import Data
from training.metrics import TOP

TRAIN_CENSORED, TRAIN_EVENTS = 1_038, 563
TEST_CENSORED, TEST_EVENTS = 460, 227


class Selection(NamedTuple):
    """Rows of `Labelled`: `train` drawn in the report's numbers, `test` everyone selected of the test set; `event_day`
    (N,) days to the most harmful incident, NaN for none, for every labelled nominal; shares (2,) of censored and events
    in the report's test set and among everyone the selection keeps."""

    train: Ints
    test: Ints
    event_day: Floats
    test_mix: Floats
    population_mix: Floats


def published_selection(data: Data, seed: int) -> Selection:
    """Draw the selection; event = days to the highest-harm incident, of equals the earliest (ours).

    The report's test set is small; ours is everyone selected, weighted to its shares, which is the same with less noise.
    """
    groups, labelled = data.split.groups, data.labelled
    free = np.isnan(labelled.first_event_day)
    top = (groups == TOP) & ~free
    rng, scale = np.random.default_rng(seed), len(groups) / PUBLISHED_NOMINALS
    train = np.zeros(len(groups), dtype=np.bool_)
    for chosen, size in ((free, TRAIN_CENSORED), (top, TRAIN_EVENTS)):
        rows = data.split.train[chosen[data.split.train]]
        train[rng.permutation(rows)[: max(round(size * scale), 1)]] = True
    kept = np.array([free.sum(), top.sum()], dtype=np.float64)
    return Selection(
        train=np.flatnonzero(train),
        test=data.split.test[(free | top)[data.split.test]],
        event_day=np.where(top, labelled.worst_event_day, np.nan),
        test_mix=np.array([TEST_CENSORED, TEST_EVENTS]) / (TEST_CENSORED + TEST_EVENTS),
        population_mix=kept / kept.sum(),
    )
