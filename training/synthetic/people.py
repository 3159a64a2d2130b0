"""Who the nominals are: birth, gender, ethnicity, company kept, and the latent propensity and escalation behind acts."""

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from app.harm.features import DAYS_A_YEAR, Floats, Ints
from training.synthetic.world import World

ETHNICITIES = {
    "English/Welsh/Scottish/Northern Irish/British": 37365,
    "Pakistani": 5258,
    "Caribbean": 4014,
    "Indian": 3293,
    "Any Other White Background": 1502,
    "Any Other Asian Background": 1467,
    "African": 1036,
    "Any Other Black/African/Caribbean background": 916,
    "Bangladeshi": 753,
    "Any Other Ethnic Group": 661,
    "Irish": 517,
    "Any Other Mixed/Multiple ethnic background": 501,
}
"""Stalking nominals by recorded ethnicity (report, table 5)."""
YOUNGEST = 10.0
MALE, FEMALE = 1, 2


@dataclass(frozen=True)
class People:
    """Columns over C nominals; days since 1970-01-01.

    `log_rate` is the log of own-accord incidents a year, `escalation` the personal level of severity, the two
    `later_` columns the same from the first stalking incident on (apart from these by the world's noise), `onset` the
    first stalking incident, `career_start` the first day incidents are possible, `company` the number of the small
    set of people who sometimes act together.
    """

    birth: Ints
    gender: NDArray[np.int8]
    ethnicity: Ints
    log_rate: Floats
    later_log_rate: Floats
    escalation: Floats
    later_escalation: Floats
    onset: Ints
    career_start: Ints
    has_partner: NDArray[np.bool_]
    company: Ints

    def __len__(self) -> int:
        return len(self.birth)

    def take(self, rows: Ints) -> "People":
        """The given people."""
        return People(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


def draw_people(rng: np.random.Generator, count: int, world: World, end: int) -> People:
    """Draw `count` nominals, everyone with a first stalking incident before `end` (days since 1970-01-01)."""
    onset = _onsets(rng, count, world, end)
    age = world.ages_from + rng.gamma(world.age_shape, world.age_scale, count)
    age = np.clip(age, YOUNGEST + 2, 85.0)
    career = np.minimum(rng.gamma(world.career_shape, world.career_years / world.career_shape, count), age - YOUNGEST)
    career[rng.random(count) < world.newcomer_share] = 0.0
    records_begin = (world.records_begin - date(1970, 1, 1)).days

    propensity = _truncated_normal(rng, count, world.log_rate_limit)
    own = _truncated_normal(rng, count, 3.0)
    change = world.onset_change * rng.standard_normal(count) - world.onset_change**2 / 2
    anew = rng.random(count) < world.noise
    later = np.where(anew, _truncated_normal(rng, count, world.log_rate_limit), propensity)
    later_own = np.where(anew, _truncated_normal(rng, count, 3.0), own)
    return People(
        birth=onset - np.rint(age * DAYS_A_YEAR).astype(np.int64),
        gender=np.where(rng.random(count) < world.male_share, MALE, FEMALE).astype(np.int8),
        ethnicity=draw_ethnicity(rng, count),
        log_rate=world.log_rate_mean + world.log_rate_sd * propensity,
        later_log_rate=world.log_rate_mean + world.log_rate_sd * later + change,
        escalation=_escalation(propensity, own, world),
        later_escalation=_escalation(later, later_own, world),
        onset=onset,
        career_start=np.maximum(onset - np.rint(career * DAYS_A_YEAR).astype(np.int64), records_begin),
        has_partner=rng.random(count) < world.partner_share,
        company=_companies(rng, count, world),
    )


def draw_ethnicity(rng: np.random.Generator, count: int) -> Ints:
    """Places in `ETHNICITIES`, by the published shares."""
    return _pick(rng, count, np.array(list(ETHNICITIES.values()), dtype=np.float64))


def _onsets(rng: np.random.Generator, count: int, world: World, end: int) -> Ints:
    """First stalking incidents, spread over the years as recording grew."""
    years = _pick(rng, count, np.array(world.onsets_by_year_before_end, dtype=np.float64))
    return end - np.floor((years + rng.random(count)) * DAYS_A_YEAR).astype(np.int64)


def _companies(rng: np.random.Generator, count: int, world: World) -> Ints:
    """Number of the company each nominal keeps; most keep their own."""
    sizes = 1 + _pick(rng, count, np.array(world.group_shares) / np.arange(1, len(world.group_shares) + 1))
    return np.repeat(np.arange(count), sizes)[:count]


def _pick(rng: np.random.Generator, count: int, weights: Floats) -> Ints:
    """Draw `count` places by weight."""
    reached = np.cumsum(weights / weights.sum())
    return np.minimum(np.searchsorted(reached, rng.random(count), side="right"), len(weights) - 1)


def _escalation(propensity: Floats, own: Floats, world: World) -> Floats:
    """Personal level of severity from two standard normal values: it goes with propensity, and has a part of its own."""
    shared = world.escalation_propensity_correlation
    level = shared * propensity + np.sqrt(1 - shared**2) * own
    return np.asarray(world.escalation_sd * _skewed(level, world.escalation_skew), dtype=np.float64)


def _skewed(values: Floats, skew: float) -> Floats:
    """Standard normal values -> mean 0, standard deviation 1 and the shape of a log-normal of log-scale `skew`."""
    if skew == 0.0:
        return values
    above = np.exp(skew * values - skew**2 / 2) - 1.0
    return np.asarray(above / np.sqrt(np.expm1(skew**2)), dtype=np.float64)


def _truncated_normal(rng: np.random.Generator, count: int, limit: float) -> Floats:
    """Standard normal values within +-`limit`."""
    values = rng.standard_normal(count)
    while (outside := np.abs(values) > limit).any():
        values[outside] = rng.standard_normal(int(outside.sum()))
    return values
