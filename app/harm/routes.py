"""`POST /score` and the reads of what it stored."""

import json
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from app import metrics
from app.audit.records import Idempotency, NewRecord, Replayed
from app.audit.store import Entry, EntryFilter, Store
from app.body import read_json_body
from app.errors import Fault, InvalidInput, NotFound
from app.forms import body_of
from app.harm.answers import ScoreAnswer, ScoreLine, ScorePage, SurvivalAnswer
from app.harm.archive import Archived, from_bytes, score_record, with_receipt
from app.harm.curve import curve_csv, curve_svg
from app.harm.records import ScoreRequest, read_request
from app.harm.survival import since_day_zero, survival_answer
from app.idempotency import idempotency_of
from app.media import CSV, JSON, SVG, preferred
from app.problems import describe
from app.purposes import CLAIMABLE_PURPOSES, DEFAULT_PURPOSE
from app.security import Caller, require

router = APIRouter(tags=["scores"])
MAX_PAGE = 200
PICTURE_POLICY = {"Content-Security-Policy": "default-src 'none'; sandbox"}

Scoring = Annotated[Caller, Depends(require("score"))]
Reading = Annotated[Caller, Depends(require("score", "triage"))]


class ScoreQuery(BaseModel):
    """Which page of scores."""

    model_config = ConfigDict(extra="forbid")
    limit: Annotated[int, Field(ge=1, le=MAX_PAGE, description="how many at most")] = 50
    cursor: Annotated[str | None, Field(pattern="^[0-9]{1,15}$", description="`next` of the answer before")] = None


class SurvivalQuery(BaseModel):
    """How fine a curve."""

    model_config = ConfigDict(extra="forbid")
    daily: bool = Field(default=False, description="all 366 days instead of one a week")


_KEY_HEADER = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same key with the same body within 24 hours gives the same stored answer.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}
_PURPOSE_HEADER = {
    "name": "Purpose",
    "in": "header",
    "required": False,
    "description": "Used where the body names no purpose.",
    "schema": {"type": "string", "enum": list(CLAIMABLE_PURPOSES)},
}


@router.post(
    "/score",
    summary="Score a nominal",
    response_model=ScoreAnswer,
    responses=describe(400, 401, 403, 409, 413, 415, 422, 503),
    openapi_extra={"requestBody": body_of(ScoreRequest), "parameters": [_KEY_HEADER, _PURPOSE_HEADER]},
)
async def post_score(request: Request, caller: Scoring) -> Response:
    """Probability of each future-harm group, survival curve, explanation and audit receipt of one nominal.

    The answer leaves only after score and audit record are durably stored in one transaction.
    """
    body = await read_json_body(request)
    once = idempotency_of(request, "/score", body)
    if once is None:
        return await _score(request, caller, body, None)
    async with request.app.state.running.alone(caller.issuer, caller.subject, once.key):
        stored = await run_in_threadpool(_answered_before, request, caller, once)
        return await (_score(request, caller, body, once) if stored is None else _replayed(request, stored))


@router.get(
    "/scores",
    summary="List scores",
    responses=describe(401, 403, 422, 503),
    openapi_extra={"parameters": [_PURPOSE_HEADER]},
)
async def list_scores(
    request: Request,
    caller: Reading,
    query: Annotated[ScoreQuery, Query()],
) -> ScorePage:
    """Newest first. Scope `triage` sees every score, scope `score` its own."""
    await _record_read(request, caller, "/scores")
    return await run_in_threadpool(
        _page, request, caller, query.limit, None if query.cursor is None else int(query.cursor)
    )


@router.get(
    "/scores/{score_id}",
    summary="Read a stored score",
    response_model=ScoreAnswer,
    responses=describe(401, 403, 404, 410, 422, 503),
    openapi_extra={"parameters": [_PURPOSE_HEADER]},
)
async def get_score(request: Request, caller: Reading, score_id: str) -> Response:
    """The answer exactly as it was given."""
    answer, _ = await stored_score(request, caller, score_id)
    return Response(answer, media_type=JSON)


@router.get(
    "/scores/{score_id}/survival",
    summary="Read a survival curve",
    response_model=SurvivalAnswer,
    responses={
        200: {"content": {CSV: {"schema": {"type": "string"}}, SVG: {"schema": {"type": "string"}}}},
        **describe(401, 403, 404, 406, 410, 422, 503),
    },
    openapi_extra={"parameters": [_PURPOSE_HEADER]},
)
async def get_survival(
    request: Request, caller: Reading, score_id: str, query: Annotated[SurvivalQuery, Query()]
) -> Response:
    """Probability that no further incident has happened by each day: JSON, CSV or SVG by `Accept`.

    Where days had passed when it was scored, also the rest of the curve given that nothing has happened in them.
    """
    media = preferred(request.headers.get("accept"), (JSON, CSV, SVG))
    _, archived = await stored_score(request, caller, score_id)
    body = archived.body
    since = since_day_zero(body.as_of, body.day_zero, (one.reason for one in body.history.ignored))
    whole = survival_answer(archived.curve, since, daily=True)
    shown = whole if query.daily else survival_answer(archived.curve, since)
    if media == CSV:
        return Response(curve_csv(whole, shown.days), media_type=CSV)
    if media == SVG:
        return Response(curve_svg(body, whole), media_type=SVG, headers=PICTURE_POLICY)
    return Response(shown.model_dump_json(), media_type=JSON)


async def _score(request: Request, caller: Caller, body: bytes, once: Idempotency | None) -> Response:
    state = request.app.state
    state.readiness.demand_model()
    wanted = _with_purpose(read_request(body), request)
    work = partial(state.scorer.score, wanted, state.settings.today())
    scored = work() if wanted.is_quick else await state.admission.run(work)
    answer, given, record = score_record(scored, (caller.issuer, caller.subject), once)
    appended = await state.ledger.append(record)
    if isinstance(appended, Replayed):
        return await _replayed(request, appended.record_id)
    metrics.SCORES.labels(answer.model.family, answer.harm.predicted_group).inc()
    for warning in answer.history.warnings:
        metrics.WARNINGS.labels(warning.code).inc()
    full = with_receipt(given, appended.sequence, appended.leaf_hash)
    return Response(full, media_type=JSON, headers={"Location": f"/scores/{answer.score_id}"})


async def _replayed(request: Request, score_id: str) -> Response:
    answer, _ = await run_in_threadpool(_read, request, score_id)
    headers = {"Location": f"/scores/{score_id}", "Idempotency-Replayed": "true"}
    return Response(answer, media_type=JSON, headers=headers)


async def stored_score(
    request: Request, caller: Caller, score_id: str, route: str = "/scores/{score_id}"
) -> tuple[bytes, Archived]:
    """A stored score the caller may see, its reading recorded first. Raises NotFound, Erased, Unavailable."""
    await run_in_threadpool(_check_visible, request, caller, score_id)
    await _record_read(request, caller, route, score_id)
    return await run_in_threadpool(_read, request, score_id)


def _answered_before(request: Request, caller: Caller, once: Idempotency) -> str | None:
    store: Store = request.app.state.store
    return store.find_idempotent(caller.issuer, caller.subject, once)


def _check_visible(request: Request, caller: Caller, score_id: str) -> None:
    """What is not a score, or not the caller's to see, is not found: saying more would tell that it exists."""
    store: Store = request.app.state.store
    try:
        entry = store.entry_of(score_id)
    except NotFound:
        entry = None
    own = _own_only(store, caller)
    if entry is None or entry.event != "score" or (own is not None and entry.actor_ref not in own):
        raise NotFound("There is no such score, or it is not yours to see.")


def _own_only(store: Store, caller: Caller) -> tuple[str, ...] | None:
    """Whose scores a caller may see: everyone's (None) with scope triage, their own otherwise."""
    return None if "triage" in caller.scopes else store.actor_refs(caller.issuer, caller.subject)


def _read(request: Request, score_id: str) -> tuple[bytes, Archived]:
    store: Store = request.app.state.store
    entry = store.entry_of(score_id)
    archived = from_bytes(store.open_record(score_id))
    return with_receipt(archived.answer, entry.sequence, entry.leaf_hash), archived


def _page(request: Request, caller: Caller, limit: int, before: int | None) -> ScorePage:
    store: Store = request.app.state.store
    wanted = EntryFilter(event="score", actor_refs=_own_only(store, caller))
    entries = store.list_entries(wanted, before=before, limit=limit + 1)
    lines = [
        _line(entry, from_bytes(store.open_record(entry.record_id))) for entry in entries[:limit] if not entry.erased
    ]
    return ScorePage(scores=lines, next=str(entries[limit - 1].sequence) if len(entries) > limit else None)


def _line(entry: Entry, archived: Archived) -> ScoreLine:
    body = archived.body
    return ScoreLine(
        score_id=body.score_id,
        scored_at=body.scored_at,
        nominal_id=json.loads(archived.request)["nominal"]["nominal_id"],
        day_zero=body.day_zero,
        model=body.model,
        predicted_group=body.harm.predicted_group,
        top_group_probability=body.harm.population_probabilities[-1],
        insufficient_history=body.history.status == "insufficient",
        history_status=body.history.status,
        sequence=entry.sequence,
    )


async def _record_read(request: Request, caller: Caller, route: str, score_id: str | None = None) -> None:
    """Append who read what; a read that cannot be recorded does not happen."""
    told = json.dumps({"route": route, "score_id": score_id}).encode()
    purpose = _purpose_header(request) or DEFAULT_PURPOSE
    await request.app.state.ledger.append(
        NewRecord(event="read", issuer=caller.issuer, subject=caller.subject, payload=told, purpose=purpose)
    )


def _with_purpose(wanted: ScoreRequest, request: Request) -> ScoreRequest:
    given = _purpose_header(request)  # checked even where the body decides
    purpose = wanted.purpose or given or DEFAULT_PURPOSE
    return wanted.model_copy(update={"purpose": purpose})


def _purpose_header(request: Request) -> str | None:
    purposes = request.headers.getlist("purpose")
    purpose = purposes[0] if purposes else None
    if purpose is not None and (len(purposes) > 1 or purpose not in CLAIMABLE_PURPOSES):
        fault = Fault("/header/purpose", "closed-list", CLAIMABLE_PURPOSES)
        raise InvalidInput("The Purpose header names no known purpose.", [fault])
    return purpose
