"""Loading extracts: the dirty-row table, refusals, formats, and files that are not tables at all."""

import logging
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
import yaml

from app.errors import SetupError
from app.extract.load import REAL_SOURCE, Extract, load_extract
from app.extract.rules import ROLES
from app.harm.features import CLASSES
from app.harm.harm_index import load_harm_index
from tests.app.extract.folders import COLUMNS, as_csv, edit_parquet, write_csv
from training.synthetic.folder import write
from training.synthetic.force import generate

TABLE = yaml.safe_load((Path(__file__).parents[2] / "data" / "dirty_rows.yaml").read_text(encoding="utf-8"))
INDEX = load_harm_index()
TODAY = date(2024, 1, 1)


def extract_of(folder: Path, case: dict[str, Any]) -> Extract:
    rows = {table: [*TABLE["clean"].get(table, ()), *case.get(table, ())] for table in COLUMNS}
    return load_extract(write_csv(folder, rows), INDEX, today=TODAY)


@pytest.mark.parametrize("case", TABLE["cases"], ids=lambda case: case["name"])
def test_dirty_row(case: dict[str, Any], tmp_path: Path) -> None:
    extract = extract_of(tmp_path, case)
    assert {rule: extract.counts[rule] for rule in case.get("counts", {})} == case.get("counts", {})
    if "kept" in case:
        assert extract.incident_id.tolist() == case["kept"]
    words = {code: word for word, code in ROLES.items()}
    found = {
        f"{extract.incident_id[incident]} {extract.person_id[person]}": words[role]
        for incident, person, role in zip(extract.incident, extract.person, extract.role.tolist(), strict=True)
    }
    assert {key: found.get(key, "none") for key in case.get("roles", {})} == case.get("roles", {})
    harm = dict(zip(extract.incident_id, extract.harm, strict=True))
    assert {key: harm[key] for key in case.get("harm", {})} == case.get("harm", {})
    recorded = dict(zip(extract.incident_id, extract.recorded.astype("datetime64[D]").astype(str), strict=True))
    assert {key: recorded[key] for key in case.get("recorded", {})} == case.get("recorded", {})


def test_every_rule_has_a_case(tmp_path: Path) -> None:
    rules = set(extract_of(tmp_path, {}).counts) - {"persons", "incidents", "involvements"}
    met = {rule for case in TABLE["cases"] for rule, count in case.get("counts", {}).items() if count}
    assert rules == met


def test_every_rule_is_documented(tmp_path: Path) -> None:
    import app.extract.load as module

    for rule in set(extract_of(tmp_path, {}).counts) - {"persons", "incidents", "involvements"}:
        assert f"| `{rule}` |" in (module.__doc__ or "")


@pytest.mark.parametrize("case", TABLE["refused"], ids=lambda case: case["name"])
def test_refused(case: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(SetupError) as caught:
        extract_of(tmp_path, case)
    assert case["rule"] in {fault.rule for fault in caught.value.faults}
    assert case["rule"] in caught.value.detail


def test_refusal_names_everything_wrong_and_no_personal_data(tmp_path: Path) -> None:
    case = {
        "persons": [{"person_id": "X", "gender": "sEcReT", "date_of_birth": "31.12.1971"}],
        "involvements": [{"incident_id": "NOPE", "person_id": "X", "role": "bystander"}],
    }
    with pytest.raises(SetupError) as caught:
        extract_of(tmp_path, case)
    assert [(fault.pointer, fault.rule) for fault in caught.value.faults] == [
        ("/persons/date_of_birth", "unreadable-date"),
        ("/persons/gender", "unknown-word"),
        ("/involvements/incident_id", "unknown-incident"),
        ("/involvements/role", "unknown-word"),
    ]
    assert not any(value in caught.value.detail for value in ("sEcReT", "1971", "bystander"))
    assert "1 rows, such as X" in caught.value.detail


def test_partner_harassment_is_stalking(tmp_path: Path) -> None:
    rows = [
        {"incident_id": "P", "occurred_on": "2020-01-05", "offence_code": "19594", "intimate_partner": "true"},
        {"incident_id": "Q", "occurred_on": "2020-01-05", "offence_code": "19594"},
    ]
    extract = extract_of(tmp_path, {"incidents": rows})
    classes = dict(zip(extract.incident_id, extract.classes, strict=True))
    stalking, harassment = CLASSES.index("stalking"), CLASSES.index("harassment")
    assert classes["P"][[stalking, harassment]].tolist() == [True, True]
    assert classes["Q"][[stalking, harassment]].tolist() == [False, True]


def test_unknown_columns_are_ignored_and_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = write_csv(tmp_path, TABLE["clean"])
    lines = (folder / "contacts.csv").read_text().splitlines()
    (folder / "contacts.csv").write_text("\n".join([f"{lines[0]},operator", *(f"{line},Jo" for line in lines[1:])]))
    with caplog.at_level(logging.WARNING):
        assert len(load_extract(folder, INDEX, today=TODAY).contact_day) == 1
    assert "contacts: columns not used: operator" in caplog.text
    assert "Jo" not in caplog.text


def test_optional_columns_may_be_missing(tmp_path: Path) -> None:
    full = load_extract(write_csv(tmp_path / "full", TABLE["clean"]), INDEX, today=TODAY)
    folder = write_csv(tmp_path / "short", TABLE["clean"])
    for table, gone in (("incidents", 2), ("involvements", 2), ("custody", 1), ("persons", 1)):
        lines = [line.split(",") for line in (folder / f"{table}.csv").read_text().splitlines()]
        (folder / f"{table}.csv").write_text("\n".join(",".join(line[:-gone]) for line in lines))
    assert_same(load_extract(folder, INDEX, today=TODAY), full)


@pytest.mark.parametrize("column", ["gender", "date_of_birth", "person_id"])
def test_missing_required_column(column: str, tmp_path: Path) -> None:
    folder = write_csv(tmp_path, TABLE["clean"])
    text = (folder / "persons.csv").read_text()
    (folder / "persons.csv").write_text(text.replace(column, "other", 1))
    with pytest.raises(SetupError, match=rf"persons\.{column}: missing-column"):
        load_extract(folder, INDEX, today=TODAY)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"\x00\xff\xfe garbage \x80" * 50),
        lambda path: path.write_bytes(path.read_bytes()[:200]),
        lambda path: path.with_suffix(".csv").write_text("incident_id\n1\n"),
    ],
    ids=["gone", "empty", "garbage", "cut short", "in both forms"],
)
def test_unusable_file(spoil: Any, extract_folder: Path) -> None:
    spoil(extract_folder / "incidents.parquet")
    with pytest.raises(SetupError, match="incidents"):
        load_extract(extract_folder, INDEX)


def test_garbage_csv(tmp_path: Path) -> None:
    folder = write_csv(tmp_path, TABLE["clean"])
    (folder / "custody.csv").write_bytes(b"person_id,arrived_on\nN,2020-01-01,extra\n\xff\xfe\n")
    with pytest.raises(SetupError, match="custody"):
        load_extract(folder, INDEX, today=TODAY)


def test_no_incidents(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="no incident"):
        load_extract(write_csv(tmp_path, {}), INDEX)


@pytest.fixture
def extract_folder(tmp_path: Path) -> Path:
    """A synthetic extract of 40 labelled nominals, with the usual dirt."""
    write(generate(40, seed=3), tmp_path / "force", world="published", seed=3, nominals=40)
    return tmp_path / "force"


def test_csv_and_parquet_load_alike(extract_folder: Path, tmp_path: Path) -> None:
    found = load_extract(as_csv(extract_folder, tmp_path / "csv"), INDEX)
    known = load_extract(extract_folder, INDEX)
    assert known.source.startswith("synthetic people: world published")
    assert found.source == REAL_SOURCE
    assert_same(found, known)


def test_parquet_types_other_systems_write(extract_folder: Path) -> None:
    known = load_extract(extract_folder, INDEX)
    incidents = pq.read_table(extract_folder / "incidents.parquet")
    edit_parquet(extract_folder, "incidents", "occurred_on", incidents["occurred_on"].cast(pa.timestamp("us")))
    edit_parquet(extract_folder, "incidents", "recorded_on", incidents["recorded_on"].cast(pa.string()))
    edit_parquet(extract_folder, "incidents", "is_domestic", incidents["is_domestic"].cast(pa.int8()))
    edit_parquet(extract_folder, "incidents", "offence_code", incidents["offence_code"].dictionary_encode())
    assert_same(load_extract(extract_folder, INDEX), known)


def test_dates_as_numbers_are_refused(extract_folder: Path) -> None:
    days = pq.read_table(extract_folder / "custody.parquet")["arrived_on"].cast(pa.int32())
    edit_parquet(extract_folder, "custody", "arrived_on", days)
    with pytest.raises(SetupError, match=r"custody\.arrived_on: unreadable-date"):
        load_extract(extract_folder, INDEX)


UNUSABLE = {
    "bytes": ("harm_score", pa.scalar(b"CANARY")),
    "days for numbers": ("harm_score", pa.scalar(date(2020, 1, 1))),
    "lists": ("offence_code", pa.scalar(["CANARY"])),
    "durations": ("occurred_on", pa.scalar(1, pa.duration("s"))),
}


@pytest.mark.parametrize(("column", "value"), UNUSABLE.values(), ids=UNUSABLE)
def test_a_column_of_a_type_that_says_nothing_is_named(extract_folder: Path, column: str, value: pa.Scalar) -> None:
    rows = pq.read_table(extract_folder / "incidents.parquet").num_rows
    edit_parquet(extract_folder, "incidents", column, pa.repeat(value, rows))
    with pytest.raises(SetupError, match=rf"incidents\.{column}: unusable-type, {rows} rows") as caught:
        load_extract(extract_folder, INDEX)
    assert "CANARY" not in caught.value.detail


def test_logs_of_several_lines_in_the_incidents_table(extract_folder: Path, tmp_path: Path) -> None:
    folder = as_csv(extract_folder, tmp_path / "csv")
    incidents = pq.read_table(extract_folder / "incidents.parquet")
    text = 'two lines, "quoted"\nof a log. ' * ((4 << 20) // (30 * incidents.num_rows))  # more than Arrow reads at once
    texts = pa.repeat(text, incidents.num_rows)
    pa_csv.write_csv(incidents.append_column("log_text", texts), folder / "incidents.csv")
    assert_same(load_extract(folder, INDEX), load_extract(extract_folder, INDEX))


def test_row_order_does_not_matter(extract_folder: Path) -> None:
    known = load_extract(extract_folder, INDEX)
    rng = np.random.default_rng(0)
    for table in ("persons", "incidents"):
        path = extract_folder / f"{table}.parquet"
        held = pq.read_table(path)
        pq.write_table(held.take(pa.array(rng.permutation(held.num_rows))), path)
    assert_same(load_extract(extract_folder, INDEX), known)


def assert_same(found: Extract, known: Extract) -> None:
    for name in known.__dataclass_fields__:
        if name == "source":
            continue
        left, right = getattr(found, name), getattr(known, name)
        if isinstance(right, np.ndarray):
            np.testing.assert_array_equal(left, right, err_msg=name)
        else:
            assert left == right, name
