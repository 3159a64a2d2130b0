"""The published stack: XGBoost and LSTM, out of fold, into a support vector machine (report, sections 3.3.2 and 4.1).

The order matters more than the models: (1) how long to train is settled on inner splits of each fold; (2) both first-
stage models predict every training nominal out of fold; (3) the second stage learns from those predictions only;
(4) both first-stage models are refitted on everything with the median length; (5) decision weights come from out-of-
fold predictions of the second stage; (6) population probabilities from the calibration part. The test set has no part.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from xgboost import XGBClassifier

from app.harm.features import Features
from training.harm.decision import choose_weights
from training.harm.folds import Ints, fold_numbers, fold_rows
from training.harm.lstm import HarmLstm, epochs_needed, fit_lstm, lstm_probabilities
from training.harm.parallel import run
from training.harm.population import fit_population, mix_weights, population_probabilities
from training.harm.svm import SETTINGS, CalibratedSvm, SvmSettings, choose_settings, fit_svm
from training.harm.trees import fit_trees, rounds_needed, tree_probabilities

Floats = NDArray[np.float64]


class Sample(NamedTuple):
    """Nominals to learn from: features (N, 20, 19), harm group 0..3 (N,), connected component (N,)."""

    x: Features
    groups: Ints
    component: Ints

    def take(self, rows: Ints) -> "Sample":
        """The given rows."""
        return Sample(self.x[rows], self.groups[rows], self.component[rows])


class Known(NamedTuple):
    """What a stack settled on while it was fitted: `rounds` of the trees, `epochs` of the LSTM, settings of the SVM.
    Given to a refit on like people, nothing is searched again, which takes a third of the time."""

    rounds: int
    epochs: int
    svm: SvmSettings

    @classmethod
    def of(cls, choices: Mapping[str, Any]) -> "Known":
        """From `StackFit.choices`, as a manifest keeps them under `metrics.fit`."""
        return cls(choices["rounds"], choices["epochs"], SvmSettings(choices["svm_cost"], choices["svm_gamma"]))


class OutOfFold(NamedTuple):
    """First-stage probabilities (N, 8) of models that never saw the row's fold; rounds and epochs each fold needed."""

    stacked: NDArray[np.float32]
    rounds: list[int]
    epochs: list[int]


@dataclass(frozen=True)
class Stack:
    """The fitted stack, computed through the libraries it was fitted with."""

    trees: XGBClassifier
    lstm: HarmLstm
    svm: CalibratedSvm
    population: LogisticRegression
    decision_weights: Floats

    def first_stage(self, x: Features) -> NDArray[np.float32]:
        """Probabilities of the trees, then of the LSTM, (N, 8)."""
        return np.hstack([tree_probabilities(self.trees, x), lstm_probabilities(self.lstm, x)])

    def probabilities(self, x: Features) -> Floats:
        """Probabilities of the four groups at the training mix, (N, 4)."""
        return self.svm.probabilities(self.first_stage(x))

    def population_probabilities(self, x: Features) -> Floats:
        """Probabilities of the four groups at the population mix, (N, 4)."""
        return population_probabilities(self.population, self.probabilities(x))

    def predict(self, x: Features) -> Ints:
        """Predicted group 0..3, (N,)."""
        return np.asarray(np.argmax(self.probabilities(x) * self.decision_weights, axis=1), dtype=np.int64)


@dataclass(frozen=True)
class StackFit:
    """A stack with what was decided on the way: lengths of training, settings, out-of-fold log losses."""

    stack: Stack
    choices: dict[str, float | int | list[int]]
    out_of_fold: Floats


def out_of_fold(
    sample: Sample, seed: int, *, known: Known | None = None, jobs: int = 1, done: Callable[[], None] = lambda: None
) -> OutOfFold:
    """Both first-stage models of every fold; `done` is called 2 x 5 times."""
    lengths = (known.rounds, known.epochs) if known else (None, None)
    folds = list(fold_rows(fold_numbers(sample.groups, sample.component, seed)))
    fits = [
        partial(fit, sample.take(learn), sample.x[held], seed, length)
        for fit, length in zip((_tree_fold, _lstm_fold), lengths, strict=True)
        for learn, held in folds
    ]
    results = run(fits, jobs=jobs, done=done)
    stacked = np.empty((len(sample.groups), 8), dtype=np.float32)
    for (_, held), (trees, _), (lstm, _) in zip(folds, results[: len(folds)], results[len(folds) :], strict=True):
        stacked[held] = np.hstack([trees, lstm])
    taken = [length for _, length in results]
    return OutOfFold(stacked, taken[: len(folds)], taken[len(folds) :])


def fit_stack(
    train: Sample,
    calibration: Sample,
    *,
    test_mix: Floats,
    population_mix: Floats,
    seed: int,
    known: Known | None = None,
    jobs: int = 1,
    done: Callable[[], None] = lambda: None,
) -> StackFit:
    """Fit the whole stack; `test_mix` and `population_mix` are group shares (4,), `known` what need not be searched.
    `done` is called `STEPS` times."""
    first = out_of_fold(train, seed, known=known, jobs=jobs, done=done)
    rounds, epochs = int(np.median(first.rounds)), int(np.median(first.epochs))
    refits = [
        partial(fit_trees, train.x, train.groups, rounds, seed),
        partial(fit_lstm, train.x, train.groups, epochs, seed),
    ]
    trees, lstm = run(refits, jobs=jobs, done=done)

    settings, second = choose_settings(
        first.stacked, train.groups, train.component, seed, jobs, (known.svm,) if known else SETTINGS
    )
    done()
    svm = fit_svm(first.stacked, train.groups, train.component, settings, seed)
    weights = choose_weights(second, train.groups, mix_weights(train.groups, test_mix))
    stacked = np.hstack([tree_probabilities(trees, calibration.x), lstm_probabilities(lstm, calibration.x)])
    population = fit_population(svm.probabilities(stacked), calibration.groups, population_mix)
    done()
    choices: dict[str, float | int | list[int]] = {
        "fold_rounds": first.rounds,
        "rounds": rounds,
        "fold_epochs": first.epochs,
        "epochs": epochs,
        "svm_cost": settings.cost,
        "svm_gamma": settings.gamma,
        "support_vectors": len(svm.machine.support_),
        "log_loss_trees": round(log_loss(train.groups, first.stacked[:, :4]), 6),
        "log_loss_lstm": round(log_loss(train.groups, first.stacked[:, 4:]), 6),
        "log_loss_stack": round(log_loss(train.groups, second), 6),
    }
    return StackFit(Stack(trees, lstm, svm, population, weights), choices, second)


STEPS = 2 * 5 + 2 + 2


def _tree_fold(learn: Sample, held_out: Features, seed: int, rounds: int | None) -> tuple[NDArray[np.float32], int]:
    rounds = rounds or rounds_needed(learn.x, learn.groups, learn.component, seed)
    return tree_probabilities(fit_trees(learn.x, learn.groups, rounds, seed), held_out), rounds


def _lstm_fold(learn: Sample, held_out: Features, seed: int, epochs: int | None) -> tuple[NDArray[np.float32], int]:
    epochs = epochs or epochs_needed(learn.x, learn.groups, learn.component, seed)
    return lstm_probabilities(fit_lstm(learn.x, learn.groups, epochs, seed), held_out), epochs
