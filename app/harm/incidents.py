"""What each earlier incident adds to an estimate: what if it were not on the record?

A coalition keeps some of the earlier incidents and computes the features again, so that each is a record that could
exist. The index incident and day zero always stay; order, birth, custody and contacts are those of the full record.
Nothing is sampled: the ten most recent earlier incidents and all older ones together make at most 2^11 records.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from app.harm.features import Features, Histories, Ints, Nominals, features
from app.harm.history import Case
from app.harm.model import HarmModel
from app.harm.shapley import Floats, coalitions, shapley_values
from app.harm.targets import TARGETS, Answers, Target

RECENT = 10
# Incidents and custody appearances of all records held at once; bounds memory for histories of thousands.
_ENTRIES_A_BLOCK = 1 << 18

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class IncidentEffects:
    """Of P players, the most recent first: which incidents each stands for, and what it adds.

    `players` history positions, oldest first, one array a player; `contributions` (P, K) to each number of a target;
    `answers` of all 2**P records in the order of `coalitions`, the index incident alone first, the full record last.
    """

    players: list[Ints]
    contributions: Floats
    answers: Answers

    @property
    def ends(self) -> Floats:
        """Values of the index incident alone, then of the full record, (2, K)."""
        return self.answers.values[[0, -1]]

    @property
    def without(self) -> Floats:
        """The first number with just this player left out, (P,)."""
        full = len(self.answers.values) - 1
        return self.answers.values[[full ^ 1 << player for player in range(len(self.players))], 0]


def incident_effects(
    model: HarmModel, case: Case, shown: Features, target: Target = TARGETS["harm"]
) -> IncidentEffects:
    """Exact Shapley values of the earlier incidents of one nominal; `shown` float32 (1, 20, 19) its own features.

    The full record takes the value `/score` gives, so that the contributions add up to the number shown.
    """
    players = players_of(len(case.order) - 1)
    subsets = coalitions(len(players))
    kept = np.ones((len(subsets), len(case.order)), dtype=np.bool_)
    for player, incidents in enumerate(players):
        kept[:, incidents] = subsets[:, player, None]
    answers = _answers(model, _features_of(model, case, kept), target, target.answers(model, shown))
    return IncidentEffects(players, shapley_values(answers.values, len(players)), answers)


def players_of(earlier: int) -> list[Ints]:
    """History positions each player stands for, of `earlier` incidents before the index incident.

    One player for each of the ten most recent, latest first, and one for all older ones where there are any.
    """
    older = max(earlier - RECENT, 0)
    recent = [np.array([position]) for position in range(earlier - 1, older - 1, -1)]
    return [*recent, np.arange(older)] if older else recent


def _features_of(model: HarmModel, case: Case, kept: Flags) -> Features:
    """Features of each record in `kept`, bool (C, incidents) -> float32 (C, 20, 19)."""
    entries = kept.shape[1] + len(case.nominals.custody_day)
    step = max(1, _ENTRIES_A_BLOCK // entries)
    age = model.bundle.manifest.index_age_median
    blocks = [kept[first : first + step] for first in range(0, len(kept), step)]
    found = [
        features(_records(case.histories, block), _repeated(case.nominals, len(block)), unknown_age=age)
        for block in blocks
    ]
    return np.concatenate(found)


def _records(known: Histories, kept: Flags) -> Histories:
    """One history for each row of `kept`: what is left of a history in order is in order."""
    record, position = np.nonzero(kept)
    starts = np.zeros(len(kept) + 1, dtype=np.int64)
    np.cumsum(kept.sum(axis=1), out=starts[1:])
    incidents = replace(known.incidents.take(position), nominal=record)
    return Histories(incidents, starts, np.repeat(known.day_zero, len(kept)), position)


def _repeated(one: Nominals, count: int) -> Nominals:
    """The same nominal `count` times."""
    return Nominals(
        birth_day=np.repeat(one.birth_day, count),
        gender=np.repeat(one.gender, count),
        victim_contacts=np.repeat(one.victim_contacts, count),
        custody_nominal=np.repeat(np.arange(count), len(one.custody_day)),
        custody_day=np.tile(one.custody_day, count),
    )


def _answers(model: HarmModel, records: Features, target: Target, shown: Answers) -> Answers:
    """Answers for C records; the last is the full record and takes those `shown`, of one record.

    Records that are the same to the model are asked about once: interchangeable incidents then get the same share,
    and one that changes nothing gets exactly none.
    """
    first_seen: dict[bytes, int] = {}
    same_as = np.array([first_seen.setdefault(record.tobytes(), row) for row, record in enumerate(records)])
    asked = np.unique(same_as)
    found = target.answers(model, records[asked])
    place = np.searchsorted(asked, same_as)
    for own, given in zip(found, shown, strict=True):
        if own is not None and given is not None:
            own[place[-1]] = given[0]
    return Answers(found.values[place], None if found.groups is None else found.groups[place])
