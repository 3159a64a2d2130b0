"""Either stage of any stack as a graph of its own: what `training.harm.export` joins."""

from typing import Any

import onnx
from sklearn.linear_model import LogisticRegression

from app.harm.features import FEATURES, ROWS
from training.harm.first_stage import Scaled
from training.harm.graph import FEATURES_INPUT, Graph
from training.harm.onnx_cnn import cnn_graph
from training.harm.onnx_lstm import lstm_graph
from training.harm.onnx_scaling import standardised_rows
from training.harm.onnx_svm import regression_logits
from training.harm.onnx_tables import add_probabilities
from training.harm.onnx_trees import trees_graph
from training.harm.population import FLOOR, GROUP_COUNT

_FOUR = (GROUP_COUNT,)
_OWN_GRAPHS = {"xgboost": trees_graph, "lstm": lstm_graph, "cnn": cnn_graph}


def first_stage_graph(name: str, model: Any) -> onnx.ModelProto:
    """One model of the first stage: features (N, 20, 19) -> its only output, probabilities (N, 4)."""
    if name in _OWN_GRAPHS:
        return _OWN_GRAPHS[name](model)
    graph, output = Graph(f"first_{name}"), f"{name}_probabilities"
    rows, table = "features", model
    if isinstance(model, Scaled):
        (rows, _), table = standardised_rows(graph, model.scaling), model.model
    flat = graph.node("Reshape", [rows, graph.constant([-1, ROWS * len(FEATURES)], dtype=int)])
    add_probabilities(graph, table, flat, output)
    return graph.model(FEATURES_INPUT, {output: _FOUR})


def second_stage_graph(name: str, model: Any, population: LogisticRegression) -> onnx.ModelProto:
    """first_one, first_other (N, 4) -> probabilities, population_probabilities (N, 4)."""
    graph = Graph(name)
    stacked = graph.node("Concat", ["first_one", "first_other"], axis=1)
    add_probabilities(graph, model, stacked, "probabilities")
    floored = graph.node("Max", ["probabilities", graph.constant(FLOOR)])
    calibrated = regression_logits(graph, population, graph.node("Log", [floored]))
    graph.node("Softmax", [calibrated], ["population_probabilities"], axis=1)
    return graph.model(
        {"first_one": _FOUR, "first_other": _FOUR}, {"probabilities": _FOUR, "population_probabilities": _FOUR}
    )
