"""Replay over HTTP and from a terminal, and the older versions a model is listed with."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from app.cli import main
from app.demo import example as demo
from app.harm.oddities import WARNINGS
from tests.app.service_fixtures import Client, running
from tests.app.test_api import check_problem, events
from tests.app.test_erasure_api import post
from tests.requests import example
from tests.toy_bundle import one_sexual_offence, write_toy


def test_a_stored_score_replays_identically_after_an_upgrade(database_url: str, tmp_path: Path) -> None:
    artifacts = tmp_path / "artifacts"
    write_toy(artifacts)
    with running(database_url, tmp_path, artifacts) as service:
        plain = service.score(example(explain="none")).json()
        both = service.score(demo() | {"explain": "both"}).json()
    write_toy(artifacts, version="0.0.2", model=one_sexual_offence())
    with running(database_url, tmp_path, artifacts) as service:
        auditor = service.as_caller("auditor", "audit:unseal", "audit")
        for score in (plain, both):
            answer = post(auditor, f"/scores/{score['score_id']}/replay", b"")
            assert answer.status_code == 200, answer.text
            done = answer.json()
            assert (done["result"], done["numbers"], done["differences"]) == ("identical", "identical", [])
            assert done["manifest_sha256"] == score["model"]["manifest_sha256"]
            assert auditor.get(f"/audit/{done['audit']['sequence']}").json()["event"] == "replay"
        by = service.get(f"/scores/{plain['score_id']}/explanation?by=incidents").json()
        assert by["value"] == plain["harm"]["population_probabilities"][3], "explained by the version that made it"
        card = service.get("/models/stalking-nominal").json()
        assert card["version"] == "0.0.2"
        assert [one["version"] for one in card["earlier"]] == ["0.0.1"]
        assert card["earlier"][0]["manifest_sha256"] == plain["model"]["manifest_sha256"]
        assert service.score(example()).json()["model"]["version"] == "0.0.2", "the newest serves"
        found = post(auditor, "/audit/search", {"nominal_id": "N-104"}).json()["entries"]
        assert [one["event"] for one in found] == ["score", "replay", "score", "read"]


def test_differences_are_shown_and_recorded_by_their_places(service: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    score = service.score(example()).json()
    store, auditor = service.app.state.store, service.as_caller("auditor", "audit:unseal")
    whole = store.open_record
    shown = json.dumps(score["harm"]["population_probabilities"][3]).encode()

    def altered(record_id: str) -> bytes:
        return whole(record_id).replace(shown, b"0.123456")

    with monkeypatch.context() as other:
        other.setattr(store, "open_record", altered)
        done = post(auditor, f"/scores/{score['score_id']}/replay", b"").json()
    assert (done["result"], done["numbers"]) == ("different", "different")
    pointers = [one["pointer"] for one in done["differences"]]
    assert "/harm/population_probabilities/3" in pointers
    assert all(one["stored"] == 0.123456 for one in done["differences"] if one["pointer"] in pointers[:1])
    told = json.loads(whole(store.entry(done["audit"]["sequence"]).record_id))
    assert told["differences"] == pointers
    assert (told["result"], told["score_id"]) == ("different", score["score_id"])
    assert "0.123456" not in json.dumps(told)


def test_only_those_who_may_unseal(sqlite_service: Client) -> None:
    where = sqlite_service.score(example()).headers["location"]
    for scope in ("score", "triage", "audit", "admin"):
        check_problem(post(sqlite_service.as_caller("x", scope), f"{where}/replay", b""), 403, "not-allowed")
    auditor = sqlite_service.as_caller("auditor", "audit:unseal")
    check_problem(auditor.get(where), 403, "not-allowed")
    for unknown in ("nothing", "0190a000-0000-7000-8000-000000000000"):
        check_problem(post(auditor, f"/scores/{unknown}/replay", b""), 404, "not-found")
    assert "replay" not in events(sqlite_service)


def test_a_version_that_is_gone_is_said_to_be(database_url: str, tmp_path: Path, toy_artifacts: Path) -> None:
    with running(database_url, tmp_path, toy_artifacts) as service:
        where = service.score(example()).headers["location"]
    write_toy(tmp_path / "other", version="0.0.2", model=one_sexual_offence())
    with running(database_url, tmp_path, tmp_path / "other") as service:
        check_problem(
            post(service.as_caller("auditor", "audit:unseal"), f"{where}/replay", b""), 409, "model-not-loaded"
        )


def test_the_replay_command(tmp_path: Path, toy_artifacts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAYZERO_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DAYZERO_ARTIFACTS", str(toy_artifacts))
    (tmp_path / "request.json").write_text(json.dumps(example()))
    score_id = json.loads(CliRunner().invoke(main, ["score", str(tmp_path / "request.json")]).stdout)["score_id"]
    done = CliRunner().invoke(main, ["replay", score_id])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["result"] == "identical"
    missing = CliRunner().invoke(main, ["replay", "0190a000-0000-7000-8000-000000000000"])
    assert (missing.exit_code, len(missing.stderr.splitlines())) == (1, 1)
    monkeypatch.setitem(WARNINGS, "date-may-be-unknown", "Other words.")
    other = CliRunner().invoke(main, ["replay", score_id])
    assert other.exit_code == 1
    assert "1 fields" in other.stderr
    assert json.loads(other.stdout)["numbers"] == "identical"
    assert CliRunner().invoke(main, ["audit", "verify", "--open"]).exit_code == 0
