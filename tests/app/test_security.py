"""Who a token speaks for, how long that is remembered, scopes, and that a route never reads a stranger's body.

What must be refused stands in tests/data/bad_tokens.yaml.
"""

import asyncio
import time
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import Depends, FastAPI, Request
from fastapi.testclient import TestClient

from app import security
from app.errors import InvalidInput, NotAllowed, NotAuthenticated
from app.keys import Keys
from app.limits import Limits
from app.security import SCOPES, Authenticator, Caller, issue_token, require
from app.tokens import Rejection

OTHER = Ed25519PrivateKey.generate()
IDS = {"index": "i", "encryption": "e", "token": "t", "note": "n"}
KEYS = Keys(bytes(32), bytes(32), Ed25519PrivateKey.generate(), OTHER, IDS)


def signed(key: Any = KEYS.token, **changes: object) -> str:
    now = int(time.time())
    good = {"iss": "dayzero-local", "aud": "dayzero", "sub": "analyst", "scope": "score audit", "jti": "1"}
    told = good | {"iat": now, "nbf": now, "exp": now + 3600} | changes
    return "Bearer " + jwt.encode(told, key, algorithm="EdDSA", headers={"kid": "t"})


def caller_of(token: str, doors: Authenticator | None = None) -> Caller:
    return asyncio.run((doors or Authenticator(KEYS)).authenticate(token))


def test_a_good_token() -> None:
    assert caller_of(signed()) == Caller("dayzero-local", "analyst", frozenset({"score", "audit"}))
    assert caller_of(signed().replace("Bearer", "bearer")).subject == "analyst"


def test_local_tokens_can_be_off() -> None:
    with pytest.raises(NotAuthenticated) as refused:
        caller_of(signed(), Authenticator(KEYS, local=False))
    assert refused.value.reason == Rejection.LOCAL_OFF


@pytest.mark.parametrize("scope", SCOPES)
def test_issued_tokens_are_accepted(scope: str) -> None:
    token = issue_token(KEYS, "local:Some One@force", [scope, scope], hours=0.5)
    caller = caller_of(f"Bearer {token}")
    assert (caller.subject, caller.scopes) == ("local:Some One@force", {scope})
    found = jwt.decode(token, options={"verify_signature": False})
    assert found["exp"] - found["iat"] == 1800
    assert jwt.get_unverified_header(token) == {"alg": "EdDSA", "typ": "JWT", "kid": "t"}


@pytest.mark.parametrize(
    ("subject", "scopes", "hours", "pointer"),
    [
        ("x", [], 1, "/scope"),
        ("x", ["root"], 1, "/scope"),
        ("x", ["score audit"], 1, "/scope"),
        ("", ["score"], 1, "/subject"),
        ("a\n", ["score"], 1, "/subject"),
        ("x", ["score"], 8.01, "/hours"),
        ("x", ["score"], 0, "/hours"),
        ("x", ["score"], -1, "/hours"),
        ("x", ["score"], float("nan"), "/hours"),
    ],
)
def test_tokens_that_are_not_issued(subject: str, scopes: list[str], hours: float, pointer: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        issue_token(KEYS, subject, scopes, hours)
    assert [fault.pointer for fault in caught.value.faults] == [pointer]


def test_remembered_tokens_still_expire(monkeypatch: pytest.MonkeyPatch) -> None:
    doors, token, checks = Authenticator(KEYS), signed(exp=int(time.time()) + 30), []
    verify = security._verify_local
    monkeypatch.setattr(security, "_verify_local", lambda *args: checks.append(1) or verify(*args))
    assert caller_of(token, doors) is caller_of(token, doors)
    assert checks == [1]
    real = time.time
    monkeypatch.setattr("app.security.time.time", lambda: real() + 36)
    with pytest.raises(NotAuthenticated) as refused:
        caller_of(token, doors)
    assert refused.value.reason == Rejection.EXPIRED


def test_another_key_under_the_same_name_is_no_good() -> None:
    token = signed()
    caller_of(token)
    with pytest.raises(NotAuthenticated):
        caller_of(token, Authenticator(Keys(bytes(32), bytes(32), OTHER, OTHER, KEYS.ids)))


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(security, "_CACHE_SIZE", 10)
    doors = Authenticator(KEYS)
    for number in range(30):
        caller_of(signed(jti=str(number)), doors)
    assert len(doors._remembered._callers) == 10


def application() -> FastAPI:
    app = FastAPI()
    app.state.authenticator, app.state.limits = Authenticator(KEYS), Limits()
    app.state.bodies = []

    @app.post("/thing")
    async def thing(request: Request, caller: Caller = Depends(require("score", "triage"))) -> str:  # noqa: B008
        app.state.bodies.append(await request.body())
        return caller.subject

    return app


def test_a_route_takes_any_of_its_scopes() -> None:
    client = TestClient(application())
    for scope in ("score", "triage"):
        answer = client.post("/thing", headers={"Authorization": signed(scope=scope)})
        assert (answer.status_code, answer.json()) == (200, "analyst")


@pytest.mark.parametrize("scope", ["audit", "admin", "metrics", "audit:unseal"])
def test_no_scope_implies_another(scope: str) -> None:
    with pytest.raises(NotAllowed):
        TestClient(application()).post("/thing", headers={"Authorization": signed(scope=scope)})


def test_two_authorization_headers_are_refused() -> None:
    with pytest.raises(NotAuthenticated):
        TestClient(application()).post("/thing", headers=[("Authorization", signed()), ("authorization", signed())])


async def call(app: FastAPI, token: str | None) -> tuple[Exception | None, list[str]]:
    """Calls the app with a body that notes when it is asked for."""
    asked: list[str] = []

    async def receive() -> dict:
        asked.append("body")
        return {"type": "http.request", "body": b"secret", "more_body": False}

    async def send(message: dict) -> None:
        asked.append(message["type"])

    headers = [(b"authorization", token.encode())] if token else []
    scope = {"type": "http", "method": "POST", "path": "/thing", "headers": headers, "query_string": b""}
    try:
        await app({**scope, "app": app, "http_version": "1.1", "scheme": "http", "server": ("t", 80)}, receive, send)
    except (NotAuthenticated, NotAllowed) as error:
        return error, asked
    return None, asked


@pytest.mark.parametrize("token", [None, "Bearer x", signed(OTHER), signed(scope="audit")])
def test_the_body_is_not_read_for_strangers(token: str | None) -> None:
    error, asked = asyncio.run(call(application(), token))
    assert error is not None
    assert "body" not in asked
    error, asked = asyncio.run(call(application(), signed()))
    assert error is None
    assert "body" in asked


def test_routes_say_what_they_demand() -> None:
    assert require("score", "audit").scopes == {"score", "audit"}
    for wrong in ([], ["root"], ["score", ""]):
        with pytest.raises(ValueError, match="SCOPES"):
            require(*wrong)
    operation = application().openapi()["paths"]["/thing"]["post"]
    assert operation["security"] == [{"bearer": []}]


def test_keys_of_the_fixture_are_the_ones_ensure_makes(tmp_path: Path) -> None:
    from app.database import open_database, sqlite_url, upgrade
    from app.keys import ensure_keys

    engine = open_database(sqlite_url(tmp_path))
    upgrade(engine)
    keys = ensure_keys(tmp_path, engine)
    engine.dispose()
    token = f"Bearer {issue_token(keys, 'local', ['score'])}"
    assert caller_of(token, Authenticator(keys)).subject == "local"
    with pytest.raises(NotAuthenticated):
        caller_of(token)
