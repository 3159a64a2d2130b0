"""What a caller sends: the request of `POST /score`, field by field, and its form checks.

Form is checked here (types, patterns, closed lists, unknown fields); meaning that needs the harm index or the calendar
is checked in `history.py`. Source of the terms: the report's glossary and section 3.2.
"""

import re
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, WithJsonSchema
from pydantic_core import PydanticCustomError

from app.described import described
from app.forms import Identifier, check_form, read_form
from app.purposes import Purpose
from app.text.records import LogText

DEFAULT_FAMILY = "stalking-nominal"
MAX_INCIDENTS = 2_000
MAX_CONTACTS = 1_000_000
MAX_CUSTODY = 10_000
MAX_HARM = 5_475

Gender = Literal["male", "female", "other", "unknown"]
Role = Literal["offender", "suspect", "suspect_eliminated", "victim"]
OffenceClass = Literal["harassment", "violent", "sexual", "stalking"]
Explain = Literal["none", "factors", "incidents", "both"]

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


def _read_day(value: Any) -> date:
    """Take exactly `YYYY-MM-DD`: `date.fromisoformat` alone also takes week dates and compact forms."""
    if not isinstance(value, str) or _DAY.fullmatch(value) is None:
        raise PydanticCustomError("date-format", "expected YYYY-MM-DD")
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise PydanticCustomError("calendar-date", "no such day") from None


Day = Annotated[
    date, BeforeValidator(_read_day), WithJsonSchema({"type": "string", "format": "date"}, mode="validation")
]
OffenceCode = Annotated[str, Field(pattern=r"^[0-9]{3}/?[0-9]{2}$")]

EXAMPLE: dict[str, Any] = {
    "nominal": {"nominal_id": "N-104", "date_of_birth": "1990-01-01", "gender": "male"},
    "index_victim_contacts": 3,
    "custody_dates": ["2020-03-10"],
    "incidents": [
        {
            "incident_id": "A", "occurred_on": "2020-01-01", "offence_code": "00806", "role": "suspect", "is_domestic": True,
        },
        {
            "incident_id": "B", "occurred_on": "2020-03-11", "is_non_crime": True, "harm_score": 1, "role": "suspect",
            "is_domestic": True,
        },
        {
            "incident_id": "C", "occurred_on": "2020-03-11", "offence_code": "00865", "harm_score": 182, "role": "offender",
            "intimate_partner": True,
        },
    ],
    "explain": "factors",
    "purpose": "stalking-triage",
    "as_of": "2020-03-12",
}  # fmt: skip
"""A request to try: shown in the API's documentation. Nobody real."""


def _needs_a_view(value: bool, known: ValidationInfo) -> bool:
    """Without a view there is nothing to explain the survival by; better refused than quietly forgotten."""
    if value and known.data.get("explain") == "none":
        raise PydanticCustomError("needs-a-view", "explain names no view")
    return value


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, json_schema_extra=described)


class NominalRecord(_Record):
    """The person scored: an offender or suspect; where a victim's model is asked, the victim."""

    nominal_id: Identifier
    """What the nominal is called in the sending system."""
    date_of_birth: Day | None = None
    """Null where unknown: a typical age is assumed, with a warning."""
    gender: Gender = "unknown"
    """As recorded."""


class IncidentRecord(_Record):
    """One crime or non-crime the nominal is recorded on.

    `harm_score` (days) overrides the harm index; `offence_class` overrides the classes of the code.
    """

    incident_id: Identifier
    """What the incident is called in the sending system."""
    occurred_on: Day
    """Day on which it happened."""
    offence_code: OffenceCode | None = None
    """Home Office code, NNNNN or NNN/NN; may be null for a non-crime, or where `harm_score` and `offence_class` are sent."""
    is_non_crime: bool = False
    """Recorded, but not as a crime."""
    is_domestic: bool = False
    """Recorded as domestic."""
    intimate_partner: bool = False
    """Nominal and victim are or were intimate partners: harassment then counts as stalking."""
    role: Role
    """What the nominal is recorded as: `suspect` was not charged, `suspect_eliminated` leaves no trace in the score, `victim` is
    for the victim's model."""
    harm_score: Annotated[float, Field(ge=0, le=MAX_HARM, allow_inf_nan=False)] | None = None
    """Days, in place of the harm index; required for a domestic non-crime without `log_text`."""
    harm_assumed: bool = False
    """Nobody gave this `harm_score`: the sending system assumed it of a domestic non-crime without score or log. The answer
    says so."""
    offence_class: Annotated[list[OffenceClass], Field(max_length=4)] | None = None
    """In place of the code's own classes."""
    police_generated: bool = False
    """On record because police looked, not because somebody reported it: left out of the score. The index incident cannot be."""
    log_text: LogText | None = None
    """Log of a domestic non-crime, in place of `harm_score`, where a model that reads logs is loaded."""


def _described_with_example(schema: dict[str, Any], model: type[BaseModel]) -> None:
    described(schema, model)
    schema["examples"] = [EXAMPLE]


class ScoreRequest(_Record):
    """The body of `POST /score`.

    `as_of` is the day one scores for (default: today in the service's time zone); a past day serves back-tests.
    """

    model_config = ConfigDict(json_schema_extra=_described_with_example)

    nominal: NominalRecord
    """Whom to score."""
    index_victim_contacts: Annotated[int, Field(ge=0, le=MAX_CONTACTS)] | None = None
    """How often the index incident's victim (a victim's model: the person) had contacted the force; null where unknown."""
    custody_dates: Annotated[list[Day], Field(max_length=MAX_CUSTODY)] = []
    """Days on which the nominal was in custody; a victim's model takes none."""
    incidents: Annotated[list[IncidentRecord], Field(min_length=1, max_length=MAX_INCIDENTS)]
    """Everything the nominal is recorded on; at least one stalking incident."""
    model: Annotated[str, Field(pattern="^[a-z][a-z0-9-]{0,39}$")] = DEFAULT_FAMILY
    """Which model is asked: a family of `GET /models`."""
    explain: Explain = "factors"
    """Which views of the score are given with it."""
    explain_survival: Annotated[bool, AfterValidator(_needs_a_view)] = False
    """Also explain the probability of no further incident within 365 days, by the views `explain` names."""
    purpose: Purpose | None = None
    """What it is for. Default: the Purpose header, else stalking-triage."""
    as_of: Day | None = None
    """The day to score for, at most 365 days after day zero. Default: today."""

    @property
    def is_quick(self) -> bool:
        """Whether scoring takes so little that nobody else need wait for it: no explanation, no text to read."""
        return self.explain == "none" and not any(incident.log_text for incident in self.incidents)

    @property
    def explain_year(self) -> Explain:
        """By what the one-year survival is to be explained."""
        return self.explain if self.explain_survival else "none"


def read_request(raw: bytes) -> ScoreRequest:
    """Read and check the form of a request body. Raises as `read_form`."""
    return read_form(raw, ScoreRequest)


def parse_request(value: Any) -> ScoreRequest:
    """Check the form of an already read JSON value. Raises InvalidInput."""
    return check_form(value, ScoreRequest)


def parse_incident(value: Any) -> IncidentRecord:
    """Check the form of one already read incident. Raises InvalidInput."""
    return check_form(value, IncidentRecord)
