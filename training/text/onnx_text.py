"""The network and its rival as ONNX graphs, built by hand: counts (N, T) -> probabilities (N, 5)."""

import onnx

from training.harm.graph import Graph
from training.text.network import CLASSES, TextNetwork
from training.text.rivals import Logistic

_OUT = "probabilities"


def network_graph(model: TextNetwork) -> onnx.ModelProto:
    """Every layer as a product with its weights; dropout is for training alone."""
    graph = Graph("text")
    *hidden, last = model.weights()
    value = "counts"
    for layer in hidden:
        product = graph.node("Gemm", [value, graph.constant(layer.weight), graph.constant(layer.bias)], transB=1)
        value = graph.node("Relu", [product])
    logits = graph.node("Gemm", [value, graph.constant(last.weight), graph.constant(last.bias)], transB=1)
    return _closed(graph, logits, hidden[0].weight.shape[1])


def logistic_graph(model: Logistic) -> onnx.ModelProto:
    """Sublinear counts, weights, unit length, one product."""
    graph = Graph("text")
    one = graph.constant(1.0)
    present = graph.node("Min", ["counts", one])
    logs = graph.node("Log", [graph.node("Max", ["counts", one])])
    weighted = graph.node("Mul", [graph.node("Add", [logs, present]), graph.constant(model.tf_idf.weights)])
    length = graph.node("ReduceL2", [weighted], axes=[1], keepdims=1)
    unit = graph.node("Div", [weighted, graph.node("Max", [length, graph.constant(1e-12)])])
    logits = graph.node("Gemm", [unit, graph.constant(model.weight), graph.constant(model.bias)], transB=1)
    return _closed(graph, logits, len(model.tf_idf.weights))


def _closed(graph: Graph, logits: str, terms: int) -> onnx.ModelProto:
    graph.node("Softmax", [logits], [_OUT], axis=1)
    return graph.model({"counts": (terms,)}, {_OUT: (CLASSES,)})


def graph_bytes(model: onnx.ModelProto) -> bytes:
    """The same model, the same bytes."""
    return bytes(model.SerializeToString(deterministic=True))
