"""Classifiers of tables as ONNX nodes: values (N, K) -> probabilities of the four groups (N, 4)."""

from typing import Any

import numpy as np
import onnx
from onnxmltools import convert_xgboost
from onnxmltools.convert.common.data_types import FloatTensorType
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from xgboost import XGBClassifier

from training.harm.graph import OPSET, Graph
from training.harm.onnx_forest import ensemble, leaves_of
from training.harm.onnx_svm import regression_logits, svm_logits
from training.harm.population import GROUP_COUNT
from training.harm.svm import CalibratedSvm
from training.harm.tables import GBM_RATE


def add_probabilities(graph: Graph, model: Any, values: str, output: str) -> None:
    """Add whatever nodes turn `values` into the model's probabilities under the name `output`."""
    if isinstance(model, RandomForestClassifier):
        graph.node("TreeEnsembleRegressor", [values], [output], domain="ai.onnx.ml", **_forest(model))
    elif isinstance(model, XGBClassifier):
        node = boosted_node(model, model.n_features_in_)
        attributes = {each.name: onnx.helper.get_attribute_value(each) for each in node.attribute}
        graph.node(node.op_type, [values], [f"{output}_label", output], domain=node.domain, **attributes)
    else:
        graph.node("Softmax", [_logits(graph, model, values)], [output], axis=1)


def boosted_node(model: XGBClassifier, width: int) -> onnx.NodeProto:
    """The one node of the converted scikit-learn wrapper; splits stay strict (`<`).

    The wrapper knows its best iteration, a raw booster would bring every round along.
    """
    (node,) = convert_boosted(model, width).graph.node
    return node


def convert_boosted(model: XGBClassifier, width: int) -> onnx.ModelProto:
    """XGBoost as the converter gives it: flat (N, width) -> label, probabilities."""
    return convert_xgboost(model, initial_types=[("flat", FloatTensorType([None, width]))], target_opset=OPSET)


def _logits(graph: Graph, model: Any, values: str) -> str:
    if isinstance(model, CalibratedSvm):
        return svm_logits(graph, model, values)
    if isinstance(model, LogisticRegression):
        return regression_logits(graph, model, values)
    if isinstance(model, MLPClassifier):
        return _network_logits(graph, model, values)
    if isinstance(model, GradientBoostingClassifier):
        return graph.node("TreeEnsembleRegressor", [values], domain="ai.onnx.ml", **_boosting(model))
    raise TypeError(f"no export for {type(model).__name__}")


def _network_logits(graph: Graph, model: MLPClassifier, values: str) -> str:
    (inner, outer), (first, last) = model.coefs_, model.intercepts_
    hidden = graph.node("Relu", [graph.node("Gemm", [values, graph.constant(inner), graph.constant(first)])])
    return graph.node("Gemm", [hidden, graph.constant(outer), graph.constant(last)])


def _forest(model: RandomForestClassifier) -> dict[str, Any]:
    """The mean over the trees of the group shares in the leaf a nominal falls in."""
    trees = [each.tree_ for each in model.estimators_]
    leaves = []
    for tree in trees:
        nodes = leaves_of(tree)
        shares = tree.value[nodes, 0] / tree.value[nodes, 0].sum(axis=1, keepdims=True) / len(trees)
        groups = np.tile(np.arange(GROUP_COUNT), len(nodes))
        leaves.append((np.repeat(nodes, GROUP_COUNT), groups, shares.ravel()))
    return ensemble(trees, leaves, GROUP_COUNT)


def _boosting(model: GradientBoostingClassifier) -> dict[str, Any]:
    """Logits: those of the group shares in training, then a step of each tree towards its own group."""
    trees = [each.tree_ for each in model.estimators_.ravel()]
    leaves = []
    for place, tree in enumerate(trees):
        nodes = leaves_of(tree)
        leaves.append((nodes, np.full(len(nodes), place % GROUP_COUNT), GBM_RATE * tree.value[nodes, 0, 0]))
    start = model._raw_predict_init(np.zeros((1, model.n_features_in_)))
    return {**ensemble(trees, leaves, GROUP_COUNT), "base_values": start[0].tolist()}
