"""Many nominals as columns: every figure and code of an answer, without its words and without a request for each.

What is asked of features, models and rules is what `service.py` asks; only who stands in which row is kept differently.
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.harm.features import Features, Floats, Histories, Ints, Nominals, features
from app.harm.incidents import Flags
from app.harm.model import HarmModel, Probabilities
from app.harm.oddities import WARNINGS, Facts, oddities
from app.harm.survival import MARKS, half_days
from app.harm.uncharged import both_ways, earlier_uncharged

UNFAMILIAR = "out-of-distribution"


@dataclass(frozen=True)
class Known:
    """N nominals on the day `as_of` (days since 1970-01-01), each with a day zero within the year before it.

    `received` (N,) incidents told of each; of the M in `histories`, `inferred` (M,) those whose harm was read out of
    their log, `approximate` (M,) those where it is a median, `assumed` (M,) those that nobody scored, `placeholder` (M,) those
    dated 1 January; `contacts_unknown` (N,).
    """

    as_of: int
    histories: Histories
    nominals: Nominals
    received: Ints
    inferred: Flags
    approximate: Flags
    assumed: Flags
    placeholder: Flags
    contacts_unknown: Flags


class Without(NamedTuple):
    """Each of N nominals without their earlier uncharged `incidents` (N,); where there are none, as they are."""

    incidents: Ints
    population: Probabilities
    predicted: Ints


class Figures(NamedTuple):
    """What an answer says of each of N nominals.

    `day_zero`, incidents `received` and `used`, `predicted` group 0..3 and `median` (N,), -1 where it is not within the year;
    `balanced` and `population` (N, 4); `marks` (N, 4), the curve on `MARKS`; `conformal` bool (N, 4), None where the artefact
    has no thresholds; `warnings` bool (N, W) as `WARNINGS`; `input_sha256` of each one's features as little-endian float32.
    """

    day_zero: Ints
    received: Ints
    used: Ints
    balanced: Probabilities
    population: Probabilities
    predicted: Ints
    without: Without
    conformal: Flags | None
    marks: Floats
    median: Ints
    warnings: Flags
    input_sha256: list[bytes]


def figures(model: HarmModel, known: Known) -> Figures:
    """Score N nominals."""
    both = both_ways(known.histories, known.nominals)
    tables = features(both.histories, both.nominals, unknown_age=model.bundle.manifest.index_age_median)
    count = len(known.histories.day_zero)
    groups, own = model.groups(tables), tables[:count]
    predicted = model.decide(groups.probabilities)
    marks, median = _curves(model, own)
    again = np.arange(count)
    again[both.of] = np.arange(count, len(tables))
    uncharged = known.histories.incidents.nominal[earlier_uncharged(known.histories)]
    return Figures(
        day_zero=known.histories.day_zero,
        received=known.received,
        used=known.histories.lengths,
        balanced=groups.probabilities[:count],
        population=groups.population[:count],
        predicted=predicted[:count],
        without=Without(np.bincount(uncharged, minlength=count), groups.population[again], predicted[again]),
        conformal=model.conformal_sets(groups.probabilities[:count], predicted[:count]),
        marks=marks,
        median=median,
        warnings=_warnings(known, model.experience.odd(own)),
        input_sha256=_digests(own),
    )


def _curves(model: HarmModel, tables: Features) -> tuple[Floats, Ints]:
    """The curve of each on `MARKS`, (N, 4), and the day on which it is one half, (N,)."""
    marks, median = zip(*((curves[:, MARKS], half_days(curves)) for curves in model.curves(tables)), strict=True)
    return np.concatenate(marks), np.concatenate(median)


def _warnings(known: Known, odd: NDArray[np.bool_]) -> Flags:
    """Which codes hold for whom, (N, W)."""
    history, count = known.histories, len(known.received)
    owner, day = history.incidents.nominal, history.incidents.day
    begins = np.zeros(len(owner), dtype=np.bool_)
    begins[history.starts[:-1]] = True
    another_day = begins | (np.diff(day, prepend=0) != 0)  # in history order days never fall
    facts = Facts(
        used=history.lengths,
        days=np.bincount(owner[another_day], minlength=count),
        placeholder=_any(known.placeholder, owner, count),
        contacts_unknown=known.contacts_unknown,
        birth_unknown=np.isnan(known.nominals.birth_day),
        inferred=_any(known.inferred, owner, count),
        approximate=_any(known.approximate, owner, count),
        assumed=_any(known.assumed, owner, count),
        left_out=history.lengths < known.received,
        age=known.as_of - history.day_zero,
    )
    found = oddities(facts) | {UNFAMILIAR: odd}
    return np.column_stack([found[code] for code in WARNINGS])


def _any(flags: Flags, owner: Ints, count: int) -> Flags:
    found = np.zeros(count, dtype=np.bool_)
    found[owner[flags]] = True
    return found


def _digests(tables: Features) -> list[bytes]:
    rows = np.ascontiguousarray(tables, dtype="<f4")
    return [sha256(row).digest() for row in rows]
