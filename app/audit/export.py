"""The log as a file that stands on its own: written for others to keep, checked without a database or a key.

NDJSON. The first line is `{"format", "log_id", "root", "size"}`, then one line a record in order: `{"leaf", "sequence"}` with
the exact leaf in base64. Leaves hold no personal data; payloads are not exported here.
"""

import binascii
import json
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select

from app.audit import merkle, tables
from app.audit.verify import PAGE, LogCheck, Progress, Report
from app.database import read_transaction

FORMAT = "dayzero-log-1"
MAX_LINE = 65536

_entry = tables.entry.c


def export_ndjson(engine: Engine) -> Iterator[bytes]:
    """The whole log up to the size it has now, line by line. Errors: Unavailable, also in the middle."""
    with read_transaction(engine) as connection:
        head = connection.execute(select(tables.log_head)).one()
    root = merkle.root(merkle.unpack(head.frontier)).hex()
    yield _line({"format": FORMAT, "log_id": head.log_id, "root": root, "size": head.size})
    for start in range(0, head.size, PAGE):
        page = _entry.sequence.between(start, min(start + PAGE, head.size) - 1)
        query = select(_entry.sequence, _entry.envelope).where(page).order_by(_entry.sequence)
        with read_transaction(engine) as connection:  # one a page: a slow reader must not hold a transaction open
            rows = connection.execute(query).all()
        for row in rows:
            yield _line({"leaf": b64encode(row.envelope).decode(), "sequence": row.sequence})


def verify_export(source: Path | Iterable[bytes], progress: Progress | None = None) -> Report:
    """Checks an export by itself: leaves, their order, and that they make the root the file claims.

    Errors: none for a bad file; the report says what is wrong. OSError where the file cannot be read.
    """
    if isinstance(source, Path):
        with source.open("rb") as file:
            return verify_export(iter(lambda: file.readline(MAX_LINE), b""), progress)
    lines = iter(source)
    claimed = _header(next(lines, b""))
    check = LogCheck(str(claimed.get("log_id", "")))
    if not claimed:
        check.found(None, "the first line is not the header of a log export")
        return check.finish()
    _check_lines(check, lines, claimed["size"], progress)
    report = check.finish()
    if report.ok and report.root != claimed["root"]:
        check.found(None, "the records do not make the root that the file claims")
    return report


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
