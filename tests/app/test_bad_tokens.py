"""The table of bad tokens at both doors: refused alike, before a byte of the body, and nothing of them kept."""

import asyncio
import http.client
import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.audit.store import EntryFilter, Store
from app.database import open_database, sqlite_url
from app.errors import NotAuthenticated
from app.key_source import KeySource
from app.keys import Keys, load_keys
from app.provider import Provider
from app.security import Authenticator
from app.settings import Settings
from app.tokens import Rejection
from tests import patient
from tests.app.test_server import environment, server
from tests.app.token_forgery import FORGERIES, KEY_SET, SHAPES, Door, lines, local_door, provider_door
from tests.identity_provider import AUDIENCE, ISSUER, running_provider
from tests.requests import cases

ROWS = cases("bad_tokens.yaml")
OWN = Ed25519PrivateKey.generate()
KEYS = Keys(bytes(32), bytes(32), OWN, OWN, {"index": "i", "encryption": "e", "token": "t", "note": "n"})
DOORS = {"local": local_door(OWN, "t"), "provider": provider_door()}
TWO_HEADERS = {"two_headers", "good_then_bad"}
EACH = [(door, row) for row in ROWS for door in ([row["door"]] if "door" in row else DOORS)]
OPEN = {"DAYZERO_LOCAL_TOKENS": "true", "DAYZERO_FAILED_LIMIT": "0"}


class Running(NamedTuple):
    """A server process and how it was set."""

    address: str
    process: subprocess.Popen[str]
    settings: dict[str, str]

    @property
    def home(self) -> Path:
        return Path(self.settings["DAYZERO_HOME"])


class Answer(NamedTuple):
    """What came back, less what differs between any two answers."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


def ask(address: str, authorization: list[str], *, body: bool = True) -> Answer:
    """`POST /score`, its body announced and not sent; or, without one, `GET /scores`."""
    connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=patient.SECONDS)
    connection.putrequest("POST" if body else "GET", "/score" if body else "/scores")
    for value in authorization:
        connection.putheader("Authorization", value.encode("latin-1"))
    if body:
        connection.putheader("Content-Type", "application/json")
        connection.putheader("Content-Length", "100000")
    connection.endheaders()
    answer = connection.getresponse()
    headers = tuple(found for found in answer.getheaders() if found[0].lower() not in {"date", "x-request-id"})
    content = answer.read()
    connection.close()
    return Answer(answer.status, headers, content)


def metrics_of(service: Running, door: Door) -> str:
    bearer = door.good(scope="metrics", jti="m")
    return patient.get(f"{service.address}/metrics", headers={"Authorization": bearer}).text


@contextmanager
def store_of(service: Running) -> Iterator[Store]:
    engine = open_database(sqlite_url(service.home))
    yield Store(engine, load_keys(service.home, engine))
    engine.dispose()


def check_ledger(service: Running, sent: list[str]) -> None:
    """Two reads, and, at the end, one summary of all refusals that names nobody."""
    with store_of(service) as store:
        entries = store.list_entries(EntryFilter())
        assert [entry.event for entry in entries] == ["refusal", "read", "read"]
        told = store.open(entries[0].record_id)
    assert (told.issuer, told.subject) == ("dayzero", "refusals")
    assert json.loads(told.payload) == {"summary": {"not-authenticated": len(EACH)}}
    kept = b"".join(file.read_bytes() for file in service.home.glob("dayzero.db*"))
    assert not [line for line in sent if len(line) > 20 and line.encode("latin-1") in kept]


async def _document() -> bytes:
    return json.dumps(KEY_SET).encode()


def authenticator() -> Authenticator:
    """Both doors open, the provider's keys at hand."""
    settings = Settings(jwks_url="https://127.0.0.1:1/keys", issuer=ISSUER, audience=AUDIENCE)
    return Authenticator(KEYS, Provider(settings, KeySource(_document)))


def test_the_table_is_whole() -> None:
    assert len({row["kind"] for row in ROWS}) == len(ROWS) >= 40
    assert {row["reason"] for row in ROWS} | {Rejection.LOCAL_OFF} == set(Rejection), "each reason is tried"
    assert {row["shape"] for row in ROWS if "shape" in row} == SHAPES.keys()
    assert {row["key"] for row in ROWS if "key" in row} == FORGERIES.keys() | {"other"}


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
def test_what_the_table_starts_from_is_good(door: Door) -> None:
    caller = asyncio.run(authenticator().authenticate(door.good()))
    assert (caller.subject, caller.scopes) == ("analyst", {"score", "audit"})


SINGLE = [(door, row) for door, row in EACH if row.get("shape") not in TWO_HEADERS]


@pytest.mark.parametrize(("door", "row"), SINGLE, ids=[f"{door}: {row['kind']}" for door, row in SINGLE])
def test_a_bad_token_is_refused_for_its_reason(door: str, row: dict[str, Any]) -> None:
    given = lines(row, DOORS[door])
    assert len(given) < 2
    with pytest.raises(NotAuthenticated) as refused:
        asyncio.run(authenticator().authenticate(given[0] if given else None))
    assert refused.value.reason == row["reason"]
    assert refused.value.detail == NotAuthenticated("").detail, "callers are not told which"


@pytest.fixture(scope="module")
def open_service(tmp_path_factory: pytest.TempPathFactory, toy_artifacts: Path) -> Iterator[Running]:
    """A real server process that takes the provider's tokens and local ones."""
    home = tmp_path_factory.mktemp("home")
    with running_provider(tmp_path_factory.mktemp("provider")) as provider:
        provider.serve(KEY_SET)
        settings = environment(home, toy_artifacts) | provider.environment | OPEN
        with server(settings) as (address, process):
            yield Running(address, process, settings)


def test_all_are_refused_alike_before_a_byte_of_the_body(open_service: Running) -> None:
    """Through a real server: the body is announced and never sent, so an answer shows that nobody waited for it."""
    with store_of(open_service) as store:
        keys = store._keys
    doors = {"local": local_door(keys.token, keys.ids["token"]), "provider": provider_door()}
    sent, answers = [], {}
    for door, row in EACH:
        given = lines(row, doors[door])
        sent += given
        answers[door, row["kind"]] = ask(open_service.address, given)
    assert {name for name, answer in answers.items() if answer.status != 401} == set()
    assert len({answer.body for answer in answers.values()}) == 1, "one identical problem"
    assert len({answer.headers for answer in answers.values()}) == 1
    assert json.loads(answers["local", "no header"].body)["type"] == "not-authenticated"
    for door in doors.values():
        assert ask(open_service.address, [door.good()], body=False).status == 200
    counted = metrics_of(open_service, doors["provider"])
    for reason in {row["reason"] for row in ROWS}:
        expected = sum(row["reason"] == reason for _, row in EACH)
        assert f'dayzero_tokens_rejected_total{{reason="{reason}"}} {expected:.1f}' in counted
    open_service.process.terminate()
    _, said = open_service.process.communicate(timeout=patient.SECONDS)
    logged = [json.loads(line) for line in said.splitlines()]
    assert sum(line.get("problem") == "not-authenticated" for line in logged) == len(EACH)
    pieces = {piece for line in sent for piece in re.split(r"[. ]", line) if len(piece) > 8}
    assert len(pieces) > 200
    assert not [piece for piece in pieces if piece in said or piece in counted]
    assert "analyst" not in said + counted
    check_ledger(open_service, sent)
