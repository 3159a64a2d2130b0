import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sksurv.ensemble import RandomSurvivalForest

from app.harm.features import COLUMN
from tests.training.harm.people import People
from tests.training.harm.runtime import run
from training.harm.check import forest_splits, on_thresholds
from training.harm.export import export_survival
from training.harm.onnx_forest import rounded_down
from training.harm.onnx_survival import survival_graph
from training.harm.survival import curves, on_days, outcomes, population_rows


def test_graph_equals_scikit_survival(forest: RandomSurvivalForest, nominals: People) -> None:
    (found,) = run(export_survival(forest), nominals.x)
    np.testing.assert_allclose(found, curves(forest, nominals.x), atol=1e-5)


def test_values_on_thresholds_take_the_same_branch(forest: RandomSurvivalForest, nominals: People) -> None:
    x = on_thresholds(nominals.x, forest_splits(forest), np.random.default_rng(4))
    (found,) = run(export_survival(forest), x)
    np.testing.assert_allclose(found, curves(forest, x), atol=1e-5)


def test_every_curve_is_a_survival_curve(forest: RandomSurvivalForest, nominals: People) -> None:
    (found,) = run(export_survival(forest), nominals.x)
    assert found.shape == (700, 366)
    assert found.dtype == np.float32
    assert (found[:, 0] == 1).all()
    assert (np.diff(found, axis=1) <= 0).all()
    assert (found >= 0).all()


def test_answers_do_not_depend_on_the_batch(forest: RandomSurvivalForest, nominals: People) -> None:
    graph = export_survival(forest)
    (whole,) = run(graph, nominals.x[:30])
    single = [run(graph, nominals.x[row : row + 1])[0] for row in range(30)]
    assert np.array_equal(np.concatenate(single), whole)


def test_features_of_the_other_model_have_no_say(forest: RandomSurvivalForest, nominals: People) -> None:
    graph, changed = export_survival(forest), nominals.x.copy()
    changed[:, :, COLUMN["gender"]] = 2 - changed[:, :, COLUMN["gender"]]
    changed[:, :, COLUMN["is_domestic"]] = 1 - changed[:, :, COLUMN["is_domestic"]]
    assert np.array_equal(run(graph, nominals.x)[0], run(graph, changed)[0])


def test_more_trees_than_sum_exactly_are_refused(forest: RandomSurvivalForest) -> None:
    crowd = RandomSurvivalForest()
    crowd.unique_times_, crowd.estimators_ = forest.unique_times_, forest.estimators_ * 3
    with pytest.raises(ValueError, match="at most 128 trees"):
        survival_graph(crowd)


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6, width=32))
def test_rounding_down_keeps_every_comparison(threshold: float, value: float) -> None:
    rounded = rounded_down(np.array([threshold]))
    for near in (np.float32(value), rounded[0], np.nextafter(rounded[0], np.float32(np.inf))):
        assert (np.float64(near) <= threshold) == bool(near <= rounded[0])


def test_days_between_events_keep_the_last_value() -> None:
    found = on_days(np.array([[0.9, 0.4]]), np.array([3.0, 365.0]))
    assert found[0, [0, 2, 3, 364, 365]].tolist() == [1, 1, 0.9, 0.9, 0.4]


def test_outcomes_are_censored_at_a_year() -> None:
    happened, days = outcomes(np.array([5.0, np.nan]))
    assert happened.tolist() == [True, False]
    assert days.tolist() == [5, 365]


def test_thinning_brings_rows_to_the_population_mix() -> None:
    weights = np.repeat([0.5, 1.0], 4000)
    kept = population_rows(weights, seed=1)
    assert (kept >= 4000).sum() == 4000
    assert (kept < 4000).sum() == pytest.approx(2000, abs=150)
