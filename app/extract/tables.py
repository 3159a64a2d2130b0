"""Reading the five tables of an extract and checking their shape: columns, dates, words, keys. Nothing is mended here.

A `Reader` collects everything that is wrong, so that one run names all of it.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from app.errors import Fault, SetupError
from app.harm.features import NO_DAY, Floats, Ints

log = logging.getLogger(__name__)

REQUIRED = {
    "persons": ("person_id", "date_of_birth", "gender"),
    "incidents": ("incident_id", "occurred_on", "offence_code", "is_non_crime", "is_domestic", "intimate_partner"),
    "involvements": ("incident_id", "person_id", "role"),
    "custody": ("person_id", "arrived_on"),
    "contacts": ("person_id", "contacted_on"),
}
OPTIONAL = {
    "persons": ("ethnicity",),
    "incidents": ("recorded_on", "harm_score", "log_text"),
    "involvements": ("charged_on", "eliminated_on"),
    "custody": ("released_on",),
    "contacts": (),
}
_KEYS = {name: columns[0] for name, columns in REQUIRED.items()}
_EXAMPLES = 3
_TRUTH = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
_ISO_DATE = r"^\d{4}-\d{2}-\d{2}$"


@dataclass(frozen=True)
class _Wrong:
    table: str
    column: str
    rule: str
    rows: int
    examples: tuple[str, ...]


class Reader:
    """Reads one extract folder; `stop_if_wrong` raises SetupError naming every broken rule found so far."""

    def __init__(self, folder: Path) -> None:
        self._wrong: list[_Wrong] = []
        self._tables = {name: _open(folder, name) for name in REQUIRED}
        for name, table in self._tables.items():
            self._check_columns(name, table)
        self.stop_if_wrong()

    def text(self, table: str, column: str) -> pa.Array:
        """A column as strings, null where empty."""
        values = self._column(table, column)
        if pa.types.is_null(values.type):
            return pa.nulls(len(values), pa.string())
        return values if pa.types.is_string(values.type) else values.cast(pa.string())

    def key(self, table: str, column: str) -> pa.Array:
        """An id column; empty ids are wrong."""
        values = self.text(table, column)
        self._note(table, column, "missing-key", _mask(pc.is_null(values)))
        return values

    def words(
        self, table: str, column: str, known: Mapping[str, int], *, missing: int | None = None
    ) -> NDArray[np.int8]:
        """A column of fixed words as their codes; null is `missing`, or wrong where that is None."""
        values = self.text(table, column)
        place = pc.index_in(values, value_set=pa.array(list(known)))
        unknown = _mask(pc.and_(pc.is_null(place), pc.is_valid(values)))
        self._note(table, column, "unknown-word", unknown)
        empty = _mask(pc.is_null(values))
        if missing is None:
            self._note(table, column, "missing-value", empty)
        codes = np.array([*known.values(), 0 if missing is None else missing], dtype=np.int8)
        place = np.asarray(pc.fill_null(place, len(known)))
        return np.asarray(codes[place], dtype=np.int8)

    def days(self, table: str, column: str, *, required: bool) -> Ints:
        """A date column as days since 1970-01-01, `NO_DAY` where empty; other columns of the extract may lack it."""
        values = self._column(table, column)
        if pa.types.is_string(values.type):
            parsed = _parse_dates(values)
        elif pa.types.is_temporal(values.type) and not pa.types.is_time(values.type):
            parsed = values.cast(pa.date32(), safe=False)
        else:
            parsed = pa.nulls(len(values), pa.date32())
        unreadable = _mask(pc.and_(pc.is_null(parsed), pc.is_valid(values)))
        self._note(table, column, "unreadable-date", unreadable)
        if required:
            self._note(table, column, "missing-date", _mask(pc.is_null(values)))
        numbers = np.asarray(pc.fill_null(parsed.cast(pa.int32()), 0)).astype(np.int64)
        return np.where(_mask(pc.is_null(parsed)), NO_DAY, numbers)

    def flags(self, table: str, column: str) -> NDArray[np.bool_]:
        """A yes/no column: booleans, 0/1, or the words true, false, yes, no in any case."""
        values = self._column(table, column)
        if not pa.types.is_boolean(values.type):
            words = pc.utf8_lower(self.text(table, column))
            truth = pa.array(list(_TRUTH.values()))
            values = truth.take(pc.index_in(words, value_set=pa.array(list(_TRUTH))))
        self._note(table, column, "not-yes-or-no", _mask(pc.is_null(values)))
        return _mask(pc.fill_null(values, False))

    def numbers(self, table: str, column: str, lowest: float, highest: float) -> Floats:
        """A column of numbers, NaN where empty; wrong where unreadable or out of range."""
        values = self._column(table, column)
        if pa.types.is_string(values.type):
            is_number = pc.match_substring_regex(values, r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$")
            self._note(table, column, "not-a-number", _mask(pc.invert(pc.fill_null(is_number, True))))
            values = pc.if_else(pc.fill_null(is_number, False), values, None)
        elif pa.types.is_temporal(values.type):
            self._refuse_type(table, column, len(values))
            values = pa.nulls(len(values), pa.float64())
        numbers = np.asarray(pc.fill_null(values.cast(pa.float64()), np.nan), dtype=np.float64)
        self._note(table, column, "out-of-range", (numbers < lowest) | (numbers > highest))
        return numbers

    def places(self, table: str, column: str, known: pa.Array, rule: str) -> Ints:
        """Row of each key in `known`; a key that is not there is wrong."""
        values = self.key(table, column)
        place = pc.index_in(values, value_set=known)
        self._note(table, column, rule, _mask(pc.and_(pc.is_null(place), pc.is_valid(values))))
        return np.asarray(pc.fill_null(place, 0)).astype(np.int64)

    def note(self, table: str, column: str, rule: str, keys: pa.Array) -> None:
        """Something found wrong elsewhere, given as the keys of the rows concerned."""
        if len(keys):
            examples = tuple(keys.slice(0, _EXAMPLES).to_pylist())
            self._wrong.append(_Wrong(table, column, rule, len(keys), examples))

    def stop_if_wrong(self) -> None:
        """Raise SetupError with a table of everything wrong: counts, and examples by key only."""
        if not self._wrong:
            return
        lines = [
            f"  {wrong.table}.{wrong.column}: {wrong.rule}, {wrong.rows} rows"
            + (f", such as {', '.join(wrong.examples)}" if wrong.examples else "")
            for wrong in self._wrong
        ]
        faults = [Fault(f"/{wrong.table}/{wrong.column}", wrong.rule) for wrong in self._wrong]
        raise SetupError("The extract cannot be used. Mend these and try again:\n" + "\n".join(lines), faults)

    def _column(self, table: str, column: str) -> pa.Array:
        held = self._tables[table]
        if column not in held.names:
            return pa.nulls(held.rows, pa.string())
        values = held.read(column).combine_chunks()
        if pa.types.is_dictionary(values.type):
            values = values.dictionary_decode()
        if pa.types.is_large_string(values.type) or pa.types.is_string_view(values.type):
            values = values.cast(pa.string())
        if _is_unusable(values.type):
            self._refuse_type(table, column, len(values))
            return pa.nulls(len(values), pa.string())
        return values.cast(pa.string()) if pa.types.is_null(values.type) else values

    def _refuse_type(self, table: str, column: str, rows: int) -> None:
        wrong = _Wrong(table, column, "unusable-type", rows, ())
        if wrong not in self._wrong:
            self._wrong.append(wrong)

    def _check_columns(self, name: str, table: "_Table") -> None:
        for column in REQUIRED[name]:
            if column not in table.names:
                self._wrong.append(_Wrong(name, column, "missing-column", table.rows, ()))
        unknown = [column for column in table.names if column not in (*REQUIRED[name], *OPTIONAL[name])]
        if unknown:
            log.warning("extract table %s: columns not used: %s", name, ", ".join(unknown))

    def _note(self, table: str, column: str, rule: str, wrong: NDArray[np.bool_]) -> None:
        rows = np.flatnonzero(wrong)
        if len(rows):
            keys = self._tables[table].read(_KEYS[table]).take(pa.array(rows[:_EXAMPLES])).to_pylist()
            self._wrong.append(_Wrong(table, column, rule, len(rows), tuple(str(key) for key in keys)))


def give_back() -> None:
    """Returns to the system what reading left unused: in tables of millions of rows more than what is kept."""
    pa.default_memory_pool().release_unused()


@dataclass(frozen=True)
class _Table:
    """A table whose columns are read when they are asked for: of Parquet no more than one is held at a time."""

    names: list[str]
    rows: int
    read: Callable[[str], pa.ChunkedArray]


def _open(folder: Path, name: str) -> _Table:
    """One table as Parquet or, all columns as text, as CSV."""
    parquet, text = folder / f"{name}.parquet", folder / f"{name}.csv"
    if parquet.is_file() == text.is_file():
        which = "both forms" if text.is_file() else "neither form"
        raise SetupError(f"The extract needs {name} once, as {name}.parquet or {name}.csv; {which} found.")
    with _readable(name):
        if parquet.is_file():
            file = pq.ParquetFile(parquet)
            return _Table(file.schema_arrow.names, file.metadata.num_rows, partial(_column_of, file, name))
        names = pa_csv.open_csv(text).schema.names
        options = pa_csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=True, null_values=[""]
        )
        lines = pa_csv.ParseOptions(newlines_in_values=True)  # of a column log_text
        table = pa_csv.read_csv(text, convert_options=options, parse_options=lines)
    return _Table(table.column_names, table.num_rows, table.column)


def _column_of(file: pq.ParquetFile, name: str, column: str) -> pa.ChunkedArray:
    with _readable(name):
        return file.read(columns=[column]).column(column)


@contextmanager
def _readable(name: str) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        raise SetupError(f"The extract's table {name} cannot be read ({type(error).__name__}).") from None


def _is_unusable(kind: pa.DataType) -> bool:
    """Types that are neither words, numbers, yes or no, nor dates: Arrow would end the run, and might repeat a value."""
    bare = pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind)
    return bool(bare or pa.types.is_nested(kind) or pa.types.is_duration(kind))


def _parse_dates(values: pa.Array) -> pa.Array:
    """YYYY-MM-DD as dates, null where unreadable or not in the calendar."""
    parsed = pc.strptime(values, format="%Y-%m-%d", unit="s", error_is_null=True)
    written_back = pc.equal(pc.strftime(parsed, format="%Y-%m-%d"), values)
    readable = pc.and_(pc.match_substring_regex(values, _ISO_DATE), pc.fill_null(written_back, False))
    return pc.if_else(readable, parsed.cast(pa.date32()), None)


def _mask(values: pa.Array) -> NDArray[np.bool_]:
    return np.asarray(pc.fill_null(values, False).to_numpy(zero_copy_only=False), dtype=np.bool_)
