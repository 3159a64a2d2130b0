"""A history as a few sums instead of incident by incident: what a force would put into a spreadsheet.

Two forms: totals over the whole known history, and the report's first approach (section 3.2), four half-years before
day zero and everything earlier. Nothing here feeds the stack.
"""

from typing import NamedTuple

import numpy as np

from app.harm.features import CLASSES, COLUMN, DAYS_A_YEAR, OFFENDER, Features, Floats, Histories, Ints

HALF_YEAR_DAYS = DAYS_A_YEAR / 2
WINDOWS = 5
"""Four half-years, the latest first, and everything before them."""


class _Known(NamedTuple):
    """Incidents of N nominals as columns: owner, days before day zero, harm, and 0/1 columns to be counted."""

    owner: Ints
    ago: Ints
    harm: Floats
    kinds: Floats


KINDS = ("incidents", *CLASSES, "as_offender")
_PERSONAL = ("age_at_offence", "custody_count", "victim_contacts", "gender")


def totals(histories: Histories, x: Features) -> Floats:
    """(N, 16): counts of `KINDS`, harm in all, worst harm, harm and incidents of the last year, years since the first
    incident; age, custody, contacts and gender of the index row of `x` (N, 20, 19). Counts and harms as logarithms."""
    known = _known(histories)
    count = len(histories.day_zero)
    recent = known.ago <= DAYS_A_YEAR
    worst, first = np.zeros(count), np.zeros(count)
    np.maximum.at(worst, known.owner, known.harm)
    np.maximum.at(first, known.owner, known.ago / DAYS_A_YEAR)
    columns = [
        *_sums(known.owner, known.kinds, count).T,
        _sums(known.owner, known.harm[:, None], count)[:, 0],
        worst,
        _sums(known.owner, (known.harm * recent)[:, None], count)[:, 0],
        _sums(known.owner, recent[:, None].astype(np.float64), count)[:, 0],
        first,
    ]
    return np.column_stack([np.log1p(np.column_stack(columns)), personal(x)])


def windows(histories: Histories, x: Features) -> Floats:
    """(N, 5 * 9 + 4): in each window counts of `KINDS`, harm in all and worst harm; then the personal columns."""
    known = _known(histories)
    count = len(histories.day_zero)
    window = np.minimum((known.ago / HALF_YEAR_DAYS).astype(np.int64), WINDOWS - 1)
    place = known.owner * WINDOWS + window
    worst = np.zeros(count * WINDOWS)
    np.maximum.at(worst, place, known.harm)
    sums = _sums(place, np.column_stack([known.kinds, known.harm]), count * WINDOWS)
    table = np.column_stack([sums, worst]).reshape(count, -1)
    return np.column_stack([table, personal(x)])


def personal(x: Features) -> Floats:
    """Age, custody appearances, victim's contacts and gender at the index incident, (N, 4)."""
    return x[:, -1, [COLUMN[name] for name in _PERSONAL]].astype(np.float64)


def _known(histories: Histories) -> _Known:
    incidents = histories.incidents
    kinds = np.column_stack([np.ones(len(incidents.day)), incidents.classes, incidents.role == OFFENDER])
    return _Known(
        incidents.nominal,
        histories.day_zero[incidents.nominal] - incidents.day,
        incidents.harm,
        kinds.astype(np.float64),
    )


def _sums(place: Ints, values: Floats, count: int) -> Floats:
    """Column sums of values (M, K) by place, (count, K)."""
    return np.column_stack([np.bincount(place, weights=column, minlength=count) for column in values.T])
