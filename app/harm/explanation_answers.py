"""What an explanation says: shares of factors or of incidents, and what they add up to. Names are the contract's."""

from collections.abc import Sequence
from datetime import date
from typing import Literal

from app.answer import Answer, Probability


class Share(Answer):
    """A part of the difference to the reference, in probability (exact Shapley value), in numbers and in words.

    `effect_top_two` is null where the survival is explained: it has no second number.
    """

    name: str
    """What the share belongs to."""
    effect: float
    """Share in the explained number less the reference, as a probability."""
    effect_top_two: float | None
    """Share in the probability of the top two groups; null where the survival is explained."""
    evidence: object
    """The figures behind it."""
    text: str
    """It in words."""


class FactorShare(Share):
    """Share of one factor."""

    evidence: dict[str, float | None]
    """The nominal's own figures, with their place among 100 nominals where one can be given; null where a figure was not sent."""


class IncidentEvidence(Answer):
    """The incident behind a share, and what the score would be without it.

    `without` the explained probability with just this left out. Where several older incidents count as
    one (`incidents` says how many), `harm` is their sum and id, date and role are null.
    """

    incidents: int
    """How many incidents it stands for."""
    incident_id: str | None
    """The incident; null where several older ones are told together."""
    occurred_on: date | None
    """Its date."""
    harm: float
    """Its harm score in days, or their sum."""
    role: str | None
    """The role the nominal has in it."""
    without: Probability
    """The explained number with just this left out."""


class IncidentShare(Share):
    """Share of one earlier incident, or of all older ones together."""

    evidence: IncidentEvidence
    """The incident behind it."""


class Reference(Answer):
    """What the score is compared with."""

    value: float
    """The number of the reference."""
    description: str
    """What the reference is."""


class Compared(Answer):
    """A probability and what it is compared with."""

    explains: str
    """Which number."""
    value: float
    """The nominal's."""
    reference: float
    """That of the reference."""


class Explanation(Answer):
    """How the estimate came about; `sum(effect) == value - reference.value`.

    `explains` says which number that is: `harm.population_probabilities` of the top group, or `survival.at` 365 days.
    `top_two` goes with the first only.
    """

    by: str
    """Which view."""
    explains: str
    """Which number of the answer."""
    value: float
    """That number."""
    reference: Reference
    """What it is compared with."""
    top_two: Compared | None
    """The probability of the top two groups and its reference; null where the survival is explained."""
    contributions: Sequence[Share]
    """Shares, largest first; they add up to value less reference."""
    summary: str
    """Two or three sentences."""
    limits: list[str]
    """What it cannot say; to be shown with it."""
    covenant: dict[str, str]
    """Letters for explainability and transparency: A adequate, M moderate, L limited."""


class FactorExplanation(Explanation):
    """By what the record says: ten factors, of a victim eight."""

    by: Literal["factors"]
    """By factors."""
    contributions: list[FactorShare]
    """Shares of the factors, largest first."""


class Removal(Answer):
    """Earlier incidents whose removal would move the predicted group."""

    incidents: int
    """How many incidents would go."""
    incident_ids: list[str]
    """Those of them that are named one by one, oldest first."""
    older_incidents: int
    """How many older ones would go together; 0 where none would."""
    predicted_group: str
    """The predicted group without them."""
    value: Probability
    """The explained number without them."""
    difference_points: float
    """Its change in percentage points."""
    text: str
    """All of it in a sentence."""


class WhatIf(Answer):
    """The nearest change that moves the predicted group: the fewest earlier incidents, should they be found wrong."""

    predicted_group: str
    """The predicted group as it is."""
    incidents: int | None
    """How many incidents would have to go; null where no removal of earlier incidents moves the group."""
    sets: int
    """How many sets of so many incidents move it."""
    removals: list[Removal]
    """Such sets, at most five, the greatest change of the explained number first; the group may move up as well as down."""
    lowering: Removal | None
    """The fewest incidents whose removal moves it to a lower group; null where none does."""
    statement: str
    """All of it in a sentence or two."""


class IncidentExplanation(Explanation):
    """By what is on the record: each earlier incident. Empty where only the index incident is known."""

    by: Literal["incidents"]
    """By incidents."""
    contributions: list[IncidentShare]
    """Shares of the ten most recent earlier incidents and of all older ones together, largest first."""
    what_if: WhatIf | None = None
    """Which incidents the predicted group hangs on; null where the survival is explained, or from before this was told."""


class BothExplanations(Answer):
    """Two views of one score; they agree on the value."""

    factors: FactorExplanation
    """By factors."""
    incidents: IncidentExplanation
    """By incidents."""


OneView = FactorExplanation | IncidentExplanation
Explained = OneView | BothExplanations | None
