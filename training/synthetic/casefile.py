"""What stands in the crime system: recorded incidents and everyone involved in them, before any dirt.

Persons are numbered nominals first (0..C-1), then victims who are nobody's suspect, then others who harmed those.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.harm.features import DAYS_A_YEAR, Floats, Ints
from training.synthetic.offences import (
    DOMESTIC_NON_CRIME,
    GRADE,
    HAS_VICTIM,
    OTHER_NON_CRIME,
    draw_codes,
    draw_non_crime_harm,
)
from training.synthetic.people import People
from training.synthetic.police import NEVER, Casework
from training.synthetic.process import Acts, joined
from training.synthetic.world import World

Flags = NDArray[np.bool_]
NOMINAL_ROW, VICTIM_ROW = 0, 1
_PLACEHOLDER_SHARE = 0.01
_FAMILY_SHARE = 0.10
_SECOND_VICTIM_SHARE = 0.03
_WORRY, _WORRY_SD = 0.95, 0.35
_WORRY_LASTS_DAYS = 60
_COMPANION_AS_VICTIM, _COMPANIONS_VICTIM = 0.25, 0.45


@dataclass(frozen=True)
class Incidents:
    """Columns over I recorded incidents; `owner` the nominal the incident began with; `conduct` whether it is of the
    kind the population is known for (stalking, harassment between partners), so that it can be an index incident."""

    owner: Ints
    day: Ints
    recorded: Ints
    kind: Ints
    code: NDArray[np.object_]
    harm: Floats
    partner: Flags
    domestic: Flags
    conduct: Flags

    @property
    def non_crime(self) -> Flags:
        """Incidents below the threshold of an offence."""
        return np.isin(self.kind, (DOMESTIC_NON_CRIME, OTHER_NON_CRIME))

    def take(self, rows: Ints) -> "Incidents":
        """The given rows."""
        return Incidents(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


@dataclass(frozen=True)
class Involvements:
    """Columns over V involvements: incident row, person number, NOMINAL_ROW or VICTIM_ROW, days of charge and
    elimination (`NEVER` where it has not come to that)."""

    incident: Ints
    person: Ints
    side: Ints
    charged: Ints
    eliminated: Ints

    def take(self, rows: Ints) -> "Involvements":
        """The given rows."""
        return Involvements(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


def record(rng: np.random.Generator, acts: Acts, casework: Casework, world: World) -> Incidents:
    """Turn recorded acts into incidents; dates that could not be told become 1 January (report, section 2.1)."""
    count = len(acts)
    code = draw_codes(rng, acts.kind)
    harm = np.full(count, np.nan)
    domestic_non_crime = acts.kind == DOMESTIC_NON_CRIME
    harm[domestic_non_crime] = draw_non_crime_harm(rng, acts.severity[domestic_non_crime])
    day = as_told(rng, acts.day)
    family = (rng.random(count) < _FAMILY_SHARE) & (acts.kind != OTHER_NON_CRIME)
    domestic = acts.partner | domestic_non_crime | family
    conduct = world.is_conduct(acts.kind)
    return Incidents(acts.person, day, casework.recorded, acts.kind, code, harm, acts.partner, domestic, conduct)


def as_told(rng: np.random.Generator, days: Ints) -> Ints:
    """The days the police are told: for a few the day is not known, and stands as 1 January of its year."""
    unknown = rng.random(len(days)) < _PLACEHOLDER_SHARE
    new_year = days.astype("datetime64[D]").astype("datetime64[Y]").astype("datetime64[D]").astype(np.int64)
    return np.where(unknown, new_year, days)


def involve(
    rng: np.random.Generator, people: People, incidents: Incidents, casework: Casework, world: World
) -> tuple[Involvements, Ints, int]:
    """Everyone involved in each incident. Returns the involvements, whom each nominal stalks (persons by number, (C,)), and
    the number of persons, victims included."""
    suspects = Involvements(
        np.arange(len(incidents.owner)),
        incidents.owner,
        np.full(len(incidents.owner), NOMINAL_ROW),
        casework.charged,
        casework.eliminated,
    )
    together = companions(rng, people, incidents, casework, world)
    principal, persons = _principal_victims(rng, people)
    victims, persons = _victims(rng, principal, persons, incidents)
    return joined([suspects, together, victims]), principal, persons


def companions(
    rng: np.random.Generator, people: People, incidents: Incidents, casework: Casework, world: World
) -> Involvements:
    """Companions who took part: never in the conduct the population is known for, never from before their own career
    or from inside prison."""
    companion = next_in_company(people.company)[incidents.owner]
    chosen = (companion != incidents.owner) & ~incidents.conduct & (rng.random(len(companion)) < world.company_share)
    rows = np.flatnonzero(chosen)
    who, day = companion[rows], incidents.day[rows]
    free = (day >= people.career_start[who]) & ~in_prison(incidents.owner, casework, who, day)
    rows, who = rows[free], who[free]
    never = np.full(len(rows), NEVER)
    return Involvements(rows, who, np.full(len(rows), NOMINAL_ROW), casework.charged[rows], never)


def in_prison(person: Ints, casework: Casework, who: Ints, day: Ints) -> Flags:
    """Whether each of `who` is in prison on `day`, by the spells of `person` in `casework`."""
    spells = np.flatnonzero(casework.imprisoned < NEVER)
    spells = spells[np.lexsort((casework.imprisoned[spells], person[spells]))]
    span = np.int64(1) << 32
    if not len(spells):
        return np.zeros(len(who), dtype=np.bool_)
    begin = person[spells] * span + casework.imprisoned[spells]
    until = np.maximum.accumulate(person[spells] * span + casework.released[spells])
    at = np.searchsorted(begin, who * span + day, side="right") - 1
    return (at >= 0) & (until[np.maximum(at, 0)] > who * span + day)


def names_victim(rng: np.random.Generator, incidents: Incidents) -> Flags:
    """Which incidents somebody is named as the victim of, (I,)."""
    return np.asarray(incidents.partner | (rng.random(len(incidents.owner)) < HAS_VICTIM[incidents.kind]))


def harms_principal(incidents: Incidents) -> Flags:
    """Which incidents, where they name a victim, name the owner's principal one, (I,); the others a stranger."""
    return np.asarray(incidents.partner | incidents.conduct)


def _victims(rng: np.random.Generator, principal: Ints, persons: int, incidents: Incidents) -> tuple[Involvements, int]:
    """One victim for most incidents, two for a few: the principal victim of stalking and partner incidents."""
    rows = np.flatnonzero(names_victim(rng, incidents))
    own = harms_principal(incidents)[rows]
    strangers = rows[~own]
    second = rows[rng.random(len(rows)) < _SECOND_VICTIM_SHARE]
    incident = np.concatenate([rows[own], strangers, second])
    newcomers = len(strangers) + len(second)
    person = np.concatenate([principal[incidents.owner[rows[own]]], persons + np.arange(newcomers)])
    never = np.full(len(incident), NEVER)
    return Involvements(incident, person, np.full(len(incident), VICTIM_ROW), never, never), persons + newcomers


def _principal_victims(rng: np.random.Generator, people: People) -> tuple[Ints, int]:
    """The person each nominal stalks: mostly a stranger to the other nominals, now and then a companion or theirs."""
    count = len(people)
    principal = count + np.arange(count)
    companion = next_in_company(people.company)
    chance = rng.random(count)
    has_companion = companion != np.arange(count)
    principal = np.where(has_companion & (chance < _COMPANIONS_VICTIM), count + companion, principal)
    principal = np.where(has_companion & (chance < _COMPANION_AS_VICTIM), companion, principal)
    return principal, 2 * count


def next_in_company(company: Ints) -> Ints:
    """The next member of each nominal's company, themselves where they keep their own; companies are runs."""
    count = len(company)
    first = np.flatnonzero(np.diff(company, prepend=-1))
    place = np.arange(count) + 1
    last = np.append(first, count)[1:] - 1
    place[last] = first
    return place


def contact(
    rng: np.random.Generator, people: People, incidents: Incidents, involvements: Involvements, world: World, end: int
) -> tuple[Ints, Ints]:
    """Contacts of victims with the force: person and day. They follow incidents, or come unprompted around the first
    incident of conduct; never around later ones, or calls before day zero would tell of what comes after it.

    Systems are not firmly linked (report, section 2.4): victims who cannot be linked have none.
    """
    victims = involvements.take(np.flatnonzero(involvements.side == VICTIM_ROW))
    incident, day = victims.incident, incidents.day[victims.incident]
    owner = np.where(incidents.conduct[incident], incidents.owner[incident], 0)  # asked of conduct alone: nominals'
    linked = rng.random(int(victims.person.max(initial=0)) + 1) < world.linked_victim_share

    prompted = rng.poisson(0.10 + 0.15 * np.clip(GRADE[incidents.kind[incident]], 0, 1))
    soon = np.floor(rng.exponential(3.0, prompted.sum())).astype(np.int64)
    first = np.full(len(people), NEVER)
    np.minimum.at(first, incidents.owner[incidents.conduct], incidents.day[incidents.conduct])
    begins = incidents.conduct[incident] & (day == first[owner])
    unprompted = rng.poisson(np.where(begins, np.exp(_WORRY + _worry(people, world)[owner]), 0.0))
    around = _WORRY_LASTS_DAYS - np.floor(rng.exponential(0.7 * DAYS_A_YEAR, unprompted.sum())).astype(np.int64)
    person = np.concatenate([np.repeat(victims.person, prompted), np.repeat(victims.person, unprompted)])
    called = np.concatenate([np.repeat(day, prompted) + soon, np.repeat(day, unprompted) + around])
    keep = linked[person] & (called <= end)
    return person[keep], called[keep]


def _worry(people: People, world: World) -> Floats:
    """How much more the victims of those who will harm most call (report, figure 9), in logs."""
    return _WORRY_SD * people.later_escalation / max(world.escalation_sd, 1e-9)
