"""`POST /prioritise`: the order in which a clinic takes up its nominals (report, appendix 7)."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from app.audit.records import Appended, NewRecord
from app.body import read_json_body
from app.errors import Unavailable
from app.forms import body_of, read_form
from app.harm.answers import AuditReceipt
from app.harm.reading import purpose_header
from app.problems import describe
from app.purposes import DEFAULT_PURPOSE
from app.security import Caller, require
from app.triage.priority_list import Ordered, ordered
from app.triage.priority_records import MAX_PRIORITY_FORM, PriorityAnswer, PriorityRequest

router = APIRouter(tags=["triage"])
Clinic = Annotated[Caller, Depends(require("triage"))]


@router.post(
    "/prioritise",
    summary="Put nominals in the order to take them up in",
    responses=describe(400, 401, 403, 413, 415, 422, 503),
    openapi_extra={"requestBody": body_of(PriorityRequest)},
)
async def post_prioritise(request: Request, caller: Clinic) -> PriorityAnswer:
    """The nominal's own group first, then the victim's group and how soon a curve falls; each place with its reason.

    A victim's score can lift a nominal among their equals and never lower one. One record holds the list: it is found from
    every person and every score in it, and erased with the first of its people who is.
    """
    wanted = read_form(await read_json_body(request, MAX_PRIORITY_FORM), PriorityRequest)
    purpose = wanted.purpose or purpose_header(request) or DEFAULT_PURPOSE
    state = request.app.state
    found = await run_in_threadpool(ordered, state.store, state.desk, wanted)
    appended = await state.ledger.append(_record(caller, purpose, found))
    if not isinstance(appended, Appended):
        raise Unavailable("The list was not recorded.")
    receipt = AuditReceipt(sequence=appended.sequence, leaf_hash=appended.leaf_hash)
    return PriorityAnswer(**dict(found.body), audit=receipt)


def _record(caller: Caller, purpose: str, found: Ordered) -> NewRecord:
    return NewRecord(
        event="priority",
        issuer=caller.issuer,
        subject=caller.subject,
        payload=found.body.model_dump_json().encode(),
        purpose=purpose,
        nominal_ids=found.people,
        about=found.scores,
        record_id=found.body.list_id,
    )
