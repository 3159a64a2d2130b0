"""The floor: the same server software, the same body validation, and nothing behind it, or one durable commit."""

import os
import sqlite3
from functools import partial
from threading import Lock

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from app.body import read_json_body
from app.harm.records import read_request

app = FastAPI()


@app.post("/empty")
async def empty(request: Request) -> Response:
    """Validate a score request and answer with nothing."""
    read_request(await read_json_body(request))
    return Response(b"{}", media_type="application/json")


@app.post("/committed")
async def committed(request: Request) -> Response:
    """The same, with the body in a durable table first."""
    body = await read_json_body(request)
    read_request(body)
    await run_in_threadpool(partial(_store, body))
    return Response(b"{}", media_type="application/json")


def _store(body: bytes) -> None:
    with turn, kept:
        kept.execute("INSERT INTO kept (body) VALUES (?)", (body,))


def _open(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE kept (id INTEGER PRIMARY KEY, body BLOB)")
    return connection


turn, kept = Lock(), _open(os.environ["FLOOR_DATABASE"])
