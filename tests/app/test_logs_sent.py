"""A name and an address in the text of a log are found nowhere but in the sealed record: a real server, both databases."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect, text

from app.audit.store import Store
from app.database import open_database
from app.keys import create_keys, load_keys
from tests import patient
from tests.app.test_server import dayzero, environment, headers, server
from tests.requests import example
from tests.toy_bundle import write_toy
from tests.toy_text import write_toy_text

NAME, STREET = "Zebedanne", "Quaggaforth"
LOG = f"{NAME} of 41 {STREET} Close punched her and threatened her with a knife"


def with_log(log: str, **changes: Any) -> dict[str, Any]:
    request = example(**changes)
    request["incidents"][1] |= {"harm_score": None, "log_text": log}
    return request


@pytest.fixture(scope="module")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("artifacts")
    write_toy(folder)
    write_toy_text(folder)
    return folder


def stored_bytes(url: str) -> Iterator[bytes]:
    """Every cell of every table, as bytes."""
    engine = open_database(url)
    with engine.connect() as connection:
        for table in inspect(engine).get_table_names():
            for row in connection.execute(text(f'SELECT * FROM "{table}"')):
                yield from (bytes(cell) if isinstance(cell, bytes | memoryview) else str(cell).encode() for cell in row)
    engine.dispose()


def files(home: Path) -> Iterator[bytes]:
    for path in home.rglob("*"):
        yield str(path).encode()
        if path.is_file():
            yield path.read_bytes()


def test_a_name_in_a_log_is_only_in_the_sealed_record(database_url: str, tmp_path: Path, artifacts: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    create_keys(home)
    settings = environment(home, artifacts, database_url)
    said: list[str] = []
    with server(settings) as (address, process):
        bearer = headers(settings, "score", "audit", "metrics")
        given = patient.post(f"{address}/score", json=with_log(LOG), headers=bearer)
        assert given.status_code == 200, given.text
        refused = with_log(f"{NAME} {STREET}")
        refused["incidents"][0]["log_text"] = LOG
        problem = patient.post(f"{address}/score", json=refused, headers=bearer)
        assert problem.status_code == 422
        broken = patient.post(f"{address}/score", content=json.dumps(with_log(LOG))[:-9].encode(), headers=bearer)
        answer = given.json()
        said += [given.text, problem.text, broken.text]
        for path in (
            "/metrics",
            f"/audit/{answer['audit']['sequence']}",
            "/audit",
            "/scores",
            "/audit/export?format=ndjson",
        ):
            said.append(patient.get(f"{address}{path}", headers=bearer).text)
        again = patient.get(f"{address}/scores/{answer['score_id']}/explanation?by=incidents", headers=bearer)
        assert again.status_code == 200, again.text
        said.append(again.text)
        process.terminate()
        said += process.communicate(timeout=patient.SECONDS)[1]
    warning = next(one for one in answer["history"]["warnings"] if one["code"] == "harm-inferred")
    assert {term["term"] for term in warning["incidents"][0]["terms"]} == {"punch", "threaten", "knife"}
    engine = open_database(database_url)
    sealed = Store(engine, load_keys(home, engine)).open_record(answer["score_id"])
    engine.dispose()
    assert NAME.encode() in sealed, "it is in the record, under seal"
    kept = [*stored_bytes(database_url), *files(tmp_path)]
    assert len(kept) > 20
    for canary in (NAME, STREET):
        assert canary.lower() not in "".join(said).lower()
        assert not [cell for cell in kept if canary.lower().encode() in cell.lower()]
    assert dayzero(settings, "audit", "verify").returncode == 0


def test_an_explanation_waits_for_the_model_that_read_the_log(tmp_path: Path, artifacts: Path) -> None:
    """A newer model of logs speaks for none of the scores whose logs an older one read."""
    create_keys(tmp_path)
    newer = tmp_path / "newer"
    write_toy(newer)
    write_toy_text(newer, version="9.0.0")
    with server(environment(tmp_path, artifacts)) as (address, _):
        bearer = headers(environment(tmp_path, artifacts), "score")
        score_id = patient.post(f"{address}/score", json=with_log(LOG, explain="none"), headers=bearer).json()[
            "score_id"
        ]
    with server(environment(tmp_path, newer)) as (address, _):
        refused = patient.get(f"{address}/scores/{score_id}/explanation", headers=bearer)
        assert (refused.status_code, refused.json()["type"]) == (409, "model-not-loaded")
        assert patient.get(f"{address}/scores/{score_id}", headers=bearer).status_code == 200


def test_a_replay_reads_the_log_again(tmp_path: Path, artifacts: Path) -> None:
    create_keys(tmp_path)
    settings = environment(tmp_path, artifacts)
    with server(settings) as (address, _):
        bearer = headers(settings, "score", "audit:unseal")
        score_id = patient.post(f"{address}/score", json=with_log(LOG), headers=bearer).json()["score_id"]
        told = patient.post(f"{address}/scores/{score_id}/replay", headers=bearer)
    assert told.status_code == 200, told.text
    assert (told.json()["result"], told.json()["differences"]) == ("identical", [])
