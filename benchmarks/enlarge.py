"""A larger extract for measurements: copies of the scorable people of a smaller one, under other ids."""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from app.extract.load import load_extract
from app.extract.people import people_on
from app.harm.harm_index import load_harm_index


def enlarged(extract: Path, out: Path, nominals: int) -> Path:
    """An extract of about so many scorable people and their victims; a few are lost, with whoever made its last day."""
    clean = load_extract(extract, load_harm_index())
    people = people_on(clean, clean.end)
    tables = {path.stem: pq.read_table(path) for path in extract.glob("*.parquet")}
    chosen = pa.array(people.nominal_id.tolist(), pa.string())
    out.mkdir()
    parts: dict[str, list[pa.Table]] = {name: [] for name in tables}
    for copy in range(-(-nominals // len(chosen))):
        wanted = chosen.slice(0, min(len(chosen), nominals - copy * len(chosen)))
        for name, table in _their_part(tables, wanted).items():
            parts[name].append(_renamed(table, f"{copy}-"))
    for name, found in parts.items():
        pq.write_table(pa.concat_tables(found), out / f"{name}.parquet")
    return out


def _their_part(tables: dict[str, pa.Table], wanted: pa.Array) -> dict[str, pa.Table]:
    """Incidents of these people and whom they name; of the others only what is shared."""
    own = _where(tables["involvements"], "person_id", wanted)["incident_id"]
    shared = _where(tables["involvements"], "incident_id", own)
    victims = shared.filter(pc.equal(shared["role"], "victim"))["person_id"]
    named = pa.chunked_array([wanted, *victims.chunks])
    return {
        "persons": _where(tables["persons"], "person_id", named),
        "incidents": _where(tables["incidents"], "incident_id", own),
        "involvements": _where(shared, "person_id", named),
        "custody": _where(tables["custody"], "person_id", wanted),
        "contacts": _where(tables["contacts"], "person_id", victims),
    }


def _where(table: pa.Table, column: str, among: pa.ChunkedArray) -> pa.Table:
    return table.filter(pc.is_in(table[column], value_set=among))


def _renamed(table: pa.Table, prefix: str) -> pa.Table:
    for name in ("person_id", "incident_id"):
        if name in table.column_names:
            ids = pc.binary_join_element_wise(prefix, table[name].cast(pa.string()), "")
            table = table.set_column(table.column_names.index(name), name, ids)
    return table
