"""What people send about a score: their own view, their decision, a challenge and its outcome. Form checks only.

Levels are the words police use for the risk that a person poses, so that a view is given in the officer's own terms; the
report's groups of harm are set beside them in `service.py`. Free text is personal data: bounded, and only ever under seal.
"""

from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from app.described import described
from app.harm.records import ScoreRequest

MAX_TEXT = 4_000
MAX_FORM = 1 << 16

Level = Literal["standard", "medium", "high"]
LEVELS: tuple[str, ...] = get_args(Level)

Ground = Literal[
    "wrong-person", "wrong-fact", "missing-fact", "out-of-date", "found-not-guilty", "unfair-weight", "process", "other"
]
GROUNDS: tuple[str, ...] = get_args(Ground)
RaisedBy = Literal["data-subject", "representative", "officer", "supervisor", "oversight-body", "other"]
Outcome = Literal["upheld", "partly-upheld", "rejected"]
OUTCOMES: tuple[str, ...] = get_args(Outcome)

Text = Annotated[str, Field(min_length=1, max_length=MAX_TEXT, pattern=r"\S")]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, json_schema_extra=described)


class ViewForm(_Form):
    """An officer's own view of a nominal."""

    level: Level
    """The risk they see."""
    reason: Text | None = None
    """Why, in their words."""
    late: bool = False
    """That they have seen the score already, or been told of it."""


class DecisionForm(_Form):
    """What a person decided, having seen the score."""

    level: Level
    """What they decided."""
    reason: Text | None = None
    """Why; needed for a level other than the score's flag."""


class ChallengeForm(_Form):
    """Why a score is held to be wrong, and who says so."""

    ground: Ground
    """What is said to be wrong."""
    raised_by: RaisedBy
    """Who says so."""
    text: Text
    """What they say."""


class OutcomeForm(_Form):
    """How a challenge ends."""

    outcome: Outcome
    """What was found."""
    reason: Text
    """Why."""
    corrected: ScoreRequest | None = None
    """The whole request as it should have been: scored at once, for the same day unless it names another."""
