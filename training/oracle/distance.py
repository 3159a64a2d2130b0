"""How far a model is from the oracle: in ranking, in log loss, and in its probabilities themselves."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from app.harm.features import Floats
from training.evaluation import calibration, ranking
from training.evaluation.bench import Bench
from training.evaluation.intervals import bootstrap, nested, to_mix
from training.harm.population import FLOOR
from training.metrics import LOWEST, TOP
from training.oracle.oracle import Oracle, frequencies


def distance(bench: Bench, oracle: Oracle, probabilities: Floats) -> dict[str, Any]:
    """Distance of any model from the oracle on the test set, everything at the population mix, with intervals.

    `probabilities` (T, 4) at the population mix, rows as `bench.data.split.test` (`oracle.shifted` brings others there).
    `auc` of the top group against the lowest, `auc_gap` and `log_loss_gap` are the oracle's advantage (above 0: the
    model is below it); `kullback_leibler` from the oracle, nats, and `total_variation` are means over nominals. The
    last two are never 0 as the oracle has finitely many futures: `noise` is what a second oracle would be at.
    """
    groups, mix = bench.groups, bench.data.mix
    known = oracle.population[bench.data.split.test]
    extremes, top = (groups == LOWEST) | (groups == TOP), groups == TOP
    orders = [ranking.ranked(each[:, TOP]) for each in (probabilities, known)]
    losses = [calibration.log_loss_rows(each, groups) for each in (probabilities, known)]
    divergence, variation = _divergence(known, probabilities), _variation(known, probabilities)

    def statistic(drawn: Floats) -> Mapping[str, Floats]:
        weights = to_mix(drawn, groups, mix)
        auc, best = (ranking.auc(order, top, weights * extremes) for order in orders)
        return {
            "auc": auc,
            "auc_gap": best - auc,
            "log_loss_gap": calibration.mean(weights, losses[0] - losses[1]),
            "kullback_leibler": calibration.mean(weights, divergence),
            "total_variation": calibration.mean(weights, variation),
        }

    weights = to_mix(np.ones(len(groups)), groups, mix)
    return nested(bootstrap(statistic, bench.component, seed=bench.seed)) | {
        "noise": _noise(oracle, known, weights, bench.seed)
    }


def _divergence(known: Floats, said: Floats) -> Floats:
    """Kullback-Leibler divergence of what is said from what is known, nats, (T,)."""
    return np.asarray((known * np.log(known / np.maximum(said, FLOOR))).sum(axis=1))


def _variation(known: Floats, said: Floats) -> Floats:
    """Total variation distance, 0..1, (T,)."""
    return np.asarray(np.abs(known - said).sum(axis=1) / 2)


def _noise(oracle: Oracle, known: Floats, weights: Floats, seed: int) -> dict[str, float]:
    """Both distances of frequencies of as many futures drawn from the oracle itself."""
    again = frequencies(np.random.default_rng(seed).multinomial(oracle.futures, known), oracle.mix)
    return {
        "kullback_leibler": float(np.average(_divergence(known, again), weights=weights)),
        "total_variation": float(np.average(_variation(known, again), weights=weights)),
    }
