"""Answers as a Parquet table: what is looked at most in columns of its own, and the whole answer beside it.

Needs Arrow, which the `bulk` extra brings.
"""

import io
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj
import pyarrow.parquet as pq

from app.bulk.table.rows import ERRORS, by_group
from app.files import make_private
from app.harm.survival import MARKS

ROW_GROUP = 8192
_LONGEST_ANSWER = 1 << 26
_TIME = pa.timestamp("us", tz="UTC")
_ANSWER = pa.schema({
    "nominal_id": pa.string(),
    "score_id": pa.string(),
    "scored_at": _TIME,
    "as_of": pa.string(),
    "day_zero": pa.string(),
    "model": pa.struct({"family": pa.string(), "version": pa.string(), "manifest_sha256": pa.string()}),
    "history": pa.struct({
        "received": pa.int32(), "used": pa.int32(), "warnings": pa.list_(pa.struct({"code": pa.string()})),
    }),
    "harm": pa.struct({
        "probabilities": pa.list_(pa.float64()), "population_probabilities": pa.list_(pa.float64()),
        "predicted_group": pa.string(), "conformal_set": pa.list_(pa.string()),
        "without_uncharged": pa.struct({
            "incidents": pa.int32(), "population_probabilities": pa.list_(pa.float64()), "predicted_group": pa.string(),
        }),
    }),
    "survival": pa.struct({"median_days": pa.int32(), "at": pa.struct({str(day): pa.float64() for day in MARKS})}),
    "audit": pa.struct({"sequence": pa.int64(), "leaf_hash": pa.string()}),
    "type": pa.string(),
    "status": pa.int32(),
    "errors": ERRORS,
})  # fmt: skip
"""Members of an answer, or of a problem, that become columns; others are in the whole answer only."""
_DATES = ("as_of", "day_zero")


class ParquetTable:
    """A file being written, in row groups of `ROW_GROUP`; use as a context, closed without an error it is whole."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer: pq.ParquetWriter | None = None
        self._waiting: list[bytes] = []

    def add(self, lines: Sequence[bytes]) -> None:
        """Adds answers, each a line of JSON. Raises OSError."""
        self._waiting += lines
        if len(self._waiting) >= ROW_GROUP:
            self._flush()

    def close(self) -> None:
        """Writes what is left and the file's end; a table without rows still has its columns."""
        self._flush()
        if self._writer is not None:
            self._writer.close()

    def _flush(self) -> None:
        table = answers_table(self._waiting)
        if self._writer is None:
            make_private(self._path)
            self._writer = pq.ParquetWriter(self._path, table.schema, compression="zstd", use_dictionary=_repeating())
        if len(table):
            self._writer.write_table(table, row_group_size=ROW_GROUP)
        self._waiting = []


def answers_table(lines: Sequence[bytes]) -> pa.Table:
    """One row for each answer or problem; see `docs/bulk.md` for the columns."""
    options = pj.ParseOptions(explicit_schema=_ANSWER, unexpected_field_behavior="ignore")
    reading = pj.ReadOptions(use_threads=False, block_size=_LONGEST_ANSWER)
    whole = b"".join(lines)
    read = pj.read_json(io.BytesIO(whole), reading, options) if whole else _ANSWER.empty_table()
    read = read.combine_chunks()
    harm, history, survival, audit, model = (read[name] for name in ("harm", "history", "survival", "audit", "model"))
    columns = {name: read[name] for name in ("nominal_id", "score_id", "scored_at")}
    columns |= {name: read[name].cast(pa.date32()) for name in _DATES}
    columns |= {f"model_{name}": _member(model, name) for name in ("family", "version")}
    columns["manifest_sha256"] = _member(model, "manifest_sha256")
    columns["predicted_group"] = _member(harm, "predicted_group")
    columns |= _shares("population", _member(harm, "population_probabilities"))
    columns |= _shares("balanced", _member(harm, "probabilities"))
    columns |= {f"no_incident_by_{day}": _member(survival, "at", str(day)) for day in MARKS}
    columns["median_days"] = _member(survival, "median_days")
    columns |= {f"incidents_{name}": _member(history, name) for name in ("received", "used")}
    columns["warnings"] = _codes(_member(history, "warnings"))
    columns["conformal_set"] = _member(harm, "conformal_set")
    columns["uncharged_incidents"] = _member(harm, "without_uncharged", "incidents")
    columns |= _shares("without_uncharged", _member(harm, "without_uncharged", "population_probabilities"))
    columns["without_uncharged_group"] = _member(harm, "without_uncharged", "predicted_group")
    columns |= {name: _member(audit, name) for name in ("sequence", "leaf_hash")}
    columns |= {"problem": read["type"], "problem_status": read["status"], "problem_errors": read["errors"]}
    columns["answer"] = pa.array([line.rstrip(b"\n") for line in lines], pa.binary()).cast(pa.string())
    return pa.table(columns)


def _member(values: pa.ChunkedArray, *path: str) -> pa.ChunkedArray:
    return pc.struct_field(values, list(path))


def _shares(kind: str, lists: pa.ChunkedArray) -> dict[str, pa.ChunkedArray]:
    """A list of four as four columns."""
    return {name: pc.list_element(lists, place) for place, name in enumerate(by_group(kind))}


def _codes(warnings: pa.ChunkedArray) -> pa.ChunkedArray:
    """Lists of warnings as lists of their codes."""
    chunks = [
        pa.ListArray.from_arrays(chunk.offsets, chunk.values.field("code"), mask=chunk.is_null())
        for chunk in warnings.chunks
    ]
    return pa.chunked_array(chunks, pa.list_(pa.string()))


def _repeating() -> list[str]:
    """Columns of few distinct values."""
    return ["model_family", "model_version", "manifest_sha256", "predicted_group", "problem"]
