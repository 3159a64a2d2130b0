"""What both views of a score are put together from: their numbers, their summary, what stands beside them."""

from collections.abc import Sequence
from typing import TypeVar

from app.harm.explanation_answers import Compared, Explanation, Reference, Share
from app.harm.model import HarmModel
from app.harm.perspective_words import WORDS
from app.harm.shapley import Floats
from app.harm.targets import Target
from app.harm.wording import summary

View = TypeVar("View", bound=Explanation)


def whole_view(
    kind: type[View],
    by: str,
    target: Target,
    model: HarmModel,
    ends: Floats,
    contributions: Sequence[Share],
    *,
    reference: str,
    against: str,
    otherwise: str,
    limits: list[str],
) -> View:
    """A view of one number: `ends` (2, K) reference, then value; `contributions` in the order they are shown.

    `reference` describes what the score is compared with, `against` names it in the summary, `otherwise` is said where
    nothing moves the number.
    """
    low, high = float(ends[0, 0]), float(ends[1, 0])
    words = WORDS[model.bundle.manifest.subject.perspective]
    return kind(
        by=by,
        explains=target.explains,
        value=high,
        reference=Reference(value=low, description=reference),
        top_two=_second(target, ends),
        contributions=contributions,
        summary=summary(
            high,
            low,
            contributions,
            chance=target.chance(words),
            people=words.people,
            called=target.called,
            against=against,
            otherwise=otherwise,
            usual=target.usual(model.bundle.manifest),
        ),
        limits=limits,
        covenant=target.covenant,
    )


def second(effects: Floats) -> float | None:
    """A player's share (K,) in the second number of a target, where it has one."""
    return float(effects[1]) if len(effects) > 1 else None


def _second(target: Target, ends: Floats) -> Compared | None:
    if target.top_two is None:
        return None
    return Compared(explains=target.top_two, value=float(ends[1, 1]), reference=float(ends[0, 1]))
