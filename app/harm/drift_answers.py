"""What `GET /models/{family}/drift` answers. Figures of many people together, never of one."""

from collections.abc import Sequence
from datetime import date
from typing import Literal

import numpy as np

from app.answer import Answer
from app.artifacts import GROUPS
from app.harm.answers import ModelStamp
from app.harm.drift import Measured, Verdict, input_drift, output_drift, worst
from app.harm.drift_reading import ReadScore, Window, together
from app.harm.model import HarmModel
from app.harm.robustness import DriftBaseline
from app.harm.service import stamp

Status = Literal["no-baseline", "too-few-scores", "steady", "watch", "alarm"]
_NO_BASELINE = "This artefact is of a format without drift baselines. Fit it again to have them."
_STEADY = "Recent scores look like the people the model was made on."
_UNKNOWN_OUTCOMES = (
    "Not known: nobody tells this service what happened to the people it scored. Expected are the true shares when the model "
    "was made, estimated the mean probabilities given of late; where they differ, the people have changed, or the model no "
    "longer fits. A year later an extract shows which: docs/monitoring.md."
)


class DriftFigure(Answer):
    """One input or output held against its baseline: population stability index and what it means."""

    name: str
    """The input or output."""
    psi: float
    """Population stability index against the baseline; 0 where nothing has moved."""
    verdict: Verdict
    """What the index means."""


class GroupDrift(Answer):
    """One group: the share of people who belonged to it when the model was made, and the mean probability given of late."""

    group: str
    """The group."""
    expected: float
    """Share of people who truly belonged to it when the model was made."""
    estimated: float
    """Mean probability of it in recent scores."""


class CalibrationDrift(Answer):
    """Whether estimates still come true. `known` is false: that takes outcomes."""

    known: Literal[False]
    """Whether outcomes are known: they are not."""
    text: str
    """What can be said without them."""
    groups: list[GroupDrift]
    """Each group, lowest first."""


class DriftAnswer(ModelStamp):
    """Recent inputs and outputs of a model against those it was made on.

    `scores` found in the window; below `fewest` nothing more is said. A figure is worth watching from `watch` on and
    alarming from `alarm` on; `status` is the gravest verdict. Null and empty where there is nothing to say.
    """

    status: Status
    """The gravest verdict, or why there is none."""
    notice: str
    """It in words."""
    days: int
    """Days the window goes back."""
    last: int
    """Most scores the window takes."""
    scores: int
    """Scores found in the window."""
    first_scored_on: date | None
    """Day of the first of them; null where there is none."""
    last_scored_on: date | None
    """Day of the last of them; null where there is none."""
    fewest: int | None
    """Fewest scores of which anything is said; null without a baseline."""
    watch: float | None
    """Index from which a figure is worth watching; null without a baseline."""
    alarm: float | None
    """Index from which it is alarming; null without a baseline."""
    inputs: list[DriftFigure]
    """Each input."""
    outputs: list[DriftFigure]
    """Predicted groups, top probability and warnings."""
    calibration: CalibrationDrift | None
    """Estimates beside what was expected; null where there is nothing to say."""


def drift_answer(model: HarmModel, window: Window, read: Sequence[ReadScore]) -> DriftAnswer:
    """Hold what was read against the artefact's baselines, if it has any and the scores are enough."""
    baseline = model.robustness.drift if model.robustness else None
    enough = baseline if baseline and len(read) >= baseline.fewest else None
    recent = together(read) if enough else None
    inputs = input_drift(enough, recent) if enough and recent else []
    outputs = output_drift(enough, recent) if enough and recent else []
    days = sorted(one.given_on for one in read)
    return DriftAnswer(
        **stamp(model.bundle).model_dump(),
        status="no-baseline" if baseline is None else worst([*inputs, *outputs]) if enough else "too-few-scores",
        notice=_NO_BASELINE if baseline is None else _told(baseline, len(read), [*inputs, *outputs]),
        days=window.days,
        last=window.last,
        scores=len(read),
        first_scored_on=days[0] if days else None,
        last_scored_on=days[-1] if days else None,
        fewest=baseline.fewest if baseline else None,
        watch=baseline.watch if baseline else None,
        alarm=baseline.alarm if baseline else None,
        inputs=[DriftFigure(**one._asdict()) for one in inputs],
        outputs=[DriftFigure(**one._asdict()) for one in outputs],
        calibration=_calibration(enough, read) if enough else None,
    )


def _calibration(baseline: DriftBaseline, read: Sequence[ReadScore]) -> CalibrationDrift:
    means = np.mean([one.population for one in read], axis=0).tolist()
    pairs = zip(GROUPS, baseline.group_shares, means, strict=True)
    groups = [GroupDrift(group=group, expected=expected, estimated=mean) for group, expected, mean in pairs]
    return CalibrationDrift(known=False, text=_UNKNOWN_OUTCOMES, groups=groups)


def _told(baseline: DriftBaseline, scores: int, found: Sequence[Measured]) -> str:
    """The verdict in a sentence or two, the figures that stand out named."""
    if scores < baseline.fewest:
        return f"Too few scores to tell change from chance: it takes {baseline.fewest}."
    loud = sorted((one for one in found if one.verdict != "steady"), key=lambda one: -one.psi)
    if not loud:
        return _STEADY
    named = ", ".join(one.name for one in loud[:3])
    return (
        f"Recent scores differ from what the model was made on, most in: {named}. Find out why before relying on them."
    )
