"""The report's figures from the matrix rows it prints: true 80-90, true 90-100, and the last column."""

from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score, cohen_kappa_score, confusion_matrix, f1_score

from training.evaluation import published
from training.families import STALKING_NOMINAL
from training.metrics import concordance, confusion, harm_balance, report_metrics, top_against_lowest_auc

# Rows 3, 4 and the last column are printed. The other cells are filled in so that the rows hold table 2's 1,593 and 457
# nominals and the whole has the printed accuracy, 0.525; nothing tested here depends on how.
PUBLISHED = np.array([[985, 300, 189, 119], [170, 108, 101, 78], [33, 94, 63, 68], [17, 28, 33, 205]])


def test_published_figures() -> None:
    found = report_metrics(PUBLISHED)
    assert found.precision == pytest.approx(0.581, abs=5e-4)
    assert found.sensitivity == pytest.approx(0.682, abs=5e-4)
    assert found.adjusted_f1 == pytest.approx(0.627, abs=1e-3)
    assert found.top_2_accuracy == pytest.approx(0.84, abs=5e-3)
    assert (found.max_correct, found.max_false, found.max_missed) == (205, 119, 17)
    assert found.hamming_loss == pytest.approx(0.475, abs=5e-4)
    assert found.flagged == pytest.approx(470 / 2591)
    assert PUBLISHED.sum(axis=1).tolist() == list(STALKING_NOMINAL.parts.test)
    assert found.harm is None


def test_what_the_report_prints_is_what_ours_stand_beside() -> None:
    found = asdict(report_metrics(PUBLISHED))
    for name, value in STALKING_NOMINAL.published.items():
        assert found[name] == pytest.approx(value, abs=5e-3 if name == "top_2_accuracy" else 1e-3), name
    np.testing.assert_array_equal(PUBLISHED[:, 3], published.FLAGGED)


def test_over_predicting_80_90_shows_beside_what_it_wins() -> None:
    honest = report_metrics(PUBLISHED)
    gamed = PUBLISHED.copy()
    gamed[:, 2] += gamed[:, 0] + gamed[:, 1]
    gamed[:, :2] = 0
    found = report_metrics(gamed)
    assert found.adjusted_f1 > honest.adjusted_f1
    assert found.top_2_accuracy == 1
    assert found.accuracy < honest.accuracy
    assert found.predicted_80_90 > 0.8


def test_net_harm_of_the_report() -> None:
    true = np.array([3, 3, 0, 1, 3, 2])
    predicted = np.array([0, 1, 3, 3, 3, 3])
    harm = np.array([47_000.0, 456.5, 33_000.0, 837.5, 1e6, 1e6])
    found = harm_balance(true, predicted, harm)
    assert (found.missed, found.positive, found.net) == (47_456.5, 33_837.5, 13_619)
    assert asdict(found) == STALKING_NOMINAL.harm
    by_cell = confusion(true, predicted, harm)
    assert report_metrics(confusion(true, predicted), by_cell).harm == found


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=40))
def test_common_measures_are_scikit_learns(rows: list[tuple[int, int]]) -> None:
    """Every group occurs, so that no library has to guess what an empty one counts."""
    true, predicted = (np.array([*column, 0, 1, 2, 3]) for column in zip(*rows, strict=True))
    found = report_metrics(confusion(true, predicted))
    assert found.balanced_accuracy == pytest.approx(balanced_accuracy_score(true, predicted))
    assert found.macro_f1 == pytest.approx(f1_score(true, predicted, average="macro"))
    assert found.weighted_kappa == pytest.approx(cohen_kappa_score(true, predicted, weights="quadratic"))


def test_many_matrices_at_once_are_one_after_the_other() -> None:
    rng = np.random.default_rng(4)
    true, predicted, weights = rng.integers(0, 4, 60), rng.integers(0, 4, 60), rng.random((5, 60))
    stack = confusion(true, predicted, weights)
    together = asdict(report_metrics(stack, confusion(true, predicted, weights * 3)))
    for number, row in enumerate(weights):
        alone = asdict(report_metrics(confusion(true, predicted, row), confusion(true, predicted, row * 3)))
        for name, value in alone.pop("harm").items():
            assert together["harm"][name][number] == pytest.approx(value)
        for name, value in alone.items():
            assert together[name][number] == pytest.approx(value), name


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.floats(0.1, 5)), min_size=1, max_size=50))
def test_confusion_is_scikit_learns(rows: list[tuple[int, int, float]]) -> None:
    true, predicted, weights = (np.array(column) for column in zip(*rows, strict=True))
    expected = confusion_matrix(true, predicted, labels=range(4), sample_weight=weights)
    np.testing.assert_allclose(confusion(true, predicted, weights), expected, atol=1e-9)


def test_nobody_predicted_top_is_zero_not_an_error() -> None:
    found = report_metrics(np.diag([5.0, 0, 0, 0]))
    assert (found.precision, found.sensitivity, found.adjusted_f1, found.top_2_accuracy) == (0, 0, 0, 0)


def test_auc_looks_at_the_top_and_lowest_groups_only() -> None:
    true = np.array([0, 0, 3, 3, 1, 2])
    top = np.array([0.1, 0.2, 0.3, 0.9, 0.99, 0.0])
    probabilities = np.column_stack([1 - top, 0 * top, 0 * top, top])
    assert top_against_lowest_auc(true, probabilities) == 1
    assert top_against_lowest_auc(true[:4], probabilities[[2, 3, 0, 1]]) == 0


def test_concordance_rises_with_the_right_order() -> None:
    days = np.array([10.0, 100.0, np.nan])
    falling = np.exp(-np.outer([0.02, 0.01, 0.001], np.arange(366)))
    assert concordance(falling, days) == 1
    assert concordance(falling[::-1], days) == 0
