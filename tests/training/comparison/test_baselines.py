"""Rules of thumb and learners as rivals of the stack."""

import json
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.comparison.baselines import DESCRIBED, by_rank, learners, measure_baselines, rules_of_thumb
from training.comparison.bench_people import STACK
from training.evaluation.bench import Bench
from training.harm.progress import Stages
from training.metrics import TOP

LOWER = np.array([0.5, 0.2, 0.12])


@settings(deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 200))
def test_a_rule_flags_its_share_however_many_are_alike(seed: int, different: int) -> None:
    score = np.random.default_rng(seed).integers(0, different, 400).astype(float)
    rows = np.arange(400)
    found = by_rank(score, learn=rows, judge=rows, weights=np.ones(400), lower=LOWER, seed=seed)
    np.testing.assert_allclose(np.bincount(found, minlength=4), [200, 80, 48, 72], atol=1)
    order = np.argsort(score, kind="stable")
    for one, other in pairwise(order):
        assert score[one] == score[other] or found[one] <= found[other]


def test_thresholds_come_from_weighted_people_outside_the_test_set() -> None:
    score = np.concatenate([np.arange(100.0), [200.0, 201.0, 202.0, -5.0]])
    learn, judge = np.arange(100), np.arange(100, 104)
    even = by_rank(score, learn=learn, judge=judge, weights=np.ones(100), lower=LOWER, seed=1)
    assert even.tolist() == [3, 3, 3, 0]
    judge = np.arange(100)
    tilted = by_rank(score, learn=learn, judge=judge, weights=np.where(learn < 50, 1.0, 9.0), lower=LOWER, seed=1)
    assert (tilted == TOP).sum() == 10, "the heavy upper half fills its 18 % sooner"


def test_rules_see_the_history_they_are_named_for(bench: Bench) -> None:
    data = bench.data
    rules = {rule.name: rule for rule in rules_of_thumb(data, np.array([0.5, 0.2, 0.12, 0.18]), seed=1)}
    lengths = data.labelled.histories.lengths[data.split.test]
    np.testing.assert_array_equal(rules["number_of_incidents"].score, lengths)
    alone = lengths == 1
    assert (rules["previous_harm_score"].score[alone] == 0).all()
    assert (rules["highest_harm_score"].score <= rules["cumulative_harm"].score + 1e-3).all()


@pytest.mark.slow
def test_learners_learn_and_repeat(bench: Bench) -> None:
    first, again = learners(bench.data, seed=1), learners(bench.data, seed=1)
    groups = bench.groups
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one.predicted, other.predicted)
        assert one.score[groups == TOP].mean() > one.score[groups == 0].mean() + 0.1, one.name


@pytest.mark.slow
def test_the_section_names_every_rival_and_pairs_it_with_the_stack(bench: Bench) -> None:
    told = measure_baselines(bench, Stages())
    json.dumps(told, allow_nan=False)
    assert [row["name"] for row in told["rivals"]] == list(DESCRIBED)
    for row in told["rivals"]:
        assert (row["to_stack"] is None) == (row["name"] == STACK)
        assert np.sum(row["confusion"]) == told["test_nominals"]
    by_name = {row["name"]: row for row in told["rivals"]}
    gap = (
        by_name["cumulative_harm"]["test_mix"]["precision"]["value"] - by_name[STACK]["test_mix"]["precision"]["value"]
    )
    assert by_name["cumulative_harm"]["to_stack"]["precision"]["value"] == pytest.approx(gap, abs=2e-6)
