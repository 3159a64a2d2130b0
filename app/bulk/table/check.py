"""Is a table of scores what the ledger vouches for? Row by row, batch by batch. Needs Arrow.

Told are rows that were changed, are missing, are there twice or belong to no batch; whole batches that are not in the ledger
or whose hashes it does not vouch for; and rows of which only the hash is left, because somebody was erased.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from app.audit.store import Entry, Store
from app.bulk.table.hashes import root_of, row_hashes
from app.bulk.table.seals import EVENT, HASHED, SEALED, Batch, batch_told
from app.bulk.work import Run
from app.errors import Erased, NotFound, SetupError

MOST_TOLD = 20
KEPT_OF_ERASED = ("number", "row_hash", "record_id", "scored_at", "sequence", "leaf_hash")
"""What is left of a row once its nominal was erased: enough to check all the others."""
_RECEIPT = ("scored_at", "sequence", "leaf_hash")


@dataclass
class TableReport:
    """`rows` looked at, of them `erased`; `batches` found; `wrong` what does not agree, one line each, the rest `untold`;
    `spans` the batches of each run, in the order of the table."""

    rows: int = 0
    erased: int = 0
    batches: int = 0
    wrong: list[str] = field(default_factory=list)
    untold: int = 0
    spans: dict[str, list[Batch]] = field(default_factory=dict)

    def found(self, what: str) -> None:
        """Something that does not agree."""
        if len(self.wrong) < MOST_TOLD:
            self.wrong.append(what)
        else:
            self.untold += 1


class _Vouched(NamedTuple):
    entry: Entry
    batch: Batch


def check_table(path: Path, store: Store) -> TableReport:
    """Hold every row of a table against the ledger. Raises SetupError where it is no table of `--record batch`."""
    report = TableReport()
    for record_id, rows in _batches(path):
        report.rows += len(rows)
        report.batches += 1
        vouched = _vouched(store, record_id)
        if vouched is None:
            report.found(f"{len(rows)} rows from number {rows['number'][0]} on: their batch is not in the ledger")
        else:
            check_batch(rows, vouched.entry, vouched.batch, report)
    _check_runs(report)
    return report


def check_batch(rows: pa.RecordBatch, entry: Entry, batch: Batch, report: TableReport) -> None:
    """Hold the rows that say they are of one batch against its record."""
    name = f"batch {entry.sequence}"
    hashes = rows["row_hash"].to_pylist()
    erased = _erased(rows)
    report.erased += int(erased.sum())
    _check_numbers(rows, batch, name, report)
    for row in np.flatnonzero(~erased & ~_same(rows, hashes)).tolist():
        report.found(f"row {rows['number'][row]} was changed")
    told = {"scored_at": entry.time, "sequence": entry.sequence, "leaf_hash": entry.leaf_hash}
    for column in _RECEIPT:
        right = pc.fill_null(pc.equal(rows[column], pa.scalar(told[column], SEALED.field(column).type)), False)
        for row in np.flatnonzero(~np.asarray(right)).tolist():
            report.found(f"row {rows['number'][row]}: its {column} is not that of its batch")
    if None in hashes or root_of(hashes).hex() != batch.root:
        report.found(f"{name}: its rows are not those the ledger vouches for")
    report.spans.setdefault(batch.run, []).append(batch)


def is_recorded(rows: pa.RecordBatch, store: Store, run: Run) -> bool:
    """Whether a batch of this run is just what the ledger vouches for."""
    names = set(rows["record_id"].to_pylist())
    if names != set(run.ids(rows["number"][0].as_py() or 0, 1)):
        return False
    vouched, report = _vouched(store, names.pop()), TableReport()
    if vouched is not None:
        check_batch(rows, vouched.entry, vouched.batch, report)
    return vouched is not None and not report.wrong


def _same(rows: pa.RecordBatch, hashes: list[bytes | None]) -> np.ndarray:
    found = row_hashes(rows.select(HASHED.names))
    return np.array([one == told for one, told in zip(found, hashes, strict=True)], dtype=np.bool_)


def _erased(rows: pa.RecordBatch) -> np.ndarray:
    """Rows of which nothing is left but what the others need."""
    gone = np.ones(len(rows), dtype=np.bool_)
    for name in SEALED.names:
        if name not in KEPT_OF_ERASED:
            gone &= np.asarray(rows[name].is_null())
    return gone


def _check_numbers(rows: pa.RecordBatch, batch: Batch, name: str, report: TableReport) -> None:
    numbers = rows["number"].to_pylist()
    expected = range(batch.first, batch.first + batch.rows)
    if numbers == list(expected):
        return
    for number in sorted(set(expected) - set(numbers)):
        report.found(f"row {number} of {name} is missing")
    for number in sorted({number for number in numbers if number is not None} - set(expected)):
        report.found(f"row {number} is not one of {name}")
    if len(numbers) != len(set(numbers)) or set(numbers) == set(expected):
        report.found(f"{name}: rows are there twice or in another order")


def _check_runs(report: TableReport) -> None:
    """A table holds one run, whole and in order."""
    if len(report.spans) > 1:
        report.found("the table holds rows of several runs")
    for batches in report.spans.values():
        expected = 0
        for batch in batches:
            if batch.first > expected:
                report.found(f"rows {expected} to {batch.first - 1} are missing")
            elif batch.first < expected:
                report.found(f"rows from number {batch.first} on are there twice or in another place")
            expected = batch.first + batch.rows
        if expected < batches[-1].total:
            report.found(f"rows {expected} to {batches[-1].total - 1} are missing")


def _vouched(store: Store, record_id: str | None) -> _Vouched | None:
    try:
        entry = store.entry_of(record_id or "")
        return _Vouched(entry, batch_told(store.open_record(entry.record_id))) if entry.event == EVENT else None
    except (NotFound, Erased):
        return None


def _batches(path: Path) -> Iterator[tuple[str | None, pa.RecordBatch]]:
    """Rows that follow each other and name the same record."""
    waiting: list[pa.RecordBatch] = []
    for rows in _rows(path):
        for name, some in _runs_of_names(rows):
            if waiting and waiting[0]["record_id"][0].as_py() != name:
                yield waiting[0]["record_id"][0].as_py(), _joined(waiting)
                waiting = []
            waiting.append(some)
    if waiting:
        yield waiting[0]["record_id"][0].as_py(), _joined(waiting)


def _joined(waiting: list[pa.RecordBatch]) -> pa.RecordBatch:
    (rows,) = pa.Table.from_batches(waiting).combine_chunks().to_batches()
    return rows


def _runs_of_names(rows: pa.RecordBatch) -> Iterator[tuple[str | None, pa.RecordBatch]]:
    ended = pc.run_end_encode(rows["record_id"])
    start = 0
    for end, name in zip(ended.run_ends.to_pylist(), ended.values.to_pylist(), strict=True):
        yield name, rows.slice(start, end - start)
        start = end


def _rows(path: Path) -> Iterator[pa.RecordBatch]:
    """The table in pieces. Raises SetupError where it is none of ours."""
    try:
        with pq.ParquetFile(path) as file:
            if file.schema_arrow.names != SEALED.names:
                raise SetupError(
                    "This is not a table that `dayzero score EXTRACT --record batch` wrote: its columns are others. In tables of "
                    "`--record each` every row names a record of its own, for `dayzero audit receipt`."
                )
            for rows in file.iter_batches():
                yield rows if rows.schema.equals(SEALED) else rows.cast(SEALED)
    except (pa.ArrowException, OSError) as error:
        raise SetupError(f"{path} cannot be read ({type(error).__name__}).") from None
