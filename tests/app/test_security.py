"""Tokens: one good kind, and everything odd refused alike; scopes; never the body."""

import asyncio
import base64
import json
import time
from collections.abc import Callable
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fastapi import Depends, FastAPI, Request
from fastapi.testclient import TestClient

from app import security
from app.errors import InvalidInput, NotAllowed, NotAuthenticated
from app.keys import Keys
from app.security import SCOPES, Caller, authenticate, issue_token, require

OTHER = Ed25519PrivateKey.generate()
IDS = {"index": "i", "encryption": "e", "token": "t", "note": "n"}
KEYS = Keys(bytes(32), bytes(32), Ed25519PrivateKey.generate(), OTHER, IDS)
PUBLIC = KEYS.token.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@pytest.fixture(autouse=True)
def nothing_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(security, "_verified", security._Verified())


def claims(**changes: object) -> dict[str, object]:
    now = int(time.time())
    good = {"iss": "dayzero-local", "aud": "dayzero", "sub": "analyst", "scope": "score audit", "jti": "1"}
    whole = good | {"iat": now, "nbf": now, "exp": now + 3600} | changes
    return {name: value for name, value in whole.items() if value is not ...}


def signed(key: object = KEYS.token, headers: dict | None = None, **changes: object) -> str:
    return "Bearer " + jwt.encode(claims(**changes), key, algorithm="EdDSA", headers=headers)


def part(value: object) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def forged(header: object, body: object = None, signature: bytes = b"") -> str:
    return f"Bearer {part(header)}.{part(claims() if body is None else body)}.{part(signature)}"


def really_signed(body: bytes, header: object = None) -> str:
    signing_input = f"{part(header or {'alg': 'EdDSA', 'typ': 'JWT'})}.{part(body)}"
    return f"Bearer {signing_input}.{part(KEYS.token.sign(signing_input.encode()))}"


def hs256_with_the_public_key() -> str:
    import hmac

    signing_input = f"{part({'alg': 'HS256', 'typ': 'JWT'})}.{part(claims())}"
    return f"Bearer {signing_input}.{part(hmac.digest(PUBLIC, signing_input.encode(), 'sha256'))}"


GOOD = signed()
NOW = time.time()

BAD: dict[str, Callable[[], str | None]] = {
    "no header": lambda: None,
    "empty": lambda: "",
    "no token": lambda: "Bearer",
    "blank token": lambda: "Bearer ",
    "no scheme": lambda: signed()[7:],
    "basic": lambda: "Basic " + base64.b64encode(b"user:password").decode(),
    "bearer twice": lambda: "Bearer " + signed(),
    "two tokens": lambda: f"{signed()} {signed()[7:]}",
    "two tokens with a comma": lambda: f"{signed()}, {signed()}",
    "two blanks": lambda: signed().replace(" ", "  "),
    "tab": lambda: signed().replace(" ", "\t"),
    "blank in front": lambda: " " + signed(),
    "newline behind": lambda: signed() + "\n",
    "not ASCII": lambda: signed() + "é",
    "other digits": lambda: "Bearer ١.٢.٣",
    "quoted": lambda: f'Bearer "{signed()[7:]}"',
    "two parts": lambda: signed().rsplit(".", 1)[0],
    "four parts": lambda: signed() + ".AAAA",
    "no signature": lambda: signed().rsplit(".", 1)[0] + ".",
    "padding": lambda: signed() + "==",
    "over 8 KiB": lambda: signed(jti="x" * 9000),
    "over 8 KiB of nothing": lambda: "Bearer " + "a" * 9000 + ".b.c",
    "alg none": lambda: forged({"alg": "none", "typ": "JWT"}, signature=b"x"),
    "alg None in another case": lambda: forged({"alg": "nOnE"}, signature=b"x"),
    "HS256 with the public key": hs256_with_the_public_key,
    "HS256 said, EdDSA signed": lambda: really_signed(json.dumps(claims()).encode(), {"alg": "HS256"}),
    "no alg": lambda: really_signed(json.dumps(claims()).encode(), {"typ": "JWT"}),
    "alg is a list": lambda: really_signed(json.dumps(claims()).encode(), {"alg": ["EdDSA"]}),
    "another key": lambda: signed(OTHER),
    "another key offered in the header": lambda: signed(OTHER, headers={"jwk": {"kty": "OKP", "crv": "Ed25519"}}),
    "jku in the header": lambda: signed(headers={"jku": "https://example.test/keys"}),
    "x5u in the header": lambda: signed(headers={"x5u": "https://example.test/cert"}),
    "crit in the header": lambda: signed(headers={"crit": ["exp"]}),
    "unencoded payload": lambda: signed(headers={"b64": False, "crit": ["b64"]}),
    "signature of another token": lambda: signed().rsplit(".", 1)[0] + "." + signed(jti="2").rsplit(".", 1)[1],
    "claims exchanged": lambda: ".".join([signed().split(".")[0], part(claims(scope="admin")), signed().split(".")[2]]),
    "expired": lambda: signed(iat=int(NOW) - 7200, nbf=int(NOW) - 7200, exp=int(NOW) - 60),
    "not yet valid": lambda: signed(nbf=int(NOW) + 600),
    "issued in the future": lambda: signed(iat=int(NOW) + 600),
    "valid for nine hours": lambda: signed(exp=int(NOW) + 9 * 3600),
    "valid for ever": lambda: signed(exp=2**53),
    "beyond what a clock holds": lambda: signed(exp=10**400),
    "ends before it begins": lambda: signed(iat=int(NOW) + 4, exp=int(NOW) + 3),
    "time as text": lambda: signed(exp=str(int(NOW) + 3600)),
    "time as fraction": lambda: signed(exp=NOW + 3600),
    "time as boolean": lambda: signed(iat=True),
    "time as NaN": lambda: really_signed(json.dumps(claims(exp=float("nan"))).encode()),
    "wrong audience": lambda: signed(aud="another"),
    "several audiences": lambda: signed(aud=["dayzero", "another"]),
    "wrong issuer": lambda: signed(iss="https://example.test"),
    "subject is a number": lambda: really_signed(json.dumps(claims(sub=1)).encode()),
    "subject is empty": lambda: signed(sub=""),
    "subject with a line break": lambda: signed(sub="a\nb"),
    "subject with NUL": lambda: signed(sub="a\0b"),
    "subject too long": lambda: signed(sub="a" * 500),
    "scope is a list": lambda: signed(scope=["score"]),
    "scope is empty": lambda: signed(scope=""),
    "unknown scope": lambda: signed(scope="score everything"),
    "scope in another case": lambda: signed(scope="SCORE"),
    "scope with two blanks": lambda: signed(scope="score  audit"),
    "jti is a number": lambda: really_signed(json.dumps(claims(jti=1)).encode()),
    "an unknown claim": lambda: signed(admin=True),
    "claims are a list": lambda: really_signed(b"[]"),
    "claims are not JSON": lambda: really_signed(b"{"),
    "claims are deep": lambda: really_signed(b"[" * 3000),
    **{f"without {name}": lambda name=name: signed(**{name: ...}) for name in claims()},
}  # fmt: skip


@pytest.mark.parametrize("kind", BAD)
def test_bad_tokens_are_refused(kind: str) -> None:
    with pytest.raises(NotAuthenticated) as caught:
        authenticate(BAD[kind](), KEYS)
    assert len(caught.value.detail) < 100


def test_there_are_enough_kinds_of_bad_tokens() -> None:
    assert len(BAD) >= 40


def test_a_good_token() -> None:
    assert authenticate(signed(), KEYS) == Caller("dayzero-local", "analyst", frozenset({"score", "audit"}))
    assert authenticate(signed().replace("Bearer", "bearer"), KEYS).subject == "analyst"


@pytest.mark.parametrize("scope", SCOPES)
def test_issued_tokens_are_accepted(scope: str) -> None:
    token = issue_token(KEYS, "local:Some One@force", [scope, scope], hours=0.5)
    caller = authenticate(f"Bearer {token}", KEYS)
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
    token = signed(exp=int(time.time()) + 30)
    checks = []
    verify = security._verify
    monkeypatch.setattr(security, "_verify", lambda *args: checks.append(1) or verify(*args))
    assert authenticate(token, KEYS) is authenticate(token, KEYS)
    assert checks == [1]
    real = time.time
    monkeypatch.setattr("app.security.time.time", lambda: real() + 36)
    monkeypatch.setattr("jwt.api_jwt.datetime", Later)
    with pytest.raises(NotAuthenticated, match="expired"):
        authenticate(token, KEYS)


class Later:
    @staticmethod
    def now(tz: object) -> object:
        from datetime import datetime, timedelta

        return datetime.now(tz) + timedelta(seconds=36)


def test_remembered_tokens_belong_to_one_key() -> None:
    token = signed()
    authenticate(token, KEYS)
    with pytest.raises(NotAuthenticated):
        authenticate(token, Keys(bytes(32), bytes(32), OTHER, OTHER, KEYS.ids | {"token": "other"}))


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(security, "_CACHE_SIZE", 10)
    for number in range(30):
        authenticate(signed(jti=str(number)), KEYS)
    assert len(security._verified._callers) == 10


def application() -> FastAPI:
    app = FastAPI()
    app.state.keys = KEYS
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
    assert authenticate(f"Bearer {issue_token(keys, 'local', ['score'])}", keys).subject == "local"
    with pytest.raises(NotAuthenticated):
        authenticate(f"Bearer {issue_token(keys, 'local', ['score'])}", KEYS)
