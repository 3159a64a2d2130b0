"""The two ONNX graphs of a bundle: features in, probabilities and survival curve out."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.artifacts import GROUPS, MODEL, SURVIVAL, Bundle
from app.harm.caveats import base_rates
from app.harm.conformal import conformal_sets, nonconformity
from app.harm.experience import Familiar, Ranges
from app.harm.features import FEATURES, ROWS, Features
from app.onnx_session import open_session

DAYS = 366
ROWS_AT_ONCE = 32
"""Records a graph is asked about at once. ONNX Runtime keeps the memory of the largest batch it has seen, a hundred MiB and more
for the 2,048 of an explanation; so few stay in the processor's cache, and each takes less time."""
Probabilities = NDArray[np.float64]


class Groups(NamedTuple):
    """Probabilities of the four groups at the balanced mix it learnt from and at the population mix, each float64 (N, 4)."""

    probabilities: Probabilities
    population: Probabilities


class Verdict(NamedTuple):
    """What a model says of one nominal's groups: `Groups` as lists of four, the predicted group, and the groups that it may
    belong to at the promised level, None where the artefact has no thresholds (format 1)."""

    probabilities: list[float]
    population: list[float]
    predicted: str
    not_ruled_out: list[str] | None


class HarmModel:
    """One bundle, loaded once. Thread-safe; single-threaded inside, one worker process a core."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        inputs, outputs = {"features": (ROWS, len(FEATURES))}, ("probabilities", "population_probabilities")
        self._groups = open_session(bundle.files[MODEL], MODEL, inputs, outputs)
        self._survival = open_session(bundle.files[SURVIVAL], SURVIVAL, inputs, ("survival",))
        manifest = bundle.manifest
        self._weights = np.asarray(manifest.decision_weights)
        self.base_rates = base_rates(manifest)
        self.robustness = manifest.robustness
        seen = self.robustness and self.robustness.experience
        self.experience = Familiar(seen) if seen else Ranges(manifest.population_percentiles)

    def groups(self, features: Features) -> Groups:
        """Probabilities of each group for float32 (N, 20, 19); rows sum to 1 (renormalised from float32)."""
        asked = [self._groups.run(None, {"features": block}) for block in _blocks(features)]
        plain, population = (np.concatenate(parts) for parts in zip(*asked, strict=True))
        return Groups(_normalised(plain), _normalised(population))

    def decide(self, probabilities: Probabilities) -> NDArray[np.int64]:
        """Predicted group (N,): arg max of the weighted probabilities; the weights are the artefact's."""
        return np.asarray(np.argmax(probabilities * self._weights, axis=1), dtype=np.int64)

    def verdicts(self, features: Features) -> list[Verdict]:
        """What is said of the groups of each of N nominals (N, 20, 19)."""
        found = self.groups(features)
        decided = self.decide(found.probabilities)
        sets = self.conformal_sets(found.probabilities, decided)
        kept = [None] * len(decided) if sets is None else [_named(row) for row in sets.tolist()]
        lists = (found.probabilities.tolist(), found.population.tolist(), decided.tolist(), kept)
        return [
            Verdict(plain, population, group_name(number), groups)
            for plain, population, number, groups in zip(*lists, strict=True)
        ]

    def conformal_sets(self, probabilities: Probabilities, decided: NDArray[np.int64]) -> NDArray[np.bool_] | None:
        """Which groups each of N nominals may belong to at the promised level, bool (N, 4), from `Groups.probabilities` and
        predicted groups (N,); None where the artefact has no thresholds (format 1)."""
        if self.robustness is None:
            return None
        told = self.robustness.conformal
        return conformal_sets(nonconformity(probabilities, decided, told.odds), told.thresholds)

    def survival(self, features: Features) -> NDArray[np.float64]:
        """Probability that no further incident has happened by each day 0..365, float64 (N, 366), never rising."""
        return np.concatenate(list(self.curves(features)))

    def curves(self, features: Features) -> Iterator[NDArray[np.float64]]:
        """`survival` in blocks of `ROWS_AT_ONCE`, for whoever does not keep whole curves."""
        for block in _blocks(features):
            (curve,) = self._survival.run(None, {"features": block})
            yield np.asarray(curve, dtype=np.float64)


def group_name(index: int) -> str:
    """Name of the group at 0..3, lowest first."""
    return GROUPS[index]


def _named(kept: list[bool]) -> list[str]:
    return [group for group, among in zip(GROUPS, kept, strict=True) if among]


def _blocks(features: Features) -> Iterator[Features]:
    """At least one, empty where there are no records."""
    return (features[at : at + ROWS_AT_ONCE] for at in range(0, max(len(features), 1), ROWS_AT_ONCE))


def _normalised(probabilities: NDArray[np.float32]) -> Probabilities:
    wide = probabilities.astype(np.float64)
    wide /= wide.sum(axis=1, keepdims=True)
    return wide
