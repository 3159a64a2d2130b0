"""The verdict on each attribute: a difference beyond what chance and base rates explain, or not.

Error rates differ wherever base rates do, for any imperfect score: a group of whom more are truly harmful has more false
positives among its harmless. Neither do equal error rates clear a tool. So two questions are asked of each group, and
only a yes to both, in the directions that belong together, is a finding:

- **over-flagged**: flagged more often than others of the same true harm, *and* harmful less often than others of the
  same score;
- **under-flagged**: flagged less often than others of the same true harm, *and* harmful more often than others of the
  same score.

Each group stands against everyone else, so a finding on one is the opposite finding on the others taken together: where
all but the largest group are recorded more eagerly, it is the largest that stands out, as under-flagged.

A higher base rate alone pushes flags at equal harm up and, if anything, harm at equal scores up too (a score regresses
to the mean); a lower one pushes both down. Only a score that leans on the group itself, such as histories recorded more
eagerly, pushes them apart. That both together are safe where each alone is not is shown, for decisions and their hit
rates, by Gaebler and Goel (A simple, statistically robust test of discrimination, PNAS 122, 2025); their form with a
score in place of a hidden risk is ours.

Whether it can be seen depends on the account of harm. Where incidents of a group are recorded more eagerly, so is what
follows: recorded outcomes confirm the score. Only true harm, which a synthetic force knows and a real one does not,
shows it.
"""

from typing import Any, NamedTuple

import numpy as np
from scipy.stats import norm

from app.harm.features import Floats, Ints
from training.evaluation.intervals import draws, estimate
from training.fairness.attributes import Attribute
from training.fairness.rates import CONTRASTS, Audited, flag_rates, miss_rates

REPLICATES, LARGE_REPLICATES = 1_000, 300
LEVEL = 0.05
OVER, UNDER = "over-flagged", "under-flagged"
NONE, EXPLAINED, UNEQUAL = (
    "no difference beyond chance",
    "differs, no further than base rates and scores explain",
    "differs beyond chance and base rates",
)


class Divided(NamedTuple):
    """One attribute in the groups that may be shown: for flags, and for what is missed (fewer people, larger groups)."""

    flags: Attribute
    misses: Attribute


class Measured(NamedTuple):
    """Values of one set of people by `attribute.group.measure`, and their replicates (R,)."""

    values: dict[str, float]
    replicates: dict[str, Floats]

    def told(self, name: str) -> dict[str, float | None]:
        """Value with its interval."""
        return estimate(self.values[name], self.replicates[name])

    def z(self, name: str) -> float:
        """The value over its bootstrap standard error; 0 where either cannot be had."""
        spread = float(np.nanstd(self.replicates[name])) if np.isfinite(self.replicates[name]).any() else 0.0
        value = self.values[name]
        return value / spread if spread > 0 and np.isfinite(value) else 0.0


def measured(
    people: Audited, divided: dict[str, Divided], component: Ints, *, seed: int, replicates: int = REPLICATES
) -> Measured:
    """All rates of all attributes, resampling whole components; one pass for everything."""

    def rates(weights: Floats) -> dict[str, Floats]:
        found: dict[str, Floats] = {}
        for name, attribute in divided.items():
            both = flag_rates(people, attribute.flags, weights), miss_rates(people, attribute.misses, weights)
            found |= {f"{name}.{place}": value for part in both for place, value in part.items()}
        return found

    own = rates(np.ones((1, len(people.true))))
    drawn = [rates(weights) for weights in draws(component, seed=seed, replicates=replicates)]
    return Measured(
        {name: float(value[0]) for name, value in own.items()},
        {name: np.concatenate([part[name] for part in drawn]) for name in own},
    )


def verdicts(found: Measured, divided: dict[str, Divided]) -> dict[str, dict[str, Any]]:
    """Of each attribute the verdict, the findings, and what differs at all; Holm's correction over all attributes."""
    both = _holm({name: p for attribute in divided for name, p in _together(found, attribute, divided).items()})
    plain = _holm({name: p for attribute in divided for name, p in _apart(found, attribute, divided).items()})
    told = {}
    for attribute in divided:
        findings = [
            {"group": group, "finding": finding, "everyone_else": UNDER if finding == OVER else OVER, "p": p}
            for (of, group, finding), p in both.items()
            if of == attribute and p < LEVEL
        ]
        differing = [
            {"group": group, "measure": measure, "p": p}
            for (of, group, measure), p in plain.items()
            if of == attribute and p < LEVEL
        ]
        verdict = UNEQUAL if findings else EXPLAINED if differing else NONE
        told[attribute] = {"verdict": verdict, "findings": findings, "differences": differing}
    return told


Tests = dict[tuple[str, str, str], float]
"""p by attribute, group, and what is asked."""


def _together(found: Measured, name: str, divided: dict[str, Divided]) -> Tests:
    """Both questions answered yes: the larger of two one-sided p (an intersection-union test)."""
    told: Tests = {}
    for group in _compared(divided[name].flags):
        equal_harm = found.z(f"{name}.{group}.flagged_at_equal_harm")
        equal_score = found.z(f"{name}.{group}.found_to_expected_to_rest")
        told[name, group, OVER] = max(float(norm.sf(equal_harm)), float(norm.cdf(equal_score)))
        told[name, group, UNDER] = max(float(norm.cdf(equal_harm)), float(norm.sf(equal_score)))
    return told


def _apart(found: Measured, name: str, divided: dict[str, Divided]) -> Tests:
    """Plain differences to everyone else, two-sided."""
    told: Tests = {}
    for attribute, measures in ((divided[name].flags, CONTRASTS[:2]), (divided[name].misses, CONTRASTS[2:])):
        for group in _compared(attribute):
            for measure in measures:
                told[name, group, measure] = 2 * float(norm.sf(abs(found.z(f"{name}.{group}.{measure}_to_rest"))))
    return told


def _compared(attribute: Attribute) -> tuple[str, ...]:
    """Groups that have a rest to be compared with."""
    return attribute.groups if len(attribute.groups) > 1 else ()


def _holm(tests: Tests) -> Tests:
    """Holm's step-down correction: adjusted p by the same keys."""
    adjusted, floor = {}, 0.0
    for place, (name, p) in enumerate(sorted(tests.items(), key=lambda item: item[1])):
        floor = max(floor, min(1.0, p * (len(tests) - place)))
        adjusted[name] = floor
    return adjusted
