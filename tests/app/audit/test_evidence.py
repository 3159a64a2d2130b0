"""Checkpoint, key, proofs and export over HTTP, on both databases, checked by code that is not the application's."""

import csv
import io
import json
import time
from base64 import b64decode
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from app.audit.evidence import router as evidence_router
from app.audit.export import in_chunks, safe_cell, verify_export
from app.audit.ledger import Ledger
from app.audit.note import parse_verifier
from app.audit.routes import router
from app.audit.signing import Checkpoints
from app.audit.store import Store
from app.keys import Keys
from app.middleware import install_problem_handlers
from app.security import issue_token
from tests.app.audit import rfc6962
from tests.app.audit.samples import fill
from tests.app.service_fixtures import open_doors

ADDRESSES = [
    "/audit/checkpoint", "/audit/key", "/audit/proof/inclusion?sequence=0&size=1",
    "/audit/proof/consistency?first=1&second=2", "/audit/export",
]  # fmt: skip


@pytest.fixture
def client(ledger: Ledger, store: Store, keys: Keys, engine: Engine) -> Iterator[TestClient]:
    app = FastAPI()
    app.include_router(evidence_router)
    app.include_router(router)
    install_problem_handlers(app)
    state = app.state
    open_doors(app, keys, ledger)
    state.store, state.engine = store, engine
    state.checkpoints = Checkpoints(engine, keys)
    token = issue_token(keys, "auditor", ["audit"])
    with TestClient(app, headers={"Authorization": f"Bearer {token}"}, raise_server_exceptions=False) as client:
        yield client


def hashes(client: TestClient, kind: str, **params: int) -> list[bytes]:
    answer = client.get(f"/audit/proof/{kind}", params=params)
    assert answer.status_code == 200, answer.text
    return [bytes.fromhex(one) for one in answer.json()["hashes"]]


def test_an_auditor_needs_nothing_of_ours(client: TestClient, ledger: Ledger, store: Store) -> None:
    appended = fill(ledger, 13)
    client.app.state.checkpoints.sign()
    vkey = client.get("/audit/key").text
    first, old_root = rfc6962.read_checkpoint(client.get("/audit/checkpoint").text, vkey)
    fill(ledger, 30)
    client.app.state.checkpoints.sign()
    answer = client.get("/audit/checkpoint")
    assert answer.headers["content-type"].startswith("text/plain")
    second, new_root = rfc6962.read_checkpoint(answer.text, vkey)
    assert (first, second) == (13, 43)
    for sequence in (0, 7, 12):
        path = hashes(client, "inclusion", sequence=sequence, size=second)
        leaf = bytes.fromhex(appended[sequence].leaf_hash)
        assert rfc6962.root_of_path(leaf, sequence, second, path) == new_root
    proof = hashes(client, "consistency", first=first, second=second)
    assert rfc6962.roots_of_proof(first, second, proof, old_root) == (old_root, new_root)
    assert hashes(client, "consistency", first=second, second=second) == []
    assert store.size() == 43, "none of this grows the log"


BAD_QUESTIONS = [
    ("inclusion", {"sequence": 5, "size": 5}, 422, "/query/size"),
    ("inclusion", {"sequence": -1, "size": 5}, 422, "/query/sequence"),
    ("inclusion", {"sequence": "CANARY", "size": 5}, 422, "/query/sequence"),
    ("inclusion", {"sequence": 1}, 422, "/query/size"),
    ("inclusion", {"sequence": 1, "size": 2**60}, 422, "/query/size"),
    ("inclusion", {"sequence": 1, "size": 5, "CANARY": 1}, 422, "/query"),
    ("inclusion", {"sequence": 1, "size": 1000}, 404, None),
    ("consistency", {"first": 0, "second": 5}, 422, "/query/first"),
    ("consistency", {"first": 5, "second": 4}, 422, "/query/second"),
    ("consistency", {"first": 1, "second": 1000}, 404, None),
]


@pytest.mark.parametrize(("kind", "params", "status", "pointer"), BAD_QUESTIONS)
def test_proofs_there_are_not(
    client: TestClient, ledger: Ledger, kind: str, params: dict, status: int, pointer: str | None
) -> None:
    fill(ledger, 6)
    answer = client.get(f"/audit/proof/{kind}", params=params)
    assert answer.status_code == status
    assert [fault["pointer"] for fault in answer.json()["errors"]] == ([pointer] if pointer else [])
    assert "CANARY" not in answer.text


@pytest.mark.parametrize("address", ADDRESSES)
def test_only_auditors(client: TestClient, keys: Keys, store: Store, address: str) -> None:
    assert client.get(address, headers={"Authorization": ""}).status_code == 401
    assert store.size() == 0
    for scope in ("score", "triage", "audit:unseal", "admin", "metrics"):
        token = issue_token(keys, "analyst", [scope])
        assert client.get(address, headers={"Authorization": f"Bearer {token}"}).status_code == 403


def test_no_checkpoint_yet_is_unavailable(client: TestClient) -> None:
    assert client.get("/audit/checkpoint").status_code == 503


def test_an_export_verifies_with_key_and_origin_alone(client: TestClient, ledger: Ledger, store: Store) -> None:
    fill(ledger, 1500)
    verifier = parse_verifier(client.get("/audit/key").text)
    answer = client.get("/audit/export")
    assert answer.headers["content-disposition"] == 'attachment; filename="dayzero-audit-1501.ndjson"'
    lines = answer.content.splitlines(keepends=True)
    report = verify_export(lines, verifiers=[verifier])
    assert (report.ok, report.size, report.problems) == (True, 1501, [])
    header = json.loads(lines[0])
    size, root = rfc6962.read_checkpoint(header["checkpoint"], str(verifier))
    leaves = [rfc6962.leaf(b64decode(json.loads(line)["leaf"])) for line in lines[1:]]
    assert (size, rfc6962.tree_root(leaves)) == (1501, root)
    recorded = store.entry(1500)
    assert (recorded.event, recorded.purpose) == ("export", "audit")
    assert store.open(recorded.record_id).subject == "auditor"


CUTS = {
    "last record": lambda lines: lines[:-1],
    "another size": lambda lines: [lines[0].replace(b'"size":21', b'"size":20'), *lines[1:-1]],
    "signature": lambda lines: [
        json.dumps(json.loads(lines[0]) | {"checkpoint": json.loads(lines[0])["checkpoint"][:-9] + "AAAAAAA=\n"}).encode(),
        *lines[1:],
    ],
    "no checkpoint": lambda lines: [
        json.dumps({k: v for k, v in json.loads(lines[0]).items() if k != "checkpoint"}).encode(), *lines[1:],
    ],
    "checkpoint is no text": lambda lines: [
        json.dumps(json.loads(lines[0]) | {"checkpoint": [1]}).encode(), *lines[1:],
    ],
    "lone surrogate": lambda lines: [
        json.dumps(json.loads(lines[0]) | {"checkpoint": "\ud800"}).encode(), *lines[1:],
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", CUTS)
def test_an_export_that_was_signed_for_something_else(client: TestClient, ledger: Ledger, name: str) -> None:
    fill(ledger, 20)
    verifier = client.app.state.checkpoints.verifier
    lines = client.get("/audit/export").content.splitlines(keepends=True)
    assert verify_export(lines, verifiers=[verifier]).ok
    assert not verify_export(CUTS[name](lines), verifiers=[verifier]).ok


def test_an_older_checkpoint_finds_what_was_cut_or_rewritten(client: TestClient, ledger: Ledger) -> None:
    fill(ledger, 20)
    checkpoints = client.app.state.checkpoints
    early = client.get("/audit/export").content.splitlines(keepends=True)
    old = checkpoints.sign().checkpoint
    fill(ledger, 9)
    late = client.get("/audit/export").content.splitlines(keepends=True)
    newer = checkpoints.sign().checkpoint
    report = verify_export(late, verifiers=[checkpoints.verifier], since=old)
    assert report.ok
    assert "size 21 covers, unchanged" in report.caveat
    assert "cannot be excluded" in verify_export(late).caveat
    cut = verify_export(early, verifiers=[checkpoints.verifier], since=newer)
    assert "covers 31 records" in cut.problems[0].what
    other = type(old)(old.origin, old.size, bytes(32))
    assert verify_export(late, since=other).first_bad == 20


def test_csv_is_for_reading(client: TestClient, ledger: Ledger, store: Store) -> None:
    appended = fill(ledger, 3)
    answer = client.get("/audit/export", params={"format": "csv"})
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["sequence"] for row in rows] == ["0", "1", "2", "3"]
    assert rows[1]["leaf_hash"] == appended[1].leaf_hash
    assert (rows[1]["erased"], rows[3]["event"], rows[3]["manifest_sha256"]) == ("false", "export", "")
    assert client.get("/audit/export", params={"format": "xml"}).status_code == 422


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_is_a_formula(sign: str) -> None:
    assert safe_cell(f"{sign}1+1") == f"'{sign}1+1"
    assert safe_cell(f"a{sign}") == f"a{sign}"
    assert safe_cell("") == ""


def test_an_export_that_cannot_be_recorded_shows_nothing(client: TestClient, ledger: Ledger) -> None:
    fill(ledger, 2)
    ledger.close()
    answer = client.get("/audit/export")
    assert answer.status_code == 503
    assert "leaf" not in answer.text


def test_chunks_hold_the_same_bytes() -> None:
    lines = [b"x" * length for length in (1, 40, 70, 3, 100)]
    assert [len(chunk) for chunk in in_chunks(lines, 64)] == [111, 103]
    assert list(in_chunks([], 64)) == []


def test_a_proof_takes_milliseconds(client: TestClient, ledger: Ledger) -> None:
    fill(ledger, 2000)
    times = []
    for sequence in range(20):
        began = time.perf_counter()
        hashes(client, "inclusion", sequence=sequence * 97, size=1999)
        times.append(time.perf_counter() - began)
    assert min(times) < 0.1, "20 ms on an idle machine; a busy one has its idle moments"
