"""What people are told of views, decisions and challenges. Field names are the contract's and ours."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from app.harm.answers import AuditReceipt, Probability, ScoreAnswer
from app.triage.records import Ground, Level, Outcome, RaisedBy
from app.triage.service import Agreement, Relation


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ViewAnswer(_Answer):
    """A recorded view: who and when by the ledger; `agreement` with the score's flag."""

    view_id: str
    score_id: str
    recorded_at: datetime
    by: str
    level: Level
    reason: str | None
    late: bool
    agreement: Agreement
    audit: AuditReceipt


class RevealedAnswer(_Answer):
    """The view as it was recorded, and the score, exactly as it is stored."""

    view: ViewAnswer
    score: ScoreAnswer


class DecisionAnswer(_Answer):
    """A recorded decision; `relation` to the score's flag is derived, never stated by whoever decides."""

    decision_id: str
    score_id: str
    recorded_at: datetime
    by: str
    level: Level
    reason: str | None
    flag: str
    relation: Relation
    audit: AuditReceipt


class DecisionPage(_Answer):
    """All decisions on a score and all views of it, latest first."""

    score_id: str
    decisions: list[DecisionAnswer]
    views: list[ViewAnswer]


class RelationCounts(_Answer):
    """Scores by how their latest decision stands to the flag."""

    follows: int
    overrides_up: int
    overrides_down: int


class DecisionCounts(RelationCounts):
    """Scores with a decision, and shares of them; shares are null where there is none. `changed`: decided more than once."""

    scores: int
    changed: int
    share_overridden_up: Probability | None
    share_overridden_down: Probability | None
    by_group: dict[str, RelationCounts]


class ViewCounts(_Answer):
    """Views recorded before the score was seen, beside the flag; `late` ones are counted apart and compared with nothing."""

    views: int
    same: int
    higher: int
    lower: int
    share_same: Probability | None
    late: int


class MoveCounts(_Answer):
    """Of people whose own view differed from the score's: how they decided in the end."""

    kept_view: int
    moved_to_score: int
    neither: int


class SummaryAnswer(_Answer):
    """How people use the scores. Erased records are in no figure; `erased` says how many there were."""

    decisions: DecisionCounts
    views: ViewCounts
    after_differing_view: MoveCounts
    erased: int


class OutcomeAnswer(_Answer):
    """How a challenge ended; `corrected_score_id` where a corrected request was scored."""

    challenge_id: str
    score_id: str
    outcome: Outcome
    reason: str
    decided_at: datetime
    by: str
    corrected_score_id: str | None
    audit: AuditReceipt


class ChallengeAnswer(_Answer):
    """A challenge as it was lodged, and its outcome where it has one."""

    challenge_id: str
    score_id: str
    lodged_at: datetime
    by: str
    ground: Ground
    raised_by: RaisedBy
    text: str
    outcome: OutcomeAnswer | None
    audit: AuditReceipt


class ResultAnswer(_Answer):
    """What a score said, short enough to be read beside another; `erased` where nothing of it is left."""

    score_id: str
    scored_at: datetime | None
    as_of: str | None
    model_version: str | None
    predicted_group: str | None
    population_probabilities: list[Probability] | None
    no_further_incident_365: Probability | None
    erased: bool


class ChallengePage(_Answer):
    """Challenges to a score, latest first, with what it said and what each corrected score says."""

    score_id: str
    challenges: list[ChallengeAnswer]
    original: ResultAnswer
    corrected: list[ResultAnswer]
