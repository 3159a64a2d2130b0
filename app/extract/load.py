"""Loading an extract: the five tables of a force's crime system, checked, cleaned by named rules, and counted.

Dirty rows and what becomes of them (each rule's name is its key in `Extract.counts`; readings are ours):

| rule | what | becomes |
|---|---|---|
| `repeated-row` | a row equal to an earlier one (not in contacts: two calls on a day are two calls) | dropped |
| `several-roles-on-incident` | one person more than once on an incident | the strongest role (`STRENGTH`) |
| `unknown-birth-date` | no date of birth, or one after the end of the extract | kept, age unknown |
| `placeholder-1-january` | dated 1 January | kept |
| `date-before-birth` | dated before the person was born | not that person's incident |
| `custody-before-birth` | a custody appearance from before the person was born | dropped |
| `date-in-the-future` | dated after the end of the extract, or recorded after today | dropped |
| `recording-date-missing` | no `recorded_on`, in a row or the whole table | known on the day it happened |
| `recorded-before-event` | recorded before it happened | recorded on the day it happened |
| `recorded-twice` | same people, date, code and flags under another id | first by id kept |
| `recorded-a-year-late` | recorded more than 365 days after the event | kept, known only from then on |
| `unknown-code` | a code the harm index lacks, or a crime without code; no `harm_score` | dropped: there is no number |
| `unknown-code-with-harm` | the same with a `harm_score` | kept with that harm and no offence class |
| `slashed-code` | `NNN/NN` | read as `NNNNN` |
| `domestic-non-crime-read` | a domestic non-crime without `harm_score`, with a log that a model reads | what is read out of it |
| `domestic-non-crime-unscored` | a domestic non-crime without `harm_score` | 3 days, the middle of 1, 2, 3, 5, 10 |
| `victim-and-nominal` | a nominal who is a victim elsewhere | kept, each incident its own role |

The end of the extract is its newest recording day, today at the latest.
"""

import logging
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from app.errors import SetupError
from app.extract import rules
from app.extract.log_harm import LogHarm, fill_in
from app.extract.raw import Raw, RawIncidents, RawInvolvements, read_raw
from app.extract.rules import ELIMINATED_ROLE, VICTIM_ROLE, Counts, Flags
from app.extract.tables import Reader, give_back
from app.extract.values import Values, value_incidents
from app.harm.features import NO_DAY, Floats, Ints
from app.harm.harm_index import HarmIndex

log = logging.getLogger(__name__)

MARKER = "SYNTHETIC.txt"
REAL_SOURCE = "a force's own extract"


@dataclass(frozen=True)
class Extract:
    """Clean columns; days since 1970-01-01, `NO_DAY` where unknown.

    P persons by id: `persons` their ids, `birth` float64 (NaN unknown), `gender` as `GENDER_CODES`, `ethnicity` str or
    None, empty where unknown (fairness audit only, never a feature). I incidents by id in UTF-8 byte order: `incidents`
    their ids, `occurred`, `recorded`, `harm` (days), `classes` bool (I, 5) as `CLASSES`, `harassing` (of the stalking and
    harassment subgroup), `approximate` (harm is a median), `inferred` (it was read out of a log), `assumed` (neither: 3
    days), `non_crime`, `codes` the place of each one's code among `offences` (five digits, empty for none). V involvements:
    rows of incident and person, `role` as `ROLES`, `charged`, `eliminated`. K custody appearances, C contacts of
    victims. `end` is the last day; `source` whom it tells of.
    """

    persons: pa.StringArray
    birth: Floats
    gender: NDArray[np.int8]
    ethnicity: NDArray[np.object_] | None
    incidents: pa.StringArray
    occurred: Ints
    recorded: Ints
    harm: Floats
    classes: Flags
    harassing: Flags
    approximate: Flags
    inferred: Flags
    assumed: Flags
    non_crime: Flags
    offences: NDArray[np.str_]
    codes: Ints
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

    @cached_property
    def person_id(self) -> NDArray[np.object_]:
        """`persons` as Python strings, (P,): made when somebody asks, since they take ten times the room."""
        return np.asarray(self.persons.to_numpy(zero_copy_only=False))

    @cached_property
    def incident_id(self) -> NDArray[np.object_]:
        """`incidents` as Python strings, (I,)."""
        return np.asarray(self.incidents.to_numpy(zero_copy_only=False))

    @property
    def code(self) -> NDArray[np.str_]:
        """The code of each incident, (I,)."""
        return self.offences[self.codes]


def load_extract(
    folder: Path, harm_index: HarmIndex, *, today: date | None = None, logs: LogHarm | None = None
) -> Extract:
    """Read, check and clean an extract folder (extract.md): Parquet or CSV, one file a table.

    `today` (default: the calendar's) bounds recording days; `logs` tells the harm of domestic non-crimes that have no score
    and a log. Raises SetupError with a table of what is wrong: missing
    columns, unreadable dates, unknown words, broken keys.
    """
    counts: Counts = {}
    raw = read_raw(Reader(folder), counts)
    end = _end(raw.incidents, ((today or date.today()) - date(1970, 1, 1)).days)
    incidents, future = _settle_dates(fill_in(raw.incidents, logs, counts), end, counts)
    value = value_incidents(incidents, raw.offences, harm_index, counts)
    birth = np.where(raw.persons.birth > end, np.nan, raw.persons.birth)
    counts["unknown-birth-date"] = int(np.isnan(birth).sum())
    involved = _settle_roles(raw.involvements, incidents.occurred, birth, ~future & value.known, counts)
    raw = replace(raw, involvements=involved)  # of millions of rows none is held twice for longer than it takes
    give_back()
    kept = _kept(incidents, value, involved, ~future & value.known, counts)

    involved = involved.take(np.flatnonzero(kept[involved.incident]))
    incidents = incidents.take(np.flatnonzero(kept))
    _count_kept(incidents, involved, len(birth), counts)
    born = ~(raw.custody_day < birth[raw.custody_person])
    counts["custody-before-birth"] = int((~born).sum())
    cleaned = replace(
        raw,
        persons=replace(raw.persons, birth=birth),
        incidents=incidents,
        involvements=involved,
        custody_person=raw.custody_person[born],
        custody_day=raw.custody_day[born],
    )
    log.info("extract read: %s", counts)
    return _extract(cleaned, value, kept, end, source_of(folder), counts)


def _extract(raw: Raw, value: Values, kept: Flags, end: int, source: str, counts: Counts) -> Extract:
    """Lay out the clean columns; of the incidents valued, those in `raw` are the `kept` ones."""
    rows, incidents, involved = np.flatnonzero(kept), raw.incidents, raw.involvements
    return Extract(
        persons=raw.persons.ids,
        birth=raw.persons.birth,
        gender=raw.persons.gender,
        ethnicity=raw.persons.ethnicity,
        incidents=incidents.ids,
        occurred=incidents.occurred,
        recorded=incidents.recorded,
        harm=value.harm[rows],
        classes=value.classes[rows],
        harassing=value.harassing[rows],
        approximate=value.approximate[rows],
        inferred=incidents.inferred,
        assumed=value.assumed[rows],
        non_crime=incidents.non_crime,
        offences=raw.offences,
        codes=incidents.code,
        incident=(np.cumsum(kept) - 1)[involved.incident],
        person=involved.person,
        role=involved.role,
        charged=involved.charged,
        eliminated=involved.eliminated,
        custody_person=raw.custody_person,
        custody_day=raw.custody_day,
        contact_person=raw.contact_person,
        contact_day=raw.contact_day,
        end=end,
        source=source,
        counts=counts,
    )


def _end(incidents: RawIncidents, latest: int) -> int:
    """The newest recording day, `latest` at most."""
    stated = _stated(incidents)
    present = stated[stated <= latest]
    if not len(present):
        raise SetupError("The extract has no incident recorded up to today. Check the incidents table.")
    return int(present.max())


def _stated(incidents: RawIncidents) -> Ints:
    """Recording days as the extract gives them: without one, the day of the event."""
    return np.where(incidents.recorded == NO_DAY, incidents.occurred, incidents.recorded)


def _settle_dates(incidents: RawIncidents, end: int, counts: Counts) -> tuple[RawIncidents, Flags]:
    """Fill recording days, and mark what lies in the future."""
    stated = _stated(incidents)
    future = (incidents.occurred > end) | (stated > end)
    early = (stated < incidents.occurred) & ~future
    counts["date-in-the-future"] = int(future.sum())
    counts["recorded-before-event"] = int(early.sum())
    return replace(incidents, recorded=np.maximum(stated, incidents.occurred)), future


def _settle_roles(
    involved: RawInvolvements, occurred: Ints, birth: Floats, kept: Flags, counts: Counts
) -> RawInvolvements:
    """One role for each person on an incident, and none from before birth."""
    on_kept = kept[involved.incident]
    weaker = rules.weaker_roles(
        involved.incident, involved.person, involved.role, involved.charged, involved.eliminated
    )
    before_birth = ~weaker & (occurred[involved.incident] < birth[involved.person])
    counts["several-roles-on-incident"] = int((weaker & on_kept).sum())
    counts["date-before-birth"] = int((before_birth & on_kept).sum())
    return involved.take(np.flatnonzero(~weaker & ~before_birth))


def _kept(incidents: RawIncidents, value: Values, involved: RawInvolvements, usable: Flags, counts: Counts) -> Flags:
    """Usable incidents less those recorded twice."""
    what = [incidents.occurred, incidents.code, incidents.non_crime, incidents.domestic, value.harm, usable]
    again = rules.recorded_twice(what, involved.incident, involved.person, len(usable)) & usable
    counts["recorded-twice"] = int(again.sum())
    return usable & ~again


def _count_kept(incidents: RawIncidents, involved: RawInvolvements, persons: int, counts: Counts) -> None:
    victim, nominal = np.zeros(persons, dtype=np.bool_), np.zeros(persons, dtype=np.bool_)
    victim[involved.person[involved.role == VICTIM_ROLE]] = True
    nominal[involved.person[involved.role < ELIMINATED_ROLE]] = True
    late = incidents.recorded - incidents.occurred > rules.YEARS_LATE_DAYS
    counts["victim-and-nominal"] = int((victim & nominal).sum())
    counts["placeholder-1-january"] = int(rules.placeholders(incidents.occurred).sum())
    counts["recorded-a-year-late"] = int(late.sum())
    counts.update(persons=persons, incidents=len(incidents.occurred), involvements=len(involved.person))


def source_of(folder: Path) -> str:
    """First line of the marker of invented people, if there is one."""
    marker = folder / MARKER
    if not marker.is_file():
        return REAL_SOURCE
    return marker.read_text(encoding="utf-8").splitlines()[0].strip()
