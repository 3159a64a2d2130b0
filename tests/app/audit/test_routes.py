"""`GET /audit` and `GET /audit/{sequence}` over HTTP, on a real ledger."""

import json
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Iterator

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from app.audit.ledger import Ledger
from app.audit.merkle import leaf_hash
from app.audit.routes import router
from app.audit.store import Store
from app.audit.verify import verify_database
from app.errors import DayZeroError
from app.keys import Keys
from app.middleware import install_problem_handlers
from app.security import issue_token
from tests.app.audit.samples import MANIFEST, a_record, fill
from tests.app.service_fixtures import open_doors


@pytest.fixture
def client(ledger: Ledger, store: Store, keys: Keys) -> Iterator[TestClient]:
    app = FastAPI()
    app.include_router(router)
    install_problem_handlers(app)
    open_doors(app, keys, ledger)
    app.state.store = store
    token = issue_token(keys, "auditor", ["audit"])
    with TestClient(app, headers={"Authorization": f"Bearer {token}"}) as client:
        yield client


def test_one_record(client: TestClient, ledger: Ledger) -> None:
    appended = fill(ledger, 3)
    answer = client.get("/audit/1")
    assert answer.status_code == 200
    found = answer.json()
    leaf = b64decode(found.pop("leaf"))
    assert leaf_hash(leaf).hex() == found["leaf_hash"] == appended[1].leaf_hash
    fields = json.loads(leaf)
    for name in ("record_id", "event", "actor_ref", "purpose", "manifest_sha256"):
        assert found[name] == fields[name]
    assert (found["sequence"], found["erased"], found["manifest_sha256"]) == (1, False, MANIFEST)
    assert found["time"] == fields["time"]


def test_reading_is_recorded_first(client: TestClient, ledger: Ledger, store: Store, engine: Engine) -> None:
    fill(ledger, 2)
    client.get("/audit/0")
    listed = client.get("/audit", params={"event": "score", "limit": 1}).json()
    assert [entry["event"] for entry in listed["entries"]] == ["score"]
    reads = [store.entry(2), store.entry(3)]
    assert [(entry.event, entry.purpose) for entry in reads] == [("read", "audit")] * 2
    assert reads[0].actor_ref == store.actor_refs("dayzero-local", "auditor")[0]
    opened = store.open(reads[1].record_id)
    assert (opened.subject, json.loads(opened.payload)["asked"]) == ("auditor", {"event": "score", "limit": 1})
    assert verify_database(engine).ok


def test_paging_gives_every_record_once_while_the_log_grows(client: TestClient, ledger: Ledger) -> None:
    fill(ledger, 10)
    seen, cursor = [], None
    while True:
        params = {"limit": 3, "event": "score"} | ({"cursor": cursor} if cursor else {})
        page = client.get("/audit", params=params).json()
        seen += [entry["sequence"] for entry in page["entries"]]
        ledger.submit(a_record()).result(10)
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == list(range(9, -1, -1))


def test_filters(client: TestClient, ledger: Ledger, store: Store) -> None:
    appended = fill(ledger, 4)
    other = ledger.submit(a_record(event="export", subject="other", manifest=None, purpose="audit")).result(10)

    def found(**params: str) -> list[int]:
        answer = client.get("/audit", params=params)
        assert answer.status_code == 200, answer.text
        return [entry["sequence"] for entry in answer.json()["entries"]]

    assert found(score=appended[2].record_id) == [2]
    assert found(event="export") == [4]
    assert found(actor=store.actor_refs("dayzero-local", "other")[0]) == [4]
    assert found(manifest=MANIFEST) == [3, 2, 1, 0]
    assert found(**{"from": other.time.isoformat(), "event": "export"}) == [4]
    assert found(**{"to": appended[0].time.isoformat()}) == []
    assert found(**{"from": "2001-01-01T00:00:00+01:00", "to": "9999-12-31T23:59:59Z", "manifest": MANIFEST})[-1] == 0
    assert found(**{"to": "0001-01-01T00:00:00+23:00"}) == []


CANARY = "canary7391"
UNUSABLE = [
    ({"limit": "0"}, "/query/limit"),
    ({"limit": "501"}, "/query/limit"),
    ({"limit": CANARY}, "/query/limit"),
    ({"score": CANARY}, "/query/score"),
    ({"actor": CANARY}, "/query/actor"),
    ({"event": CANARY}, "/query/event"),
    ({"manifest": CANARY}, "/query/manifest"),
    ({"from": CANARY}, "/query/from"),
    ({"to": "2020-01-01T00:00:00"}, "/query/to"),
    ({"to": "0.5"}, "/query/to"),
    ({"from": "1577836800"}, "/query/from"),
    ({"from": "2020-01-01"}, "/query/from"),
    ({"cursor": CANARY}, "/query/cursor"),
    ({"cursor": urlsafe_b64encode(b"before -1").decode()}, "/query/cursor"),
    ({"cursor": urlsafe_b64encode(b"before 99999999999999999999").decode()}, "/query/cursor"),
    ({"cursor": "a" * 65}, "/query/cursor"),
    ({"cursor": "é"}, "/query/cursor"),
    ({CANARY: "1"}, "/query"),
    ({f"{CANARY}/~": "1"}, "/query"),
]


@pytest.mark.parametrize(("params", "pointer"), UNUSABLE)
def test_unusable_queries_are_named_but_not_repeated(client: TestClient, params: dict, pointer: str) -> None:
    answer = client.get("/audit", params=params)
    assert answer.status_code == 422
    assert [fault["pointer"] for fault in answer.json()["errors"]] == [pointer]
    assert CANARY not in answer.text


@pytest.mark.parametrize("sequence", ["-1", "x", "1.5", str(2**53), str(2**70)])
def test_unusable_sequences(client: TestClient, sequence: str) -> None:
    answer = client.get(f"/audit/{sequence}")
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/path/sequence")


def test_a_record_that_is_not_there(client: TestClient) -> None:
    assert client.get("/audit/77").status_code == 404


@pytest.mark.parametrize("path", ["/audit", "/audit/0"])
def test_only_auditors(client: TestClient, store: Store, keys: Keys, path: str) -> None:
    assert client.get(path, headers={"Authorization": ""}).status_code == 401
    assert store.size() == 0
    for scope in ("score", "triage", "audit:unseal", "admin", "metrics"):
        token = issue_token(keys, "analyst", [scope])
        assert client.get(path, headers={"Authorization": f"Bearer {token}"}).status_code == 403


@pytest.mark.parametrize("path", ["/audit", "/audit/0"])
def test_a_read_that_cannot_be_recorded_shows_nothing(client: TestClient, ledger: Ledger, path: str) -> None:
    fill(ledger, 1)
    ledger.close()
    answer = client.get(path)
    assert answer.status_code == 503
    assert "leaf" not in answer.text


def test_plain_errors_are_ours(ledger: Ledger, store: Store, keys: Keys) -> None:
    """Without the service's own handlers, too, what goes wrong is one of our errors."""
    app = FastAPI()
    app.include_router(router)

    @app.exception_handler(DayZeroError)
    async def handle(_: Request, error: Exception) -> JSONResponse:
        return JSONResponse(type(error).__name__, 418)

    open_doors(app, keys, ledger)
    app.state.store = store
    headers = {"Authorization": f"Bearer {issue_token(keys, 'auditor', ['audit'])}"}
    client = TestClient(app, headers=headers)
    assert client.get("/audit/5").json() == "NotFound"
    assert client.get("/audit", params={"cursor": "x"}).json() == "InvalidInput"
