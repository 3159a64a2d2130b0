"""The seven models of the first stage (report, section 3.3.2): how each settles its one setting, fits, and predicts.

A setting is settled on an inner split of the rows given, so inside a fold nothing is learnt from the fold's own people.
Trees read the flattened history as it is; regression and support vector machine read it standardised.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import log_loss

from app.harm.features import Features
from training.harm import network, tables, trees
from training.harm.cnn import HarmCnn
from training.harm.folds import Ints, inner_split
from training.harm.lstm import HarmLstm
from training.harm.population import GROUP_COUNT
from training.harm.scaling import Scaling, scaled_rows, standardisation
from training.harm.svm import SvmSettings, fit_svm

Floats32 = NDArray[np.float32]
Setting = int | float
Fit = Callable[[Features, Ints, Ints, Setting, int], Any]
Predict = Callable[[Any, Features], NDArray[Any]]

MAX_GBM_ROUNDS = 120
GBM_DEPTH = 3
LEAVES = (5, 10, 20)
COSTS = (3e-4, 1e-3, 3e-3)
GAMMAS = (3e-4, 1e-3, 3e-3)


@dataclass(frozen=True)
class FirstStage:
    """One kind of model.

    `setting` names what is settled; `settle(x, groups, component, seed)` finds it; `fit(x, groups, component, setting,
    seed)` takes it; `predict(model, x)` gives probabilities (N, 4).
    """

    setting: str
    settle: Callable[[Features, Ints, Ints, int], Setting]
    fit: Fit
    predict: Predict


class Scaled(NamedTuple):
    """A table classifier that reads standardised histories."""

    scaling: Scaling
    model: Any

    def values(self, x: Features) -> Floats32:
        """(N, 20, 19) -> standardised, padding zero, (N, 380)."""
        return trees.flatten(scaled_rows(torch.from_numpy(x), self.scaling)[0].numpy())


def fold_predictions(
    name: str, x: Features, groups: Ints, component: Ints, held_out: Features, seed: int, setting: Setting | None = None
) -> tuple[Floats32, Setting]:
    """Settle (unless `setting` is given) and fit the named kind on some rows; its probabilities (M, 4) of others, and
    the setting."""
    kind = FIRST_STAGES[name]
    setting = kind.settle(x, groups, component, seed) if setting is None else setting
    model = kind.fit(x, groups, component, setting, seed)
    return predictions(name, model, held_out), setting


def predictions(name: str, model: Any, x: Features) -> Floats32:
    """Probabilities of the four groups by a fitted model of the named kind, (N, 4)."""
    return np.asarray(FIRST_STAGES[name].predict(model, x), dtype=np.float32)


def refitted(name: str, x: Features, groups: Ints, component: Ints, settled: Sequence[Setting], seed: int) -> Any:
    """The named kind fitted on all rows given with the median of the settings its folds settled on."""
    return FIRST_STAGES[name].fit(x, groups, component, middle(settled), seed)


def middle(settled: Sequence[Setting]) -> Setting:
    """Median of an odd number of settings: one of them."""
    return sorted(settled)[len(settled) // 2]


def _choice(settings: Sequence[Setting], fit: Fit, predict: Predict) -> Callable[[Features, Ints, Ints, int], Setting]:
    """Settles on whichever of a few settings has the lowest log loss on the inner split."""

    def settle(x: Features, groups: Ints, component: Ints, seed: int) -> Setting:
        learn, stop = inner_split(groups, component, seed)
        models = [fit(x[learn], groups[learn], component[learn], setting, seed) for setting in settings]
        losses = [log_loss(groups[stop], predict(model, x[stop]), labels=range(GROUP_COUNT)) for model in models]
        return settings[int(np.argmin(losses))]

    return settle


def _gbm_rounds(x: Features, groups: Ints, component: Ints, seed: int) -> Setting:
    """Rounds at which log loss on the inner split is lowest; later rounds never change earlier ones."""
    learn, stop = inner_split(groups, component, seed)
    flat = trees.flatten(x)
    model = tables.fit_gbm(flat[learn], groups[learn], MAX_GBM_ROUNDS, GBM_DEPTH, seed)
    stages = model.staged_predict_proba(flat[stop])
    return 1 + int(np.argmin([log_loss(groups[stop], found, labels=range(GROUP_COUNT)) for found in stages]))


def _fit_svm(x: Features, groups: Ints, component: Ints, gamma: Setting, seed: int) -> Scaled:
    scaled = Scaled(standardisation(x), None)
    machine = fit_svm(scaled.values(x), groups, component, SvmSettings(1.0, gamma), seed)
    return scaled._replace(model=machine)


def _fit_regression(x: Features, groups: Ints, component: Ints, cost: Setting, seed: int) -> Scaled:  # noqa: ARG001
    scaled = Scaled(standardisation(x), None)
    return scaled._replace(model=tables.fit_regression(scaled.values(x), groups, cost))


def _predict_scaled(model: Scaled, x: Features) -> NDArray[Any]:
    return tables.table_probabilities(model.model, model.values(x))


def _predict_flat(model: Any, x: Features) -> NDArray[Any]:
    return tables.table_probabilities(model, trees.flatten(x))


def _fit_forest(x: Features, groups: Ints, component: Ints, leaf: Setting, seed: int) -> Any:  # noqa: ARG001
    return tables.fit_forest(trees.flatten(x), groups, int(leaf), seed)


def _network(kind: Callable[[Scaling], Any]) -> FirstStage:
    return FirstStage(
        "epochs",
        lambda x, groups, component, seed: network.epochs_needed(kind, x, groups, component, seed),
        lambda x, groups, _, epochs, seed: network.fit_network(kind, x, groups, int(epochs), seed),
        network.network_probabilities,
    )


FIRST_STAGES = {
    "svm": FirstStage("gamma", _choice(GAMMAS, _fit_svm, _predict_scaled), _fit_svm, _predict_scaled),
    "lr": FirstStage("cost", _choice(COSTS, _fit_regression, _predict_scaled), _fit_regression, _predict_scaled),
    "rf": FirstStage("leaf", _choice(LEAVES, _fit_forest, _predict_flat), _fit_forest, _predict_flat),
    "gbm": FirstStage(
        "rounds",
        _gbm_rounds,
        lambda x, groups, _, rounds, seed: tables.fit_gbm(trees.flatten(x), groups, int(rounds), GBM_DEPTH, seed),
        _predict_flat,
    ),
    "xgboost": FirstStage(
        "rounds",
        trees.rounds_needed,
        lambda x, groups, _, rounds, seed: trees.fit_trees(x, groups, int(rounds), seed),
        trees.tree_probabilities,
    ),
    "lstm": _network(HarmLstm),
    "cnn": _network(HarmCnn),
}
"""By name, in the report's order."""
