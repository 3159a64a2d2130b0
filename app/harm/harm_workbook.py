"""Replace the table of harm days by the official Cambridge Crime Harm Index workbook, saved as CSV.

Rules (ours; the workbook itself was not at hand, only its list of columns):

- Rows above the header are passed over. Of header names only letters and digits count, in any case.
- Home Office classification `NNN/NN` or `NNNNN`, leading zeros may be missing around a slash.
- Rows marked EXPIRED count only for codes that have no other usable row: histories reach back to expired offences.
- Rows of one code that disagree: the median of their scores, basis `code-median`, listed in the report.
- Classes, name and subgroup of a code come from the table in use. A new code takes them from its title and SUB_GROUP;
  under stalking and harassment its class is read from the title, and breaches have none.
- Codes the workbook does not have stay as they are.
"""

import csv
import io
import re
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from app.errors import SetupError
from app.harm.harm_index import (
    CODE_MEDIAN,
    EXACT,
    MAX_HARM_DAYS,
    SUBGROUP_CLASSES,
    HarmIndex,
    Offence,
    save_harm_index,
)

HEADER_ROWS = 30
MAX_BYTES = 20_000_000
NAME_LENGTH = 80
ABSENT = -1
HEADERS = {
    "code": re.compile(r"(homeoffice|ho)(classification|code|offencecode|classificationcode)"),
    "score": re.compile(r"cchiscore(20\d\d)?"),
    "title": re.compile(r"(full)?offencetitle"),
    "subgroup": re.compile(r"subgroup"),
}

CODE = re.compile(r"(\d{1,3}) ?/ ?(\d{1,2})|(\d{3})(\d{2})", re.ASCII)
PLAIN_NUMBER = re.compile(r"\d+(\.\d+)?", re.ASCII)
THOUSANDS = re.compile(r"\d{1,3}([, \u00a0\u202f]\d{3})+(\.\d+)?", re.ASCII)
DECIMAL_COMMA = re.compile(r"\d+,\d{1,2}", re.ASCII)
EXPIRED = re.compile(r"\bEXPIRED\b")


@dataclass(frozen=True, slots=True)
class UnusableRow:
    """A row of the workbook that was not taken, counted as a spreadsheet does (the first row of the file is 1)."""

    row: int
    reason: str


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One code with several scores, and the days that stand in the table now."""

    code: str
    scores: tuple[float, ...]
    taken: float


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did: `rows` below the header, of which `unusable` were not taken; the codes it touched or left."""

    index: HarmIndex
    rows: int
    imported: int
    added: tuple[str, ...]
    kept: tuple[str, ...]
    expired_only: tuple[str, ...]
    subgroup_differs: tuple[str, ...]
    disagreements: tuple[Disagreement, ...]
    unusable: tuple[UnusableRow, ...]


@dataclass(frozen=True, slots=True)
class _Row:
    number: int
    code: str
    score: float
    title: str
    subgroup: str
    expired: bool


def import_workbook(path: Path, base: HarmIndex, out: Path) -> ImportReport:
    """Write the table `out` from the workbook over `base`; on SetupError (nothing usable, no disk) `out` stays."""
    rows, unusable = _read(path, base)
    seen = len(rows) + len(unusable)
    edition = _edition(path)
    current, expired_only = _without_expired(rows, unusable)
    if not current:
        raise SetupError(f"workbook {path.name}: no row could be used; is it the sheet of CCHI values, saved as CSV?")
    offences = {offence.code: offence for offence in base}
    disagreements = []
    for code, rows_of_code in current.items():
        scores = tuple(row.score for row in rows_of_code)
        agree = len(set(scores)) == 1
        taken = statistics.median(scores)
        if not agree:
            disagreements.append(Disagreement(code, scores, taken))
        basis = EXACT if agree else CODE_MEDIAN
        offences[code] = _offence(rows_of_code[0], base.lookup(code), taken, basis, edition)
    return ImportReport(
        index=save_harm_index(offences.values(), out),
        rows=seen,
        imported=len(current),
        added=tuple(sorted(current.keys() - base.offences.keys())),
        kept=tuple(sorted(base.offences.keys() - current.keys())),
        expired_only=expired_only,
        subgroup_differs=_subgroup_differs(current, base),
        disagreements=tuple(disagreements),
        unusable=tuple(sorted(unusable, key=lambda item: item.row)),
    )


def _read(path: Path, base: HarmIndex) -> tuple[list[_Row], list[UnusableRow]]:
    rows: list[_Row] = []
    unusable: list[UnusableRow] = []
    spellings = {offence.subgroup.casefold(): offence.subgroup for offence in base}
    for number, cells, columns in _data_rows(_text(path), path.name):
        fields = {field: _cell(cells, column) for field, column in columns.items()}
        fields["subgroup"] = spellings.get(fields["subgroup"].casefold(), fields["subgroup"])
        row = _row(number, fields, base, expired=any(EXPIRED.search(cell) for cell in cells))
        if isinstance(row, _Row):
            rows.append(row)
        else:
            unusable.append(row)
    return rows, unusable


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise SetupError(f"workbook {path.name} cannot be read") from error
    if len(content) > MAX_BYTES or b"\0" in content:
        raise SetupError(f"workbook {path.name} is not a CSV file: save the sheet of CCHI values as CSV (UTF-8)")
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise SetupError(f"workbook {path.name} is neither UTF-8 nor Windows-1252 text: save it as CSV (UTF-8)")


def _data_rows(text: str, name: str) -> Iterator[tuple[int, list[str], dict[str, int]]]:
    """Rows below the header as (row number, cells, column of each field), whichever separator finds a header."""
    for separator in (",", ";", "\t"):
        columns: dict[str, int] | None = None
        try:
            for number, cells in enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=separator), start=1):
                if columns is None:
                    columns = _columns(cells)
                    if columns is None and number >= HEADER_ROWS:
                        break
                elif any(cell.strip() for cell in cells):
                    yield number, cells, columns
        except csv.Error as error:
            raise SetupError(f"workbook {name} is not well-formed CSV: save the sheet again") from error
        if columns is not None:
            return
    raise SetupError(f"workbook {name} has no header with the home office classification and CCHI_SCORE")


def _columns(cells: list[str]) -> dict[str, int] | None:
    headers = [re.sub(r"[^a-z0-9]", "", cell.lower()) for cell in cells]
    columns = {
        field: next((place for place, header in enumerate(headers) if pattern.fullmatch(header)), ABSENT)
        for field, pattern in HEADERS.items()
    }
    return None if ABSENT in (columns["code"], columns["score"]) else columns


def _row(number: int, fields: dict[str, str], base: HarmIndex, *, expired: bool) -> _Row | UnusableRow:
    match = CODE.fullmatch(fields["code"])
    if match is None:
        return UnusableRow(number, "not one Home Office code NNN/NN")
    group, sub = (match[1], match[2]) if match[1] else (match[3], match[4])
    code = group.zfill(3) + sub.zfill(2)
    score = _score(fields["score"])
    if score is None:
        return UnusableRow(number, "score missing or not a number")
    if score > MAX_HARM_DAYS:
        return UnusableRow(number, f"score above {MAX_HARM_DAYS:.0f} days")
    if base.lookup(code) is None and not (fields["title"] and fields["subgroup"]):
        return UnusableRow(number, "new code without title or SUB_GROUP, so without classes")
    return _Row(number, code, score, fields["title"], fields["subgroup"], expired)


def _cell(cells: list[str], column: int) -> str:
    return " ".join(cells[column].split()) if 0 <= column < len(cells) else ""


def _score(cell: str) -> float | None:
    if THOUSANDS.fullmatch(cell):
        cell = re.sub(r"[, ]", "", cell)
    elif DECIMAL_COMMA.fullmatch(cell):
        cell = cell.replace(",", ".")
    return float(cell) if PLAIN_NUMBER.fullmatch(cell) else None


def _without_expired(rows: list[_Row], unusable: list[UnusableRow]) -> tuple[dict[str, list[_Row]], tuple[str, ...]]:
    """Rows by code, expired ones only where a code has no other; the rest of the expired joins the unusable."""
    by_code: dict[str, list[_Row]] = {}
    for row in rows:
        by_code.setdefault(row.code, []).append(row)
    expired_only = tuple(sorted(code for code, same in by_code.items() if all(row.expired for row in same)))
    for code in by_code.keys() - set(expired_only):
        unusable += [
            UnusableRow(row.number, "expired, and its code has current rows") for row in by_code[code] if row.expired
        ]
        by_code[code] = [row for row in by_code[code] if not row.expired]
    return by_code, expired_only


def _offence(row: _Row, known: Offence | None, harm: float, basis: str, edition: str) -> Offence:
    if known is not None:
        return Offence(row.code, known.name, known.subgroup, known.classes, harm, basis, edition)
    name = row.title if len(row.title) <= NAME_LENGTH else row.title[: NAME_LENGTH - 1].rstrip() + "…"
    return Offence(row.code, name, row.subgroup, _new_classes(row), harm, basis, edition)


def _new_classes(row: _Row) -> frozenset[str]:
    title = row.title.casefold()
    if row.subgroup.casefold() == "stalking and harassment" and "breach" not in title:
        return frozenset(word for word, part in (("stalking", "stalk"), ("harassment", "harass")) if part in title)
    return SUBGROUP_CLASSES.get(row.subgroup, frozenset())


def _subgroup_differs(current: dict[str, list[_Row]], base: HarmIndex) -> tuple[str, ...]:
    """Codes whose SUB_GROUP is not the subgroup of the table; the table's stays, for an analyst to look at."""
    return tuple(
        sorted(
            code
            for code, rows in current.items()
            if (known := base.lookup(code)) and rows[0].subgroup and rows[0].subgroup != known.subgroup
        )
    )


def _edition(path: Path) -> str:
    year = re.search(r"20\d\d", path.stem)
    return f"cchi-{year[0]}-workbook" if year else "cchi-workbook"
