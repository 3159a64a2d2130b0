"""What the comparison asks with and of: bodies of several lengths, and the artefact's models as library objects.

`python -m benchmarks.prepare FOLDER` in the training environment, once. The models are fitted again from the synthetic
force the artefact learnt from, and must come out as the artefact's own graphs, byte for byte.
"""

import json
import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np

from app.artifacts import Bundle
from app.errors import SetupError
from app.harm.features import Features
from app.harm.harm_index import HarmIndex, index_in_force
from app.harm.service import load_scorer
from app.settings import read_settings
from benchmarks.bodies import LENGTHS
from training.evaluation.work import Work
from training.evaluation.worlds import invent, origin_of
from training.harm.artefact import digests
from training.harm.fit import Data, fit_models, prepare
from training.harm.golden_requests import request_body
from training.harm.progress import Stages, shown

PER_LENGTH, MIXED = 20, 200
_FAMILY = "stalking-nominal"
_WAYS = ("none", "factors", "both")


def main(folder: Path) -> None:
    """Write `folder`/models and `folder`/bodies."""
    settings = read_settings()
    index = index_in_force(settings.harm_index)
    bundle = load_scorer(settings.artifacts, settings.harm_index).models[_FAMILY].bundle
    with shown(keep=False) as stages:
        ground = invent(origin_of(bundle).world, origin_of(bundle), Work(folder / "work", {}), stages)
        data = prepare(ground.folder, index, bundle.manifest.seed, stages)
        _write_bodies(data, index, folder / "bodies")
        _write_models(data, bundle, folder / "models", stages)


def _write_models(data: Data, bundle: Bundle, folder: Path, stages: Stages) -> None:
    models = fit_models(data, bundle.manifest.seed, 2, stages)
    if digests(models.files) != {name: bundle.manifest.files[name] for name in models.files}:
        raise SetupError("Fitting again did not give the artefact's own graphs: other library versions or processor.")
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in models.files.items():
        (folder / name).write_bytes(content)
    stack = models.fit.stack
    stack.first[0].save_model(folder / "xgboost.json")
    (folder / "forest.pickle").write_bytes(pickle.dumps(models.forest))
    (folder / "stack.pickle").write_bytes(pickle.dumps(stack))


def _write_bodies(data: Data, index: HarmIndex, folder: Path) -> None:
    """For a mix as the force has it and for each length: the request in three ways, and its features in two."""
    folder.mkdir(parents=True, exist_ok=True)
    lengths = data.labelled.histories.lengths
    draw = np.random.default_rng(1)
    usual = draw.permutation(np.flatnonzero(lengths <= LENGTHS[-1]))[:MIXED]
    _write_set(data, index, folder, "mix", usual)
    for length in LENGTHS:
        nearest = np.argsort(np.abs(lengths - length), kind="stable")[:PER_LENGTH]
        _write_set(data, index, folder, str(length), nearest, length)


def _write_set(
    data: Data, index: HarmIndex, folder: Path, name: str, rows: np.ndarray[Any, Any], length: int | None = None
) -> None:
    requests = [
        request_body(data.extract, data.labelled, int(row), index, family=_FAMILY, name=f"bench-{number}")
        for number, row in enumerate(rows)
    ]
    if length is not None:
        requests = [_of_length(one, length) for one in requests]
    for way in _WAYS:
        _write_lines(folder / f"{name}.{way}", [one | {"explain": way} for one in requests])
    _write_lines(folder / f"{name}.features", [{"features": _flat(x)} for x in data.x[rows]])
    _write_lines(folder / f"{name}.v2", [_open_inference(_flat(x)) for x in data.x[rows]])


def _of_length(request: dict[str, Any], length: int) -> dict[str, Any]:
    """Exactly so many incidents: the oldest are left out, or the whole record is repeated under new ids."""
    incidents = request["incidents"]
    if not incidents:
        return request
    repeated = [incidents[number % len(incidents)] for number in range(length - len(incidents))]
    again = [one | {"incident_id": f"again-{number}"} for number, one in enumerate(repeated)]
    return request | {"incidents": [*again, *incidents[-length:]]}


def _flat(x: Features) -> list[float]:
    return [round(float(value), 6) for value in x.ravel()]


def _open_inference(values: list[float]) -> dict[str, Any]:
    """The same features in the protocol of model servers (KServe V2)."""
    given = {"name": "features", "shape": [1, len(values)], "datatype": "FP32", "data": values}
    return {"inputs": [given], "outputs": [{"name": "predict_proba"}]}


def _write_lines(path: Path, bodies: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(one, separators=(",", ":")) + "\n" for one in bodies), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
