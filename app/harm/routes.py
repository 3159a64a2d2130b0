"""`POST /score` and the reads of what it stored."""

from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from app import metrics
from app.audit.records import Idempotency, Replayed
from app.audit.store import Entry, EntryFilter, Store
from app.body import read_json_body
from app.forms import body_of
from app.harm.answers import ScoreAnswer, ScoreLine, ScorePage, SurvivalAnswer, WithheldAnswer
from app.harm.archive import PLAIN, Archived, Terms, from_bytes, score_record, with_receipt
from app.harm.curve import curve_csv, curve_svg
from app.harm.reading import (
    SCORE_ROUTE,
    Standing,
    own_only,
    purpose_header,
    read_score,
    record_read,
    standings,
    stored_score,
    withheld,
    withheld_answer,
)
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
Reveal = Literal["at-once", "after-view"]


class RevealQuery(BaseModel):
    """When the estimate is told. A misspelt name is refused: it would tell what was to be withheld."""

    model_config = ConfigDict(extra="forbid")
    reveal: Reveal = Field(default="at-once", description="after-view: withheld until somebody's own view is recorded")


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
PURPOSE_HEADER = {
    "name": "Purpose",
    "in": "header",
    "required": False,
    "description": "Used where the body names no purpose.",
    "schema": {"type": "string", "enum": list(CLAIMABLE_PURPOSES)},
}


@router.post(
    "/score",
    summary="Score a nominal",
    response_model=ScoreAnswer | WithheldAnswer,
    responses=describe(400, 401, 403, 409, 410, 413, 415, 422, 503),
    openapi_extra={"requestBody": body_of(ScoreRequest), "parameters": [_KEY_HEADER, PURPOSE_HEADER]},
)
async def post_score(
    request: Request,
    caller: Scoring,
    query: Annotated[RevealQuery, Query()],
) -> Response:
    """Probability of each future-harm group, survival curve, explanation and audit receipt of one nominal.

    The answer leaves only after score and audit record are durably stored in one transaction. With `reveal=after-view` it
    holds nothing of the estimate: that is in the answer of `POST /scores/{score_id}/view`.
    """
    body = await read_json_body(request)
    purpose = purpose_header(request) or DEFAULT_PURPOSE  # checked even where the body, or an answer before, decides
    terms = Terms(withheld=True) if query.reveal == "after-view" else PLAIN
    # the same body on other terms is another request, and must not be answered with the first one's score
    once = idempotency_of(request, "/score", body if terms.plain else b"after-view\n" + body)
    if once is None:
        return await _score(request, caller, body, purpose, None, terms)
    async with request.app.state.running.alone(caller.issuer, caller.subject, once.key):
        stored = await run_in_threadpool(_answered_before, request, caller, once)
        if stored is not None:
            return await _replayed(request, caller, stored)
        return await _score(request, caller, body, purpose, once, terms)


@router.get(
    "/scores",
    summary="List scores",
    responses=describe(401, 403, 422, 503),
    openapi_extra={"parameters": [PURPOSE_HEADER]},
)
async def list_scores(
    request: Request,
    caller: Reading,
    query: Annotated[ScoreQuery, Query()],
) -> ScorePage:
    """Newest first. Scope `triage` sees every score, scope `score` its own. Withheld ones are listed without estimate."""
    before = None if query.cursor is None else int(query.cursor)
    page = await run_in_threadpool(_page, request, caller, query.limit, before)
    await record_read(request, caller, "/scores", *(line.score_id for line in page.scores if not line.withheld))
    return page


@router.get(
    "/scores/{score_id}",
    summary="Read a stored score",
    response_model=ScoreAnswer,
    responses=describe(401, 403, 404, 409, 410, 422, 503),
    openapi_extra={"parameters": [PURPOSE_HEADER]},
)
async def get_score(request: Request, caller: Reading, score_id: str) -> Response:
    """The answer exactly as it was given.

    The header `Score-Status` says `challenge-open`, `superseded` or `correction` where that is so; `Link` leads to the
    score that corrects it, or is corrected by it.
    """
    answer, archived = await stored_score(request, caller, score_id)
    standing = (await run_in_threadpool(standings, request, [score_id]))[score_id]
    return Response(answer, media_type=JSON, headers=standing.headers(archived.terms.corrects))


@router.get(
    "/scores/{score_id}/survival",
    summary="Read a survival curve",
    response_model=SurvivalAnswer,
    responses={
        200: {"content": {CSV: {"schema": {"type": "string"}}, SVG: {"schema": {"type": "string"}}}},
        **describe(401, 403, 404, 406, 409, 410, 422, 503),
    },
    openapi_extra={"parameters": [PURPOSE_HEADER]},
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


async def _score(
    request: Request, caller: Caller, body: bytes, purpose: str, once: Idempotency | None, terms: Terms
) -> Response:
    state = request.app.state
    state.readiness.demand_model()
    wanted = read_request(body)
    wanted = wanted.model_copy(update={"purpose": wanted.purpose or purpose})
    work = partial(state.scorer.score, wanted, state.settings.today())
    scored = work() if wanted.is_quick else await state.admission.run(work)
    answer, given, record = score_record(scored, (caller.issuer, caller.subject), once, terms)
    appended = await state.ledger.append(record)
    if isinstance(appended, Replayed):
        return await _replayed(request, caller, appended.record_id)
    if terms.withheld:
        metrics.WITHHELD.labels(answer.model.family).inc()
    codes = (warning.code for warning in answer.history.warnings)
    metrics.count_score(answer.model.family, answer.harm.predicted_group, codes)
    finish = withheld_answer if terms.withheld else with_receipt
    full = finish(given, appended.sequence, appended.leaf_hash)
    return Response(full, media_type=JSON, headers={"Location": f"/scores/{answer.score_id}"})


async def _replayed(request: Request, caller: Caller, score_id: str) -> Response:
    """The stored answer once more; of one on terms, what may be told by now, and that it was told is recorded."""
    answer, archived = await run_in_threadpool(read_score, request, score_id)
    if archived.terms.withheld:
        store: Store = request.app.state.store
        if await run_in_threadpool(withheld, store, {score_id: archived}):
            entry = await run_in_threadpool(store.entry_of, score_id)
            answer = withheld_answer(archived.answer, entry.sequence, entry.leaf_hash)
        else:
            await record_read(request, caller, SCORE_ROUTE, score_id)
    headers = {"Location": f"/scores/{score_id}", "Idempotency-Replayed": "true"}
    return Response(answer, media_type=JSON, headers=headers)


def _answered_before(request: Request, caller: Caller, once: Idempotency) -> str | None:
    store: Store = request.app.state.store
    return store.find_idempotent(caller.issuer, caller.subject, once)


def _page(request: Request, caller: Caller, limit: int, before: int | None) -> ScorePage:
    store: Store = request.app.state.store
    wanted = EntryFilter(event="score", actor_refs=own_only(store, caller))
    entries = store.list_entries(wanted, before=before, limit=limit + 1)
    found = [(entry, from_bytes(opened.payload)) for entry, opened in store.open_all(entries[:limit]) if opened]
    unseen = withheld(store, {entry.record_id: archived for entry, archived in found})
    known = standings(request, [entry.record_id for entry, _ in found])
    lines = [
        _line(entry, archived, known[entry.record_id], hidden=entry.record_id in unseen) for entry, archived in found
    ]
    return ScorePage(scores=lines, next=str(entries[limit - 1].sequence) if len(entries) > limit else None)


def _line(entry: Entry, archived: Archived, standing: Standing, *, hidden: bool) -> ScoreLine:
    body = archived.body
    return ScoreLine(
        score_id=body.score_id,
        scored_at=body.scored_at,
        nominal_id=archived.nominal_id,
        day_zero=body.day_zero,
        model=body.model,
        predicted_group=None if hidden else body.harm.predicted_group,
        top_group_probability=None if hidden else body.harm.population_probabilities[-1],
        insufficient_history=body.history.status == "insufficient",
        history_status=body.history.status,
        withheld=hidden,
        challenge_open=standing.open_challenges > 0,
        superseded_by=standing.superseded_by,
        sequence=entry.sequence,
    )
