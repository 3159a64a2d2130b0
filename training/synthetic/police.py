"""What the police make of what people do: recording, charging, elimination and imprisonment, each late and noisy."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.harm.features import Floats, Ints
from training.synthetic.offences import GRADE
from training.synthetic.people import People
from training.synthetic.process import Acts
from training.synthetic.world import World

NEVER = np.iinfo(np.int64).max
_RECORDING_DELAYS = ((0.72, 0.6), (0.20, 12.0), (0.065, 150.0), (0.015, 1200.0))
"""Shares of incidents and their mean delay in days between event and recording; the last are years late."""
_FIRST_DAY_IN_PRISON = 1


@dataclass(frozen=True)
class Casework:
    """Columns over acts (M,): day of recording, charge and elimination, `NEVER` where it does not come to that;
    prison spell `[imprisoned, released)`, both `NEVER` where there is none."""

    recorded: Ints
    charged: Ints
    eliminated: Ints
    imprisoned: Ints
    released: Ints

    def take(self, rows: Ints) -> "Casework":
        """The given rows."""
        return Casework(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


def work(rng: np.random.Generator, people: People, acts: Acts, world: World, end: int) -> Casework:
    """Draw the casework of every act as if it came to notice; what falls after `end` has not happened yet."""
    count = len(acts)
    recorded = acts.day + _recording_delay(rng, count)
    recorded[rng.random(count) >= _recorded_share(people, acts, world)] = NEVER
    recorded[recorded > end] = NEVER

    outcome = rng.random(count)
    charge_share = np.where(acts.stalking, world.stalking_charged_share, world.charged_share)
    known = recorded < NEVER
    charge_delay = 1 + np.floor(rng.lognormal(np.log(world.charge_days), 1.0, count)).astype(np.int64)
    charged = _later(recorded, charge_delay, known & (outcome < charge_share), end)
    elimination_delay = np.floor(rng.exponential(world.elimination_days, count)).astype(np.int64)
    is_eliminated = known & (outcome > 1.0 - world.eliminated_share)
    eliminated = _later(recorded, elimination_delay, is_eliminated, end)

    grade = GRADE[acts.kind]
    jailed = (charged < NEVER) & (rng.random(count) < 0.7 / (1.0 + np.exp(-4.0 * (grade - 0.7))))
    imprisoned = _later(charged, np.floor(rng.exponential(20.0, count)).astype(np.int64), jailed, end)
    length = rng.lognormal(np.log(40.0 + 250.0 * np.maximum(grade, 0.0)), 0.6)
    released = _later(imprisoned, 7 + np.floor(length).astype(np.int64), imprisoned < NEVER, NEVER - 1)
    return Casework(recorded, charged, eliminated, imprisoned, released)


def drop_acts_in_prison(acts: Acts, casework: Casework) -> NDArray[np.bool_]:
    """Which acts happen at all, (M,): none from inside prison, nor any excited by one that did not happen.

    Spells are served in the order they begin; a spell whose offence turns out not to have happened is not served.
    """
    happens = np.ones(len(acts), dtype=np.bool_)
    order = np.lexsort((casework.imprisoned, acts.person))
    spells = order[casework.imprisoned[order] < NEVER]
    turn = _turns(acts.person[spells])
    by_person = np.argsort(acts.person, kind="stable")
    starts = np.searchsorted(acts.person[by_person], np.arange(acts.person.max(initial=-1) + 2))
    for served in range(int(turn.max(initial=-1)) + 1):
        spell = spells[(turn == served)]
        spell = spell[happens[spell]]
        owner = acts.person[spell]
        counts = starts[owner + 1] - starts[owner]
        offset = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        rows = by_person[np.repeat(starts[owner], counts) + offset]
        begin = np.repeat(casework.imprisoned[spell], counts)
        inside = (acts.day[rows] >= begin + _FIRST_DAY_IN_PRISON) & (
            acts.day[rows] < np.repeat(casework.released[spell], counts)
        )
        happens[rows[inside]] = False
        _spread(happens, acts.parent)
    return happens


def _spread(happens: NDArray[np.bool_], parent: Ints) -> None:
    """What did not happen excites nothing."""
    children = np.flatnonzero(parent >= 0)
    while (orphans := children[happens[children] & ~happens[parent[children]]]).size:
        happens[orphans] = False


def _turns(person: Ints) -> Ints:
    """0, 1, 2... within each run of equal persons."""
    first = np.flatnonzero(np.diff(person, prepend=-1))
    return np.arange(len(person)) - np.repeat(first, np.diff(first, append=len(person)))


def _recorded_share(people: People, acts: Acts, world: World) -> Floats:
    """Chance of each act to be recorded; the conduct that makes someone a nominal at all always is."""
    odds = np.log(world.recorded_share / (1.0 - world.recorded_share))
    odds = odds + world.ethnicity_recording_gap * (people.ethnicity[acts.person] > 0)
    share = 1.0 / (1.0 + np.exp(-odds))
    first = (acts.day == people.onset[acts.person]) & world.is_conduct(acts.kind)
    return np.where(first, 1.0, share)


def _recording_delay(rng: np.random.Generator, count: int) -> Ints:
    shares, means = np.array(_RECORDING_DELAYS).T
    place = np.searchsorted(np.cumsum(shares), rng.random(count) * shares.sum())
    delay: Ints = np.floor(rng.exponential(means[place])).astype(np.int64)
    return delay


def _later(start: Ints, delay: Ints, comes: NDArray[np.bool_], end: int) -> Ints:
    """start + delay where it comes and is not after `end`, `NEVER` elsewhere."""
    day = np.full(len(start), NEVER)
    day[comes] = start[comes] + delay[comes]
    day[day > end] = NEVER
    return day
