"""A victim's year simulated the slow way: one future, one act and one child at a time, by Python's own chance.

Nothing of the generator's process is used, only its tables of kinds. Children of past acts are drawn as they were at
first, and those that would have come already are thrown away.
"""

import heapq
from dataclasses import dataclass, field
from datetime import date
from math import exp, log
from random import Random

import numpy as np

from app.harm.harm_index import HarmIndex
from training.oracle.scenes import NOBODY
from training.oracle.victims import VictimMoments
from training.synthetic.latents import Latents
from training.synthetic.offences import DOMESTIC_NON_CRIME, KINDS, NON_CRIME_HARMS, RECLASSIFIED, STALKING
from training.synthetic.people import People
from training.synthetic.police import NEVER
from training.synthetic.world import World

GUIDANCE = (date(2020, 4, 1) - date(1970, 1, 1)).days
DELAYS = ((0.72, 0.6), (0.20, 12.0), (0.065, 150.0), (0.015, 1200.0))
CONDUCT = (STALKING, RECLASSIFIED)


def poisson(rng: Random, mean: float) -> int:
    count, reached = 0, rng.expovariate(1)
    while reached < mean:
        count, reached = count + 1, reached + rng.expovariate(1)
    return count


@dataclass
class Life:
    """One process of acts from the day `zero`: of a nominal, or of what others do to one victim."""

    rng: Random
    world: World
    row: dict[str, float]
    zero: int
    last: int
    again: float
    stop: int
    spells: dict[int, list[tuple[int, int]]]
    others: bool
    waiting: list[tuple[int, float, int, float, bool, int, bool]] = field(default_factory=list)
    told: list[tuple[int, int, float, bool]] = field(default_factory=list)
    """Day, kind, severity, against a partner."""

    def push(self, day: int, severity: float, *, partner: bool, kind: int = -1) -> None:
        if self.zero < day <= min(self.last, self.stop if kind not in CONDUCT else self.last):
            doer = 0 if not self.others or partner else 1 + self.rng.randrange(4)
            kind = kind if kind >= 0 else self.kind(severity, partner)
            heapq.heappush(self.waiting, (day, self.rng.random(), kind, severity, partner, doer, kind in CONDUCT))

    def kind(self, severity: float, partner: bool) -> int:
        weights = [(kind.partner if partner else kind.other) * exp(severity * kind.grade) for kind in KINDS]
        return self.rng.choices(range(len(KINDS)), weights)[0]

    def level(self, day: int) -> float:
        years = min((day - self.row["career_start"]) / 365.25, 20.0)
        return self.world.severity_base + self.row["later_escalation"] + self.world.escalation_drift * years

    def children(self, day: int, kind: int, partner: bool) -> None:
        rng, conduct = self.rng, kind in CONDUCT
        for _ in range(poisson(rng, self.world.stalking_excitement if conduct else self.again)):
            born = day + int(rng.expovariate(1 / self.world.excitement_days))
            to_partner = rng.random() < 0.8 if partner else rng.random() < 0.12
            severity = self.level(born) + self.world.severity_memory * (KINDS[kind].grade + 0.2)
            self.push(born, severity, partner=to_partner)
        if conduct and rng.random() < self.world.outburst_share:
            born = day + 1 + int(rng.expovariate(1 / self.world.outburst_days))
            self.push(born, self.world.outburst_severity, partner=partner)

    def own_accord(self) -> None:
        at = 0.0
        while (at := at + self.rng.expovariate(exp(self.row["later_log_rate"]) / 365.25)) < self.last - self.zero:
            day = self.zero + int(at) + 1
            partner = self.rng.random() < (0.62 if self.row["has_partner"] else 0.12)
            self.push(day, self.level(day), partner=partner)

    def go_on(self, end: int) -> None:
        while self.waiting:
            day, _, kind, severity, partner, doer, _ = heapq.heappop(self.waiting)
            if any(begin + 1 <= day < until for begin, until in self.spells.get(doer, [])):
                continue
            self.police(day, kind, severity, partner, doer, end)
            self.children(day, kind, partner)

    def police(self, day: int, kind: int, severity: float, partner: bool, doer: int, end: int) -> None:
        rng = self.rng
        mean = rng.choices([mean for _, mean in DELAYS], [share for share, _ in DELAYS])[0]
        recorded = day + int(rng.expovariate(1 / mean))
        if rng.random() >= self.world.recorded_share or recorded > end:
            return
        stands = day
        if rng.random() < 0.01:
            stands = (date(date.fromordinal(day + 719163).year, 1, 1) - date(1970, 1, 1)).days
        if rng.random() < KINDS[kind].has_victim if self.others else partner or kind in CONDUCT:
            self.told.append((stands, kind, severity, partner))
        share = self.world.stalking_charged_share if kind in CONDUCT else self.world.charged_share
        grade = KINDS[kind].grade
        charged = recorded + 1 + int(rng.lognormvariate(log(self.world.charge_days), 1))
        if rng.random() < share and charged <= end and rng.random() < 0.7 / (1 + exp(-4 * (grade - 0.7))):
            begin = charged + int(rng.expovariate(1 / 20))
            length = 7 + int(rng.lognormvariate(log(40 + 250 * max(grade, 0)), 0.6))
            if begin <= end:
                self.spells.setdefault(doer, []).append((begin, begin + length))


def plain_harm(rng: Random, latents: Latents, moments: VictimMoments, place: int, index: HarmIndex) -> float:
    """Harm of one future of a victim with one harmer (of their own company) at most, in a world without dirt."""
    zero = int(moments.day_zero[place])
    while True:
        told: list[tuple[int, int, float]] = []
        again = False
        if (harmer := int(moments.harmers[place, 0])) != NOBODY:
            life = _nominal(rng, latents, harmer, zero, moments.end)
            told += [(day, kind, severity) for day, kind, severity, _ in life.told]
            again = any(kind in CONDUCT and zero < day <= moments.as_of for day, kind, _, _ in life.told)
        if not again:
            break
    if (row := int(moments.exposed[place])) != NOBODY:
        life = _exposed(rng, latents, row, zero, moments.end)
        told += [(day, kind, severity) for day, kind, severity, _ in life.told]
    return sum(_days(rng, kind, severity, index) for day, kind, severity in told if zero < day <= zero + 365)


def _days(rng: Random, kind: int, severity: float, index: HarmIndex) -> float:
    if kind == DOMESTIC_NON_CRIME:
        weights = [
            share * exp(0.5 * severity * tilt)
            for share, tilt in zip((0.3, 0.25, 0.2, 0.15, 0.1), (-1, -0.5, 0, 0.5, 1), strict=True)
        ]
        return float(rng.choices(NON_CRIME_HARMS.tolist(), weights)[0])
    if not KINDS[kind].codes:
        return 0.0
    offence = index.lookup(rng.choice(KINDS[kind].codes))
    assert offence is not None
    return offence.harm


def _nominal(rng: Random, latents: Latents, person: int, zero: int, end: int) -> Life:
    world, people, acts = latents.world, latents.people, latents.acts
    rows = np.flatnonzero((acts.person == person) & (acts.day <= zero))
    mine = [(int(acts.day[row]), int(acts.kind[row]), bool(acts.partner[row])) for row in rows]
    past = [day for day, kind, _ in mine if kind in CONDUCT]
    chain, ahead = list(past), []
    while chain:
        day = chain.pop()
        for _ in range(poisson(rng, world.stalking_repeats)):
            born = day + int(rng.expovariate(1 / world.stalking_repeat_days))
            if zero < born <= end:
                chain.append(born)
                ahead.append(born)
    silent = max(day for day, _, _ in mine) <= max(past)
    stop = max([*past, *ahead]) if rng.random() < world.stopping_share else end
    stop = end if stop <= zero and not silent else stop
    life = Life(rng, world, _traits(people, person), zero, end, world.excitement, stop, {}, others=False)
    life.spells = {0: _spells(latents.casework.imprisoned[rows], latents.casework.released[rows])}
    for day in ahead:
        renamed = rng.random() < (world.reclassified_after_2020 if day >= GUIDANCE else world.reclassified_before_2020)
        partner = renamed or rng.random() < (0.55 if people.has_partner[person] else 0.05)
        life.push(day, life.level(day), partner=partner, kind=RECLASSIFIED if renamed else STALKING)
    return _onwards(life, mine, end)


def _exposed(rng: Random, latents: Latents, row: int, zero: int, end: int) -> Life:
    suffered = latents.exposed.suffered
    rows = np.flatnonzero((suffered.acts.person == row) & (suffered.acts.day <= zero))
    acts, casework = suffered.acts.take(rows), suffered.casework.take(rows)
    traits = _traits(latents.exposed.people, row)
    life = Life(rng, latents.world, traits, zero, end, 0.6, end, {}, others=True)
    for doer in np.unique(suffered.by[rows]).tolist():
        own = suffered.by[rows] == doer
        life.spells[doer] = _spells(casework.imprisoned[own], casework.released[own])
    return _onwards(life, list(zip(acts.day.tolist(), acts.kind.tolist(), acts.partner.tolist(), strict=True)), end)


def _traits(people: People, row: int) -> dict[str, float]:
    names = ("career_start", "later_escalation", "later_log_rate", "has_partner")
    return {name: float(getattr(people, name)[row]) for name in names}


def _onwards(life: Life, past: list[tuple[int, int, bool]], end: int) -> Life:
    for day, kind, partner in past:
        life.children(day, kind, partner)
    life.own_accord()
    life.go_on(end)
    return life


def _spells(begin: np.ndarray, until: np.ndarray) -> list[tuple[int, int]]:
    return [(int(one), int(two)) for one, two in zip(begin, until, strict=True) if one < NEVER]
