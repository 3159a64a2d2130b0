"""What people do: a self-exciting point process of incidents with inherited severity.

Each person acts of their own accord at a latent rate; every incident excites further ones (a branching, or Hawkes,
process with an exponential kernel); stalking repeats itself; some stop for good at their last stalking incident.
Simulated as a branching process, one generation at a time over all people at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from app.harm.features import DAYS_A_YEAR, Floats, Ints
from training.synthetic.conduct import draw_conduct
from training.synthetic.offences import GRADE, RECLASSIFIED, STALKING, draw_kinds
from training.synthetic.people import People
from training.synthetic.world import World

Columns = TypeVar("Columns", bound=Any)
_NO_PARENT = -1
_BEFORE_EVERYTHING = int(np.iinfo(np.int64).min)
_PARTNER_SHARES = (0.12, 0.62)
_PARTNER_AFTER_PARTNER = 0.8


@dataclass(frozen=True)
class Acts:
    """Columns over M true incidents: `person`, `day`, `kind`, `severity`, `partner` (against the partner or a former
    one), `parent` (row that excited it, -1 for none; parents always stand before their children), `as_conduct` (whether it
    came up as the conduct the population is known for, not among everything else they do: only that repeats itself)."""

    person: Ints
    day: Ints
    kind: Ints
    severity: Floats
    partner: NDArray[np.bool_]
    parent: Ints
    as_conduct: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.person)

    @property
    def stalking(self) -> NDArray[np.bool_]:
        """Stalking by whichever name, (M,)."""
        return np.asarray((self.kind == STALKING) | (self.kind == RECLASSIFIED))

    def take(self, rows: Ints) -> "Acts":
        """The given rows; parents are not renumbered."""
        return Acts(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


@dataclass(frozen=True)
class Past:
    """Lives already lived: `acts` that happened, the last day that is settled of everyone, `until` (C,), and the last
    day whose conduct is, `stalked_until` (C,); `went_on` (C,) who is known not to have stopped, None for nobody."""

    acts: Acts
    until: Ints
    stalked_until: Ints
    went_on: NDArray[np.bool_] | None = None


def live(
    rng: np.random.Generator, people: People, world: World, end: int, past: Past | None = None
) -> tuple[Acts, Ints]:
    """Simulate everyone up to `end`, from birth or onwards from `past` (none of which is drawn anew).

    Returns the acts, those of `past` first, and the day each person stops (`end` for most), (C,).
    """
    past = past or _unlived(people)
    conduct = _conduct(rng, people, world, past, end)
    last = people.onset.copy()
    for acts in (past.acts.take(np.flatnonzero(past.acts.as_conduct)), conduct):
        np.maximum.at(last, acts.person, acts.day)
    stops = np.where(rng.random(len(people)) < world.stopping_share, last, end)
    if past.went_on is not None:
        stops[past.went_on & (stops <= past.until)] = end

    own = _own_accord(rng, people, world, past.until, stops)
    outbursts = _outbursts(rng, world, past, conduct, stops)
    first = joined([past.acts, conduct, own, outbursts])
    return _with_excited(rng, people, world, first, past.until, stops), stops


def live_without_conduct(
    rng: np.random.Generator, people: People, world: World, end: Ints | int, past: Past | None = None
) -> Acts:
    """Everything up to `end` (one day, or everyone's own (C,)) but the conduct a population is known for: what comes of
    its own accord and what that excites, after the acts of `past` where there is one, which stand first. `onset` only
    parts the time before from the time after."""
    past, stops = past or _unlived(people), np.broadcast_to(np.asarray(end), len(people))
    first = joined([past.acts, _own_accord(rng, people, world, past.until, stops)])
    return _with_excited(rng, people, world, first, past.until, stops)


def _with_excited(
    rng: np.random.Generator, people: People, world: World, first: Acts, until: Ints, stops: Ints
) -> Acts:
    """`first` and, one generation after the other, all that comes of them."""
    generations, parents, first_row = [first], first, 0
    while len(parents):
        children = _excited(rng, people, world, parents, first_row, until, stops)
        first_row += len(parents)
        generations.append(children)
        parents = children
    return joined(generations)


def no_acts() -> Acts:
    """The columns of acts, none of them."""
    none = np.empty(0, dtype=np.int64)
    return Acts(none, none, none, none.astype(np.float64), none.astype(np.bool_), none, none.astype(np.bool_))


def _unlived(people: People) -> Past:
    before = np.full(len(people), _BEFORE_EVERYTHING)
    return Past(no_acts(), before, before)


def _conduct(rng: np.random.Generator, people: People, world: World, past: Past, end: int) -> Acts:
    """First stalking incidents (or whatever the population is known for) and those each, in turn, is followed by; only
    what is not yet past."""
    first = np.flatnonzero(people.onset > past.stalked_until)
    persons, days = [first], [people.onset[first]]
    known = past.acts.as_conduct
    person = np.concatenate([past.acts.person[known], first])
    day = np.concatenate([past.acts.day[known], people.onset[first]])
    while len(person):
        repeats = np.full(len(person), world.stalking_repeats)
        parent, day = _offspring(rng, repeats, world.stalking_repeat_days, day, past.stalked_until[person])
        person = person[parent]
        within = day <= end
        person, day = person[within], day[within]
        persons.append(person)
        days.append(day)
    person, day = np.concatenate(persons), np.concatenate(days)
    kind, partner = draw_conduct(rng, people, world, person, day, (past.acts.person[known], past.acts.kind[known]))
    severity = _severity(people, world, person, day)
    return Acts(person, day, kind, severity, partner, np.full(len(day), _NO_PARENT), np.ones(len(day), dtype=np.bool_))


def _outbursts(rng: np.random.Generator, world: World, past: Past, conduct: Acts, stops: Ints) -> Acts:
    """Stalking that turns grave without warning: whether it does has nothing to do with who stalks.

    Of past stalking, outbursts still to come are as likely as they were at first, less those whose time has gone by;
    that an incident may have had its own already is not asked (with a few in a hundred that have one, an error far
    below one in a thousand).
    """
    known = np.flatnonzero(past.acts.as_conduct)
    sources = joined([past.acts.take(known), conduct])
    rows = np.append(known, len(past.acts) + np.arange(len(conduct)))
    first = np.maximum(sources.day + 1, past.until[sources.person] + 1)
    still = np.exp((sources.day + 1 - first) / world.outburst_days)
    parent = np.flatnonzero(rng.random(len(sources)) < world.outburst_share * still)
    day = first[parent] + _delays(rng, len(parent), world.outburst_days)
    within = day <= stops[sources.person[parent]]
    parent, day = parent[within], day[within]
    partner, severity = sources.partner[parent], np.full(len(parent), world.outburst_severity)
    kind = draw_kinds(rng, severity, partner, scale=world.ordinary_scale)
    return Acts(sources.person[parent], day, kind, severity, partner, rows[parent], np.zeros(len(day), dtype=np.bool_))


def _own_accord(rng: np.random.Generator, people: People, world: World, until: Ints, stops: Ints) -> Acts:
    """Incidents nothing excited: a constant rate up to the first stalking incident, another one after it."""
    person, day = [], []
    for begin, finish, log_rate in (
        (people.career_start, people.onset, people.log_rate),
        (people.onset, stops, people.later_log_rate),
    ):
        begin = np.maximum(begin, until)  # noqa: PLW2901
        span = np.maximum(finish - begin, 0)
        counts = rng.poisson(np.exp(log_rate) * span / DAYS_A_YEAR)
        who = np.repeat(np.arange(len(people)), counts)
        person.append(who)
        day.append(begin[who] + np.ceil(rng.random(len(who)) * span[who]).astype(np.int64))
    people_of, day_of = np.concatenate(person), np.concatenate(day)
    partner = rng.random(len(day_of)) < np.array(_PARTNER_SHARES)[people.has_partner[people_of].astype(np.int64)]
    severity = _severity(people, world, people_of, day_of)
    kind = draw_kinds(rng, severity, partner, scale=world.ordinary_scale)
    ordinary = np.zeros(len(day_of), dtype=np.bool_)
    return Acts(people_of, day_of, kind, severity, partner, np.full(len(day_of), _NO_PARENT), ordinary)


def _excited(
    rng: np.random.Generator, people: People, world: World, parents: Acts, first_row: int, until: Ints, stops: Ints
) -> Acts:
    """One generation of excited incidents; graver parents tend to have graver children."""
    children = np.where(parents.stalking, world.stalking_excitement, world.excitement)
    parent, day = _offspring(rng, children, world.excitement_days, parents.day, until[parents.person])
    person = parents.person[parent]
    within = day <= stops[person]
    parent, person, day = parent[within], person[within], day[within]
    same_victim = parents.partner[parent] & (rng.random(len(parent)) < _PARTNER_AFTER_PARTNER)
    partner = same_victim | (~parents.partner[parent] & (rng.random(len(parent)) < _PARTNER_SHARES[0]))
    memory = world.severity_memory * (GRADE[parents.kind[parent]] + 0.2)
    severity = _severity(people, world, person, day) + memory
    kind = draw_kinds(rng, severity, partner, scale=world.ordinary_scale)
    return Acts(person, day, kind, severity, partner, parent + first_row, np.zeros(len(day), dtype=np.bool_))


def _severity(people: People, world: World, person: Ints, day: Ints) -> Floats:
    """Severity of acts: the personal level, before or from the first stalking incident on, and its rise over the career."""
    years = (day - people.career_start[person]) / DAYS_A_YEAR
    level = np.where(day < people.onset[person], people.escalation[person], people.later_escalation[person])
    return world.severity_base + level + world.escalation_drift * np.minimum(years, 20.0)


def _offspring(rng: np.random.Generator, mean: Floats, delay: float, day: Ints, until: Ints) -> tuple[Ints, Ints]:
    """Parent row and day of the children born after `until`, of parents of `day` with `mean` children each, (M,).

    Delays are memoryless in whole days: of the children still to come there are exp(-days waited / delay) times as
    many, and they come as long after the first day possible as any child comes after its parent.
    """
    first = np.maximum(day, until + 1)
    children = rng.poisson(mean * np.exp((day - first) / delay))
    parent = np.repeat(np.arange(len(day)), children)
    return parent, first[parent] + _delays(rng, len(parent), delay)


def _delays(rng: np.random.Generator, count: int, mean: float) -> Ints:
    """Exponential delays in whole days; 0 is the same day."""
    return np.floor(rng.exponential(mean, count)).astype(np.int64)


def joined(parts: Sequence[Columns]) -> Columns:
    """The rows of all parts, tables of one kind, one after the other; row numbers inside are not renumbered."""
    names = [field.name for field in fields(parts[0])]
    table: Columns = type(parts[0])(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))
    return table
