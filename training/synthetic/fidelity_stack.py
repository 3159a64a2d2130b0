"""Rows of the fidelity table that need a model: what the published stack finds and misses in a world (section 4).

How hard a world is, is part of what it gets right. The published figures do not fit into one world: the classifier's
matrix implies far better ranking than the survival model's concordance. World `published` is held to the matrix, world
`sober` to the concordance; each shows the other's figures without being held to them.
"""

import math
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from app.harm.features import Floats, Ints
from training.evaluation.intervals import to_mix
from training.evaluation.selection import published_selection
from training.evaluation.survival_scores import concordance_of
from training.families import STALKING_NOMINAL
from training.harm.classifier import STEPS as STACK_STEPS
from training.harm.classifier import fit_stack
from training.harm.fit import Data
from training.harm.population import shares
from training.harm.progress import Stages
from training.harm.survival import STEPS as FOREST_STEPS
from training.harm.survival import curves, fit_forest, outcomes, risk
from training.metrics import SECOND, TOP, confusion, report_metrics, top_against_lowest_auc
from training.synthetic.fidelity import RAPE, did
from training.synthetic.fidelity_rows import OURS, SHOWN, Row, Side, Unit

MISSED, FALSE = 45, 197
"""Top-group nominals the report's stack put into the lower two groups, and lower-two nominals it put into the top."""
CONCORDANCE = STALKING_NOMINAL.concordance or math.nan
AUC = 0.92
"""Implied by the report's matrix: 72 % of the top group found at 7.5 % false alarms among the lowest (ours)."""
_HELD: Mapping[str, Mapping[str, float]] = {
    "published": {"AUC": 0.02, "flagged": 0.02, "top-2": 0.04, "F1": 0.04, "accuracy": 0.025, "80-90": 0.0},
    "sober": {"forest": 0.03},
}
"""What each world is held to, and how closely."""
_AT_MOST_80_90 = 0.33
_UNITS: Mapping[str, Unit] = {"AUC": "index", "F1": "index", "forest": "index"}


class Answers(NamedTuple):
    """A stack's answers on the test set, `data.split.test`: probabilities (N, 4), predicted group (N,), and the
    concordance of a forest fitted to the report's selection, at the selection's own shares."""

    probabilities: Floats
    predicted: Ints
    concordance: float


def fit_answers(data: Data, seed: int, jobs: int, stages: Stages) -> Answers:
    """Fit the published stack and the forest of the published selection, and let both answer."""
    with stages.stage("Trees, LSTM, second stage", STACK_STEPS) as done:
        stack = fit_stack(
            data.sample(data.split.train),
            data.sample(data.split.calibration),
            test_mix=shares(data.split.groups[data.split.test]),
            population_mix=data.mix,
            seed=seed,
            jobs=jobs,
            done=done,
        ).stack
    selected = published_selection(data, seed)
    with stages.stage("Forest of the selection", FOREST_STEPS) as done:
        days = selected.event_day
        forest = fit_forest(data.x[selected.train], days[selected.train], seed=seed, jobs=jobs, done=done)
    x, tested = data.x[data.split.test], days[selected.test]
    weights = to_mix(np.ones(len(tested)), outcomes(tested)[0].astype(np.int64), selected.test_mix)
    found = concordance_of(risk(curves(forest, data.x[selected.test])), tested, weights)
    return Answers(stack.probabilities(x), stack.predict(x), float(found))


def stack_rows(data: Data, answers: Answers, world: str) -> list[Row]:
    """What is missed and what is flagged for nothing, then how hard the world is, at the test mix."""
    return [*_missed(data, answers.predicted), *_difficulty(data, answers, _HELD.get(world, {}))]


def _missed(data: Data, predicted: Ints) -> Iterator[Row]:
    test, labelled = data.split.test, data.labelled
    groups, harm = data.split.groups[test], labelled.future_harm[test]
    missed = (groups == TOP) & (predicted <= SECOND)
    false = (groups <= SECOND) & (predicted == TOP)
    for figure, rows, published in (
        ("future harm of a missed top-group nominal", missed, STALKING_NOMINAL.harm["missed"] / MISSED),
        ("future harm of a false positive", false, STALKING_NOMINAL.harm["positive"] / FALSE),
    ):
        mean = float(harm[rows].mean()) if rows.any() else math.nan
        yield Row(figure, "4.1", published, 0.3 * published, mean, "days")
    rapists = missed & did(data.extract, labelled, RAPE)[test]
    alone = labelled.histories.lengths[test][rapists] == 1
    share = float(alone.mean()) if len(alone) else math.nan
    yield Row("missed rapists with nothing before the index incident", "4.2", 1.0, 0.5, share)


def _difficulty(data: Data, answers: Answers, held: Mapping[str, float]) -> Iterator[Row]:
    groups = data.split.groups[data.split.test]
    found = report_metrics(confusion(groups, answers.predicted))
    auc = top_against_lowest_auc(groups, answers.probabilities)

    def row(key: str, figure: str, section: str, published: float, measured: float, side: Side = "either way") -> Row:
        return Row(figure, section, published, held.get(key, SHOWN), float(measured), _UNITS.get(key, "share"), side)

    yield row("AUC", "AUC, top group against lowest", f"4.1, {OURS}", AUC, auc)
    yield row("flagged", "flagged as top group", "6", STALKING_NOMINAL.published["flagged"], found.flagged)
    yield row("top-2", "top-2 accuracy", "4.1", STALKING_NOMINAL.published["top_2_accuracy"], found.top_2_accuracy)
    yield row("F1", "adjusted F1", "4.1", STALKING_NOMINAL.published["adjusted_f1"], found.adjusted_f1)
    yield row("accuracy", "accuracy", "app. 5", STALKING_NOMINAL.published["accuracy"], found.accuracy, "at least")
    yield row("80-90", "predicted 80-90", OURS, _AT_MOST_80_90, found.predicted_80_90, "at most")
    yield row("forest", "concordance, published selection", "5", CONCORDANCE, answers.concordance)
