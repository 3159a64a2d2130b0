"""Network and rivals: their arithmetic against other ways to it, and their graphs against them."""

from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch
from numpy.typing import NDArray
from scipy.optimize import check_grad
from scipy.sparse import csr_array
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.metrics import cohen_kappa_score

from app.text.manifest import SCORES
from training.harm.progress import Stages
from training.text import rivals
from training.text.matrix import fit_tf_idf
from training.text.measure import absolute_error, accuracy, confusion, measure, quadratic_kappa
from training.text.network import LAYERS, TextNetwork, exact_probabilities, fit_network, network_probabilities
from training.text.onnx_text import graph_bytes, logistic_graph, network_graph
from training.text.rivals import fit_logistic, fit_ordinal

TERMS = 40


def texts(rows: int, seed: int = 1) -> tuple[csr_array, NDArray[np.int64]]:
    """Counts in which the first columns tell the class."""
    rng = np.random.default_rng(seed)
    y = np.arange(rows) % 5
    rate = 0.15 + 0.8 * (np.arange(TERMS)[None] % 5 == y[:, None]) * (np.arange(TERMS) < 20)
    return csr_array(rng.poisson(rate).astype(np.float32)), y


def run(graph: onnx.ModelProto, x: csr_array) -> NDArray[np.float64]:
    session = ort.InferenceSession(graph_bytes(graph), providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"counts": x.toarray().astype(np.float32)})[0], dtype=np.float64)


@pytest.fixture(scope="module")
def network() -> TextNetwork:
    torch.manual_seed(2)
    return TextNetwork(TERMS).eval()


def test_it_has_the_published_layers(network: TextNetwork) -> None:
    shapes = [weights.weight.shape for weights in network.weights()]
    assert shapes == [(1028, TERMS), (512, 1028), (256, 512), (128, 256), (32, 128), (5, 32)]
    assert (*LAYERS, 5) == (1028, 512, 256, 128, 32, 5)
    assert network.dropout.p == 0.2


def test_sparse_dense_exact_and_exported_agree(network: TextNetwork) -> None:
    x, _ = texts(60)
    x = csr_array(np.vstack([x.toarray(), np.zeros((1, TERMS), dtype=np.float32)]))
    found = network_probabilities(network, x)
    np.testing.assert_allclose(found, exact_probabilities(network, x.toarray()), atol=1e-6)
    np.testing.assert_allclose(run(network_graph(network), x), found, atol=1e-6)
    for size in (1, 2):
        np.testing.assert_allclose(run(network_graph(network), x[:size]), found[:size], atol=1e-6)


def test_it_learns_stops_and_gives_the_same_twice() -> None:
    x, y = texts(500)
    inner_x, inner_y = texts(150, seed=2)
    one, epochs = fit_network(x, y, inner_x, inner_y, 3, Stages())
    again, _ = fit_network(x, y, inner_x, inner_y, 3, Stages())
    found = network_probabilities(one, inner_x)
    assert accuracy(confusion(inner_y, found.argmax(axis=1))) > 0.4
    assert 1 <= epochs <= 12
    np.testing.assert_array_equal(found, network_probabilities(again, inner_x))


def test_tf_idf_is_that_of_a_library() -> None:
    x, _ = texts(80)
    library = TfidfTransformer(sublinear_tf=True).fit_transform(x).toarray()
    np.testing.assert_allclose(fit_tf_idf(x)(x).toarray(), library, atol=1e-6)


def test_the_logistic_rival_and_its_graph_agree() -> None:
    x, y = texts(600)
    model = fit_logistic(fit_tf_idf(x), x, y)
    empty = csr_array(np.vstack([x.toarray()[:50], np.zeros((1, TERMS), dtype=np.float32)]))
    np.testing.assert_allclose(run(logistic_graph(model), empty), model.probabilities(empty), atol=1e-6)
    assert accuracy(confusion(y, model.probabilities(x).argmax(axis=1))) > 0.8


def test_the_ordinal_rival_has_the_gradient_it_says_and_finds_an_order() -> None:
    rng = np.random.default_rng(4)
    rows = csr_array(rng.normal(size=(120, 6)))
    y = np.clip(np.round(rows.toarray() @ [1.0, -2, 0, 0, 0.5, 0] + rng.logistic(size=120) / 2) + 2, 0, 4).astype(
        np.int64
    )
    start = np.concatenate([rng.normal(size=6) / 5, [-1.5, 0.1, -0.2, 0.3]])
    apart = check_grad(lambda p: rivals._loss(p, rows, y)[0], lambda p: rivals._loss(p, rows, y)[1], start)
    assert apart < 1e-3
    x, classes = texts(400)
    by_level = csr_array(np.hstack([x.toarray(), classes[:, None] + 1.0]).astype(np.float32))
    model = fit_ordinal(fit_tf_idf(by_level), by_level, classes)
    chances = model.probabilities(by_level)
    np.testing.assert_allclose(chances.sum(axis=1), 1.0)
    assert (chances >= 0).all()
    assert (np.diff(model.thresholds) > 0).all()


def test_measures_are_those_of_a_library_and_of_a_slow_count() -> None:
    rng = np.random.default_rng(6)
    true, named = rng.integers(0, 5, 500), rng.integers(0, 5, 500)
    matrix = confusion(true, named)
    assert matrix[1, 3] == sum((a, b) == (1, 3) for a, b in zip(true, named, strict=True))
    assert accuracy(matrix) == (true == named).mean()
    apart = [abs(SCORES[a] - SCORES[b]) for a, b in zip(true, named, strict=True)]
    assert absolute_error(matrix) == pytest.approx(np.mean(apart))
    assert quadratic_kappa(matrix) == pytest.approx(cohen_kappa_score(true, named, weights="quadratic"))


def test_intervals_hold_the_value_and_narrow_with_more_texts() -> None:
    rng = np.random.default_rng(8)

    def told(rows: int) -> dict[str, Any]:
        true = rng.integers(0, 5, rows)
        chances = np.full((rows, 5), 0.1)
        chances[np.arange(rows), np.where(rng.random(rows) < 0.7, true, (true + 1) % 5)] += 1
        return measure(true, chances, seed=1)

    few, many = told(200), told(20_000)
    for found in (few, many):
        for name in ("accuracy", "mean_absolute_error", "quadratic_kappa"):
            assert found[name]["low"] <= found[name]["value"] <= found[name]["high"]
    assert many["accuracy"]["high"] - many["accuracy"]["low"] < 0.3 * (few["accuracy"]["high"] - few["accuracy"]["low"])
