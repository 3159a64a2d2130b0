"""What a caller gets: the answer of `POST /score` and of the reads of it. Field names are the contract's."""

from datetime import date, datetime

from app.answer import Answer, Probability
from app.harm.explanation_answers import Explained


class ModelStamp(Answer):
    """Which artefact answered, and whom it learnt from: synthetic people are said to be synthetic in every answer."""

    family: str
    version: str
    manifest_sha256: str
    learnt_from: str


class Ignored(Answer):
    """An incident that was sent and not used."""

    incident_id: str
    reason: str


class Warned(Answer):
    """An oddity that makes the score less certain."""

    code: str
    message: str


class HistoryAnswer(Answer):
    """What was made of the history: `used` incidents count towards sums, the last `rows` of them stand on their own."""

    received: int
    used: int
    rows: int
    ignored: list[Ignored]
    warnings: list[Warned]


class HarmAnswer(Answer):
    """Probabilities of the four groups of harm in the year after day zero.

    `population_probabilities` are for people as they come: read these. `probabilities` are for a test sample in which
    harmful cases are more common, as in the published evaluation; they serve comparison and the flag. `predicted_group`
    is that flag: probabilities weighted so that about 18 in 100 of the test sample fall into the highest group.
    """

    groups: list[str]
    probabilities: list[Probability]
    population_probabilities: list[Probability]
    predicted_group: str


class SurvivalAnswer(Answer):
    """Probability that no further incident has happened by each day after day zero.

    `median_days` first day on which it is one half or less, null where that is not within a year.
    """

    days: list[int]
    probability: list[Probability]
    median_days: int | None
    at: dict[str, Probability]


class AuditReceipt(Answer):
    """Where the record of this answer stands in the ledger."""

    sequence: int
    leaf_hash: str


class ScoreBody(Answer):
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


class ScoreLine(Answer):
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


class ScorePage(Answer):
    """A page of scores, newest first; `next` is the cursor of the following page, null at the end."""

    scores: list[ScoreLine]
    next: str | None
