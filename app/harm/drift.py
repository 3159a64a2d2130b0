"""Are the people scored now still those the model was made on? Population stability index against the manifest.

`PSI = sum((recent - expected) * ln(recent / expected))` over bins of the population's deciles; below .1 is usually read
as stable, above .25 as another population (both in the manifest). With B bins and n scores it scatters about
(B - 1) / n even where nothing has changed, which is why too few scores say nothing.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

import numpy as np

from app.harm.features import FEATURES, Features, Floats, Ints
from app.harm.robustness import Bins, DriftBaseline

DRIFT_WARNINGS = ("short-history", "birth-date-unknown", "out-of-distribution")
"""Warnings that an extract shows as a request does; the others depend on what a force sends."""
_FLOOR = 1e-4
Verdict = Literal["steady", "watch", "alarm"]


class Thresholds(Protocol):
    """From which index on a figure is worth watching or alarming, and below how many cases nothing is said."""

    @property
    def watch(self) -> float: ...
    @property
    def alarm(self) -> float: ...
    @property
    def fewest(self) -> int: ...


@dataclass(frozen=True)
class Recent:
    """Scores of late: `index` (N, 19) features of the index rows, `top` (N,) population probability of the top group,
    `predicted` (N,) group 0..3, `warnings` how many scores carry each."""

    index: Features
    top: Floats
    predicted: Ints
    warnings: Counter[str]

    def __len__(self) -> int:
        return len(self.top)


class Measured(NamedTuple):
    """One figure held against its baseline."""

    name: str
    psi: float
    verdict: Verdict


def psi(expected: Sequence[float] | Floats, found: Sequence[float] | Floats) -> float:
    """Population stability index of two lists of shares; shares below 1 in 10,000 count as that much."""
    before, now = (np.maximum(np.asarray(shares, dtype=np.float64), _FLOOR) for shares in (expected, found))
    return float(((now - before) * np.log(now / before)).sum())


def bin_shares(values: Floats, edges: Sequence[float], weights: Floats | None = None) -> Floats:
    """Share of values (N,) in each bin, (B,); a value equal to an edge belongs to the bin below it."""
    counts = np.bincount(np.searchsorted(edges, values, side="left"), weights=weights, minlength=len(edges) + 1)
    return np.asarray(counts / counts.sum(), dtype=np.float64)


def input_drift(baseline: DriftBaseline, recent: Recent) -> list[Measured]:
    """Each feature of the index row."""
    columns = zip(FEATURES, recent.index.T.astype(np.float64), strict=True)
    return [held(baseline, name, moved(baseline.features[name], values)) for name, values in columns]


def output_drift(baseline: DriftBaseline, recent: Recent) -> list[Measured]:
    """Predicted groups, probability of the top group, and each warning."""
    groups = np.bincount(recent.predicted, minlength=4) / len(recent)
    found = [
        held(baseline, "predicted_groups", psi(baseline.predicted_groups, groups)),
        held(baseline, "top_probability", moved(baseline.top_probability, recent.top)),
    ]
    return found + [
        held(baseline, f"warning {code}", psi(_both(share), _both(recent.warnings[code] / len(recent))))
        for code, share in baseline.warnings.items()
    ]


def moved(bins: Bins, values: Floats) -> float:
    """Index of values (N,) against the bins they once fell into."""
    return psi(bins.shares, bin_shares(values, bins.edges))


def held(thresholds: Thresholds, name: str, found: float) -> Measured:
    """An index with its verdict."""
    verdict: Verdict = "alarm" if found >= thresholds.alarm else "watch" if found >= thresholds.watch else "steady"
    return Measured(name, found, verdict)


def worst(found: Sequence[Measured]) -> Verdict:
    """The gravest verdict of all."""
    verdicts = {one.verdict for one in found}
    return "alarm" if "alarm" in verdicts else "watch" if "watch" in verdicts else "steady"


def _both(share: float) -> tuple[float, float]:
    return share, 1 - share
