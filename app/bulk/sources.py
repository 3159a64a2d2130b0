"""What a run scores: requests from a file, or the nominals of an extract folder."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

from app.bulk.batch import PART
from app.bulk.work import LinePart, Part
from app.errors import SetupError
from app.harm.harm_index import HarmIndex
from app.harm.subject import Subject
from app.text.model import TextModel

LINES = {".ndjson", ".jsonl"}
PARQUET = ".parquet"
NEEDS_ARROW = "This needs Arrow: install the `bulk` extra (in the folder of Day Zero: pip install -e '.[bulk]')."


@dataclass(frozen=True)
class Source:
    """`total` requests, in `parts` from a given number on; `same` what tells this input from another one.

    `named` where an answer says whom it is about: the requests have no places that anyone could compare.
    """

    total: int
    same: dict[str, Any]
    parts: Callable[[int], Iterator[Part]]
    named: bool


def from_file(file: Path) -> Source:
    """Lines of NDJSON, blank ones left out, or the whole of any other file as one request."""
    if file.suffix not in LINES:
        raw = file.read_bytes()
        return Source(1, {"sha256": hashlib.sha256(raw).hexdigest()}, lambda _: iter([LinePart(0, [raw])]), named=False)
    digest, total = hashlib.sha256(), 0
    with file.open("rb") as lines:
        for line in lines:
            digest.update(line)
            total += bool(line.strip())
    return Source(total, {"sha256": digest.hexdigest()}, lambda start: _line_parts(file, start), named=False)


def _line_parts(file: Path, start: int) -> Iterator[LinePart]:
    with file.open("rb") as lines:
        written = islice((line for line in lines if line.strip()), start, None)
        while part := list(islice(written, PART)):
            yield LinePart(start, part)
            start += len(part)


def from_extract(
    folder: Path,
    index: HarmIndex,
    today: date,
    as_of: date | None,
    subject: Subject,
    asked: dict[str, str],
    reader: TextModel | None = None,
) -> Source:
    """Everyone of an extract who can be scored on `as_of` by a model of this `subject`; `asked` is put into every request.

    `reader` reads the harm of domestic non-crimes that nobody scored out of their logs, where the extract has them.

    Raises SetupError, also where Arrow is missing.
    """
    try:
        from app.bulk.extract_part import people_parts  # noqa: PLC0415 - Arrow is an extra
        from app.extract.log_harm import log_harm  # noqa: PLC0415
        from app.extract.people import load_people  # noqa: PLC0415
    except ImportError:
        raise SetupError(NEEDS_ARROW) from None
    logs = log_harm(folder, reader)
    people = load_people(folder, index, today, as_of, subject, logs)
    same = {"tables": table_digests(folder), "as_of": people.as_of, **asked}
    return Source(len(people), same, lambda start: people_parts(people, asked, start, logs), named=True)


def table_digests(folder: Path) -> dict[str, str]:
    """SHA-256 (hex) of each table of an extract, by file name."""
    tables = sorted(path for path in folder.iterdir() if path.suffix in {PARQUET, ".csv"})
    return {path.name: _digest(path) for path in tables}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
