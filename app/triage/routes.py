"""An officer's own view, and what people decide: recorded beside a score, read back, and counted."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from app import metrics
from app.audit.records import Idempotency, NewRecord, Replayed, own_receipt
from app.body import read_json_body
from app.errors import Fault, InvalidInput, ViewAfterReading, ViewRecorded
from app.forms import Moment, body_of, read_form
from app.harm.archive import Archived
from app.harm.reading import demand_revealed, purpose_header, read_score, score_entry, stored_score
from app.harm.routes import PURPOSE_HEADER
from app.media import JSON
from app.problems import describe
from app.purposes import DEFAULT_PURPOSE
from app.security import Caller, require
from app.triage.answers import (
    DecisionAnswer,
    DecisionCounts,
    DecisionPage,
    MoveCounts,
    RelationCounts,
    RevealedAnswer,
    SummaryAnswer,
    ViewCounts,
)
from app.triage.desk import Desk, Told, decision_answer, view_answer
from app.triage.records import MAX_FORM, DecisionForm, ViewForm
from app.triage.service import Counts, Relation, relation

router = APIRouter(tags=["triage"])
Clinic = Annotated[Caller, Depends(require("triage"))]
_VIEW, _DECISIONS = "/scores/{score_id}/view", "/scores/{score_id}/decisions"
_ONCE = bytes(32)
"""Stands for the body of a view: whatever a caller says, they say it once."""


class SummaryQuery(BaseModel):
    """Of which time."""

    model_config = ConfigDict(extra="forbid")
    since: Annotated[Moment | None, Field(alias="from", description="first time, included")] = None
    until: Annotated[Moment | None, Field(alias="to", description="last time, not included")] = None


@router.post(
    _VIEW,
    summary="Record one's own view of a nominal",
    response_model=RevealedAnswer,
    responses=describe(400, 401, 403, 404, 409, 410, 413, 415, 422, 503),
    openapi_extra={"requestBody": body_of(ViewForm), "parameters": [PURPOSE_HEADER]},
)
async def post_view(request: Request, caller: Clinic, score_id: str) -> Response:
    """The officer's own judgement, meant to come before they see the score; the answer then shows the score.

    One for each person and score. Whoever has seen the score already says so with `late`.
    """
    form, purpose = read_form(await read_json_body(request, MAX_FORM), ViewForm), purpose_header(request)
    archived, seen = await run_in_threadpool(_before_view, request, caller, score_id)
    if seen and not form.late:
        raise ViewAfterReading("You have seen this score: send late = true to record a view all the same.")
    said = {"score_id": score_id, **form.model_dump(), "late": seen or form.late, "flag": archived.flag}
    once = Idempotency(route=_VIEW, key=score_id, body_sha256=_ONCE)
    appended = await request.app.state.ledger.append(_said(caller, purpose, "view", said, archived, once=once))
    if isinstance(appended, Replayed):
        raise ViewRecorded("Your view of this score is recorded; it cannot be changed.")
    view = view_answer(Told(appended, caller.subject, said))
    metrics.VIEWS.labels(view.agreement, str(view.late).lower()).inc()
    answer, _ = await run_in_threadpool(read_score, request, score_id)
    return Response(b'{"view":' + view.model_dump_json().encode() + b',"score":' + answer + b"}", media_type=JSON)


def _before_view(request: Request, caller: Caller, score_id: str) -> tuple[Archived, bool]:
    """The score, and whether this caller has seen it. Raises ViewRecorded where they have a view already."""
    desk: Desk = request.app.state.desk
    score_entry(request.app.state.store, score_id)
    archived = desk.archived(score_id)
    if desk.viewed(caller, score_id):
        raise ViewRecorded("Your view of this score is recorded; it cannot be changed.")
    return archived, desk.seen(caller, score_id)


@router.post(
    _DECISIONS,
    summary="Record what was decided",
    responses=describe(400, 401, 403, 404, 409, 410, 413, 415, 422, 503),
    openapi_extra={"requestBody": body_of(DecisionForm), "parameters": [PURPOSE_HEADER]},
)
async def post_decision(request: Request, caller: Clinic, score_id: str) -> DecisionAnswer:
    """A person's decision on a nominal, having seen the score. To decide otherwise than the score's flag needs a reason.

    Any number may follow each other; the latest stands.
    """
    form, purpose = read_form(await read_json_body(request, MAX_FORM), DecisionForm), purpose_header(request)
    archived = await run_in_threadpool(revealed, request, score_id)
    stands = relation(form.level, archived.flag)
    if stands != "follows" and form.reason is None:
        raise InvalidInput("An override needs its reason.", [Fault("/reason", "required-for-override")])
    said = {"score_id": score_id, **form.model_dump(), "flag": archived.flag}
    told = await record(request, caller, purpose, "decision", said, archived)
    metrics.DECISIONS.labels(stands).inc()
    return decision_answer(told)


@router.get(
    _DECISIONS,
    summary="Read what was decided",
    responses=describe(401, 403, 404, 409, 410, 422, 503),
    openapi_extra={"parameters": [PURPOSE_HEADER]},
)
async def get_decisions(request: Request, caller: Clinic, score_id: str) -> DecisionPage:
    """All decisions on a score and all views of it, latest first."""
    await stored_score(request, caller, score_id, _DECISIONS)
    desk: Desk = request.app.state.desk
    decisions = await run_in_threadpool(desk.decisions, score_id)
    views = await run_in_threadpool(desk.views, score_id)
    return DecisionPage(score_id=score_id, decisions=decisions, views=views)


@router.get(
    "/decisions/summary",
    summary="How people use the scores",
    responses=describe(401, 403, 422, 503),
)
def get_summary(
    request: Request,
    _: Annotated[Caller, Depends(require("triage", "audit"))],
    query: Annotated[SummaryQuery, Query()],
) -> SummaryAnswer:
    """Override rates in both directions, agreement of views with scores, and who moved to the score. Figures only."""
    desk: Desk = request.app.state.desk
    counts, erased = desk.counts(query.since, query.until)
    return summary_answer(counts, erased)


def revealed(request: Request, score_id: str) -> Archived:
    """A stored score that is not withheld. Raises NotFound, Erased, ViewFirst."""
    state = request.app.state
    score_entry(state.store, score_id)
    archived: Archived = state.desk.archived(score_id)
    demand_revealed(state.store, score_id, archived)
    return archived


async def record(
    request: Request,
    caller: Caller,
    purpose: str | None,
    event: str,
    said: dict[str, Any],
    archived: Archived,
    *,
    about: tuple[str, ...] = (),
) -> Told:
    """Append what a person says about a score."""
    appended = await request.app.state.ledger.append(_said(caller, purpose, event, said, archived, about=about))
    return Told(own_receipt(appended), caller.subject, said)


def _said(
    caller: Caller,
    purpose: str | None,
    event: str,
    said: dict[str, Any],
    archived: Archived,
    *,
    about: tuple[str, ...] = (),
    once: Idempotency | None = None,
) -> NewRecord:
    return NewRecord(
        event,
        caller.issuer,
        caller.subject,
        json.dumps(said).encode(),
        purpose=purpose or DEFAULT_PURPOSE,
        nominal_ids=(archived.nominal_id,),
        about=(said["score_id"], *about),
        idempotency=once,
    )


def summary_answer(counts: Counts, erased: int) -> SummaryAnswer:
    """Counts as they are told: with the shares that follow from them."""
    decided, early = sum(counts.relations.values()), sum(counts.agreements.values())
    return SummaryAnswer(
        decisions=DecisionCounts(
            **_named(counts.relations),
            scores=decided,
            changed=counts.changed,
            share_overridden_up=_share(counts.relations["overrides-up"], decided),
            share_overridden_down=_share(counts.relations["overrides-down"], decided),
            by_group={group: RelationCounts(**_named(found)) for group, found in counts.by_group.items()},
        ),
        views=ViewCounts(
            views=early,
            **counts.agreements,
            share_same=_share(counts.agreements["same"], early),
            late=counts.late,
        ),
        after_differing_view=MoveCounts(
            kept_view=counts.kept_view, moved_to_score=counts.moved_to_score, neither=counts.neither
        ),
        erased=erased,
    )


def _named(relations: dict[Relation, int]) -> dict[str, int]:
    return {name.replace("-", "_"): number for name, number in relations.items()}


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
