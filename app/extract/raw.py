"""The five tables as keyed columns: ids resolved to rows, repeated rows gone. Nothing else is mended yet."""

from dataclasses import dataclass, fields

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from app.extract import rules
from app.extract.rules import ROLES, Counts, Flags
from app.extract.tables import Reader, give_back
from app.harm.features import GENDER_CODES, NO_DAY, Floats, Ints
from app.harm.harm_index import MAX_HARM_DAYS


@dataclass(frozen=True)
class RawPersons:
    """By id in UTF-8 byte order; `birth` days since 1970-01-01, NaN unknown; `ethnicity` None where nobody has one."""

    ids: pa.Array
    birth: Floats
    gender: NDArray[np.int8]
    ethnicity: NDArray[np.object_] | None


@dataclass(frozen=True)
class RawIncidents:
    """By id in UTF-8 byte order; `code` places among `Raw.offences`; `harm_score` NaN for none, `inferred` where
    it was read out of a log."""

    ids: pa.Array
    occurred: Ints
    recorded: Ints
    harm_score: Floats
    code: Ints
    non_crime: Flags
    domestic: Flags
    partner: Flags
    inferred: Flags

    def take(self, rows: Ints) -> "RawIncidents":
        """The given rows."""
        return RawIncidents(**{field.name: getattr(self, field.name).take(rows) for field in fields(self)})


@dataclass(frozen=True)
class RawInvolvements:
    """Rows of incident and person, role as `ROLES`, days of charge and elimination (`NO_DAY` for none)."""

    incident: Ints
    person: Ints
    role: NDArray[np.int8]
    charged: Ints
    eliminated: Ints

    def take(self, rows: Ints) -> "RawInvolvements":
        """The given rows."""
        return RawInvolvements(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})


@dataclass(frozen=True)
class Raw:
    """A whole extract as keyed columns; custody appearances and contacts as rows of persons and days.

    `offences` are the codes that occur, sorted: five digits or as delivered, empty for none.
    """

    persons: RawPersons
    offences: NDArray[np.str_]
    incidents: RawIncidents
    involvements: RawInvolvements
    custody_person: Ints
    custody_day: Ints
    contact_person: Ints
    contact_day: Ints


def read_raw(reader: Reader, counts: Counts) -> Raw:
    """Read everything and count repeated rows and slashed codes. Raises SetupError naming all that is wrong."""
    persons = _persons(reader, counts)
    offences, incidents = _incidents(reader, counts)
    give_back()
    involvements = _involvements(reader, incidents.ids, persons.ids, counts)
    give_back()
    custody_person, custody_day = _custody(reader, persons.ids, counts)
    contact_person = reader.places("contacts", "person_id", persons.ids, "unknown-person")
    contact_day = reader.days("contacts", "contacted_on", required=True)
    reader.stop_if_wrong()
    return Raw(persons, offences, incidents, involvements, custody_person, custody_day, contact_person, contact_day)


def codes_of(values: pa.Array) -> Ints:
    """A whole number for each distinct string, -1 for null."""
    return np.asarray(pc.fill_null(values.dictionary_encode().indices, -1)).astype(np.int64)


def _persons(reader: Reader, counts: Counts) -> RawPersons:
    ids = reader.key("persons", "person_id")
    born = reader.days("persons", "date_of_birth", required=False)
    gender = reader.words("persons", "gender", GENDER_CODES, missing=GENDER_CODES["unknown"])
    ethnicity = reader.text("persons", "ethnicity")
    rows = _once(reader, "persons", ids, [born, gender, codes_of(ethnicity)], counts)
    recorded = None
    if ethnicity.null_count < len(ethnicity):
        recorded = pc.fill_null(ethnicity, "").take(rows).to_numpy(zero_copy_only=False)
    birth = np.where(born == NO_DAY, np.nan, born.astype(np.float64))
    return RawPersons(ids.take(rows), birth[rows], gender[rows], recorded)


def _incidents(reader: Reader, counts: Counts) -> tuple[NDArray[np.str_], RawIncidents]:
    """The codes that occur, and the incidents."""
    delivered = pc.fill_null(reader.text("incidents", "offence_code"), "").dictionary_encode()
    slashed = np.asarray(pc.match_substring_regex(delivered.dictionary, r"^\d{3}/\d{2}$"), dtype=np.bool_)
    as_sent = np.asarray(delivered.indices).astype(np.int64)
    words = [
        code.replace("/", "") if cut else code
        for code, cut in zip(delivered.dictionary.to_pylist(), slashed, strict=True)
    ]
    offences, place = np.unique(np.array(words, dtype=np.str_), return_inverse=True)
    read = RawIncidents(
        ids=reader.key("incidents", "incident_id"),
        occurred=reader.days("incidents", "occurred_on", required=True),
        recorded=reader.days("incidents", "recorded_on", required=False),
        harm_score=reader.numbers("incidents", "harm_score", 0.0, MAX_HARM_DAYS),
        code=place.astype(np.int64)[as_sent],
        non_crime=reader.flags("incidents", "is_non_crime"),
        domestic=reader.flags("incidents", "is_domestic"),
        partner=reader.flags("incidents", "intimate_partner"),
        inferred=np.zeros(len(as_sent), dtype=np.bool_),
    )
    columns = [read.occurred, read.recorded, read.harm_score, read.non_crime, read.domestic, read.partner]
    rows = _once(reader, "incidents", read.ids, [as_sent, *columns], counts)
    counts["slashed-code"] = int(slashed[as_sent[rows]].sum())
    counts["recording-date-missing"] = int((read.recorded[rows] == NO_DAY).sum())
    return offences, read.take(rows)


def _involvements(reader: Reader, incident_ids: pa.Array, person_ids: pa.Array, counts: Counts) -> RawInvolvements:
    read = RawInvolvements(
        incident=reader.places("involvements", "incident_id", incident_ids, "unknown-incident"),
        person=reader.places("involvements", "person_id", person_ids, "unknown-person"),
        role=reader.words("involvements", "role", ROLES),
        charged=reader.days("involvements", "charged_on", required=False),
        eliminated=reader.days("involvements", "eliminated_on", required=False),
    )
    repeated = rules.repeated_rows([read.incident, read.person, read.role, read.charged, read.eliminated])
    counts["repeated-row"] += int(repeated.sum())
    return read.take(np.flatnonzero(~repeated))


def _custody(reader: Reader, person_ids: pa.Array, counts: Counts) -> tuple[Ints, Ints]:
    person = reader.places("custody", "person_id", person_ids, "unknown-person")
    arrived = reader.days("custody", "arrived_on", required=True)
    released = reader.days("custody", "released_on", required=False)
    repeated = rules.repeated_rows([person, arrived, released])
    counts["repeated-row"] += int(repeated.sum())
    return person[~repeated], arrived[~repeated]


def _once(reader: Reader, table: str, ids: pa.Array, columns: list[NDArray[np.generic]], counts: Counts) -> Ints:
    """Rows by id without the repeated ones; the same id with other contents is wrong."""
    order: Ints = np.asarray(pc.array_sort_indices(ids)).astype(np.int64)
    repeated = np.zeros(len(ids), dtype=np.bool_)
    several = _several(ids, order)
    repeated[several] = rules.repeated_rows([codes_of(ids.take(several)), *(column[several] for column in columns)])
    counts["repeated-row"] = counts.get("repeated-row", 0) + int(repeated.sum())
    rows = order[~repeated[order]]
    left = several[~repeated[several]]
    reader.note(table, f"{table[:-1]}_id", "same-id-different-row", _again(ids.take(left)))
    return rows


def _several(ids: pa.Array, order: Ints) -> Ints:
    """Rows whose id another row has too, rising; `order` sorts the ids."""
    ordered = ids.take(order)
    same = np.asarray(pc.fill_null(pc.equal(ordered[1:], ordered[:-1]), False), dtype=np.bool_)
    several = np.zeros(len(ids), dtype=np.bool_)
    several[order[1:][same]] = True
    several[order[:-1][same]] = True
    return np.flatnonzero(several)


def _again(ids: pa.Array) -> pa.Array:
    """Ids in UTF-8 byte order, each as often as there are rows with it but one."""
    ordered = ids.take(pc.array_sort_indices(ids))
    return ordered[:-1].filter(pc.equal(ordered[1:], ordered[:-1]))
