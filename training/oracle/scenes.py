"""What is settled about each nominal at day zero, as scenes of virtual people to simulate onwards from it.

Settled, for one nominal with day zero `t0`: everything that truly happened to come of them up to the end of that day,
recorded or not; all stalking (or whatever conduct the population is known for) up to the day the index incident truly
happened (an incident whose day is not known stands under 1 January, so for one index incident in a hundred `t0` lies
before the act itself); and what the police make of all that, charges and prison included, even where it follows after
`t0`. The last makes the oracle know slightly more than anyone could at `t0`, and surely no less than the features, which
hold the roles known when the index incident was recorded. Everything else is the future. Whether someone stops for good
at their last stalking incident is a coin that is tossed in the future, unless they went on after all of it so far.

Where a population is known for more than stalking, its conduct also comes up among everything else people do, and may be
an index incident without ever exciting its like. Then someone's first true conduct may lie after `t0`: its day is a trait
of theirs, which the oracle knows. Of which form their conduct mostly is, is drawn as likely as their past makes it.

A nominal may also take part in incidents that begin with the companion before them in their company; that companion is
brought to the same day and simulated beside them.
"""

from dataclasses import dataclass, replace
from datetime import date
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.errors import SetupError
from app.harm.features import Ints
from training.labels import HORIZON_DAYS
from training.synthetic.casefile import next_in_company
from training.synthetic.latents import Latents
from training.synthetic.people import People
from training.synthetic.police import NEVER, Casework
from training.synthetic.process import Acts, Past

NOBODY = -1
NOT_OF_THIS_EXTRACT = "The latents are not those of this extract. Write both in one run of `dayzero-train synth`."
# An act this many mean delays ago excites nothing more: the chance that it would is below 1e-15.
SPENT_DELAYS = 35


@dataclass(frozen=True)
class Moments:
    """Scoring moments of N labelled nominals: `person` rows of the latents' people, `day_zero`, and `index_day`, the
    day the index incident truly happened, each (N,); `as_of` the day looked back from, `end` the extract's last."""

    person: Ints
    day_zero: Ints
    index_day: Ints
    as_of: int
    end: int

    def take(self, rows: Ints) -> "Moments":
        """The given moments."""
        return replace(self, person=self.person[rows], day_zero=self.day_zero[rows], index_day=self.index_day[rows])


@dataclass(frozen=True)
class Scenes:
    """Virtual people (V,), one company a scene: `people`, `moment` (V,) whose future each plays in, ascending,
    `plays_self` (V,) whether they are that nominal rather than the companion (of a victim's moment: whether they are the
    victim rather than who harms them); their settled `past` (acts by person) and its `casework`."""

    people: People
    moment: Ints
    plays_self: NDArray[np.bool_]
    past: Past
    casework: Casework

    def repeated(self, times: Ints) -> "Scenes":
        """Each scene as many times over, `times` (scenes,); `moment` keeps naming the scene here."""
        scene = np.repeat(np.arange(len(times)), times)
        first = np.searchsorted(self.moment, np.arange(len(times) + 1))
        size = np.diff(first)[scene]
        rows = _runs(first[scene], size)
        moved = np.cumsum(size) - size - first[scene]
        first_act = np.searchsorted(self.past.acts.person, first)
        acts_each = np.diff(first_act)[scene]
        acts = _runs(first_act[scene], acts_each)
        known = self.past.acts.take(acts)
        known = replace(known, person=known.person + np.repeat(moved, acts_each))
        return Scenes(
            people=replace(self.people.take(rows), company=np.repeat(np.arange(len(scene)), size)),
            moment=self.moment[rows],
            plays_self=self.plays_self[rows],
            past=_past(known, self.past, rows),
            casework=self.casework.take(acts),
        )


class Roles(NamedTuple):
    """Who plays in which scene: `source` (V,) rows of the latents' people, `moment` and `plays_self` as in `Scenes`, and
    `leads` (V,) whether later conduct of theirs on record would be another day zero."""

    source: Ints
    moment: Ints
    plays_self: NDArray[np.bool_]
    leads: NDArray[np.bool_]


def scoring_moments(latents: Latents, person_id: NDArray[np.object_], day_zero: Ints) -> Moments:
    """Find labelled nominals in the latents. Raises SetupError where the latents are not those of the extract."""
    end, as_of = last_days(latents)
    places = {name: row for row, name in enumerate(latents.person_id.tolist())}
    person = np.array([places.get(name, NOBODY) for name in person_id.tolist()], dtype=np.int64)
    acts, told, casework = latents.acts, latents.told, latents.casework
    counts = latents.world.is_conduct(acts.kind) & (told <= as_of) & (casework.eliminated > casework.recorded)
    last = np.full(len(latents.people), np.iinfo(np.int64).min)
    np.maximum.at(last, acts.person[counts], told[counts])
    if (person == NOBODY).any() or (last[person] != day_zero).any():
        raise SetupError(NOT_OF_THIS_EXTRACT)
    index = counts & (told == last[acts.person])
    happened = np.full(len(latents.people), np.iinfo(np.int64).min)
    np.maximum.at(happened, acts.person[index], acts.day[index])
    return Moments(person, day_zero, happened[person], as_of, end)


def last_days(latents: Latents) -> tuple[int, int]:
    """The extract's last day, and the day looked back from."""
    end = (latents.world.end - date(1970, 1, 1)).days
    return end, end - HORIZON_DAYS


def scenes(latents: Latents, moments: Moments) -> Scenes:
    """One scene a moment: the nominal, with their companion, if any, just before them."""
    companion = _companions(latents.people.company)[moments.person]
    sizes = 1 + (companion != NOBODY)
    last = np.cumsum(sizes) - 1
    source, plays_self = np.repeat(companion, sizes), np.zeros(sizes.sum(), dtype=np.bool_)
    source[last] = moments.person
    plays_self[last] = True
    moment = np.repeat(np.arange(len(sizes)), sizes)
    until = moments.day_zero[moment]
    stalked_until = np.where(plays_self, np.maximum(until, moments.index_day[moment]), until)
    return staged(latents, Roles(source, moment, plays_self, plays_self), until, stalked_until, moments.as_of)


def staged(latents: Latents, roles: Roles, until: Ints, stalked_until: Ints, as_of: int) -> Scenes:
    """Everyone with a role brought to the day `until`, their conduct to `stalked_until`, each (V,)."""
    source = roles.source
    onset = latents.people.onset[source]
    early = roles.leads & (onset <= as_of)  # it cannot have come on record, or it would be day zero
    stalked_until = np.where(early, np.maximum(stalked_until, onset), stalked_until)
    people = replace(latents.people.take(source), company=roles.moment)
    rows, actor = _settled(latents, source, until, stalked_until)
    acts = replace(latents.acts.take(rows), person=actor)
    past = Past(acts, until, stalked_until, roles.leads & _went_on(acts, onset))
    return Scenes(people, roles.moment, roles.plays_self, past, latents.casework.take(rows))


def _past(acts: Acts, past: Past, rows: Ints) -> Past:
    """The past of the given people, with other acts."""
    went_on = None if past.went_on is None else past.went_on[rows]
    return Past(acts, past.until[rows], past.stalked_until[rows], went_on)


def _went_on(acts: Acts, onset: Ints) -> NDArray[np.bool_]:
    """Who did anything after all their true conduct so far, (V,): those who stop, stop at the last of it."""
    last = onset.copy()
    conduct = acts.as_conduct
    np.maximum.at(last, acts.person[conduct], acts.day[conduct])
    found = np.zeros(len(onset), dtype=np.bool_)
    found[acts.person[acts.day > last[acts.person]]] = True
    return found


def _companions(company: Ints) -> Ints:
    """Who comes before each person in their company, `NOBODY` for those who keep their own."""
    following = next_in_company(company)
    companion = np.empty(len(company), dtype=np.int64)
    companion[following] = np.arange(len(company))
    return np.where(companion == np.arange(len(company)), NOBODY, companion)


def _settled(latents: Latents, source: Ints, until: Ints, stalked_until: Ints) -> tuple[Ints, Ints]:
    """Rows of the acts that are settled, and whose they are, less those that can have no effect any more."""
    starts = np.searchsorted(latents.acts.person, np.arange(len(latents.people) + 1))
    counts = np.diff(starts)[source]
    rows, actor = _runs(starts[source], counts), np.repeat(np.arange(len(source)), counts)
    day, as_conduct = latents.acts.day[rows], latents.acts.as_conduct[rows]
    settled = np.where(as_conduct, day <= stalked_until[actor], day <= until[actor])
    begins = latents.world.is_conduct(latents.acts.kind[rows]) & (latents.told[rows] == until[actor])
    settled |= begins & (day <= stalked_until[actor])  # an index incident that was none of the usual conduct
    recent = until[actor] - day <= SPENT_DELAYS * latents.world.excitement_days
    released = latents.casework.released[rows]
    held = (released < NEVER) & (released > until[actor])
    keep = settled & (as_conduct | recent | held)
    return rows[keep], actor[keep]


def _runs(starts: Ints, counts: Ints) -> Ints:
    """start, start + 1, ... `counts` long for each start, one after the other."""
    return np.repeat(starts - (np.cumsum(counts) - counts), counts) + np.arange(counts.sum())
