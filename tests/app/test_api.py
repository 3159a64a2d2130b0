"""The contract over HTTP, on SQLite and on PostgreSQL."""

import json
import uuid
from typing import Any
from xml.etree import ElementTree as Xml

import pytest
from sqlalchemy import MetaData

from app.audit.store import EntryFilter
from app.audit.verify import verify_database
from app.database import open_database
from app.errors import Unavailable
from app.harm.model import DAYS
from tests.app.harm.test_explanation import random_request
from tests.app.service_fixtures import LOGS, Client
from tests.requests import body_of, cases, example

CSV_HEAD = "day,probability,probability_from_as_of"
HEADERS = {"cache-control": "no-store", "x-content-type-options": "nosniff"}


def check_problem(answer: Any, status: int, slug: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem.keys() == {"type", "title", "status", "detail", "errors"}
    assert (problem["type"], problem["status"]) == (slug, status)
    assert answer.headers["x-request-id"]
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    return dict(problem)


def events(service: Client) -> list[str]:
    return [entry.event for entry in reversed(service.app.state.store.list_entries(EntryFilter()))]


def test_twenty_five_random_histories_from_end_to_end(service: Client, database_url: str) -> None:
    auditor = service.as_caller("auditor", "audit")
    for seed in range(25):
        request = random_request(1000 + seed) | {"explain": "factors" if seed % 2 else "none"}
        given = service.score(request)
        assert given.status_code == 200, given.text
        answer = given.json()
        for name in ("probabilities", "population_probabilities"):
            assert sum(answer["harm"][name]) == pytest.approx(1.0, abs=1e-9)
        curve = service.get(f"/scores/{answer['score_id']}/survival?daily=true").json()
        assert curve["days"] == list(range(DAYS))
        assert curve["probability"][0] == 1.0
        assert all(a >= b for a, b in zip(curve["probability"], curve["probability"][1:], strict=False))
        assert (answer["survival"]["days"][0], answer["survival"]["days"][-1]) == (0, 365)
        if request["explain"] == "factors":
            explained = answer["explanation"]
            effects = sum(found["effect"] for found in explained["contributions"])
            assert effects == pytest.approx(explained["value"] - explained["reference"]["value"], abs=1e-6)
            assert explained["value"] == answer["harm"]["population_probabilities"][3]
        else:
            assert answer["explanation"] is None
        assert given.headers["location"] == f"/scores/{answer['score_id']}"
        assert uuid.UUID(answer["score_id"]).version == 7
        stored = service.get(given.headers["location"])
        assert stored.content == given.content, "the stored answer is the given answer, byte for byte"
        record = auditor.get(f"/audit/{answer['audit']['sequence']}").json()
        assert record["leaf_hash"] == answer["audit"]["leaf_hash"]
        assert record["event"] == "score"
        assert record["manifest_sha256"] == answer["model"]["manifest_sha256"]
    engine = open_database(database_url)
    report = verify_database(engine)
    engine.dispose()
    assert report.ok, report.problems
    assert report.size == 25 * 4  # the score, two reads of it, one audit read


@pytest.mark.parametrize("case", cases("bad_requests.yaml"), ids=lambda case: case["case"])
def test_every_bad_request_is_a_problem_that_names_the_rule(sqlite_service: Client, case: dict[str, Any]) -> None:
    LOGS.truncate(0)
    before = sqlite_service.app.state.store.size()
    answer = sqlite_service.score(body_of(case))
    problem = check_problem(answer, case["status"], "malformed-body" if case["status"] == 400 else "invalid-request")
    found = [fault for fault in problem["errors"] if fault["rule"] == case["rule"]]
    assert case.get("pointer", "") in [fault["pointer"] for fault in found]
    assert case.get("allowed") in [fault.get("allowed") for fault in found]
    said = LOGS.getvalue()
    assert "canar" not in answer.text.lower() + said.lower()
    recorded = sqlite_service.app.state.store.size() - before
    assert recorded == (1 if case["status"] == 422 else 0), "a refusal of a known caller is recorded, bad syntax is not"
    assert sqlite_service.score(example()).status_code == 200, "and the service still scores"


def test_size_type_and_encoding_are_settled_before_parsing(service: Client) -> None:
    big = b'{"a": "' + b"x" * (1 << 20) + b'"}'
    check_problem(service.score(big), 413, "too-large")
    chunks = iter([b"[" * 65536] * 20)
    streamed = service.http.post(
        "/score", content=chunks, headers=service.headers | {"Content-Type": "application/json"}
    )
    check_problem(streamed, 413, "too-large")
    for name, value in (("Content-Type", "text/plain"), ("Content-Type", "application/json; charset=utf-16"),
                        ("Content-Encoding", "gzip"), ("Content-Encoding", "identity")):  # fmt: skip
        check_problem(service.score(example(), **{name.replace("-", "_"): value}), 415, "unsupported-media")
    assert service.score(example(), Content_Type="application/json; charset=UTF-8").status_code == 200
    almost = json.dumps(example()).encode()
    assert service.score(almost + b" " * ((1 << 20) - len(almost))).status_code == 200


def test_authentication_comes_before_the_body(service: Client) -> None:
    nobody = service.as_caller("nobody")
    problem = check_problem(nobody.score(b"not json" * 1000), 401, "not-authenticated")
    assert problem["errors"] == []
    assert nobody.score(b"x").headers["www-authenticate"].startswith("Bearer")
    check_problem(service.as_caller("auditor", "audit").score(b"not json"), 403, "not-allowed")
    big = b"x" * (2 << 20)
    check_problem(nobody.score(big), 401, "not-authenticated")


def test_callers_see_their_own_scores_and_triage_sees_all(service: Client) -> None:
    mine = service.score(example()).json()["score_id"]
    other = service.as_caller("another", "score")
    theirs = other.score(example()).json()["score_id"]
    check_problem(other.get(f"/scores/{mine}"), 404, "not-found")
    check_problem(other.get(f"/scores/{mine}/survival"), 404, "not-found")
    clinic = service.as_caller("clinic", "triage")
    assert clinic.get(f"/scores/{mine}").status_code == 200
    assert [line["score_id"] for line in other.get("/scores").json()["scores"]] == [theirs]
    assert [line["score_id"] for line in clinic.get("/scores").json()["scores"]] == [theirs, mine]


def test_lists_are_paged_newest_first(service: Client) -> None:
    made = [service.score(example(explain="none")).json()["score_id"] for _ in range(7)]
    seen, path = [], "/scores?limit=3"
    while path:
        page = service.get(path).json()
        assert len(page["scores"]) <= 3
        seen += [line["score_id"] for line in page["scores"]]
        path = f"/scores?limit=3&cursor={page['next']}" if page["next"] else ""
    assert seen == made[::-1]
    line = service.get("/scores").json()["scores"][0]
    assert line["nominal_id"] == "N-104"
    assert (line["insufficient_history"], line["history_status"]) == (False, "sufficient")


def test_no_entrance_shows_a_figure_of_an_insufficient_history_without_saying_so(sqlite_service: Client) -> None:
    given = sqlite_service.score(example(incidents=example()["incidents"][2:]))
    path = given.headers["location"]
    for answer in (given.json(), sqlite_service.get(path).json()):
        assert answer["history"]["status"] == "insufficient"
        assert answer["advisory"].startswith("Insufficient history")
    line = sqlite_service.get("/scores?limit=1").json()["scores"][0]
    assert line["score_id"] == given.json()["score_id"]
    assert (line["insufficient_history"], line["history_status"]) == (True, "insufficient")
    drawn = sqlite_service.get(f"{path}/survival", Accept="image/svg+xml").text
    assert "Insufficient history: only the index incident is known" in drawn


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "limit=CANARY", "cursor=CANARY", "cursor=-1", "cursor=" + "9" * 21]
)
def test_bad_parameters_are_named_without_their_value(sqlite_service: Client, query: str) -> None:
    answer = sqlite_service.get(f"/scores?{query}")
    problem = check_problem(answer, 422, "invalid-request")
    assert problem["errors"][0]["pointer"] == f"/query/{query.split('=', maxsplit=1)[0]}"
    assert "CANARY" not in answer.text


def test_survival_as_json_csv_and_svg(service: Client) -> None:
    score_id = service.score(example()).json()["score_id"]
    path = f"/scores/{score_id}/survival"
    weekly = service.get(path).json()
    assert weekly["days"][:3] == [0, 7, 14]
    assert weekly["days"][-2:] == [364, 365]
    assert weekly == service.get(f"/scores/{score_id}").json()["survival"]
    assert weekly["from_as_of"]["days_passed"] == 1
    table = service.get(path + "?daily=true", Accept="text/csv")
    lines = table.text.split("\r\n")
    assert (table.headers["content-type"], lines[0], len(lines)) == ("text/csv; charset=utf-8", CSV_HEAD, 368)
    assert float(lines[366].split(",")[1]) == pytest.approx(weekly["probability"][-1], abs=1e-8)
    assert float(lines[366].split(",")[2]) == pytest.approx(weekly["from_as_of"]["probability"][-1], abs=1e-8)
    drawn = service.get(path, Accept="image/svg+xml;q=0.9, text/csv;q=0.1")
    assert drawn.headers["content-security-policy"] == "default-src 'none'; sandbox"
    picture = Xml.fromstring(drawn.text)
    words = " ".join(picture.itertext())
    assert "Days after day zero" in words
    assert "100 %" in words
    assert picture.find("{http://www.w3.org/2000/svg}title") is not None
    check_problem(service.get(path, Accept="application/pdf"), 406, "not-acceptable")


@pytest.mark.parametrize("path", ["/scores/nothing", "/scores/0190a000-0000-7000-8000-000000000000", "/scores/x/survival",
                                  "/models/nothing", "/nowhere", "/audit/999999"])  # fmt: skip
def test_what_is_not_there_is_not_found(service: Client, path: str) -> None:
    check_problem(service.as_caller("someone", "score", "audit").get(path), 404, "not-found")


def test_a_read_record_is_no_score(service: Client) -> None:
    service.score(example())
    service.get("/scores")
    auditor = service.as_caller("auditor", "audit")
    reads = auditor.get("/audit?event=read").json()["entries"]
    check_problem(service.as_caller("clinic", "triage").get(f"/scores/{reads[0]['record_id']}"), 404, "not-found")


def test_wrong_method_says_which_is_right(service: Client) -> None:
    answer = service.http.delete("/scores", headers=service.headers)
    check_problem(answer, 405, "method-not-allowed")
    assert answer.headers["allow"] == "GET"
    several = service.http.delete("/scores/nothing/decisions", headers=service.headers)
    assert several.headers["allow"] == "GET, POST"
    shadowed = service.http.options("/audit/search", headers=service.headers)
    assert shadowed.headers["allow"] == "POST", "though GET would be taken for a number of a record"


def test_purpose_from_body_header_or_default(service: Client) -> None:
    without = example()
    del without["purpose"]
    sequence = [
        service.score(without).json()["audit"]["sequence"],
        service.score(without, Purpose="safeguarding").json()["audit"]["sequence"],
        service.score(example(), Purpose="safeguarding").json()["audit"]["sequence"],
    ]
    store = service.app.state.store
    assert [store.entry(number).purpose for number in sequence] == [
        "stalking-triage",
        "safeguarding",
        "stalking-triage",
    ]
    for unknown in ("operation", "curiosity"):
        check_problem(service.score(without, Purpose=unknown), 422, "invalid-request")


def test_models_metrics_and_health(service: Client) -> None:
    assert service.http.get("/health/live").json() == {"status": "live"}
    assert service.http.get("/health/ready").json() == {"status": "ready"}
    answer = service.score(example()).json()
    models = service.get("/models").json()["models"]
    assert [model["family"] for model in models] == ["noncrime-harm", "stalking-nominal"]
    reader = service.get("/models/noncrime-harm").json()
    assert (reader["served"], reader["scores"], reader["terms"]) == ("network", [1, 2, 3, 5, 10], 12)
    card = service.get("/models/stalking-nominal").json()
    assert card["manifest_sha256"] == answer["model"]["manifest_sha256"]
    assert card["learnt_from"].startswith("nobody")
    assert (card["status"], card["evaluation"], card["documents"]) == ("not evaluated", None, [])
    counted = service.as_caller("prometheus", "metrics").get("/metrics").text
    assert 'dayzero_requests_total{method="POST",route="/score",status="200"}' in counted
    assert "dayzero_ready 1.0" in counted
    assert "N-104" not in counted


def test_polling_does_not_grow_the_ledger(service: Client) -> None:
    for path in ("/health/live", "/health/ready", "/models", "/docs", "/openapi.json"):
        assert service.get(path).status_code == 200, path
    service.as_caller("prometheus", "metrics").get("/metrics")
    assert events(service) == []


def test_nothing_of_the_person_stands_in_the_open(service: Client, database_url: str) -> None:
    """What is not under seal names nobody: neither nominal nor incidents nor the caller."""
    request = example(nominal=example()["nominal"] | {"nominal_id": "CANARY-NOMINAL"})
    request["incidents"][0]["incident_id"] = "CANARY-INCIDENT"
    caller = service.as_caller("CANARY-OFFICER", "score")
    score_id = caller.score(request).json()["score_id"]
    caller.get(f"/scores/{score_id}")
    engine = open_database(database_url)
    found = MetaData()
    found.reflect(engine)
    with engine.connect() as connection:
        for table in found.sorted_tables:
            for row in connection.execute(table.select()):
                assert b"CANARY" not in b"|".join(
                    bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode() for value in row
                ), table.name
    engine.dispose()
    assert "CANARY" not in LOGS.getvalue()


def test_a_fault_of_ours_says_nothing_and_stores_nothing(service: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("CANARY in an exception's text")

    monkeypatch.setattr(service.app.state.scorer, "score", broken)
    answer = service.score(example())
    check_problem(answer, 500, "internal")
    said = LOGS.getvalue()
    assert "CANARY" not in answer.text + said
    assert "RuntimeError" in said
    assert answer.headers["x-request-id"] in said
    assert events(service) == []


def test_without_a_store_there_is_no_score(service: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: object) -> None:
        raise Unavailable("The record store cannot answer now; try again.")

    with monkeypatch.context() as broken:
        broken.setattr(service.app.state.ledger, "submit", failing)
        answer = service.score(example())
        check_problem(answer, 503, "unavailable")
        assert answer.headers["retry-after"]
        assert "probabilities" not in answer.text
        check_problem(service.score(example(model="nothing")), 503, "unavailable")
        check_problem(service.get("/scores"), 503, "unavailable")
    assert service.score(example()).status_code == 200
    assert events(service) == ["score"]
