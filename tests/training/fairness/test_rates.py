"""Rates of groups against fairlearn and against loops over people."""

import numpy as np
import pytest
from fairlearn.metrics import MetricFrame, count, false_negative_rate, false_positive_rate, selection_rate
from sklearn.metrics import precision_score, roc_auc_score

from tests.training.fairness.lives import Group, Lives, lives, undivided
from training.evaluation.intervals import draws
from training.fairness.audit import measured
from training.fairness.rates import flag_cells, flag_rates, largest_gaps, miss_cells, miss_rates
from training.metrics import SECOND, THIRD, TOP


@pytest.fixture(scope="module")
def found() -> Lives:
    return lives(900, 4, {"a": Group(0.5), "b": Group(0.3, base=0.4), "c": Group(0.2)})


def by_name(found: Lives) -> np.ndarray:
    return np.array(found.attribute.groups, dtype=object)[found.attribute.member]


def test_rates_are_fairlearns(found: Lives) -> None:
    people, group = found.true, by_name(found)
    flags = MetricFrame(
        metrics={"flag_rate": selection_rate, "false_positive_rate": false_positive_rate, "precision": precision_score},
        y_true=people.true >= THIRD,
        y_pred=people.predicted == TOP,
        sensitive_features=group,
    )
    ones = np.ones((1, 900))
    mine = flag_rates(people, found.attribute, ones)
    for name in found.attribute.groups:
        for measure in ("flag_rate", "false_positive_rate", "precision"):
            assert mine[f"{name}.{measure}"][0] == pytest.approx(flags.by_group.loc[name, measure]), measure
    gaps = largest_gaps(people, found.attribute)
    assert gaps["flag_rate"]["difference"] == pytest.approx(flags.difference()["flag_rate"])
    misses = MetricFrame(
        metrics={"missed": false_negative_rate, "n": count},
        y_true=people.true == TOP,
        y_pred=people.predicted >= THIRD,
        sensitive_features=group,
    )
    missed = miss_rates(people, found.attribute, ones)
    for name in found.attribute.groups:
        assert missed[f"{name}.false_negative_rate"][0] == pytest.approx(misses.by_group.loc[name, "missed"])
        assert missed[f"{name}.top_2_accuracy"][0] == pytest.approx(1 - misses.by_group.loc[name, "missed"])


def test_weights_repeat_people(found: Lives) -> None:
    weights = next(iter(draws(np.arange(900), seed=2, replicates=1)))
    rows = np.repeat(np.arange(900), weights[0].astype(int))
    drawn, attribute = found.true.take(rows), found.attribute.take(rows)
    for rates in (flag_rates, miss_rates):
        weighted = rates(found.true, found.attribute, weights)
        repeated = rates(drawn, attribute, np.ones((1, len(rows))))
        for name, value in weighted.items():
            np.testing.assert_allclose(value, repeated[name], err_msg=name)


def test_equal_harm_equal_scores_and_ranking_by_a_loop(found: Lives) -> None:
    people, group = found.true, by_name(found)
    mine = flag_rates(people, found.attribute, np.ones((1, 900)))
    flagged = people.predicted == TOP
    for name in found.attribute.groups:
        gap = 0.0
        for harm in range(4):
            same = people.true == harm
            theirs, others = (flagged[same & (group == name)], flagged[same & (group != name)])
            gap += same.mean() * (theirs.mean() - others.mean())
        assert mine[f"{name}.flagged_at_equal_harm"][0] == pytest.approx(gap)
        own = group == name
        ratio = [(people.true[who] >= THIRD).sum() / people.expected[who].sum() for who in (own, ~own)]
        assert mine[f"{name}.found_to_expected"][0] == pytest.approx(ratio[0])
        assert mine[f"{name}.found_to_expected_to_rest"][0] == pytest.approx(np.log(ratio[0] / ratio[1]))
        ends = own & np.isin(people.true, (0, TOP))
        area = roc_auc_score(people.true[ends] == TOP, people.top_score[ends])
        assert mine[f"{name}.auc_top_against_lowest"][0] == pytest.approx(area)


def test_what_scores_let_expect_is_right_for_everyone_together(found: Lives) -> None:
    assert found.true.expected.sum() == pytest.approx((found.true.true >= THIRD).sum())
    order = np.argsort(found.true.expected)
    assert (np.diff(found.true.expected[order]) >= 0).all()


def test_cells_are_counts_of_people(found: Lives) -> None:
    people, group = found.true, by_name(found)
    flags, misses = flag_cells(people, found.attribute), miss_cells(people, found.attribute)
    assert flags.sum() == 900
    first = group == found.attribute.groups[0]
    lower, flagged = people.true <= SECOND, people.predicted == TOP
    expected = [
        (first & a & b).sum() for a, b in ((lower, ~flagged), (lower, flagged), (~lower, ~flagged), (~lower, flagged))
    ]
    assert flags[0].tolist() == expected
    top = first & (people.true == TOP)
    assert misses[0].tolist() == [(top & (people.predicted >= THIRD)).sum(), (top & (people.predicted < THIRD)).sum()]


def test_people_who_share_incidents_are_drawn_together(found: Lives) -> None:
    """Everyone twice, twins in one component: intervals are those of the single people, not narrower by 1.4."""
    twice = np.concatenate([np.arange(900)] * 2)
    people, attribute = found.true.take(twice), found.attribute.take(twice)
    single = measured(found.true, undivided(found.attribute), np.arange(900), seed=1, replicates=400)
    twins = measured(people, undivided(attribute), twice, seed=1, replicates=400)
    name = "kind.a.flag_rate_to_rest"
    assert twins.z(name) == pytest.approx(single.z(name), rel=0.15)
