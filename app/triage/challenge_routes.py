"""Challenges to a score: lodged, resolved, and where something was wrong scored anew, with both results kept."""

import hashlib
from functools import partial

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from app import metrics
from app.audit.records import Appended, Idempotency
from app.audit.store import Store
from app.body import read_json_body
from app.errors import ChallengeClosed, Fault, InvalidInput
from app.forms import body_of, read_form
from app.harm.archive import Archived, Terms, score_record
from app.harm.reading import demand_shown, purpose_header, record_read, score_entry
from app.harm.records import ScoreRequest, read_request
from app.harm.routes import PURPOSE_HEADER
from app.problems import describe
from app.purposes import DEFAULT_PURPOSE
from app.security import Caller
from app.triage.answers import ChallengeAnswer, ChallengePage, OutcomeAnswer
from app.triage.desk import Desk, challenge_answer, outcome_answer
from app.triage.records import MAX_FORM, ChallengeForm, OutcomeForm
from app.triage.routes import Clinic, record, revealed

router = APIRouter(tags=["triage"])
_CHALLENGES = "/scores/{score_id}/challenges"
_OUTCOME = _CHALLENGES + "/{challenge_id}/outcome"
_CORRECTION = "challenge-correction"


@router.post(
    _CHALLENGES,
    summary="Lodge a challenge to a score",
    responses=describe(400, 401, 403, 404, 410, 413, 415, 422, 503),
    openapi_extra={"requestBody": body_of(ChallengeForm), "parameters": [PURPOSE_HEADER]},
)
async def post_challenge(request: Request, caller: Clinic, score_id: str) -> ChallengeAnswer:
    """Says who holds a score to be wrong, and why. Until it has an outcome, reading the score says that it is open."""
    form, purpose = read_form(await read_json_body(request, MAX_FORM), ChallengeForm), purpose_header(request)
    archived = await run_in_threadpool(_stored, request, score_id)
    said = {"kind": "lodged", "score_id": score_id, **form.model_dump()}
    told = await record(request, caller, purpose, "challenge", said, archived)
    metrics.CHALLENGES.labels(form.ground).inc()
    return challenge_answer(told)


@router.get(
    _CHALLENGES,
    summary="Read the challenges to a score",
    responses=describe(401, 403, 404, 409, 410, 422, 503),
    openapi_extra={"parameters": [PURPOSE_HEADER]},
)
async def get_challenges(request: Request, caller: Clinic, score_id: str) -> ChallengePage:
    """Each challenge with its outcome, what the score said, and what each score that corrects it says."""
    await run_in_threadpool(demand_shown, request, caller, score_id)
    desk: Desk = request.app.state.desk
    corrected = await run_in_threadpool(desk.corrections, score_id)
    await record_read(request, caller, _CHALLENGES, score_id, *corrected)
    return await run_in_threadpool(_page, request, score_id, corrected)


@router.post(
    _OUTCOME,
    summary="Resolve a challenge",
    responses=describe(400, 401, 403, 404, 409, 410, 413, 415, 422, 503),
    openapi_extra={"requestBody": body_of(OutcomeForm), "parameters": [PURPOSE_HEADER]},
)
async def post_outcome(request: Request, caller: Clinic, score_id: str, challenge_id: str) -> OutcomeAnswer:
    """Upheld, partly, or rejected, and why. Where a fact was wrong, `corrected` is scored at once as a score of its own.

    The corrected request is the nominal's, for the same day unless it names another. The first score stays as it is.
    """
    raw = await read_json_body(request)
    form, purpose = read_form(raw, OutcomeForm), purpose_header(request)
    archived = await run_in_threadpool(_open_challenge, request, score_id, challenge_id)
    corrected = None
    if form.corrected is not None:
        wanted = _correction(form, archived, purpose)
        once = Idempotency(
            _CORRECTION, f"{challenge_id} {hashlib.sha256(raw).hexdigest()}", hashlib.sha256(raw).digest()
        )
        terms = Terms(corrects=score_id, challenge=challenge_id)
        corrected = await _score_anew(request, caller, wanted, terms, once)
    said = {"kind": "outcome", "score_id": score_id, "challenge_id": challenge_id, "outcome": form.outcome,
            "reason": form.reason, "corrected_score_id": corrected}  # fmt: skip
    about = (challenge_id,) if corrected is None else (challenge_id, corrected)
    told = await record(request, caller, purpose, "challenge", said, archived, about=about)
    answer = outcome_answer(told)
    desk: Desk = request.app.state.desk
    if (await run_in_threadpool(desk.challenge, score_id, challenge_id)).outcome != answer:
        raise ChallengeClosed("Somebody else resolved this challenge a moment before.")
    metrics.CHALLENGE_OUTCOMES.labels(form.outcome).inc()
    return answer


def _page(request: Request, score_id: str, corrected: list[str]) -> ChallengePage:
    desk: Desk = request.app.state.desk
    desk.archived(score_id)  # erased is erased, whatever else there is
    return ChallengePage(
        score_id=score_id,
        challenges=desk.challenges(score_id),
        original=desk.result(score_id),
        corrected=[desk.result(one) for one in corrected],
    )


def _stored(request: Request, score_id: str) -> Archived:
    """A stored score, withheld or not: a challenge tells nothing of it. Raises NotFound, Erased."""
    store: Store = request.app.state.store
    score_entry(store, score_id)
    archived: Archived = request.app.state.desk.archived(score_id)
    return archived


def _open_challenge(request: Request, score_id: str, challenge_id: str) -> Archived:
    """The score of a challenge that has no outcome. Raises NotFound, Erased, ViewFirst, ChallengeClosed."""
    archived = revealed(request, score_id)
    if request.app.state.desk.challenge(score_id, challenge_id).outcome is not None:
        raise ChallengeClosed("This challenge is resolved; lodge another one if more is wrong.")
    return archived


def _correction(form: OutcomeForm, archived: Archived, purpose: str | None) -> ScoreRequest:
    """The request to score anew. Raises InvalidInput where it is no correction of this score."""
    corrected, stored = form.corrected, read_request(archived.request)
    assert corrected is not None  # noqa: S101 - asked before
    rules = {
        "/corrected": ("not-with-rejected", form.outcome != "rejected"),
        "/corrected/nominal/nominal_id": ("same-nominal", corrected.nominal.nominal_id == archived.nominal_id),
        "/corrected/model": ("same-model", corrected.model == stored.model),
    }
    faults = [Fault(pointer, rule) for pointer, (rule, kept) in rules.items() if not kept]
    if faults:
        raise InvalidInput("The request breaks the rules named in errors.", faults)
    meant = {
        "as_of": corrected.as_of or stored.as_of,
        "purpose": corrected.purpose or purpose or DEFAULT_PURPOSE,
    }
    return corrected.model_copy(update=meant)


async def _score_anew(request: Request, caller: Caller, wanted: ScoreRequest, terms: Terms, once: Idempotency) -> str:
    """Score and record the corrected request; the id of its score, the same again for a repeat within a day."""
    state = request.app.state
    state.readiness.demand_model()
    try:
        scored = await state.admission.run(partial(state.scorer.score, wanted, state.settings.today()))
    except InvalidInput as error:
        raise InvalidInput(
            error.detail, [fault._replace(pointer=f"/corrected{fault.pointer}") for fault in error.faults]
        ) from None
    answer, _, new = score_record(scored, (caller.issuer, caller.subject), once, terms)
    appended = await state.ledger.append(new)
    if isinstance(appended, Appended):
        metrics.SCORES.labels(answer.model.family, answer.harm.predicted_group).inc()
    return str(appended.record_id)
