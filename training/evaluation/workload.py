"""Section "workload": what a triage team would have on its desk each week (report, section 6).

The report multiplies 147 new stalking crimes a week by the flag rate at the test mix. The test set holds more harmful
people than there are, so the same is done at the population mix, where a team will work. Of each case a model of those who
harm scores its nominal, one of those who are harmed its victim. Of other families the report prints no flags.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from app.extract.known import ROLES
from app.extract.load import Extract
from app.harm.features import Floats, Ints
from app.harm.subject import Subject
from training.evaluation.bench import Bench
from training.evaluation.calibration import mean
from training.evaluation.intervals import Statistic, bootstrap, nested, to_mix
from training.evaluation.published import FLAGGED, POPULATION_GROUPS, TEST_GROUPS
from training.families import STALKING_NOMINAL, WEEKLY_STALKING_CRIMES
from training.harm.measure import round_floats
from training.harm.population import shares
from training.harm.progress import Stages
from training.labels import HORIZON_DAYS, index_incidents
from training.metrics import SECOND, THIRD, TOP, share

CASES_A_WEEK = (5, 10, 15, 20, 25, 30, 40, 50)
"""Of the report's weekly stalking crimes; of a family with more cases as many times more."""


def measure_workload(bench: Bench, stages: Stages) -> dict[str, Any]:
    """Flags a week and how many of them are right, published and here; and what a team of given size would find."""
    groups, predicted, family = bench.groups, bench.scored.predicted, bench.data.family
    mixes = {"test_mix": shares(groups), "population_mix": bench.data.mix}
    with stages.stage("Workload", len(mixes) + 1) as done:
        here = {}
        for name, mix in mixes.items():
            here[name] = bootstrap(
                _a_week(groups, predicted, mix, family.weekly_cases), bench.component, seed=bench.seed
            )
            done()
        found = {
            "weekly_volume": {
                "published": family.weekly_cases,
                "here": weekly_volume(bench.data.extract, family.subject),
            },
            "published": _published() if family is STALKING_NOMINAL else None,
            "here": here,
            "capacity": _capacity(bench),
        }
    rounded: dict[str, Any] = round_floats(found)
    return rounded


def _published() -> dict[str, Any]:
    return {"test_mix": published_week(TEST_GROUPS), "population_mix": published_week(POPULATION_GROUPS)}


def published_week(group_sizes: Floats) -> dict[str, float]:
    """Section 6 from the last column of the published matrix, at the mix of `group_sizes` (4,)."""
    flagged = FLAGGED / TEST_GROUPS * group_sizes / group_sizes.sum()
    rate, right = float(flagged.sum()), float(flagged[THIRD:].sum())
    return {
        "flag_rate": rate,
        "precision": right / rate,
        "flagged_a_week": rate * WEEKLY_STALKING_CRIMES,
        "right_a_week": right * WEEKLY_STALKING_CRIMES,
    }


def weekly_volume(extract: Extract, subject: Subject) -> float:
    """Incidents that begin a case of someone the model is about, a week, over the last year of the extract."""
    theirs = np.unique(extract.incident[ROLES[subject.perspective](extract, extract.end) > 0])
    days = extract.occurred[theirs[index_incidents(extract, subject.day_zero)[theirs]]]
    return float((extract.end - days < HORIZON_DAYS).sum() / (HORIZON_DAYS / 7))


def _a_week(groups: Ints, predicted: Ints, mix: Floats, cases: int) -> Statistic:
    flagged, top_two = predicted == TOP, groups >= THIRD
    missed = (groups == TOP) & (predicted <= SECOND)

    def statistic(drawn: Floats) -> Mapping[str, Floats]:
        weights = to_mix(drawn, groups, mix)
        rate, right = mean(weights, flagged), mean(weights, flagged & top_two)
        return {
            "flag_rate": rate,
            "precision": share(right, rate),
            "flagged_a_week": rate * cases,
            "right_a_week": right * cases,
            "missed_a_week": mean(weights, missed) * cases,
        }

    return statistic


def _capacity(bench: Bench) -> list[dict[str, Any]]:
    """For a team that can take so many of a week's cases, at the population mix, highest probability first."""
    weekly = bench.data.family.weekly_cases
    times = round(weekly / WEEKLY_STALKING_CRIMES)
    shares_taken = {str(times * cases): times * cases / weekly for cases in CASES_A_WEEK}
    statistic = taken_first(bench.groups, bench.scored.population[:, TOP], bench.data.mix, shares_taken)
    found = nested(bootstrap(statistic, bench.component, seed=bench.seed))
    return [{"cases_a_week": int(name), "flag_rate": taken, **found[name]} for name, taken in shares_taken.items()]


def taken_first(groups: Ints, top: Floats, mix: Floats, shares_taken: Mapping[str, float]) -> Statistic:
    """Of the highest such share by probability: `precision` (true top two among them), share of the top found."""
    order = np.argsort(-top, kind="stable")
    is_top, is_top_two = groups[order] == TOP, groups[order] >= THIRD

    def statistic(drawn: Floats) -> Mapping[str, Floats]:
        weights = to_mix(drawn, groups, mix)[..., order]
        before = np.cumsum(weights, axis=-1) - weights
        total, of_top = weights.sum(axis=-1, keepdims=True), weights @ is_top
        found = {}
        for name, taken_share in shares_taken.items():
            taken = np.clip(taken_share * total - before, 0, weights)
            found[f"{name}.precision"] = mean(taken, is_top_two)
            found[f"{name}.top_found"] = share(taken @ is_top, of_top)
        return found

    return statistic
