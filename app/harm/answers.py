"""What a caller gets: the answer of `POST /score` and of the reads of it. Field names are the contract's."""

from datetime import date, datetime
from typing import Literal

from pydantic import Field

from app.answer import Answer, Probability
from app.harm.explanation_answers import Explained
from app.harm.subject import Perspective
from app.harm.sufficiency import STATEMENTS, HistoryStatus, status_of


class ModelStamp(Answer):
    """Which artefact answered, and whom it learnt from: synthetic people are said to be synthetic in every answer."""

    family: str
    """What kind of model it is, such as `stalking-nominal`."""
    version: str
    """Version of the artefact."""
    manifest_sha256: str
    """Digest of the artefact's manifest, which names every file of it: the very model that answered, in hex."""
    perspective: Perspective = "nominal"
    """Whom it is about: `nominal`, someone who may do harm, or `victim`, someone to protect."""
    learnt_from: str
    """Whom it learnt from."""


class Ignored(Answer):
    """An incident that was sent and not used."""

    incident_id: str
    """The incident, as it was sent."""
    reason: str
    """`suspect-eliminated`, `after-day-zero` or `police-generated`; the first of them that holds."""


class Warned(Answer):
    """An oddity that makes the score less certain."""

    code: str
    """Stable name of the oddity."""
    message: str
    """The oddity in a sentence."""


class InferredTerm(Answer):
    """A term of a log that mattered. One is left out at a time: their effects do not add up to the whole."""

    term: str
    """The term as the model counts it: stems of one to three words."""
    effect: float
    """By how many days the mean harm would be lower without it; below zero: higher."""


class InferredHarm(Answer):
    """Harm of one domestic non-crime as read out of its log."""

    incident_id: str
    """The incident, as it was sent."""
    harm_score: float
    """The likeliest of `scores`, days: what counts in the score."""
    scores: list[float]
    """The scores a domestic non-crime can be given, days."""
    probabilities: list[Probability]
    """The chance of each of `scores`."""
    terms: list[InferredTerm] | None
    """What mattered most, largest first; null where many logs came at once and this is not among the last."""


class HarmInferred(Warned):
    """The warning `harm-inferred`: what was read out of which logs."""

    model: ModelStamp
    """The model that read them."""
    incidents: list[InferredHarm]
    """What was read, oldest incident first."""


class HistoryAnswer(Answer):
    """What was made of the history: `used` incidents count towards sums, the last `rows` of them stand on their own."""

    received: int
    """Incidents sent."""
    used: int
    """Incidents used: all up to day zero but the ignored ones."""
    rows: int
    """Incidents that stand on their own in the model's input, at most 20; older ones count in sums only."""
    ignored: list[Ignored]
    """Incidents sent and not used, each with its reason."""
    warnings: list[HarmInferred | Warned]
    """Oddities that make the score less certain."""
    status: HistoryStatus = Field(default_factory=lambda told: status_of(one.code for one in told["warnings"]))
    """`insufficient` where only the index incident is known: then no figure of this answer may be read as reassuring."""
    statement: str = Field(default_factory=lambda told: STATEMENTS[told["status"]])
    """The status in a sentence, to be shown beside every figure."""


class WithoutUncharged(Answer):
    """The score of the same record less its earlier uncharged incidents; index incident and day zero stay."""

    incidents: int
    """Earlier incidents with role `suspect` that were left out; 0 where there is none and nothing changes."""
    population_probabilities: list[Probability]
    """Probabilities of the groups at the population mix without them."""
    predicted_group: str
    """The flag without them."""
    difference_points: float
    """Change of the highest group's probability in percentage points: below zero where it would be lower without them."""
    statement: str
    """All of it in a sentence or two."""


class ConformalAnswer(Answer):
    """What the list of groups promises."""

    level: Probability
    """Share of the people of every group who have it in their list."""
    mean_size: float
    """Groups in a list on average, among people as they come."""
    text: str
    """Both in a sentence."""


class HarmAnswer(Answer):
    """Probabilities of the four groups of harm in the year after day zero.

    `population_probabilities` are for people as they come: read these. `probabilities` are for a test sample in which
    harmful cases are more common, as in the published evaluation; they serve comparison and the flag. `predicted_group`
    is that flag: probabilities weighted so that about 18 in 100 of the test sample fall into the highest group.
    """

    groups: list[str]
    """The groups, lowest first: percentiles of the harm of those who did any within the year; no harm counts as lowest."""
    probabilities: list[Probability]
    """At the mix of the published test sample, where harmful cases are more common: for comparison and for the flag."""
    population_probabilities: list[Probability]
    """For people as they come: read these."""
    predicted_group: str
    """The flag, chosen by the weighted `probabilities`; often not the most probable group."""
    base_rates: list[Probability] | None = None
    """Share of all nominals who belong to each group, from the artefact's own test; null where it was not measured."""
    without_uncharged: WithoutUncharged | None = None
    """How the score changes without earlier uncharged incidents; null only in answers from before this was told."""
    conformal_set: list[str] | None = None
    """The groups that cannot be ruled out, never none; null where the artefact has no thresholds for it."""
    conformal: ConformalAnswer | None = None
    """What that list promises; null with it."""


Withheld = Literal["incident-after-day-zero", "year-is-over", "hardly-anyone-left"]


class CurveFromAsOf(Answer):
    """The rest of the curve, from the day one scores for on, given that no further incident has happened so far."""

    days_passed: int
    """Days from day zero to the day one scores for."""
    days: list[int]
    """Days counted from the day one scores for, up to the end of the year after day zero; empty where withheld."""
    probability: list[Probability]
    """Probability of no further incident by each of `days`, given none so far."""
    median_days: int | None
    """First day on which it is one half or less; null where that is not within the rest of the year."""
    at: dict[str, Probability]
    """The probability after 30, 90, 180 days, as far as they are left, and on the last day of the year."""
    withheld: Withheld | None
    """Why there is no such curve; null where there is one."""
    statement: str
    """What it says and what it assumes, or why it is withheld."""


class SurvivalAnswer(Answer):
    """Probability that no further incident has happened by each day after day zero.

    `median_days` first day on which it is one half or less, null where that is not within a year.
    """

    days: list[int]
    """Days after day zero."""
    probability: list[Probability]
    """Probability that no further incident, of any kind, has happened by the end of each of `days`."""
    median_days: int | None
    """First day on which it is one half or less; null where that is not within a year."""
    at: dict[str, Probability]
    """The probability after 30, 90, 180 and 365 days."""
    from_as_of: CurveFromAsOf | None = None
    """The curve from the day one scores for on, given that nothing has happened so far; null where no day has passed."""


class AuditReceipt(Answer):
    """Where the record of this answer stands in the ledger."""

    sequence: int
    """Place of the record in the log, from 0."""
    leaf_hash: str
    """Hash of the record's leaf, in hex."""


class ScoreHead(Answer):
    """What every answer to a request for a score begins with: which score, of when, by which model, from what."""

    score_id: str
    """Name of this score."""
    scored_at: datetime
    """When it was made."""
    as_of: date
    """The day it was made for."""
    day_zero: date
    """Date of the most recent stalking incident; groups and curve count from it."""
    model: ModelStamp
    """Which model answered."""
    history: HistoryAnswer
    """What was made of the history."""


class ScoreBody(ScoreHead):
    """Everything in an answer that is known before it is recorded."""

    harm: HarmAnswer
    """Groups of harm in the year after day zero."""
    survival: SurvivalAnswer
    """Chance of no further incident by each day."""
    explanation: Explained
    """How the estimate came about, by the views asked for; null where none was."""
    survival_explanation: Explained = None
    """How the probability of no further incident within 365 days came about; null where that was not asked for."""
    advisory: str
    """To be shown with every score: advice to a person, not a decision."""


class ScoreAnswer(ScoreBody):
    """The 200 of `POST /score`."""

    audit: AuditReceipt
    """Where the record of this answer stands."""


class WithheldAnswer(ScoreHead):
    """The 200 of `POST /score?reveal=after-view`: all but what gives the estimate away."""

    status: Literal["withheld until a view is recorded"] = "withheld until a view is recorded"
    """That there is a score, and when it will be shown."""
    record_it: str
    """How to record a view."""
    audit: AuditReceipt
    """Where the record of the score stands."""


class ScoreLine(Answer):
    """One score in a list; flag and probability are null while it is withheld until a view is recorded."""

    score_id: str
    """Name of the score."""
    scored_at: datetime
    """When it was made."""
    nominal_id: str
    """Whom it is about."""
    day_zero: date
    """Date it counts from."""
    model: ModelStamp
    """Which model answered."""
    predicted_group: str | None
    """The flag."""
    top_group_probability: Probability | None
    """Probability of the highest group, for people as they come."""
    insufficient_history: bool
    """Whether only the index incident was known: then the figures beside it may not reassure."""
    history_status: HistoryStatus
    """The same as a word, as in the answer."""
    withheld: bool
    """Whether the estimate is withheld until somebody's view is recorded."""
    challenge_open: bool
    """Whether a challenge to it has no outcome yet."""
    superseded_by: str | None
    """The newest score that corrects it."""
    sequence: int
    """Place of its record in the log."""


class ScorePage(Answer):
    """A page of scores, newest first; `next` is the cursor of the following page, null at the end."""

    scores: list[ScoreLine]
    """Scores, newest first."""
    next: str | None
    """Cursor of the following page; null at the end."""
