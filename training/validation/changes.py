"""Changes to records after day zero: none of them may reach a single feature byte.

An incident counts as after day zero where it happened after the day zero of everyone labelled who is involved in it. Only
what decides day zero itself is left alone: stalking incidents (or whatever else begins a case) up to the as-of date.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from app.extract.load import Extract
from app.extract.rules import ELIMINATED_ROLE, OFFENDER_ROLE, SUSPECT_ROLE, VICTIM_ROLE
from app.harm.features import CLASSES, NO_DAY, Ints
from app.harm.subject import Perspective, Subject
from training.labels import HORIZON_DAYS, STALKER, Labelled, index_incidents

INCIDENT_COLUMNS = (
    "occurred", "recorded", "harm", "classes", "harassing", "approximate", "inferred", "assumed", "non_crime", "codes",
)  # fmt: skip
"""Beside their ids, which are no numpy column."""
INVOLVEMENT_COLUMNS = ("incident", "person", "role", "charged", "eliminated")
_ADDED_HARM = 5_000.0
_ADDED_ROLE: Mapping[Perspective, int] = {"nominal": OFFENDER_ROLE, "victim": VICTIM_ROLE}
_STALKING = CLASSES.index("stalking")


class After(NamedTuple):
    """What lies after day zero: `incidents` rows; `day_zero`, `known_on` of each person, `NO_DAY` for the unlabelled,
    (P,): the day zero and the day up to which roles are known; whom the labels are about (`subject`)."""

    incidents: Ints
    day_zero: Ints
    known_on: Ints
    subject: Subject


def after_day_zero(extract: Extract, labelled: Labelled, subject: Subject = STALKER) -> After:
    """Find what may be changed."""
    day_zero, known_on = np.full((2, len(extract.person_id)), NO_DAY)
    day_zero[labelled.person] = labelled.histories.day_zero
    known_on[labelled.person] = extract.recorded[labelled.index_incident]
    latest = np.full(len(extract.occurred), NO_DAY)
    np.maximum.at(latest, extract.incident, day_zero[extract.person])
    decides = index_incidents(extract, subject.day_zero) & (extract.occurred <= extract.end - HORIZON_DAYS)
    rows = np.flatnonzero((latest != NO_DAY) & (extract.occurred > latest) & ~decides)
    return After(rows, day_zero, known_on, subject)


def values(extract: Extract, after: After, rng: np.random.Generator) -> Extract:
    """Other harm, other classes, other dates of recording."""
    rows = after.incidents
    harm, classes, recorded = extract.harm.copy(), extract.classes.copy(), extract.recorded.copy()
    harm[rows] = rng.random(len(rows)) * _ADDED_HARM
    plain = np.delete(np.arange(len(CLASSES)), _STALKING)
    classes[np.ix_(rows, plain)] = rng.random((len(rows), len(plain))) < 0.5
    recorded[rows] = np.maximum(extract.occurred[rows], extract.end - rng.integers(0, 400, len(rows)))
    return replace(extract, harm=harm, classes=classes, recorded=recorded)


def deleted(extract: Extract, after: After, rng: np.random.Generator) -> Extract:
    """Half of the incidents gone."""
    kept = np.ones(len(extract.occurred), dtype=np.bool_)
    kept[after.incidents[rng.random(len(after.incidents)) < 0.5]] = False
    rows = kept[extract.incident]
    columns: dict[str, Any] = {name: getattr(extract, name)[rows] for name in INVOLVEMENT_COLUMNS}
    columns["incident"] = (np.cumsum(kept) - 1)[columns["incident"]]
    return replace(extract, **columns, **only_incidents(extract, kept))


def only_incidents(extract: Extract, kept: NDArray[np.bool_]) -> dict[str, Any]:
    """The columns of the incidents that are `kept`, (I,)."""
    columns = {name: getattr(extract, name)[kept] for name in INCIDENT_COLUMNS}
    return columns | {"incidents": extract.incidents.filter(pa.array(kept))}


def added(extract: Extract, after: After, rng: np.random.Generator) -> Extract:
    """A grave incident of everyone labelled in the year after day zero, as offender (or as its victim), recorded the same
    day."""
    person = np.flatnonzero(after.day_zero != NO_DAY)
    count, first = len(person), len(extract.occurred)
    day = after.day_zero[person] + rng.integers(1, HORIZON_DAYS + 1, count)
    classes = np.zeros((count, len(CLASSES)), dtype=np.bool_)
    classes[:, CLASSES.index("violent")] = True
    never = np.full(count, NO_DAY)
    more: dict[str, Any] = {
        "occurred": day,
        "recorded": day,
        "harm": np.full(count, _ADDED_HARM),
        "classes": classes,
        "harassing": np.zeros(count, dtype=np.bool_),
        "approximate": np.zeros(count, dtype=np.bool_),
        "non_crime": np.zeros(count, dtype=np.bool_),
        "codes": np.zeros(count, dtype=np.int64),
        "incident": first + np.arange(count),
        "person": person,
        "role": np.full(count, _ADDED_ROLE[after.subject.perspective], dtype=np.int8),
        "charged": never,
        "eliminated": never,
    }
    columns: dict[str, Any] = {name: np.concatenate([getattr(extract, name), part]) for name, part in more.items()}
    names = pa.array([f"~{number:08d}" for number in range(count)], pa.string())
    return replace(extract, **columns, incidents=pa.concat_arrays([extract.incidents, names]))


def later_roles(extract: Extract, after: After, rng: np.random.Generator) -> Extract:
    """Charges and eliminations that came after the histories were known, undone; others in their place."""
    known_on = after.known_on[extract.person]
    charged, eliminated, role = extract.charged.copy(), extract.eliminated.copy(), extract.role.copy()
    free = (known_on != NO_DAY) & (role != VICTIM_ROLE) & ~_decides_day_zero(extract, after)
    open_then = free & ((charged == NO_DAY) | (charged > known_on)) & ((eliminated == NO_DAY) | (eliminated > known_on))
    open_then &= (role == SUSPECT_ROLE) | (charged > known_on) | (eliminated > known_on)
    rows = np.flatnonzero(open_then)
    draw = rng.random(len(rows))
    later = np.maximum(known_on, extract.recorded[extract.incident])[rows] + 1 + rng.integers(0, 300, len(rows))
    charged[rows] = np.where(draw < 0.4, later, NO_DAY)
    eliminated[rows] = np.where(draw > 0.7, later, NO_DAY)
    role[rows] = np.where(draw < 0.4, OFFENDER_ROLE, np.where(draw > 0.7, ELIMINATED_ROLE, SUSPECT_ROLE))
    return replace(extract, charged=charged, eliminated=eliminated, role=role)


def custody_and_contacts(extract: Extract, after: After, rng: np.random.Generator) -> Extract:
    """Appearances after day zero gone or doubled, and calls to the police from day zero on by every victim."""
    gone = extract.custody_day > np.where(after.day_zero == NO_DAY, extract.end, after.day_zero)[extract.custody_person]
    appeared = np.flatnonzero(after.day_zero != NO_DAY)
    on = after.day_zero[appeared] + rng.integers(1, 90, len(appeared))
    victims, calls_from = _victims(extract, after)
    return replace(
        extract,
        custody_person=np.concatenate([extract.custody_person[~gone], appeared]),
        custody_day=np.concatenate([extract.custody_day[~gone], on]),
        contact_person=np.concatenate([extract.contact_person, np.repeat(victims, 3)]),
        contact_day=np.concatenate([extract.contact_day, np.repeat(calls_from, 3)]),
    )


CHANGES: dict[str, Callable[[Extract, After, np.random.Generator], Extract]] = {
    "values": values,
    "deleted": deleted,
    "added": added,
    "later_roles": later_roles,
    "custody_and_contacts": custody_and_contacts,
}


def _decides_day_zero(extract: Extract, after: After) -> NDArray[np.bool_]:
    """Involvements in stalking (or whatever begins a case) after day zero up to the as-of date: cleared when recorded, or it
    would be day zero."""
    occurred = extract.occurred[extract.incident]
    begins = index_incidents(extract, after.subject.day_zero)[extract.incident]
    return np.asarray(begins & (occurred <= extract.end - HORIZON_DAYS) & (occurred > after.day_zero[extract.person]))


def _victims(extract: Extract, after: After) -> tuple[Ints, Ints]:
    """Victims, and the last day zero of anyone labelled in what was done to them: calls before it may count as known."""
    latest = np.full(len(extract.occurred), NO_DAY)
    np.maximum.at(latest, extract.incident, after.day_zero[extract.person])
    rows = np.flatnonzero(extract.role == VICTIM_ROLE)
    last = np.full(len(extract.person_id), NO_DAY)
    np.maximum.at(last, extract.person[rows], latest[extract.incident[rows]])
    victims = np.flatnonzero(last != NO_DAY)
    return victims, last[victims]
