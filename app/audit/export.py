"""The log as a file that stands on its own: written for others to keep, checked without a database or a secret.

NDJSON is the evidence. The first line is `{"format", "log_id", "root", "size"}` and, where it was signed, `"checkpoint"`: the
signed note of just that size and root. Then one line a record in order: `{"leaf", "sequence"}` with the exact leaf in base64.
CSV holds the same records for reading in a table, and proves nothing. Leaves hold no personal data; payloads are not exported.
"""

import binascii
import csv
import io
import json
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select

from app.audit import merkle, tables
from app.audit.checking import LogCheck, Progress, Report
from app.audit.checkpoint import Checkpoint, open_checkpoint
from app.audit.note import Verifier
from app.audit.records import Envelope
from app.audit.signing import Signed
from app.audit.verify import PAGE
from app.database import read_transaction
from app.errors import VerificationFailed

FORMAT = "dayzero-log-1"
MAX_LINE = 131072
CSV_COLUMNS = (
    "sequence", "record_id", "event", "time", "actor_ref", "purpose", "manifest_sha256", "leaf_hash", "erased",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_SIGNED = "checkpoint"

_entry, _key = tables.entry.c, tables.data_key.c


def export_ndjson(engine: Engine, signed: Signed | None = None) -> Iterator[bytes]:
    """The log up to that checkpoint, or unsigned up to the size it has now, line by line.

    Errors: Unavailable, also in the middle: what was read until then is no whole export, and does not pass for one.
    """
    with read_transaction(engine) as connection:
        head = connection.execute(select(tables.log_head)).one()
    size, root = head.size, merkle.root(merkle.unpack(head.frontier))
    note = {}
    if signed is not None:
        size, root, note = signed.checkpoint.size, signed.checkpoint.root, {_SIGNED: signed.note.decode()}
    yield _line({**note, "format": FORMAT, "log_id": head.log_id, "root": root.hex(), "size": size})
    for row in _records(engine, size):
        yield _line({"leaf": b64encode(row.envelope).decode(), "sequence": row.sequence})


def export_csv(engine: Engine, signed: Signed) -> Iterator[bytes]:
    """The records up to that checkpoint as a table; a cell that a spreadsheet would calculate begins with `'`."""
    yield _csv_line(CSV_COLUMNS)
    for row in _records(engine, signed.checkpoint.size):
        leaf = Envelope.decode(row.envelope)
        shown = (leaf.record_id, leaf.event, leaf.time, leaf.actor_ref, leaf.purpose, leaf.manifest_sha256 or "")
        erased = "true" if row.kek_id is None else "false"
        yield _csv_line((str(row.sequence), *shown, merkle.leaf_hash(row.envelope).hex(), erased))


def in_chunks(lines: Iterable[bytes], length: int = 65536) -> Iterator[bytes]:
    """The same bytes in fewer, larger pieces."""
    waiting, held = [], 0
    for line in lines:
        waiting.append(line)
        held += len(line)
        if held >= length:
            yield b"".join(waiting)
            waiting, held = [], 0
    if waiting:
        yield b"".join(waiting)


def safe_cell(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def verify_export(
    source: Path | Iterable[bytes],
    progress: Progress | None = None,
    *,
    verifiers: Sequence[Verifier] = (),
    since: Checkpoint | None = None,
) -> Report:
    """Checks an export by itself: leaves, their order, and that they make the root the file claims.

    With `verifiers` the file must also carry a signature of one of them over just this size and root; `since` is an older
    checkpoint to compare with. Errors: none for a bad file; the report says what is wrong. OSError where it cannot be read.
    """
    if isinstance(source, Path):
        with source.open("rb") as file:
            lines = iter(lambda: file.readline(MAX_LINE), b"")
            return verify_export(lines, progress, verifiers=verifiers, since=since)
    lines = iter(source)
    claimed = _header(next(lines, b""))
    check = LogCheck(str(claimed.get("log_id", "")), since)
    if not claimed:
        check.found(None, "the first line is not the header of a log export")
        return check.finish()
    if verifiers:
        _check_signature(check, claimed, verifiers)
    _check_lines(check, lines, claimed["size"], progress)
    report = check.finish()
    if report.ok and report.root != claimed["root"]:
        check.found(None, "the records do not make the root that the file claims")
    return report


def _records(engine: Engine, size: int) -> Iterator[Any]:
    keyed = tables.entry.outerjoin(tables.data_key, _entry.record_id == _key.record_id)
    columns = select(_entry.sequence, _entry.envelope, _key.kek_id).select_from(keyed)
    for start in range(0, size, PAGE):
        page = _entry.sequence.between(start, min(start + PAGE, size) - 1)
        with read_transaction(engine) as connection:  # one a page: a slow reader must not hold a transaction open
            rows = connection.execute(columns.where(page).order_by(_entry.sequence)).all()
        yield from rows


def _check_signature(check: LogCheck, claimed: dict[str, Any], verifiers: Sequence[Verifier]) -> None:
    try:
        checkpoint = open_checkpoint(str(claimed.get(_SIGNED, "")).encode(errors="replace"), *verifiers)
    except VerificationFailed as error:
        check.found(None, f"the file carries no checkpoint signed by that key: {error.detail}")
        return
    if (checkpoint.size, checkpoint.root.hex()) != (claimed["size"], claimed["root"]):
        check.found(None, "the file's checkpoint is not that of the size and root it claims")


def _check_lines(check: LogCheck, lines: Iterator[bytes], size: int, progress: Progress | None) -> None:
    for line in lines:
        sequence = check.report.size
        found = _parse(line)
        if found.get("sequence") != sequence or not isinstance(found.get("leaf"), str):
            check.found(sequence, "the record is missing or unreadable")
            return
        try:
            check.add(b64decode(found["leaf"], validate=True))
        except (binascii.Error, ValueError):
            check.found(sequence, "the leaf is not base64")
            return
        if progress is not None and check.report.size % PAGE == 0:
            progress(check.report.size, size)
    if check.report.size != size:
        check.found(check.report.size, f"the file ends here, but claims {size} records")


def _header(line: bytes) -> dict[str, Any]:
    """The header's fields; empty where it is none."""
    found = _parse(line)
    kinds = {"format": str, "log_id": str, "root": str, "size": int}
    right = found.get("format") == FORMAT and all(type(found.get(name)) is kind for name, kind in kinds.items())
    return found if right else {}


def _parse(line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _line(fields: dict[str, Any]) -> bytes:
    return json.dumps(fields, separators=(",", ":")).encode() + b"\n"


def _csv_line(cells: Iterable[str]) -> bytes:
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow(map(safe_cell, cells))
    return line.getvalue().encode()
