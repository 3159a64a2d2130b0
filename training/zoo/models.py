"""What the zoo computes: first-stage probabilities once, then 168 ways to combine two of them, each judged alike.

Every task takes plain arrays and returns plain values, so that it can run in any process of any machine.
"""

from dataclasses import asdict
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.harm.features import Features
from training.evaluation.work import Arrays
from training.harm.decision import choose_weights, decide
from training.harm.first_stage import fold_predictions, predictions, refitted
from training.harm.folds import Ints
from training.harm.measure import round_floats
from training.harm.population import mix_weights, shares
from training.harm.second_stage import SECOND_STAGES, choose_setting, described
from training.harm.structure import Structure
from training.harm.tables import table_probabilities
from training.metrics import confusion, report_metrics, top_against_lowest_auc

Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]
KEPT = (
    "adjusted_f1",
    "top_2_accuracy",
    "accuracy",
    "predicted_80_90",
    "flagged",
    "precision",
    "sensitivity",
    "hamming_loss",
    "max_correct",
    "max_false",
    "max_missed",
)
"""Measures of the report and those that must stand beside them."""


class Judged(NamedTuple):
    """The training part, for the decision weights, and the test part: groups, components (train), future harm in days
    (test), group shares of everyone labelled (4,)."""

    train_groups: Ints
    train_component: Ints
    test_groups: Ints
    test_harm: Floats
    mix: Floats


class View(NamedTuple):
    """What one model says: out of fold of the training part (N, 4), and of the test part (M, 4)."""

    train: Floats32
    test: Floats32


def fold(name: str, x: Features, groups: Ints, component: Ints, learn: Ints, held: Ints, seed: int) -> Arrays:
    """One first-stage model of one fold: `held` its probabilities of the held-out rows, `setting` what it settled on."""
    found, setting = fold_predictions(name, x[learn], groups[learn], component[learn], x[held], seed)
    return {"held": found, "setting": np.asarray(setting)}


def refit(
    name: str, x: Features, groups: Ints, component: Ints, settled: list[Any], test: Features, seed: int
) -> Arrays:
    """One first-stage model of everyone: `test` its probabilities of the test part."""
    # What a cluster sends may be read-only, which torch warns of.
    model = refitted(name, x.copy(), groups, component, settled, seed)
    return {"test": predictions(name, model, test.copy())}


def judge_single(view: View, judged: Judged) -> dict[str, Any]:
    """One first-stage model by itself (appendix 4)."""
    return _judged(view.train.astype(np.float64), view.test.astype(np.float64), judged)


def judge_ensemble(structure: Structure, one: View, other: View, judged: Judged) -> dict[str, Any]:
    """Average of two models' probabilities, or the higher of their predicted groups (section 3.3.2)."""
    train, test = (np.stack(pair).astype(np.float64) for pair in zip(one, other, strict=True))
    if structure.second == "average":
        train, test = train.mean(axis=0), test.mean(axis=0)
    return _judged(train, test, judged)


def judge_stack(structure: Structure, one: View, other: View, judged: Judged, seed: int) -> dict[str, Any]:
    """A second stage on the eight probabilities of two models."""
    name, groups, component = structure.second, judged.train_groups, judged.train_component
    train, test = (np.hstack(pair) for pair in zip(one, other, strict=True))
    chosen = choose_setting(name, train, groups, component, seed)
    model = SECOND_STAGES[name].fit(train, groups, component, chosen.setting, seed)
    return {
        "setting": described(name, chosen.setting),
        **_judged(chosen.probabilities, table_probabilities(model, test), judged),
    }


def _judged(train: Floats, test: Floats, judged: Judged) -> dict[str, Any]:
    """Decision weights from the training part, then everything measured on the test part at either mix.

    Of several models' probabilities (M, N, 4) the highest prediction counts, and for the AUC the highest chance.
    """
    groups, harm = judged.test_groups, judged.test_harm
    rows = mix_weights(judged.train_groups, shares(groups))
    weights = choose_weights(train, judged.train_groups, rows)
    predicted = decide(test, weights)
    ranking = test if test.ndim == 2 else test.max(axis=0)
    found: dict[str, Any] = {
        "decision_weights": weights.tolist(),
        "auc_top_against_lowest": top_against_lowest_auc(groups, ranking),
    }
    for name, mix in (("test_mix", np.ones(len(groups))), ("population_mix", mix_weights(groups, judged.mix))):
        measured = asdict(report_metrics(confusion(groups, predicted, mix), confusion(groups, predicted, mix * harm)))
        found[name] = {**measured["harm"], **{measure: measured[measure] for measure in KEPT}}
    rounded: dict[str, Any] = round_floats(found)
    return rounded
