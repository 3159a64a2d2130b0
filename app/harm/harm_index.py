"""Harm days and offence classes by Home Office code, read from the table `harm_index.csv`.

Harm is the Cambridge Crime Harm Index score of the offence in days, 0 to 5,475. Figures are exact where a published
figure belongs to the code itself and medians of its recorded-crime subgroup elsewhere (`Offence.approximate`); what the
table rests on, and how to replace it by the official workbook, is in docs/harm_index.md.

Readings of our own (ours), as the report names the classes without listing codes:

- `violent`: homicide, violence with injury, violence without injury outside stalking and harassment, robbery.
- `sexual`: rape and other sexual offences; not breaches of sexual harm orders, not indecent photographs.
- `harassment`: what is recorded as harassment (class 8L, and 8M racially or religiously aggravated). Public order
  "harassment, alarm or distress", malicious communications and coercive control carry no class.
- `stalking`: stalking offences (class 8Q, and racially or religiously aggravated stalking).
"""

import csv
import hashlib
import io
import math
import os
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from app.errors import SetupError
from app.text.records import ReadsLogs

COLUMNS = ("code", "name", "subgroup", "classes", "harm_days", "basis", "edition")
CODE_CLASSES = frozenset({"harassment", "violent", "sexual", "stalking"})
EXACT, CODE_MEDIAN, SUBGROUP_MEDIAN = "exact", "code-median", "subgroup-median"
BASES = (EXACT, CODE_MEDIAN, SUBGROUP_MEDIAN)
MAX_HARM_DAYS = 5475.0
SHIPPED_TABLE = Path(__file__).with_name("harm_index.csv")

STALKING_AND_HARASSMENT = "Stalking and harassment"
"""Subgroup of what the report's model of all stalking and harassment counts its day zero from (appendix 6)."""
# Classes every offence of a subgroup has; harassment and stalking differ inside their subgroup and stand in the table.
SUBGROUP_CLASSES: Mapping[str, frozenset[str]] = {
    "Homicide": frozenset({"violent"}),
    "Violence with injury": frozenset({"violent"}),
    "Violence without injury": frozenset({"violent"}),
    "Robbery of business property": frozenset({"violent"}),
    "Robbery of personal property": frozenset({"violent"}),
    "Rape offences": frozenset({"sexual"}),
    "Other sexual offences": frozenset({"sexual"}),
}


@dataclass(frozen=True, slots=True)
class Offence:
    """One row of the table; `harm` in days, `classes` out of harassment, violent, sexual, stalking."""

    code: str
    name: str
    subgroup: str
    classes: frozenset[str]
    harm: float
    basis: str
    edition: str

    @property
    def approximate(self) -> bool:
        """True where the harm is a median and not a figure of this very offence."""
        return self.basis != EXACT


@dataclass(frozen=True, slots=True, eq=False)
class HarmIndex:
    """Where harm comes from: the whole table, and where one is loaded the `reader` of the logs of domestic non-crimes.

    `sha256` (hex) is over the bytes of the file, `edition` joins those of its rows by `+`.
    """

    edition: str
    sha256: str
    offences: Mapping[str, Offence] = field(repr=False)
    reader: ReadsLogs | None = field(default=None, repr=False)

    def lookup(self, code: str) -> Offence | None:
        """The offence of a code written `NNNNN` or `NNN/NN`; None if the table does not have it."""
        if len(code) == 6 and code[3] == "/":
            code = code[:3] + code[4:]
        return self.offences.get(code)

    def __len__(self) -> int:
        return len(self.offences)

    def __iter__(self) -> Iterator[Offence]:
        return iter(self.offences.values())


def offence_classes(offence_classes: Collection[str], *, intimate_partner: bool) -> frozenset[str]:
    """Classes of an incident: harassment between current or former partners is stalking too (report, section 2.1)."""
    classes = frozenset(offence_classes)
    if intimate_partner and "harassment" in classes:
        return classes | {"stalking"}
    return classes


def index_in_force(imported: Path) -> HarmIndex:
    """The imported table where there is one, else the one shipped: for training and serving alike."""
    return load_harm_index(imported if imported.exists() else None)


def load_harm_index(path: Path | None = None) -> HarmIndex:
    """Read a table (None: the one shipped with the code); SetupError names the first row that cannot be used."""
    path = path or SHIPPED_TABLE
    try:
        content = path.read_bytes()
        text = content.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(f"harm index {path.name} is not readable UTF-8 text: restore it or import it again") from error
    offences: dict[str, Offence] = {}
    for number, cells in _records(text, path.name):
        offence = _offence(cells, number, path.name)
        if offence.code in offences:
            raise _unusable(path.name, number, "its code stands in an earlier row too")
        offences[offence.code] = offence
    if not offences:
        raise SetupError(f"harm index {path.name} has no rows: restore it or import it again")
    edition = "+".join(sorted({offence.edition for offence in offences.values()}))
    return HarmIndex(edition, hashlib.sha256(content).hexdigest(), offences)


def save_harm_index(offences: Iterable[Offence], out: Path) -> HarmIndex:
    """Write a table in code order and load it back; `out` is replaced in one step or, on SetupError, not at all."""
    temporary: Path | None = None
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("wb", dir=out.parent, prefix=f".{out.name}.", delete=False) as file:
            temporary = Path(file.name)
            file.write(_table(offences).encode())
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        index = load_harm_index(temporary)
        temporary.replace(out)
        _sync_folder(out.parent)
    except OSError as error:
        raise SetupError(f"harm index {out.name} cannot be written: check the folder and the disk") from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
    return index


def _table(offences: Iterable[Offence]) -> str:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(COLUMNS)
    for offence in sorted(offences, key=lambda offence: offence.code):
        classes = ";".join(sorted(offence.classes))
        days = repr(offence.harm).removesuffix(".0")
        writer.writerow((offence.code, offence.name, offence.subgroup, classes, days, offence.basis, offence.edition))
    return buffer.getvalue()


def _sync_folder(folder: Path) -> None:
    """Make the rename itself survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _records(text: str, table: str) -> Iterator[tuple[int, list[str]]]:
    """Rows with their number as a spreadsheet counts them (the header is row 1); blank rows are passed over."""
    rows = enumerate(csv.reader(io.StringIO(text, newline=""), strict=True), start=1)
    number = 0
    try:
        for number, cells in rows:
            if number == 1:
                if tuple(cells) != COLUMNS:
                    raise SetupError(f"harm index {table}: the first row must be {','.join(COLUMNS)}")
            elif cells:
                yield number, cells
    except csv.Error as error:
        raise _unusable(table, number + 1, "it is not well-formed CSV") from error


def _offence(cells: list[str], number: int, table: str) -> Offence:
    if len(cells) != len(COLUMNS):
        raise _unusable(table, number, f"it has {len(cells)} cells and not {len(COLUMNS)}")
    code, name, subgroup, classes, days, basis, edition = (cell.strip() for cell in cells)
    if not (len(code) == 5 and code.isascii() and code.isdigit()):
        raise _unusable(table, number, "code must have five digits (a spreadsheet may have dropped leading zeros)")
    if not (name and subgroup and edition):
        raise _unusable(table, number, "name, subgroup and edition must not be empty")
    if basis not in BASES:
        raise _unusable(table, number, f"basis must be one of {', '.join(BASES)}")
    return Offence(code, name, subgroup, _classes(classes, number, table), _days(days, number, table), basis, edition)


def _classes(cell: str, number: int, table: str) -> frozenset[str]:
    classes = frozenset(cell.split(";")) if cell else frozenset()
    if not classes <= CODE_CLASSES:
        raise _unusable(table, number, f"classes must be out of {', '.join(sorted(CODE_CLASSES))}, separated by ;")
    return classes


def _days(cell: str, number: int, table: str) -> float:
    try:
        days = float(cell)
    except ValueError:
        days = math.nan
    if not 0 <= days <= MAX_HARM_DAYS:  # also refuses NaN
        raise _unusable(table, number, f"harm_days must be a number from 0 to {MAX_HARM_DAYS:.0f}")
    return days


def _unusable(table: str, number: int, reason: str) -> SetupError:
    return SetupError(f"harm index {table}, row {number}: {reason}")
