"""The second stage and the population calibration as matrix products: two (N, 4) in, two (N, 4) out."""

from itertools import combinations
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC

from training.harm.graph import Graph
from training.harm.population import FLOOR, GROUP_COUNT
from training.harm.svm import CalibratedSvm


def second_stage_graph(svm: CalibratedSvm, population: LogisticRegression) -> onnx.ModelProto:
    """first_trees, first_lstm (N, 4) -> probabilities, population_probabilities (N, 4)."""
    graph = Graph("svm")
    stacked = graph.node("Concat", ["first_trees", "first_lstm"], axis=1)
    order = interleaved(svm.machine.n_support_)
    kernel = _kernel(graph, stacked, svm.machine, order)
    weights = _constants(graph, pair_coefficients(svm.machine)[order], svm.machine.intercept_)
    margins = graph.node("Gemm", [kernel, *weights])
    logits = _regression(graph, margins, svm.link)
    graph.node("Softmax", [logits], ["probabilities"], axis=1)
    floored = graph.node("Max", ["probabilities", graph.constant(FLOOR)])
    calibrated = _regression(graph, graph.node("Log", [floored]), population)
    graph.node("Softmax", [calibrated], ["population_probabilities"], axis=1)
    four = (GROUP_COUNT,)
    return graph.model(
        {"first_trees": four, "first_lstm": four}, {"probabilities": four, "population_probabilities": four}
    )


def pair_coefficients(machine: SVC) -> NDArray[np.float64]:
    """Weight of each support vector in each one-against-one margin, (S, 6), pairs in order 01 02 03 12 13 23.

    `dual_coef_` keeps for a vector of class i its weights against the other classes in ascending order: row j - 1
    against a class j above it, row j against a class below it.
    """
    owner = np.repeat(np.arange(len(machine.n_support_)), machine.n_support_)
    pairs = list(combinations(range(len(machine.n_support_)), 2))
    out = np.zeros((len(owner), len(pairs)))
    for column, (low, high) in enumerate(pairs):
        out[owner == low, column] = machine.dual_coef_[high - 1, owner == low]
        out[owner == high, column] = machine.dual_coef_[low, owner == high]
    return out


def interleaved(counts: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
    """Order of the support vectors that mixes the classes evenly, (S,).

    One class pulls a margin up, the other down. Summed class by class in float32, what cancels in the end grows large
    on the way and takes the sixth decimal with it.
    """
    return np.argsort(np.concatenate([(np.arange(count) + 0.5) / count for count in counts]), kind="stable")


def _kernel(graph: Graph, stacked: str, machine: SVC, order: NDArray[np.int64]) -> str:
    """exp(-gamma * |x - s|^2) for every support vector, (N, S), the square opened so that it is one product.

    Centring both sides first keeps the squares small, and with them what cancels.
    """
    centre = machine.support_vectors_.mean(axis=0)
    vectors, gamma = machine.support_vectors_[order] - centre, float(machine._gamma)
    centred = graph.node("Sub", [stacked, graph.constant(centre)])
    square = graph.node("ReduceSumSquare", [centred], axes=[1], keepdims=1)
    both = graph.node("Concat", [centred, square], axis=1)
    factors = np.vstack([2 * gamma * vectors.T, np.full(len(vectors), -gamma)])
    return graph.node(
        "Exp", [graph.node("Gemm", [both, *_constants(graph, factors, -gamma * (vectors**2).sum(axis=1))])]
    )


def _regression(graph: Graph, inputs: str, model: LogisticRegression) -> str:
    """Logits of a multinomial regression."""
    return graph.node("Gemm", [inputs, *_constants(graph, model.coef_.T, model.intercept_)])


def _constants(graph: Graph, *values: NDArray[np.float64]) -> list[str]:
    return [graph.constant(value) for value in values]
