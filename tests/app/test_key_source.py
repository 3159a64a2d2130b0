"""A provider's keys: which are used, how they are fetched, how long they are believed, and all a provider can do wrong."""

import asyncio
import gzip
import json
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa

from app import key_source
from app.errors import NotAuthenticated, SetupError, Unavailable
from app.jwks import read_keys
from app.key_source import FetchFailed, KeySource, over_tls
from tests import identity_provider, patient
from tests.identity_provider import PRIVATE, key_set, public_member, running_provider, send

SHORT, LONG = rsa.generate_private_key(65537, 1024), rsa.generate_private_key(65537, 3072)


@pytest.fixture(autouse=True)
def well_again(provider: identity_provider.Provider) -> None:
    provider.serve(key_set(**PRIVATE))
    provider.asked.clear()


MEMBERS: dict[str, tuple[dict[str, Any], set[str]]] = {
    "RSA": (public_member(LONG, "k"), {f"{kind}{bits}" for kind in ("RS", "PS") for bits in (256, 384, 512)}),
    "RSA for one algorithm": (public_member(LONG, "k", alg="PS256"), {"PS256"}),
    "P-384": (public_member(ec.generate_private_key(ec.SECP384R1()), "k"), {"ES384"}),
    "Ed25519": (public_member(ed25519.Ed25519PrivateKey.generate(), "k"), {"EdDSA"}),
    "operations instead of use": (public_member(LONG, "k", key_ops=["verify"]), {"RS256"}),
    "too short": (public_member(SHORT, "k"), set()),
    "for encryption": (public_member(LONG, "k", use="enc"), set()),
    "for signing only": (public_member(LONG, "k", key_ops=["sign"]), set()),
    "secret": ({"kty": "oct", "k": "c2VjcmV0", "kid": "k"}, set()),
    "an algorithm of another kind": (public_member(LONG, "k", alg="ES256"), set()),
    "alg says HS256": (public_member(LONG, "k", alg="HS256"), set()),
    "secp256k1": (public_member(ec.generate_private_key(ec.SECP256K1()), "k"), set()),
    "Ed448": (public_member(ed448.Ed448PrivateKey.generate(), "k"), set()),
    "its private half": (public_member(PRIVATE["ed"], "k", d="c2VjcmV0"), set()),
    "no id": ({name: value for name, value in public_member(LONG, "k").items() if name != "kid"}, set()),
    "a number as id": (public_member(LONG, "k") | {"kid": 1}, set()),
    "modulus missing": ({"kty": "RSA", "e": "AQAB", "kid": "k"}, set()),
    "modulus a number": ({"kty": "RSA", "e": "AQAB", "n": 5, "kid": "k"}, set()),
    "point off the curve": ({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "kid": "k"}, set()),
    "curve and kind differ": ({"kty": "OKP", "crv": "P-256", "x": "AA", "kid": "k"}, set()),
    "kind a list": ({"kty": ["RSA"], "kid": "k"}, set()),
    "operations text": (public_member(LONG, "k", key_ops="verify"), set()),
}


@pytest.mark.parametrize(("member", "algorithms"), MEMBERS.values(), ids=MEMBERS)
def test_which_keys_are_used(member: dict[str, Any], algorithms: set[str]) -> None:
    found = read_keys(json.dumps({"keys": [member, public_member(PRIVATE["ed"], "beside")]}).encode())
    assert "beside" in found, "a key that cannot be used does not spoil the others"
    assert set(found["k"].algorithms) >= algorithms if algorithms else "k" not in found


def test_two_keys_under_one_name_are_neither() -> None:
    assert (
        read_keys(json.dumps({"keys": [public_member(LONG, "k"), public_member(PRIVATE["rsa"], "k")]}).encode()) == {}
    )


@pytest.mark.parametrize(
    "document", [b"", b"{", b"[]", b"null", b'{"keys": {}}', b'{"keys": [1, null, "x", []]}', b'{"keys": [], "keys": []}',
                 b"\xff\xfe", b"[" * 100_000, b'{"keys": [' + b"{}," * 100 + b"{}]}", b"<html>sign in</html>"],
)  # fmt: skip
def test_documents_that_are_no_key_sets(document: bytes) -> None:
    assert read_keys(document) == {}


def fetched(provider: identity_provider.Provider, authority: Path | None = None) -> bytes:
    return asyncio.run(over_tls(provider.url, authority or provider.authority)())


def redirect(handler: BaseHTTPRequestHandler) -> None:
    send(b"", 302, Location="/elsewhere")(handler)


def hang_up(handler: BaseHTTPRequestHandler) -> None:
    handler.connection.shutdown(2)


def endless(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    for _ in range(10_000):
        handler.wfile.write(b" " * 65536)


ILL = {
    "redirects": (redirect, "status-302"),
    "fails": (send(b"no", 500), "status-500"),
    "asks for a password": (send(b"", 401, WWW_Authenticate="Basic"), "status-401"),
    "hangs up": (hang_up, "Error"),
    "never ends": (endless, "too-large"),
    "too large": (send(b" " * (key_source.MAX_DOCUMENT + 1)), "too-large"),
    "compresses": (send(gzip.compress(b" " * 10_000_000), Content_Encoding="gzip"), "compressed"),
}


@pytest.mark.parametrize(("answer", "why"), ILL.values(), ids=ILL)
def test_a_provider_that_misbehaves(provider: identity_provider.Provider, answer: Any, why: str) -> None:
    provider.answer = answer
    with pytest.raises(FetchFailed, match=why):
        fetched(provider)
    assert provider.asked == ["/keys"], "nobody followed a redirect"


def test_another_authority_is_not_trusted(provider: identity_provider.Provider, tmp_path: Path) -> None:
    with running_provider(tmp_path) as other:
        with pytest.raises(FetchFailed, match="ConnectError"):
            fetched(provider, other.authority)
        assert fetched(other)
    with pytest.raises(SetupError, match="DAYZERO_JWKS_CA"):
        over_tls(provider.url, tmp_path / "nothing.pem")
    with pytest.raises(FetchFailed, match="ConnectError"):
        asyncio.run(over_tls(provider.url, None)())


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Script:
    """A key source whose fetches are written down beforehand; each entry is a document or a failure."""

    def __init__(self, *answers: object) -> None:
        self.answers, self.fetches, self.clock = list(answers), 0, Clock()
        self.source = KeySource(self.fetch, self.clock)

    async def fetch(self) -> bytes:
        await asyncio.sleep(0)
        self.fetches += 1
        answer = self.answers[min(self.fetches, len(self.answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return json.dumps(answer).encode()


FIRST, BOTH, DOWN = key_set(rsa=PRIVATE["rsa"]), key_set(rsa=PRIVATE["rsa"], ed=PRIVATE["ed"]), FetchFailed("down")


async def outcome(source: KeySource, name: str) -> str:
    try:
        await source.key(name)
    except (NotAuthenticated, Unavailable) as error:
        return type(error).__name__
    return "found"


def test_a_new_key_is_found_and_unknown_ones_do_not_make_us_ask_often() -> None:
    async def run() -> None:
        script = Script(FIRST, FIRST, BOTH)
        assert await outcome(script.source, "rsa") == "found"
        assert await outcome(script.source, "ed") == "NotAuthenticated", "asked a moment ago"
        assert script.fetches == 1
        script.clock.now += key_source.RETRY_SECONDS
        answers = await asyncio.gather(*(outcome(script.source, f"nobody-{number}") for number in range(50)))
        assert (set(answers), script.fetches) == ({"NotAuthenticated"}, 2), "fifty strangers, one question"
        script.clock.now += key_source.RETRY_SECONDS
        assert await outcome(script.source, "ed") == "found"
        assert script.fetches == 3

    asyncio.run(run())


def test_the_last_good_set_serves_for_an_hour() -> None:
    async def run() -> None:
        script = Script(FIRST, DOWN)
        assert await outcome(script.source, "rsa") == "found"
        script.clock.now += key_source.KEEP_SECONDS - 1
        await script.source.refresh()
        assert await outcome(script.source, "rsa") == "found"
        assert await outcome(script.source, "ed") == "Unavailable", "nobody can say whether there is such a key"
        assert script.source.fault is None
        script.clock.now += 2
        assert await outcome(script.source, "rsa") == "Unavailable"
        assert script.source.fault is not None
        script.answers = [FIRST]
        script.clock.now += key_source.RETRY_SECONDS
        assert await outcome(script.source, "rsa") == "found"
        assert script.source.fault is None

    asyncio.run(run())


def test_a_withdrawn_key_is_gone_with_the_next_set() -> None:
    async def run() -> None:
        script = Script(BOTH, FIRST)
        assert await outcome(script.source, "ed") == "found"
        await script.source.refresh()
        assert await outcome(script.source, "ed") == "NotAuthenticated"

    asyncio.run(run())


@pytest.mark.parametrize("answer", [{"keys": []}, {"keys": [{"kty": "oct", "k": "AA", "kid": "rsa"}]}, "sign in", DOWN])
def test_a_useless_answer_keeps_what_is_known(answer: object) -> None:
    async def run() -> None:
        script = Script(FIRST, answer)
        await script.source.refresh()
        await script.source.refresh()
        assert await outcome(script.source, "rsa") == "found"

    asyncio.run(run())


def test_a_slow_provider_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never() -> bytes:
        await asyncio.sleep(3600)
        return b""

    async def run() -> None:
        monkeypatch.setattr(key_source, "FETCH_SECONDS", 0.01)
        assert await outcome(KeySource(never), "rsa") == "Unavailable"

    asyncio.run(run())


def test_a_slow_provider_does_not_block_the_event_loop(
    provider: identity_provider.Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While one caller waits for a key over a real connection, the loop turns on: the answer waits for its turns."""
    monkeypatch.setattr(key_source, "FETCH_SECONDS", patient.SECONDS)
    usual, asked, turned = provider.answer, threading.Event(), threading.Event()

    def answer(handler: BaseHTTPRequestHandler) -> None:
        asked.set()
        if turned.wait(patient.SECONDS / 2):
            usual(handler)

    async def turn() -> None:
        while not asked.is_set():
            await asyncio.sleep(0.005)
        for _ in range(20):
            await asyncio.sleep(0.005)
        turned.set()

    async def run() -> None:
        turning = asyncio.create_task(turn())
        assert await outcome(KeySource(over_tls(provider.url, provider.authority)), "rsa") == "found"
        await turning

    provider.answer = answer
    asyncio.run(run())
