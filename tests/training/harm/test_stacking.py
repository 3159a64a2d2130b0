"""The second stage may only ever see what the first stage says of people it has not met."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, log_loss

from tests.training.harm.people import People, people
from training.harm.classifier import Sample, fit_stack, out_of_fold
from training.harm.folds import fold_numbers, fold_rows
from training.harm.population import shares
from training.harm.trees import fit_trees, tree_probabilities

CHANCE = 0.4


def test_folds_keep_components_whole_and_groups_even(nominals: People) -> None:
    numbers = fold_numbers(nominals.groups, nominals.component, seed=1)
    for learn, held_out in fold_rows(numbers):
        assert not set(nominals.component[learn]) & set(nominals.component[held_out])
        np.testing.assert_allclose(shares(nominals.groups[held_out]), shares(nominals.groups), atol=0.06)
    assert sorted(np.concatenate([held for _, held in fold_rows(numbers)])) == list(range(700))


@pytest.mark.slow
def test_shuffled_labels_leave_nothing_to_learn(nominals: People) -> None:
    """In-sample, trees would 'predict' shuffled labels well: then the stack would learn to believe noise."""
    shuffled = np.random.default_rng(8).permutation(nominals.groups)
    sample = Sample(nominals.x, shuffled, np.arange(700))
    found = out_of_fold(sample, seed=1).stacked
    in_sample = tree_probabilities(fit_trees(nominals.x, shuffled, 100, seed=1), nominals.x)
    assert accuracy_score(shuffled, in_sample.argmax(axis=1)) > 0.6
    for half in (found[:, :4], found[:, 4:]):
        assert accuracy_score(shuffled, half.argmax(axis=1)) < CHANCE + 0.05


@pytest.mark.slow
def test_stack_learns_what_there_is_to_learn() -> None:
    train, calibration, test = (people(count, seed) for count, seed in ((900, 1), (400, 2), (600, 3)))
    found = fit_stack(
        train.sample,
        calibration.sample,
        test_mix=shares(test.groups),
        population_mix=np.array([0.76, 0.14, 0.05, 0.05]),
        seed=1,
    )
    ignorant = log_loss(test.groups, np.tile(shares(train.groups), (600, 1)))
    assert log_loss(test.groups, found.stack.probabilities(test.x)) < ignorant - 0.1
    assert found.choices["log_loss_stack"] == pytest.approx(log_loss(train.groups, found.out_of_fold), abs=1e-6)
    predicted = np.argmax(found.stack.probabilities(test.x) * found.stack.decision_weights, axis=1)
    assert np.array_equal(predicted, found.stack.predict(test.x))
