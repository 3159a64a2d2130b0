"""Small tools for building ONNX graphs by hand: one opset, one IR version, named parts that can be merged."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import ArrayLike
from onnx import TensorProto, helper, numpy_helper

from app.harm.features import FEATURES, ROWS

OPSET, ML_OPSET, IR_VERSION = 15, 1, 8


class Graph:
    """Nodes and constants of one graph; every method returns the name of what it adds."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def node(self, kind: str, inputs: Sequence[str], outputs: Sequence[str] = (), **attributes: Any) -> str:
        """Add a node; name of its last output, made up where none is given. `domain` is passed on."""
        outputs = list(outputs) or [f"{self.name}_{kind.lower()}_{len(self._nodes)}"]
        self._nodes.append(helper.make_node(kind, list(inputs), outputs, **attributes))
        return outputs[-1]

    def constant(self, values: ArrayLike, dtype: type = np.float32) -> str:
        """Add a constant tensor."""
        name = f"{self.name}_constant_{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.asarray(values, dtype=dtype), name))
        return name

    def model(self, inputs: Mapping[str, Sequence[int]], outputs: Mapping[str, Sequence[int]]) -> onnx.ModelProto:
        """Close the graph: float32 inputs and outputs by name, with their shapes after the batch axis."""
        ends = [
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", *shape]) for name, shape in side.items()]
            for side in (inputs, outputs)
        ]
        graph = helper.make_graph(self._nodes, self.name, *ends, initializer=self._constants)
        return unified(helper.make_model(graph))


def unified(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model at this project's opsets and IR version, without the maker's stamps, checked by onnx."""
    graph = onnx.ModelProto()
    graph.CopyFrom(model)
    del graph.opset_import[:]
    graph.opset_import.extend([helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", ML_OPSET)])
    graph.ir_version = IR_VERSION
    graph.producer_name, graph.producer_version, graph.doc_string = "dayzero", "", ""
    del graph.metadata_props[:]
    onnx.checker.check_model(graph)
    return graph


FEATURES_INPUT = {"features": (ROWS, len(FEATURES))}
