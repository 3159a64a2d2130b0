"""Everything fitted, as two ONNX graphs that take the same features: nothing the service loads needs unpickling."""

import onnx
from onnx import compose
from sksurv.ensemble import RandomSurvivalForest

from training.harm.classifier import Stack
from training.harm.graph import unified
from training.harm.onnx_lstm import lstm_graph
from training.harm.onnx_survival import survival_graph
from training.harm.onnx_svm import second_stage_graph
from training.harm.onnx_trees import trees_graph


def export_model(stack: Stack) -> bytes:
    """The stack in one graph: features (N, 20, 19) -> probabilities, population_probabilities (N, 4), float32."""
    lstm = compose.add_prefix(lstm_graph(stack.lstm), "lstm/")
    both = compose.merge_models(trees_graph(stack.trees), lstm, io_map=[])
    joined = compose.merge_models(
        both,
        second_stage_graph(stack.svm, stack.population),
        io_map=[("tree_probabilities", "first_trees"), ("lstm/lstm_probabilities", "first_lstm")],
    )
    return _bytes(_one_input(joined))


def export_survival(forest: RandomSurvivalForest) -> bytes:
    """The forest: features (N, 20, 19) -> survival (N, 366), float32."""
    return _bytes(survival_graph(forest))


def _one_input(model: onnx.ModelProto) -> onnx.ModelProto:
    """Let both halves read the one input `features`."""
    for node in model.graph.node:
        node.input[:] = ["features" if name == "lstm/features" else name for name in node.input]
    kept = [given for given in model.graph.input if given.name == "features"]
    del model.graph.input[:]
    model.graph.input.extend(kept)
    return model


def _bytes(model: onnx.ModelProto) -> bytes:
    return bytes(unified(model).SerializeToString(deterministic=True))
