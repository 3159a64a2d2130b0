"""A stack: two first-stage models, out of fold, into a second stage (report, sections 3.3.2 and 4.1).

The published one is XGBoost and LSTM into a support vector machine. The order matters more than the models: (1) each
first-stage model settles its setting on inner splits of each fold; (2) both predict every training nominal out of fold;
(3) the second stage learns from those predictions only; (4) both are refitted on everything with the median setting;
(5) decision weights come from out-of-fold predictions of the second stage; (6) population probabilities from the
calibration part. The test set has no part.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from app.harm.features import Features
from training.harm.decision import choose_weights, decide
from training.harm.first_stage import FIRST_STAGES, Setting, fold_predictions, middle, predictions, refitted
from training.harm.folds import FOLDS, Ints, fold_numbers, fold_rows
from training.harm.parallel import run
from training.harm.population import GROUP_COUNT, fit_population, mix_weights, population_probabilities
from training.harm.second_stage import SECOND_STAGES, Chosen, choose_setting, described, setting_of
from training.harm.structure import PUBLISHED, Structure, parse_stack
from training.harm.tables import table_probabilities

Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]
STEPS = 2 * FOLDS + 2 + 2


class Sample(NamedTuple):
    """Nominals to learn from: features (N, 20, 19), harm group 0..3 (N,), connected component (N,)."""

    x: Features
    groups: Ints
    component: Ints

    def take(self, rows: Ints) -> "Sample":
        """The given rows."""
        return Sample(self.x[rows], self.groups[rows], self.component[rows])


class Known(NamedTuple):
    """What a stack of `structure` settled on while it was fitted: the settings of its first-stage models and of its
    second stage. Given to a refit on like people, nothing is searched again, which takes a third of the time."""

    one: Setting
    other: Setting
    second: Any
    structure: Structure = PUBLISHED

    @classmethod
    def of(cls, choices: Mapping[str, Any]) -> "Known":
        """From `StackFit.choices`, as a manifest keeps them under `metrics.fit`."""
        structure = parse_stack(choices["stack"])
        one, other = (choices["first"][name][FIRST_STAGES[name].setting] for name in structure.first)
        return cls(one, other, setting_of(structure.second, choices["second"]), structure)


class OutOfFold(NamedTuple):
    """First-stage probabilities (N, 8) of models that never saw the row's fold; the settings each model's folds chose."""

    stacked: Floats32
    settled: tuple[list[Setting], list[Setting]]


@dataclass(frozen=True)
class Stack:
    """The fitted stack, computed through the libraries it was fitted with; `first` as `structure` names them."""

    structure: Structure
    first: tuple[Any, Any]
    second: Any
    population: LogisticRegression
    decision_weights: Floats

    def first_stage(self, x: Features) -> Floats32:
        """Probabilities of the one first-stage model, then of the other, (N, 8)."""
        return stacked_predictions(self.structure, self.first, x)

    def probabilities(self, x: Features) -> Floats:
        """Probabilities of the four groups at the training mix, (N, 4)."""
        return table_probabilities(self.second, self.first_stage(x))

    def population_probabilities(self, x: Features) -> Floats:
        """Probabilities of the four groups at the population mix, (N, 4)."""
        return population_probabilities(self.population, self.probabilities(x))

    def predict(self, x: Features) -> Ints:
        """Predicted group 0..3, (N,)."""
        return self.decide(self.probabilities(x))

    def decide(self, probabilities: Floats) -> Ints:
        """Predicted group 0..3 of probabilities (N, 4) at the training mix, (N,)."""
        return decide(probabilities, self.decision_weights)


@dataclass(frozen=True)
class StackFit:
    """A stack with what was decided on the way: settings, out-of-fold log losses; for JSON."""

    stack: Stack
    choices: dict[str, Any]
    out_of_fold: Floats


def out_of_fold(
    sample: Sample,
    seed: int,
    *,
    first: tuple[str, str] = PUBLISHED.first,
    known: Known | None = None,
    jobs: int = 1,
    done: Callable[[], None] = lambda: None,
) -> OutOfFold:
    """Both first-stage models of every fold; `done` is called 2 x 5 times."""
    settings = (known.one, known.other) if known else (None, None)
    folds = list(fold_rows(fold_numbers(sample.groups, sample.component, seed)))
    fits = [
        partial(fold_predictions, name, *sample.take(learn), sample.x[held], seed, setting)
        for name, setting in zip(first, settings, strict=True)
        for learn, held in folds
    ]
    results = run(fits, jobs=jobs, done=done)
    halves = (results[: len(folds)], results[len(folds) :])
    stacked = np.hstack([gathered(folds, [found for found, _ in half]) for half in halves])
    one, other = ([setting for _, setting in half] for half in halves)
    return OutOfFold(stacked, (one, other))


def gathered(folds: list[tuple[Ints, Ints]], found: list[Floats32]) -> Floats32:
    """Predictions of each fold's held-out rows, in the order of the rows, (N, 4)."""
    out = np.empty((sum(map(len, found)), GROUP_COUNT), dtype=np.float32)
    for (_, held), predicted in zip(folds, found, strict=True):
        out[held] = predicted
    return out


def fit_stack(
    train: Sample,
    calibration: Sample,
    *,
    test_mix: Floats,
    population_mix: Floats,
    seed: int,
    structure: Structure = PUBLISHED,
    known: Known | None = None,
    jobs: int = 1,
    done: Callable[[], None] = lambda: None,
) -> StackFit:
    """Fit the whole stack; `test_mix` and `population_mix` are group shares (4,). `known` is what need not be searched,
    and then its structure counts. `done` is called `STEPS` times."""
    structure = known.structure if known else structure
    out = out_of_fold(train, seed, first=structure.first, known=known, jobs=jobs, done=done)
    refits = [
        partial(refitted, name, *train, settled, seed)
        for name, settled in zip(structure.first, out.settled, strict=True)
    ]
    one, other = run(refits, jobs=jobs, done=done)

    tries = (known.second,) if known else SECOND_STAGES[structure.second].settings
    chosen = choose_setting(structure.second, out.stacked, train.groups, train.component, seed, jobs, tries)
    done()
    second = SECOND_STAGES[structure.second].fit(out.stacked, train.groups, train.component, chosen.setting, seed)
    weights = choose_weights(chosen.probabilities, train.groups, mix_weights(train.groups, test_mix))
    calibrating = table_probabilities(second, stacked_predictions(structure, (one, other), calibration.x))
    population = fit_population(calibrating, calibration.groups, population_mix)
    done()
    stack = Stack(structure, (one, other), second, population, weights)
    return StackFit(stack, _choices(structure, out, chosen, train.groups), chosen.probabilities)


def stacked_predictions(structure: Structure, models: tuple[Any, Any], x: Features) -> Floats32:
    """Probabilities of both first-stage models side by side, (N, 8)."""
    return np.hstack([predictions(name, model, x) for name, model in zip(structure.first, models, strict=True)])


def _choices(structure: Structure, out: OutOfFold, chosen: Chosen, groups: Ints) -> dict[str, Any]:
    halves = zip(structure.first, out.settled, np.hsplit(out.stacked, 2), strict=True)
    return {
        "stack": str(structure),
        "first": {
            name: {
                FIRST_STAGES[name].setting: middle(settled),
                "folds": settled,
                "log_loss": round(log_loss(groups, half), 6),
            }
            for name, settled, half in halves
        },
        "second": described(structure.second, chosen.setting),
        "log_loss_stack": round(log_loss(groups, chosen.probabilities), 6),
    }
