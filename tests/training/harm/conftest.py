from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sksurv.ensemble import RandomSurvivalForest

from tests.training.harm.people import People, people
from training.harm.classifier import Stack
from training.harm.first_stage import predictions, refitted
from training.harm.population import fit_population
from training.harm.second_stage import SECOND_STAGES
from training.harm.structure import PUBLISHED, Structure
from training.harm.survival import fit_forest
from training.harm.svm import SvmSettings
from training.harm.tables import table_probabilities


@pytest.fixture(scope="session")
def nominals() -> People:
    return people(700, seed=3)


@pytest.fixture(scope="session")
def first_models(nominals: People) -> dict[str, Any]:
    """Every model of the first stage, fitted quickly, not well, on the first half of the nominals."""
    x, groups, component = (part[:350] for part in nominals.sample)
    settings = {"svm": 1e-3, "lr": 1e-3, "rf": 20, "gbm": 8, "xgboost": 12, "lstm": 2, "cnn": 2}
    return {name: refitted(name, x, groups, component, [setting], seed=1) for name, setting in settings.items()}


@pytest.fixture(scope="session")
def first_views(nominals: People, first_models: dict[str, Any]) -> dict[str, NDArray[np.float32]]:
    """What each of them says of all nominals, (700, 4)."""
    return {name: predictions(name, model, nominals.x) for name, model in first_models.items()}


@pytest.fixture(scope="session")
def make_stack(
    nominals: People, first_models: dict[str, Any], first_views: dict[str, NDArray[np.float32]]
) -> Callable[[Structure], Stack]:
    """Fits the second stage of any stack on the second half of the nominals."""
    _, groups, component = (part[350:] for part in nominals.sample)
    settings = {"svm": SvmSettings(1.0, 0.3), "lr": 1.0, "rf": 20, "gbm": 8, "xgboost": 8, "nn": 1.0}

    def make(structure: Structure) -> Stack:
        first = (first_models[structure.first[0]], first_models[structure.first[1]])
        # In a real fit the second stage learns from models of the folds: near what the refitted ones say, never the same.
        near = np.random.default_rng(6).normal(0, 1e-3, (len(groups), 8))
        stacked = (np.hstack([first_views[name][350:] for name in structure.first]) + near).astype(np.float32)
        kind = SECOND_STAGES[structure.second]
        second = kind.fit(stacked, groups, component, settings[structure.second], 1)
        population = fit_population(table_probabilities(second, stacked), groups, np.array([0.76, 0.14, 0.05, 0.05]))
        return Stack(structure, first, second, population, np.array([1.0, 1.1, 1.6, 2.4]))

    return make


@pytest.fixture(scope="session")
def stack(make_stack: Callable[[Structure], Stack]) -> Stack:
    """The published structure."""
    return make_stack(PUBLISHED)


@pytest.fixture(scope="session")
def forest(nominals: People) -> RandomSurvivalForest:
    return fit_forest(nominals.x, nominals.first_event_day, seed=2)
