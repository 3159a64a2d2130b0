"""Everything fitted, as two ONNX graphs that take the same features: nothing the service loads needs unpickling."""

import onnx
from onnx import compose
from sksurv.ensemble import RandomSurvivalForest

from training.harm.classifier import Stack
from training.harm.graph import unified
from training.harm.onnx_stages import first_stage_graph, second_stage_graph
from training.harm.onnx_survival import survival_graph


def export_model(stack: Stack) -> bytes:
    """The stack in one graph: features (N, 20, 19) -> probabilities, population_probabilities (N, 4), float32."""
    (name, other_name), (model, other_model) = stack.structure.first, stack.first
    one = first_stage_graph(name, model)
    other = compose.add_prefix(first_stage_graph(other_name, other_model), f"{other_name}/")
    joined = compose.merge_models(
        compose.merge_models(one, other, io_map=[]),
        second_stage_graph(stack.structure.second, stack.second, stack.population),
        io_map=[(one.graph.output[0].name, "first_one"), (other.graph.output[0].name, "first_other")],
    )
    return _bytes(_one_input(joined, f"{other_name}/features"))


def export_survival(forest: RandomSurvivalForest) -> bytes:
    """The forest: features (N, 20, 19) -> survival (N, 366), float32."""
    return _bytes(survival_graph(forest))


def _one_input(model: onnx.ModelProto, second: str) -> onnx.ModelProto:
    """Let both halves read the one input `features`."""
    for node in model.graph.node:
        node.input[:] = ["features" if name == second else name for name in node.input]
    kept = [given for given in model.graph.input if given.name == "features"]
    del model.graph.input[:]
    model.graph.input.extend(kept)
    return model


def _bytes(model: onnx.ModelProto) -> bytes:
    return bytes(unified(model).SerializeToString(deterministic=True))
