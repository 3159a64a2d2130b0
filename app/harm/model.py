"""The two ONNX graphs of a bundle: features in, probabilities and survival curve out."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.artifacts import GROUPS, MODEL, SURVIVAL, Bundle
from app.harm.features import FEATURES, ROWS, Features
from app.onnx_session import open_session

DAYS = 366
Probabilities = NDArray[np.float64]


class Groups(NamedTuple):
    """Probabilities of the four groups at the balanced mix it learnt from and at the population mix, each float64 (N, 4)."""

    probabilities: Probabilities
    population: Probabilities


class HarmModel:
    """One bundle, loaded once. Thread-safe; single-threaded inside, one worker process a core."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        inputs, outputs = {"features": (ROWS, len(FEATURES))}, ("probabilities", "population_probabilities")
        self._groups = open_session(bundle.files[MODEL], MODEL, inputs, outputs)
        self._survival = open_session(bundle.files[SURVIVAL], SURVIVAL, inputs, ("survival",))
        self._weights = np.asarray(bundle.manifest.decision_weights)
        scales = bundle.manifest.population_percentiles
        # A hair's breadth of room: the ends are rounded in the manifest.
        self._lowest = np.array([scales[name][0] - 1e-3 * abs(scales[name][0]) - 1e-6 for name in FEATURES])
        self._highest = np.array([scales[name][-1] + 1e-3 * abs(scales[name][-1]) + 1e-6 for name in FEATURES])

    def groups(self, features: Features) -> Groups:
        """Probabilities of each group for float32 (N, 20, 19); rows sum to 1 (renormalised from float32)."""
        plain, population = self._groups.run(None, {"features": features})
        return Groups(_normalised(plain), _normalised(population))

    def decide(self, probabilities: Probabilities) -> NDArray[np.int64]:
        """Predicted group (N,): arg max of the weighted probabilities; the weights are the artefact's."""
        return np.asarray(np.argmax(probabilities * self._weights, axis=1), dtype=np.int64)

    def beyond_experience(self, features: Features) -> list[str]:
        """Features of the index row of one nominal (1, 20, 19) that lie outside the population's range."""
        index = features[0, -1]
        outside = (index < self._lowest) | (index > self._highest)
        return [name for name, beyond in zip(FEATURES, outside, strict=True) if beyond]

    def survival(self, features: Features) -> NDArray[np.float64]:
        """Probability that no further incident has happened by each day 0..365, float64 (N, 366), never rising."""
        (curve,) = self._survival.run(None, {"features": features})
        return np.asarray(curve, dtype=np.float64)


def group_name(index: int) -> str:
    """Name of the group at 0..3, lowest first."""
    return GROUPS[index]


def _normalised(probabilities: NDArray[np.float32]) -> Probabilities:
    wide = probabilities.astype(np.float64)
    wide /= wide.sum(axis=1, keepdims=True)
    return wide
