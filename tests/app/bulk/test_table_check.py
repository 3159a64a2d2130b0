"""A table of scores against the ledger: whatever is changed, taken out or put in is found, and an erased row is none of these."""

import struct
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import settings as how
from hypothesis import strategies as st

from app.audit.store import Store
from app.bulk.run import Options, score
from app.bulk.table.check import KEPT_OF_ERASED, check_table
from app.bulk.table.hashes import FORMAT, root_of, row_hashes, salts
from app.bulk.table.seals import HASHED, SEALED
from app.cli import main
from app.errors import SetupError
from app.settings import Settings
from app.storage import open_store
from tests.app.audit.rfc6962 import leaf, tree_root
from tests.app.bulk.test_table import synthetic

PART = 5


class Made(NamedTuple):
    """A finished run: its table, its ledger, and where both are."""

    rows: list[dict[str, Any]]
    store: Store
    folder: Path
    settings: Settings

    def wrong(self, rows: list[dict[str, Any]]) -> list[str]:
        """What a check finds in these rows."""
        path = self.folder / "changed.parquet"
        pq.write_table(pa.Table.from_pylist(rows, SEALED), path)
        return check_table(path, self.store).wrong


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, toy_artifacts: Path) -> Made:
    folder = tmp_path_factory.mktemp("made")
    extract = synthetic(folder / "x", 60)
    settings = Settings(home=folder / "home", artifacts=toy_artifacts)
    with pytest.MonkeyPatch.context() as patch:
        for module in ("part", "journal", "run"):
            patch.setattr(f"app.bulk.table.{module}.COLUMN_PART", PART)
        score(settings, extract, Options(folder / "out.parquet"), "local:me")
    rows = pq.read_table(folder / "out.parquet").to_pylist()
    assert len(rows) > 2 * PART
    return Made(rows, Store(*open_store(settings)), folder, settings)


def another(value: Any, kind: pa.DataType) -> st.SearchStrategy[Any]:
    """Values of this type, close ones among them."""
    near: dict[type, Callable[[Any], list[Any]]] = {
        float: lambda it: [it + 2**-52, -it, it * 2],
        int: lambda it: [it + 1, -it, it ^ 1 << 30],
        str: lambda it: [it + " ", it[:-1], it.swapcase(), it + "\0"],
        bytes: lambda it: [bytes([it[0] ^ 1]) + it[1:], bytes(len(it))],
        date: lambda it: [it + timedelta(days=1)],
        datetime: lambda it: [it + timedelta(microseconds=1)],
        list: lambda it: [it[:-1], it[::-1], [*it, *it], ["".join(it)] if it and isinstance(it[0], str) else []],
    }
    made = near[type(value)](value) if value is not None else []
    plain = {
        pa.float64(): [0.0, 1.0, float("nan")], pa.int32(): [0, 1], pa.int64(): [0, 1], pa.string(): ["", "0-50"],
        pa.date32(): [date(1970, 1, 1)], SEALED.field("scored_at").type: [datetime(2020, 1, 1, tzinfo=UTC)],
    }.get(kind, [])  # fmt: skip
    if pa.types.is_list(kind):
        plain = [[], [{"pointer": "", "rule": ""}] if pa.types.is_struct(kind.value_type) else [""]]
    return st.sampled_from([None, *made, *plain]).filter(lambda it: it != value)


@given(data=st.data())
@how(max_examples=80, deadline=None)
def test_every_changed_cell_is_found(made: Made, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(made.rows) - 1))
    name = data.draw(st.sampled_from(SEALED.names))
    value = data.draw(another(made.rows[place][name], SEALED.field(name).type))
    rows = [dict(row) for row in made.rows]
    rows[place][name] = value
    assert made.wrong(rows), (place, name, value)


@given(data=st.data())
@how(max_examples=10, deadline=None)
def test_rows_that_are_missing_added_or_moved_are_found(made: Made, data: st.DataObject) -> None:
    count = len(made.rows)
    first, second = sorted(data.draw(st.lists(st.integers(0, count - 1), min_size=2, max_size=2, unique=True)))
    rows = made.rows
    swapped = [*rows]
    swapped[first], swapped[second] = rows[second], rows[first]
    for changed in (rows[:first] + rows[second:], rows[:second] + rows[first:], swapped):
        assert made.wrong(changed)


def test_what_is_told(made: Made) -> None:
    rows = made.rows
    assert made.wrong(rows) == []
    assert made.wrong(rows[:3] + rows[4:])[0] == "row 3 of batch 0 is missing"
    assert made.wrong([rows[0] | {"predicted_group": "90-100?"}, *rows[1:]]) == ["row 0 was changed"]
    assert f"rows {PART} to {2 * PART - 1} are missing" in made.wrong(rows[:PART] + rows[2 * PART :])
    assert f"rows {PART} to {len(rows) - 1} are missing" in made.wrong(rows[:PART])
    stranger = [row | {"record_id": "00000000-0000-7000-8000-000000000000"} for row in rows[:PART]]
    assert made.wrong([*stranger, *rows[PART:]])[0] == f"{PART} rows from number 0 on: their batch is not in the ledger"
    resealed = [dict(row) for row in rows]
    resealed[1]["median_days"] = 7
    batch = pa.RecordBatch.from_pylist([{name: resealed[1][name] for name in HASHED.names}], HASHED)
    resealed[1]["row_hash"] = row_hashes(batch)[0]
    assert made.wrong(resealed) == ["batch 0: its rows are not those the ledger vouches for"]


def test_an_erased_row_leaves_the_others_as_they_were(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Erased as the guide says, by the lines that stand there."""
    monkeypatch.chdir(tmp_path)
    pq.write_table(pa.Table.from_pylist(made.rows, SEALED), "scores.parquet")
    told = Path(__file__).parents[3].joinpath("docs/bulk.md").read_text().split("```python\n")[1].split("```")[0]
    exec(told.replace("N-104", made.rows[4]["nominal_id"]), {})
    report = check_table(tmp_path / "scores.parquet", made.store)
    assert (report.wrong, report.erased) == ([], 1)
    rows = pq.read_table("scores.parquet").to_pylist()
    assert {name for name, value in rows[4].items() if value is not None} == set(KEPT_OF_ERASED)
    rows[5]["median_days"] = 1
    assert made.wrong(rows) == ["row 5 was changed"]


def test_the_command(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAYZERO_HOME", str(made.settings.home))
    table = made.folder / "out.parquet"
    fine = CliRunner().invoke(main, ["audit", "table", str(table)])
    assert (fine.exit_code, fine.stderr) == (0, "")
    assert fine.stdout.endswith("and none is missing.\n")
    changed = made.folder / "cut.parquet"
    pq.write_table(pq.read_table(table).slice(0, PART), changed)
    found = CliRunner().invoke(main, ["audit", "table", str(changed)])
    assert found.exit_code == 1
    assert "are missing" in found.stderr
    assert "nominal" not in found.stderr


@pytest.mark.parametrize("content", [b"", b"PAR1 not really"])
def test_no_table_at_all(made: Made, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.parquet").write_bytes(content)
    with pytest.raises(SetupError, match="cannot be read"):
        check_table(tmp_path / "x.parquet", made.store)
    pq.write_table(pa.table({"nominal_id": ["A"]}), tmp_path / "other.parquet")
    with pytest.raises(SetupError, match="columns are others"):
        check_table(tmp_path / "other.parquet", made.store)


def cell(value: Any, kind: pa.DataType) -> bytes:
    """The bytes of one cell, written out by the table in `hashes`."""
    if value is None:
        return b"\x00"
    if isinstance(value, float):
        return b"\x01" + struct.pack("<d", value)
    if isinstance(value, int | date):
        return b"\x01" + struct.pack("<q", value if isinstance(value, int) else (value - date(1970, 1, 1)).days)
    if pa.types.is_struct(kind):
        return b"\x01" + b"".join(cell(value[one.name], one.type) for one in kind)
    if pa.types.is_list(kind):
        return b"\x01" + struct.pack("<I", len(value)) + b"".join(cell(one, kind.value_type) for one in value)
    content = value.encode() if isinstance(value, str) else value
    return b"\x01" + struct.pack("<I", len(content)) + content


_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=3)
_ANY = {
    "text": (pa.string(), _TEXT),
    "whole": (pa.int32(), st.integers(-(2**31), 2**31 - 1)),
    "number": (pa.float64(), st.floats(allow_nan=False)),
    "day": (pa.date32(), st.dates()),
    "salt": (pa.binary(2), st.binary(min_size=2, max_size=2)),
    "words": (pa.list_(pa.string()), st.lists(_TEXT, max_size=3)),
    "errors": (
        pa.list_(pa.struct({"pointer": pa.string(), "rule": pa.string()})),
        st.lists(st.fixed_dictionaries({"pointer": st.none() | _TEXT, "rule": _TEXT}), max_size=2),
    ),
}


@given(
    rows=st.lists(
        st.fixed_dictionaries({name: st.none() | values for name, (_, values) in _ANY.items()}), min_size=1, max_size=6
    ),
    cut=st.integers(0, 3),
)
@how(max_examples=60, deadline=None)
def test_hashes_against_a_slow_writing(rows: list[dict[str, Any]], cut: int) -> None:
    schema = pa.schema({name: kind for name, (kind, _) in _ANY.items()})
    batch = pa.RecordBatch.from_pylist(rows, schema).slice(min(cut, len(rows) - 1))
    kept = rows[min(cut, len(rows) - 1) :]
    leaves = [FORMAT + b"".join(cell(row[one.name], one.type) for one in schema) for row in kept]
    assert row_hashes(batch) == [leaf(one) for one in leaves]
    assert root_of(row_hashes(batch)) == tree_root([leaf(one) for one in leaves])


def test_salts_are_those_of_their_rows() -> None:
    seed = bytes(32)
    assert salts(seed, 4, 3).to_pylist() == salts(seed, 4, 3).to_pylist()
    assert len({*salts(seed, 4, 50).to_pylist(), *salts(seed, 54, 50).to_pylist()}) == 100
    assert salts(seed, 4, 3) != salts(bytes(31) + b"\1", 4, 3)
