"""Rows of scores as the ledger vouches for them: a record for each batch, with the Merkle root over its rows. Needs Arrow.

A batch's record says which run, model, harm index, extract and rows it is about, and holds nothing of anybody: a row's hash
is that of all it says and of a random salt that stands in the table alone.
"""

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, ValidationError

from app.audit.ledger import Answer, Ledger
from app.audit.records import NewRecord
from app.audit.store import Entry, Store
from app.bulk.recorder import appended_by
from app.bulk.table.hashes import SALT_BYTES, root_of, row_hashes, salts
from app.bulk.table.rows import ROW
from app.bulk.work import Run
from app.errors import SetupError
from app.purposes import DEFAULT_PURPOSE

EVENT = "batch"
HASHED = pa.schema([*ROW, pa.field("number", pa.int64()), pa.field("row_salt", pa.binary(SALT_BYTES))])
"""What a row's hash covers: all it says, its number in the run, its salt."""
SEALED = pa.schema([
    *HASHED,
    pa.field("row_hash", pa.binary(32)),
    pa.field("record_id", pa.string()),
    pa.field("scored_at", pa.timestamp("us", tz="UTC")),
    pa.field("sequence", pa.int64()),
    pa.field("leaf_hash", pa.string()),
])  # fmt: skip
"""A whole row: behind what is hashed come the hash and where in the ledger the record of its batch stands."""


class Batch(BaseModel):
    """What the record of a batch says. `run` is the id of the run's first batch, `total` its rows; digests are hex."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    columns: tuple[str, ...]
    run: str
    total: int
    first: int
    rows: int
    root: str
    as_of: str
    family: str
    version: str
    manifest_sha256: str
    harm_index_sha256: str
    logs_read_by: str | None = None
    tables: dict[str, str]


class About(NamedTuple):
    """What all batches of a run share."""

    run: Run
    total: int
    as_of: str
    family: str
    version: str
    manifest_sha256: str
    harm_index_sha256: str
    logs_read_by: str | None
    tables: Mapping[str, str]

    def batch(self, first: int, rows: int, root: bytes) -> Batch:
        """What is recorded of one batch."""
        return Batch(
            columns=tuple(HASHED.names),
            run=self.run.ids(0, 1)[0],
            first=first,
            rows=rows,
            root=root.hex(),
            **{name: value for name, value in self._asdict().items() if name != "run"},
        )


def batch_told(payload: bytes) -> Batch:
    """Read back what a batch's record holds. Raises SetupError where it is of another version."""
    try:
        return Batch.model_validate_json(payload)
    except ValidationError:
        raise SetupError("The record of this batch was written by another version of Day Zero.") from None


@dataclass(frozen=True)
class Recorded:
    """Rows whose batch is being recorded, or was recorded by a run that was cut off."""

    rows: pa.RecordBatch
    hashes: list[bytes]
    waiting: Future[Answer] | Entry

    def answers(self) -> pa.RecordBatch:
        """The rows with hash and receipt, once the record is durable. Errors: Unavailable."""
        place = self.waiting if isinstance(self.waiting, Entry) else appended_by(self.waiting)
        return _with_receipt(self.rows, self.hashes, place.record_id, place.time, place.sequence, place.leaf_hash)


def _with_receipt(
    rows: pa.RecordBatch, hashes: Sequence[bytes], record_id: str, time: datetime, sequence: int, leaf_hash: str
) -> pa.RecordBatch:
    same: list[Any] = [record_id, time, sequence, leaf_hash]
    kinds = [SEALED.field(name).type for name in ("record_id", "scored_at", "sequence", "leaf_hash")]
    receipt = [pa.repeat(pa.scalar(value, kind), len(rows)) for value, kind in zip(same, kinds, strict=True)]
    return pa.record_batch([*rows.columns, pa.array(hashes, pa.binary(32)), *receipt], schema=SEALED)


class BatchRecorder:
    """Numbers, salts and records batches in the order they come in, from row `first` on.

    With a `store` it first asks which are in the log already, from a run that was cut off.
    """

    def __init__(self, ledger: Ledger, about: About, first: int, store: Store | None = None) -> None:
        self._ledger, self._about, self._next, self._store = ledger, about, first, store

    def record(self, scored: pa.RecordBatch) -> Recorded:
        """Hands in one batch. Raises SetupError where other rows are recorded in its place, Unavailable."""
        first, count = self._next, len(scored)
        self._next += count
        run = self._about.run
        rows = pa.record_batch(
            [*scored.columns, pa.array(range(first, first + count), pa.int64()), salts(run.seed, first, count)],
            schema=HASHED,
        )
        hashes = row_hashes(rows)
        batch = self._about.batch(first, count, root_of(hashes))
        (record_id,) = run.ids(first, 1)
        known = {} if self._store is None else self._store.entries_of([record_id])
        if record_id in known:
            self._demand_same(record_id, batch)
            return Recorded(rows, hashes, known[record_id])
        return Recorded(rows, hashes, self._ledger.submit(self._new(record_id, batch)))

    def _new(self, record_id: str, batch: Batch) -> NewRecord:
        issuer, subject = self._about.run.caller
        return NewRecord(
            event=EVENT,
            issuer=issuer,
            subject=subject,
            payload=json.dumps(batch.model_dump(), separators=(",", ":")).encode(),
            purpose=DEFAULT_PURPOSE,
            manifest=batch.manifest_sha256,
            record_id=record_id,
        )

    def _demand_same(self, record_id: str, batch: Batch) -> None:
        assert self._store is not None  # noqa: S101 - nothing is known without it
        if batch_told(self._store.open_record(record_id)) != batch:
            raise SetupError(
                "A part of this run is in the ledger with other figures than this machine computes. Delete the run's file to "
                "begin anew."
            )
