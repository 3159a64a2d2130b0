"""What an explanation explains: which number of an answer, what can change it, and what it is called in words."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from app.artifacts import GROUPS, Manifest
from app.harm.caveats import COVENANT, SURVIVAL_COVENANT, base_rate, limits, share_free, survival_limits
from app.harm.features import FEATURES, SURVIVAL_FEATURES, Features, Ints
from app.harm.model import DAYS, HarmModel
from app.harm.perspective_words import Words
from app.harm.shapley import Floats

Of = Literal["harm", "survival"]


class Answers(NamedTuple):
    """What is explained of N records: numbers, float64 (N, K), the explained one first; their predicted groups, int64 (N,),
    where it is harm that is explained."""

    values: Floats
    groups: Ints | None


@dataclass(frozen=True)
class Target:
    """A number of an answer that is shared out among players.

    `answers` features (N, 20, 19) -> what the model says of N records; `top_two` names the second number, where there is
    one; `seen` the features that can change it, so that players without any are dummies; `chance` opens the summary
    and `short` stands in a picture, in the words of a perspective; `called` is what a share makes higher or lower; `unseen`
    is said of a factor that is a dummy by construction; `usual` gives the share among all nominals where it was measured;
    `limits` what must stand beside it, for so many rows; `covenant` the letters for explainability and transparency.
    """

    explains: str
    top_two: str | None
    answers: Callable[[HarmModel, Features], Answers]
    seen: tuple[str, ...]
    chance: Callable[[Words], str]
    short: Callable[[Words], str]
    called: str
    unseen: str
    usual: Callable[[Manifest], float | None]
    limits: Callable[[Manifest, int], list[str]]
    covenant: dict[str, str]

    def values(self, model: HarmModel, features: Features) -> Floats:
        """The numbers alone, float64 (N, K)."""
        return self.answers(model, features).values


def top_chances(model: HarmModel, features: Features) -> Answers:
    """Population probability of the top group and of the top two, (N, 2), and the predicted group."""
    probabilities, population = model.groups(features)
    chances = np.stack([population[:, 3], population[:, 2] + population[:, 3]], axis=1)
    return Answers(chances, model.decide(probabilities))


def year_free(model: HarmModel, features: Features) -> Answers:
    """Probability of no further recorded incident within 365 days of day zero, (N, 1)."""
    return Answers(np.concatenate([curves[:, DAYS - 1 :] for curves in model.curves(features)]), None)


TARGETS: dict[Of, Target] = {
    "harm": Target(
        explains=f"population probability of group {GROUPS[3]}",
        top_two="population probability of the top two groups",
        answers=top_chances,
        seen=FEATURES,
        chance=lambda words: words.harmed.format(group=GROUPS[3]),
        short=lambda words: words.in_group.format(group=GROUPS[3]),
        called="estimate",
        unseen="",
        usual=base_rate,
        limits=limits,
        covenant=COVENANT,
    ),
    "survival": Target(
        explains="probability of no further recorded incident within 365 days of day zero",
        top_two=None,
        answers=year_free,
        seen=SURVIVAL_FEATURES,
        chance=lambda words: f"{words.no_further} within 12 months of day zero",
        short=lambda _: "chance of no further incident in a year",
        called="chance of no further incident",
        unseen="The curve does not look at this",
        usual=share_free,
        limits=survival_limits,
        covenant=SURVIVAL_COVENANT,
    ),
}
