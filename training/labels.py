"""Day zero, known history and what came after it, for every labelled nominal of an extract (domain.md, "Labels").

The as-of date is the end of the extract less 365 days, so that everyone's following year is in the extract. History
is what was recorded by the index incident's recording day, with roles as they stood then: charges and eliminations
that came later would leak the future.
"""

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from app.errors import SetupError
from app.extract.known import ROLES, RolesKnown, contacts_of, incident_columns
from app.extract.load import Extract
from app.extract.rules import Flags
from app.harm.features import (
    NO_DAY,
    Floats,
    Histories,
    Ints,
    Nominals,
    day_zero_histories,
)
from app.harm.subject import BEGINS, DayZero, Subject, begins_case

HORIZON_DAYS = 365
STALKER = Subject()


@dataclass(frozen=True)
class Labelled:
    """N labelled nominals (or victims: whomever the subject is about) by person id, one scoring moment each.

    `person_id` (N,) keys for grouping, never features; `histories`, `nominals` as in `app.harm.features`;
    `future_harm` float64 (N,) days of harm in (t0, t0 + 365]; `first_event_day`, `worst_event_day` float64 (N,) days
    from t0 to the first further and to the most harmful incident (of equals the earliest), NaN if there is none
    within 365; `component` int64 (N,) people chained by shared incidents, numbered in order of first member;
    `person` int64 (N,) rows in the extract's persons; `index_incident` int64 (N,) rows in its incidents; `counts`
    for the manifest.
    """

    person_id: NDArray[np.object_]
    histories: Histories
    nominals: Nominals
    future_harm: Floats
    first_event_day: Floats
    worst_event_day: Floats
    component: Ints
    person: Ints
    index_incident: Ints
    counts: dict[str, int | float]


def label(extract: Extract, *, as_of: date | None = None, subject: Subject = STALKER) -> Labelled:
    """Label everyone with a stalking incident on or before `as_of` (default: the extract's end less 365 days).

    `subject` tells whether other harassment, malicious communications and coercive control begin a case as well, and
    whether those who harm are labelled by the harm they do, or those who are harmed by the harm they suffer (appendix 7).
    Raises SetupError where nobody has such an incident, or where the year after `as_of` is not in the extract.
    """
    last = extract.end - HORIZON_DAYS
    day = last if as_of is None else (as_of - date(1970, 1, 1)).days
    if day > last:
        raise SetupError("The as-of date leaves less than 365 days of the extract to label with. Take an earlier one.")
    begins, roles = index_incidents(extract, subject.day_zero), ROLES[subject.perspective]
    person, index = _scoring_moments(extract, day, begins, roles)
    if not len(person):
        raise SetupError(
            f"The extract has no {subject.perspective} with a {BEGINS[subject.day_zero]} incident a year before its end."
        )
    histories, rows = _known_histories(extract, person, index, begins, roles)
    future = _future(extract, person, histories.day_zero, roles)
    return Labelled(
        person_id=extract.person_id[person],
        histories=histories,
        nominals=_nominals(extract, person, index, histories.day_zero, subject),
        future_harm=future[0],
        first_event_day=future[1],
        worst_event_day=future[2],
        component=_components(extract)[person],
        person=person,
        index_incident=index,
        counts=_counts(extract, person, histories, rows, future, roles),
    )


def index_incidents(extract: Extract, day_zero: DayZero) -> Flags:
    """Incidents day zero can be counted from, (I,)."""
    return begins_case(extract.classes, extract.harassing, day_zero)


def _scoring_moments(extract: Extract, as_of: int, begins: Flags, roles: RolesKnown) -> tuple[Ints, Ints]:
    """Labelled persons and their index incidents: the last stalking on or before `as_of` still theirs when recorded."""
    role = roles(extract, extract.recorded[extract.incident])
    rows = np.flatnonzero(role)
    incidents = incident_columns(extract, rows, extract.person[rows], role)
    eligible = begins[extract.incident[rows]]
    histories = day_zero_histories(incidents, len(extract.person_id), as_of, begins=eligible)
    person = np.flatnonzero(histories.day_zero != NO_DAY)
    index_row = rows[histories.source[histories.starts[person + 1] - 1]]
    return person, extract.incident[index_row]


def _known_histories(
    extract: Extract, person: Ints, index: Ints, begins: Flags, roles: RolesKnown
) -> tuple[Histories, Ints]:
    """Histories as known when each index incident was recorded, and the involvement behind each of their rows."""
    nominal = _place(person, len(extract.person_id))[extract.person]
    known_on = np.where(nominal >= 0, extract.recorded[index][nominal], NO_DAY)
    role = roles(extract, known_on)
    rows = np.flatnonzero((nominal >= 0) & (role > 0) & (extract.recorded[extract.incident] <= known_on))
    incidents, eligible = incident_columns(extract, rows, nominal[rows], role), begins[extract.incident[rows]]
    histories = day_zero_histories(incidents, len(person), extract.occurred[index], begins=eligible)
    return histories, rows[histories.source]


def _nominals(extract: Extract, person: Ints, index: Ints, day_zero: Ints, subject: Subject) -> Nominals:
    place = _place(person, len(extract.person_id))
    reads_custody = "custody_count" in subject.side.features
    custody = np.flatnonzero((place[extract.custody_person] >= 0) & reads_custody)
    return Nominals(
        birth_day=extract.birth[person],
        gender=extract.gender[person],
        victim_contacts=contacts_of(extract, person, index, day_zero, subject.perspective),
        custody_nominal=place[extract.custody_person[custody]],
        custody_day=extract.custody_day[custody],
    )


def _future(extract: Extract, person: Ints, day_zero: Ints, roles: RolesKnown) -> tuple[Floats, Floats, Floats, Ints]:
    """Harm, first day and worst day within (t0, t0 + 365] by final roles, each (N,); and the involvements counted."""
    nominal = _place(person, len(extract.person_id))[extract.person]
    after = np.where(nominal >= 0, extract.occurred[extract.incident] - day_zero[nominal], 0)
    final = roles(extract, extract.end)
    rows = np.flatnonzero((nominal >= 0) & (final > 0) & (after > 0) & (after <= HORIZON_DAYS))
    who, days, harm = nominal[rows], after[rows], extract.harm[extract.incident[rows]]
    count = len(person)
    first, worst = np.full(count, np.nan), np.full(count, np.nan)
    for days_of, order in ((first, np.lexsort((days, who))), (worst, np.lexsort((days, -harm, who)))):
        leading = order[np.flatnonzero(np.diff(who[order], prepend=-1))]
        days_of[who[leading]] = days[leading]
    total = np.zeros(count)
    np.add.at(total, who, harm)
    return total, first, worst, rows


def _components(extract: Extract) -> Ints:
    """Connected component of every person through shared incidents, in whatever role (ours), (P,)."""
    persons, incidents = len(extract.person_id), len(extract.occurred)
    links = coo_array(
        (np.ones(len(extract.person), dtype=np.int8), (extract.person, persons + extract.incident)),
        shape=(persons + incidents, persons + incidents),
    )
    component: Ints = connected_components(links, directed=False)[1][:persons].astype(np.int64)
    return component


def _place(person: Ints, persons: int) -> Ints:
    """Number of each person among the labelled, -1 for everyone else, (P,)."""
    place = np.full(persons, -1)
    place[person] = np.arange(len(person))
    return place


def _counts(
    extract: Extract,
    person: Ints,
    histories: Histories,
    rows: Ints,
    future: tuple[Floats, Floats, Floats, Ints],
    roles: RolesKnown,
) -> dict[str, int | float]:
    """Figures for the manifest: sizes, loading rules, and how much harm rests on subgroup medians."""
    labelled = np.zeros(len(extract.person_id), dtype=np.bool_)
    labelled[person] = True
    final = (roles(extract, extract.end) > 0) & labelled[extract.person]
    theirs = np.unique(extract.incident[final])
    stalking = extract.classes[theirs, 3]
    counted = extract.incident[np.concatenate([rows, future[3]])]
    harm = extract.harm[counted]
    return {
        **extract.counts,
        "labelled-nominals": len(person),
        "stalking-incidents": int(stalking.sum()),
        "other-incidents": int((~stalking).sum()),
        "index-only-histories": int((histories.lengths == 1).sum()),
        "no-harm-after": int((future[0] == 0).sum()),
        "share-of-harm-from-medians": float(harm[extract.approximate[counted]].sum() / max(harm.sum(), 1.0)),
    }
