"""Section "validation.stability": the same extract, ten seeds (of a large family five).

How much of a figure, and of a person's group, is chance?

Each seed draws its own split and its own fit, with the settings the artefact settled on. Two seeds can be compared on
everyone who is in the training or calibration part of neither; as those are rarer in the higher groups, people count as
often as their group is in the population.
"""

from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import cohen_kappa_score

from app.harm.features import Floats, Ints
from training.evaluation.bench import Bench, Scored
from training.harm.classifier import Known
from training.harm.fit import Data
from training.harm.measure import round_floats
from training.harm.population import mix_weights, shares
from training.harm.progress import Stages
from training.metrics import GROUP_COUNT, TOP, confusion, report_metrics, top_against_lowest_auc
from training.split import split
from training.validation.fits import fit_of, scores_of
from training.validation.shuffle import macro_auc

SEEDS, LARGE_SEEDS = 10, 5
_METRICS = ("adjusted_f1", "top_2_accuracy", "accuracy", "flagged", "predicted_80_90")


def measure_stability(bench: Bench, stages: Stages) -> dict[str, Any]:
    """Mean, sd and range of the metrics at the test mix over the seeds, the artefact's own the first; agreement."""
    seeds = [bench.manifest.seed + number for number in range(bench.repeats(SEEDS, LARGE_SEEDS))]
    splits = [bench.data, *(resplit(bench.data, seed) for seed in seeds[1:])]
    known = Known.of(bench.manifest.metrics["fit"])
    fits = [
        fit_of("stability", data, seed, bench.data.x, known=known, split=seed)
        for seed, data in zip(seeds[1:], splits[1:], strict=True)
    ]
    scores = [bench.score(bench.data.x), *scores_of(fits, bench.work, bench.jobs, stages, "Other seeds")]
    by_seed = [own_metrics(data, scored) for data, scored in zip(splits, scores, strict=True)]
    found: dict[str, Any] = round_floats(
        {
            "seeds": [{"seed": seed, **metrics} for seed, metrics in zip(seeds, by_seed, strict=True)],
            "spread": {name: _spread([metrics[name] for metrics in by_seed]) for name in by_seed[0]},
            "agreement": agreement(splits, scores),
        }
    )
    return found


def resplit(data: Data, seed: int) -> Data:
    """The same labelled people, split by another seed."""
    parts = split(data.labelled, parts=data.family.parts, seed=seed)
    outside = np.sort(np.concatenate([parts.train, parts.calibration, parts.rest]))
    mix = shares(parts.groups)
    return data._replace(split=parts, outside=outside, weights=mix_weights(parts.groups[outside], mix), mix=mix)


def own_metrics(data: Data, scored: Scored) -> dict[str, float]:
    """Metrics of one seed on its own test set."""
    test = data.split.test
    groups, probabilities = data.split.groups[test], scored.probabilities[test]
    metrics = report_metrics(confusion(groups, scored.predicted[test]))
    return {
        **{name: float(getattr(metrics, name)) for name in _METRICS},
        "auc_top_against_lowest": top_against_lowest_auc(groups, probabilities),
        "auc_macro": macro_auc(groups, probabilities),
    }


def agreement(splits: list[Data], scores: list[Scored]) -> dict[str, Any]:
    """Over all pairs of seeds, at the population mix: same group, Cohen's kappa (linear weights), flagged by both of
    those flagged by either; means and the lowest pair."""
    pairs = [_pair(*ends) for ends in combinations(list(zip(splits, scores, strict=True)), 2)]
    return {name: _spread([pair[name] for pair in pairs]) for name in pairs[0]} | {"pairs": len(pairs)}


def _pair(one: tuple[Data, Scored], other: tuple[Data, Scored]) -> dict[str, float]:
    data = one[0]
    rows = np.flatnonzero(_unseen(data) & _unseen(other[0]))
    first, second = one[1].predicted[rows], other[1].predicted[rows]
    weights = mix_weights(data.split.groups[rows], data.mix)
    either, both = (first == TOP) | (second == TOP), (first == TOP) & (second == TOP)
    return {
        "same_group": float(np.average(first == second, weights=weights)),
        "kappa": _kappa(first, second, weights),
        "flagged_by_both": float(weights[both].sum() / max(weights[either].sum(), 1e-12)),
    }


def _kappa(first: Ints, second: Ints, weights: Floats) -> float:
    return float(
        cohen_kappa_score(first, second, labels=list(range(GROUP_COUNT)), weights="linear", sample_weight=weights)
    )


def _unseen(data: Data) -> NDArray[np.bool_]:
    unseen = np.ones(len(data.labelled.person), dtype=np.bool_)
    unseen[data.split.train] = unseen[data.split.calibration] = False
    return unseen


def _spread(values: list[float]) -> dict[str, float]:
    found = np.array(values)
    return {
        "mean": float(found.mean()),
        "sd": float(found.std(ddof=1)) if len(found) > 1 else 0.0,
        "lowest": float(found.min()),
        "highest": float(found.max()),
    }
