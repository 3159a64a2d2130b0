"""Full refits of the stack for validation: several side by side, each kept as soon as it is done.

How many run at once changes no number; a worker keeps its own result, so that a run that is killed goes on with the
fits that are missing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.harm.features import Features, Floats, Ints
from training.evaluation.bench import Bench, Scored
from training.evaluation.classification import measure_metrics
from training.evaluation.work import Arrays, Work
from training.harm.classifier import Known, Sample, fit_stack
from training.harm.fit import Data
from training.harm.parallel import run
from training.harm.population import shares
from training.harm.progress import Stages

HEADLINES = ("adjusted_f1", "top_2_accuracy", "accuracy", "flagged", "predicted_80_90", "log_loss")
_AREAS = ("top_against_lowest", "macro")


class Fit(NamedTuple):
    """One fit to make: its `name` in the work folder and what else it follows from, the people to learn from, the
    mixes, the features (N, 20, 19) to `score`, and what need not be searched."""

    name: str
    follows_from: dict[str, Any]
    train: Sample
    calibration: Sample
    test_mix: Floats
    population_mix: Floats
    seed: int
    score: Features
    known: Known | None


def fit_of(
    name: str,
    data: Data,
    seed: int,
    score: Features,
    train: Ints | None = None,
    known: Known | None = None,
    **follows_from: Any,
) -> Fit:
    """The fit `data` calls for, or of other `train` rows, or with settings that are `known`."""
    rows = data.split.train if train is None else train
    return Fit(
        name,
        {"seed": seed, **follows_from},
        data.sample(rows),
        data.sample(data.split.calibration),
        shares(data.split.groups[data.split.test]),
        data.mix,
        seed,
        score,
        known,
    )


def scores_of(fits: Sequence[Fit], work: Work, jobs: int, stages: Stages, title: str) -> list[Scored]:
    """Fit each stack, or find it kept, and score the people it asks for; curves are empty: no forest is fitted."""
    inside = jobs if len(fits) == 1 else 1
    tasks = [partial(work.arrays, fit.name, _Task(fit, inside), **fit.follows_from) for fit in fits]
    with stages.stage(title, len(fits)) as done:
        found = run(tasks, jobs=jobs, done=done)
    return [
        Scored(kept["probabilities"], kept["population"], kept["predicted"], np.empty((len(kept["predicted"]), 0)))
        for kept in found
    ]


@dataclass(frozen=True)
class _Task:
    """A fit that can be sent to a worker, and how many of its own parts may run at once."""

    fit: Fit
    jobs: int

    def __call__(self) -> Arrays:
        train, calibration, score = self.fit.train, self.fit.calibration, self.fit.score
        found = fit_stack(
            train,
            calibration,
            test_mix=self.fit.test_mix,
            population_mix=self.fit.population_mix,
            seed=self.fit.seed,
            known=self.fit.known,
            jobs=self.jobs,
        ).stack
        probabilities = found.probabilities(score)
        predicted = np.argmax(probabilities * found.decision_weights, axis=1).astype(np.int64)
        return {
            "probabilities": probabilities,
            "population": found.population_probabilities(score),
            "predicted": predicted,
        }


def headlines(bench: Bench, data: Data, scored: Scored) -> dict[str, Any]:
    """The measures that matter most, with intervals, of other people or another model, at both mixes.

    `scored` are the rows `data.split.test`, in that order.
    """
    found = measure_metrics(replace(bench, data=data, scored=scored), Stages())
    return {
        "nominals": found["nominals"],
        **{
            mix: {
                **{name: found[mix][name] for name in HEADLINES},
                **{f"auc_{name}": found[mix]["auc"][name] for name in _AREAS},
            }
            for mix in ("test_mix", "population_mix")
        },
    }


def picked(scored: Scored, rows: Ints | NDArray[np.bool_]) -> Scored:
    """The given rows."""
    return Scored(scored.probabilities[rows], scored.population[rows], scored.predicted[rows], scored.curves[rows])
