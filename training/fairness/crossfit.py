"""Answers for every labelled nominal from a stack that never saw them: the test set is too small to audit groups on.

Five folds of whole connected components; each fold's stack learns from the others as the artefact did: a balanced
training sample of the same size, a calibration part of its own, the artefact's cuts and settings.
"""

from functools import partial
from typing import Any, NamedTuple

import numpy as np

from app.harm.features import Features, Floats, Ints
from training.evaluation.bench import Bench
from training.harm.classifier import Known, Sample, fit_stack
from training.harm.fit import Data
from training.harm.folds import fold_numbers, fold_rows
from training.harm.parallel import run
from training.harm.population import shares
from training.harm.progress import Stages


class CrossFitted(NamedTuple):
    """Of every labelled nominal: `population` probabilities of the groups (N, 4), `predicted` group 0..3 (N,)."""

    population: Floats
    predicted: Ints


def cross_fitted(bench: Bench, stages: Stages) -> CrossFitted:
    """Cross-fit the bench's artefact; kept, since it takes minutes."""
    known = Known.of(bench.manifest.metrics["fit"])

    def compute() -> dict[str, Any]:
        return cross_fit(bench.data, known, bench.seed, bench.jobs, stages)._asdict()

    return CrossFitted(**bench.work.arrays("cross-fitted", compute))


def cross_fit(data: Data, known: Known, seed: int, jobs: int, stages: Stages) -> CrossFitted:
    """Fit once for each fold and answer for the people held out."""
    everyone = data.sample(np.arange(len(data.x)))
    sizes = np.bincount(data.split.groups[data.split.train], minlength=4)
    test_mix = shares(data.split.groups[data.split.test])
    folds = list(fold_rows(fold_numbers(everyone.groups, everyone.component, seed)))
    fits = [
        partial(_answer, *_parts(everyone.take(learn), sizes, seed), everyone.x[held], test_mix, data.mix, known, seed)
        for learn, held in folds
    ]
    with stages.stage("Cross-fitted stacks", len(fits)) as done:
        answers = run(fits, jobs=jobs, done=done)
    population, predicted = np.empty((len(data.x), 4)), np.empty(len(data.x), dtype=np.int64)
    for (_, held), found in zip(folds, answers, strict=True):
        population[held], predicted[held] = found
    return CrossFitted(population, predicted)


def _parts(learn: Sample, sizes: Ints, seed: int) -> tuple[Sample, Sample]:
    """A training sample of at most `sizes` (4,) nominals a group, and a calibration part: one fifth, as they come."""
    number = fold_numbers(learn.groups, learn.component, seed)
    order = np.random.default_rng(seed).permutation(np.flatnonzero(number != 0))
    chosen = [order[learn.groups[order] == group][:size] for group, size in enumerate(sizes)]
    return learn.take(np.sort(np.concatenate(chosen))), learn.take(np.flatnonzero(number == 0))


def _answer(
    train: Sample, calibration: Sample, judged: Features, test_mix: Floats, mix: Floats, known: Known, seed: int
) -> CrossFitted:
    stack = fit_stack(train, calibration, test_mix=test_mix, population_mix=mix, seed=seed, known=known).stack
    return CrossFitted(stack.population_probabilities(judged), stack.predict(judged))
