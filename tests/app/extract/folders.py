"""Small extracts for tests: rows as dictionaries, written as CSV or Parquet."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

COLUMNS = {
    "persons": ("person_id", "date_of_birth", "gender", "ethnicity"),
    "incidents": (
        "incident_id",
        "occurred_on",
        "offence_code",
        "is_non_crime",
        "is_domestic",
        "intimate_partner",
        "recorded_on",
        "harm_score",
    ),
    "involvements": ("incident_id", "person_id", "role", "charged_on", "eliminated_on"),
    "custody": ("person_id", "arrived_on", "released_on"),
    "contacts": ("person_id", "contacted_on"),
}
DEFAULTS = {"gender": "male", "is_non_crime": "false", "is_domestic": "false", "intimate_partner": "false"}
Rows = Mapping[str, Sequence[Mapping[str, Any]]]


def write_csv(folder: Path, rows: Rows) -> Path:
    """Write five CSV tables; columns a row leaves out are empty or their default."""
    folder.mkdir(parents=True, exist_ok=True)
    for table, columns in COLUMNS.items():
        with (folder / f"{table}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(columns)
            for row in rows.get(table, ()):
                assert set(row) <= set(columns), row
                writer.writerow([row.get(name, DEFAULTS.get(name, "")) for name in columns])
    return folder


def as_csv(parquet: Path, folder: Path) -> Path:
    """The same extract with every table as CSV."""
    folder.mkdir()
    for table in COLUMNS:
        pa_csv.write_csv(pq.read_table(parquet / f"{table}.parquet"), folder / f"{table}.csv")
    return folder


def edit_parquet(folder: Path, table: str, column: str, values: pa.Array) -> None:
    """Replace one column of one table in place."""
    path = folder / f"{table}.parquet"
    held = pq.read_table(path)
    place = held.column_names.index(column)
    pq.write_table(held.set_column(place, column, values), path)
