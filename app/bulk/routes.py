"""`POST /score/bulk`: NDJSON both ways, in order."""

from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from app.body import body_ended, check_media
from app.bulk.answering import ROUTE, Desk
from app.bulk.door import BulkDoor
from app.bulk.exchange import NDJSON, Exchange
from app.bulk.lines import Line, lines_together
from app.errors import Fault, InvalidInput
from app.harm.reading import purpose_header
from app.harm.routes import PURPOSE_HEADER
from app.problems import describe
from app.security import Caller, require

router = APIRouter(tags=["scores"])
TYPES = (NDJSON, "application/ndjson", "application/jsonl")
_LINES: dict[str, Any] = {
    "schema": {"description": "A `ScoreRequest` a line. No body is refused whole for what a line says."}
}
_ANSWERS: dict[str, Any] = {
    "schema": {
        "type": "string",
        "description": 'A `ScoreAnswer` or a `Problem` a line, in order, and a last line `{"done": true, "lines": n}`.',
    }
}


@router.post(
    ROUTE,
    summary="Score many nominals",
    response_class=Response,
    responses={
        200: {"description": "A score or a problem a line.", "content": {NDJSON: _ANSWERS}},
        **describe(400, 401, 403, 415, 422, 503),
    },
    openapi_extra={
        "requestBody": {"required": True, "content": {NDJSON: _LINES}},
        "parameters": [PURPOSE_HEADER],
    },
)
async def post_bulk(request: Request, caller: Annotated[Caller, Depends(require("score"))]) -> Response:
    """Each line as `POST /score` takes it; each is told only after its record is durable. One bad line stops no other.

    At most 100,000 lines of 1 MiB; blank ones get no answer. `explain` is none or factors. Read while you write, or keep to
    500 lines: nothing is read from a caller who does not take the answers. Without the last line the answer is incomplete.
    No idempotency: a line sent again is scored again.
    """
    check_media(request, *TYPES)
    if request.headers.getlist("idempotency-key"):
        raise InvalidInput("A bulk call takes no Idempotency-Key.", [Fault("/header/idempotency-key", "not-in-bulk")])
    if request.query_params:
        raise InvalidInput("A bulk call takes no query: nothing is withheld in bulk.", [Fault("/query", "not-in-bulk")])
    state = request.app.state
    desk = Desk(state.scorer, state.ledger, state.refusals, caller, purpose_header(request))
    state.readiness.demand_model()
    door: BulkDoor = state.bulk
    leave = door.enter(caller.issuer, caller.subject)
    try:
        batches = await _begun(lines_together(request.stream()))
    except BaseException:
        leave()
        raise

    async def answer(lines: list[Line]) -> bytes:
        return await door.run(partial(desk.answer, lines, state.settings.today()))

    return Exchange(batches, answer, leave)


async def _begun(batches: AsyncIterator[list[Line]]) -> AsyncIterator[list[Line]]:
    """The same batches, once the first is there: whoever asked to be told to continue is told so before the answer begins."""
    try:
        first = await anext(batches, None)
    except ClientDisconnect:
        raise body_ended() from None
    return _after(first, batches)


async def _after(first: list[Line] | None, more: AsyncIterator[list[Line]]) -> AsyncIterator[list[Line]]:
    if first is not None:
        yield first
    async for lines in more:
        yield lines
