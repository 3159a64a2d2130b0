"""The two ONNX graphs of a bundle: features in, probabilities and survival curve out."""

from typing import NamedTuple

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from app.artifacts import GROUPS, MODEL, SURVIVAL, Bundle
from app.errors import SetupError
from app.harm.conformal import conformal_sets, nonconformity
from app.harm.experience import Familiar, Ranges
from app.harm.features import FEATURES, ROWS, Features

DAYS = 366
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
        self._groups = _session(bundle.files[MODEL], MODEL, ("probabilities", "population_probabilities"))
        self._survival = _session(bundle.files[SURVIVAL], SURVIVAL, ("survival",))
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
        if self.robustness is None:
            return None
        told = self.robustness.conformal
        scores = nonconformity(probabilities, self.decide(probabilities), told.odds)
        return [group_name(int(number)) for number in np.flatnonzero(conformal_sets(scores, told.thresholds)[0])]

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


def _session(graph: bytes, name: str, outputs: tuple[str, ...]) -> ort.InferenceSession:
    """Load a graph from checked bytes (external data cannot resolve from bytes) and check its interface."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        session = ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # noqa: BLE001 - ONNX Runtime raises a dozen unrelated kinds for an unusable graph
        raise SetupError(
            f"{name} is not a graph this machine can run ({type(error).__name__}). Export it again."
        ) from None
    shapes = [(given.name, given.shape[1:]) for given in session.get_inputs()]
    found = tuple(given.name for given in session.get_outputs())
    if shapes != [("features", [ROWS, len(FEATURES)])] or found != outputs:
        raise SetupError(f"{name} has other inputs or outputs than this version of Day Zero. Export it again.")
    return session
