"""The models alone, one nominal at a time: our two graphs against the same models through their libraries.

`BENCH_MODELS=FOLDER/models python -m benchmarks.model_compute FOLDER` in the training environment, after
`python -m benchmarks.prepare FOLDER`. Features in, probabilities and the whole curve out. Both take turns, all nominals
each, so that a slow moment of the machine falls on both and neither throws the other out of the caches. One thread: set
OMP_NUM_THREADS=1.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.harm.service import load_scorer
from app.settings import read_settings
from benchmarks.servers.models import read_features, score_with

ROUNDS = 3
TOLERANCE = 1e-4
"""How far two ways to compute the same number may be apart: float32 against float64."""
Features = NDArray[np.float32]


def main(work: Path) -> None:
    """Print medians and their ratio."""
    settings = read_settings()
    model = load_scorer(settings.artifacts, settings.harm_index).models["stalking-nominal"]
    libraries = score_with("libraries")
    lines = (work / "bodies" / "mix.features").read_text(encoding="utf-8").splitlines()
    nominals = [read_features(json.loads(line)["features"]) for line in lines]

    def graphs(x: Features) -> dict[str, Any]:
        found = model.groups(x)
        return {"population_probabilities": found.population[0], "survival": model.survival(x)[0]}

    for x in nominals:
        _same(graphs(x), libraries(x))
    ours, theirs = _medians((graphs, libraries), nominals)
    print("| one nominal | CPU, ms |\n|---|---|")
    print(f"| the libraries | {theirs:.2f} |\n| our graphs | {ours:.3f} |\n| ratio | {theirs / ours:.0f} |")


def _same(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    for name, value in ours.items():
        apart = float(np.abs(value - np.asarray(theirs[name])).max())
        if apart > TOLERANCE:
            raise SystemExit(f"The {name} are {apart:.1g} apart: these are not the same models.")


def _medians(ways: tuple[Callable[[Features], Any], ...], nominals: list[Features]) -> list[float]:
    """Median processor time of each way over the nominals, ms; one round is not counted."""
    times: list[list[float]] = [[] for _ in ways]
    for number in range(ROUNDS + 1):
        for way, kept in zip(ways, times, strict=True):
            for x in nominals:
                began = time.thread_time()
                way(x)
                if number:
                    kept.append(1000 * (time.thread_time() - began))
    return [statistics.median(kept) for kept in times]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
