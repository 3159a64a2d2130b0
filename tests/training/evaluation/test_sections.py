"""Sections on a small force: what they hold, and that they hold together."""

import json
from typing import Any

import numpy as np
import pytest

from app.artifacts import GROUPS
from training.evaluation.bench import Bench
from training.evaluation.classification import measure_calibration, measure_metrics
from training.evaluation.selection import published_selection
from training.evaluation.survival import measure_survival
from training.evaluation.workload import measure_workload, weekly_volume
from training.families import PUBLISHED_NOMINALS
from training.harm.progress import Stages
from training.metrics import concordance, top_against_lowest_auc
from training.synthetic.fidelity import fidelity

MIXES = ("test_mix", "population_mix")


@pytest.fixture(scope="module")
def metrics(bench: Bench) -> dict[str, Any]:
    return measure_metrics(bench, Stages())


@pytest.fixture(scope="module")
def survival(bench: Bench) -> dict[str, Any]:
    return measure_survival(bench, Stages())


def estimates(tree: Any) -> list[dict[str, float]]:
    if isinstance(tree, dict):
        if set(tree) == {"value", "low", "high"}:
            return [tree]
        return [found for part in tree.values() for found in estimates(part)]
    return [found for part in tree for found in estimates(part)] if isinstance(tree, list) else []


def test_everything_is_plain_and_every_interval_holds_its_value(
    bench: Bench, metrics: dict[str, Any], survival: dict[str, Any]
) -> None:
    calibration, workload = (measure(bench, Stages()) for measure in (measure_calibration, measure_workload))
    for section in (metrics, survival, calibration, workload):
        json.dumps(section, allow_nan=False)
        found = [one for one in estimates(section) if one["value"] is not None]
        assert len(found) > 10
        assert all(one["low"] <= one["high"] for one in found)
        inside = [one["low"] <= one["value"] <= one["high"] for one in found]
        assert np.mean(inside) > 0.9


def test_the_population_mix_changes_what_it_must_and_nothing_else(bench: Bench, metrics: dict[str, Any]) -> None:
    test, population = (metrics[mix] for mix in MIXES)
    for name in ("top_found", "top_2_accuracy", "false_alarm", "balanced_accuracy"):
        assert test[name]["value"] == pytest.approx(population[name]["value"], abs=1e-5), name
    assert population["precision"]["value"] < test["precision"]["value"]
    np.testing.assert_allclose(np.sum(population["confusion"], axis=1) / len(bench.groups), bench.data.mix, atol=1e-6)
    assert population["top_share"] == pytest.approx(bench.data.mix[3], abs=1e-6)


def test_one_figure_is_the_same_wherever_it_stands(
    bench: Bench, metrics: dict[str, Any], survival: dict[str, Any]
) -> None:
    expected = top_against_lowest_auc(bench.groups, bench.scored.probabilities)
    assert metrics["test_mix"]["auc"]["top_against_lowest"]["value"] == pytest.approx(expected, abs=1e-6)
    days = bench.data.labelled.first_event_day[bench.data.split.test]
    found = survival["shown"]["test_mix"]["concordance"]["value"]
    assert found == pytest.approx(concordance(bench.scored.curves, days), abs=1e-6)


def test_the_published_selection_keeps_nobody_in_between(bench: Bench) -> None:
    data = bench.data
    selection = published_selection(data, seed=1)
    kept = np.concatenate([selection.train, selection.test])
    free = np.isnan(data.labelled.first_event_day[kept])
    assert (free | (data.split.groups[kept] == 3)).all()
    assert np.isnan(selection.event_day[kept])[free].all()
    np.testing.assert_array_equal(selection.event_day[kept][~free], data.labelled.worst_event_day[kept][~free])
    assert np.isin(selection.train, data.split.train).all()
    assert np.isin(selection.test, data.split.test).all()
    scale = len(data.split.groups) / PUBLISHED_NOMINALS
    assert np.isnan(selection.event_day[selection.train]).sum() == round(1_038 * scale)
    assert selection.test_mix[0] == pytest.approx(460 / 687)


def test_survival_curves_fall_by_group_from_one(survival: dict[str, Any]) -> None:
    curves = survival["shown"]["mean_curves"]
    for name in GROUPS:
        for kind in ("predicted", "observed"):
            values = curves[name][kind]
            assert len(values) == len(curves["days"]) <= 200
            assert values[0] == 1
            assert (np.diff(values) <= 0).all()
    assert survival["published_selection"]["published"]["concordance"] == 0.702


def test_the_weekly_volume_is_the_fidelity_tables(bench: Bench) -> None:
    rows = {row.name: row.measured for row in fidelity(bench.data.extract, bench.data.labelled)}
    assert weekly_volume(bench.data.extract, bench.data.family.subject) == pytest.approx(
        rows["new stalking crimes a week (6)"]
    )


def test_other_nominals_are_scored_by_the_same_graphs(bench: Bench) -> None:
    again = bench.score(bench.data.x[bench.data.split.test])
    for one, other in zip(again, bench.scored, strict=True):
        np.testing.assert_array_equal(one, other)
