"""What `GET /models/{family}/drift` answers. Figures of many people together, never of one."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Literal, NamedTuple

import numpy as np

from app.answer import Answer
from app.artifacts import GROUPS, Bundle
from app.harm.answers import ModelStamp
from app.harm.drift import Measured, Thresholds, Verdict, input_drift, output_drift, worst
from app.harm.drift_reading import ReadScore, Window, together
from app.harm.model import HarmModel
from app.harm.robustness import DriftBaseline
from app.harm.service import stamp

Status = Literal["no-baseline", "too-few-scores", "steady", "watch", "alarm"]


class Words(NamedTuple):
    """What a notice says: without a baseline, of too few, where nothing moved, and where something did."""

    no_baseline: str
    too_few: str
    steady: str
    moved: str


_WORDS = Words(
    "This artefact is of a format without drift baselines. Fit it again to have them.",
    "Too few scores to tell change from chance: it takes {fewest}.",
    "Recent scores look like the people the model was made on.",
    "Recent scores differ from what the model was made on, most in: {figures}. Find out why before relying on them.",
)
_UNKNOWN_OUTCOMES = (
    "Not known: nobody tells this service what happened to the people it scored. Expected are the true shares when the model "
    "was made, estimated the mean probabilities given of late; where they differ, the people have changed, or the model no "
    "longer fits. A year later an extract shows which: docs/monitoring.md."
)


class DriftFigure(Answer):
    """One input or output held against its baseline: population stability index and what it means."""

    name: str
    """A feature of the index row, `predicted_groups`, `top_probability`, or `warning` and its code; of a model of logs
    `known_words`, `terms`, `inferred_scores`, `highest_probability`."""
    psi: float
    """Population stability index."""
    verdict: Verdict
    """What it means by the artefact's own thresholds."""


class GroupDrift(Answer):
    """One group, then and now."""

    group: str
    """Its name."""
    expected: float
    """Share of people who belonged to it when the model was made."""
    estimated: float
    """Mean probability given of late, at the population mix."""


class CalibrationDrift(Answer):
    """Whether estimates still come true."""

    known: Literal[False]
    """False: that takes outcomes, which nobody tells this service."""
    text: str
    """What can be said without them, and what to do."""
    groups: list[GroupDrift]
    """The four groups, lowest first."""


class DriftAnswer(ModelStamp):
    """Recent inputs and outputs of a model against those it was made on. Null and empty where there is nothing to say."""

    status: Status
    """The gravest verdict of all figures, or why there is none."""
    notice: str
    """The status in a sentence or two."""
    days: int
    """The window: scores of so many days,"""
    last: int
    """and of those the last so many."""
    scores: int
    """Scores found in it; for a model of logs, logs it read for them."""
    first_scored_on: date | None
    """Day of the oldest of them."""
    last_scored_on: date | None
    """Day of the newest of them."""
    fewest: int | None
    """Below so many scores no figure is told."""
    watch: float | None
    """Index from which a figure is worth watching."""
    alarm: float | None
    """Index from which it is alarming."""
    inputs: list[DriftFigure]
    """Each feature of the index row; of logs, the share of known words and the number of different terms."""
    outputs: list[DriftFigure]
    """Predicted groups, probability of the highest group, three warnings; of logs, the scores named and how surely."""
    calibration: CalibrationDrift | None
    """Estimates beside what was true when the model was made; null for a model of logs."""


def drift_answer(model: HarmModel, window: Window, read: Sequence[ReadScore]) -> DriftAnswer:
    """Hold what was read against the artefact's baselines, if it has any and the scores are enough."""
    baseline = model.robustness.drift if model.robustness else None
    enough = baseline if baseline and len(read) >= baseline.fewest else None
    recent = together(read) if enough else None
    inputs = input_drift(enough, recent) if enough and recent else []
    outputs = output_drift(enough, recent) if enough and recent else []
    answer = figures_answer(model.bundle, baseline, window, [one.given_on for one in read], inputs, outputs, _WORDS)
    return answer.model_copy(update={"calibration": _calibration(enough, read)}) if enough else answer


def figures_answer(
    bundle: Bundle[Any],
    baseline: Thresholds | None,
    window: Window,
    days: Sequence[date],
    inputs: Sequence[Measured],
    outputs: Sequence[Measured],
    words: Words,
) -> DriftAnswer:
    """The answer for any kind of model: `days` on which each case was given, figures only where they were enough."""
    found = [*inputs, *outputs]
    return DriftAnswer(
        **stamp(bundle).model_dump(),
        status="no-baseline" if baseline is None else worst(found) if found else "too-few-scores",
        notice=words.no_baseline if baseline is None else _told(words, baseline, found),
        days=window.days,
        last=window.last,
        scores=len(days),
        first_scored_on=min(days, default=None),
        last_scored_on=max(days, default=None),
        fewest=baseline.fewest if baseline else None,
        watch=baseline.watch if baseline else None,
        alarm=baseline.alarm if baseline else None,
        inputs=[DriftFigure(**one._asdict()) for one in inputs],
        outputs=[DriftFigure(**one._asdict()) for one in outputs],
        calibration=None,
    )


def _calibration(baseline: DriftBaseline, read: Sequence[ReadScore]) -> CalibrationDrift:
    means = np.mean([one.population for one in read], axis=0).tolist()
    pairs = zip(GROUPS, baseline.group_shares, means, strict=True)
    groups = [GroupDrift(group=group, expected=expected, estimated=mean) for group, expected, mean in pairs]
    return CalibrationDrift(known=False, text=_UNKNOWN_OUTCOMES, groups=groups)


def _told(words: Words, baseline: Thresholds, found: Sequence[Measured]) -> str:
    """The verdict in a sentence or two, the figures that stand out named."""
    if not found:
        return words.too_few.format(fewest=baseline.fewest)
    loud = sorted((one for one in found if one.verdict != "steady"), key=lambda one: -one.psi)
    return words.moved.format(figures=", ".join(one.name for one in loud[:3])) if loud else words.steady
