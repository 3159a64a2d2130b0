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
from training.synthetic.process import Acts, Past, joined, live_without_conduct, no_acts
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


@dataclass(frozen=True)
class Suffered:
    """What others truly do to W victims: `acts` (M,) by row of the victim, `by` (M,) which of the victim's others does each,
    its `casework` (M,) and the day each is `told` as, `NEVER` where it does not come on record as done to the victim."""

    acts: Acts
    by: Ints
    casework: Casework
    told: Ints

    def take(self, rows: Ints) -> "Suffered":
        """The given acts; parents are not renumbered."""
        return Suffered(self.acts.take(rows), self.by[rows], self.casework.take(rows), self.told[rows])


@dataclass(frozen=True)
class Exposed:
    """W victims others may harm: `people` as the process of acts sees them, and what they `suffered`."""

    people: People
    suffered: Suffered


@dataclass(frozen=True)
class Settled:
    """What W victims `suffered` up to the last day that is settled of each, `until` (W,), when it goes on up to `last` (W,)."""

    suffered: Suffered
    until: Ints
    last: Ints


@dataclass(frozen=True)
class Doers:
    """Who does it: K `people`, and the number among them of who does each act, `who` (M,)."""

    people: People
    who: Ints


def harm_by_others(
    rng: np.random.Generator, books: Books, nominals: int, persons: int, world: World, end: int
) -> tuple[Books, People, Ints, Exposed]:
    """What comes on record of what others do to the victims in `books` of the population's conduct.

    Returns the books with it; the others, persons from number `persons` on; the victims' numbers (W,), and all that was done
    to them. Who is a nominal and a victim is spared.
    """
    victims, onset = _victims(books, nominals)
    if world.others_rate == 0.0:
        victims, onset = victims[:0], onset[:0]
    if not len(victims):
        nobody = draw_people(rng, 0, world, end)
        return books, nobody, victims, Exposed(nobody, _nothing())
    people = _exposed(rng, onset, _process(world), end)
    suffered, incidents, doers = suffer(rng, people, world, end)
    rows = np.flatnonzero(suffered.told < NEVER)
    incidents = replace(incidents, owner=persons + doers.who[rows])
    added = _added(books, incidents, suffered.casework.take(rows), victims[suffered.acts.person[rows]])
    return added, doers.people, victims, Exposed(people, suffered)


def suffer(
    rng: np.random.Generator, exposed: People, world: World, end: int, settled: Settled | None = None
) -> tuple[Suffered, Incidents, Doers]:
    """Simulate what others do to victims, from the beginning or onwards from what is `settled` (which is not told anew).

    Returns what happens, the settled acts among it; the incidents that come on record up to `end`, owned by rows of
    victims, one for each act that is told; and who does it (those who did settled acts are drawn anew).
    """
    past = Past(settled.suffered.acts, settled.until, settled.until) if settled else None
    acts = live_without_conduct(rng, exposed, _process(world), settled.last if settled else end, past)
    begin = len(settled.suffered.by) if settled else 0
    new = np.arange(begin, len(acts))
    by = np.where(acts.partner[new], _PARTNER, 1 + rng.integers(_ACQUAINTANCES, size=len(new)))
    by = np.concatenate([settled.suffered.by, by]) if settled else by
    pairs, who = np.unique(acts.person * (1 + _ACQUAINTANCES) + by, return_inverse=True)
    done = replace(acts, person=who)
    people = _others(rng, done, len(pairs), world, end)
    casework = work(rng, people, done.take(new), world, end)
    casework = joined([settled.suffered.casework, casework]) if settled else casework
    names_victim = np.append(np.zeros(begin, dtype=np.bool_), rng.random(len(new)) < HAS_VICTIM[acts.kind[new]])
    happens = drop_acts_in_prison(done, casework)
    told = happens & names_victim & (casework.recorded < NEVER) & ~world.is_conduct(acts.kind)
    rows = np.flatnonzero(told)
    incidents = record(rng, acts.take(rows), casework.take(rows), world)
    days = np.full(len(acts), NEVER)
    days[rows] = incidents.day
    kept = np.flatnonzero(happens)
    return Suffered(acts, by, casework, days).take(kept), incidents, Doers(people, who[kept])


def _nothing() -> Suffered:
    none = np.empty(0, dtype=np.int64)
    return Suffered(no_acts(), none, Casework(none, none, none, none, none), none)


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
