"""`POST /score/bulk`, on both databases: each line as a single request would be answered, and none in another's way."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from app.audit.store import EntryFilter, Store
from app.body import MAX_BODY
from app.bulk import lines as limits
from app.harm.archive import from_bytes
from tests.app.service_fixtures import LOGS, Client
from tests.requests import example
from tests.same import same

OF_EACH_SCORE = ("score_id", "scored_at", "audit")


def bulk(client: Client, *lines: bytes | dict[str, Any], end: bytes = b"\n", **headers: str) -> Any:
    written = end.join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines)
    return post(client, written + (end if lines else b""), **headers)


def post(client: Client, body: bytes | Iterator[bytes], **headers: str) -> Any:
    sent = client.headers | {"Content-Type": "application/x-ndjson"}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    return client.http.post("/score/bulk", content=body, headers=sent)


def answers(response: Any) -> list[dict[str, Any]]:
    """The lines less the last, which must say that they are all."""
    assert response.status_code == 200, response.text
    *found, last = [json.loads(line) for line in response.content.splitlines()]
    assert last == {"done": True, "lines": len(found)}
    return found


def without_receipt(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name not in OF_EACH_SCORE}


def kinds(found: list[dict[str, Any]]) -> list[str]:
    return [answer.get("type", "score") for answer in found]


def test_a_line_is_answered_as_a_single_request_is(service: Client) -> None:
    asked = [
        example(explain=explain, index_victim_contacts=calls) for explain in ("none", "factors") for calls in (0, 9)
    ]
    response = bulk(service, *asked)
    assert response.headers["content-type"].startswith("application/x-ndjson")
    assert "content-length" not in response.headers
    found = answers(response)
    assert same([without_receipt(one) for one in found], [without_receipt(service.score(one).json()) for one in asked])
    for answer in found:
        assert service.get(f"/scores/{answer['score_id']}").json() == answer, "it is stored as it was told"
    assert [answer["audit"]["sequence"] for answer in found] == [0, 1, 2, 3]


GARBAGE: dict[bytes | str, tuple[str, str]] = {
    b"CANARY": ("malformed-body", "json-syntax"),
    b'{"nominal": 1, "nominal": 2}': ("malformed-body", "no-duplicate-keys"),
    b"[" * 100_000: ("malformed-body", "nesting-depth"),
    b'{"a": NaN}': ("malformed-body", "finite-numbers"),
    b"\xff\xfe": ("malformed-body", "utf-8"),
    b"\xef\xbb\xbf{}": ("malformed-body", "no-byte-order-mark"),
    b'"\\ud800"': ("malformed-body", "no-lone-surrogates"),
    b"null": ("invalid-request", "model-type"),
    b"{}": ("invalid-request", "missing"),
    b"\0": ("malformed-body", "json-syntax"),
    b" " * (1 << 20) + b"{}": ("too-large", "body-size"),
    json.dumps(example(model="canary-model")): ("invalid-request", "unknown-model"),
    json.dumps(example(explain="both")): ("invalid-request", "not-in-bulk"),
    json.dumps(example(explain="incidents")): ("invalid-request", "not-in-bulk"),
    json.dumps(example(purpose="CANARY")): ("invalid-request", "literal-error"),
    json.dumps(example(as_of="2020-03-10")): ("invalid-request", "after-as-of"),
}


def test_bad_lines_stand_in_their_places_and_stop_nobody(service: Client) -> None:
    good, bad = example(explain="none"), [line if isinstance(line, bytes) else line.encode() for line in GARBAGE]
    found = answers(bulk(service, *[line for one in bad for line in (good, one)], good))
    assert kinds(found[::2]) == ["score"] * (len(bad) + 1)
    assert [(answer["type"], answer["errors"][0]["rule"]) for answer in found[1::2]] == list(GARBAGE.values())
    assert "CANARY" not in json.dumps(found) + LOGS.getvalue()
    events = [
        entry.event for entry in Store(service.app.state.engine, service.app.state.keys).list_entries(EntryFilter())
    ]
    assert events.count("score") == len(bad) + 1
    assert events.count("refusal") == sum(kind == "invalid-request" for kind, _ in GARBAGE.values())


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\n\n \n"])
@pytest.mark.parametrize("size", [1, 7, 1000, 1 << 20])
def test_lines_however_they_are_cut(sqlite_service: Client, end: bytes, size: int) -> None:
    body = end.join([json.dumps(example(explain="none")).encode()] * 3 + [b"x", b"{}"])  # and no line break at the end
    pieces = (body[at : at + size] for at in range(0, len(body), size))
    assert kinds(answers(post(sqlite_service, pieces))) == ["score"] * 3 + ["malformed-body", "invalid-request"]


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_a_line_may_be_as_long_as_a_body_and_its_break_besides(sqlite_service: Client, end: bytes) -> None:
    line = json.dumps(example(explain="none")).encode().ljust(MAX_BODY)
    assert kinds(answers(bulk(sqlite_service, line, line + b" ", end=end))) == ["score", "too-large"]


@pytest.mark.parametrize("body", [b"", b"\n", b"\r\n \n\n"])
def test_nothing_to_answer(sqlite_service: Client, body: bytes) -> None:
    assert answers(post(sqlite_service, body)) == []


def test_one_line_too_many(sqlite_service: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_LINES", 70)
    assert kinds(answers(bulk(sqlite_service, *[b"x"] * 70))) == ["malformed-body"] * 70
    response = bulk(sqlite_service, *[b"x"] * 71)
    found = [json.loads(line) for line in response.content.splitlines()]
    assert kinds(found) == ["malformed-body"] * 70 + ["too-large"], "and no last line: the answer is incomplete"
    assert found[-1]["errors"] == [{"pointer": "", "rule": "line-count"}]


def test_refused_as_a_whole(sqlite_service: Client) -> None:
    for client, status in (
        (sqlite_service.as_caller("stranger"), 401),
        (sqlite_service.as_caller("desk", "audit"), 403),
    ):
        assert post(client, b"x").status_code == status
    assert post(sqlite_service, b"x", Content_Type="application/json").status_code == 415
    assert post(sqlite_service, b"x", Content_Encoding="gzip").status_code == 415
    assert post(sqlite_service, b"x", Content_Type="application/x-ndjson; charset=latin-1").status_code == 415


@pytest.mark.parametrize("media", ["application/x-ndjson", "application/ndjson", "application/jsonl; charset=utf-8"])
def test_names_of_the_media_type(sqlite_service: Client, media: str) -> None:
    assert answers(post(sqlite_service, b"", Content_Type=media)) == []


@pytest.mark.parametrize(("header", "rule"), [("Idempotency-Key", "not-in-bulk"), ("Purpose", "closed-list")])
def test_headers_that_are_not_for_bulk(sqlite_service: Client, header: str, rule: str) -> None:
    refused = bulk(sqlite_service, example(), **{header: "CANARY"})
    assert refused.status_code == 422
    (fault,) = refused.json()["errors"]
    assert (fault["pointer"], fault["rule"]) == (f"/header/{header.lower()}", rule)


@pytest.mark.parametrize("query", ["reveal=after-view", "CANARY=1"])
def test_a_query_is_refused_and_not_overlooked(sqlite_service: Client, query: str) -> None:
    """Who asks for scores to be withheld must not be told them because bulk withholds nothing."""
    sent = sqlite_service.headers | {"Content-Type": "application/x-ndjson"}
    refused = sqlite_service.http.post(f"/score/bulk?{query}", content=json.dumps(example()).encode(), headers=sent)
    assert refused.status_code == 422
    assert refused.json()["errors"] == [{"pointer": "/query", "rule": "not-in-bulk"}]
    assert "CANARY" not in refused.text


def test_the_purpose_header_is_for_lines_that_name_none(service: Client) -> None:
    silent = example(explain="none")
    del silent["purpose"]
    found = answers(bulk(service, silent, example(explain="none"), Purpose="audit"))
    store = Store(service.app.state.engine, service.app.state.keys)
    assert [store.entry_of(answer["score_id"]).purpose for answer in found] == ["audit", "stalking-triage"]
    archived = from_bytes(store.open_record(found[0]["score_id"]))
    assert json.loads(archived.request)["purpose"] == "audit"


def test_one_call_of_a_caller_at_a_time(sqlite_service: Client) -> None:
    door = sqlite_service.app.state.bulk
    leave = door.enter("dayzero-local", "integration")
    busy = bulk(sqlite_service, example())
    assert (busy.status_code, busy.headers["retry-after"]) == (503, "1")
    others = [door.enter("dayzero-local", f"desk-{number}") for number in range(3)]
    assert bulk(sqlite_service.as_caller("another", "score"), example()).status_code == 503
    for go in (leave, *others):
        go()
    for _ in range(2):  # a finished call has left its place
        assert len(answers(bulk(sqlite_service, example(explain="none")))) == 1
    assert post(sqlite_service, b"x", Purpose="CANARY").status_code == 422
    assert len(answers(bulk(sqlite_service, example(explain="none")))) == 1, "and so has a refused one"


def test_a_line_whose_record_cannot_be_stored_gets_no_score(service: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from app.errors import Unavailable

    ledger = service.app.state.ledger
    submit, handed = ledger.submit, []

    def second_fails(record: Any) -> Any:
        handed.append(record)
        if len(handed) == 2:
            raise Unavailable("The store is full.")
        return submit(record)

    monkeypatch.setattr(ledger, "submit", second_fails)
    found = answers(bulk(service, *[example(explain="none")] * 3))
    assert kinds(found) == ["score", "unavailable", "score"]
    assert service.app.state.store.size() == 2


def test_a_fault_of_ours_costs_one_line(sqlite_service: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    scorer = sqlite_service.app.state.scorer
    score_all = scorer.score_all

    def broken(requests: Any, today: Any) -> Any:
        if any(request.index_victim_contacts == 77 for request in requests):
            raise ZeroDivisionError("CANARY")
        return score_all(requests, today)

    monkeypatch.setattr(scorer, "score_all", broken)
    asked = [example(explain="none"), example(explain="none", index_victim_contacts=77), example(explain="none")]
    assert kinds(answers(bulk(sqlite_service, *asked))) == ["score", "internal", "score"]
    assert "ZeroDivisionError" in LOGS.getvalue()
    assert "CANARY" not in LOGS.getvalue()


def test_a_model_that_does_not_reproduce_scores_nobody(sqlite_service: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_service.app.state.readiness, "_model_fault", "It does not reproduce.")
    assert bulk(sqlite_service, example()).status_code == 503
