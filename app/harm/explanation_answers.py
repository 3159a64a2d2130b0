"""What an explanation says: shares of factors or of incidents, and what they add up to. Names are the contract's."""

from collections.abc import Sequence
from datetime import date
from typing import Literal

from app.answer import Answer, Probability


class Share(Answer):
    """A part of the difference to the reference, in probability (exact Shapley value), in numbers and in words."""

    name: str
    effect: float
    effect_top_two: float
    evidence: object
    text: str


class FactorShare(Share):
    """Share of one factor."""

    evidence: dict[str, float | None]


class IncidentEvidence(Answer):
    """The incident behind a share, and what the score would be without it.

    `without` population probability of the top group with just this left out. Where several older incidents count as
    one (`incidents` says how many), `harm` is their sum and id, date and role are null.
    """

    incidents: int
    incident_id: str | None
    occurred_on: date | None
    harm: float
    role: str | None
    without: Probability


class IncidentShare(Share):
    """Share of one earlier incident, or of all older ones together."""

    evidence: IncidentEvidence


class Reference(Answer):
    """What the score is compared with."""

    value: float
    description: str


class Compared(Answer):
    """A probability and what it is compared with."""

    explains: str
    value: float
    reference: float


class Explanation(Answer):
    """How the estimate came about; `sum(effect) == value - reference.value`."""

    by: str
    explains: str
    value: float
    reference: Reference
    top_two: Compared
    contributions: Sequence[Share]
    summary: str
    limits: list[str]
    covenant: dict[str, str]


class FactorExplanation(Explanation):
    """By what the record says: ten factors."""

    by: Literal["factors"]
    contributions: list[FactorShare]


class IncidentExplanation(Explanation):
    """By what is on the record: each earlier incident. Empty where only the index incident is known."""

    by: Literal["incidents"]
    contributions: list[IncidentShare]


class BothExplanations(Answer):
    """Two views of one score; they agree on the value."""

    factors: FactorExplanation
    incidents: IncidentExplanation


OneView = FactorExplanation | IncidentExplanation
Explained = OneView | BothExplanations | None
