"""The named rules for dirty rows: each takes columns, says which rows go or change, and how many."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.harm.features import NO_DAY, Ints

Flags = NDArray[np.bool_]
Counts = dict[str, int]
"""Rows a rule met, by name of the rule."""

OFFENDER_ROLE, SUSPECT_ROLE, ELIMINATED_ROLE, VICTIM_ROLE = 1, 2, 3, 4
ROLES = {
    "offender": OFFENDER_ROLE,
    "suspect": SUSPECT_ROLE,
    "suspect_eliminated": ELIMINATED_ROLE,
    "victim": VICTIM_ROLE,
}
STRENGTH: Ints = np.array([9, 0, 2, 1, 3])
"""By role code, strongest 0: offender, suspect_eliminated, suspect, victim. Elimination stands above suspicion (ours):
it is the later news about the same suspicion, and a stray suspect row must not bring a cleared person back."""
UNSCORED_DOMESTIC_HARM = 3.0
"""Days for a domestic non-crime nobody scored (ours): the middle of the five possible scores 1, 2, 3, 5 and 10."""
YEARS_LATE_DAYS = 365
_SALTS = (0x9E3779B97F4A7C15, 0xD1B54A32D192ED03)


def repeated_rows(columns: list[NDArray[np.generic]]) -> Flags:
    """True for every row equal in all columns to an earlier row. Float columns: NaN equals NaN."""
    keys = [column.view(np.int64) if column.dtype == np.float64 else column for column in columns]
    mixed = np.zeros(len(keys[0]), dtype=np.uint64)
    for number, key in enumerate(keys):
        mixed = _scrambled(mixed.view(np.int64) ^ key.astype(np.int64), _SALTS[0] + 2 * number)
    few = _shared(mixed)  # of millions of rows only these can be equal to others
    keys = [key[few] for key in keys]
    order = np.lexsort(keys[::-1])
    same = np.ones(max(len(order) - 1, 0), dtype=np.bool_)
    for key in keys:
        ordered = key[order]
        same &= ordered[1:] == ordered[:-1]
    repeated = np.zeros(len(mixed), dtype=np.bool_)
    repeated[few[order[1:]]] = same
    return repeated


def _shared(keys: NDArray[Any]) -> Ints:
    """Rows whose key another row has too, rising."""
    order = np.argsort(keys)
    again = keys[order[1:]] == keys[order[:-1]]
    shared = np.zeros(len(keys), dtype=np.bool_)
    shared[order[1:]] = again
    shared[order[:-1]] |= again
    return np.flatnonzero(shared)


def weaker_roles(incident: Ints, person: Ints, role: NDArray[np.int8], charged: Ints, eliminated: Ints) -> Flags:
    """True for all but the strongest row of one person on one incident; of equals the one with the earliest dates."""
    several = _shared(incident << 32 | person)
    weaker = np.zeros(len(incident), dtype=np.bool_)
    incident, person, role = incident[several], person[several], role[several]
    earliest = [
        np.where(days == NO_DAY, np.iinfo(np.int64).max, days) for days in (eliminated[several], charged[several])
    ]
    order = np.lexsort((*earliest, STRENGTH[role], person, incident))
    again = (np.diff(incident[order]) == 0) & (np.diff(person[order]) == 0)
    weaker[several[order[1:]]] = again
    return weaker


def recorded_twice(what: list[NDArray[np.generic]], incident: Ints, person: Ints, count: int) -> Flags:
    """True, (count,), for every incident that repeats an earlier one: same people, and equal in every column of `what`.

    Incidents are in the order of their ids, so the first by id stays. Those with nobody on them are left alone.
    """
    company = np.zeros((3, count), dtype=np.uint64)
    np.add.at(company[0], incident, np.uint64(1))
    np.add.at(company[1], incident, _scrambled(person, _SALTS[0]))
    np.bitwise_xor.at(company[2], incident, _scrambled(person, _SALTS[1]))
    again: Flags = repeated_rows([*what, *company]) & (company[0] > 0)
    return again


def placeholders(days: Ints) -> Flags:
    """Dates of 1 January, which often stand for an unknown day of the year (report, section 2.1)."""
    dates = days.astype("datetime64[D]")
    return np.asarray(dates == dates.astype("datetime64[Y]").astype("datetime64[D]"))


def _scrambled(numbers: Ints, salt: int) -> NDArray[np.uint64]:
    """A fixed 64-bit scramble, so that sums of it tell sets of people apart."""
    value = (numbers.astype(np.uint64) + np.uint64(1)) * np.uint64(salt)
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(value ^ (value >> np.uint64(31)))
