"""A whole service on either database, with the toy model behind it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient

from app.audit.ledger import Ledger
from app.keys import Keys, create_keys
from app.limits import Limits
from app.logs import configure_logs
from app.main import create_app
from app.refusals import Refusals
from app.security import Authenticator, issue_token
from app.settings import Settings

LOGS = StringIO()
"""What every service in these tests logs."""


class Client:
    """A test client that carries a token of its own."""

    def __init__(self, http: TestClient, app: FastAPI, subject: str, *scopes: str) -> None:
        self.http, self.app = http, app
        self.headers = {"Authorization": f"Bearer {issue_token(app.state.keys, subject, scopes)}"} if scopes else {}

    def get(self, path: str, **headers: str) -> Any:
        return self.http.get(path, headers=self.headers | headers)

    def score(self, body: bytes | dict[str, Any], **headers: str) -> Any:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = (
            self.headers | {"Content-Type": "application/json"} | {k.replace("_", "-"): v for k, v in headers.items()}
        )
        return self.http.post("/score", content=content, headers=sent)

    def as_caller(self, subject: str, *scopes: str) -> "Client":
        return Client(self.http, self.app, subject, *scopes)


def open_doors(app: FastAPI, keys: Keys, ledger: Ledger) -> None:
    """What a route's `require` and the problem handlers ask, for an application put together by hand."""
    app.state.keys, app.state.ledger = keys, ledger
    app.state.authenticator, app.state.limits, app.state.refusals = Authenticator(keys), Limits(), Refusals(ledger)


@contextmanager
def running(database_url: str, home: Path, artifacts: Path, **settings: Any) -> Iterator[Client]:
    """The application with its lifespan, asked by caller `integration` with scope score."""
    configure_logs("info", LOGS)
    LOGS.seek(0)
    LOGS.truncate()
    create_keys(home)
    app = create_app(Settings(home=home, database_url=database_url, artifacts=artifacts, **settings))
    with TestClient(app, raise_server_exceptions=False) as http:
        yield Client(http, app, "integration", "score")
