"""What a run of `--record batch` has done so far: `.OUT.half` is a stream of Arrow batches, which can be added to.

A batch's record is durable before its rows are written here. Started again, a run keeps the batches at the front that are whole
and the ledger's, and computes the rest again: its figures and salts come out the same, so what was recorded is recognised.
"""

import os
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import ipc

from app.bulk.journal import RunFile, cannot_be_written
from app.bulk.table.part import COLUMN_PART
from app.bulk.table.seals import SEALED
from app.files import make_private

REPEATING = ("as_of", "model_family", "model_version", "manifest_sha256", "predicted_group", "without_uncharged_group",
             "warnings.list.element", "conformal_set.list.element", "problem", "record_id", "leaf_hash")  # fmt: skip
"""Columns of few distinct values."""
ROW_GROUP = 8 * COLUMN_PART


class TableJournal:
    """Batches of one run on their way into a table."""

    def __init__(self, out: Path, same: dict[str, Any], caller: tuple[str, str], today: date) -> None:
        """As `RunFile`."""
        self._out = out
        self._state = RunFile(out, {"rows": COLUMN_PART} | same, caller, today)
        self.run, self.resumed = self._state.run, self._state.resumed
        self._table = out.with_name(f".{out.name}.table")
        try:
            self._file = self._state.open()
            make_private(self._table)
            self._writer = pq.ParquetWriter(
                self._table, SEALED, compression="zstd", use_dictionary=list(REPEATING), write_statistics=False
            )
        except OSError as error:
            raise cannot_be_written(out, error) from None
        self._waiting: list[pa.RecordBatch] = []
        self.done = self.problems = 0

    def keep(self, is_recorded: Callable[[pa.RecordBatch], bool]) -> None:
        """Takes over the batches an earlier run left, up to the first that is torn or not the ledger's. Raises SetupError."""
        try:
            end = 0
            for rows, after in self._left():
                if rows["number"][0].as_py() != self.done or not is_recorded(rows):
                    break
                self._take(rows)
                end = after
            self._file.truncate(end)
            self._file.seek(end)
            if not end:
                self._file.write(SEALED.serialize())
        except OSError as error:
            raise cannot_be_written(self._out, error) from None

    def _left(self) -> Iterator[tuple[pa.RecordBatch, int]]:
        """Whole batches, each with the place where it ends."""
        if not self._state.half.stat().st_size:
            return
        with pa.OSFile(str(self._state.half)) as file:
            try:
                stream = ipc.open_stream(file)
                while stream.schema.equals(SEALED):
                    rows = stream.read_next_batch()
                    rows.validate(full=True)
                    yield rows, file.tell()
            except (pa.ArrowException, OSError, StopIteration):  # torn, or no stream of ours
                return

    def write(self, rows: pa.RecordBatch) -> None:
        """Adds one batch. Raises SetupError."""
        try:
            self._file.write(rows.serialize())
            self._file.flush()
            self._take(rows)
        except OSError as error:
            raise cannot_be_written(self._out, error) from None

    def _take(self, rows: pa.RecordBatch) -> None:
        self.done += len(rows)
        self.problems += len(rows) - rows["problem"].null_count
        self._waiting.append(rows)
        if sum(map(len, self._waiting)) >= ROW_GROUP:
            self._write_group()

    def _write_group(self) -> None:
        self._writer.write_table(pa.Table.from_batches(self._waiting, SEALED), row_group_size=ROW_GROUP)
        self._waiting = []

    def finish(self) -> None:
        """Puts the table in its place and forgets the run. Raises SetupError."""
        try:
            if self._waiting:
                self._write_group()
            self._writer.close()
            with self._table.open("rb") as table:
                os.fsync(table.fileno())
            self._state.finish(self._table)
        except OSError as error:
            raise cannot_be_written(self._out, error) from None

    def close(self) -> None:
        """Leaves what is written for another run to go on with."""
        self._file.close()
        self._writer.close()
        self._table.unlink(missing_ok=True)
