"""What a caller gets: the answer of `POST /score` and of the reads of it. Field names are the contract's."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Probability = Annotated[float, Field(ge=0, le=1)]


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ModelStamp(_Answer):
    """Which artefact answered, and whom it learnt from: synthetic people are said to be synthetic in every answer."""

    family: str
    version: str
    manifest_sha256: str
    learnt_from: str


class Ignored(_Answer):
    """An incident that was sent and not used."""

    incident_id: str
    reason: str


class Warned(_Answer):
    """An oddity that makes the score less certain."""

    code: str
    message: str


class InferredTerm(_Answer):
    """A term of a log, as the model counts it (word stems), and by how many days the mean harm would be lower without it.

    One term left out at a time: these do not add up to the whole.
    """

    term: str
    effect: float


class InferredHarm(_Answer):
    """Harm of one domestic non-crime as read out of its log: the likeliest of `scores` (days), and the chance of each.

    `terms` that mattered most, largest first; null where many logs came at once and this is not among the last.
    """

    incident_id: str
    harm_score: float
    scores: list[float]
    probabilities: list[Probability]
    terms: list[InferredTerm] | None


class HarmInferred(Warned):
    """The warning `harm-inferred`: what was read out of which logs, and by which model."""

    model: ModelStamp
    incidents: list[InferredHarm]


class HistoryAnswer(_Answer):
    """What was made of the history: `used` incidents count towards sums, the last `rows` of them stand on their own."""

    received: int
    used: int
    rows: int
    ignored: list[Ignored]
    warnings: list[HarmInferred | Warned]


class HarmAnswer(_Answer):
    """Probabilities of the four groups of harm in the year after day zero.

    `population_probabilities` are for people as they come: read these. `probabilities` are for a test sample in which
    harmful cases are more common, as in the published evaluation; they serve comparison and the flag. `predicted_group`
    is that flag: probabilities weighted so that about 18 in 100 of the test sample fall into the highest group.
    """

    groups: list[str]
    probabilities: list[Probability]
    population_probabilities: list[Probability]
    predicted_group: str


class SurvivalAnswer(_Answer):
    """Probability that no further incident has happened by each day after day zero.

    `median_days` first day on which it is one half or less, null where that is not within a year.
    """

    days: list[int]
    probability: list[Probability]
    median_days: int | None
    at: dict[str, Probability]


class Share(_Answer):
    """A part of the difference to the reference, in probability (exact Shapley value), in numbers and in words."""

    name: str
    effect: float
    effect_top_two: float
    evidence: object
    text: str


class FactorShare(Share):
    """Share of one factor."""

    evidence: dict[str, float | None]


class IncidentEvidence(_Answer):
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


class Reference(_Answer):
    """What the score is compared with."""

    value: float
    description: str


class Compared(_Answer):
    """A probability and what it is compared with."""

    explains: str
    value: float
    reference: float


class Explanation(_Answer):
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


class BothExplanations(_Answer):
    """Two views of one score; they agree on the value."""

    factors: FactorExplanation
    incidents: IncidentExplanation


OneView = FactorExplanation | IncidentExplanation
Explained = OneView | BothExplanations | None


class AuditReceipt(_Answer):
    """Where the record of this answer stands in the ledger."""

    sequence: int
    leaf_hash: str


class ScoreBody(_Answer):
    """Everything in an answer that is known before it is recorded."""

    score_id: str
    scored_at: datetime
    as_of: date
    day_zero: date
    model: ModelStamp
    history: HistoryAnswer
    harm: HarmAnswer
    survival: SurvivalAnswer
    explanation: Explained
    advisory: str


class ScoreAnswer(ScoreBody):
    """The 200 of `POST /score`."""

    audit: AuditReceipt


class ScoreLine(_Answer):
    """One score in a list."""

    score_id: str
    scored_at: datetime
    nominal_id: str
    day_zero: date
    model: ModelStamp
    predicted_group: str
    top_group_probability: Probability
    insufficient_history: bool
    sequence: int


class ScorePage(_Answer):
    """A page of scores, newest first; `next` is the cursor of the following page, null at the end."""

    scores: list[ScoreLine]
    next: str | None
