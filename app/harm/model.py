"""The two ONNX graphs of a bundle: features in, probabilities and survival curve out."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.artifacts import GROUPS, MODEL, SURVIVAL, Bundle
from app.harm.conformal import conformal_sets, nonconformity
from app.harm.experience import Familiar, Ranges
from app.harm.features import FEATURES, ROWS, Features
from app.onnx_session import open_session

DAYS = 366
ROWS_AT_ONCE = 32
"""Records the forest is asked about at once. It makes a curve for each tree: 600 MB for 4,096 records, which the runtime keeps
for the next time, where 32 stay in the processor's cache and take three fifths of the time."""
Probabilities = NDArray[np.float64]


class Groups(NamedTuple):
    """Probabilities of the four groups at the balanced mix it learnt from and at the population mix, each float64 (N, 4)."""

    probabilities: Probabilities
    population: Probabilities

    def of(self, row: int) -> "Groups":
        """Those of one nominal, (1, 4)."""
        return Groups(self.probabilities[row : row + 1], self.population[row : row + 1])


class HarmModel:
    """One bundle, loaded once. Thread-safe; single-threaded inside, one worker process a core."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        inputs, outputs = {"features": (ROWS, len(FEATURES))}, ("probabilities", "population_probabilities")
        self._groups = open_session(bundle.files[MODEL], MODEL, inputs, outputs)
        self._survival = open_session(bundle.files[SURVIVAL], SURVIVAL, inputs, ("survival",))
        manifest = bundle.manifest
        self._weights = np.asarray(manifest.decision_weights)
        self.robustness = manifest.robustness
        seen = self.robustness and self.robustness.experience
        self.experience = Familiar(seen) if seen else Ranges(manifest.population_percentiles)

    def groups(self, features: Features) -> Groups:
        """Probabilities of each group for float32 (N, 20, 19); rows sum to 1 (renormalised from float32)."""
        plain, population = self._groups.run(None, {"features": features})
        return Groups(_normalised(plain), _normalised(population))

    def decide(self, probabilities: Probabilities) -> NDArray[np.int64]:
        """Predicted group (N,): arg max of the weighted probabilities; the weights are the artefact's."""
        return np.asarray(np.argmax(probabilities * self._weights, axis=1), dtype=np.int64)

    def conformal_set(self, probabilities: Probabilities) -> list[str] | None:
        """Groups that one nominal may belong to at the promised level, from `Groups.probabilities` (1, 4); None where the
        artefact has no thresholds (format 1)."""
        found = self.conformal_sets(probabilities, self.decide(probabilities))
        return None if found is None else [group_name(int(number)) for number in np.flatnonzero(found[0])]

    def conformal_sets(self, probabilities: Probabilities, decided: NDArray[np.int64]) -> NDArray[np.bool_] | None:
        """`conformal_set` of N nominals, bool (N, 4), from their probabilities and predicted groups (N,)."""
        if self.robustness is None:
            return None
        told = self.robustness.conformal
        return conformal_sets(nonconformity(probabilities, decided, told.odds), told.thresholds)

    def survival(self, features: Features) -> NDArray[np.float64]:
        """Probability that no further incident has happened by each day 0..365, float64 (N, 366), never rising."""
        return np.concatenate(list(self.curves(features)))

    def curves(self, features: Features) -> Iterator[NDArray[np.float64]]:
        """`survival` in blocks of `ROWS_AT_ONCE`, for whoever does not keep whole curves."""
        for at in range(0, max(len(features), 1), ROWS_AT_ONCE):
            (curve,) = self._survival.run(None, {"features": features[at : at + ROWS_AT_ONCE]})
            yield np.asarray(curve, dtype=np.float64)


def group_name(index: int) -> str:
    """Name of the group at 0..3, lowest first."""
    return GROUPS[index]


def _normalised(probabilities: NDArray[np.float32]) -> Probabilities:
    wide = probabilities.astype(np.float64)
    wide /= wide.sum(axis=1, keepdims=True)
    return wide
