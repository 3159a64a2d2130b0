"""What people are told of views, decisions and challenges. Field names are the contract's and ours."""

from datetime import datetime

from app.answer import Answer, Probability
from app.harm.answers import AuditReceipt, ScoreAnswer
from app.triage.records import Ground, Level, Outcome, RaisedBy
from app.triage.service import Agreement, Relation


class ViewAnswer(Answer):
    """A recorded view: who and when by the ledger."""

    view_id: str
    """Name of the view."""
    score_id: str
    """The score it is a view beside."""
    recorded_at: datetime
    """When it was recorded."""
    by: str
    """Whose view it is."""
    level: Level
    """The risk they saw."""
    reason: str | None
    """Why, in their words."""
    late: bool
    """Whether they had seen the score before, by the ledger or by their own account."""
    agreement: Agreement
    """The view beside the score's flag; meant for views that are not late."""
    audit: AuditReceipt
    """Where its record stands."""


class RevealedAnswer(Answer):
    """The view as it was recorded, and the score, exactly as it is stored."""

    view: ViewAnswer
    """The view."""
    score: ScoreAnswer
    """The score, as `GET /scores/{score_id}` gives it from now on."""


class DecisionAnswer(Answer):
    """A recorded decision."""

    decision_id: str
    """Name of the decision."""
    score_id: str
    """The score it was made beside."""
    recorded_at: datetime
    """When it was recorded."""
    by: str
    """Who decided."""
    level: Level
    """What they decided."""
    reason: str | None
    """Why; never null for an override."""
    flag: str
    """The group the score put the nominal into."""
    relation: Relation
    """The decision beside the flag: derived, never stated by whoever decides."""
    audit: AuditReceipt
    """Where its record stands."""


class DecisionPage(Answer):
    """What people made of one score."""

    score_id: str
    """The score."""
    decisions: list[DecisionAnswer]
    """All decisions, latest first: that one stands."""
    views: list[ViewAnswer]
    """All views, latest first."""


class RelationCounts(Answer):
    """Scores by how their latest decision stands to the flag."""

    follows: int
    """At the flag's level."""
    overrides_up: int
    """Above it."""
    overrides_down: int
    """Below it."""


class DecisionCounts(RelationCounts):
    """Scores with a decision; one that was decided several times counts once, by its latest."""

    scores: int
    """How many there are."""
    changed: int
    """Those decided more than once."""
    share_overridden_up: Probability | None
    """Share of `scores` decided above the flag; null without any."""
    share_overridden_down: Probability | None
    """Share decided below it; null without any."""
    by_group: dict[str, RelationCounts]
    """The same for each group that the flag may name."""


class ViewCounts(Answer):
    """Views recorded before the score was seen, beside the flag."""

    views: int
    """How many there are."""
    same: int
    """At the flag's level."""
    higher: int
    """Above it."""
    lower: int
    """Below it."""
    share_same: Probability | None
    """Share of `views` at the flag's level; null without any."""
    late: int
    """Views of people who had seen the score: counted apart, compared with nothing."""


class MoveCounts(Answer):
    """Of people whose own view differed from the score's flag: how they decided in the end."""

    kept_view: int
    """At the level of their view."""
    moved_to_score: int
    """At the flag's level."""
    neither: int
    """At another one."""


class SummaryAnswer(Answer):
    """How people use the scores."""

    decisions: DecisionCounts
    """Decisions beside the flag."""
    views: ViewCounts
    """Views beside the flag."""
    after_differing_view: MoveCounts
    """Who moved to the score."""
    erased: int
    """Views and decisions of that time that were erased, and are in no figure."""


class OutcomeAnswer(Answer):
    """How a challenge ended."""

    challenge_id: str
    """The challenge."""
    score_id: str
    """The score that was challenged."""
    outcome: Outcome
    """What was found."""
    reason: str
    """Why."""
    decided_at: datetime
    """When it was recorded."""
    by: str
    """Who resolved it."""
    corrected_score_id: str | None
    """The score of the corrected request; null where nothing was corrected."""
    audit: AuditReceipt
    """Where its record stands."""


class ChallengeAnswer(Answer):
    """A challenge as it was lodged, and its outcome where it has one."""

    challenge_id: str
    """Name of the challenge."""
    score_id: str
    """The score that is challenged."""
    lodged_at: datetime
    """When it was recorded."""
    by: str
    """Who recorded it."""
    ground: Ground
    """What is said to be wrong."""
    raised_by: RaisedBy
    """Who says so."""
    text: str
    """What they say."""
    outcome: OutcomeAnswer | None
    """How it ended; null while it is open."""
    audit: AuditReceipt
    """Where its record stands."""


class ResultAnswer(Answer):
    """What a score said, short enough to be read beside another; null where nothing of it is left."""

    score_id: str
    """The score."""
    scored_at: datetime | None
    """When it was made."""
    as_of: str | None
    """The day it was made for."""
    model_version: str | None
    """The version that gave it."""
    predicted_group: str | None
    """The flag."""
    population_probabilities: list[Probability] | None
    """Probabilities of the groups for people as they come."""
    no_further_incident_365: Probability | None
    """Probability of no further incident within a year of day zero."""
    erased: bool
    """Whether it was erased."""


class ChallengePage(Answer):
    """Challenges to a score, and what it and each score that corrects it says."""

    score_id: str
    """The score."""
    challenges: list[ChallengeAnswer]
    """Latest first."""
    original: ResultAnswer
    """What it said."""
    corrected: list[ResultAnswer]
    """What each corrected score says, oldest first."""
