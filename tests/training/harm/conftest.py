import numpy as np
import pytest
from sksurv.ensemble import RandomSurvivalForest

from tests.training.harm.people import People, people
from training.harm.classifier import Stack
from training.harm.lstm import fit_lstm, lstm_probabilities
from training.harm.population import fit_population
from training.harm.survival import fit_forest
from training.harm.svm import SvmSettings, fit_svm
from training.harm.trees import fit_trees, tree_probabilities


@pytest.fixture(scope="session")
def nominals() -> People:
    return people(700, seed=3)


@pytest.fixture(scope="session")
def stack(nominals: People) -> Stack:
    """A stack fitted quickly, not well: half the nominals teach the first stage, the other half the second."""
    first, second = np.arange(350), np.arange(350, 700)
    trees = fit_trees(nominals.x[first], nominals.groups[first], rounds=12, seed=1)
    lstm = fit_lstm(nominals.x[first], nominals.groups[first], epochs=2, seed=1)
    x, groups = nominals.x[second], nominals.groups[second]
    stacked = np.hstack([tree_probabilities(trees, x), lstm_probabilities(lstm, x)])
    svm = fit_svm(stacked, groups, nominals.component[second], SvmSettings(1.0, 0.3), seed=1)
    population = fit_population(svm.probabilities(stacked), groups, np.array([0.76, 0.14, 0.05, 0.05]))
    return Stack(trees, lstm, svm, population, np.array([1.0, 1.1, 1.6, 2.4]))


@pytest.fixture(scope="session")
def forest(nominals: People) -> RandomSurvivalForest:
    return fit_forest(nominals.x, nominals.first_event_day, seed=2)
