"""The hash of each row of a table of scores, which is what the ledger vouches for. Needs Arrow.

A row is the bytes of its cells one after the other, in the order of the columns, behind `FORMAT`:

| cell | bytes |
|---|---|
| null, of any type | `00` |
| number (int, float, date as days since 1970-01-01) | `01`, then the value as little-endian int64 or float64 |
| text, bytes | `01`, then the length in bytes as little-endian uint32, then the bytes, text as UTF-8 |
| list | `01`, then the number of items as little-endian uint32, then each item as a cell |
| struct | `01`, then each member as a cell |

No two rows have the same bytes, and the random `row_salt` among the cells keeps a hash from being guessed back once the row
itself is gone. The hash is that of a leaf of RFC 6962.
"""

import hashlib
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from app.audit import merkle

FORMAT = b"dayzero-row-1\0"
SALT_BYTES = 16
_NULL, _HERE = b"\x00", b"\x01"


def row_hashes(rows: pa.RecordBatch) -> list[bytes]:
    """The hash of each row, all columns included."""
    joined = pc.binary_join_element_wise(*(_cells(column) for column in rows.columns), b"")
    return [merkle.leaf_hash(FORMAT + row) for row in joined.to_pylist()]


def root_of(hashes: Sequence[bytes]) -> bytes:
    """The root of the Merkle tree over rows."""
    frontier: list[bytes] = []
    for place, leaf in enumerate(hashes):
        merkle.append(frontier, place, leaf)
    return merkle.root(frontier)


def salts(seed: bytes, first: int, count: int) -> pa.Array:
    """The salts of rows `first` to `first + count` of a run: the same whenever they are made, random without the seed."""
    drawn = hashlib.shake_256(b"dayzero row salts\0" + seed + first.to_bytes(8, "little")).digest(count * SALT_BYTES)
    return pa.Array.from_buffers(pa.binary(SALT_BYTES), count, [None, pa.py_buffer(drawn)])


def _cells(values: pa.Array) -> pa.Array:
    """Each value as a cell, binary (N,)."""
    here = _content(values)
    return pc.if_else(values.is_valid(), pc.binary_join_element_wise(_HERE, here, b""), pa.scalar(_NULL, pa.binary()))


def _content(values: pa.Array) -> pa.Array:
    """What follows the first byte; anything at all, but not null, where the value is null."""
    kind = values.type
    if pa.types.is_struct(kind):
        return pc.binary_join_element_wise(*(_cells(values.field(place)) for place in range(kind.num_fields)), b"")
    if pa.types.is_list(kind):
        items = pa.ListArray.from_arrays(values.offsets, _cells(values.values))
        told = pc.fill_null(pc.list_value_length(values), 0)
        return pc.binary_join_element_wise(_uint32(told), pc.fill_null(pc.binary_join(items, b""), b""), b"")
    if pa.types.is_floating(kind):
        return _fixed(np.asarray(pc.fill_null(values, 0.0)).astype("<f8"))
    if pa.types.is_integer(kind) or pa.types.is_date32(kind):
        return _fixed(
            np.asarray(pc.fill_null(values.cast(pa.int32() if pa.types.is_date32(kind) else kind), 0)).astype("<i8")
        )
    content = pc.fill_null(values.cast(pa.binary()), b"")
    return pc.binary_join_element_wise(_uint32(pc.binary_length(content)), content, b"")


def _uint32(numbers: pa.Array) -> pa.Array:
    return _fixed(np.asarray(numbers).astype("<u4"))


def _fixed(numbers: np.ndarray) -> pa.Array:
    """Numbers as their bytes."""
    offsets = np.arange(len(numbers) + 1, dtype=np.int32) * numbers.itemsize
    return pa.Array.from_buffers(
        pa.binary(), len(numbers), [None, pa.py_buffer(offsets), pa.py_buffer(numbers.tobytes())]
    )
