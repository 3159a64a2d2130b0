"""Every route x every method x every role, through HTTP, against the contract's list in tests/data/permissions.yaml."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Mount, Route

from app.database import sqlite_url
from app.main import bare_app
from app.middleware import METHODS
from app.scopes import SCOPES
from app.security import require
from tests.app.service_fixtures import Client, running
from tests.identity_provider import PRIVATE, key_set, running_provider, token
from tests.requests import cases

ROWS = cases("permissions.yaml")
GRANTED = {row["call"]: row["scopes"] for row in ROWS}
ADDRESSES = {row["call"].split(" ")[1]: row.get("ask", row["call"].split(" ")[1]) for row in ROWS}
CELLS = [(method, path) for path in ADDRESSES for method in sorted(METHODS)]
ROLES: dict[str, str | None] = {scope: scope for scope in SCOPES} | {"no scope": "", "anonymous": None}


def every_route(routes: list[BaseRoute]) -> Iterator[Route]:
    for route in routes:
        included = getattr(route, "original_router", None)  # what FastAPI keeps of an included router
        if included is not None or isinstance(route, Mount):
            yield from every_route((included or route).routes)
        else:
            assert isinstance(route, Route | APIRoute), route
            yield route


def scopes_of(route: Route) -> set[str] | None:
    """Scopes a route demands, None for a public one."""
    if not isinstance(route, APIRoute):
        return None
    demanded = [found.call for found in route.dependant.dependencies if isinstance(found.call, require)]
    assert len(demanded) <= 1
    return set(demanded[0].scopes) if demanded else None


def test_no_route_is_missing_from_the_list_and_none_is_too_many() -> None:
    found = {
        f"{method} {route.path}": "everyone" if (scopes := scopes_of(route)) is None else scopes
        for route in every_route(bare_app().routes)
        for method in route.methods or set()
    }
    assert found == {call: scopes if scopes == "everyone" else set(scopes) for call, scopes in GRANTED.items()}
    assert len(GRANTED) == len(ROWS)


def test_docs_can_be_switched_off() -> None:
    paths = {route.path for route in every_route(bare_app(docs=False).routes)}
    assert not paths & {"/docs", "/docs/{asset}", "/openapi.json"}


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory, toy_artifacts: Path) -> Iterator[Client]:
    """A service behind a real identity provider: only such a token can carry no scope at all."""
    home = tmp_path_factory.mktemp("home")
    with running_provider(home / "provider") as provider:
        provider.serve(key_set(ed=PRIVATE["ed"]))
        with running(
            sqlite_url(home), home, toy_artifacts, caller_limit=0, failed_limit=0, **provider.settings
        ) as client:
            yield client


BEARERS = {
    role: {} if scope is None else {"Authorization": f"Bearer {token('ed', scope=scope)}"}
    for role, scope in ROLES.items()
}


def rule(method: str, address: str) -> Any:
    """What the list says of an address: its own row, else that of a pattern it fits (`GET /audit/search` is one number
    too odd for `GET /audit/{sequence}`); None where no row takes the method."""
    patterns = {call: re.sub(r"\{[a-z_]+\}", "[^/]+", call) for call in GRANTED}
    fitting = [call for call, pattern in patterns.items() if re.fullmatch(pattern, f"{method} {address}")]
    return GRANTED[min(fitting, key=lambda call: "{" in call)] if fitting else None


def expected(granted: Any, role: str) -> set[int]:
    """The statuses a cell of the matrix may give."""
    if granted is None:
        return {405}
    if granted == "everyone":
        return {200}
    if role == "anonymous":
        return {401}
    return {200, 400, 404, 415, 422} if role in granted else {403}


@pytest.mark.parametrize(("method", "path"), CELLS, ids=[f"{method} {path}" for method, path in CELLS])
def test_each_role(doors: Client, method: str, path: str) -> None:
    granted = rule(method, ADDRESSES[path])
    assert granted == GRANTED.get(f"{method} {path}", granted)
    for role, bearer in BEARERS.items():
        answer: Any = doors.http.request(method, ADDRESSES[path], headers=bearer)
        assert answer.status_code in expected(granted, role), (role, answer.status_code)
        if answer.status_code in {401, 403, 405} and method != "HEAD":
            assert answer.headers["content-type"] == "application/problem+json"
            assert json.loads(answer.content)["status"] == answer.status_code


def test_several_scopes_allow_what_each_of_them_allows(doors: Client) -> None:
    bearer = {"Authorization": f"Bearer {token('ed', scope='metrics audit')}"}
    statuses = {path: doors.http.get(path, headers=bearer).status_code for path in ("/metrics", "/audit", "/scores")}
    assert statuses == {"/metrics": 200, "/audit": 200, "/scores": 403}
