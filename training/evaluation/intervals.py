"""95 % intervals by resampling connected components, all replicates at once.

People who share incidents are not independent observations, so whole components are drawn with replacement. A
replicate is nothing but a weight for each row (how often it was drawn), hence every statistic here is a function of
weights (..., N) -> (...), and thousands of replicates are a few matrix products. The group mix of a test set is fixed
by design (it is drawn by group), and so it is in every replicate.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from app.harm.features import Floats, Ints

REPLICATES = 2_000
COVERAGE = 0.95
_CELLS_AT_ONCE = 2_000_000
Statistic = Callable[[Floats], Mapping[str, Floats]]


def bootstrap(
    statistic: Statistic, component: Ints, *, seed: int, replicates: int = REPLICATES
) -> dict[str, dict[str, float | None]]:
    """Each value of `statistic` with its interval: name -> {"value", "low", "high"}.

    `statistic` takes weights (R, N) and returns arrays (R,) by name; `component` (N,) the component of each row. The
    value is that of the sample itself, all weights 1. Replicates in which a value does not exist (nobody of a group
    was drawn) are left out of its interval; a value that does not exist is None.
    """
    own = statistic(np.ones((1, len(component))))
    drawn = [statistic(weights) for weights in draws(component, seed=seed, replicates=replicates)]
    return {name: estimate(value[0], np.concatenate([part[name] for part in drawn])) for name, value in own.items()}


def draws(component: Ints, *, seed: int, replicates: int = REPLICATES) -> Iterator[Floats]:
    """How often each row is in each replicate, in chunks (R, N) of bounded size."""
    rng = np.random.default_rng(seed)
    _, member = np.unique(component, return_inverse=True)
    count = int(member.max(initial=-1)) + 1
    at_once = max(1, _CELLS_AT_ONCE // max(len(component), 1))
    for start in range(0, replicates, at_once):
        size = min(at_once, replicates - start)
        picked = rng.integers(0, count, (size, count)) + count * np.arange(size)[:, None]
        often = np.bincount(picked.ravel(), minlength=size * count).reshape(size, count)
        yield often[:, member].astype(np.float64)


def estimate(value: float, replicates: Floats) -> dict[str, float | None]:
    """A value with the percentile interval of its replicates (R,); what does not exist (NaN) is None."""
    found = replicates[np.isfinite(replicates)]
    if not np.isfinite(value) or not len(found):
        return {"value": None, "low": None, "high": None}
    low, high = np.quantile(found, [(1 - COVERAGE) / 2, (1 + COVERAGE) / 2])
    return {"value": float(value), "low": float(low), "high": float(high)}


def to_mix(weights: Floats, groups: Ints, mix: Floats) -> Floats:
    """Weights (..., N) changed so that the groups 0..G-1 (N,) have the shares `mix` (G,); their sum stays as it is.

    A group that a replicate lacks stays without weight.
    """
    members = (groups[:, None] == np.arange(len(mix))).astype(np.float64)
    found = weights @ members
    factor = np.divide(mix, found, out=np.zeros_like(found), where=found > 0)
    changed = weights * factor[..., groups]
    return np.asarray(changed * (weights.sum(axis=-1, keepdims=True) / changed.sum(axis=-1, keepdims=True)))


def nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Names with dots as objects inside objects: {"auc.macro": x} -> {"auc": {"macro": x}}."""
    tree: dict[str, Any] = {}
    for name, value in flat.items():
        *folders, leaf = name.split(".")
        place = tree
        for folder in folders:
            place = place.setdefault(folder, {})
        place[leaf] = value
    return tree
