"""Loading an extract: the five tables of a force's crime system, checked, cleaned by named rules, and counted.

Dirty rows and what becomes of them (each rule's name is its key in `Extract.counts`; readings are ours):

| rule | what | becomes |
|---|---|---|
| `repeated-row` | a row equal to an earlier one (not in contacts: two calls on a day are two calls) | dropped |
| `several-roles-on-incident` | one person more than once on an incident | strongest role: offender, suspect_eliminated, suspect, victim |
| `unknown-birth-date` | no date of birth, or one after the end of the extract | kept, age unknown |
| `placeholder-1-january` | dated 1 January | kept |
| `date-before-birth` | dated before the person was born | not that person's incident |
| `date-in-the-future` | dated after the end of the extract, or recorded after today | dropped |
| `recorded-before-event` | recorded before it happened | recorded on the day it happened |
| `recorded-twice` | same people, date, code and flags under another id | first by id kept |
| `recorded-a-year-late` | recorded more than 365 days after the event | kept, known only from then on |
| `unknown-code` | a code the harm index lacks, or a crime without code; no `harm_score` | dropped: there is no number |
| `unknown-code-with-harm` | the same with a `harm_score` | kept with that harm and no offence class |
| `slashed-code` | `NNN/NN` | read as `NNNNN` |
| `domestic-non-crime-unscored` | a domestic non-crime without `harm_score` | 3 days, the middle of 1, 2, 3, 5, 10 |
| `victim-and-nominal` | a nominal who is a victim elsewhere | kept, each incident its own role |

The end of the extract is its newest recording day, today at the latest.
"""

import logging
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from app.errors import SetupError
from app.harm.features import CLASSES, GENDER_CODES, NO_DAY, Floats, Ints
from app.harm.harm_index import MAX_HARM_DAYS, HarmIndex, offence_classes
from training import extract_rules as rules
from training.extract_rules import ELIMINATED_ROLE, ROLES, VICTIM_ROLE, Flags
from training.extract_tables import Reader

log = logging.getLogger(__name__)

MARKER = "SYNTHETIC.txt"
REAL_SOURCE = "a force's own extract"


@dataclass(frozen=True)
class Extract:
    """Clean columns; days since 1970-01-01, `NO_DAY` where unknown.

    P persons by id: `person_id` str, `birth` float64 (NaN unknown), `gender` as `GENDER_CODES`, `ethnicity` str or
    None, empty where unknown (fairness audit only, never a feature). I incidents by id in UTF-8 byte order: `occurred`,
    `recorded`, `harm` (days), `classes` bool (I, 5) as `CLASSES`, `approximate` (harm is a median), `non_crime`,
    `code` (five digits, empty for none). V involvements: rows of incident and person, `role` as `ROLES`, `charged`,
    `eliminated`. K custody appearances, C contacts of victims. `end` is the last day; `source` whom it tells of.
    """

    person_id: NDArray[np.object_]
    birth: Floats
    gender: NDArray[np.int8]
    ethnicity: NDArray[np.object_] | None
    incident_id: NDArray[np.object_]
    occurred: Ints
    recorded: Ints
    harm: Floats
    classes: Flags
    approximate: Flags
    non_crime: Flags
    code: NDArray[np.object_]
    incident: Ints
    person: Ints
    role: NDArray[np.int8]
    charged: Ints
    eliminated: Ints
    custody_person: Ints
    custody_day: Ints
    contact_person: Ints
    contact_day: Ints
    end: int
    source: str
    counts: dict[str, int]


@dataclass(frozen=True)
class _Incidents:
    ids: pa.Array
    occurred: Ints
    recorded: Ints
    harm_score: Floats
    code: NDArray[np.object_]
    non_crime: Flags
    domestic: Flags
    partner: Flags

    def take(self, rows: Ints) -> "_Incidents":
        columns = {name: getattr(self, name)[rows] for name in self.__dataclass_fields__ if name != "ids"}
        return _Incidents(ids=self.ids.take(pa.array(rows)), **columns)


def load_extract(folder: Path, harm_index: HarmIndex, *, today: date | None = None) -> Extract:
    """Read, check and clean an extract folder (extract.md): Parquet or CSV, one file a table.

    `today` (default: the calendar's) bounds recording days. Raises SetupError with a table of what is wrong: missing
    columns, unreadable dates, unknown words, broken keys.
    """
    reader = Reader(folder)
    counts: dict[str, int] = {}
    persons = _persons(reader, counts)
    person_ids, birth, gender, ethnicity = persons
    incidents = _incidents(reader, counts)
    involved = _involvements(reader, incidents.ids, person_ids, counts)
    custody = _custody(reader, person_ids, counts)
    contacts = reader.places("contacts", "person_id", person_ids, "unknown-person")
    contact_day = reader.days("contacts", "contacted_on", required=True)
    reader.stop_if_wrong()

    latest = ((today or date.today()) - date(1970, 1, 1)).days
    incidents, end, kept = _settle_dates(incidents, latest, counts)
    harm, classes, approximate, valued = _value(incidents, harm_index, counts)
    kept &= valued
    birth = np.where(birth > end, np.nan, birth)
    counts["unknown-birth-date"] = int(np.isnan(birth).sum())
    incident, person, role, charged, eliminated = _settle_roles(involved, incidents.occurred, birth, kept, counts)
    kept &= ~_twice(incidents, harm, incident, person, kept, counts)

    rows = np.flatnonzero(kept)
    new_row = np.cumsum(kept) - 1
    on = kept[incident]
    incident, person, role = new_row[incident[on]], person[on], role[on]
    clean = incidents.take(rows)
    _count_kept(clean, person, role, len(person_ids), counts)
    log.info("extract read: %s", counts)
    return Extract(
        person_id=person_ids.to_numpy(zero_copy_only=False),
        birth=birth,
        gender=gender,
        ethnicity=ethnicity,
        incident_id=clean.ids.to_numpy(zero_copy_only=False),
        occurred=clean.occurred,
        recorded=clean.recorded,
        harm=harm[rows],
        classes=classes[rows],
        approximate=approximate[rows],
        non_crime=clean.non_crime,
        code=clean.code,
        incident=incident,
        person=person,
        role=role,
        charged=charged[on],
        eliminated=eliminated[on],
        custody_person=custody[0],
        custody_day=custody[1],
        contact_person=contacts,
        contact_day=contact_day,
        end=end,
        source=_source(folder),
        counts=counts,
    )


def _persons(
    reader: Reader, counts: dict[str, int]
) -> tuple[pa.Array, Floats, NDArray[np.int8], NDArray[np.object_] | None]:
    ids = reader.key("persons", "person_id")
    born = reader.days("persons", "date_of_birth", required=False)
    gender = reader.words("persons", "gender", dict(GENDER_CODES), missing=GENDER_CODES["unknown"])
    ethnicity = reader.text("persons", "ethnicity")
    order, place = _by_id(ids)
    repeated = rules.repeated_rows(place, born, gender, _codes(ethnicity))
    rows = _once(reader, "persons", ids, order, repeated, counts)
    names = None if ethnicity.null_count == len(ethnicity) else pc.fill_null(ethnicity, "").take(pa.array(rows))
    birth = np.where(born == NO_DAY, np.nan, born.astype(np.float64))[rows]
    known = None if names is None else names.to_numpy(zero_copy_only=False)
    return ids.take(pa.array(rows)), birth, gender[rows], known


def _incidents(reader: Reader, counts: dict[str, int]) -> _Incidents:
    ids = reader.key("incidents", "incident_id")
    code = reader.text("incidents", "offence_code")
    slashed = pc.fill_null(pc.match_substring_regex(code, r"^\d{3}/\d{2}$"), False)
    plain = pc.fill_null(pc.if_else(slashed, pc.replace_substring(code, "/", ""), code), "")
    read = _Incidents(
        ids=ids,
        occurred=reader.days("incidents", "occurred_on", required=True),
        recorded=reader.days("incidents", "recorded_on", required=False),
        harm_score=reader.numbers("incidents", "harm_score", 0.0, MAX_HARM_DAYS),
        code=plain.to_numpy(zero_copy_only=False),
        non_crime=reader.flags("incidents", "is_non_crime"),
        domestic=reader.flags("incidents", "is_domestic"),
        partner=reader.flags("incidents", "intimate_partner"),
    )
    order, place = _by_id(ids)
    columns = (read.occurred, read.recorded, read.harm_score, read.non_crime, read.domestic, read.partner)
    repeated = rules.repeated_rows(place, _codes(code), *columns)
    rows = _once(reader, "incidents", ids, order, repeated, counts)
    counts["slashed-code"] = int(np.asarray(slashed)[rows].sum())
    return read.take(rows)


def _involvements(
    reader: Reader, incident_ids: pa.Array, person_ids: pa.Array, counts: dict[str, int]
) -> tuple[Ints, Ints, NDArray[np.int8], Ints, Ints]:
    incident = reader.places("involvements", "incident_id", incident_ids, "unknown-incident")
    person = reader.places("involvements", "person_id", person_ids, "unknown-person")
    role = reader.words("involvements", "role", ROLES)
    charged = reader.days("involvements", "charged_on", required=False)
    eliminated = reader.days("involvements", "eliminated_on", required=False)
    columns = (incident, person, role, charged, eliminated)
    repeated = rules.repeated_rows(*columns)
    counts["repeated-row"] += int(repeated.sum())
    first = ~repeated
    return incident[first], person[first], role[first], charged[first], eliminated[first]


def _custody(reader: Reader, person_ids: pa.Array, counts: dict[str, int]) -> tuple[Ints, Ints]:
    person = reader.places("custody", "person_id", person_ids, "unknown-person")
    arrived = reader.days("custody", "arrived_on", required=True)
    released = reader.days("custody", "released_on", required=False)
    repeated = rules.repeated_rows(person, arrived, released)
    counts["repeated-row"] += int(repeated.sum())
    return person[~repeated], arrived[~repeated]


def _by_id(ids: pa.Array) -> tuple[Ints, Ints]:
    """Order of ids by UTF-8 bytes, and each row's place among the distinct ids."""
    order = np.asarray(pc.array_sort_indices(ids)).astype(np.int64)
    return order, _codes(ids)


def _codes(values: pa.Array) -> Ints:
    """A whole number for each distinct string, -1 for null."""
    return np.asarray(pc.fill_null(values.dictionary_encode().indices, -1)).astype(np.int64)


def _once(reader: Reader, table: str, ids: pa.Array, order: Ints, repeated: Flags, counts: dict[str, int]) -> Ints:
    """Rows in id order without the repeated; the same id with other contents is wrong."""
    counts["repeated-row"] = counts.get("repeated-row", 0) + int(repeated.sum())
    rows = order[~repeated[order]]
    kept = ids.take(pa.array(rows))
    again = np.asarray(pc.equal(kept.slice(1), kept.slice(0, max(len(kept) - 1, 0))).fill_null(False))
    reader.note(table, f"{table[:-1]}_id", "same-id-different-row", kept.slice(1).filter(pa.array(again)))
    return rows


def _settle_dates(incidents: _Incidents, latest: int, counts: dict[str, int]) -> tuple[_Incidents, int, Flags]:
    """Fill recording days, find the end of the extract, and mark what lies in the future."""
    stated = np.where(incidents.recorded == NO_DAY, incidents.occurred, incidents.recorded)
    present = stated[stated <= latest]
    if not len(present):
        raise SetupError("The extract has no incident recorded up to today. Check the incidents table.")
    end = int(present.max())
    future = (incidents.occurred > end) | (stated > end)
    recorded, early = rules.settled_recording(incidents.occurred, incidents.recorded)
    counts["date-in-the-future"] = int(future.sum())
    counts["recorded-before-event"] = int((early & ~future).sum())
    columns = {name: getattr(incidents, name) for name in incidents.__dataclass_fields__ if name != "recorded"}
    return _Incidents(**columns, recorded=recorded), end, ~future


def _value(
    incidents: _Incidents, harm_index: HarmIndex, counts: dict[str, int]
) -> tuple[Floats, Flags, Flags, Flags]:
    """Harm, classes, whether the harm is a median, and whether there is a number at all (as in serving)."""
    distinct, place = np.unique(incidents.code.astype(str), return_inverse=True)
    offences = [harm_index.lookup(str(code)) for code in distinct]
    known = np.array([offence is not None for offence in offences])[place]
    by_code = np.array([offence.harm if offence else np.nan for offence in offences])[place]
    median = np.array([bool(offence and offence.approximate) for offence in offences])[place]
    own = np.array([[_in(offence_classes(o.classes if o else (), intimate_partner=p)) for o in offences] for p in (0, 1)])
    classes = np.column_stack([own[incidents.partner.astype(np.int64), place], incidents.domestic])

    scored = ~np.isnan(incidents.harm_score)
    unscored = rules.unscored(incidents.harm_score, incidents.non_crime, incidents.domestic)
    otherwise = np.where(incidents.non_crime, 0.0, by_code)
    otherwise = np.where(unscored, rules.UNSCORED_DOMESTIC_HARM, otherwise)
    harm = np.where(scored, incidents.harm_score, otherwise)
    nameless = ~known & ~incidents.non_crime
    counts["domestic-non-crime-unscored"] = int(unscored.sum())
    counts["unknown-code"] = int((nameless & ~scored).sum())
    counts["unknown-code-with-harm"] = int((nameless & scored).sum())
    valued = scored | incidents.non_crime | known
    return harm, classes, median & ~scored & ~incidents.non_crime, valued


def _in(classes: frozenset[str]) -> list[bool]:
    return [name in classes for name in CLASSES[:-1]]


def _settle_roles(
    involved: tuple[Ints, Ints, NDArray[np.int8], Ints, Ints],
    occurred: Ints,
    birth: Floats,
    kept: Flags,
    counts: dict[str, int],
) -> tuple[Ints, Ints, NDArray[np.int8], Ints, Ints]:
    """One role a person and incident, none from before birth."""
    incident, person, role, charged, eliminated = involved
    weaker = rules.weaker_roles(incident, person, role, charged, eliminated)
    before_birth = occurred[incident] < birth[person]
    counts["several-roles-on-incident"] = int((weaker & kept[incident]).sum())
    counts["date-before-birth"] = int((before_birth & ~weaker & kept[incident]).sum())
    rows = ~weaker & ~before_birth
    return incident[rows], person[rows], role[rows], charged[rows], eliminated[rows]


def _twice(
    incidents: _Incidents, harm: Floats, incident: Ints, person: Ints, kept: Flags, counts: dict[str, int]
) -> Flags:
    what = [incidents.occurred, _codes(pa.array(incidents.code)), incidents.non_crime, incidents.domestic, harm, kept]
    again = rules.recorded_twice(what, incident, person, len(incidents.occurred)) & kept
    counts["recorded-twice"] = int(again.sum())
    return again


def _count_kept(incidents: _Incidents, person: Ints, role: NDArray[np.int8], persons: int, counts: dict[str, int]) -> None:
    victim, nominal = np.zeros(persons, dtype=np.bool_), np.zeros(persons, dtype=np.bool_)
    victim[person[role == VICTIM_ROLE]] = True
    nominal[person[role < ELIMINATED_ROLE]] = True
    counts["victim-and-nominal"] = int((victim & nominal).sum())
    counts["placeholder-1-january"] = int(rules.placeholders(incidents.occurred).sum())
    late = incidents.recorded - incidents.occurred > rules.YEARS_LATE_DAYS
    counts["recorded-a-year-late"] = int(late.sum())
    counts.update(persons=persons, incidents=len(incidents.occurred), involvements=len(person))


def _source(folder: Path) -> str:
    """First line of the marker of invented people, if there is one."""
    marker = folder / MARKER
    if not marker.is_file():
        return REAL_SOURCE
    return marker.read_text(encoding="utf-8").splitlines()[0].strip()
