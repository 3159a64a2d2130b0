"""What an estimate rests on accusations: the same record scored without its earlier uncharged incidents.

Uncharged is an incident on which the nominal is recorded as suspect. The index incident and day zero stay, whatever the
role in it; so do custody appearances, which name no incident. The number is the one that scoring the request without
these incidents gives, to the bit: its features come out of the same pass, and the model is asked about each record alone.
"""

import numpy as np

from app.harm.answers import WithoutUncharged
from app.harm.features import SUSPECT, Features
from app.harm.history import Case
from app.harm.incidents import Flags, features_of
from app.harm.model import HarmModel, group_name
from app.harm.perspective_words import WORDS
from app.harm.wording import percent, points


def earlier_uncharged(case: Case) -> Flags:
    """Which incidents of a history, bool (incidents,), are earlier ones that nobody was charged with."""
    found: Flags = case.histories.incidents.role == SUSPECT
    found[-1] = False
    return found


def features_with_and_without(model: HarmModel, case: Case) -> Features:
    """Features of the record and, where there are any, of the record without them: float32 (1 or 2, 20, 19)."""
    uncharged = earlier_uncharged(case)
    records = np.stack([np.ones_like(uncharged), ~uncharged])
    return features_of(model, case, records if uncharged.any() else None)


def without_uncharged(
    model: HarmModel, case: Case, features: Features, population: list[float], group: str
) -> WithoutUncharged:
    """What is said beside a score of these population probabilities (4,) and predicted group.

    `features` as `features_with_and_without` gives them.
    """
    if len(features) == 1:
        return WithoutUncharged(
            incidents=0,
            population_probabilities=population,
            predicted_group=group,
            difference_points=0.0,
            statement=WORDS[model.bundle.manifest.subject.perspective].no_accusation,
        )
    groups = model.groups(features[1:])
    without = groups.population[0].tolist()
    other = group_name(int(model.decide(groups.probabilities)[0]))
    count = int(earlier_uncharged(case).sum())
    return WithoutUncharged(
        incidents=count,
        population_probabilities=without,
        predicted_group=other,
        difference_points=100 * (without[-1] - population[-1]),
        statement=_told(count, population[-1], without[-1], group, other),
    )


def _told(count: int, value: float, without: float, group: str, other: str) -> str:
    one = count == 1
    incidents = "the earlier incident" if one else f"the {count} earlier incidents"
    group_told = f"stay {group}" if other == group else f"be {other} instead of {group}"
    return (
        f"Without {incidents} in which the nominal is recorded as suspect and was not charged, the estimate for the highest "
        f"group would be {percent(without)} instead of {percent(value)} ({points(without - value)}), and the predicted "
        f"group would {group_told}."
    )
