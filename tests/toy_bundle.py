"""A tiny model bundle made on the spot: small enough to reason about, shaped like a real one."""

import hashlib
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from app.artifacts import FORMAT, GROUPS, Bundle, Manifest
from app.harm.drift import DRIFT_WARNINGS
from app.harm.experience import BANDS, MEASURES
from app.harm.features import COLUMN, FEATURES, ROWS
from app.harm.harm_index import load_harm_index
from app.harm.records import EXAMPLE, parse_request
from app.harm.service import Scorer
from app.harm.subject import Perspective
from training.families import FAMILIES

WIDTH = ROWS * len(FEATURES)
VERSION = "0.0.1"

SETTLED = {
    "stack": "xgboost+lstm:svm",
    "first": {"xgboost": {"rounds": 4}, "lstm": {"epochs": 1}},
    "second": {"cost": 1.0, "gamma": 0.3},
}
"""What the toy is said to have settled on while it was fitted."""


def weights(seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Linear weights (380, 4) of the toy classifier, and the shift (4,) to the population mix."""
    draw = np.random.default_rng(seed)
    scale = np.tile(1 / np.array([60, 400, 2000, 2000, 600, 1, 1, 2000, 1, 5, *[1] * 7, 10, 2]), ROWS)
    return (draw.normal(size=(WIDTH, 4)) * scale[:, None]).astype(np.float32), np.float32([1.5, 0.2, -0.5, -1.2])


def _graph(nodes: list[Any], constants: dict[str, np.ndarray], outputs: dict[str, int]) -> bytes:
    given = helper.make_tensor_value_info("features", TensorProto.FLOAT, ["N", ROWS, len(FEATURES)])
    made = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", width]) for name, width in outputs.items()]
    fixed = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "toy", [given], made, fixed)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def classifier(seed: int = 1) -> bytes:
    """softmax(flat @ W) and softmax(flat @ W + shift)."""
    linear, shift = weights(seed)
    nodes = [
        helper.make_node("Flatten", ["features"], ["flat"], axis=1),
        helper.make_node("MatMul", ["flat", "linear"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
        helper.make_node("Add", ["logits", "shift"], ["shifted"]),
        helper.make_node("Softmax", ["shifted"], ["population_probabilities"], axis=1),
    ]
    return _graph(nodes, {"linear": linear, "shift": shift}, {"probabilities": 4, "population_probabilities": 4})


def one_sexual_offence() -> bytes:
    """Everything hangs on whether any incident of the record is sexual: top group 0.9 where one is, 0.05 where none."""
    quiet, loud = np.log(np.float32([[0.55, 0.3, 0.1, 0.05]])), np.log(np.float32([[0.02, 0.03, 0.05, 0.9]]))
    column = np.array([FEATURES.index("is_sexual")])
    nodes = [
        helper.make_node("Gather", ["features", "column"], ["flags"], axis=2),
        helper.make_node("ReduceMax", ["flags"], ["any"], axes=[1, 2], keepdims=0),
        helper.make_node("Unsqueeze", ["any", "last"], ["wide"]),
        helper.make_node("Mul", ["wide", "step"], ["raised"]),
        helper.make_node("Add", ["raised", "quiet"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
        helper.make_node("Identity", ["probabilities"], ["population_probabilities"]),
    ]
    constants = {"column": column, "last": np.array([1]), "step": loud - quiet, "quiet": quiet}
    return _graph(nodes, constants, {"probabilities": 4, "population_probabilities": 4})


def survival() -> bytes:
    """exp(-rate * day / 365), the rate rising with custody appearances and with harm, as the survival features allow."""
    pick = np.zeros((WIDTH, 1), dtype=np.float32)
    pick[FEATURES.index("custody_count") :: len(FEATURES)] = -0.05 / 365
    pick[FEATURES.index("harm_score") :: len(FEATURES)] = -0.0004 / 365
    nodes = [
        helper.make_node("Flatten", ["features"], ["flat"], axis=1),
        helper.make_node("MatMul", ["flat", "pick"], ["rate"]),
        helper.make_node("Mul", ["rate", "days"], ["exponent"]),
        helper.make_node("Exp", ["exponent"], ["survival"]),
    ]
    return _graph(nodes, {"pick": pick, "days": np.arange(366, dtype=np.float32)[None]}, {"survival": 366})


def as_seen_by(perspective: Perspective, request: dict[str, Any]) -> dict[str, Any]:
    """The same incidents told of whoever was harmed in them, with nothing a victim's model must not be told."""
    if perspective == "nominal":
        return request
    incidents = [one | {"role": "victim"} for one in request["incidents"] if one["role"] != "suspect_eliminated"]
    return request | {"custody_dates": [], "incidents": incidents, "model": "stalking-victim"}


def manifest(files: dict[str, bytes], family: str = "stalking-nominal") -> dict[str, Any]:
    """A manifest that fits the toy graphs."""
    index, subject = load_harm_index(), FAMILIES[family].subject
    absent = sorted(set(FEATURES) - set(subject.side.features))
    medians = np.zeros((ROWS, len(FEATURES)))
    medians[:] = [30, 10, 200, 60, 20, 0.1, 0.01, 40, 0.01, 0, 0, 0, 0, 0, 1, 0, 1, 1, 1]
    medians[:, 2] = np.linspace(1900, 0, ROWS)
    medians[-1, 13] = 1
    medians[:, [COLUMN[name] for name in absent]] = 0
    percentiles = {name: np.linspace(0, 10_000, 101).tolist() for name in FEATURES}
    return {
        "format": FORMAT,
        "family": family,
        "version": VERSION,
        "learnt_from": "nobody: a toy for tests",
        "files": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
        "subject": subject.model_dump(),
        "features": subject.side.features,
        "survival_features": subject.side.survival_features,
        "groups": GROUPS,
        "cuts": [10.0, 100.0, 400.0],
        "decision_weights": [1.0, 1.1, 0.9, 2.0],
        "index_age_median": 33.0,
        "reference_medians": medians.tolist(),
        "population_percentiles": percentiles | {name: [0.0] * 101 for name in absent},
        "harm_index": {"edition": index.edition, "sha256": index.sha256, "approximate_share": 0.9},
        "libraries": {"numpy": np.__version__},
        "data": {},
        "seed": 1,
        "metrics": {
            "fit": SETTLED,
            "population_mix": {"confusion": [[600, 75, 37.5, 37.5], [30, 75, 30, 15], [5, 10, 20, 15], [2, 3, 10, 35]]},
        },
        "robustness": robustness(),
    }


def robustness() -> dict[str, Any]:
    """Blocks of format 2 that fit the toy: it has seen everything up to 10,000, and bins of drift have plain edges."""
    count = len(MEASURES)
    band = {"mean": [3.0] * count, "precision": np.eye(count).tolist(), "distance": 1e5, "deviation": 1e3}
    return {
        "conformal": {
            "level": 0.9,
            "odds": [2.5, 0.5, 0.3, 0.25],
            "thresholds": [0.6, 0.9, 0.95, 0.97],
            "people": [1500, 430, 225, 250],
            "mean_set_size": 2.75,
        },
        "experience": {
            "measures": MEASURES,
            "lowest": [0.0] * count,
            "highest": [10_000.0, *[float(np.log1p(10_000))] * (count - 1)],
            "bands": [{"shortest": shortest, "longest": longest, **band} for shortest, longest in BANDS],
            "false_alarms": 0.0,
        },
        "drift": {
            "features": {name: {"edges": [0.0, 100.0], "shares": [0.5, 0.4, 0.1]} for name in FEATURES},
            "top_probability": {"edges": [0.1, 0.5], "shares": [0.6, 0.3, 0.1]},
            "predicted_groups": [0.6, 0.2, 0.1, 0.1],
            "group_shares": [0.75, 0.15, 0.05, 0.05],
            "warnings": dict.fromkeys(DRIFT_WARNINGS, 0.2),
            "watch": 0.1,
            "alarm": 0.25,
            "fewest": 100,
        },
    }


def as_format_1(manifest: dict[str, Any]) -> None:
    """For `change` of `write_toy`: the manifest as it was before format 2."""
    manifest["format"] = 1
    del manifest["robustness"]


def golden_line(files: dict[str, bytes], family: str = "stalking-nominal") -> bytes:
    """One golden case: the example request with what the toy answers."""
    bundle = Bundle(Manifest.model_validate_json(json.dumps(manifest(files, family))), "0" * 64, files)
    perspective = bundle.manifest.subject.perspective
    request = as_seen_by(perspective, {**EXAMPLE, "explain": "none"}) | {"model": family}
    scored = Scorer({family: bundle}, load_harm_index()).score(parse_request(request), date.max)
    answer = scored.harm.model_dump() | {"survival": scored.curve.tolist()}
    return json.dumps({"request": request, "answer": answer}).encode()


def write_toy(
    artifacts: Path,
    *,
    family: str = "stalking-nominal",
    version: str = VERSION,
    golden: bytes | None = None,
    model: bytes | None = None,
    change: Callable[[dict[str, Any]], Any] | None = None,
) -> Path:
    """Write the bundle below `artifacts` and return its folder.

    `model` takes the place of the toy classifier; `change` edits the manifest before it is written.
    """
    folder = artifacts / family / version
    folder.mkdir(parents=True)
    files = {"model.onnx": model or classifier(), "survival.onnx": survival(), "golden.jsonl": b""}
    files["golden.jsonl"] = golden_line(files, family) if golden is None else golden
    description = manifest(files, family) | {"version": version}
    if change is not None:
        change(description)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    (folder / "manifest.json").write_text(json.dumps(description))
    return folder
