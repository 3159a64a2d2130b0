"""The conduct people come to notice for: what kind each incident of it is, and whether it is against a partner."""

import numpy as np
from numpy.typing import NDArray

from app.harm.features import Ints
from training.synthetic.offences import (
    COERCIVE_CONTROL,
    MALICIOUS_COMMUNICATIONS,
    RECLASSIFIED,
    STALKING,
)
from training.synthetic.people import People
from training.synthetic.world import World

Flags = NDArray[np.bool_]
GUIDANCE_OF_2020 = int(np.datetime64("2020-04-01").astype(np.int64))
STALKING_BECAME_AN_OFFENCE = int(np.datetime64("2012-11-25").astype(np.int64))
COERCIVE_CONTROL_BECAME_AN_OFFENCE = int(np.datetime64("2015-12-29").astype(np.int64))
_PARTNER_SHARES = {STALKING: (0.05, 0.55), MALICIOUS_COMMUNICATIONS: (0.03, 0.45), COERCIVE_CONTROL: (0.3, 0.95)}
"""Share against a partner, of people without and with one; harassment of a partner counts as stalking."""


def draw_conduct(rng: np.random.Generator, people: People, world: World, person: Ints, day: Ints) -> tuple[Ints, Flags]:
    """Kind and whether it is against a partner, for incidents of conduct of `person` on `day`, each (M,)."""
    if len(world.known_for.forms) == 1:
        return _stalking(rng, people, world, person, day)
    kind = _forms(rng, people, world, person)
    too_early = (kind == COERCIVE_CONTROL) & (day < COERCIVE_CONTROL_BECAME_AN_OFFENCE)
    partner = np.zeros(len(person), dtype=np.bool_)
    for form in (MALICIOUS_COMMUNICATIONS, COERCIVE_CONTROL):
        rows = np.flatnonzero(kind == form)
        partner[rows] = rng.random(len(rows)) < _partner_share(form, people, person[rows])
    rows = np.flatnonzero(kind == STALKING)
    kind[rows], partner[rows] = _stalking(rng, people, world, person[rows], day[rows])
    kind[too_early], partner[too_early] = RECLASSIFIED, True
    return kind, partner


def _stalking(rng: np.random.Generator, people: People, world: World, person: Ints, day: Ints) -> tuple[Ints, Flags]:
    """Stalking by its own name, or recorded as harassment of a partner (report, section 2.1)."""
    share = np.where(day >= GUIDANCE_OF_2020, world.reclassified_after_2020, world.reclassified_before_2020)
    share = np.where(day < STALKING_BECAME_AN_OFFENCE, 1.0, share)
    reclassified = rng.random(len(day)) < share
    partner = reclassified | (rng.random(len(day)) < _partner_share(STALKING, people, person))
    return np.where(reclassified, RECLASSIFIED, STALKING), partner


def _forms(rng: np.random.Generator, people: People, world: World, person: Ints) -> Ints:
    """Mostly everybody's own form of conduct, now and then any."""
    kinds, weights = (np.array(column) for column in zip(*world.known_for.forms, strict=True))
    share = weights / weights.sum()
    own = rng.choice(kinds, len(people), p=share)[person]
    anything = rng.choice(kinds, len(person), p=share)
    return np.where(rng.random(len(person)) < world.known_for.keeps_form, own, anything)


def _partner_share(form: int, people: People, person: Ints) -> NDArray[np.float64]:
    without, with_partner = _PARTNER_SHARES[form]
    return np.where(people.has_partner[person], with_partner, without)
