"""A support vector machine as matrix products: its kernel, its pairwise margins and the regression that reads them."""

from itertools import combinations
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC

from training.harm.graph import Graph
from training.harm.svm import CalibratedSvm

_MOST_NARROW = 8


def svm_logits(graph: Graph, svm: CalibratedSvm, values: str) -> str:
    """Kernel, margins and link: values (N, K) -> logits (N, 4).

    A wide table is worked out in float64: squared distances over 380 columns grow, and float32 keeps too little of them.
    """
    wide = svm.machine.support_vectors_.shape[1] > _MOST_NARROW
    dtype = np.float64 if wide else np.float32
    if wide:
        values = graph.node("Cast", [values], to=onnx.TensorProto.DOUBLE)
    order = interleaved(svm.machine.n_support_)
    kernel = _kernel(graph, values, svm.machine, order, dtype)
    weights = _constants(graph, pair_coefficients(svm.machine)[order], svm.machine.intercept_, dtype=dtype)
    margins = graph.node("Gemm", [kernel, *weights])
    if wide:
        margins = graph.node("Cast", [margins], to=onnx.TensorProto.FLOAT)
    return regression_logits(graph, svm.link, margins)


def regression_logits(graph: Graph, model: LogisticRegression, values: str) -> str:
    """Logits of a multinomial regression: values (N, K) -> (N, 4)."""
    return graph.node("Gemm", [values, *_constants(graph, model.coef_.T, model.intercept_)])


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


def _kernel(graph: Graph, values: str, machine: SVC, order: NDArray[np.int64], dtype: type) -> str:
    """exp(-gamma * |x - s|^2) for every support vector, (N, S), the square opened so that it is one product.

    Centring both sides first keeps the squares small, and with them what cancels.
    """
    centre = machine.support_vectors_.mean(axis=0)
    vectors, gamma = machine.support_vectors_[order] - centre, float(machine._gamma)
    centred = graph.node("Sub", [values, graph.constant(centre, dtype)])
    square = graph.node("ReduceSumSquare", [centred], axes=[1], keepdims=1)
    both = graph.node("Concat", [centred, square], axis=1)
    factors = np.vstack([2 * gamma * vectors.T, np.full(len(vectors), -gamma)])
    constants = _constants(graph, factors, -gamma * (vectors**2).sum(axis=1), dtype=dtype)
    return graph.node("Exp", [graph.node("Gemm", [both, *constants])])


def _constants(graph: Graph, *values: NDArray[np.float64], dtype: type = np.float32) -> list[str]:
    return [graph.constant(value, dtype) for value in values]
