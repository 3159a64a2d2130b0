"""Connecting to an identity provider: good tokens of common providers, settings, and a real service behind a real one."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from app.errors import SetupError
from app.key_source import KeySource
from app.provider import Provider, open_provider
from app.settings import Settings, read_settings
from app.tokens import Verified, bearer_token, read_header
from tests import identity_provider, patient
from tests.app.test_server import dayzero, environment, server
from tests.identity_provider import AUDIENCE, ISSUER, PRIVATE, key_set, running_provider, send, token
from tests.requests import example


@pytest.fixture(autouse=True)
def well_again(provider: identity_provider.Provider) -> None:
    provider.serve(key_set(**PRIVATE))
    provider.asked.clear()


def verified(raw: str, **settings: Any) -> Verified:
    """What a token proves to a service whose provider has the usual keys."""

    async def fetch() -> bytes:
        return json.dumps(key_set(**PRIVATE)).encode()

    known = {"jwks_url": "https://127.0.0.1:1/keys", "issuer": ISSUER, "audience": AUDIENCE} | settings
    line = bearer_token(f"Bearer {raw}")
    return asyncio.run(Provider(Settings(**known), KeySource(fetch)).verify(line, read_header(line)))


@pytest.mark.parametrize("key", PRIVATE)
def test_each_kind_of_key(key: str) -> None:
    found = verified(token(key))
    assert (found.issuer, found.subject, found.scopes) == (ISSUER, "analyst", {"score", "audit"})


SCOPE_CLAIMS = {
    "Keycloak: text among others": ({"scope": "openid email score profile"}, {"score"}),
    "Entra, a person": ({"scope": ..., "scp": "score triage"}, {"score", "triage"}),
    "Entra, a program": ({"scope": ..., "roles": ["score", "Task.Read"]}, {"score"}),
    "Okta: a list": ({"scope": ..., "scp": ["score", "audit:unseal"]}, {"score", "audit:unseal"}),
    "in several claims": ({"scope": "score", "roles": ["audit"]}, {"score", "audit"}),
    "none at all": ({"scope": ...}, set()),
    "empty": ({"scope": ""}, set()),
    "only unknown ones": ({"scope": "everything root SCORE score,audit"}, set()),
}


@pytest.mark.parametrize(("told", "scopes"), SCOPE_CLAIMS.values(), ids=SCOPE_CLAIMS)
def test_scopes_as_common_providers_name_them(told: dict[str, Any], scopes: set[str]) -> None:
    assert verified(token(**told)).scopes == scopes


def test_only_the_claims_that_were_set_grant_anything() -> None:
    assert verified(token(scope="admin", scp="score", roles=["audit"]), scope_claims="roles").scopes == {"audit"}


@pytest.mark.parametrize("aud", [AUDIENCE, [AUDIENCE], ["account", AUDIENCE]])
def test_audience_alone_or_among_others(aud: object) -> None:
    assert verified(token(aud=aud)).subject == "analyst"


@pytest.mark.parametrize("kind", ["JWT", "jwt", "at+jwt", "application/at+jwt", "AT+JWT"])
def test_types_of_access_tokens(kind: str) -> None:
    assert verified(token(headers={"typ": kind})).subject == "analyst"


def test_what_providers_leave_out_or_add() -> None:
    more = {"azp": "x", "oid": "y", "realm_access": {"roles": ["admin"]}, "resource_access": {}, "acr": "1"}
    assert verified(token(headers={"x5t": "abc"}, nbf=..., jti=..., **more)).scopes == {"score", "audit"}


WRONG = {
    "plain http": {"jwks_url": "http://login.example.test/keys"},
    "a file": {"jwks_url": "file:///etc/passwd"},
    "no host": {"jwks_url": "https:///keys"},
    "a password in it": {"jwks_url": "https://user:CANARY@login.example.test/keys"},
    "not an address": {"jwks_url": "https://[CANARY"},
    "no issuer": {"issuer": ""},
    "no audience": {"audience": ""},
    "an issuer without a provider": {"jwks_url": ""},
    "our own issuer": {"issuer": "dayzero-local"},
    "a symmetric algorithm": {"algorithms": "RS256,HS256"},
    "no algorithm": {"algorithms": "none"},
    "an unknown claim": {"scope_claims": "scope,groups"},
    "an authority that is not there": {"jwks_ca": "nowhere/CANARY.pem"},
    "a negative limit": {"caller_limit": "-1"},
}


@pytest.mark.parametrize("change", WRONG.values(), ids=WRONG)
def test_settings_that_cannot_be_meant(change: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    usual = {"jwks_url": "https://login.example.test/keys", "issuer": ISSUER, "audience": AUDIENCE} | change
    for name, value in usual.items():
        monkeypatch.setenv(f"DAYZERO_{name.upper()}", value)
    with pytest.raises(SetupError, match="DAYZERO_") as refused:
        open_provider(read_settings())
    assert "CANARY" not in refused.value.detail


def test_a_real_service_and_a_real_provider(
    provider: identity_provider.Provider, tmp_path: Path, toy_artifacts: Path
) -> None:
    settings = environment(tmp_path, toy_artifacts) | provider.environment
    with server(settings) as (address, _):
        assert patient.get(f"{address}/health/ready").status_code == 200
        good = {"Authorization": f"Bearer {token('ec')}"}
        answer = patient.post(f"{address}/score", json=example(), headers=good)
        assert answer.status_code == 200, answer.text
        unscoped = {"Authorization": f"Bearer {token('ec', scope='openid')}"}
        assert patient.get(f"{address}/scores", headers=unscoped).status_code == 403
        assert provider.asked == ["/keys"]
    refused = dayzero(settings, "token", "--scope", "score")
    assert refused.returncode == 1
    assert "Local tokens are off" in refused.stderr
    both = settings | {"DAYZERO_LOCAL_TOKENS": "true"}
    local = {"Authorization": f"Bearer {dayzero(both, 'token', '--scope', 'score').stdout.strip()}"}
    with server(both) as (address, _):
        assert patient.get(f"{address}/scores", headers=local).status_code == 200
    with server(settings) as (address, _):
        assert patient.get(f"{address}/scores", headers=local).status_code == 401


def test_a_service_whose_provider_is_dead_starts_and_says_so(tmp_path: Path, toy_artifacts: Path) -> None:
    with running_provider(tmp_path / "provider") as provider:
        settings = environment(tmp_path, toy_artifacts) | provider.environment
        provider.answer = send(b"", 503)
        with server(settings) as (address, _):
            assert patient.get(f"{address}/health/live").status_code == 200
            ready = patient.get(f"{address}/health/ready")
            assert (ready.status_code, ready.json()["type"]) == (503, "unavailable")
            assert "identity provider" in ready.json()["detail"]
            answer = patient.get(f"{address}/scores", headers={"Authorization": f"Bearer {token()}"})
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
            assert patient.get(f"{address}/scores", headers={"Authorization": "Bearer a.b.c"}).status_code == 401
            assert patient.get(f"{address}/scores").status_code == 401
