"""The LSTM as ONNX nodes, built by hand so that the batch stays dynamic: features -> lstm_probabilities (N, 4).

Torch orders an LSTM's gates input, forget, cell, output; ONNX orders them input, output, forget, cell.
"""

import numpy as np
import onnx
from numpy.typing import NDArray

from app.harm.features import FEATURES, ROWS
from training.harm.graph import FEATURES_INPUT, Graph
from training.harm.lstm import HarmLstm
from training.harm.onnx_scaling import array, logged_rows, real_rows
from training.harm.population import GROUP_COUNT

_WIDTH = len(FEATURES)
Floats32 = NDArray[np.float32]


def lstm_graph(model: HarmLstm) -> onnx.ModelProto:
    """Logarithms, the move of real rows to the front, the LSTM over each history's own length, and the last layer."""
    graph = Graph("lstm")
    lengths, steps = _rows_to_front(graph)
    bias, weights = _standardised(model)
    recurrent = _gates(array(model.lstm.weight_hh_l0))
    biases = np.concatenate([_gates(bias), _gates(array(model.lstm.bias_hh_l0))])
    constants = [graph.constant(part[None]) for part in (_gates(weights), recurrent, biases)]
    inputs = [logged_rows(graph, steps, array(model.multiplier)), *constants, lengths]
    state = graph.node("LSTM", inputs, ["", "lstm_state"], hidden_size=int(model.lstm.hidden_size))
    last = graph.node("Squeeze", [state, graph.constant([0], dtype=int)])
    head = [graph.constant(array(part)) for part in (model.head.weight, model.head.bias)]
    logits = graph.node("Gemm", [last, *head], transB=1)
    graph.node("Softmax", [logits], ["lstm_probabilities"], axis=1)
    return graph.model(FEATURES_INPUT, {"lstm_probabilities": (GROUP_COUNT,)})


def _rows_to_front(graph: Graph) -> tuple[str, str]:
    """(number of real rows (N,) int32, rows as an LSTM takes them (20, N, 19), the real ones first).

    Row p of nominal i comes from row (p - length) mod 20 of i: gathered from all rows laid end to end.
    """
    real = graph.node("Cast", [real_rows(graph)], to=onnx.TensorProto.INT64)
    lengths = graph.node("ReduceSum", [real, graph.constant([1], dtype=int)], keepdims=0)
    rotated = graph.node("Sub", [graph.constant(np.arange(ROWS)[:, None], dtype=int), lengths])
    within = graph.node("Mod", [rotated, graph.constant(ROWS, dtype=int)])
    count = graph.node("Squeeze", [graph.node("Shape", [lengths])])
    rows = graph.constant(ROWS, dtype=int)
    first = graph.node("Range", [graph.constant(0, dtype=int), graph.node("Mul", [count, rows]), rows])
    table = graph.node("Reshape", ["features", graph.constant([-1, _WIDTH], dtype=int)])
    steps = graph.node("Gather", [table, graph.node("Add", [within, first])])
    return graph.node("Cast", [lengths], to=onnx.TensorProto.INT32), steps


def _standardised(model: HarmLstm) -> tuple[Floats32, Floats32]:
    """(bias, input weights) that take rows before standardisation: folded in, it costs nothing at run time."""
    weights = model.lstm.weight_ih_l0.detach().numpy().astype(np.float64) / model.scale.numpy()
    bias = model.lstm.bias_ih_l0.detach().numpy() - weights @ model.mean.numpy()
    return bias.astype(np.float32), weights.astype(np.float32)


def _gates(parameter: Floats32) -> Floats32:
    """Rows of a torch LSTM parameter (4 x hidden, ...) from gate order i, f, c, o to i, o, f, c."""
    entry, forget, cell, out = np.split(parameter, 4)
    return np.concatenate([entry, out, forget, cell])
