"""The figures by which rivals are compared with the stack on the same test people, for one set of weights or many.

Over replicates (R, N) of weights, so that a bootstrap of all rivals is a few matrix products. Differences use the same
resamples for both sides.
"""

from typing import Any, NamedTuple

import numpy as np

from app.harm.features import Floats, Ints
from training.evaluation.intervals import bootstrap, to_mix
from training.evaluation.ranking import auc, ranked
from training.harm.measure import round_floats
from training.metrics import LOWEST, TOP, confusion, report_metrics, share

SHARES = (
    "top_2_accuracy",
    "precision",
    "sensitivity",
    "adjusted_f1",
    "accuracy",
    "flagged",
    "predicted_80_90",
)


class Rival(NamedTuple):
    """How something divides N test people: `predicted` group 0..3 (N,), and `score` (N,), higher = more harm feared."""

    name: str
    predicted: Ints
    score: Floats


class People(NamedTuple):
    """The N people judged: true `groups` 0..3, `future_harm` days, connected `component`; group shares of the test mix
    and of the population, (4,) each."""

    groups: Ints
    future_harm: Floats
    component: Ints
    test_mix: Floats
    population_mix: Floats

    @property
    def mixes(self) -> dict[str, Floats]:
        """Both mixes by name."""
        return {"test_mix": self.test_mix, "population_mix": self.population_mix}


def figures(rival: Rival, people: People, weights: Floats) -> dict[str, Floats]:
    """Every figure for weights (R, N): name -> (R,). Harm in days; an AUC is NaN where one side is empty."""
    found = report_metrics(
        confusion(people.groups, rival.predicted, weights),
        confusion(people.groups, rival.predicted, weights * people.future_harm),
    )
    told = {name: getattr(found, name) for name in SHARES}
    if found.harm is not None:
        told |= {f"{name}_harm": getattr(found.harm, name) for name in ("missed", "positive", "net")}
        told["net_harm_a_nominal"] = share(found.harm.net, weights.sum(axis=-1))
    extremes = (people.groups == LOWEST) | (people.groups == TOP)
    order = ranked(rival.score[extremes].astype(np.float64))
    told["auc_top_against_lowest"] = auc(order, people.groups[extremes] == TOP, weights[..., extremes])
    return told


def with_intervals(rival: Rival, people: People, seed: int, **sizes: int) -> dict[str, Any]:
    """Figures with intervals at both mixes, and the plain confusion matrix; `sizes` may set the replicates."""
    told: dict[str, Any] = {
        name: bootstrap(
            lambda weights, mix=mix: figures(rival, people, to_mix(weights, people.groups, mix)),  # type: ignore[misc]
            people.component,
            seed=seed,
            **sizes,
        )
        for name, mix in people.mixes.items()
    }
    told["confusion"] = confusion(people.groups, rival.predicted).astype(np.int64).tolist()
    rounded: dict[str, Any] = round_floats(told)
    return rounded


def differences(rival: Rival, stack: Rival, people: People, seed: int, **sizes: int) -> dict[str, Any]:
    """Each figure of the rival less the stack's, at the test mix, with intervals from the same resamples."""

    def apart(weights: Floats) -> dict[str, Floats]:
        weights = to_mix(weights, people.groups, people.test_mix)
        own, other = figures(rival, people, weights), figures(stack, people, weights)
        return {name: own[name] - other[name] for name in own}

    rounded: dict[str, Any] = round_floats(bootstrap(apart, people.component, seed=seed, **sizes))
    return rounded
