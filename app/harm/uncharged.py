"""What an estimate rests on accusations: the same record scored without its earlier uncharged incidents.

Uncharged is an incident on which the nominal is recorded as suspect. The index incident and day zero stay, whatever the
role in it; so do custody appearances, which name no incident. Features of records with and without come out of one pass.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from app.harm.answers import WithoutUncharged
from app.harm.features import SUSPECT, Histories, Ints, Nominals
from app.harm.incidents import Flags
from app.harm.model import Verdict
from app.harm.perspective_words import WORDS
from app.harm.subject import Perspective
from app.harm.wording import percent, points


class BothWays(NamedTuple):
    """N nominals as they are and behind them W of them without their earlier uncharged incidents.

    `of` int64 (W,) whom; `left_out` int64 (W,) how many incidents, at least one.
    """

    histories: Histories
    nominals: Nominals
    of: Ints
    left_out: Ints


def earlier_uncharged(known: Histories) -> Flags:
    """Which incidents of N histories, bool (incidents,), are earlier ones that nobody was charged with."""
    found: Flags = known.incidents.role == SUSPECT
    found[known.starts[1:][known.lengths > 0] - 1] = False
    return found


def both_ways(known: Histories, nominals: Nominals) -> BothWays:
    """Each of N nominals, and again without earlier uncharged incidents whoever has any."""
    uncharged = earlier_uncharged(known)
    owner, count = known.incidents.nominal, len(known.day_zero)
    left_out = np.bincount(owner[uncharged], minlength=count)
    (of,) = left_out.nonzero()
    if not len(of):
        return BothWays(known, nominals, of, of)
    again = np.full(count, -1)
    again[of] = count + np.arange(len(of))
    second = again[owner]
    (kept,) = (~uncharged & (second >= 0)).nonzero()
    rows = np.concatenate([np.arange(len(owner)), kept])
    number = np.concatenate([owner, second[kept]])
    ends = np.bincount(number, minlength=count + len(of)).cumsum()
    starts = np.concatenate([known.starts[:1], ends])
    histories = Histories(
        incidents=replace(known.incidents.take(rows), nominal=number),
        starts=starts,
        day_zero=np.concatenate([known.day_zero, known.day_zero[of]]),
        source=known.source[rows],
    )
    return BothWays(histories, _repeated(nominals, np.concatenate([np.arange(count), of]), again), of, left_out[of])


def _repeated(nominals: Nominals, rows: Ints, again: Ints) -> Nominals:
    """The nominals in `rows`; `again` (N,) is the second number of each, -1 where there is none."""
    second = again[nominals.custody_nominal]
    has = second >= 0
    return Nominals(
        birth_day=nominals.birth_day[rows],
        gender=nominals.gender[rows],
        victim_contacts=nominals.victim_contacts[rows],
        custody_nominal=np.concatenate([nominals.custody_nominal, second[has]]),
        custody_day=np.concatenate([nominals.custody_day, nominals.custody_day[has]]),
    )


def without_uncharged(
    perspective: Perspective, verdict: Verdict, without: tuple[int, Verdict] | None
) -> WithoutUncharged:
    """What is said beside the `verdict` on a nominal; `without` how many earlier uncharged incidents there are and the verdict
    on the record less them, None where there are none."""
    value = verdict.population[-1]
    if without is None:
        return WithoutUncharged(
            incidents=0,
            population_probabilities=verdict.population,
            predicted_group=verdict.predicted,
            difference_points=0.0,
            statement=WORDS[perspective].no_accusation,
        )
    incidents, other = without
    changed = other.population[-1]
    return WithoutUncharged(
        incidents=incidents,
        population_probabilities=other.population,
        predicted_group=other.predicted,
        difference_points=100 * (changed - value),
        statement=_told(incidents, value, changed, verdict.predicted, other.predicted),
    )


def _told(count: int, value: float, without: float, group: str, other: str) -> str:
    incidents = "the earlier incident" if count == 1 else f"the {count} earlier incidents"
    group_told = f"stay {group}" if other == group else f"be {other} instead of {group}"
    return (
        f"Without {incidents} in which the nominal is recorded as suspect and was not charged, the estimate for the highest "
        f"group would be {percent(without)} instead of {percent(value)} ({points(without - value)}), and the predicted "
        f"group would {group_told}."
    )
