import numpy as np
import pytest

from training.harm.decision import FLAGGED, choose_weights, decide
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


def plain_weights(views: np.ndarray, groups: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """One pair of weights after the other, the flagged share counted for every row's own turning point."""
    best, best_value = None, -np.inf
    for second in np.geomspace(0.4, 2.5, 25):
        for ratio in np.geomspace(0.5, 4.0, 43):
            lower = np.array([1.0, second, second * ratio])
            turning = ((views[..., :3] * lower).max(axis=-1) / views[..., 3]).min(axis=0)
            order = np.argsort(turning, kind="stable")
            reached = int((np.cumsum(rows[order]) < FLAGGED * rows.sum()).sum())
            weights = np.append(lower, (turning[order[reached - 1]] + turning[order[reached]]) / 2)
            predicted = np.argmax(views * weights, axis=-1).max(axis=0)
            matrix = confusion(groups, predicted, rows)
            found, true = report_metrics(matrix), matrix.sum(axis=1)
            missing = np.maximum(0, 0.5 * true - matrix.sum(axis=0)).sum() / true.sum()
            short = max(0.0, 0.51 - found.accuracy) + max(0.0, found.predicted_80_90 - 0.30) + missing
            value = 10 * min(found.top_2_accuracy, 0.84) + found.accuracy - 100 * short
            if value > best_value:
                best, best_value = weights, value
    return best


@pytest.mark.parametrize(("noise", "models"), [(0.7, 1), (1.3, 1), (0.9, 2)])
def test_the_search_is_the_plain_loop(noise: float, models: int) -> None:
    seen = [drawn(600, noise, seed)[0] for seed in range(models)]
    views, groups = np.stack(seen), drawn(600, noise, 0)[1]
    rows = mix_weights(groups, TEST_MIX)
    found = choose_weights(views if models > 1 else views[0], groups, rows)
    np.testing.assert_array_equal(found, plain_weights(views, groups, rows))


def test_of_several_models_the_highest_prediction_counts() -> None:
    views = np.array([[[0.7, 0.1, 0.1, 0.1], [0.1, 0.6, 0.2, 0.1]], [[0.1, 0.1, 0.5, 0.3], [0.9, 0.1, 0.0, 0.0]]])
    assert decide(views, np.ones(4)).tolist() == [2, 1]
    assert decide(views, np.array([1.0, 1.0, 1.0, 5.5])).tolist() == [3, 1]
    assert decide(views[0], np.ones(4)).tolist() == [0, 1]


def test_a_forest_that_gives_the_top_group_no_chance_still_gets_weights() -> None:
    probabilities, groups = drawn(500, 0.9, seed=6)
    probabilities[probabilities[:, 3] < 0.2, 3] = 0
    weights = choose_weights(probabilities, groups, mix_weights(groups, TEST_MIX))
    assert np.isfinite(weights).all()
    assert np.isfinite(probabilities * weights).all()
