"""The LSTM as ONNX nodes, built by hand so that the batch stays dynamic: features -> lstm_probabilities (N, 4).

Torch orders an LSTM's gates input, forget, cell, output; ONNX orders them input, output, forget, cell.
"""

import numpy as np
import onnx
from numpy.typing import NDArray
from torch import Tensor

from app.harm.features import FEATURES, ROWS
from training.harm.graph import FEATURES_INPUT, Graph
from training.harm.lstm import GROUP_COUNT, HarmLstm

_WIDTH = len(FEATURES)
Floats32 = NDArray[np.float32]


def lstm_graph(model: HarmLstm) -> onnx.ModelProto:
    """Logarithms, the move of real rows to the front, the LSTM over each history's own length, and the last layer."""
    graph = Graph("lstm")
    lengths, steps = _rows_to_front(graph)
    bias, weights = _standardised(model)
    recurrent = _gates(_array(model.lstm.weight_hh_l0))
    biases = np.concatenate([_gates(bias), _gates(_array(model.lstm.bias_hh_l0))])
    constants = [graph.constant(part[None]) for part in (_gates(weights), recurrent, biases)]
    inputs = [_logged(graph, steps, _array(model.multiplier)), *constants, lengths]
    state = graph.node("LSTM", inputs, ["", "lstm_state"], hidden_size=int(model.lstm.hidden_size))
    last = graph.node("Squeeze", [state, graph.constant([0], dtype=int)])
    head = [graph.constant(_array(part)) for part in (model.head.weight, model.head.bias)]
    logits = graph.node("Gemm", [last, *head], transB=1)
    graph.node("Softmax", [logits], ["lstm_probabilities"], axis=1)
    return graph.model(FEATURES_INPUT, {"lstm_probabilities": (GROUP_COUNT,)})


def _rows_to_front(graph: Graph) -> tuple[str, str]:
    """(number of real rows (N,) int32, rows as an LSTM takes them (20, N, 19), the real ones first).

    Row p of nominal i comes from row (p - length) mod 20 of i: gathered from all rows laid end to end.
    """
    largest = graph.node("ReduceMax", [graph.node("Abs", ["features"])], axes=[2], keepdims=0)
    real = graph.node("Cast", [graph.node("Greater", [largest, graph.constant(0.0)])], to=onnx.TensorProto.INT64)
    lengths = graph.node("ReduceSum", [real, graph.constant([1], dtype=int)], keepdims=0)
    rotated = graph.node("Sub", [graph.constant(np.arange(ROWS)[:, None], dtype=int), lengths])
    within = graph.node("Mod", [rotated, graph.constant(ROWS, dtype=int)])
    count = graph.node("Squeeze", [graph.node("Shape", [lengths])])
    rows = graph.constant(ROWS, dtype=int)
    first = graph.node("Range", [graph.constant(0, dtype=int), graph.node("Mul", [count, rows]), rows])
    table = graph.node("Reshape", ["features", graph.constant([-1, _WIDTH], dtype=int)])
    steps = graph.node("Gather", [table, graph.node("Add", [within, first])])
    return graph.node("Cast", [lengths], to=onnx.TensorProto.INT32), steps


def _logged(graph: Graph, rows: str, multiplier: Floats32) -> str:
    """log(1 + multiplier * x), plus x where the multiplier is 0."""
    inner = graph.node("Mul", [rows, graph.constant(multiplier)])
    logarithm = graph.node("Log", [graph.node("Add", [inner, graph.constant(1.0)])])
    linear = graph.node("Mul", [rows, graph.constant(multiplier == 0)])
    return graph.node("Add", [logarithm, linear])


def _standardised(model: HarmLstm) -> tuple[Floats32, Floats32]:
    """(bias, input weights) that take rows before standardisation: folded in, it costs nothing at run time."""
    weights = model.lstm.weight_ih_l0.detach().numpy().astype(np.float64) / model.scale.numpy()
    bias = model.lstm.bias_ih_l0.detach().numpy() - weights @ model.mean.numpy()
    return bias.astype(np.float32), weights.astype(np.float32)


def _gates(parameter: Floats32) -> Floats32:
    """Rows of a torch LSTM parameter (4 x hidden, ...) from gate order i, f, c, o to i, o, f, c."""
    entry, forget, cell, out = np.split(parameter, 4)
    return np.concatenate([entry, out, forget, cell])


def _array(parameter: Tensor) -> Floats32:
    return np.asarray(parameter.detach().numpy(), dtype=np.float32)
