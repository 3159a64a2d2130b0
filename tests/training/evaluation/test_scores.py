"""Scores for many weights at once against scikit-learn and scikit-survival, which take one set or none."""

from typing import NamedTuple

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score
from sksurv.metrics import concordance_index_censored, cumulative_dynamic_auc, integrated_brier_score
from sksurv.util import Surv

from training.evaluation import calibration, ranking, survival_scores
from training.harm.survival import outcomes, risk

NOMINALS = 240


class Case(NamedTuple):
    probabilities: np.ndarray
    groups: np.ndarray
    weights: np.ndarray
    curves: np.ndarray
    event_day: np.ndarray


@pytest.fixture(params=range(4))
def case(request: pytest.FixtureRequest) -> Case:
    """Scores with ties, weights with zeros: three sets of them, the last one whole numbers."""
    rng = np.random.default_rng(request.param)
    groups = rng.integers(0, 4, NOMINALS)
    raw = rng.random((NOMINALS, 4)) + (groups[:, None] == np.arange(4)) * 0.4
    raw = np.round(raw, 1) + 0.05
    wait = np.ceil(rng.exponential(60 + 200 * rng.random(NOMINALS)))
    wait[0] = 1
    rate = np.round(rng.random(NOMINALS), 1) * 0.004 + 0.001
    weights = np.stack([np.ones(NOMINALS), rng.random(NOMINALS), rng.integers(0, 4, NOMINALS).astype(float)])
    weights[:, 0] = 1
    return Case(
        raw / raw.sum(axis=1, keepdims=True),
        groups,
        weights,
        np.exp(-np.outer(rate, np.arange(366))),
        np.where(wait <= 365, wait, np.nan),
    )


def test_areas_under_curves(case: Case) -> None:
    top, positive = case.probabilities[:, 3], case.groups == 3
    rows = ranking.ranked(top)
    area, precision = (of(rows, positive, case.weights) for of in (ranking.auc, ranking.average_precision))
    for number, weights in enumerate(case.weights):
        assert area[number] == pytest.approx(roc_auc_score(positive, top, sample_weight=weights))
        expected = average_precision_score(positive, top, sample_weight=weights)
        assert precision[number] == pytest.approx(expected)


def test_an_area_without_one_side_does_not_exist() -> None:
    rows = ranking.ranked(np.array([0.1, 0.2]))
    assert np.isnan(ranking.auc(rows, np.array([True, True]), np.ones((1, 2)))).all()
    assert np.isnan(ranking.average_precision(rows, np.array([False, False]), np.ones((1, 2)))).all()


def test_proper_scores(case: Case) -> None:
    p, groups = case.probabilities, case.groups
    brier, loss = calibration.brier_rows(p, groups), calibration.log_loss_rows(p, groups)
    top = (p[:, 3] - (groups == 3)) ** 2
    for weights in case.weights:
        assert calibration.mean(weights, brier) == pytest.approx(
            brier_score_loss(groups, p, sample_weight=weights, labels=range(4), scale_by_half=False)
        )
        assert calibration.mean(weights, top) == pytest.approx(
            brier_score_loss(groups == 3, p[:, 3], sample_weight=weights)
        )
        assert calibration.mean(weights, loss) == pytest.approx(log_loss(groups, p, sample_weight=weights))


def test_ranked_probability_score_by_hand() -> None:
    p, groups = np.array([[0.5, 0.5, 0, 0], [0.5, 0.5, 0, 0]]), np.array([0, 3])
    expected = [0.25 / 3, (0.25 + 1 + 1) / 3]
    np.testing.assert_allclose(calibration.ranked_probability_rows(p, groups), expected)


def test_calibration_error_by_a_plain_loop(case: Case) -> None:
    top, happened = case.probabilities[:, 3], case.groups == 3
    found = calibration.calibration_error(ranking.ranked(top), top, happened, case.weights)
    for number, weights in enumerate(case.weights):
        mass, gap = dict.fromkeys(range(10), 0.0), dict.fromkeys(range(10), 0.0)
        passed = 0.0
        for value in sorted(set(top), reverse=True):
            rows = top == value
            one = min(int(10 * (passed + weights[rows].sum() / 2) / weights.sum()), 9)
            passed += weights[rows].sum()
            mass[one] += weights[rows].sum()
            gap[one] += (weights[rows] * (happened[rows] - value)).sum()
        assert found[number] == pytest.approx(sum(map(abs, gap.values())) / weights.sum())


def test_slope_and_intercept_are_those_of_a_logistic_regression(case: Case) -> None:
    top, happened = case.probabilities[:, 3], case.groups == 3
    x = calibration.log_odds(top)
    slopes, levels = (of(top, happened, case.weights) for of in (calibration.slope, calibration.intercept))
    for number, weights in enumerate(case.weights):
        model = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000)
        model.fit(x[:, None], happened, sample_weight=weights)
        assert slopes[number] == pytest.approx(model.coef_[0, 0], abs=1e-4)
        moved = 1 / (1 + np.exp(-(x + levels[number])))
        assert (weights * (moved - happened)).sum() == pytest.approx(0, abs=1e-6)


def test_no_slope_where_the_kinds_do_not_overlap() -> None:
    p, happened = np.array([0.1, 0.2, 0.8, 0.9]), np.array([False, False, True, True])
    assert np.isnan(calibration.slope(p, happened, np.ones((1, 4)))).all()
    assert np.isnan(calibration.intercept(p, np.ones(4, dtype=bool), np.ones((1, 4)))).all()


def test_true_probabilities_are_found_calibrated() -> None:
    rng = np.random.default_rng(1)
    p = rng.beta(1, 5, 40_000)
    happened, weights = rng.random(40_000) < p, np.ones(40_000)
    assert calibration.slope(p, happened, weights) == pytest.approx(1, abs=0.05)
    assert calibration.intercept(p, happened, weights) == pytest.approx(0, abs=0.05)
    assert calibration.calibration_error(ranking.ranked(p), p, happened, weights) < 0.01
    assert calibration.slope(p**2 / (p**2 + (1 - p) ** 2), happened, weights) == pytest.approx(0.5, abs=0.03)


def test_concordance_is_that_of_the_people_repeated_as_often_as_they_weigh(case: Case) -> None:
    order = risk(case.curves)
    found = survival_scores.concordance_of(order, case.event_day, case.weights)
    happened, days = outcomes(case.event_day)
    for number in (0, 2):
        rows = np.repeat(np.arange(NOMINALS), case.weights[number].astype(int))
        expected = concordance_index_censored(happened[rows], days[rows], order[rows])[0]
        assert found[number] == pytest.approx(expected)


def test_blocks_of_pairs_change_nothing(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    order = risk(case.curves)
    whole = survival_scores.concordance_of(order, case.event_day, case.weights)
    monkeypatch.setattr(survival_scores, "_BLOCK", 37)
    np.testing.assert_allclose(survival_scores.concordance_of(order, case.event_day, case.weights), whole)


def test_auc_by_a_day_and_integrated_brier_score_are_scikit_survivals(case: Case) -> None:
    days = [30, 90, 180, 364]
    brier = survival_scores.integrated_brier_rows(case.curves, case.event_day)
    for number in (0, 2):
        rows = np.repeat(np.arange(NOMINALS), case.weights[number].astype(int))
        happened, until = outcomes(case.event_day[rows])
        people, curve = Surv.from_arrays(happened, until + ~happened), case.curves[rows]
        areas, _ = cumulative_dynamic_auc(people, people, 1 - curve[:, days], days)
        for day, expected in zip(days, areas, strict=True):
            found = survival_scores.auc_by(case.curves, case.event_day, day, case.weights)[number]
            assert found == pytest.approx(expected)
        times = np.arange(1, 365)
        expected = integrated_brier_score(people, people, curve[:, times], times)
        assert calibration.mean(case.weights[number], brier) == pytest.approx(expected)


def test_curves_are_thinned_between_their_ends() -> None:
    rng = np.random.default_rng(2)
    scores, positive = rng.random(5_000), rng.random(5_000) < 0.2
    for found in (
        ranking.roc(scores, positive, np.ones(5_000)),
        ranking.precision_recall(scores, positive, np.ones(5_000)),
    ):
        assert {len(part) <= ranking.POINTS for part in found.values()} == {True}
    roc = ranking.roc(scores, positive, np.ones(5_000))
    assert (roc["false_positive_rate"][0], roc["true_positive_rate"][0]) == (0, 0)
    assert (roc["false_positive_rate"][-1], roc["true_positive_rate"][-1]) == (1, 1)
    drawn = np.trapezoid(roc["true_positive_rate"], roc["false_positive_rate"])
    assert drawn == pytest.approx(roc_auc_score(positive, scores), abs=0.01)
