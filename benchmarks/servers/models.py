"""The same models in two forms: through the libraries they were fitted with, and as the two graphs of the artefact.

Reads the folder `benchmarks.prepare` wrote, named by the variable BENCH_MODELS; needs nothing of the service.
"""

import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Answer = dict[str, list[float]]
Score = Callable[[NDArray[np.float32]], Answer]
DAYS = np.arange(0, 366)


def score_with(kind: str) -> Score:
    """A function from features (1, 20, 19) to probabilities at both mixes and the survival curve; `kind` is
    "libraries" or "graphs"."""
    folder = Path(os.environ["BENCH_MODELS"])
    return {"libraries": _libraries, "graphs": _graphs}[kind](folder)


def read_features(values: Any) -> NDArray[np.float32]:
    """A nested list or flat list of 380 numbers as features (1, 20, 19)."""
    return np.asarray(values, dtype=np.float32).reshape(1, 20, 19)


def _libraries(folder: Path) -> Score:
    import torch

    from training.harm.survival import survival_inputs

    torch.set_num_threads(1)
    stack = pickle.loads((folder / "stack.pickle").read_bytes())  # noqa: S301 - written by our own preparation
    forest = pickle.loads((folder / "forest.pickle").read_bytes())  # noqa: S301
    forest.set_params(n_jobs=1)

    def score(x: NDArray[np.float32]) -> Answer:
        plain = stack.probabilities(x)
        curve = forest.predict_survival_function(survival_inputs(x))[0]
        return {
            "probabilities": plain[0].tolist(),
            "population_probabilities": _population(stack, plain)[0].tolist(),
            "survival": _on_days(curve).tolist(),
        }

    return score


def _population(stack: Any, plain: NDArray[Any]) -> NDArray[Any]:
    from training.harm.population import population_probabilities

    return population_probabilities(stack.population, plain)


def _on_days(curve: Any) -> NDArray[Any]:
    """A step function on days 0..365."""
    place = np.searchsorted(curve.x, DAYS, side="right") - 1
    return np.where(place < 0, 1.0, curve.y[np.maximum(place, 0)])


def _graphs(folder: Path) -> Score:
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    groups, survival = (
        ort.InferenceSession(str(folder / name), options, providers=["CPUExecutionProvider"])
        for name in ("model.onnx", "survival.onnx")
    )

    def score(x: NDArray[np.float32]) -> Answer:
        plain, population = groups.run(None, {"features": x})
        (curve,) = survival.run(None, {"features": x})
        return {
            "probabilities": plain[0].tolist(),
            "population_probabilities": population[0].tolist(),
            "survival": curve[0].tolist(),
        }

    return score
