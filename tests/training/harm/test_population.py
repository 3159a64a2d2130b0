import numpy as np
import pytest

from tests.training.harm.people import People
from training.harm.population import fit_population, mix_weights, population_probabilities, shares
from training.harm.reference import population_percentiles, reference_medians, weighted_median

POPULATION = np.array([0.76, 0.14, 0.05, 0.05])


def test_weighted_rows_have_the_population_mix() -> None:
    groups = np.repeat(np.arange(4), [40, 30, 20, 10])
    weights = mix_weights(groups, POPULATION)
    assert weights.mean() == pytest.approx(1)
    np.testing.assert_allclose(np.bincount(groups, weights=weights) / 100, POPULATION)


def test_calibrated_probabilities_match_how_often_it_happens() -> None:
    """Balanced-sample probabilities overstate the top group; calibrated ones do not."""
    rng = np.random.default_rng(1)
    groups = rng.integers(0, 4, 6000)
    likelihood = np.exp(-((groups[:, None] + rng.normal(0, 1.2, (6000, 1)) - np.arange(4)) ** 2 / 2.9))
    balanced = likelihood / likelihood.sum(axis=1, keepdims=True)
    model = fit_population(balanced[:3000], groups[:3000], POPULATION)
    found = population_probabilities(model, balanced[3000:])
    weights = mix_weights(groups[3000:], POPULATION)
    np.testing.assert_allclose(np.average(found, axis=0, weights=weights), POPULATION, atol=0.01)
    assert np.average(balanced[3000:, 3], weights=weights) > 0.08


def test_shares_count_groups_nobody_is_in() -> None:
    assert shares(np.array([0, 0, 3, 3])).tolist() == [0.5, 0, 0, 0.5]


def test_medians_leave_padding_out(nominals: People) -> None:
    medians = reference_medians(nominals.x, np.ones(700))
    lengths = nominals.histories.lengths
    assert medians.shape == (20, 19)
    assert medians[19, 0] == pytest.approx(np.quantile(nominals.x[:, 19, 0], 0.5, method="inverted_cdf"))
    theirs = nominals.x[lengths >= 20, 0, 0]
    assert medians[0, 0] == pytest.approx(np.quantile(theirs, 0.5, method="inverted_cdf"))


def test_weights_move_medians_and_percentiles(nominals: People) -> None:
    heavy = np.where(nominals.groups == 3, 50.0, 1.0)
    plain, moved = (population_percentiles(nominals.x, weights) for weights in (np.ones(700), heavy))
    assert all(len(values) == 101 for values in plain.values())
    assert moved["cumulative_harm"][50] > plain["cumulative_harm"][50]
    assert weighted_median(np.array([1.0, 2.0, np.nan]), np.array([1.0, 3.0, 9.0])) == 2
