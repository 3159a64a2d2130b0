"""What is sent for an order of nominals, and what is answered: scores by their ids, each place with its reason."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from app.answer import Answer, Probability
from app.described import described
from app.harm.answers import AuditReceipt
from app.purposes import Purpose

MOST_NOMINALS, MOST_VICTIMS = 200, 10
MAX_PRIORITY_FORM = 1 << 18

ScoreId = Annotated[str, Field(pattern=r"^[0-9a-f-]{36}$")]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, json_schema_extra=described)


class RankedNominal(_Form):
    """One nominal to be placed."""

    score_id: ScoreId
    """Their score."""
    victim_scores: Annotated[list[ScoreId], Field(max_length=MOST_VICTIMS)] = []
    """Scores of their victims by a victim's model; none where there is none. They never lower the nominal."""


class PriorityRequest(_Form):
    """The body of `POST /prioritise`."""

    nominals: Annotated[list[RankedNominal], Field(min_length=1, max_length=MOST_NOMINALS)]
    """Whom to put in order; the order sent makes no difference."""
    purpose: Purpose | None = None
    """What it is for. Default: the Purpose header, else stalking-triage."""


class Compared(Answer):
    """What is compared of one score."""

    score_id: str
    """The score."""
    group: str
    """Its flag."""
    top_group_probability: Probability
    """Its population probability of the highest group; shown, not compared."""
    days_free: int
    """Of the 365 days after its day zero, how many its curve expects without a further incident."""


class PlacedNominal(Answer):
    """One place in the order."""

    position: int
    """From 1; nominals who are the same in all that is compared share one."""
    shared_by: int
    """How many stand at this position, this nominal included."""
    nominal_id: str
    """Who it is, as their score's request named them."""
    score: Compared
    """The nominal's own score."""
    victims: list[Compared]
    """The victims' scores, in the order sent."""
    reason: str
    """Why here, in words."""


class PriorityBody(Answer):
    """The order, all but its audit receipt."""

    list_id: str
    """Name of this list's record."""
    made_at: datetime
    """When it was made."""
    positions: list[PlacedNominal]
    """First to last; those who share a position by score id."""
    rule: str
    """What the order follows."""
    notes: list[str]
    """What must be read with it."""


class PriorityAnswer(PriorityBody):
    """The 200 of `POST /prioritise`."""

    audit: AuditReceipt
    """Where the one record of the whole list stands in the ledger."""
