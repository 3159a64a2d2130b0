"""Which logs the model learns from, and what becomes of tables that cannot be used."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from app.errors import SetupError
from app.extract.logs import Logs, read_logs
from app.harm.harm_index import load_harm_index
from app.text.manifest import SCORES
from training.text.dataset import choose

INDEX = load_harm_index()
CODES = {1.0: "12511", 2.0: "14900", 3.0: "12509", 5.0: "19541", 10.0: "10501"}


def rows(*more: dict[str, Any], a_score: int = 60) -> list[dict[str, Any]]:
    made = [
        {"incident_id": f"W{place}-{number:03}", "offence_code": code, "is_non_crime": False, "is_domestic": True,
         "harm_score": score, "log_text": f"log {place} {number}"}
        for place, (score, code) in enumerate(CODES.items()) for number in range(a_score)
    ]  # fmt: skip
    odd = [{"incident_id": f"X{number}", "log_text": f"odd {number}"} | one for number, one in enumerate(more)]
    return [*made, *(made[0] | one for one in odd)]


def logs_of(folder: Path, table: list[dict[str, Any]]) -> Logs:
    pq.write_table(pa.Table.from_pylist(table), folder / "logs.parquet")
    found = read_logs(folder)
    assert found is not None
    return found


LEFT_OUT = {
    "non-crime": {"is_non_crime": True, "offence_code": None},
    "not-notifiable": {"offence_code": "99999"},
    "excluded-offence": {"offence_code": "04600"},
    "other-harm": {"harm_score": 7.5},
    "text-too-long": {"log_text": "x" * 20_001},
    "same-text": {"log_text": "log 0 0"},
}


def test_every_rule_leaves_out_what_it_names(tmp_path: Path) -> None:
    found = choose(logs_of(tmp_path, rows(*LEFT_OUT.values())), INDEX, seed=1)
    assert {name: found.counts[name] for name in LEFT_OUT} == dict.fromkeys(LEFT_OUT, 1)
    assert found.counts["usable"] == 300
    assert not [text for text in found.texts if text.startswith(("odd", "x"))]


@pytest.mark.parametrize("code", ["04600", "04910", "13001", "02803", "09261", "02403"])
def test_theft_drugs_burglary_and_miscellaneous_crimes_are_left_out(tmp_path: Path, code: str) -> None:
    found = choose(logs_of(tmp_path, rows({"offence_code": code, "harm_score": 5.0})), INDEX, seed=1)
    assert found.counts["excluded-offence"] == 1


def test_scores_come_from_the_index_where_none_is_given(tmp_path: Path) -> None:
    found = choose(logs_of(tmp_path, rows({"offence_code": "149/00", "harm_score": None})), INDEX, seed=1)
    assert found.counts["usable"] == 301, "criminal damage has 2 days, with a slash or without"


def test_it_is_balanced_split_eighty_to_twenty_and_the_same_twice(tmp_path: Path) -> None:
    logs = logs_of(tmp_path, rows(*({"harm_score": 2.0, "offence_code": "14900"} for _ in range(20))))
    found, again = choose(logs, INDEX, seed=5, a_score=55), choose(logs, INDEX, seed=5, a_score=55)
    assert found.texts == again.texts
    assert np.bincount(found.places).tolist() == [55] * 5
    assert np.bincount(found.places[found.test]).tolist() == [11] * 5
    assert sorted([*found.train, *found.test]) == list(range(275))
    assert choose(logs, INDEX, seed=6, a_score=55).texts != found.texts


def test_a_score_next_to_nobody_has_is_named(tmp_path: Path) -> None:
    table = [row for row in rows() if row["harm_score"] != 3.0]
    with pytest.raises(SetupError, match="harm 3"):
        choose(logs_of(tmp_path, table), INDEX, seed=1)


def test_csv_and_parquet_and_a_column_of_incidents_read_alike(tmp_path: Path) -> None:
    table = rows({"log_text": 'two\nlines, "quoted"'}, {"log_text": None})
    known = logs_of(tmp_path, table)
    for name in ("logs", "incidents"):
        folder = tmp_path / name
        folder.mkdir()
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, table[0])
            writer.writeheader()
            writer.writerows(
                row | {flag: str(row[flag]).lower() for flag in ("is_non_crime", "is_domestic")} for row in table
            )
        found = read_logs(folder)
        assert found is not None
        assert found.text == known.text
        for column in ("incident_id", "code", "non_crime", "domestic", "harm"):
            np.testing.assert_array_equal(getattr(found, column), getattr(known, column))


def test_an_extract_without_logs_has_none(tmp_path: Path) -> None:
    assert read_logs(tmp_path) is None
    pq.write_table(pa.table({"incident_id": ["I1"]}), tmp_path / "incidents.parquet")
    assert read_logs(tmp_path) is None


@pytest.mark.parametrize("ids", [[], ["I1"]], ids=["no row", "no text"])
def test_a_table_without_a_single_log_is_no_fault(tmp_path: Path, ids: list[str]) -> None:
    texts = pa.array([None] * len(ids), pa.string())
    pq.write_table(pa.table({"incident_id": pa.array(ids, pa.string()), "log_text": texts}), tmp_path / "logs.parquet")
    found = read_logs(tmp_path)
    assert found is not None
    assert found.text == []
    assert len(found.code) == len(found.incident_id) == 0


WRONG = {
    "no ids": {"incident_id": None},
    "numbers for texts": {"log_text": [1, 2]},
    "words for numbers": {"harm_score": ["CANARY", "2"]},
    "an unknown flag": {"is_domestic": [True, None]},
}


@pytest.mark.parametrize("changed", WRONG.values(), ids=WRONG)
def test_a_table_that_cannot_be_used_is_named_without_a_word_of_it(tmp_path: Path, changed: dict[str, Any]) -> None:
    columns = {
        "incident_id": ["I1", "I2"],
        "is_domestic": [True, True],
        "log_text": ["CANARY", "b"],
        "harm_score": [1.0, 2.0],
    }
    columns = {name: values for name, values in (columns | changed).items() if values is not None}
    pq.write_table(pa.table(columns), tmp_path / "logs.parquet")
    with pytest.raises(SetupError, match="logs") as refused:
        read_logs(tmp_path)
    assert "CANARY" not in refused.value.detail


def test_a_broken_file_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "logs.parquet").write_bytes(b"CANARY")
    with pytest.raises(SetupError, match="logs cannot be read") as refused:
        read_logs(tmp_path)
    assert "CANARY" not in refused.value.detail


def test_scores_are_five() -> None:
    assert tuple(CODES) == SCORES
