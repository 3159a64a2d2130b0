"""The five tables of an extract as Arrow tables with real dates, and writing them."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from training.synthetic.dirt import MISSING_BIRTH
from training.synthetic.police import NEVER
from training.synthetic.register import Register

TABLES = ("persons", "incidents", "involvements", "custody", "contacts")

SCHEMAS = {
    "persons": pa.schema(
        [
            ("person_id", pa.string()),
            ("date_of_birth", pa.date32()),
            ("gender", pa.string()),
            ("ethnicity", pa.string()),
        ]
    ),
    "incidents": pa.schema(
        [
            ("incident_id", pa.string()),
            ("occurred_on", pa.date32()),
            ("offence_code", pa.string()),
            ("is_non_crime", pa.bool_()),
            ("is_domestic", pa.bool_()),
            ("intimate_partner", pa.bool_()),
            ("recorded_on", pa.date32()),
            ("harm_score", pa.float64()),
        ]
    ),
    "involvements": pa.schema(
        [
            ("incident_id", pa.string()),
            ("person_id", pa.string()),
            ("role", pa.string()),
            ("charged_on", pa.date32()),
            ("eliminated_on", pa.date32()),
        ]
    ),
    "custody": pa.schema([("person_id", pa.string()), ("arrived_on", pa.date32()), ("released_on", pa.date32())]),
    "contacts": pa.schema([("person_id", pa.string()), ("contacted_on", pa.date32())]),
}


def to_tables(rng: np.random.Generator, register: Register) -> tuple[dict[str, pa.Table], pa.Array]:
    """Give everything an id and lay out the tables, each in the order of its ids.

    Person ids are in no order; incident ids follow the day of recording, as crime numbers do. Returns the tables and
    the person ids by person number.
    """
    persons = int(register.persons["person"].max()) + 1
    person_ids = _ids("P", rng.permutation(persons))
    incident_ids = _ids("I", _crime_numbers(rng, register.incidents))
    frames = {
        "persons": _persons(register.persons, person_ids),
        "incidents": _incidents(register.incidents, incident_ids),
        "involvements": _involvements(register.involvements, incident_ids, person_ids),
        "custody": _custody(register.custody, person_ids),
        "contacts": _contacts(register.contacts, person_ids),
    }
    return {name: _in_order(frames[name], SCHEMAS[name]) for name in TABLES}, person_ids


def _ids(letter: str, numbers: np.ndarray) -> pa.Array:
    digits = pc.utf8_lpad(pa.array(numbers).cast(pa.string()), 8, padding="0")
    return pc.binary_join_element_wise(letter, digits, "")


def _crime_numbers(rng: np.random.Generator, incidents: pd.DataFrame) -> np.ndarray:
    """Running numbers by day of recording, chance order within a day, by incident number."""
    first = incidents.drop_duplicates("incident").sort_values("incident")
    order = np.lexsort((rng.random(len(first)), first["recorded"].to_numpy()))
    numbers = np.empty(len(first), dtype=np.int64)
    numbers[order] = np.arange(1, len(first) + 1)
    return numbers


def _persons(frame: pd.DataFrame, ids: pa.Array) -> dict[str, pa.Array]:
    birth = frame["birth"].to_numpy()
    return {
        "person_id": ids.take(pa.array(frame["person"])),
        "date_of_birth": dates(birth, birth == MISSING_BIRTH),
        "gender": pa.array(frame["gender"], pa.string()),
        "ethnicity": pa.array(frame["ethnicity"], pa.string()),
    }


def _incidents(frame: pd.DataFrame, ids: pa.Array) -> dict[str, pa.Array]:
    return {
        "incident_id": ids.take(pa.array(frame["incident"])),
        "occurred_on": dates(frame["day"].to_numpy()),
        "offence_code": pa.array(frame["code"], pa.string(), from_pandas=True),
        "is_non_crime": pa.array(frame["non_crime"]),
        "is_domestic": pa.array(frame["domestic"]),
        "intimate_partner": pa.array(frame["partner"]),
        "recorded_on": dates(frame["recorded"].to_numpy()),
        "harm_score": pa.array(frame["harm"], pa.float64(), from_pandas=True),
    }


def _involvements(frame: pd.DataFrame, incident_ids: pa.Array, person_ids: pa.Array) -> dict[str, pa.Array]:
    return {
        "incident_id": incident_ids.take(pa.array(frame["incident"])),
        "person_id": person_ids.take(pa.array(frame["person"])),
        "role": pa.array(frame["role"], pa.string()),
        "charged_on": _dates_or_never(frame["charged"]),
        "eliminated_on": _dates_or_never(frame["eliminated"]),
    }


def _custody(frame: pd.DataFrame, ids: pa.Array) -> dict[str, pa.Array]:
    return {
        "person_id": ids.take(pa.array(frame["person"])),
        "arrived_on": dates(frame["arrived"].to_numpy()),
        "released_on": _dates_or_never(frame["released"]),
    }


def _contacts(frame: pd.DataFrame, ids: pa.Array) -> dict[str, pa.Array]:
    return {"person_id": ids.take(pa.array(frame["person"])), "contacted_on": dates(frame["day"].to_numpy())}


def _in_order(columns: dict[str, pa.Array], schema: pa.Schema) -> pa.Table:
    table = pa.table(columns, schema=schema)
    keys = [name for name in ("incident_id", "person_id", "role", "arrived_on", "contacted_on") if name in columns]
    return table.sort_by([(name, "ascending") for name in keys])


def _dates_or_never(days: pd.Series) -> pa.Array:
    values = days.to_numpy()
    return dates(values, values == NEVER)


def dates(days: np.ndarray, missing: np.ndarray | None = None) -> pa.Array:
    """Days since 1970-01-01 as an Arrow date column, null where `missing`."""
    known = days if missing is None else np.where(missing, 0, days)
    return pa.array(known.astype(np.int32), pa.int32(), mask=missing).cast(pa.date32())


def write_tables(tables: dict[str, pa.Table], folder: Path) -> None:
    """Write each table as `<name>.parquet`; the same tables give the same bytes."""
    for name, table in tables.items():
        pq.write_table(table, folder / f"{name}.parquet", compression="zstd", use_dictionary=True)
