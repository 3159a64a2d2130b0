"""Both views of a score over HTTP, with the score and on demand, on SQLite and on PostgreSQL."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from app.artifacts import load_bundle
from app.cli import main
from app.database import sqlite_url
from app.harm.model import HarmModel
from app.readiness import Readiness
from tests.app.harm.test_explanation import random_request
from tests.app.harm.test_incidents import long_request
from tests.app.service_fixtures import Client, running
from tests.app.test_api import check_problem, events
from tests.requests import example
from tests.toy_bundle import one_sexual_offence, write_toy

REQUESTS = [random_request(61), long_request(40, custody=3), example(), example(incidents=example()["incidents"][2:])]


def read(service: Client, score_id: str, by: str = "") -> Any:
    return service.get(f"/scores/{score_id}/explanation{by and f'?by={by}'}")


def explained(service: Client, request: dict[str, Any], explain: str) -> Any:
    answer = service.score(request | {"explain": explain})
    assert answer.status_code == 200, answer.text
    return answer.json()


def member(answer: bytes, name: str) -> bytes:
    """The bytes of one explanation as they stand in an answer."""
    start = answer.index(f'"{name}":{{"by"'.encode()) + len(name) + 3
    text = answer[start:].decode()
    return text[: json.JSONDecoder().raw_decode(text)[1]].encode()


@pytest.mark.parametrize("request_", REQUESTS, ids=["random", "long", "example", "index only"])
def test_one_view_both_and_on_demand_are_the_same_to_the_bit(service: Client, request_: dict[str, Any]) -> None:
    given = {view: service.score(request_ | {"explain": view}) for view in ("none", "factors", "incidents", "both")}
    for by in ("factors", "incidents"):
        expected = member(given[by].content, "explanation")
        assert member(given["both"].content, by) == expected
        for answer in given.values():
            found = read(service, answer.json()["score_id"], by)
            assert found.status_code == 200, found.text
            assert found.content == expected
    both = given["both"].json()
    assert both["explanation"].keys() == {"factors", "incidents"}
    assert both["explanation"]["incidents"]["value"] == both["harm"]["population_probabilities"][3]
    assert given["none"].json()["explanation"] is None
    assert read(service, both["score_id"]).json()["by"] == "factors", "the default"
    for answer in given.values():
        assert service.get(answer.headers["location"]).content == answer.content


def test_evidence_of_incidents(service: Client) -> None:
    explanation = explained(service, example(), "incidents")["explanation"]
    assert explanation.keys() == {
        "by", "explains", "value", "reference", "top_two", "contributions", "summary", "limits", "covenant", "what_if",
    }  # fmt: skip
    shares = {share["evidence"]["incident_id"]: share for share in explanation["contributions"]}
    assert shares.keys() == {"A", "B"}
    assert shares["A"]["name"] == "Assault occasioning actual bodily harm on 1 January 2020"
    assert shares["B"]["name"] == "Domestic non-crime on 11 March 2020"
    without = shares["A"]["evidence"].pop("without")
    assert shares["A"]["evidence"] == {
        "incidents": 1, "incident_id": "A", "occurred_on": "2020-01-01", "harm": 10.0, "role": "suspect",
    }  # fmt: skip
    again = explained(service, example(incidents=example()["incidents"][1:]), "none")
    assert without == pytest.approx(again["harm"]["population_probabilities"][3], abs=1e-6)


def test_after_a_restart_the_numbers_are_the_same(database_url: str, tmp_path: Path, toy_artifacts: Path) -> None:
    request = long_request(25, seed=5)
    with running(database_url, tmp_path, toy_artifacts) as service:
        expected = explained(service, request, "both")
        score_id = explained(service, request, "none")["score_id"]
    with running(database_url, tmp_path, toy_artifacts) as service:
        for by in ("factors", "incidents"):
            assert read(service, score_id, by).json() == expected["explanation"][by]


def test_another_artefact_does_not_speak_for_the_one_that_scored(
    database_url: str, tmp_path: Path, toy_artifacts: Path
) -> None:
    with running(database_url, tmp_path, toy_artifacts) as service:
        plain = explained(service, example(), "none")["score_id"]
        given = explained(service, example(), "incidents")
    newer = tmp_path / "newer"
    write_toy(newer, version="0.0.2", model=one_sexual_offence())
    with running(database_url, tmp_path, newer) as service:
        for by in ("factors", "incidents"):
            check_problem(read(service, plain, by), 409, "model-not-loaded")
        check_problem(read(service, given["score_id"], "factors"), 409, "model-not-loaded")
        kept = read(service, given["score_id"], "incidents")
        assert kept.json() == given["explanation"], "what was given with the score needs no model"
        assert events(service)[-7:] == ["read", "refusal"] * 3 + ["read"]
        service.app.state.scorer.models["another"] = HarmModel(
            load_bundle(toy_artifacts / "stalking-nominal" / "0.0.1")
        )
        assert read(service, plain).status_code == 200, "found by its digest, whatever else is loaded"


def test_reading_is_recorded_before_it_is_answered(service: Client) -> None:
    score_id = explained(service, example(), "none")["score_id"]
    assert read(service, score_id, "incidents").status_code == 200
    store = service.app.state.store
    assert events(service) == ["score", "read"]
    told = json.loads(store.open_record(store.entry(1).record_id))
    assert told == {"route": "/scores/{score_id}/explanation", "score_id": score_id}


def test_own_scores_with_scope_score_and_all_with_triage(service: Client) -> None:
    mine = explained(service, example(), "both")["score_id"]
    check_problem(read(service.as_caller("another", "score"), mine), 404, "not-found")
    assert events(service) == ["score"], "what is not the caller's to see leaves no trace of a read"
    assert read(service.as_caller("clinic", "triage"), mine, "incidents").status_code == 200
    for unknown in ("nothing", "0190a000-0000-7000-8000-000000000000"):
        check_problem(read(service, unknown), 404, "not-found")
    problem = check_problem(read(service, mine, "CANARY"), 422, "invalid-request")
    assert problem["errors"] == [{"pointer": "/query/by", "rule": "literal-error", "allowed": ["factors", "incidents"]}]


def test_a_model_that_does_not_reproduce_explains_nothing(service: Client) -> None:
    score_id = explained(service, example(), "factors")["score_id"]
    service.app.state.readiness = Readiness(lambda: None, "A golden case does not reproduce.")
    check_problem(read(service, score_id, "incidents"), 503, "unavailable")
    assert read(service, score_id, "factors").status_code == 200, "stored with the score"


@pytest.mark.parametrize("request_", REQUESTS, ids=["random", "long", "example", "index only"])
def test_the_curve_explained_with_the_score_and_on_demand_is_the_same_to_the_bit(
    service: Client, request_: dict[str, Any]
) -> None:
    asked = service.score(request_ | {"explain": "both", "explain_survival": True})
    plain = service.score(request_ | {"explain": "none"})
    given = asked.json()["survival_explanation"]
    held = asked.content[asked.content.index(b'"survival_explanation"') :]
    assert plain.json()["survival_explanation"] is None
    for by in ("factors", "incidents"):
        expected = member(held, by)
        assert json.loads(expected) == given[by]
        assert given[by]["value"] == asked.json()["survival"]["at"]["365"]
        for answer in (asked, plain):
            found = read(service, answer.json()["score_id"], f"{by}&of=survival")
            assert found.status_code == 200, found.text
            assert found.content == expected
            assert read(service, answer.json()["score_id"], by).json()["explains"] != given[by]["explains"]


def test_a_curve_explained_by_nothing_is_refused(service: Client) -> None:
    problem = check_problem(service.score(example(explain="none", explain_survival=True)), 422, "invalid-request")
    assert problem["errors"] == [{"pointer": "/explain_survival", "rule": "needs-a-view"}]
    score_id = explained(service, example(), "none")["score_id"]
    refused = check_problem(read(service, score_id, "factors&of=CANARY"), 422, "invalid-request")
    assert refused["errors"] == [{"pointer": "/query/of", "rule": "literal-error", "allowed": ["harm", "survival"]}]


def test_read_as_words(service: Client) -> None:
    score_id = explained(service, example(), "none")["score_id"]
    for by in ("factors", "incidents"):
        view = read(service, score_id, by).json()
        said = service.get(f"/scores/{score_id}/explanation?by={by}", Accept="text/plain")
        assert said.headers["content-type"] == "text/plain; charset=utf-8"
        assert said.text.startswith(f"By {by}. {view['summary']}")
        for told in (*view["limits"], *(share["text"] for share in view["contributions"])):
            assert told in said.text


def test_the_command_gives_what_the_service_gives(
    tmp_path: Path, toy_artifacts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From another process's point of view: the service is down, the numbers are the same to the bit."""
    with running(sqlite_url(tmp_path), tmp_path, toy_artifacts) as service:
        score_id = explained(service, long_request(25, seed=5), "none")["score_id"]
        path = f"/scores/{score_id}/explanation"
        expected = {
            (by, of, form): service.get(f"{path}?by={by}&of={of}", Accept=media).text
            for by in ("factors", "incidents")
            for of in ("harm", "survival")
            for form, media in (("json", "application/json"), ("svg", "image/svg+xml"), ("words", "text/plain"))
        }
    monkeypatch.setenv("DAYZERO_HOME", str(tmp_path))
    monkeypatch.setenv("DAYZERO_DATABASE_URL", sqlite_url(tmp_path))
    monkeypatch.setenv("DAYZERO_ARTIFACTS", str(toy_artifacts))
    for (by, of, form), text in expected.items():
        shown = CliRunner().invoke(main, ["explain", score_id, "--by", by, "--of", of, "--as", form])
        assert shown.exit_code == 0, shown.output
        assert shown.stdout.rstrip("\n") == text.rstrip("\n")
    written = tmp_path / "view.svg"
    assert CliRunner().invoke(main, ["explain", score_id, "--as", "svg", "--out", str(written)]).exit_code == 0
    assert written.read_text() == expected["factors", "harm", "svg"] + "\n"


def test_the_command_records_the_reading_and_knows_only_scores(
    tmp_path: Path, toy_artifacts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(sqlite_url(tmp_path), tmp_path, toy_artifacts) as service:
        score_id = explained(service, example(), "none")["score_id"]
        read(service, score_id)
        read_id = service.app.state.store.entry(1).record_id
    monkeypatch.setenv("DAYZERO_HOME", str(tmp_path))
    monkeypatch.setenv("DAYZERO_DATABASE_URL", sqlite_url(tmp_path))
    monkeypatch.setenv("DAYZERO_ARTIFACTS", str(toy_artifacts))
    for wrong in ("nothing", read_id):
        refused = CliRunner().invoke(main, ["explain", wrong])
        assert (refused.exit_code, len(refused.stderr.splitlines())) == (1, 1), refused.output
    assert CliRunner().invoke(main, ["explain", score_id]).exit_code == 0
    with running(sqlite_url(tmp_path), tmp_path, toy_artifacts) as service:
        store = service.app.state.store
        assert events(service)[:3] == ["score", "read", "read"]
        told = json.loads(store.open_record(store.entry(2).record_id))
        assert told == {"route": "dayzero explain", "score_id": score_id}
