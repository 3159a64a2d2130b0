"""Challenges: lodged, resolved, corrected and scored anew; both results and the outcome stay in the ledger."""

import json
from typing import Any

import pytest

from app.triage import challenge_routes
from app.triage.desk import Desk
from tests.app.service_fixtures import Client
from tests.app.test_api import check_problem, events
from tests.app.test_erasure_api import post
from tests.requests import example

CHALLENGE = {"ground": "wrong-fact", "raised_by": "data-subject", "text": "Incident A was somebody else."}


@pytest.fixture
def clinic(service: Client) -> Client:
    return service.as_caller("clinic", "triage")


def corrected(**changes: Any) -> dict[str, Any]:
    """The example without incident A."""
    request = example(incidents=example()["incidents"][1:])
    del request["as_of"]
    return request | changes


def lodge(clinic: Client, where: str) -> str:
    answer = post(clinic, f"{where}/challenges", CHALLENGE)
    assert answer.status_code == 200, answer.text
    return f"{where}/challenges/{answer.json()['challenge_id']}/outcome"


def test_correct_and_rescore_keeps_both(service: Client, clinic: Client) -> None:
    first = service.score(example())
    where, first_id = first.headers["location"], first.json()["score_id"]
    outcome_path = lodge(clinic, where)
    told = service.get(where)
    assert (told.headers["score-status"], "link" in told.headers) == ("challenge-open", False)
    assert told.content == first.content
    (line,) = service.get("/scores").json()["scores"]
    assert (line["challenge_open"], line["superseded_by"]) == (True, None)

    wanted = {"outcome": "upheld", "reason": "A witness named another man.", "corrected": corrected()}
    answer = post(clinic, outcome_path, wanted)
    assert answer.status_code == 200, answer.text
    outcome = answer.json()
    second_id = outcome["corrected_score_id"]
    check_problem(post(clinic, outcome_path, wanted), 409, "challenge-closed")

    told = service.get(where)
    assert told.headers["score-status"] == "superseded"
    assert told.headers["link"] == f'</scores/{second_id}>; rel="successor-version"'
    assert told.content == first.content, "the first stays as it was"
    second = clinic.get(f"/scores/{second_id}")
    assert second.headers["score-status"] == "correction"
    assert second.headers["link"] == f'</scores/{first_id}>; rel="predecessor-version"'
    assert second.json()["as_of"] == first.json()["as_of"], "for the same day"
    fresh = service.score(corrected(as_of=example()["as_of"])).json()
    assert second.json()["harm"] == fresh["harm"], "scored as anyone would score it"
    assert fresh["harm"] != first.json()["harm"], "else this shows nothing"

    page = clinic.get(f"{where}/challenges").json()
    (challenge,) = page["challenges"]
    assert {name: challenge[name] for name in CHALLENGE} == CHALLENGE
    assert challenge["outcome"] == outcome
    for kept, result in ((first.json(), page["original"]), (second.json(), page["corrected"][0])):
        assert result["population_probabilities"] == kept["harm"]["population_probabilities"]
        assert (result["score_id"], result["predicted_group"]) == (kept["score_id"], kept["harm"]["predicted_group"])
        assert result["no_further_incident_365"] == kept["survival"]["at"]["365"]
    lines = {line["score_id"]: line for line in clinic.get("/scores").json()["scores"]}
    assert (lines[first_id]["superseded_by"], lines[first_id]["challenge_open"]) == (second_id, False)
    assert lines[second_id]["superseded_by"] is None

    auditor = service.as_caller("auditor", "audit")
    found = post(auditor, "/audit/search", {"nominal_id": "N-104"}).json()["entries"]
    assert [one["event"] for one in found if one["event"] != "read"] == [
        "score", "challenge", "score", "challenge", "score",
    ]  # fmt: skip
    records = {one["record_id"]: one["sequence"] for one in found}
    assert records[second_id] < outcome["audit"]["sequence"], "no outcome speaks of a score that is not there"


def test_whoever_reads_the_history_has_seen_both_scores(sqlite_service: Client) -> None:
    clinic, reader = (sqlite_service.as_caller(name, "triage") for name in ("clinic", "reader"))
    where = sqlite_service.score(example()).headers["location"]
    told = post(clinic, lodge(clinic, where), {"outcome": "upheld", "reason": "x", "corrected": corrected()}).json()
    places = (where, f"/scores/{told['corrected_score_id']}")
    assert reader.get(f"{where}/challenges").status_code == 200
    for place in places:
        check_problem(post(reader, f"{place}/view", {"level": "high"}), 409, "view-after-reading")


@pytest.mark.parametrize("outcome", ["upheld", "partly-upheld", "rejected"])
def test_an_outcome_without_a_correction(sqlite_service: Client, outcome: str) -> None:
    service, clinic = sqlite_service, sqlite_service.as_caller("clinic", "triage")
    scores = events(service).count("score")
    where = service.score(example()).headers["location"]
    path = lodge(clinic, where)
    answer = post(clinic, path, {"outcome": outcome, "reason": "Looked at it again."})
    assert answer.json()["corrected_score_id"] is None
    page = clinic.get(f"{where}/challenges").json()
    assert (page["challenges"][0]["outcome"]["outcome"], page["corrected"]) == (outcome, [])
    assert "score-status" not in service.get(where).headers
    assert events(service).count("score") == scores + 1


WRONG: dict[str, tuple[dict[str, Any], str, str]] = {
    "rejected, and yet corrected": ({"outcome": "rejected"}, "/corrected", "not-with-rejected"),
    "of somebody else": (
        {"corrected": corrected(nominal={"nominal_id": "N-105"})}, "/corrected/nominal/nominal_id", "same-nominal",
    ),
    "by another family": ({"corrected": corrected(model="another")}, "/corrected/model", "same-model"),
    "nothing to score": (
        {"corrected": corrected() | {"incidents": example()["incidents"][:1]}}, "/corrected/incidents", "no-stalking-incident",
    ),
    "a date that is none": (
        {"corrected": corrected(custody_dates=["2020-02-30"])}, "/corrected/custody_dates/0", "calendar-date",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_correction_that_is_none_leaves_the_challenge_open(sqlite_service: Client, name: str) -> None:
    clinic = sqlite_service.as_caller("clinic", "triage")
    where = sqlite_service.score(example()).headers["location"]
    path = lodge(clinic, where)
    change, pointer, rule = WRONG[name]
    scores = events(sqlite_service).count("score")
    answer = post(clinic, path, {"outcome": "upheld", "reason": "x", "corrected": corrected()} | change)
    assert {"pointer": pointer, "rule": rule} in check_problem(answer, 422, "invalid-request")["errors"]
    assert sqlite_service.get(where).headers["score-status"] == "challenge-open"
    assert events(sqlite_service).count("score") == scores


def test_a_repeat_after_an_outage_scores_once(service: Client, clinic: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """The corrected score was stored, its outcome was not: asking again finds the score and adds the outcome."""
    where = service.score(example()).headers["location"]
    path, wanted = lodge(clinic, where), {"outcome": "upheld", "reason": "x", "corrected": corrected()}
    with monkeypatch.context() as broken:

        async def failing(*_: object, **__: object) -> None:
            raise RuntimeError

        broken.setattr(challenge_routes, "record", failing)
        assert post(clinic, path, wanted).status_code == 500
    assert service.get(where).headers["score-status"] == "challenge-open, superseded"
    outcome = post(clinic, path, wanted).json()
    assert events(service).count("score") == 2
    assert clinic.get(f"{where}/challenges").json()["corrected"][0]["score_id"] == outcome["corrected_score_id"]


def test_of_two_outcomes_the_first_stands(service: Client, clinic: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    where = service.score(example()).headers["location"]
    path = lodge(clinic, where)
    first = post(clinic, path, {"outcome": "rejected", "reason": "first"}).json()
    with monkeypatch.context() as late:  # as if it had asked before the first was stored
        late.setattr(challenge_routes, "_open_challenge", lambda *asked: challenge_routes._stored(*asked[:2]))
        check_problem(post(clinic, path, {"outcome": "upheld", "reason": "second"}), 409, "challenge-closed")
    desk: Desk = service.app.state.desk
    assert desk.challenges(first["score_id"])[0].outcome.reason == "first"


def test_a_challenge_of_another_score_is_not_found(sqlite_service: Client) -> None:
    service, clinic = sqlite_service, sqlite_service.as_caller("clinic", "triage")
    places = [service.score(example()).headers["location"] for _ in range(2)]
    path = lodge(clinic, places[0]).replace(places[0], places[1])
    check_problem(post(clinic, path, {"outcome": "rejected", "reason": "x"}), 404, "not-found")
    check_problem(post(clinic, f"{places[0]}/challenges/CANARY/outcome", {"outcome": "rejected", "reason": "x"}), 404,
                  "not-found")  # fmt: skip


def test_a_withheld_score_may_be_challenged_and_tells_nothing(sqlite_service: Client) -> None:
    service, clinic = sqlite_service, sqlite_service.as_caller("clinic", "triage")
    sent = service.headers | {"Content-Type": "application/json"}
    body = json.dumps(example()).encode()
    where = service.http.post("/score?reveal=after-view", content=body, headers=sent).headers["location"]
    path = lodge(clinic, where)
    check_problem(post(clinic, path, {"outcome": "rejected", "reason": "x"}), 409, "view-first")
    assert post(clinic, f"{where}/view", {"level": "medium"}).json()["view"]["late"] is False
    assert post(clinic, path, {"outcome": "rejected", "reason": "x"}).status_code == 200
