"""Invented nominals with a pattern to learn, for tests that need no extract: a propensity drives past and future."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.harm.features import Features, Histories, Incidents, Nominals, day_zero_histories, features
from training.harm.classifier import Sample

_HARMS = np.array([0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 182.0, 365.0, 1825.0, 2500.0])


class People(NamedTuple):
    """Features (N, 20, 19) of N nominals, their groups, components, days to a first further incident, histories."""

    x: Features
    groups: NDArray[np.int64]
    component: NDArray[np.int64]
    first_event_day: NDArray[np.float64]
    histories: Histories
    nominals: Nominals

    @property
    def sample(self) -> Sample:
        return Sample(self.x, self.groups, self.component)


def people(count: int, seed: int) -> People:
    """Draw `count` nominals; about one in five has nothing but the index incident."""
    rng = np.random.default_rng(seed)
    propensity = rng.normal(-0.8, 1.5, count)
    earlier = np.minimum(rng.poisson(np.exp(propensity) * 8), 60)
    nominal = np.concatenate([np.repeat(np.arange(count), earlier), np.arange(count)])
    size = len(nominal)
    is_index = np.arange(size) >= size - count
    day = np.where(is_index, 18_000 + rng.integers(0, 300, size), 18_000 - rng.integers(0, 3000, size))
    level = np.clip(((propensity[nominal] / 2 + rng.normal(size=size) + 2.5) * 2).astype(int), 0, 9)
    classes = rng.random((size, 5)) < 0.3
    classes[:, 3] = is_index
    incidents = Incidents(
        nominal, day, np.arange(size), _HARMS[level], classes, rng.integers(1, 3, size).astype(np.int8)
    )
    nominals = Nominals(
        birth_day=18_000 - 365.25 * rng.uniform(18, 60, count),
        gender=rng.integers(0, 3, count).astype(np.int8),
        victim_contacts=rng.poisson(2, count).astype(np.float64),
        custody_nominal=np.arange(count),
        custody_day=np.full(count, 17_000),
    )
    histories = day_zero_histories(incidents, count, 20_000)
    x = features(histories, nominals, unknown_age=33.0)
    future = propensity + rng.normal(size=count) * 0.5
    wait = np.ceil(365 * rng.exponential(np.exp(-propensity) / 2)) + 1
    return People(
        x=x,
        groups=np.digitize(future, np.quantile(future, [0.4, 0.7, 0.85])).astype(np.int64),
        component=rng.integers(0, count, count),
        first_event_day=np.where(wait <= 365, wait, np.nan),
        histories=histories,
        nominals=nominals,
    )
