"""What an extract lets one know on a day: roles as they stood then, incidents as history columns, a victim's contacts.

Training asks on the day each index incident was recorded, bulk scoring on the day one scores for.
"""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from app.extract.load import Extract
from app.extract.rules import ELIMINATED_ROLE, OFFENDER_ROLE, VICTIM_ROLE
from app.harm.features import NO_DAY, OFFENDER, SUSPECT, VICTIM, Floats, Incidents, Ints
from app.harm.subject import Perspective


def roles_known(extract: Extract, day: Ints | int) -> NDArray[np.int8]:
    """Role of each involvement as known at the end of `day` (one day or (V,)): OFFENDER, SUSPECT, 0 for none.

    Suspect until charged; gone once eliminated; an elimination without a date counts as always known (ours).
    """
    gone = (extract.eliminated != NO_DAY) & (extract.eliminated <= day)
    gone |= (extract.role == ELIMINATED_ROLE) & (extract.eliminated == NO_DAY)
    charged_then = (extract.charged != NO_DAY) & (extract.charged <= day)
    offender = charged_then | ((extract.role == OFFENDER_ROLE) & (extract.charged == NO_DAY))
    role = np.where(offender, OFFENDER, SUSPECT)
    return np.where(gone | (extract.role == VICTIM_ROLE), 0, role).astype(np.int8)


def victims_known(extract: Extract, _: Ints | int) -> NDArray[np.int8]:
    """VICTIM for the involvement of a victim, 0 for any other, (V,): whoever did it, they were harmed, whatever the day.

    A person who is suspect and victim of one incident is its suspect (the loader's strongest role).
    """
    return np.where(extract.role == VICTIM_ROLE, VICTIM, 0).astype(np.int8)


RolesKnown = Callable[[Extract, Ints | int], NDArray[np.int8]]
ROLES: Mapping[Perspective, RolesKnown] = {"nominal": roles_known, "victim": victims_known}
"""What part everyone had in each incident, as a model of that perspective reads it."""


def incident_columns(extract: Extract, rows: Ints, nominal: Ints, role: NDArray[np.int8]) -> Incidents:
    """Involvement rows as incidents of nominals; incidents of an extract stand in the order of their ids."""
    incident = extract.incident[rows]
    return Incidents(
        nominal, extract.occurred[incident], incident, extract.harm[incident], extract.classes[incident], role[rows]
    )


def victim_contacts(extract: Extract, index: Ints, day_zero: Ints) -> Floats:
    """Contacts the index incident's victim made before day zero, of several victims the largest, (N,); none = 0."""
    victims = np.flatnonzero(extract.role == VICTIM_ROLE)
    victims = victims[np.argsort(extract.incident[victims], kind="stable")]
    of_incident = extract.incident[victims]
    begin, finish = np.searchsorted(of_incident, index), np.searchsorted(of_incident, index, side="right")
    counts = finish - begin
    nominal = np.repeat(np.arange(len(index)), counts)
    offset = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    victim = extract.person[victims[np.repeat(begin, counts) + offset]]

    largest = np.zeros(len(index))
    np.maximum.at(largest, nominal, contacts_before(extract, victim, day_zero[nominal]))
    return largest


def contacts_before(extract: Extract, person: Ints, day: Ints) -> Floats:
    """Contacts each person made before a day, (N,)."""
    span = np.int64(1) << 32
    calls = np.sort(extract.contact_person * span + extract.contact_day)
    until = np.searchsorted(calls, person * span + day)
    return (until - np.searchsorted(calls, person * span - (span >> 1))).astype(np.float64)


def contacts_of(extract: Extract, person: Ints, index: Ints, day_zero: Ints, perspective: Perspective) -> Floats:
    """Contacts before day zero: a victim's own, of a nominal those of the index incident's victim, (N,)."""
    if perspective == "victim":
        return contacts_before(extract, person, day_zero)
    return victim_contacts(extract, index, day_zero)
