"""The floor: the same server, the same body validation, and nothing behind it."""

from fastapi import FastAPI
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
