"""The six models of the second stage (report, section 3.3.2): each reads the eight probabilities of two first stages.

They learn from *out-of-fold* probabilities; in-sample ones would teach them overconfidence.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import log_loss

from training.harm import tables
from training.harm.folds import Ints, fold_numbers, fold_rows
from training.harm.parallel import run
from training.harm.svm import SETTINGS, SvmSettings, fit_svm
from training.harm.tables import table_probabilities

Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]
_GBM_DEPTH = 2


@dataclass(frozen=True)
class SecondStage:
    """One kind of model: what its setting is called, the settings to choose from, and
    `fit(stacked, groups, component, setting, seed)`."""

    setting: str
    settings: tuple[Any, ...]
    fit: Callable[[Floats32, Ints, Ints, Any, int], Any]


class Chosen(NamedTuple):
    """The setting with the lowest out-of-fold log loss, and the out-of-fold probabilities (N, 4) it gives."""

    setting: Any
    probabilities: Floats


SECOND_STAGES = {
    "svm": SecondStage("settings", SETTINGS, fit_svm),
    "lr": SecondStage("cost", (0.1, 1.0, 10.0), lambda x, groups, _, cost, __: tables.fit_regression(x, groups, cost)),
    "rf": SecondStage("leaf", (30, 60, 120), lambda x, groups, _, leaf, seed: tables.fit_forest(x, groups, leaf, seed)),
    "gbm": SecondStage(
        "rounds", (20, 40, 80), lambda x, groups, _, rounds, seed: tables.fit_gbm(x, groups, rounds, _GBM_DEPTH, seed)
    ),
    "xgboost": SecondStage(
        "rounds", (20, 40, 80), lambda x, groups, _, rounds, seed: tables.fit_boosted(x, groups, rounds, seed)
    ),
    "nn": SecondStage(
        "penalty", (0.1, 1.0, 10.0), lambda x, groups, _, penalty, seed: tables.fit_network(x, groups, penalty, seed)
    ),
}
"""By name, in the report's order."""


def cross_fit(name: str, stacked: Floats32, groups: Ints, component: Ints, setting: Any, seed: int) -> Floats:
    """Out-of-fold probabilities of the named kind, (N, 4): what decision weights are chosen on."""
    out = np.empty((len(groups), 4))
    for learn, held_out in fold_rows(fold_numbers(groups, component, seed)):
        model = SECOND_STAGES[name].fit(stacked[learn], groups[learn], component[learn], setting, seed)
        out[held_out] = table_probabilities(model, stacked[held_out])
    return out


def choose_setting(
    name: str,
    stacked: Floats32,
    groups: Ints,
    component: Ints,
    seed: int,
    jobs: int = 1,
    tries: Sequence[Any] | None = None,
) -> Chosen:
    """Try settings of the named kind, all it has unless `tries` are given, on first-stage probabilities (N, 8)."""
    settings = SECOND_STAGES[name].settings if tries is None else tries
    tried = run([partial(cross_fit, name, stacked, groups, component, each, seed) for each in settings], jobs=jobs)
    best = int(np.argmin([log_loss(groups, probabilities) for probabilities in tried]))
    return Chosen(settings[best], tried[best])


def described(name: str, setting: Any) -> dict[str, Any]:
    """A setting of the named kind, for JSON."""
    return setting._asdict() if isinstance(setting, SvmSettings) else {SECOND_STAGES[name].setting: setting}


def setting_of(name: str, told: Mapping[str, Any]) -> Any:
    """The setting that `described` told of."""
    return SvmSettings(**told) if name == "svm" else told[SECOND_STAGES[name].setting]
