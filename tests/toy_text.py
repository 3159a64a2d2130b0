"""A tiny model of logs made on the spot: a dozen terms, linear weights, the shape of a real bundle."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from app.artifacts import Bundle
from app.text.manifest import FAMILY, FORMAT, GOLDEN, MODEL, SCORES, VOCABULARY, TextManifest
from app.text.model import TextModel

VERSION = "0.0.1"
TERMS = (
    "no",
    "shout",
    "punch",
    "threaten",
    "knife",
    "calm",
    "argument",
    "left",
    "no punch",
    "no knife",
    "not punch",
    "no knife seen",
)
WEIGHTS = np.float32([0.0, 0.2, 1.4, 1.1, 1.6, -1.2, -0.3, -0.2, -2.6, -2.9, -2.4, -0.1])
"""How far each term moves the text up the scale."""
GOLDEN_TEXTS = (
    "He was shouting and punched her.",
    "Calm argument, no knife seen.",
    "threatened with a knife; left",
    "no",
)


def vocabulary() -> dict[str, Any]:
    return {
        "terms": TERMS,
        "forms": {"threatened": "threaten", "knives": "knife", "shouted": "shout"},
        "stop_words": ["a", "and", "he", "her", "i", "she", "the", "was", "with"],
    }


def graph(weights: NDArray[np.float32] = WEIGHTS) -> bytes:
    """softmax(level(text) * place - place^2 / 2), place from -2 to 2: each step of level makes the next score likelier."""
    places = np.linspace(-2, 2, len(SCORES)).astype(np.float32)
    nodes = [
        helper.make_node("MatMul", ["counts", "weights"], ["logits"]),
        helper.make_node("Add", ["logits", "bias"], ["shifted"]),
        helper.make_node("Softmax", ["shifted"], ["probabilities"], axis=1),
    ]
    constants = {"weights": np.outer(weights, places).astype(np.float32), "bias": -(places**2) / 2}
    given = helper.make_tensor_value_info("counts", TensorProto.FLOAT, ["N", len(TERMS)])
    made = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["N", len(SCORES)])
    fixed = [numpy_helper.from_array(np.float32(value), name) for name, value in constants.items()]
    model = helper.make_model(
        helper.make_graph(nodes, "toy", [given], [made], fixed),
        opset_imports=[helper.make_opsetid("", 15)],
        ir_version=8,
    )
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def manifest(files: dict[str, bytes]) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "kind": "text",
        "family": FAMILY,
        "version": VERSION,
        "learnt_from": "nobody: a toy for tests",
        "files": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
        "libraries": {"numpy": np.__version__},
        "data": {},
        "seed": 1,
        "metrics": {},
        "scores": SCORES,
        "terms": len(TERMS),
        "served": "network",
    }


def drift_block() -> dict[str, Any]:
    """A drift baseline: half the logs up to .5 known, up to 2 terms, up to .5 sure; every score as often as any other."""
    halves = {"shares": [0.5, 0.5]}
    return {
        "known_words": {"edges": [0.5], **halves},
        "terms": {"edges": [2.0], **halves},
        "highest_probability": {"edges": [0.5], **halves},
        "scores": [0.2] * 5,
        "logs": 1000,
        "watch": 0.1,
        "alarm": 0.25,
        "fewest": 100,
    }


def toy_model(digest: str = "0" * 64, weights: NDArray[np.float32] = WEIGHTS, **changed: Any) -> TextModel:
    """The toy, loaded without a folder; `changed` members of the manifest."""
    files = {MODEL: graph(weights), VOCABULARY: json.dumps(vocabulary()).encode()}
    return TextModel(Bundle(TextManifest.model_validate_json(json.dumps(manifest(files) | changed)), digest, files))


def write_toy_text(
    artifacts: Path, *, golden: bytes | None = None, weights: NDArray[np.float32] = WEIGHTS, **changed: Any
) -> Path:
    """Write the bundle below `artifacts` and return its folder; `changed` members of the manifest."""
    folder = artifacts / FAMILY / str(changed.get("version", VERSION))
    folder.mkdir(parents=True)
    model = toy_model(weights=weights)
    answers = model.probabilities(model.counts(GOLDEN_TEXTS)).tolist()
    cases = [{"text": text, "probabilities": answer} for text, answer in zip(GOLDEN_TEXTS, answers, strict=True)]
    files = {
        MODEL: graph(weights),
        VOCABULARY: json.dumps(vocabulary()).encode(),
        GOLDEN: b"\n".join(json.dumps(case).encode() for case in cases) if golden is None else golden,
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
    (folder / "manifest.json").write_text(json.dumps(manifest(files) | changed))
    return folder
