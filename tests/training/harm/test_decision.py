import numpy as np
import pytest

from training.harm.decision import FLAGGED, choose_weights
from training.harm.population import mix_weights
from training.metrics import confusion, report_metrics

TEST_MIX = np.array([1593, 457, 258, 283]) / 2591


def drawn(count: int, noise: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities of four ordered groups that blur into one another, and the groups."""
    rng = np.random.default_rng(seed)
    groups = rng.integers(0, 4, count)
    seen = groups + rng.normal(0, noise, count)
    likelihood = np.exp(-((seen[:, None] - np.arange(4)) ** 2) / (2 * noise**2))
    return likelihood / likelihood.sum(axis=1, keepdims=True), groups


def test_weights_flag_eighteen_per_cent_at_the_test_mix() -> None:
    probabilities, groups = drawn(4000, 0.9, seed=1)
    rows = mix_weights(groups, TEST_MIX)
    weights = choose_weights(probabilities, groups, rows)
    found = report_metrics(confusion(groups, np.argmax(probabilities * weights, axis=1), rows))
    assert weights[0] == 1
    assert found.flagged == pytest.approx(FLAGGED, abs=2e-3)
    assert found.accuracy >= 0.51
    assert found.predicted_80_90 <= 0.30


def test_they_hold_on_people_they_were_not_chosen_on() -> None:
    chosen_on, other = drawn(4000, 0.9, seed=1), drawn(4000, 0.9, seed=2)
    weights = choose_weights(*chosen_on, mix_weights(chosen_on[1], TEST_MIX))
    rows = mix_weights(other[1], TEST_MIX)
    found = report_metrics(confusion(other[1], np.argmax(other[0] * weights, axis=1), rows))
    assert found.flagged == pytest.approx(FLAGGED, abs=0.02)


def test_no_group_vanishes() -> None:
    probabilities, groups = drawn(4000, 1.3, seed=3)
    rows = mix_weights(groups, TEST_MIX)
    weights = choose_weights(probabilities, groups, rows)
    matrix = confusion(groups, np.argmax(probabilities * weights, axis=1), rows)
    assert (matrix.sum(axis=0) >= 0.5 * matrix.sum(axis=1) - 1).all()


def test_hopeless_probabilities_still_give_weights() -> None:
    rng = np.random.default_rng(5)
    weights = choose_weights(rng.dirichlet(np.ones(4), 500), rng.integers(0, 4, 500), np.ones(500))
    assert np.isfinite(weights).all()
    assert (weights > 0).all()
