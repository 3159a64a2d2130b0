"""Whether an ONNX graph keeps tensors outside its own bytes, found without the onnx package.

Such a tensor names a file, or an address in memory, that no digest covers. A graph is Protocol Buffers; only the fields
that lead to tensors are followed (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto), everything else is skipped.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

MOST_LEVELS = 100  # what protobuf itself allows
LARGEST_TAG = 2**32 - 1

INSIDE: dict[str, dict[int, str]] = {
    "ModelProto": {7: "GraphProto", 20: "TrainingInfoProto", 25: "FunctionProto"},
    "TrainingInfoProto": {1: "GraphProto", 2: "GraphProto"},
    "FunctionProto": {7: "NodeProto", 11: "AttributeProto"},
    "GraphProto": {1: "NodeProto", 5: "TensorProto", 15: "SparseTensorProto"},
    "NodeProto": {5: "AttributeProto"},
    "AttributeProto": {
        5: "TensorProto", 6: "GraphProto", 10: "TensorProto", 11: "GraphProto", 22: "SparseTensorProto",
        23: "SparseTensorProto",
    },
    "SparseTensorProto": {1: "TensorProto", 2: "TensorProto"},
    "TensorProto": {},
}  # fmt: skip
"""Message -> field number -> the message in that field."""

EXTERNAL_DATA, DATA_LOCATION = 13, 14
_VARINT, _EIGHT_BYTES, _BYTES, _FOUR_BYTES = 0, 1, 2, 5
_TREES = re.compile(rb"(?s:\x3d.{4}|\x40[\x80-\xff]{0,9}[\x00-\x7f]|\x4a(?:\x04LEAF|\x09BRANCH_LT|\x0aBRANCH_LEQ))++")
"""A run of `AttributeProto.floats` (7), `ints` (8) and the `strings` (9) that say what the nodes of trees are. A forest holds
hundreds of thousands, each a field of its own, and one by one they took a second of every start. Possessive: no way back
is kept for each."""


class Field(NamedTuple):
    """One field of a message: its number, and its bytes where it has a length, else its value."""

    number: int
    content: memoryview | int


def has_external_data(graph: bytes) -> bool:
    """Errors: ValueError where the bytes are not a message."""
    return _outside(memoryview(graph), "ModelProto", 0)


def _outside(message: memoryview, kind: str, level: int) -> bool:
    if level > MOST_LEVELS:
        raise ValueError("nested too deeply")
    for field in _fields(message, kind):
        if kind == "TensorProto" and field.number in {EXTERNAL_DATA, DATA_LOCATION} and field.content != 0:
            return True
        inner = INSIDE[kind].get(field.number)
        if inner and isinstance(field.content, memoryview) and _outside(field.content, inner, level + 1):
            return True
    return False


def _fields(message: memoryview, kind: str) -> Iterator[Field]:
    """The fields of a message, but for what an attribute lists of trees."""
    at = 0
    while at < len(message):
        if kind == "AttributeProto" and (run := _TREES.match(message, at)):
            at = run.end()
            continue
        tag, at = _varint(message, at)
        if tag > LARGEST_TAG:  # other readers drop the upper bits and would see another field than we do
            raise ValueError("a field number that does not exist")
        number, wire = tag >> 3, tag & 7
        if wire == _VARINT:
            value, at = _varint(message, at)
            yield Field(number, value)
            continue
        if wire == _BYTES:
            length, at = _varint(message, at)
        else:
            length = {_EIGHT_BYTES: 8, _FOUR_BYTES: 4}.get(wire, -1)
        if length < 0 or at + length > len(message):
            raise ValueError("cut short, or of a form that is not used any more")
        yield Field(number, message[at : at + length])
        at += length


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """A number in groups of seven bits, lowest first, and where it ends."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(message):
            raise ValueError("cut short")
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError("a number of more than ten bytes")
