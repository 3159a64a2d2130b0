"""Figures for many weights at once against `training.metrics` one by one, and the paired bootstrap against a plain loop."""

from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.comparison.measures import People, Rival, differences, figures, with_intervals
from training.evaluation.intervals import draws
from training.harm.population import shares
from training.metrics import confusion, harm_balance, report_metrics, top_against_lowest_auc

PUBLISHED = np.array([[1200, 184, 90, 119], [180, 120, 79, 78], [33, 94, 63, 68], [17, 28, 33, 205]])
"""The report's matrix; the cells it does not print are made up, no figure checked here depends on them."""


def drawn(count: int, seed: int) -> tuple[People, Rival, Rival]:
    rng = np.random.default_rng(seed)
    groups = rng.choice(4, count, p=[0.5, 0.2, 0.15, 0.15])
    harm = np.where(groups > 0, rng.gamma(1.0, 300.0, count), 0.0)
    component = rng.integers(0, count, count)
    rivals = []
    for name, noise in (("stack", 0.8), ("rule", 1.6)):
        score = groups + noise * rng.normal(size=count)
        rivals.append(Rival(name, np.digitize(score, [0.8, 1.7, 2.3]).astype(np.int64), np.round(score, 1)))
    mix = np.array([0.76, 0.14, 0.05, 0.05])
    return People(groups, harm, component, shares(groups), mix), rivals[0], rivals[1]


def test_the_published_matrix_gives_the_published_figures() -> None:
    true, predicted = (np.repeat(index.ravel(), PUBLISHED.ravel()) for index in np.indices((4, 4)))
    people = People(true, np.ones(len(true)), np.arange(len(true)), shares(true), shares(true))
    found = figures(Rival("published", predicted, predicted.astype(float)), people, np.ones((1, len(true))))
    expected = {"precision": 0.581, "sensitivity": 0.682, "adjusted_f1": 0.627, "top_2_accuracy": 0.841}
    for name, value in expected.items():
        assert found[name][0] == pytest.approx(value, abs=5e-4), name
    assert found["missed_harm"][0] == 17 + 28
    assert found["positive_harm"][0] == 119 + 78
    assert found["net_harm"][0] == -152


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_weights_are_counted_as_the_plain_functions_count_them(seed: int) -> None:
    people, rival, _ = drawn(60, seed)
    weights = np.random.default_rng(seed).integers(0, 4, (3, 60)).astype(float)
    weights[:, :8] += 1  # nobody's group is ever empty for long
    found = figures(rival, people, weights)
    for row, own in enumerate(weights):
        matrix = confusion(people.groups, rival.predicted, own)
        expected = asdict(report_metrics(matrix))
        for name in ("precision", "sensitivity", "adjusted_f1", "top_2_accuracy", "accuracy", "flagged"):
            assert found[name][row] == pytest.approx(expected[name]), name
        balance = harm_balance(people.groups, rival.predicted, people.future_harm, own)
        assert found["missed_harm"][row] == pytest.approx(balance.missed)
        assert found["net_harm"][row] == pytest.approx(balance.net)
        both = [own[people.groups == group].sum() > 0 for group in (0, 3)]
        if all(both):
            area = top_against_lowest_auc(people.groups, np.tile(rival.score, (4, 1)).T, own)
            assert found["auc_top_against_lowest"][row] == pytest.approx(area)


def test_a_paired_bootstrap_equals_a_plain_loop() -> None:
    people, stack, rule = drawn(80, seed=3)
    found = differences(rule, stack, people, seed=5, replicates=40)
    people_of = {one: np.flatnonzero(people.component == one) for one in np.unique(people.component)}
    gaps = []
    for weights in np.concatenate(list(draws(people.component, seed=5, replicates=40))):
        for members in people_of.values():
            assert len(set(weights[members])) == 1, "a component is drawn whole or not at all"
        rows = np.repeat(np.arange(80), weights.astype(int))
        mix = np.array(
            [people.test_mix[group] / max((people.groups[rows] == group).mean(), 1e-9) for group in range(4)]
        )
        one, other = (
            report_metrics(confusion(people.groups[rows], rival.predicted[rows], mix[people.groups[rows]]))
            for rival in (rule, stack)
        )
        gaps.append(one.adjusted_f1 - other.adjusted_f1)
    low, high = np.quantile(gaps, [0.025, 0.975])
    assert found["adjusted_f1"]["low"] == pytest.approx(low, abs=1e-6)
    assert found["adjusted_f1"]["high"] == pytest.approx(high, abs=1e-6)


def test_a_rival_does_not_differ_from_itself() -> None:
    people, stack, rule = drawn(80, seed=4)
    assert all(one == {"value": 0, "low": 0, "high": 0} for one in differences(stack, stack, people, seed=1).values())
    assert differences(rule, stack, people, seed=1)["accuracy"]["value"] < 0


def test_pairing_makes_differences_surer_than_two_intervals() -> None:
    people, stack, rule = drawn(400, seed=6)
    nearly = stack._replace(predicted=np.where(np.arange(400) % 133 == 0, 3, stack.predicted))

    def width(one: Rival, other: Rival) -> float:
        found = differences(one, other, people, seed=1, replicates=300)["accuracy"]
        return float(found["high"] - found["low"])

    own = with_intervals(stack, people, seed=1, replicates=300)["test_mix"]["accuracy"]
    assert width(nearly, stack) < (own["high"] - own["low"]) / 2, "people in common vary together"
    assert width(rule, stack) > width(nearly, stack)
