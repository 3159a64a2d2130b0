"""What an artefact of format 2 carries besides its graphs: conformal thresholds, the records it has seen, drift baselines.

Every block is checked as it is read, so that what uses it need not ask again. Numbers only; how they are found is in
`training/harm/`, what they mean in `conformal.py`, `experience.py` and `drift.py`.
"""

from typing import Annotated, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

Finite = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]
Sides = Annotated[float, Field(gt=0, lt=1)]
Shares = Annotated[tuple[Share, ...], Field(min_length=4, max_length=4)]
_SUM_TOLERANCE = 1e-6
_SYMMETRY = 1e-6


class _Block(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _require(holds: bool, rule: str) -> None:
    """pydantic names the place; the rule says what is wrong there without the value."""
    if not holds:
        raise PydanticCustomError(rule, "does not hold")


class Conformal(_Block):
    """Class-conditional split conformal sets.

    `odds` (4,) population share of each group over its share in the sample the stack learnt from; `thresholds` (4,) the
    largest nonconformity at which a group belongs to the set; `people` (4,) calibration nominals each rests on;
    `mean_set_size` groups in a set on average, held-out nominals weighted to the population.
    """

    level: Sides
    odds: Annotated[tuple[Positive, ...], Field(min_length=4, max_length=4)]
    thresholds: Shares
    people: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=4, max_length=4)]
    mean_set_size: Annotated[float, Field(ge=1, le=4)]


class Band(_Block):
    """Records of about as many incidents: `mean` (K,) and `precision` (K, K) of the measures; above `distance` (squared
    Mahalanobis) or `deviation` (standard deviations of one measure from what the others let expect) one is odd."""

    shortest: Annotated[int, Field(ge=1)]
    longest: Annotated[int, Field(ge=1)]
    mean: tuple[Finite, ...]
    precision: tuple[tuple[Finite, ...], ...]
    distance: Positive
    deviation: Positive

    @model_validator(mode="after")
    def _is_a_precision(self) -> Self:
        count = len(self.mean)
        _require([len(row) for row in self.precision] == [count] * count, "precision-of-another-shape")
        matrix = np.asarray(self.precision)
        _require(bool((matrix.diagonal() > 0).all()), "precision-not-positive")
        scaled = matrix / np.sqrt(np.outer(matrix.diagonal(), matrix.diagonal()))
        _require(bool((np.abs(scaled - scaled.T) <= _SYMMETRY).all()), "precision-not-symmetric")
        _require(bool((np.linalg.eigvalsh(scaled) > 0).all()), "precision-not-positive")
        return self


class Experience(_Block):
    """The records learnt from: `lowest` and `highest` (K,) of each of the `measures`, `bands` of record lengths;
    `false_alarms` the share of held-out nominals, weighted to the population, that would be called odd."""

    measures: tuple[str, ...]
    lowest: tuple[Finite, ...]
    highest: tuple[Finite, ...]
    bands: tuple[Band, ...]
    false_alarms: Share

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        count = len(self.measures)
        widths = {len(self.lowest), len(self.highest), *(len(band.mean) for band in self.bands)}
        _require(widths == {count}, "measures-and-figures-differ-in-number")
        _require(all(low <= high for low, high in zip(self.lowest, self.highest, strict=True)), "lowest-above-highest")
        return self


class Bins(_Block):
    """`edges` (B-1,) rising, each the highest value of its bin; `shares` (B,) of the population in each."""

    edges: Annotated[tuple[Finite, ...], Field(max_length=20)]
    shares: tuple[Share, ...]

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        _require(len(self.shares) == len(self.edges) + 1, "shares-and-edges-differ-in-number")
        _require(all(np.diff(self.edges) > 0), "edges-not-rising")
        _require(abs(sum(self.shares) - 1) <= _SUM_TOLERANCE, "shares-do-not-sum-to-1")
        return self


class DriftBaseline(_Block):
    """What inputs and outputs looked like when the model was made, at the population mix.

    `features` bins of each feature in the index row; `top_probability` those of the top group's population probability;
    `predicted_groups` (4,) shares; `warnings` share of scores with each; `group_shares` (4,) who truly belonged to each
    group. Population stability index from `watch` on is worth watching, from `alarm` on alarming; below `fewest` scores
    nothing is said.
    """

    features: dict[str, Bins]
    top_probability: Bins
    predicted_groups: Shares
    group_shares: Shares
    warnings: dict[str, Share]
    watch: Positive
    alarm: Positive
    fewest: Annotated[int, Field(ge=100)]

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        _require(self.watch < self.alarm, "watch-not-below-alarm")
        for shares in (self.predicted_groups, self.group_shares):
            _require(abs(sum(shares) - 1) <= _SUM_TOLERANCE, "shares-do-not-sum-to-1")
        return self


class Robustness(_Block):
    """The three blocks together: an artefact has all of them or none."""

    conformal: Conformal
    experience: Experience
    drift: DriftBaseline
