"""From a request to the history the model sees: meaning checked, harm and classes looked up, oddities told.

Everything that would make the number wrong is refused; everything that only makes it less certain is a warning.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import NamedTuple

import numpy as np

from app.errors import Fault, InvalidInput
from app.harm.features import (
    CLASSES,
    GENDER_CODES,
    Histories,
    Incidents,
    Ints,
    Nominals,
    day_zero_histories,
)
from app.harm.harm_index import STALKING_AND_HARASSMENT, HarmIndex, offence_classes
from app.harm.inferred import Readings, read_logs
from app.harm.oddities import WARNINGS, Facts, is_placeholder, oddities
from app.harm.records import IncidentRecord, ScoreRequest
from app.harm.subject import BEGINS, Side, Subject, begins_case
from app.text.records import Inferred

EPOCH = date(1970, 1, 1).toordinal()
STALKER = Subject()
LATEST_SCORING_DAYS = 365
AFTER_DAY_ZERO = "after-day-zero"


@dataclass(frozen=True)
class Case:
    """One nominal ready to score.

    `histories` and `nominals` hold one nominal; `order` the request positions of the incidents used, oldest first;
    `ignored` (incident id, reason); `warnings` codes in the order of `WARNINGS`; `inferred` (incident id, what was read)
    of the incidents used whose harm was read out of their log, oldest first.
    """

    request: ScoreRequest
    as_of: date
    day_zero: date
    histories: Histories
    nominals: Nominals
    order: list[int]
    ignored: list[tuple[str, str]]
    warnings: list[str]
    inferred: list[tuple[str, Inferred]]


class Valued(NamedTuple):
    """An incident with its harm (days) and classes, as `CLASSES`, settled; `harassing` as in `begins_case`."""

    position: int
    record: IncidentRecord
    day: int
    harm: float
    classes: tuple[bool, ...]
    approximate: bool
    inferred: Inferred | None
    harassing: bool


class Checked(NamedTuple):
    """A request whose fields all mean something, with its incidents; `counted` are those that the nominal was not cleared of,
    `subject` whom the model asked is about."""

    request: ScoreRequest
    as_of: date
    valued: list[Valued]
    counted: list[Valued]
    subject: Subject


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return day.toordinal() - EPOCH


def build_case(request: ScoreRequest, index: HarmIndex, today: date, subject: Subject = STALKER) -> Case:
    """Check the meaning of a request and put its history in order, as a model of this `subject` reads it.

    Raises InvalidInput naming every fault found. `today` is the date in the service's time zone."""
    one = check(request, index, today, subject)
    return settle(one, known_histories([one], subject), nominal_columns([one]))


def check(request: ScoreRequest, index: HarmIndex, today: date, subject: Subject = STALKER) -> Checked:
    """The calendar, the ids, the roles and the offences of a request. Raises InvalidInput naming every fault found."""
    as_of, side = request.as_of or today, subject.side
    readings, unread = read_logs(request, index.reader)
    faults = [*_calendar_faults(request, as_of, today), *_repeated_ids(request), *_unread(request, side), *unread]
    valued = []
    for position, record in enumerate(request.incidents):
        try:
            valued.append(value_of(position, record, index, readings))
        except InvalidInput as error:
            faults.extend(error.faults)
    if faults:
        raise InvalidInput("The request breaks the rules named in errors.", faults)
    counted = [incident for incident in valued if incident.record.role in side.roles]
    return Checked(request, as_of, valued, _unmarked(counted, day_number(as_of), subject), subject)


def settle(one: Checked, histories: Histories, nominals: Nominals) -> Case:
    """The case of one nominal, whose history is `histories`. Raises InvalidInput where one cannot score from it."""
    if not len(histories.source):
        raise InvalidInput(
            f"There is no {BEGINS[one.subject.day_zero]} incident to score from.",
            [Fault("/incidents", f"no-{one.subject.day_zero}-incident")],
        )
    day_zero = int(histories.day_zero[0])
    age = day_number(one.as_of) - day_zero
    if age > LATEST_SCORING_DAYS:
        raise InvalidInput(
            f"The most recent {BEGINS[one.subject.day_zero]} incident is too old.",
            [Fault("/as_of", "over-365-days-after-day-zero")],
        )

    used = [one.counted[row] for row in histories.source.tolist()]
    ignored = list(_ignored(one.valued, day_zero))
    return Case(
        request=one.request,
        as_of=one.as_of,
        day_zero=date.fromordinal(day_zero + EPOCH),
        histories=histories,
        nominals=nominals,
        order=[incident.position for incident in used],
        ignored=ignored,
        warnings=_warnings(one.request, used, {reason for _, reason in ignored}, age),
        inferred=[(one.record.incident_id, one.inferred) for one in used if one.inferred],
    )


def _unmarked(counted: list[Valued], as_of: int, subject: Subject) -> list[Valued]:
    """The incidents that are not marked as generated by police; the index incident cannot be.

    Leaving it out would move day zero without a word, using it would not heed the mark: the caller has to say which (ours).
    """
    unmarked = [incident for incident in counted if not incident.record.police_generated]
    if len(unmarked) == len(counted):
        return counted
    found = _histories([counted], as_of, subject).source
    index = counted[found[-1]] if len(found) else None
    if index is not None and index.record.police_generated:
        raise _refusal(f"/incidents/{index.position}/police_generated", "index-incident-is-police-generated")
    return unmarked


def _calendar_faults(request: ScoreRequest, as_of: date, today: date) -> Iterator[Fault]:
    birth = request.nominal.date_of_birth
    if as_of > today:
        yield Fault("/as_of", "in-the-future")
    if birth is not None and birth > as_of:
        yield Fault("/nominal/date_of_birth", "after-as-of")
    days = [(f"/incidents/{i}/occurred_on", incident.occurred_on) for i, incident in enumerate(request.incidents)]
    days += [(f"/custody_dates/{i}", day) for i, day in enumerate(request.custody_dates)]
    for pointer, day in days:
        if day > as_of:
            yield Fault(pointer, "after-as-of")
        elif birth is not None and day < birth:
            yield Fault(pointer, "before-birth")


def _unread(request: ScoreRequest, side: Side) -> Iterator[Fault]:
    """What the model of this side must not be told: more than it reads is more than anybody needs to send."""
    if request.custody_dates and "custody_count" not in side.features:
        yield Fault("/custody_dates", "not-for-this-model")
    for position, incident in enumerate(request.incidents):
        if incident.role not in side.taken:
            yield Fault(f"/incidents/{position}/role", "role-not-for-this-model", side.taken)


def _repeated_ids(request: ScoreRequest) -> Iterator[Fault]:
    seen: set[str] = set()
    for position, incident in enumerate(request.incidents):
        if incident.incident_id in seen:
            yield Fault(f"/incidents/{position}/incident_id", "duplicate-incident-id")
        seen.add(incident.incident_id)


def value_of(position: int, record: IncidentRecord, index: HarmIndex, readings: Readings) -> Valued:
    """Settle harm and classes: what was sent or read out of the log first, the harm index next, nothing for other
    non-crimes (ours). Raises InvalidInput where there is no number."""
    offence = index.lookup(record.offence_code) if record.offence_code else None
    known_otherwise = record.harm_score is not None and record.offence_class is not None
    here = f"/incidents/{position}"
    if record.offence_code and offence is None and not known_otherwise:
        raise _refusal(f"{here}/offence_code", "unknown-offence-code")
    if not record.is_non_crime and not record.offence_code and not known_otherwise:
        raise _refusal(f"{here}/offence_code", "required-without-harm-score-and-offence-class")
    if record.is_non_crime and record.is_domestic and record.harm_score is None and record.log_text is None:
        raise _refusal(f"{here}/harm_score", "required-for-domestic-non-crime")

    inferred = readings.get(position)
    indexed = offence if record.harm_score is None and not record.is_non_crime else None
    own = offence.classes if offence else frozenset[str]()
    classes = own if record.offence_class is None else frozenset(record.offence_class)
    return Valued(
        position=position,
        record=record,
        day=day_number(record.occurred_on),
        harm=inferred.score if inferred else indexed.harm if indexed else record.harm_score or 0.0,
        classes=_flags(classes, record.intimate_partner, record.is_domestic),
        approximate=indexed is not None and indexed.approximate,
        inferred=inferred,
        harassing=not record.is_non_crime
        and ("harassment" in classes if offence is None else offence.subgroup == STALKING_AND_HARASSMENT),
    )


def _refusal(pointer: str, rule: str, allowed: tuple[str, ...] = ()) -> InvalidInput:
    return InvalidInput("The request breaks the rules named in errors.", [Fault(pointer, rule, allowed)])


@cache
def _flags(classes: frozenset[str], intimate_partner: bool, is_domestic: bool) -> tuple[bool, ...]:
    """One incident's row of `Incidents.classes`; there are few kinds, and bulk meets each of them thousands of times."""
    found = offence_classes(classes, intimate_partner=intimate_partner)
    return (*(name in found for name in CLASSES[:-1]), is_domestic)


def known_histories(requests: Sequence[Checked], subject: Subject) -> Histories:
    """The histories of N requests to a model of this subject, in the order given; empty where nothing begins a case."""
    as_of = np.array([day_number(one.as_of) for one in requests], dtype=np.int64)
    return _histories([one.counted for one in requests], as_of, subject)


def _histories(counted: Sequence[Sequence[Valued]], as_of: Ints | int, subject: Subject) -> Histories:
    columns = _incidents(counted, subject.side)
    harassing = np.array([incident.harassing for own in counted for incident in own], dtype=np.bool_)
    begins = begins_case(columns.classes, harassing, subject.day_zero)
    return day_zero_histories(columns, len(counted), as_of, begins=begins)


def _incidents(counted: Sequence[Sequence[Valued]], side: Side) -> Incidents:
    """The incidents of each nominal as columns."""
    incidents = [incident for own in counted for incident in own]
    # Python compares strings by code point, which is the order of their UTF-8 bytes.
    names = [incident.record.incident_id for incident in incidents]
    rank = {name: place for place, name in enumerate(sorted(set(names)))}
    return Incidents(
        nominal=np.repeat(np.arange(len(counted), dtype=np.int64), [len(own) for own in counted]),
        day=np.array([incident.day for incident in incidents], dtype=np.int64),
        id_rank=np.array([rank[name] for name in names], dtype=np.int64),
        harm=np.array([incident.harm for incident in incidents], dtype=np.float64),
        classes=np.array([incident.classes for incident in incidents], dtype=np.bool_).reshape(-1, len(CLASSES)),
        role=np.array([side.roles[incident.record.role] for incident in incidents], dtype=np.int8),
    )


def nominal_columns(requests: Sequence[Checked]) -> Nominals:
    """The nominals of N requests, in the order given."""
    asked = [one.request for one in requests]
    births = [request.nominal.date_of_birth for request in asked]
    return Nominals(
        birth_day=np.array([np.nan if birth is None else day_number(birth) for birth in births], dtype=np.float64),
        gender=np.array([GENDER_CODES[request.nominal.gender] for request in asked], dtype=np.int8),
        victim_contacts=np.array([request.index_victim_contacts or 0 for request in asked], dtype=np.float64),
        custody_nominal=np.repeat(np.arange(len(asked)), [len(request.custody_dates) for request in asked]),
        custody_day=np.array([day_number(day) for request in asked for day in request.custody_dates], dtype=np.int64),
    )


def _ignored(valued: list[Valued], day_zero: int) -> Iterator[tuple[str, str]]:
    """Incidents left out, in the order sent, with the first reason that holds."""
    for incident in valued:
        reasons = {
            "suspect-eliminated": incident.record.role == "suspect_eliminated",
            AFTER_DAY_ZERO: incident.day > day_zero,
            "police-generated": incident.record.police_generated,
        }
        holding = [reason for reason, holds in reasons.items() if holds]
        if holding:
            yield incident.record.incident_id, holding[0]


def _warnings(request: ScoreRequest, used: list[Valued], left_out: Collection[str], age: int) -> list[str]:
    """Codes in their order; `left_out` reasons for which incidents were, `age` days since day zero."""
    days = {incident.day for incident in used}
    facts = Facts(
        used=len(used),
        days=len(days),
        placeholder=any(is_placeholder(day) for day in days),
        contacts_unknown=request.index_victim_contacts is None,
        birth_unknown=request.nominal.date_of_birth is None,
        inferred=any(incident.inferred for incident in used),
        approximate=any(incident.approximate for incident in used),
        assumed=any(incident.record.harm_assumed for incident in used),
        left_out=AFTER_DAY_ZERO in left_out,
        age=age,
    )
    found = oddities(facts)
    return [code for code in WARNINGS if found.get(code)]
