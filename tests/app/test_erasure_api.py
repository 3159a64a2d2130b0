"""Erasing and searching over HTTP and from a terminal."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from app.audit.note import parse_note
from app.cli import main
from app.harm.records import EXAMPLE
from tests.app.service_fixtures import LOGS, Client

ORDER = {"nominal_id": "N-104", "authority": "DPO/2026/14", "reason": "subject-request"}


def post(client: Client, path: str, body: Any) -> Any:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.http.post(path, content=content, headers=client.headers | {"Content-Type": "application/json"})


def test_an_erased_nominals_scores_are_gone(service: Client) -> None:
    score = service.score(EXAMPLE, Idempotency_Key="once").json()
    other = service.score(EXAMPLE | {"nominal": {"nominal_id": "N-105"}}).json()
    answer = post(service.as_caller("officer", "admin"), "/erasures", ORDER)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert told["records"] == 1
    assert told["backups_until"] > score["scored_at"][:10]
    assert any("backups" in place for place in told["remaining"])
    where = f"/scores/{score['score_id']}"
    for path in (where, f"{where}/survival", f"{where}/explanation"):
        gone = service.get(path)
        assert (gone.status_code, gone.json()["type"]) == (410, "erased")
    assert service.score(EXAMPLE, Idempotency_Key="once").status_code == 410
    assert service.get(f"/scores/{other['score_id']}").status_code == 200
    auditor = service.as_caller("auditor", "audit")
    assert auditor.get(f"/audit/{score['audit']['sequence']}").json()["erased"] is True
    assert auditor.get(f"/audit/{told['sequence']}").json()["event"] == "erasure"
    assert score["score_id"] not in [line["score_id"] for line in service.get("/scores").json()["scores"]]


def test_search_finds_what_is_held_and_is_itself_recorded(service: Client) -> None:
    scores = [service.score(EXAMPLE).json() for _ in range(2)]
    service.score(EXAMPLE | {"nominal": {"nominal_id": "N-105"}})
    auditor = service.as_caller("auditor", "audit")
    found = post(auditor, "/audit/search", {"nominal_id": "N-104"}).json()["entries"]
    assert [entry["record_id"] for entry in found[:2]] == [score["score_id"] for score in scores]
    assert [entry["event"] for entry in found] == ["score", "score", "read"]
    again = post(auditor, "/audit/search", {"nominal_id": "N-104"}).json()["entries"]
    assert len(again) == 4
    assert post(auditor, "/audit/search", {"nominal_id": "N-none"}).json()["entries"][0]["event"] == "read"


BAD_ORDERS: dict[str, tuple[Any, int]] = {
    "no authority": ({"nominal_id": "N-104", "reason": "court-order"}, 422),
    "a reason of one's own": (ORDER | {"reason": "because"}, 422),
    "an odd nominal": (ORDER | {"nominal_id": "N 104; DROP"}, 422),
    "a story for an authority": (ORDER | {"authority": "she said\nthat"}, 422),
    "a field too many": (ORDER | {"canary_field": "canary-value"}, 422),
    "a list": ([ORDER], 422),
    "not JSON": (b'{"nominal_id": "N-104"', 400),
    "twice the same field": (b'{"nominal_id": "N-104", "nominal_id": "N-105"}', 400),
}


@pytest.mark.parametrize("name", BAD_ORDERS)
def test_a_bad_order_erases_nothing(sqlite_service: Client, name: str) -> None:
    score = sqlite_service.score(EXAMPLE).json()
    body, status = BAD_ORDERS[name]
    answer = post(sqlite_service.as_caller("officer", "admin"), "/erasures", body)
    assert answer.status_code == status, answer.text
    assert "canary" not in answer.text.replace("canary_field", "")
    assert sqlite_service.get(f"/scores/{score['score_id']}").status_code == 200


@pytest.mark.parametrize("scope", ["score", "triage", "audit", "audit:unseal", "metrics"])
def test_no_other_scope_erases(sqlite_service: Client, scope: str) -> None:
    assert post(sqlite_service.as_caller("officer", scope), "/erasures", ORDER).status_code == 403


def test_no_identifier_reaches_the_logs(sqlite_service: Client) -> None:
    post(sqlite_service.as_caller("officer", "admin"), "/erasures", ORDER | {"nominal_id": "N-canary"})
    post(sqlite_service.as_caller("auditor", "audit"), "/audit/search", {"nominal_id": "N-canary"})
    assert "canary" not in LOGS.getvalue()


# From a terminal


@pytest.fixture
def scored(tmp_path: Path, toy_artifacts: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A home with one score of N-104 in it; its id."""
    monkeypatch.setenv("DAYZERO_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DAYZERO_ARTIFACTS", str(toy_artifacts))
    request = tmp_path / "request.json"
    request.write_text(json.dumps(EXAMPLE))
    return str(json.loads(run("score", str(request)).output)["score_id"])


def run(*arguments: str, typed: str = "", code: int = 0) -> Any:
    result = CliRunner().invoke(main, arguments, input=typed)
    assert result.exit_code == code, result.output
    return result


def test_the_erase_command(scored: str) -> None:
    order = ("erase", "--authority", "DPO/2026/14", "--reason", "subject-request")
    assert "1 records erased" in run(*order, typed="N-104\n").output
    assert "0 records erased" in run(*order, typed="N-104\n").output
    refused = run(*order, typed="N 104\n", code=1)
    assert "/nominal_id" in refused.stderr
    assert "104" not in refused.stderr
    assert "rewritten" in run("db", "scrub").output
    assert "1 erased" in run("audit", "verify", "--open").output


def test_the_rotate_command(scored: str) -> None:
    before = run("keys", "show").output
    for purpose in ("index", "encryption", "token", "note"):
        done = run("keys", "rotate", purpose)
        assert "->" in done.output
        assert "Restart" in done.stderr
    assert len(parse_note(done.stdout.encode()).signatures) == 2  # the note alone, so that it can go into a file
    after = run("keys", "show").output
    assert not set(before.splitlines()) & set(after.splitlines())
    assert f"verifier before a rotation: {before.rsplit('verifier: ', maxsplit=1)[1].strip()}" in after
    assert "Every record is as it was appended" in run("audit", "verify", "--open").output


def test_roles_are_for_postgres(scored: str) -> None:
    assert "no roles" in run("db", "upgrade", "--serving-role", "x", code=1).stderr
