"""Who of the highest harm group is not seen, and why (report, section 4.2), told from the test people of any extract.

Of those who harm it is asked what they went on to do, of those who are harmed what they went on to suffer.
Missed: truly 90-100, predicted in the lower two groups. Seen: predicted 80-90 or 90-100.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from app.extract.rules import Flags
from app.harm.features import CLASSES, COLUMN, DAYS_A_YEAR, OFFENDER, Floats, Ints
from app.harm.harm_index import HarmIndex, index_in_force
from app.harm.subject import Perspective
from app.settings import read_settings
from training.comparison.following import MURDER, RAPE, Following, following, offence_names, same_victim, worst
from training.evaluation.bench import Bench
from training.evaluation.intervals import bootstrap
from training.evaluation.ranking import auc, ranked
from training.families import STALKING_NOMINAL
from training.harm.fit import Data
from training.harm.measure import round_floats
from training.harm.progress import Stages
from training.metrics import LOWEST, SECOND, THIRD, TOP

PUBLISHED = {
    "top_group": 283,
    "flagged": 205,
    "predicted_80_90": 33,
    "missed": 45,
    RAPE: {"nominals": 50, "flagged": 40, "predicted_80_90": 5, "missed": 5, "missed_with_index_incident_only": 5},
    MURDER: {"nominals": 2, "flagged": 2, "predicted_80_90": 0, "missed": 0},
    "source": "section 4.2 and figure 14; the 5 predicted 80-90 follow from the others",
}
_LISTED = 8
_OF_NOMINALS = {"charged before", "custody appearances"}
"""Traits that a victim's record does not have."""
_OWN_TRAITS = {"victim's contacts": "own contacts with the force"}


class Findings(NamedTuple):
    """How the findings are worded: whom they are about, and what followed for some of them."""

    people: str
    rape: str
    murder: str


FINDINGS: Mapping[Perspective, Findings] = {
    "nominal": Findings("nominals", "went on to rape", "went on to murder"),
    "victim": Findings("victims", "were raped in the year after", "were murdered in the year after"),
}


def measure_missed_cases(bench: Bench, stages: Stages) -> dict[str, Any]:
    """Counts, the following year's offences, histories of missed and seen, and the same in sentences."""
    index = index_in_force(read_settings().harm_index)
    with stages.stage("Missed cases", 1):
        return missed_cases(bench.data, bench.scored.predicted, index, bench.seed)


def missed_cases(data: Data, predicted: Ints, index: HarmIndex, seed: int) -> dict[str, Any]:
    """The whole section for predictions (N,) of the test people."""
    groups = data.split.groups[data.split.test]
    top = data.split.test[groups == TOP]
    answer = predicted[groups == TOP]
    is_published, by_nominals = data.family is STALKING_NOMINAL, data.family.subject.perspective == "nominal"
    told: dict[str, Any] = {
        "top_group": _divided(answer, np.ones(len(top), dtype=np.bool_)),
        "predicted_lowest": int((answer == LOWEST).sum()),
        "offences": _offences(data, top, answer, index),
        "how_they_got_there": _ways(data, top, answer),
        **({"rape_victims": _rape_victims(data, top, index)} if by_nominals else {}),
        "histories": _histories(data, top, answer <= SECOND, seed),
        "published": PUBLISHED if is_published else None,
    }
    told["in_words"] = _words(told, data.family.subject.perspective)
    rounded: dict[str, Any] = round_floats(told)
    return rounded


def following_of(data: Data) -> Following:
    """What followed for everyone labelled, as the family counts it."""
    return following(data.extract, data.labelled, data.family.subject.perspective)


def _divided(answer: Ints, who: Flags) -> dict[str, int]:
    """How those `who` (N,) were predicted."""
    theirs = answer[who]
    return {
        "nominals": len(theirs),
        "flagged": int((theirs == TOP).sum()),
        "predicted_80_90": int((theirs == THIRD).sum()),
        "missed": int((theirs <= SECOND).sum()),
    }


def _offences(data: Data, top: Ints, answer: Ints, index: HarmIndex) -> list[dict[str, Any]]:
    """By offence of the following year: how many of the top group did it, seen and missed, and how many of the missed
    had nothing but their index incident. Rape and murder first, then the commonest worst offences."""
    happened = following_of(data)
    names = np.array(offence_names(data.extract, happened.incident, index), dtype=object)
    worst_incident, _ = worst(happened, len(data.labelled.person))
    worst_names = offence_names(data.extract, worst_incident[top], index)
    commonest = [name for name in _by_frequency(worst_names) if name not in (RAPE, MURDER)]
    bare = data.labelled.histories.lengths[top] == 1
    rows = []
    for name in (RAPE, MURDER, *commonest[:_LISTED]):
        did = np.isin(top, happened.nominal[names == name])
        rows.append(
            {
                "offence": name,
                **_divided(answer, did),
                "missed_with_index_incident_only": int((did & bare & (answer <= SECOND)).sum()),
                "worst_of_the_year": worst_names.count(name),
            }
        )
    return rows


def _ways(data: Data, top: Ints, answer: Ints) -> list[dict[str, Any]]:
    """Whether one incident alone carried them over the cut of the top group, or only several together."""
    _, harm = worst(following_of(data), len(data.labelled.person))
    single = harm[top] >= data.split.cuts[-1]
    ways = {"one incident alone": single, "several together": ~single}
    return [{"way": way, **_divided(answer, who)} for way, who in ways.items()]


def _rape_victims(data: Data, top: Ints, index: HarmIndex) -> dict[str, int]:
    """Of rapes by the top group: how many have a known victim beside the index incident's, and how many are hers."""
    happened = following_of(data)
    theirs = np.isin(happened.nominal, top)
    happened = Following(happened.nominal[theirs], happened.incident[theirs], happened.harm[theirs])
    rapes = np.array([name == RAPE for name in offence_names(data.extract, happened.incident, index)], dtype=np.bool_)
    stalked = data.labelled.index_incident[happened.nominal[rapes]]
    known, same = same_victim(data.extract, stalked, happened.incident[rapes])
    return {"rapes": int(rapes.sum()), "both_victims_known": int(known.sum()), "same_victim": int(same.sum())}


def _histories(data: Data, top: Ints, missed: Flags, seed: int) -> list[dict[str, Any]]:
    """Each trait of the histories: its mean or median among missed and seen, and how well it tells the two apart (chance
    that a missed nominal has more of it than a seen one, ties half), what separates most first."""
    component = data.labelled.component[top]
    rows = []
    for name, (values, is_share) in traits(data, top).items():
        middle = np.mean if is_share else np.median
        order = ranked(values)
        rows.append(
            {
                "trait": name,
                "as": "share" if is_share else "median",
                "missed": float(middle(values[missed])) if missed.any() else None,
                "seen": float(middle(values[~missed])) if not missed.all() else None,
                "more_among_missed": bootstrap(
                    lambda weights, order=order: {"auc": auc(order, missed, weights)},  # type: ignore[misc]
                    component,
                    seed=seed,
                )["auc"],
            }
        )
    return sorted(rows, key=_apart, reverse=True)


def _apart(row: Mapping[str, Any]) -> float:
    """How far a trait separates the missed from the seen, 0 where that cannot be said."""
    value = row["more_among_missed"]["value"]
    return 0.0 if value is None else abs(value - 0.5)


def traits(data: Data, rows: Ints) -> dict[str, tuple[Floats, bool]]:
    """Traits of known histories by name, (N,) each, and whether it is a yes-or-no one."""
    histories, x = data.labelled.histories, data.x[rows, -1].astype(np.float64)
    known = histories.incidents
    count = len(histories.day_zero)
    recent = histories.day_zero[known.nominal] - known.day <= DAYS_A_YEAR
    before = np.ones(len(known.day), dtype=np.bool_)
    before[histories.starts[1:] - 1] = False

    def number(which: Flags) -> Floats:
        return np.bincount(known.nominal[which], minlength=count)[rows].astype(np.float64)

    told: dict[str, tuple[Floats, bool]] = {
        "nothing before the index incident": ((number(before) == 0).astype(np.float64), True),
        "incidents before it": (number(before), False),
        "of these in the last year": (number(before & recent), False),
        "harm before it, days": (x[:, COLUMN["cumulative_harm"]] - x[:, COLUMN["harm_score"]], False),
        "charged before": ((number(before & (known.role == OFFENDER)) > 0).astype(np.float64), True),
        "custody appearances": (x[:, COLUMN["custody_count"]], False),
        "victim's contacts": (x[:, COLUMN["victim_contacts"]], False),
        "age, years": (x[:, COLUMN["age_at_offence"]], False),
        "male": ((x[:, COLUMN["gender"]] == 1).astype(np.float64), True),
    }
    for column, name in enumerate(CLASSES):
        told[f"{name} before"] = ((number(before & known.classes[:, column]) > 0).astype(np.float64), True)
    if data.family.subject.perspective == "victim":
        told = {_OWN_TRAITS.get(name, name): trait for name, trait in told.items() if name not in _OF_NOMINALS}
    return told


def _by_frequency(names: list[str]) -> list[str]:
    return sorted(set(names), key=lambda name: (-names.count(name), name))


def _words(told: dict[str, Any], perspective: Perspective) -> list[str]:
    """The findings as an officer would say them."""
    said = FINDINGS[perspective]
    top, offences = told["top_group"], {row["offence"]: row for row in told["offences"]}
    bare = next(row for row in told["histories"] if row["trait"].startswith("nothing before"))
    alone = told["how_they_got_there"][0]
    rapes = offences[RAPE]
    lines = [
        f"Of {top['nominals']} {said.people} of the highest group {top['flagged']} were flagged, {top['predicted_80_90']} "
        f"predicted one group lower, {top['missed']} missed.",
        f"Of {rapes['nominals']} who {said.rape} {rapes['flagged']} were flagged and {rapes['missed']} missed; of these "
        f"{rapes['missed_with_index_incident_only']} had nothing before their index incident.",
        f"Of {offences[MURDER]['nominals']} who {said.murder} {offences[MURDER]['flagged']} were flagged.",
        f"{alone['nominals']} of {top['nominals']} came into the group by one incident alone; {alone['missed']} of these "
        "were missed.",
    ]
    if "rape_victims" in told:
        victims = told["rape_victims"]
        lines.append(
            f"Of {victims['both_victims_known']} rapes with a known victim {victims['same_victim']} were of the victim of the "
            "index incident."
        )
    if bare["missed"] is not None and bare["seen"] is not None:
        lines.append(
            f"Nothing before the index incident: {bare['missed']:.0%} of the missed, {bare['seen']:.0%} of the seen."
        )
    return lines
