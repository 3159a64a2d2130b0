"""Everyone of an extract who can be scored on a day, in columns, so that bulk can cut them into parts.

Scorable is who has a stalking day zero on or before that day, as known that day, and not over 365 days old. What is known is
what had been recorded by then, with the roles of that day; a suspicion that was cleared by then is not handed on at all.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from app.errors import SetupError
from app.extract.known import ROLES, contacts_of, incident_columns
from app.extract.load import Extract, load_extract
from app.extract.log_harm import LogHarm
from app.extract.rules import VICTIM_ROLE, Flags
from app.extract.tables import give_back
from app.harm.features import CLASSES, NO_DAY, Floats, Ints, day_zero_histories
from app.harm.harm_index import HarmIndex
from app.harm.history import EPOCH, LATEST_SCORING_DAYS, STALKER
from app.harm.subject import Subject, begins_case

log = logging.getLogger(__name__)

LEFT_OUT = ("unknown-code", "date-in-the-future")
"""Rules of cleaning by which an incident is gone, so that somebody may count as less harmful than their record says."""

_BITS = 1 << np.arange(len(CLASSES))


class Spans(NamedTuple):
    """Which rows belong to each of N nominals: nominal i owns rows `starts[i]:starts[i + 1]`, `starts` int64 (N + 1,)."""

    starts: Ints

    @property
    def lengths(self) -> Ints:
        """Rows of each nominal, (N,)."""
        return np.diff(self.starts)

    @property
    def owner(self) -> Ints:
        """Whose each row is."""
        return np.repeat(np.arange(len(self.starts) - 1), self.lengths)

    def take(self, nominals: Ints) -> tuple["Spans", Ints]:
        """Those of some nominals among themselves, and the rows they own."""
        lengths = self.lengths[nominals]
        ends = np.cumsum(lengths)
        rows = np.arange(ends[-1] if len(ends) else 0) + np.repeat(self.starts[nominals] - (ends - lengths), lengths)
        return Spans(np.concatenate([[0], ends])), rows

    def each(self) -> Iterator[slice]:
        """The rows of each nominal."""
        starts = self.starts.tolist()
        return map(slice, starts, starts[1:])


@dataclass(frozen=True)
class KnownIncidents:
    """M incidents in the order of nominal, date and id, in narrow columns: a country has tens of millions.

    `incident` int32 (M,) says which of `names` each is, ids in UTF-8 byte order; `day` int32; `bits` int8 are the classes, the
    first of `CLASSES` lowest; `code` int32 which of `offences` it is; `inferred` where harm
    was read out of a log, `assumed` where nobody scored a domestic non-crime.
    """

    spans: Spans
    names: pa.StringArray
    offences: NDArray[np.str_]
    incident: NDArray[np.int32]
    day: NDArray[np.int32]
    harm: Floats
    bits: NDArray[np.int8]
    code: NDArray[np.int32]
    non_crime: Flags
    role: NDArray[np.int8]
    inferred: Flags
    assumed: Flags

    @property
    def incident_id(self) -> pa.StringArray:
        """The id of each, (M,)."""
        return self.names.take(pa.array(self.incident))

    @property
    def inferred_ids(self) -> list[str]:
        """The ids of those whose harm was read out of a log."""
        found: list[str] = self.incident_id.filter(pa.array(self.inferred)).to_pylist()
        return found

    def take(self, nominals: Ints) -> "KnownIncidents":
        """Those of some nominals, with no more names than they need."""
        spans, rows = self.spans.take(nominals)
        needed, incident = np.unique(self.incident[rows], return_inverse=True)
        return KnownIncidents(
            spans,
            self.names.take(pa.array(needed)),
            self.offences,
            incident.astype(np.int32),
            self.day[rows],
            self.harm[rows],
            self.bits[rows],
            self.code[rows],
            self.non_crime[rows],
            self.role[rows],
            self.inferred[rows],
            self.assumed[rows],
        )


@dataclass(frozen=True)
class People:
    """N nominals by id, and what was known of them on `as_of` (days since 1970-01-01).

    `nominal_id` (N,); `birth` float64 (N,), NaN unknown; `gender` int8 (N,) as `GENDER_CODES`; `contacts` float64 (N,)
    of the index incident's victim before day zero, NaN where it has none on record; `custody_day` appearances by then.
    """

    as_of: int
    nominal_id: pa.StringArray
    birth: Floats
    gender: NDArray[np.int8]
    contacts: Floats
    incidents: KnownIncidents
    custody: Spans
    custody_day: Ints

    def __len__(self) -> int:
        return len(self.nominal_id)

    def part(self, first: int, last: int) -> "People":
        """Nominals `first:last`."""
        return self.take(np.arange(first, last))

    def take(self, nominals: Ints) -> "People":
        """Some nominals, in the order given."""
        custody, appearances = self.custody.take(nominals)
        return replace(
            self,
            nominal_id=self.nominal_id.take(pa.array(nominals)),
            birth=self.birth[nominals],
            gender=self.gender[nominals],
            contacts=self.contacts[nominals],
            incidents=self.incidents.take(nominals),
            custody=custody,
            custody_day=self.custody_day[appearances],
        )


def load_people(
    folder: Path,
    index: HarmIndex,
    today: date,
    as_of: date | None = None,
    subject: Subject = STALKER,
    logs: LogHarm | None = None,
) -> People:
    """Read an extract folder and keep who can be scored on `as_of` (default: the extract's last day, at most `today`).

    `logs` as for `load_extract`.

    Raises SetupError as `load_extract`, and for a day after the extract's end.
    """
    extract = load_extract(folder, index, today=today, logs=logs)
    _tell_left_out(extract)
    day = extract.end if as_of is None else as_of.toordinal() - EPOCH
    if day > extract.end:
        raise SetupError("The extract ends before the day to score for. Take an earlier day, or a newer extract.")
    give_back()
    people = people_on(extract, day, subject)
    del extract
    give_back()
    return people


def _tell_left_out(extract: Extract) -> None:
    """A request would be refused for such an incident; an extract goes on without it, never silently."""
    left_out = {rule: extract.counts[rule] for rule in LEFT_OUT if extract.counts.get(rule)}
    if left_out:
        told = ", ".join(f"{rule} {number:,}" for rule, number in left_out.items())
        log.warning("extract: incidents left out (docs/training.md says why): %s", told)


def people_on(extract: Extract, as_of: int, subject: Subject = STALKER) -> People:
    """Who of a clean extract can be scored on a day by a model of this subject."""
    role = ROLES[subject.perspective](extract, as_of)
    rows = np.flatnonzero((role > 0) & (extract.recorded[extract.incident] <= as_of))
    columns = incident_columns(extract, rows, extract.person[rows], role)
    begins = begins_case(columns.classes, extract.harassing[extract.incident[rows]], subject.day_zero)
    found = day_zero_histories(columns, len(extract.persons), as_of, begins=begins)
    person = np.flatnonzero((found.day_zero != NO_DAY) & (found.day_zero >= as_of - LATEST_SCORING_DAYS))
    place = np.full(len(extract.persons), -1)
    place[person] = np.arange(len(person))

    index = extract.incident[rows[found.source[found.starts[person + 1] - 1]]]
    of_nobody = ~np.isin(index, extract.incident[extract.role == VICTIM_ROLE])
    contacts = contacts_of(extract, person, index, found.day_zero[person], subject.perspective)
    reads_custody = "custody_count" in subject.side.features
    custody = np.flatnonzero((place[extract.custody_person] >= 0) & (extract.custody_day <= as_of) & reads_custody)
    custody = custody[np.lexsort((extract.custody_day[custody], extract.custody_person[custody]))]
    return People(
        as_of=as_of,
        nominal_id=extract.persons.take(pa.array(person)),
        birth=extract.birth[person],
        gender=extract.gender[person],
        contacts=np.where(of_nobody, np.nan, contacts),
        incidents=_known_incidents(extract, rows[place[extract.person[rows]] >= 0], role, place, len(person)),
        custody=_spans(place[extract.custody_person[custody]], len(person)),
        custody_day=extract.custody_day[custody],
    )


def _known_incidents(extract: Extract, rows: Ints, role: NDArray[np.int8], place: Ints, count: int) -> KnownIncidents:
    """Involvement rows laid out by nominal, date and id; incidents of an extract stand in the order of their ids."""
    owner, incident = place[extract.person[rows]], extract.incident[rows]
    order = np.lexsort((incident, extract.occurred[incident], owner))
    rows, incident = rows[order], incident[order]
    return KnownIncidents(
        spans=_spans(owner[order], count),
        names=extract.incidents,
        offences=extract.offences,
        incident=incident.astype(np.int32),
        day=extract.occurred[incident].astype(np.int32),
        harm=extract.harm[incident],
        bits=(extract.classes @ _BITS).astype(np.int8)[incident],
        code=extract.codes.astype(np.int32)[incident],
        non_crime=extract.non_crime[incident],
        role=role[rows],
        inferred=extract.inferred[incident],
        assumed=extract.assumed[incident],
    )


def _spans(owner: Ints, count: int) -> Spans:
    """From the sorted owner of each row."""
    return Spans(np.searchsorted(owner, np.arange(count + 1)).astype(np.int64))
