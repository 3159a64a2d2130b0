"""Blocks of the manifest from data: bins with ties, bands with hardly anybody, thresholds that few exceed."""

import numpy as np
import pytest

from app.harm.drift import DRIFT_WARNINGS, bin_shares, psi
from app.harm.experience import BANDS, MEASURES, Familiar, band_of, measures
from app.harm.features import FEATURES
from tests.training.harm.people import People, people
from training.harm.baseline import fit_baseline, fit_bins
from training.harm.experience import EXCEEDED, fit_experience, precision_matrix, rounded


def test_bins_hold_a_tenth_each_where_values_differ() -> None:
    values = np.random.default_rng(1).normal(size=5000)
    found = fit_bins(values, np.ones(5000))
    assert len(found.shares) == 10
    assert found.shares == pytest.approx([0.1] * 10, abs=1e-3)


def test_bins_heed_weights_and_ties() -> None:
    values = np.array([0.0] * 60 + [1.0] * 30 + [2.0] * 10)
    assert fit_bins(values, np.ones(100)).model_dump() == {"edges": (0.0, 1.0), "shares": (0.6, 0.3, 0.1)}
    weights = np.where(values == 0, 0.5, 1)
    assert fit_bins(values, weights).shares == pytest.approx([30 / 70, 30 / 70, 10 / 70])


def test_what_nobody_differs_in_shows_the_first_who_do() -> None:
    found = fit_bins(np.full(50, 10.0), np.ones(50))
    assert found.shares == (0, 1, 0)
    for other in (9.0, 11.0):
        recent = np.array([10.0] * 90 + [other] * 10)
        assert psi(found.shares, bin_shares(recent, found.edges)) > 0.5


def test_the_baseline_is_of_those_it_is_given() -> None:
    rng = np.random.default_rng(2)
    index, weights = rng.random((400, len(FEATURES))).astype(np.float32), rng.uniform(0.5, 2, 400)
    top, predicted, unseen = rng.random(100), rng.integers(0, 4, 100), rng.uniform(0.5, 2, 100)
    warned = {code: np.arange(400) % 4 == 0 for code in DRIFT_WARNINGS}
    mix = np.array([0.7, 0.2, 0.06, 0.04])
    found = fit_baseline(index, weights, top, predicted, unseen, warned, mix)
    assert set(found.features) == set(FEATURES)
    expected = [unseen[predicted == group].sum() / unseen.sum() for group in range(4)]
    assert found.predicted_groups == pytest.approx(expected)
    assert found.group_shares == pytest.approx(mix)
    share = weights[::4].sum() / weights.sum()
    assert list(found.warnings.values()) == pytest.approx([share] * 3)


@pytest.fixture(scope="module")
def crowd() -> People:
    return people(4_000, seed=11)


def test_few_of_the_population_and_few_of_others_are_odd(crowd: People) -> None:
    others = people(4_000, seed=12)
    found = fit_experience(crowd.x, np.ones(len(crowd.x)), others.x, np.ones(len(others.x)))
    seen = Familiar(found)
    assert seen.odd(crowd.x).mean() <= 2 * EXCEEDED + 1e-9
    assert found.false_alarms == pytest.approx(seen.odd(others.x).mean(), abs=1e-6)
    assert found.false_alarms <= 0.03
    assert found.measures == MEASURES


def test_thresholds_follow_the_weights(crowd: People) -> None:
    """Whoever weighs nothing is not ordinary: leaving them out gives the same bands."""
    keep = np.arange(len(crowd.x)) % 3 != 0
    weighed = fit_experience(crowd.x, keep.astype(float), crowd.x[:10], np.ones(10))
    alone = fit_experience(crowd.x[keep], np.ones(keep.sum()), crowd.x[:10], np.ones(10))
    for one, other in zip(weighed.bands, alone.bands, strict=True):
        assert one.mean == pytest.approx(other.mean, rel=1e-6)
        assert one.distance == pytest.approx(other.distance, rel=1e-2)


def test_a_length_that_nobody_has_is_odd(crowd: People) -> None:
    bands = band_of(measures(crowd.x).rows)
    long = bands == len(BANDS) - 1
    found = fit_experience(crowd.x[~long], np.ones((~long).sum()), crowd.x[:10], np.ones(10))
    assert Familiar(found).odd(crowd.x[long]).all()


def test_a_precision_survives_measures_that_follow_from_one_another() -> None:
    rng = np.random.default_rng(3)
    one = rng.normal(size=(500, 2))
    values = np.column_stack([one, one.sum(axis=1), np.zeros(500)])
    found = precision_matrix(np.cov(values.T), np.array([1.0, 1, 1, 2]))
    assert np.isfinite(found).all()
    assert (np.linalg.eigvalsh(found) > 0).all()
    assert found[3, 3] == pytest.approx(1 / 0.2**2)  # a tenth of the overall spread where there is none


def test_rounding_keeps_eight_digits() -> None:
    assert rounded(np.array([[1.23456789012, -1.23456789012e-9]])).tolist() == [[1.2345679, -1.2345679e-09]]
