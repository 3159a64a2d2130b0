"""Weighted replicates against a plain loop over resampled rows, and the share of intervals that hold the truth."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.evaluation.intervals import bootstrap, draws, estimate, nested, to_mix
from training.harm.population import mix_weights

REPLICATES = 300


def test_as_a_plain_loop_that_copies_the_people_of_each_drawn_component() -> None:
    rng = np.random.default_rng(3)
    component = rng.integers(100, 140, 90)
    values = rng.normal(size=90)

    found = bootstrap(
        lambda weights: {"mean": weights @ values / weights.sum(axis=-1)}, component, seed=5, replicates=REPLICATES
    )

    again, names = np.random.default_rng(5), np.unique(component)
    means = []
    for picked in again.integers(0, len(names), (REPLICATES, len(names))):
        rows = np.concatenate([np.flatnonzero(component == names[one]) for one in picked])
        means.append(values[rows].mean())
    assert found["mean"]["value"] == pytest.approx(values.mean())
    assert found["mean"]["low"] == pytest.approx(np.quantile(means, 0.025))
    assert found["mean"]["high"] == pytest.approx(np.quantile(means, 0.975))


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    component = np.arange(50) // 2
    whole = np.concatenate(list(draws(component, seed=1, replicates=40)))
    monkeypatch.setattr("training.evaluation.intervals._CELLS_AT_ONCE", 7 * 50)
    parts = list(draws(component, seed=1, replicates=40))
    assert len(parts) == 6
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    assert (whole[:, ::2] == whole[:, 1::2]).all()
    assert (whole[:, ::2].sum(axis=1) == 25).all()


def test_the_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    """People of one component are alike; rows drawn one by one would be far too sure."""
    rng, held = np.random.default_rng(8), {"component": 0, "person": 0}
    trials, components, size = 200, 60, 4
    for trial in range(trials):
        level = rng.normal(size=components)
        values = np.repeat(level, size) + 0.1 * rng.normal(size=components * size)
        for name, unit in (
            ("component", np.repeat(np.arange(components), size)),
            ("person", np.arange(components * size)),
        ):
            found = bootstrap(lambda w, v=values: {"mean": w @ v / w.sum(axis=-1)}, unit, seed=trial, replicates=400)
            low, high = found["mean"]["low"], found["mean"]["high"]
            assert low is not None
            assert high is not None
            held[name] += low <= 0 <= high
    assert 0.89 <= held["component"] / trials <= 0.99
    assert held["person"] / trials < 0.8


@given(
    st.lists(st.integers(0, 3), min_size=4, max_size=40),
    st.lists(st.floats(0.01, 1), min_size=4, max_size=4),
)
def test_a_mix_is_what_the_population_weights_give(rows: list[int], parts: list[float]) -> None:
    groups = np.array([*rows, 0, 1, 2, 3])
    mix = np.array(parts) / sum(parts)
    found = to_mix(np.ones((2, len(groups))), groups, mix)
    np.testing.assert_allclose(found[0], mix_weights(groups, mix), rtol=1e-9)
    np.testing.assert_array_equal(found[0], found[1])


def test_a_mix_of_drawn_rows_counts_them_as_often_as_drawn() -> None:
    groups, mix = np.array([0, 0, 1, 2, 3]), np.array([0.4, 0.3, 0.2, 0.1])
    drawn = np.array([2.0, 0, 1, 1, 1])
    found = to_mix(drawn, groups, mix)
    np.testing.assert_allclose([found[groups == group].sum() / 5 for group in range(4)], mix)
    assert found[1] == 0


def test_what_does_not_exist_is_none_and_replicates_without_it_are_left_out() -> None:
    assert estimate(float("nan"), np.ones(5)) == {"value": None, "low": None, "high": None}
    assert estimate(1.0, np.array([np.nan, np.nan])) == {"value": None, "low": None, "high": None}
    assert estimate(1.0, np.array([np.nan, 2.0])) == {"value": 1.0, "low": 2.0, "high": 2.0}


def test_names_with_dots_become_objects() -> None:
    assert nested({"auc.0-50": 1, "auc.macro": 2, "brier": 3}) == {"auc": {"0-50": 1, "macro": 2}, "brier": 3}
