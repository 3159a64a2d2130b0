"""Logarithms and standardisation of histories as ONNX nodes; `training.harm.scaling` says what they compute."""

import numpy as np
import onnx
from numpy.typing import NDArray
from torch import Tensor

from training.harm.graph import Graph
from training.harm.scaling import Scaling, multipliers

Floats32 = NDArray[np.float32]


def array(parameter: Tensor) -> Floats32:
    """Values of a torch parameter or buffer."""
    return np.asarray(parameter.detach().numpy(), dtype=np.float32)


def real_rows(graph: Graph) -> str:
    """Which rows of `features` are real, bool (N, 20): padding is zero throughout."""
    largest = graph.node("ReduceMax", [graph.node("Abs", ["features"])], axes=[2], keepdims=0)
    return graph.node("Greater", [largest, graph.constant(0.0)])


def logged_rows(graph: Graph, rows: str, multiplier: Floats32) -> str:
    """log(1 + multiplier * x), plus x where the multiplier is 0."""
    inner = graph.node("Mul", [rows, graph.constant(multiplier)])
    logarithm = graph.node("Log", [graph.node("Add", [inner, graph.constant(1.0)])])
    linear = graph.node("Mul", [rows, graph.constant(multiplier == 0)])
    return graph.node("Add", [logarithm, linear])


def standardised_rows(graph: Graph, scaling: Scaling) -> tuple[str, str]:
    """(standardised rows of `features`, padding zero (N, 20, 19); which rows are real, 0 or 1 (N, 20, 1))."""
    real = graph.node("Cast", [real_rows(graph)], to=onnx.TensorProto.FLOAT)
    mask = graph.node("Unsqueeze", [real, graph.constant([2], dtype=int)])
    moved = graph.node(
        "Sub", [logged_rows(graph, "features", array(multipliers())), graph.constant(array(scaling.mean))]
    )
    scaled = graph.node("Div", [moved, graph.constant(array(scaling.scale))])
    return graph.node("Mul", [scaled, mask]), mask
