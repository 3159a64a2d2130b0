"""Section "survival": the forest behind the curve in answers, and the report's own selection beside it (section 5).

The report keeps nominals with no further incident and the top group, and asks when their most harmful incident came. That
forest is fitted here for comparison with the published concordance only; it is never exported.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from sksurv.nonparametric import kaplan_meier_estimator

from app.artifacts import GROUPS
from app.harm.features import Floats, Ints
from training.evaluation import calibration
from training.evaluation.bench import Bench
from training.evaluation.intervals import bootstrap, nested, to_mix
from training.evaluation.reliability import reliability
from training.evaluation.selection import Selection, published_selection
from training.evaluation.survival_scores import auc_by, concordance_of, free_on, integrated_brier_rows
from training.harm.measure import CHECKED_DAYS, round_floats
from training.harm.population import mix_weights, shares
from training.harm.progress import Stages
from training.harm.survival import HORIZON, curves, fit_forest, on_days, outcomes, population_rows, risk

_DRAWN_DAYS = np.arange(0, HORIZON + 1, 5)


class Curves(NamedTuple):
    """Curves (N, 366) of test nominals, days to their event (N,) (NaN none), what they are weighted by (N,) 0..G-1."""

    curves: Floats
    event_day: Floats
    kind: Ints
    component: Ints


def measure_survival(bench: Bench, stages: Stages) -> dict[str, Any]:
    """Both forests at both mixes."""
    with stages.stage("Survival forests", 3) as done:
        selection = published_selection(bench.data, bench.seed)
        forest = fit_forest(
            bench.data.x[selection.train], selection.event_day[selection.train], seed=bench.seed, jobs=bench.jobs
        )
        done()
        found = {"shown": _shown(bench)}
        done()
        found["published_selection"] = _selected(bench, selection, curves(forest, bench.data.x[selection.test]))
    rounded: dict[str, Any] = round_floats(found)
    return rounded


def _shown(bench: Bench) -> dict[str, Any]:
    """The exported forest: first further incident of anyone labelled."""
    data, groups = bench.data, bench.data.split.groups
    days, test = data.labelled.first_event_day, data.split.test
    curve = bench.scored.curves
    found = Curves(curve, days[test], bench.groups, bench.component)
    result: dict[str, Any] = {"nominals": len(test), "events": int(outcomes(days[test])[0].sum())}
    for name, mix in (("test_mix", shares(bench.groups)), ("population_mix", data.mix)):
        thinned = data.outside[population_rows(mix_weights(groups[data.outside], mix), bench.seed)]
        result[name] = _at_mix(found, mix, _kaplan_meier(days[thinned]), bench.seed)
    return result | {"mean_curves": _mean_curves(curve, days[test], bench.groups)}


def _selected(bench: Bench, selection: Selection, curve: Floats) -> dict[str, Any]:
    """The published selection: no further incident, or the top group's most harmful one."""
    days, test = selection.event_day[selection.test], selection.test
    happened = outcomes(days)[0].astype(np.int64)
    found = Curves(curve, days, happened, bench.data.labelled.component[test])
    baseline = selection.event_day[selection.train]
    result: dict[str, Any] = {
        "train": {"nominals": len(baseline), "censored": int(np.isnan(baseline).sum())},
        "test": {"nominals": len(days), "censored": int(np.isnan(days).sum())},
        "published": {"concordance": bench.data.family.concordance},
    }
    for name, mix in (("test_mix", selection.test_mix), ("population_mix", selection.population_mix)):
        weights = mix_of(outcomes(baseline)[0].astype(np.int64), mix)
        result[name] = _at_mix(found, mix, _kaplan_meier(baseline[population_rows(weights, bench.seed)]), bench.seed)
    return result


def mix_of(kind: Ints, mix: Floats) -> Floats:
    """Weights (N,) that give rows of kinds 0..G-1 the shares `mix` (G,)."""
    return to_mix(np.ones(len(kind)), kind, mix)


def _at_mix(found: Curves, mix: Floats, baseline: Floats, seed: int) -> dict[str, Any]:
    curve, event_day, kind, component = found
    order = risk(curve)
    brier = integrated_brier_rows(curve, event_day)
    constant = integrated_brier_rows(np.broadcast_to(baseline, curve.shape), event_day)
    free = free_on(event_day, np.array(CHECKED_DAYS))

    def statistic(drawn: Floats) -> Mapping[str, Floats]:
        weights = to_mix(drawn, kind, mix)
        scores = {
            "concordance": concordance_of(order, event_day, weights),
            "integrated_brier": calibration.mean(weights, brier),
            "integrated_brier_kaplan_meier": calibration.mean(weights, constant),
        }
        scores["brier_skill"] = 1 - scores["integrated_brier"] / scores["integrated_brier_kaplan_meier"]
        for column, day in enumerate(CHECKED_DAYS):
            predicted, observed = (calibration.mean(weights, each) for each in (curve[:, day], free[:, column]))
            scores |= {
                f"auc.{day}": auc_by(curve, event_day, day, weights),
                f"calibration.{day}.predicted": predicted,
                f"calibration.{day}.observed": observed,
                f"calibration.{day}.difference": predicted - observed,
            }
        return scores

    return nested(bootstrap(statistic, component, seed=seed)) | {
        "reliability": {
            str(day): reliability(curve[:, day], free[:, column], kind, mix, component, seed)
            for column, day in enumerate(CHECKED_DAYS)
        }
    }


def _kaplan_meier(event_day: Floats) -> Floats:
    """The curve that is the same for everyone, on days 0..365, (366,)."""
    times, alive = kaplan_meier_estimator(*outcomes(event_day))
    return on_days(alive, times)


def _mean_curves(curve: Floats, event_day: Floats, groups: Ints) -> dict[str, Any]:
    """Mean predicted curve and observed share of each true group, every fifth day (figure 15)."""
    found: dict[str, Any] = {"days": _DRAWN_DAYS.tolist()}
    for number, name in enumerate(GROUPS):
        rows = groups == number
        found[name] = {
            "predicted": curve[rows][:, _DRAWN_DAYS].mean(axis=0).tolist(),
            "observed": free_on(event_day[rows], _DRAWN_DAYS).mean(axis=0).tolist(),
        }
    return found
