"""Invented lives for trying an audit: a latent propensity, incidents before and after, and how they are recorded.

`base` shifts a group's true propensity, `recorded` is the share of its incidents that come to notice, `leaning` is added
to its score by nothing but belonging. The score is the best there is for everyone alike: it knows recorded history and
not the group.
"""

from typing import NamedTuple

import numpy as np

from app.harm.features import Floats, Ints
from training.fairness.attributes import Attribute
from training.fairness.audit import Divided
from training.fairness.crossfit import CrossFitted
from training.fairness.rates import Audited, audited


class Group(NamedTuple):
    share: float
    base: float = 0.0
    recorded: float = 0.8
    leaning: float = 0.0


class Lives(NamedTuple):
    """People by recorded and by true harm, and the attribute that divides them."""

    recorded: Audited
    true: Audited
    attribute: Attribute


def lives(count: int, seed: int, groups: dict[str, Group]) -> Lives:
    rng = np.random.default_rng(seed)
    known = list(groups.values())
    member = rng.choice(len(known), count, p=[one.share for one in known])
    base, seen, leaning = (np.array([one[place] for one in known])[member] for place in (1, 2, 3))
    rate = np.exp(base + rng.normal(0.5, 1.2, count))
    history = rng.binomial(rng.poisson(4 * rate), seen)
    happened = rng.poisson(rate)
    noticed = rng.binomial(happened, seen)
    cuts = np.quantile(noticed[noticed > 0], (0.5, 0.8, 0.9)) + 0.5
    score = np.log1p(history) + leaning
    answers = CrossFitted(_probabilities(score, np.searchsorted(cuts, noticed)), _by_rank(score, rng))
    recorded, true = (audited(np.searchsorted(cuts, harm).astype(np.int64), answers) for harm in (noticed, happened))
    return Lives(recorded, true, Attribute("kind", tuple(groups), member.astype(np.int64)))


def undivided(attribute: Attribute) -> dict[str, Divided]:
    """Every group shown alone."""
    return {attribute.name: Divided(attribute, attribute)}


def _probabilities(score: Floats, group: Ints) -> Floats:
    """Group shares among people of like scores, (N, 4)."""
    place = np.minimum((score * 6).astype(np.int64), 24)
    counts = np.zeros((25, 4))
    np.add.at(counts, (place, group), 1.0)
    blurred = counts + 0.5
    shares = blurred / blurred.sum(axis=1, keepdims=True)
    return np.asarray(shares[place] + 1e-6 * score[:, None] * np.array([-1.5, -0.5, 0.5, 1.5]))


def _by_rank(score: Floats, rng: np.random.Generator) -> Ints:
    """Thirteen in a hundred flagged, fifteen below them, as at the population mix."""
    rank = np.argsort(np.argsort(score + 1e-6 * rng.random(len(score)))) / len(score)
    return np.searchsorted([0.55, 0.72, 0.87], rank).astype(np.int64)
