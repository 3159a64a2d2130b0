"""Reading the logs of an extract: the table `logs`, or the column `log_text` of its incidents (docs/training.md).

A text is never in a message: rows are named by their number or the incident's id.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from app.errors import SetupError
from app.harm.features import Floats

_TABLES = ("logs", "incidents")
_FLAGS = ("is_non_crime", "is_domestic")
_TRUE = pa.array(["true", "1", "yes"])


@dataclass(frozen=True)
class Logs:
    """Columns over L logs, by incident id, each incident once: `code` empty for none, `harm` days, NaN for none."""

    incident_id: NDArray[np.object_]
    code: NDArray[np.object_]
    non_crime: NDArray[np.bool_]
    domestic: NDArray[np.bool_]
    harm: Floats
    text: list[str]


def read_logs(folder: Path) -> Logs | None:
    """The logs of an extract folder; None where it has none. Raises SetupError for a table that cannot be used."""
    for name in _TABLES:
        table = _read(folder, name)
        if table is not None and "log_text" in table.column_names:
            return _columns(table, name)
    return None


def _read(folder: Path, name: str) -> pa.Table | None:
    parquet, text = folder / f"{name}.parquet", folder / f"{name}.csv"
    try:
        if parquet.is_file():
            return pq.read_table(parquet)
        if text.is_file():
            names = pa_csv.open_csv(text).schema.names
            types = pa_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=True, null_values=[""]
            )
            lines = pa_csv.ParseOptions(newlines_in_values=True)
            return pa_csv.read_csv(text, convert_options=types, parse_options=lines)
    except (pa.ArrowException, OSError) as error:
        raise SetupError(f"The extract's table {name} cannot be read ({type(error).__name__}).") from None
    return None


def _columns(table: pa.Table, name: str) -> Logs:
    if "incident_id" not in table.column_names:
        raise SetupError(f"The extract's table {name} needs a column incident_id beside log_text.")
    table = table.filter(pc.is_valid(table["log_text"]))
    ids = _texts(table, "incident_id", name)
    order = np.argsort(ids, kind="stable")
    order = order[np.append(True, ids[order][1:] != ids[order][:-1])] if len(order) else order
    flags = [_flags(table, column, name)[order] for column in _FLAGS]
    return Logs(
        incident_id=ids[order],
        code=np.array([code.replace("/", "") for code in _texts(table, "offence_code", name)[order]], dtype=object),
        non_crime=flags[0],
        domestic=flags[1],
        harm=_numbers(table, "harm_score", name)[order],
        text=_texts(table, "log_text", name)[order].tolist(),
    )


def _column(table: pa.Table, column: str) -> pa.Array:
    """A column, all null where there is none."""
    if column not in table.column_names:
        return pa.nulls(table.num_rows, pa.string())
    return table.column(column).combine_chunks()


def _texts(table: pa.Table, column: str, name: str) -> NDArray[np.object_]:
    values = _column(table, column)
    if not (pa.types.is_string(values.type) or pa.types.is_large_string(values.type) or pa.types.is_null(values.type)):
        raise SetupError(f"The extract's {name}.{column} is not text.")
    return np.asarray(pc.fill_null(values.cast(pa.string()), "").to_numpy(zero_copy_only=False), dtype=object)


def _flags(table: pa.Table, column: str, name: str) -> NDArray[np.bool_]:
    values = _column(table, column)
    if not pa.types.is_boolean(values.type):
        values = pc.is_in(pc.utf8_lower(values.cast(pa.string())), value_set=_TRUE)
    if values.null_count:
        raise SetupError(f"The extract's {name}.{column} must say yes or no in every row with a log.")
    return np.asarray(values.to_numpy(zero_copy_only=False), dtype=np.bool_)


def _numbers(table: pa.Table, column: str, name: str) -> Floats:
    try:
        values = _column(table, column).cast(pa.float64())
    except pa.ArrowInvalid:
        raise SetupError(f"The extract's {name}.{column} holds something that is not a number.") from None
    return np.asarray(pc.fill_null(values, np.nan).to_numpy(zero_copy_only=False), dtype=np.float64)
