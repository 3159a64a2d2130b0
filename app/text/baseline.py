"""What the logs of domestic non-crimes, and what is read out of them, looked like when a model of logs was made."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from app.harm.robustness import Bins, Positive, Share

_SUM_TOLERANCE = 1e-6


class TextBaseline(BaseModel):
    """Drift baseline of a model of logs, from `logs` domestic non-crimes at their own mix.

    `known_words` bins of the share of a log's words that are part of a term, stop words aside; `terms` of how many different
    terms it has; `highest_probability` of the chance of the score named; `scores` (5,) share of logs given each score.
    Population stability index from `watch` on is worth watching, from `alarm` on alarming; below `fewest` logs nothing is
    said.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    known_words: Bins
    terms: Bins
    highest_probability: Bins
    scores: Annotated[tuple[Share, ...], Field(min_length=5, max_length=5)]
    logs: Annotated[int, Field(ge=100)]
    watch: Positive
    alarm: Positive
    fewest: Annotated[int, Field(ge=100)]

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.watch >= self.alarm:
            raise PydanticCustomError("watch-not-below-alarm", "does not hold")
        if abs(sum(self.scores) - 1) > _SUM_TOLERANCE:
            raise PydanticCustomError("shares-do-not-sum-to-1", "does not hold")
        return self
