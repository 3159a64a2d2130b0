"""The convolutional network as ONNX nodes: features -> cnn_probabilities (N, 4)."""

import onnx
from torch import nn

from training.harm.cnn import WIDTH, HarmCnn
from training.harm.graph import FEATURES_INPUT, Graph
from training.harm.onnx_scaling import array, standardised_rows
from training.harm.population import GROUP_COUNT
from training.harm.scaling import Scaling


def cnn_graph(model: HarmCnn) -> onnx.ModelProto:
    """Scaling, two masked convolutions, the pool, the index incident's own values, and the last layer."""
    graph = Graph("first_cnn")
    rows, mask = standardised_rows(graph, Scaling(model.mean, model.scale))
    values, mask = (graph.node("Transpose", [name], perm=[0, 2, 1]) for name in (rows, mask))
    for layer in (model.first, model.second):
        values = graph.node("Mul", [graph.node("Relu", [_convolution(graph, values, layer)]), mask])
    pooled = graph.node("ReduceMax", [values], axes=[2], keepdims=0)
    index = graph.node("Gather", [values, graph.constant(-1, dtype=int)], axis=2)
    both = graph.node("Concat", [pooled, index], axis=1)
    head = [graph.constant(array(part)) for part in (model.head.weight, model.head.bias)]
    graph.node("Softmax", [graph.node("Gemm", [both, *head], transB=1)], ["cnn_probabilities"], axis=1)
    return graph.model(FEATURES_INPUT, {"cnn_probabilities": (GROUP_COUNT,)})


def _convolution(graph: Graph, values: str, layer: nn.Conv1d) -> str:
    parameters = [graph.constant(array(part)) for part in (layer.weight, layer.bias)]
    return graph.node("Conv", [values, *parameters], kernel_shape=[WIDTH], pads=[WIDTH // 2, WIDTH // 2])
