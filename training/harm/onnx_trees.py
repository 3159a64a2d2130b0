"""XGBoost of the first stage as an ONNX tree ensemble: features (N, 20, 19) -> tree_probabilities (N, 4)."""

import onnx
from onnx import compose
from xgboost import XGBClassifier

from app.harm.features import FEATURES, ROWS
from training.harm.graph import FEATURES_INPUT, Graph, unified
from training.harm.onnx_tables import convert_boosted

_WIDTH = ROWS * len(FEATURES)


def trees_graph(model: XGBClassifier) -> onnx.ModelProto:
    """The converted model behind the flattening; its label output is dropped."""
    converted = convert_boosted(model, _WIDTH)
    # The converter invents a name at every call; the same fit must give the same bytes.
    converted.graph.name = "trees"
    (ensemble,) = converted.graph.node
    label, probabilities = ensemble.output
    ensemble.output[:] = [label, "tree_probabilities"]
    kept = next(output for output in converted.graph.output if output.name == probabilities)
    kept.name = "tree_probabilities"
    del converted.graph.output[:]
    converted.graph.output.append(kept)

    flat = Graph("flat")
    flat.node("Reshape", ["features", flat.constant([-1, _WIDTH], dtype=int)], ["flattened"])
    return compose.merge_models(
        flat.model(FEATURES_INPUT, {"flattened": (_WIDTH,)}), unified(converted), io_map=[("flattened", "flat")]
    )
