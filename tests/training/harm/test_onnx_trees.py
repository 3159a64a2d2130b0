import numpy as np

from tests.training.harm.people import People
from tests.training.harm.runtime import run
from training.harm.check import on_thresholds
from training.harm.classifier import Stack
from training.harm.onnx_trees import trees_graph
from training.harm.splits import table_splits
from training.harm.trees import tree_probabilities


def test_graph_equals_xgboost(stack: Stack, nominals: People) -> None:
    (found,) = run(trees_graph(stack.first[0]), nominals.x)
    np.testing.assert_allclose(found, tree_probabilities(stack.first[0], nominals.x), atol=1e-6)


def test_values_on_thresholds_take_the_same_branch(stack: Stack, nominals: People) -> None:
    splits = table_splits(stack.first[0])
    x = on_thresholds(nominals.x, splits, np.random.default_rng(1))
    assert np.isin(x.reshape(len(x), -1)[:, splits.feature], splits.threshold).any()
    (found,) = run(trees_graph(stack.first[0]), x)
    np.testing.assert_allclose(found, tree_probabilities(stack.first[0], x), atol=1e-6)


def test_thresholds_matter_for_the_test_above(stack: Stack, nominals: People) -> None:
    """With `<=` in place of `<` the answers differ: the inputs do lie on splits."""
    graph = trees_graph(stack.first[0])
    x = on_thresholds(nominals.x, table_splits(stack.first[0]), np.random.default_rng(1))
    ensemble = next(node for node in graph.graph.node if node.op_type == "TreeEnsembleClassifier")
    modes = next(attribute for attribute in ensemble.attribute if attribute.name == "nodes_modes")
    modes.strings[:] = [b"BRANCH_LEQ" if mode == b"BRANCH_LT" else mode for mode in modes.strings]
    (found,) = run(graph, x)
    assert np.abs(found - tree_probabilities(stack.first[0], x)).max() > 1e-3
