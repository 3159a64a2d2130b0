"""What others than the nominals do to victims: people harmed by one are oftener than most harmed by several.

How exposed a victim is lasts, and is told from nobody's record but their own; those most exposed suffer most of what is
done (repeat victimisation). What befalls them is the same process as what nominals do, turned round: a rate of their own
accord, excitement, severity with a personal level. Those who do it never did what the population is known for, so that
nobody new is labelled; each harms one victim only, so that nobody is chained to anyone through them (ours).
"""

from dataclasses import dataclass, replace

import numpy as np

from app.harm.features import Ints
from training.synthetic.casefile import NOMINAL_ROW, VICTIM_ROW, Incidents, Involvements, record
from training.synthetic.offences import HAS_VICTIM
from training.synthetic.people import People, draw_people
from training.synthetic.police import NEVER, Casework, drop_acts_in_prison, work
from training.synthetic.process import Acts, joined, live_without_conduct
from training.synthetic.world import World

_PARTNER = 0
_ACQUAINTANCES = 4
"""A victim's others: a partner who does what partners do, and so many who share the rest."""
_AGAIN = 0.6
"""Incidents each incident is followed by: who was harmed is harmed again, and soon (set with the worlds' rates)."""


@dataclass(frozen=True)
class Books:
    """Recorded incidents with their casework, row by row, and who was involved in them."""

    incidents: Incidents
    casework: Casework
    involvements: Involvements


def harm_by_others(
    rng: np.random.Generator, books: Books, nominals: int, persons: int, world: World, end: int
) -> tuple[Books, People]:
    """What comes on record of what others do to the victims in `books` of the population's conduct.

    Returns the books with it, and the others: persons from number `persons` on. Who is a nominal and a victim is spared.
    """
    victims, onset = _victims(books, nominals)
    if world.others_rate == 0.0 or not len(victims):
        return books, draw_people(rng, 0, world, end)
    against = _process(world)
    acts = live_without_conduct(rng, _exposed(rng, onset, against, end), against, end)
    victim = victims[acts.person]
    slot = np.where(acts.partner, _PARTNER, 1 + rng.integers(_ACQUAINTANCES, size=len(acts)))
    pairs, who = np.unique(acts.person * (1 + _ACQUAINTANCES) + slot, return_inverse=True)
    acts = replace(acts, person=who)
    others = _others(rng, acts, len(pairs), world, end)
    casework = work(rng, others, acts, world, end)
    names_victim = rng.random(len(acts)) < HAS_VICTIM[acts.kind]
    told = drop_acts_in_prison(acts, casework) & (casework.recorded < NEVER)
    rows = np.flatnonzero(told & names_victim & ~world.is_conduct(acts.kind))
    acts, casework = acts.take(rows), casework.take(rows)
    incidents = record(rng, acts, casework, world)
    return _added(books, replace(incidents, owner=persons + acts.person), casework, victim[rows]), others


def _victims(books: Books, nominals: int) -> tuple[Ints, Ints]:
    """Victims of conduct who are nobody's suspect, and the first day each was one, both (W,)."""
    involved = books.involvements
    rows = (involved.side == VICTIM_ROW) & books.incidents.conduct[involved.incident] & (involved.person >= nominals)
    first = np.full(int(involved.person.max(initial=-1)) + 1, NEVER)
    np.minimum.at(first, involved.person[rows], books.incidents.day[involved.incident[rows]])
    victims = np.flatnonzero(first < NEVER)
    return victims, first[victims]


def _process(world: World) -> World:
    """The world's process of acts with the rates of what befalls a victim."""
    return replace(
        world,
        log_rate_mean=float(np.log(world.others_rate)),
        log_rate_sd=world.others_rate_sd,
        excitement=_AGAIN,
    )


def _exposed(rng: np.random.Generator, onset: Ints, world: World, end: int) -> People:
    """Victims as the process of acts sees people: rates and levels of what is done to each, (W,). A partner, where they
    have one, is mostly the nominal."""
    drawn = draw_people(rng, len(onset), world, end)
    alone = np.zeros(len(onset), dtype=np.bool_)
    return replace(drawn, onset=onset, career_start=drawn.career_start + onset - drawn.onset, has_partner=alone)


def _others(rng: np.random.Generator, acts: Acts, count: int, world: World, end: int) -> People:
    """Who they are: as old at their first act as nominals at theirs, (K,)."""
    drawn = draw_people(rng, count, world, end)
    first = np.full(count, NEVER)
    np.minimum.at(first, acts.person, acts.day)
    return replace(drawn, birth=drawn.birth + first - drawn.onset)


def _added(books: Books, incidents: Incidents, casework: Casework, victims: Ints) -> Books:
    number = len(books.incidents.owner) + np.arange(len(victims))
    never = np.full(len(victims), NEVER)
    nominal, victim = np.full(len(victims), NOMINAL_ROW), np.full(len(victims), VICTIM_ROW)
    suspects = Involvements(number, incidents.owner, nominal, casework.charged, casework.eliminated)
    harmed = Involvements(number, victims, victim, never, never)
    return Books(
        joined([books.incidents, incidents]),
        joined([books.casework, casework]),
        joined([books.involvements, suspects, harmed]),
    )
