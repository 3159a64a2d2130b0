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
Past = tuple[Ints, Ints]
"""Person and kind of conduct that is already known, (M,) each."""
_NOTHING: Past = (np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))
GUIDANCE_OF_2020 = int(np.datetime64("2020-04-01").astype(np.int64))
STALKING_BECAME_AN_OFFENCE = int(np.datetime64("2012-11-25").astype(np.int64))
COERCIVE_CONTROL_BECAME_AN_OFFENCE = int(np.datetime64("2015-12-29").astype(np.int64))
_PARTNER_SHARES = {STALKING: (0.05, 0.55), MALICIOUS_COMMUNICATIONS: (0.03, 0.45), COERCIVE_CONTROL: (0.3, 0.95)}
"""Share against a partner, of people without and with one; harassment of a partner counts as stalking."""


def draw_conduct(
    rng: np.random.Generator, people: People, world: World, person: Ints, day: Ints, past: Past = _NOTHING
) -> tuple[Ints, Flags]:
    """Kind and whether it is against a partner, for incidents of conduct of `person` on `day`, each (M,); `past` person and
    kind of conduct that is already known, which tells of a person's own form."""
    if len(world.known_for.forms) == 1:
        return _stalking(rng, people, world, person, day)
    kind = _forms(rng, people, world, person, past)
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


def _forms(rng: np.random.Generator, people: People, world: World, person: Ints, past: Past) -> Ints:
    """Mostly everybody's own form of conduct, now and then any."""
    kinds, weights = (np.array(column) for column in zip(*world.known_for.forms, strict=True))
    share = weights / weights.sum()
    keeps = world.known_for.keeps_form
    if len(past[0]):
        own = kinds[_own_form(rng, len(people), share, keeps, past[0], _form_of(kinds, past[1]))][person]
    else:
        own = rng.choice(kinds, len(people), p=share)[person]
    anything = rng.choice(kinds, len(person), p=share)
    return np.where(rng.random(len(person)) < keeps, own, anything)


def _form_of(kinds: Ints, kind: Ints) -> Ints:
    """Place of the form that past conduct (M,) is of; harassment of a partner is stalking by another name (ours: also the
    little of it that was coercive control before there was such an offence)."""
    form = np.where(kind == RECLASSIFIED, STALKING, kind)
    return np.asarray(np.argmax(form[:, None] == kinds, axis=1), dtype=np.int64)


def _own_form(
    rng: np.random.Generator, people: int, share: NDArray[np.float64], keeps: float, person: Ints, form: Ints
) -> Ints:
    """Place of everybody's own form, (people,), drawn as likely as their past conduct makes it (Bayes)."""
    odds = np.tile(np.log(share), (people, 1))
    told = keeps * (form[:, None] == np.arange(len(share))) + (1 - keeps) * share[form, None]
    np.add.at(odds, person, np.log(told))
    return np.asarray(np.argmax(odds + rng.gumbel(size=odds.shape), axis=1), dtype=np.int64)


def _partner_share(form: int, people: People, person: Ints) -> NDArray[np.float64]:
    without, with_partner = _PARTNER_SHARES[form]
    return np.where(people.has_partner[person], with_partner, without)
