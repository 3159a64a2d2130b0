"""Sections "metrics" and "calibration": the classifier on its test set, at the test mix and at the population mix.

Flags and groups are those the service gives. Probabilities at the population mix are the calibrated ones; at the test
mix they are those of the stack, which learnt at a mix of its own: their ranking counts there, and that they are too high
or too low is shown, not hidden.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from app.artifacts import GROUPS
from app.harm.features import Floats, Ints
from training.evaluation import calibration, ranking
from training.evaluation.bench import Bench
from training.evaluation.intervals import REPLICATES, Statistic, bootstrap, nested, to_mix
from training.evaluation.reliability import reliability
from training.harm.measure import round_floats
from training.harm.population import shares
from training.harm.progress import Stages
from training.metrics import GROUP_COUNT, LOWEST, TOP, confusion, report_metrics


def measure_metrics(bench: Bench, stages: Stages) -> dict[str, Any]:
    """The report's measures, ranking and proper scores, each with its interval, at both mixes."""
    with stages.stage("Metrics and intervals", 2) as done:
        found: dict[str, Any] = {
            "nominals": len(bench.groups),
            "components": len(np.unique(bench.component)),
            "replicates": REPLICATES,
            "published": {**bench.data.family.published, "harm": dict(bench.data.family.harm)},
        }
        for name, mix, probabilities in both_mixes(bench):
            found[name] = _at_mix(bench, mix, probabilities)
            done()
    rounded: dict[str, Any] = round_floats(found)
    return rounded


def both_mixes(bench: Bench) -> tuple[tuple[str, Floats, Floats], ...]:
    """Name, group shares (4,) and probabilities (N, 4) of each mix."""
    return (
        ("test_mix", shares(bench.groups), bench.scored.probabilities),
        ("population_mix", bench.data.mix, bench.scored.population),
    )


def _at_mix(bench: Bench, mix: Floats, probabilities: Floats) -> dict[str, Any]:
    groups, predicted = bench.groups, bench.scored.predicted
    weights = to_mix(np.ones(len(groups)), groups, mix)
    harm = bench.data.labelled.future_harm[bench.data.split.test]
    from_matrix = _from_matrix(groups, predicted, harm)
    from_scores = _from_scores(groups, probabilities)

    def statistic(drawn: Floats) -> Mapping[str, Floats]:
        at_mix = to_mix(drawn, groups, mix)
        return {**from_matrix(at_mix), **from_scores(at_mix)}

    top, of_top = probabilities[:, TOP], groups == TOP
    return {
        "confusion": confusion(groups, predicted, weights).tolist(),
        **nested(bootstrap(statistic, bench.component, seed=bench.seed)),
        "curves": {
            "roc": ranking.roc(top, of_top, weights),
            "precision_recall": ranking.precision_recall(top, of_top, weights),
        },
        "top_share": float(weights[of_top].sum() / weights.sum()),
    }


def _from_matrix(groups: Ints, predicted: Ints, harm: Floats) -> Statistic:
    def statistic(weights: Floats) -> Mapping[str, Floats]:
        found = asdict(
            report_metrics(confusion(groups, predicted, weights), confusion(groups, predicted, weights * harm))
        )
        balance = found.pop("harm")
        return found | {f"harm.{name}": value for name, value in balance.items()}

    return statistic


def _from_scores(groups: Ints, probabilities: Floats) -> Statistic:
    """Areas under curves one against the rest, their mean, top against lowest; and the proper scores."""
    orders = [ranking.ranked(probabilities[:, group]) for group in range(GROUP_COUNT)]
    extremes = (groups == LOWEST) | (groups == TOP)
    top = probabilities[:, TOP]
    rows = {
        "brier": calibration.brier_rows(probabilities, groups),
        "brier_top": (top - (groups == TOP)) ** 2,
        "ranked_probability_score": calibration.ranked_probability_rows(probabilities, groups),
        "log_loss": calibration.log_loss_rows(probabilities, groups),
    }

    def statistic(weights: Floats) -> Mapping[str, Floats]:
        areas = {name: ranking.auc(orders[group], groups == group, weights) for group, name in enumerate(GROUPS)}
        scores = {name: calibration.mean(weights, values) for name, values in rows.items()}
        of_top = calibration.mean(weights, groups == TOP)
        return {
            **{f"auc.{name}": value for name, value in areas.items()},
            "auc.macro": np.mean(list(areas.values()), axis=0),
            "auc.top_against_lowest": ranking.auc(orders[TOP], groups == TOP, weights * extremes),
            "average_precision_top": ranking.average_precision(orders[TOP], groups == TOP, weights),
            **scores,
            "brier_skill_top": 1 - scores["brier_top"] / (of_top * (1 - of_top)),
        }

    return statistic


def measure_calibration(bench: Bench, stages: Stages) -> dict[str, Any]:
    """Does the top group's probability mean what it says, at both mixes and at the one the stack learnt at."""
    at_training = shares(bench.data.split.groups[bench.data.split.train])
    mixes = (*both_mixes(bench), ("training_mix", at_training, bench.scored.probabilities))
    with stages.stage("Calibration", len(mixes)) as done:
        found = {}
        for name, mix, probabilities in mixes:
            found[name] = _calibrated(bench, mix, probabilities[:, TOP])
            done()
    rounded: dict[str, Any] = round_floats(found)
    return rounded


def _calibrated(bench: Bench, mix: Floats, top: Floats) -> dict[str, Any]:
    groups, of_top = bench.groups, bench.groups == TOP
    order = ranking.ranked(top)

    def statistic(drawn: Floats) -> Mapping[str, Floats]:
        weights = to_mix(drawn, groups, mix)
        return {
            "predicted": calibration.mean(weights, top),
            "expected_calibration_error": calibration.calibration_error(order, top, of_top, weights),
            "slope": calibration.slope(top, of_top, weights),
            "intercept": calibration.intercept(top, of_top, weights),
        }

    return {
        "observed": float(calibration.mean(to_mix(np.ones(len(groups)), groups, mix), of_top)),
        **bootstrap(statistic, bench.component, seed=bench.seed),
        "reliability": reliability(top, of_top, groups, mix, bench.component, bench.seed),
    }
