"""What people do: a self-exciting point process of incidents with inherited severity.

Each person acts of their own accord at a latent rate; every incident excites further ones (a branching, or Hawkes,
process with an exponential kernel); stalking repeats itself; some stop for good at their last stalking incident.
Simulated as a branching process, one generation at a time over all people at once.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.harm.features import DAYS_A_YEAR, Floats, Ints
from training.synthetic.offences import GRADE, RECLASSIFIED, STALKING, draw_kinds
from training.synthetic.people import People
from training.synthetic.world import World

GUIDANCE_OF_2020 = int(np.datetime64("2020-04-01").astype(np.int64))
STALKING_BECAME_AN_OFFENCE = int(np.datetime64("2012-11-25").astype(np.int64))
_NO_PARENT = -1
_PARTNER_SHARES = (0.12, 0.62)
_PARTNER_AFTER_PARTNER = 0.8


@dataclass(frozen=True)
class Acts:
    """Columns over M true incidents: `person`, `day`, `kind`, `severity`, `partner` (against the partner or a former
    one), `parent` (row that excited it, -1 for none; parents always stand before their children)."""

    person: Ints
    day: Ints
    kind: Ints
    severity: Floats
    partner: NDArray[np.bool_]
    parent: Ints

    def __len__(self) -> int:
        return len(self.person)

    def take(self, rows: Ints) -> "Acts":
        """The given rows; parents are not renumbered."""
        return Acts(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


def live(rng: np.random.Generator, people: People, world: World, end: int) -> tuple[Acts, Ints]:
    """Simulate everyone up to `end`. Returns the acts and the day each person stops (`end` for most), (C,)."""
    stalking = _stalking(rng, people, world, end)
    last = np.full(len(people), np.iinfo(np.int64).min)
    np.maximum.at(last, stalking.person, stalking.day)
    stops = np.where(rng.random(len(people)) < world.stopping_share, last, end)

    own = _own_accord(rng, people, world, stops)
    generations = [stalking, own, _outbursts(rng, world, stalking, stops)]
    parents, first_row = _joined(generations), 0
    while len(parents):
        children = _excited(rng, people, world, parents, first_row, stops)
        first_row += len(parents)
        generations.append(children)
        parents = children
    return _joined(generations), stops


def _stalking(rng: np.random.Generator, people: People, world: World, end: int) -> Acts:
    """First stalking incidents and the stalking each of them, in turn, is followed by."""
    person, day = np.arange(len(people)), people.onset
    persons, days = [person], [day]
    while len(person):
        children = rng.poisson(world.stalking_repeats, len(person))
        person = np.repeat(person, children)
        day = np.repeat(day, children) + _delays(rng, len(person), world.stalking_repeat_days)
        within = day <= end
        person, day = person[within], day[within]
        persons.append(person)
        days.append(day)
    person, day = np.concatenate(persons), np.concatenate(days)
    share = np.where(day >= GUIDANCE_OF_2020, world.reclassified_after_2020, world.reclassified_before_2020)
    share = np.where(day < STALKING_BECAME_AN_OFFENCE, 1.0, share)
    reclassified = rng.random(len(day)) < share
    partner = reclassified | (rng.random(len(day)) < np.where(people.has_partner[person], 0.55, 0.05))
    kind = np.where(reclassified, RECLASSIFIED, STALKING)
    severity = _severity(people, world, person, day)
    return Acts(person, day, kind, severity, partner, np.full(len(day), _NO_PARENT))


def _outbursts(rng: np.random.Generator, world: World, stalking: Acts, stops: Ints) -> Acts:
    """Stalking that turns grave without warning: whether it does has nothing to do with who stalks."""
    parent = np.flatnonzero(rng.random(len(stalking)) < world.outburst_share)
    day = stalking.day[parent] + 1 + _delays(rng, len(parent), world.outburst_days)
    within = day <= stops[stalking.person[parent]]
    parent, day = parent[within], day[within]
    partner, severity = stalking.partner[parent], np.full(len(parent), world.outburst_severity)
    return Acts(stalking.person[parent], day, draw_kinds(rng, severity, partner), severity, partner, parent)


def _own_accord(rng: np.random.Generator, people: People, world: World, stops: Ints) -> Acts:
    """Incidents nothing excited: a constant rate up to the first stalking incident, another one after it."""
    person, day = [], []
    for begin, finish, log_rate in (
        (people.career_start, people.onset, people.log_rate),
        (people.onset, stops, people.later_log_rate),
    ):
        span = np.maximum(finish - begin, 0)
        counts = rng.poisson(np.exp(log_rate) * span / DAYS_A_YEAR)
        who = np.repeat(np.arange(len(people)), counts)
        person.append(who)
        day.append(begin[who] + np.ceil(rng.random(len(who)) * span[who]).astype(np.int64))
    people_of, day_of = np.concatenate(person), np.concatenate(day)
    partner = rng.random(len(day_of)) < np.array(_PARTNER_SHARES)[people.has_partner[people_of].astype(np.int64)]
    severity = _severity(people, world, people_of, day_of)
    kind = draw_kinds(rng, severity, partner)
    return Acts(people_of, day_of, kind, severity, partner, np.full(len(day_of), _NO_PARENT))


def _excited(
    rng: np.random.Generator, people: People, world: World, parents: Acts, first_row: int, stops: Ints
) -> Acts:
    """One generation of excited incidents; graver parents tend to have graver children."""
    stalking = (parents.kind == STALKING) | (parents.kind == RECLASSIFIED)
    children = rng.poisson(np.where(stalking, world.stalking_excitement, world.excitement))
    parent = np.repeat(np.arange(len(parents)), children)
    person = parents.person[parent]
    day = parents.day[parent] + _delays(rng, len(parent), world.excitement_days)
    within = day <= stops[person]
    parent, person, day = parent[within], person[within], day[within]
    same_victim = parents.partner[parent] & (rng.random(len(parent)) < _PARTNER_AFTER_PARTNER)
    partner = same_victim | (~parents.partner[parent] & (rng.random(len(parent)) < _PARTNER_SHARES[0]))
    memory = world.severity_memory * (GRADE[parents.kind[parent]] + 0.2)
    severity = _severity(people, world, person, day) + memory
    return Acts(person, day, draw_kinds(rng, severity, partner), severity, partner, parent + first_row)


def _severity(people: People, world: World, person: Ints, day: Ints) -> Floats:
    """Severity of acts: the personal level, before or from the first stalking incident on, and its rise over the career."""
    years = (day - people.career_start[person]) / DAYS_A_YEAR
    level = np.where(day < people.onset[person], people.escalation[person], people.later_escalation[person])
    return world.severity_base + level + world.escalation_drift * np.minimum(years, 20.0)


def _delays(rng: np.random.Generator, count: int, mean: float) -> Ints:
    """Exponential delays in whole days; 0 is the same day."""
    return np.floor(rng.exponential(mean, count)).astype(np.int64)


def _joined(parts: list[Acts]) -> Acts:
    return Acts(*(np.concatenate([getattr(part, name) for part in parts]) for name in Acts.__dataclass_fields__))
