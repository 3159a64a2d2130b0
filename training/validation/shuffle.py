"""Section "validation.shuffle": what the whole pipeline finds where there is nothing to find.

Futures are dealt out at random among the labelled nominals before anything else happens: before cuts, split, folds and
fits. Whatever is still "found" on the test set leaked through the pipeline itself.
"""

from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score

from app.harm.features import Floats, Ints
from training.evaluation.bench import Bench
from training.harm.fit import Data
from training.harm.measure import round_floats
from training.harm.population import mix_weights, shares
from training.harm.progress import Stages
from training.labels import Labelled
from training.split import split
from training.validation.fits import fit_of, scores_of

SHUFFLES, LARGE_SHUFFLES = 3, 2
TOLERANCE = 0.03


def measure_shuffle(bench: Bench, stages: Stages) -> dict[str, Any]:
    """Macro AUC (one group against the rest) of each shuffle and their mean, which must be .50 +- .03."""
    seeds = [bench.seed + number for number in range(bench.repeats(SHUFFLES, LARGE_SHUFFLES))]
    worlds = [shuffled(bench.data, seed) for seed in seeds]
    fits = [
        fit_of("shuffle", data, seed, data.x[data.split.test], shuffled=seed)
        for seed, data in zip(seeds, worlds, strict=True)
    ]
    scores = scores_of(fits, bench.work, bench.jobs, stages, "Shuffled labels")
    areas = [
        macro_auc(data.split.groups[data.split.test], scored.probabilities)
        for data, scored in zip(worlds, scores, strict=True)
    ]
    mean = float(np.mean(areas))
    found: dict[str, Any] = round_floats(
        {"macro_auc": areas, "mean": mean, "tolerance": TOLERANCE, "holds": abs(mean - 0.5) <= TOLERANCE}
    )
    return found


def shuffled(data: Data, seed: int) -> Data:
    """The same people with someone else's future each, split anew."""
    order = np.random.default_rng(seed).permutation(len(data.labelled.person))
    labelled = dealt(data.labelled, order)
    parts = split(labelled, parts=data.family.parts, seed=seed)
    outside = np.sort(np.concatenate([parts.train, parts.calibration, parts.rest]))
    mix = shares(parts.groups)
    weights = mix_weights(parts.groups[outside], mix)
    return data._replace(labelled=labelled, split=parts, outside=outside, weights=weights, mix=mix)


def dealt(labelled: Labelled, order: Ints) -> Labelled:
    """Everyone with the future of the person in `order` (N,)."""
    return replace(
        labelled,
        future_harm=labelled.future_harm[order],
        first_event_day=labelled.first_event_day[order],
        worst_event_day=labelled.worst_event_day[order],
    )


def macro_auc(groups: Ints, probabilities: Floats) -> float:
    """Mean area under the ROC curve of each group against the rest."""
    return float(roc_auc_score(groups, probabilities / probabilities.sum(axis=1, keepdims=True), multi_class="ovr"))
