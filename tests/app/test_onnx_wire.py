"""Graphs that keep tensors outside themselves are found, wherever in the graph such a tensor stands."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from google.protobuf.message import DecodeError
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from app.artifacts import load_bundle
from app.errors import SetupError
from app.onnx_wire import INSIDE, has_external_data
from tests.toy_bundle import classifier, survival, write_toy


def outside(tensor: TensorProto) -> TensorProto:
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "weights.bin"
    tensor.ClearField("raw_data")
    return tensor


def weights() -> TensorProto:
    return numpy_helper.from_array(np.arange(6, dtype=np.float32).reshape(2, 3), "w")


def model_of(tensor: TensorProto, where: str) -> bytes:
    """A graph with this tensor at one of the places a tensor can stand."""
    graph = helper.make_graph([], "g", [], [])
    model = helper.make_model(graph)
    inner = helper.make_graph([], "inner", [], [], [tensor])
    sparse = onnx.SparseTensorProto(values=tensor)
    attributes = {
        "constant": helper.make_attribute("value", tensor),
        "branch": helper.make_attribute("then_branch", inner),
        "tensors": helper.make_attribute("many", [tensor]),
        "graphs": helper.make_attribute("many", [inner]),
        "sparse": helper.make_attribute("one", sparse),
    }
    if where == "initializer":
        model.graph.initializer.append(tensor)
    elif where == "sparse initializer":
        model.graph.sparse_initializer.append(sparse)
    elif where == "function":
        node = onnx.NodeProto(op_type="Constant", attribute=[attributes["constant"]])
        model.functions.append(onnx.FunctionProto(name="f", node=[node]))
    elif where == "training":
        model.training_info.append(onnx.TrainingInfoProto(algorithm=inner))
    else:
        model.graph.node.append(onnx.NodeProto(op_type="If", attribute=[attributes[where]]))
    return bytes(model.SerializeToString())


PLACES = [
    "initializer",
    "sparse initializer",
    "function",
    "training",
    "constant",
    "branch",
    "tensors",
    "graphs",
    "sparse",
]


@pytest.mark.parametrize("where", PLACES)
def test_tensors_outside_the_file_are_found_wherever_they_stand(where: str) -> None:
    assert has_external_data(model_of(outside(weights()), where))
    assert not has_external_data(model_of(weights(), where))


def test_half_of_the_mark_is_enough() -> None:
    located, listed = weights(), weights()
    located.data_location = TensorProto.EXTERNAL
    listed.external_data.add().key = "location"
    explicit = weights()
    explicit.data_location = TensorProto.DEFAULT
    found = [has_external_data(model_of(one, "initializer")) for one in (located, listed, explicit)]
    assert found == [True, True, False]


def test_the_fields_followed_are_all_that_lead_to_tensors() -> None:
    """Against the onnx package's own description of the format."""
    wanted = {name: getattr(onnx, name).DESCRIPTOR for name in INSIDE}
    for name, description in wanted.items():
        leading = {
            field.number: field.message_type.name
            for field in description.fields
            if field.message_type is not None and field.message_type.name in INSIDE
        }
        assert INSIDE[name] == leading, name


def test_the_whole_artefact_is_refused(tmp_path: Path) -> None:
    folder = write_toy(tmp_path, model=model_of(outside(weights()), "initializer"), golden=b"{}")
    with pytest.raises(SetupError, match="outside itself"):
        load_bundle(folder)


@pytest.mark.parametrize(
    "graph", [b"\x3a", b"\x3a\x05ab", b"\x0b", b"\xff" * 11, b"\x3a\xff\xff\xff\xff\xff\xff\xff\xff\x7f", b"\x09abc"]
)
def test_bytes_that_are_no_graph(tmp_path: Path, graph: bytes) -> None:
    with pytest.raises(ValueError, match=r"cut short|ten bytes|field number"):
        has_external_data(graph)
    folder = write_toy(tmp_path, model=graph, golden=b"{}")
    with pytest.raises(SetupError, match="not an ONNX graph"):
        load_bundle(folder)


def answer(graph: bytes) -> bool | None:
    """What is said of a graph; None where it is not a message. Any other end fails the test."""
    try:
        return has_external_data(graph)
    except ValueError:
        return None


@given(st.binary(max_size=200))
@settings(max_examples=300, deadline=None)
def test_garbage_ends_in_an_answer(garbage: bytes) -> None:
    assert answer(garbage) in {True, False, None}


@given(at=st.integers(0, 10_000), to=st.integers(0, 255))
@settings(max_examples=200, deadline=None)
def test_a_changed_byte_never_hides_what_onnx_still_reads(at: int, to: int) -> None:
    """However a graph with a tensor outside is changed: what onnx itself still reads as one is never passed as none."""
    graph = bytearray(model_of(outside(weights()), "initializer"))
    graph[at % len(graph)] = to
    try:
        read = onnx.ModelProto.FromString(bytes(graph))
    except DecodeError:
        return
    seen = any(one.external_data or one.data_location for one in read.graph.initializer)
    assert not seen or answer(bytes(graph)) is not False


LISTED = onnx.AttributeProto(
    floats=[0.0, -1.5, float("nan")],
    ints=[0, 127, 128, 2**40, -1],
    strings=[b"LEAF", b"BRANCH_LEQ", b"BRANCH_LT", b"word"],
)


def forest(tensor: TensorProto) -> bytes:
    """A graph whose one attribute lists what a forest lists, a tensor in the midst of it, as no exporter would write it."""
    inside = onnx.AttributeProto(t=tensor)
    message = b"".join(one.SerializeToString() for one in (LISTED, LISTED, inside, LISTED))
    for tag in (b"\x2a", b"\x0a", b"\x3a"):  # attribute of a node, node of a graph, graph of a model
        message = tag + _varint(len(message)) + message
    return message


def test_a_tensor_among_the_numbers_of_a_forest_is_found() -> None:
    assert has_external_data(forest(outside(weights())))
    assert not has_external_data(forest(weights()))


@given(at=st.integers(0, 10_000), to=st.integers(0, 255))
@settings(max_examples=500, deadline=None)
def test_a_changed_byte_in_a_forest_never_hides_what_onnx_still_reads(at: int, to: int) -> None:
    graph = bytearray(forest(outside(weights())))
    graph[at % len(graph)] = to
    try:
        read = onnx.ModelProto.FromString(bytes(graph))
    except DecodeError:
        return
    attributes = [attribute for node in read.graph.node for attribute in node.attribute]
    seen = any(one.t.external_data or one.t.data_location for one in attributes)
    assert not seen or answer(bytes(graph)) is not False


@pytest.mark.parametrize("beyond", [32, 34, 40])
def test_a_field_number_with_bits_that_other_readers_drop(beyond: int) -> None:
    """ONNX Runtime reads such a graph as field 7 of the model; here it would be a field that leads nowhere."""
    graph = onnx.ModelProto.FromString(model_of(outside(weights()), "initializer")).graph.SerializeToString()
    with pytest.raises(ValueError, match="field number"):
        has_external_data(_varint((7 << 3 | 2) + (1 << beyond)) + _varint(len(graph)) + graph)


def test_nesting_is_bounded() -> None:
    graph = b""
    for _ in range(120):
        for field in (0x32, 0x2A, 0x0A):  # AttributeProto.g, NodeProto.attribute, GraphProto.node
            graph = bytes([field]) + _varint(len(graph)) + graph
    with pytest.raises(ValueError, match="deep"):
        has_external_data(b"\x3a" + _varint(len(graph)) + graph)


def _varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def test_the_toy_graphs_are_whole() -> None:
    assert not has_external_data(classifier())
    assert not has_external_data(survival())
