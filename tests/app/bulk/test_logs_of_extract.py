"""Domestic non-crimes of an extract that nobody scored: read out of their logs as a request would be, or said to be assumed."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from app.audit.store import Store
from app.bulk.run import Options, score
from app.extract.load import load_extract
from app.extract.log_harm import log_harm
from app.extract.people import load_people
from app.harm.archive import from_bytes
from app.harm.inferred import CODE
from app.harm.oddities import ASSUMED
from app.harm.replay import replay
from app.harm.service import load_scorer
from app.settings import Settings
from app.storage import open_store
from app.text.records import sendable
from app.text.service import LogReader
from tests.app.bulk.test_run import bare
from tests.toy_text import toy_model
from training.synthetic.folder import write
from training.synthetic.force import generate
from training.synthetic.logs.table import logs_table

STRANGE = "qwyx zzyx"


@pytest.fixture
def settings(tmp_path: Path, toy_artifacts: Path) -> Settings:
    return Settings(home=tmp_path / "home", artifacts=toy_artifacts)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A force that scored none of its domestic non-crimes; every fifth log is in words nobody knows, or too long to send."""
    force = generate(80, seed=4)
    incidents = force.tables["incidents"]
    logs = logs_table(incidents, 4, 1)
    texts = logs["log_text"].to_pylist()
    odd = [STRANGE, "punched " * 3_000, "punched\x07"]
    texts = [odd[row // 5 % 3] if row % 5 == 0 else f"CANARY. {text}" for row, text in enumerate(texts)]
    logs = logs.set_column(logs.column_names.index("log_text"), "log_text", pa.array(texts))
    place = incidents.column_names.index("harm_score")
    unscored = incidents.set_column(place, "harm_score", pa.nulls(incidents.num_rows, pa.float64()))
    force = replace(force, tables={**force.tables, "incidents": unscored})
    place = tmp_path_factory.mktemp("unscored") / "force"
    write(force, place, world="w", seed=4, nominals=80, logs=logs)
    return place


class Read(NamedTuple):
    """A run that read the logs: where its records are, its answers by nominal, and all it wrote."""

    settings: Settings
    answers: dict[str, dict[str, Any]]
    written: str


@pytest.fixture(scope="module")
def read(folder: Path, tmp_path_factory: pytest.TempPathFactory, toy_artifacts: Path) -> Read:
    place = tmp_path_factory.mktemp("read")
    settings = Settings(home=place / "home", artifacts=toy_artifacts)
    answers = run(settings, folder, place / "out.ndjson", jobs=1)
    return Read(settings, answers, (place / "out.ndjson").read_text())


def lines_of(path: Path) -> dict[str, dict[str, Any]]:
    return {answer["nominal_id"]: answer for answer in map(json.loads, path.read_bytes().splitlines())}


def codes(answer: dict[str, Any]) -> set[str]:
    return {warning["code"] for warning in answer["history"]["warnings"]}


def run(settings: Settings, folder: Path, out: Path, **options: Any) -> dict[str, dict[str, Any]]:
    assert score(settings, folder, Options(out, **options), "local:me") == 0
    return lines_of(out)


def test_each_log_is_read_as_a_request_would_be(read: Read, folder: Path) -> None:
    found = read.answers
    texts = {one["incident_id"]: one["log_text"] for one in pq.read_table(folder / "logs.parquet").to_pylist()}
    alone, harm = LogReader(toy_model()), _harm_by_columns(read.settings, folder)
    told = {}
    for answer in found.values():
        for warning in answer["history"]["warnings"]:
            told |= {one["incident_id"]: one for one in warning.get("incidents", [])}
    assert len(told) > 10
    for name, one in told.items():
        (said,) = alone.read([texts[name]])
        assert said is not None
        assert (one["harm_score"], one["probabilities"]) == (said.score, pytest.approx(list(said.probabilities)))
    assert any({CODE, ASSUMED} <= codes(answer) for answer in found.values())
    assert "CANARY" not in read.written
    assert told.keys() < harm.keys()
    for name, days in harm.items():
        (said,) = alone.read([texts[name]]) if sendable(texts[name]) else [None]
        assert days == (3.0 if said is None else said.score)


def test_two_processes_read_what_one_does(read: Read, settings: Settings, folder: Path, tmp_path: Path) -> None:
    found = run(settings, folder, tmp_path / "out.ndjson", jobs=2)
    assert bare([*found.values()]) == bare([*read.answers.values()])
    assert "CANARY" not in (tmp_path / "out.ndjson").read_text()


def _harm_by_columns(settings: Settings, folder: Path) -> dict[str, float]:
    """What a model would learn or be told of the same domestic non-crimes without any request."""
    scorer = load_scorer(settings.artifacts, Path("none"))
    logs = log_harm(folder, scorer.texts["noncrime-harm"])
    known = load_people(folder, scorer.index, settings.today(), logs=logs).incidents
    extract = load_extract(folder, scorer.index, logs=logs)
    assert 100 < extract.inferred.sum() <= extract.counts["domestic-non-crime-read"], "some were recorded twice"
    assert 10 < extract.assumed.sum() <= extract.counts["domestic-non-crime-unscored"]
    marked = known.inferred | known.assumed
    return dict(zip(known.incident_id.filter(pa.array(marked)).to_pylist(), known.harm[marked].tolist(), strict=True))


def test_as_columns_it_is_the_same(settings: Settings, folder: Path, tmp_path: Path) -> None:
    """Figures and codes of a table made by batches, which holds and records no text, and of one made each by each."""
    found = {}
    for record in ("batch", "each"):
        out = tmp_path / f"{record}.parquet"
        assert score(settings, folder, Options(out, record=record), "local:me") == 0
        found[record] = {row["nominal_id"]: row for row in pq.read_table(out).to_pylist()}
    assert found["batch"].keys() == found["each"].keys()
    for name, row in found["batch"].items():
        each = found["each"][name]
        assert row["warnings"] == each["warnings"]
        assert row["population_90_100"] == pytest.approx(each["population_90_100"], abs=1e-6)
    codes = {code for row in found["batch"].values() for code in row["warnings"]}
    assert {CODE, ASSUMED} <= codes


@pytest.fixture
def own_folder(folder: Path, tmp_path: Path) -> Path:
    """A copy to spoil."""
    return Path(shutil.copytree(folder, tmp_path / "force"))


def test_an_extract_without_logs_says_that_harm_was_assumed(
    read: Read, settings: Settings, own_folder: Path, tmp_path: Path
) -> None:
    (own_folder / "logs.parquet").unlink()
    found = run(settings, own_folder, tmp_path / "out.ndjson")
    assert found.keys() == read.answers.keys()
    assert {code for answer in found.values() for code in codes(answer)} & {CODE, ASSUMED} == {ASSUMED}
    for name, answer in found.items():
        assert (ASSUMED in codes(answer)) == bool({CODE, ASSUMED} & codes(read.answers[name]))
    assert any(found[name]["harm"] != read.answers[name]["harm"] for name in found)


def test_what_was_read_in_bulk_can_be_replayed(read: Read) -> None:
    store, scorer = Store(*open_store(read.settings)), load_scorer(read.settings.artifacts, Path("none"))
    inferred = [answer["score_id"] for answer in read.answers.values() if CODE in codes(answer)]
    for score_id in inferred[:5]:
        archived = from_bytes(store.open_record(score_id))
        assert replay(scorer, archived).result == "identical"
        assert "CANARY" in archived.request.decode()


def test_logs_beside_a_broken_table_are_named(settings: Settings, own_folder: Path, tmp_path: Path) -> None:
    (own_folder / "logs.parquet").write_bytes(b"CANARY")
    with pytest.raises(Exception, match="table logs cannot be read") as refused:
        score(settings, own_folder, Options(tmp_path / "out.ndjson"), "local:me")
    assert "CANARY" not in str(refused.value)
