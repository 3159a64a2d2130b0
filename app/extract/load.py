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
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from app.errors import SetupError
from app.extract import rules
from app.extract.log_harm import LogHarm, fill_in
from app.extract.raw import Raw, RawIncidents, RawInvolvements, codes_of, read_raw
from app.extract.rules import ELIMINATED_ROLE, VICTIM_ROLE, Counts, Flags
from app.extract.tables import Reader
from app.harm.features import CLASSES, NO_DAY, Floats, Ints
from app.harm.harm_index import STALKING_AND_HARASSMENT, HarmIndex, offence_classes

log = logging.getLogger(__name__)

MARKER = "SYNTHETIC.txt"
REAL_SOURCE = "a force's own extract"


@dataclass(frozen=True)
class Extract:
    """Clean columns; days since 1970-01-01, `NO_DAY` where unknown.

    P persons by id: `person_id` str, `birth` float64 (NaN unknown), `gender` as `GENDER_CODES`, `ethnicity` str or
    None, empty where unknown (fairness audit only, never a feature). I incidents by id in UTF-8 byte order: `occurred`,
    `recorded`, `harm` (days), `classes` bool (I, 5) as `CLASSES`, `harassing` (of the stalking and harassment
    subgroup), `approximate` (harm is a median), `inferred` (it was read out of a log), `assumed` (neither: 3 days),
    `non_crime`, `code` (five digits, empty for none). V involvements:
    rows of incident and person, `role` as `ROLES`, `charged`, `eliminated`. K custody appearances, C contacts of
    victims. `end` is the last day; `source` whom it tells of.
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
    harassing: Flags
    approximate: Flags
    inferred: Flags
    assumed: Flags
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
class _Value:
    """Of each incident: harm in days, classes, whether it is of the stalking and harassment subgroup, whether the harm
    is a median or what a domestic non-crime gets that nobody scored, whether there is a number at all."""

    harm: Floats
    classes: Flags
    harassing: Flags
    approximate: Flags
    assumed: Flags
    known: Flags


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
    value = _value(incidents, harm_index, counts)
    birth = np.where(raw.persons.birth > end, np.nan, raw.persons.birth)
    counts["unknown-birth-date"] = int(np.isnan(birth).sum())
    involved = _settle_roles(raw.involvements, incidents.occurred, birth, ~future & value.known, counts)
    kept = _kept(incidents, value, involved, ~future & value.known, counts)

    involved = involved.take(np.flatnonzero(kept[involved.incident]))
    _count_kept(incidents.take(np.flatnonzero(kept)), involved, len(birth), counts)
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


def _extract(raw: Raw, value: _Value, kept: Flags, end: int, source: str, counts: Counts) -> Extract:
    """Lay out the clean columns; only `kept` incidents."""
    rows = np.flatnonzero(kept)
    incidents, involved = raw.incidents.take(rows), raw.involvements
    return Extract(
        person_id=raw.persons.ids.to_numpy(zero_copy_only=False),
        birth=raw.persons.birth,
        gender=raw.persons.gender,
        ethnicity=raw.persons.ethnicity,
        incident_id=incidents.ids.to_numpy(zero_copy_only=False),
        occurred=incidents.occurred,
        recorded=incidents.recorded,
        harm=value.harm[rows],
        classes=value.classes[rows],
        harassing=value.harassing[rows],
        approximate=value.approximate[rows],
        inferred=incidents.inferred,
        assumed=value.assumed[rows],
        non_crime=incidents.non_crime,
        code=incidents.code,
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


def _value(incidents: RawIncidents, harm_index: HarmIndex, counts: Counts) -> _Value:
    """Harm and classes as in serving: what was sent first, the harm index next, nothing for other non-crimes (ours)."""
    distinct, place = np.unique(incidents.code.astype(str), return_inverse=True)
    offences = [harm_index.lookup(str(code)) for code in distinct]
    listed = np.array([offence is not None for offence in offences])[place]
    by_code = np.array([offence.harm if offence else np.nan for offence in offences])[place]
    median = np.array([bool(offence and offence.approximate) for offence in offences])[place]
    group = np.array([bool(offence and offence.subgroup == STALKING_AND_HARASSMENT) for offence in offences])[place]
    classes_of = [offence.classes if offence else frozenset[str]() for offence in offences]
    own = np.array(
        [
            [_flags(offence_classes(classes, intimate_partner=known)) for classes in classes_of]
            for known in (False, True)
        ]
    )

    scored = ~np.isnan(incidents.harm_score)
    unscored = ~scored & incidents.non_crime & incidents.domestic
    otherwise = np.where(incidents.non_crime, 0.0, by_code)
    otherwise = np.where(unscored, rules.UNSCORED_DOMESTIC_HARM, otherwise)
    nameless = ~listed & ~incidents.non_crime
    counts["domestic-non-crime-unscored"] = int(unscored.sum())
    counts["unknown-code"] = int((nameless & ~scored).sum())
    counts["unknown-code-with-harm"] = int((nameless & scored).sum())
    return _Value(
        harm=np.where(scored, incidents.harm_score, otherwise),
        classes=np.column_stack([own[incidents.partner.astype(np.int64), place], incidents.domestic]),
        harassing=group & ~incidents.non_crime,
        approximate=median & ~scored & ~incidents.non_crime,
        assumed=unscored,
        known=scored | ~nameless,
    )


def _flags(classes: frozenset[str]) -> list[bool]:
    return [name in classes for name in CLASSES[:-1]]


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


def _kept(incidents: RawIncidents, value: _Value, involved: RawInvolvements, usable: Flags, counts: Counts) -> Flags:
    """Usable incidents less those recorded twice."""
    code = codes_of(pa.array(incidents.code))
    what = [incidents.occurred, code, incidents.non_crime, incidents.domestic, value.harm, usable]
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
