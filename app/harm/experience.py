"""Is a record like those the model learnt from? Sixteen measures of a record, held against the population.

Two questions (ours; the report has none). Does a measure lie outside everything seen? And is the record as a whole
unlike those of about as many incidents: each band of record lengths has a mean and a precision matrix of the measures
(Mahalanobis distance), and thresholds that few of the population exceed. Distance finds records odd in many ways at
once, the largest deviation finds the one measure that does not go with the rest.
Gender is not among the measures: being of a rare gender is no oddity of a record.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.harm.features import COLUMN, FEATURES, ROWS, Features, Floats
from app.harm.oddities import WARNINGS
from app.harm.robustness import Experience

_PHRASES = {
    "age": "age at the index incident ({} years)",
    "days_covered": "days that the latest incidents cover ({})",
    "incidents_in_30_days": f"of the {ROWS} latest incidents, those in the 30 days up to day zero ({{}})",
    "days_since_previous": "days between the index incident and the one before ({})",
    "index_harm": "harm of the index incident ({} days)",
    "highest_harm": "harm of the most harmful incident ({} days)",
    "total_harm": "harm on the whole record ({} days)",
    "decayed_harm": "recent harm ({} days)",
    "custody": "custody appearances ({})",
    "harassment": "harassment among the latest incidents ({})",
    "violent": "violence among the latest incidents ({})",
    "sexual": "sexual offences among the latest incidents ({})",
    "stalking": "stalking among the latest incidents ({})",
    "domestic": "domestic ones among the latest incidents ({})",
    "offender": "latest incidents as an offender ({})",
    "victim_contacts": "the index victim's contacts with the force ({})",
}
MEASURES = tuple(_PHRASES)
BANDS = ((1, 1), (2, 4), (5, 9), (10, 19), (ROWS, ROWS))
"""Shortest and longest record, in rows, of each band; within one, records are alike enough for one mean and one spread."""
RECENT_DAYS = 30
_NAMED = 2
_ROOM = 1e-6  # machines compute a logarithm alike to the last digit or so
_AGE, _DAYS, _HARM = (COLUMN[name] for name in ("age_at_offence", "days_to_day_zero", "harm_score"))
_FROM_INDEX_ROW = {
    "days_since_previous": "days_since_previous",
    "index_harm": "harm_score",
    "total_harm": "cumulative_harm",
    "decayed_harm": "cumulative_harm_decayed",
    "custody": "custody_count",
    "victim_contacts": "victim_contacts",
}
_INDEX = np.array([COLUMN[name] for name in _FROM_INDEX_ROW.values()])
_PLACES = np.array([MEASURES.index(name) for name in _FROM_INDEX_ROW])
_COUNTED = slice(COLUMN["is_harassment"], COLUMN["is_offender"] + 1)  # six flags side by side, in the order of measures
_COUNTS = slice(MEASURES.index("harassment"), MEASURES.index("offender") + 1)
_LONGEST = np.array([longest for _, longest in BANDS])
_LIKE_NONE = "This record is unlike those the model learnt from, so the estimates are unsure."


class Measured(NamedTuple):
    """`values` (N, 16) as `MEASURES`: years for age, log(1 + value) for all others; `rows` (N,) incidents shown, 1 to 20."""

    values: Floats
    rows: NDArray[np.int64]


def measures(x: Features) -> Measured:
    """The measures of N records, features (N, 20, 19)."""
    shown = x.any(axis=2)
    days = x[:, :, _DAYS]
    plain = np.empty((len(x), len(MEASURES)))
    plain[:, 1] = days.max(axis=1)
    plain[:, 2] = (shown & (days <= RECENT_DAYS)).sum(axis=1)
    plain[:, 5] = x[:, :, _HARM].max(axis=1)
    plain[:, _PLACES] = x[:, -1, _INDEX]
    plain[:, _COUNTS] = x[:, :, _COUNTED].sum(axis=1)
    np.log1p(plain[:, 1:], out=plain[:, 1:])
    plain[:, 0] = x[:, -1, _AGE]
    rows = shown.sum(axis=1)
    return Measured(plain, rows)


class Deviations(NamedTuple):
    """How N records differ from their bands: `distance` (N,) squared Mahalanobis; `largest` (N,) the largest deviation
    of one measure from what the others let expect, in standard deviations; `shares` (N, 16) parts of `distance`."""

    distance: Floats
    largest: Floats
    shares: Floats


def deviations(values: Floats, mean: Floats, precision: Floats) -> Deviations:
    """Of measures (N, 16) from one band's `mean` (16,), `precision` (16, 16)."""
    off = values - mean
    weighed = off @ precision
    shares = off * weighed
    # Given all others, measure i varies by 1 / precision_ii round what they let expect (Gaussian conditioning).
    return Deviations(
        shares.sum(axis=1), np.abs(weighed / np.sqrt(precision.diagonal())).max(axis=1), np.asarray(shares)
    )


def band_of(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number of the band in `BANDS` for records of so many rows, (N,)."""
    return np.asarray(np.searchsorted(_LONGEST, rows), dtype=np.int64)


class Familiar:
    """What an artefact of format 2 has seen."""

    def __init__(self, told: Experience) -> None:
        self._lowest, self._highest = np.asarray(told.lowest) - _ROOM, np.asarray(told.highest) + _ROOM
        self._bands = [
            (np.asarray(band.mean), np.asarray(band.precision), band.distance, band.deviation) for band in told.bands
        ]

    def odd(self, x: Features) -> NDArray[np.bool_]:
        """Which of N records (N, 20, 19) are unlike those learnt from, (N,)."""
        found = measures(x)
        odd = np.asarray(((found.values < self._lowest) | (found.values > self._highest)).any(axis=1), dtype=np.bool_)
        bands = band_of(found.rows)
        for number in set(bands.tolist()):
            here = bands == number
            _, over = self._deviations(found.values[here], number)
            odd[here] |= over
        return odd

    def warning(self, x: Features) -> str | None:
        """Why one record (1, 20, 19) is unlike those learnt from, its most unusual measures named; None if it is not."""
        values, rows = measures(x)
        beyond = np.flatnonzero((values[0] < self._lowest) | (values[0] > self._highest))
        found, over = self._deviations(values, int(band_of(rows)[0]))
        if not over[0] and not len(beyond):
            return None
        told = [f"Beyond all of them: {_listed(values[0], beyond)}."] if len(beyond) else []
        if over[0]:
            most = np.argsort(-found.shares[0], kind="stable")[:_NAMED]
            told.append(f"Most unusual, beside records of about as many incidents: {_listed(values[0], most)}.")
        return " ".join([_LIKE_NONE, *told])

    def _deviations(self, values: Floats, band: int) -> tuple[Deviations, NDArray[np.bool_]]:
        mean, precision, distance, deviation = self._bands[band]
        found = deviations(values, mean, precision)
        return found, np.asarray((found.distance > distance) | (found.largest > deviation))


class Ranges:
    """What an artefact of format 1 has seen: the range of each feature in the index row."""

    def __init__(self, percentiles: dict[str, tuple[float, ...]]) -> None:
        # A hair's breadth of room: the ends are rounded in the manifest.
        ends = [(percentiles[name][0], percentiles[name][-1]) for name in FEATURES]
        self._lowest = np.array([low - 1e-3 * abs(low) - 1e-6 for low, _ in ends])
        self._highest = np.array([high + 1e-3 * abs(high) + 1e-6 for _, high in ends])

    def odd(self, x: Features) -> NDArray[np.bool_]:
        """Which of N records (N, 20, 19) are outside the ranges, (N,)."""
        return np.asarray(self._outside(x[:, -1]).any(axis=1))

    def warning(self, x: Features) -> str | None:
        """Which features of one record (1, 20, 19) are outside; None where none is."""
        outside = [FEATURES[column] for column in np.flatnonzero(self._outside(x[0, -1]))]
        if not outside:
            return None
        return f"{WARNINGS['out-of-distribution']} Outside: {', '.join(outside)}."

    def _outside(self, index: Features) -> NDArray[np.bool_]:
        return np.asarray((index < self._lowest) | (index > self._highest))


def _listed(values: Floats, which: Sequence[int] | NDArray[np.int64]) -> str:
    """Measures with their figures, in plain words."""
    figures = {int(at): values[at] if at == 0 else np.expm1(values[at]) for at in which}
    return "; ".join(_PHRASES[MEASURES[at]].format(f"{figure:,.0f}") for at, figure in figures.items())
