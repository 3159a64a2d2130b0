"""Proof that an oracle is right: the real future must be a draw like any simulated one.

If it is, the real future and the F simulated ones can change places. Two things follow, both exact for any F:

- the rank of the real harm among the simulated ones (equal harms in random order) is uniform;
- among nominals for whom c of all F + 1 futures, the real one included, fall into a group, the real one does with
  frequency c / (F + 1). (Against the F simulated ones alone even a right oracle looks overconfident, as F is finite.)
"""

from typing import Any

import numpy as np
from scipy.stats import chi2, kstest, norm

from app.artifacts import GROUPS
from app.harm.features import Floats, Ints
from training.metrics import GROUP_COUNT
from training.oracle.oracle import Oracle

_BINS = 20
_EDGES = np.array([0.0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0])
_FEWEST_EXPECTED = 5.0


def prove(oracle: Oracle, groups: Ints, seed: int) -> dict[str, Any]:
    """Rank test, reliability of each group, and the group shares, over everyone labelled; `groups` (N,) as they came.

    `p_value` small means that the oracle is wrong.
    """
    return {
        "nominals": len(groups),
        "rank_test": _rank_test(oracle, seed),
        "reliability": {name: _reliability(oracle, groups, number) for number, name in enumerate(GROUPS)},
        "shares": _shares(oracle, groups),
    }


def _rank_test(oracle: Oracle, seed: int) -> dict[str, Any]:
    """Kolmogorov-Smirnov against the uniform distribution."""
    chance = np.random.default_rng(seed).random(len(oracle.below))
    rank = (oracle.below + chance * (oracle.equal + 1)) / (oracle.futures + 1)
    found = kstest(rank, "uniform")
    return {
        "statistic": float(found.statistic),
        "p_value": float(found.pvalue),
        "ranks": np.histogram(rank, _BINS, (0, 1))[0].tolist(),
    }


def _reliability(oracle: Oracle, groups: Ints, number: int) -> dict[str, Any]:
    """Observed against pooled frequency in bins, and a chi-square test over the bins."""
    came = groups == number
    pooled = (oracle.counts[:, number] + came) / (oracle.futures + 1)
    place = np.minimum(np.searchsorted(_EDGES, pooled, side="right") - 1, len(_EDGES) - 2)
    expected, observed, spread, nominals = (
        np.bincount(place, weights=values, minlength=len(_EDGES) - 1)
        for values in (pooled, came, pooled * (1 - pooled), np.ones(len(pooled)))
    )
    used = spread >= _FEWEST_EXPECTED
    statistic = ((observed - expected)[used] ** 2 / spread[used]).sum()
    return {
        "p_value": float(chi2.sf(statistic, used.sum())),
        "bins": [
            {"nominals": int(count), "predicted": float(due / count), "observed": float(seen / count)}
            for count, due, seen in zip(nominals[used], expected[used], observed[used], strict=True)
        ],
    }


def _shares(oracle: Oracle, groups: Ints) -> list[dict[str, Any]]:
    """Share of each group among futures and in reality, and the probability of a gap as large by chance."""
    frequency = oracle.counts / oracle.futures
    real = np.bincount(groups, minlength=GROUP_COUNT) / len(groups)
    error = _standard_error(frequency)
    return [
        {
            "group": name,
            "simulated": float(frequency[:, number].mean()),
            "real": float(real[number]),
            "p_value": float(2 * norm.sf(abs(real[number] - frequency[:, number].mean()) / error[number])),
        }
        for number, name in enumerate(GROUPS)
    ]


def _standard_error(frequency: Floats) -> Floats:
    """Of the real share, given everyone's probabilities, (4,)."""
    return np.asarray(np.sqrt((frequency * (1 - frequency)).sum(axis=0)) / len(frequency))
