"""`POST /erasures`: destroying what is held on one nominal, and leaving the proof that it was there and was destroyed."""

from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from app.answer import Answer
from app.audit.erasing import Eraser, Order
from app.body import read_json_body
from app.database import is_sqlite
from app.described import described
from app.forms import Identifier, body_of, read_form
from app.problems import describe
from app.purposes import ErasureReason
from app.security import Caller, require

router = APIRouter(tags=["erasure"])

Authority = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._:/-]{0,127}$")]


class ErasureRequest(BaseModel):
    """Whose records to erase, on which authority and why.

    `authority` is the reference of the decision (a case number, a minute), never a person's story.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, json_schema_extra=described)
    nominal_id: Identifier
    """Whose records to erase."""
    authority: Authority
    """Reference of the decision, such as a case number."""
    reason: ErasureReason
    """Why, out of a closed list."""


class ErasureAnswer(Answer):
    """What was erased, where that is recorded, and what still has to go before nothing is left anywhere.

    `records` were emptied; with 0 nothing was held. `sequence` and `leaf_hash` are the erasure's own record.
    """

    records: int
    """Records emptied; 0 where nothing was held."""
    sequence: int
    """Place of the erasure's own record in the log."""
    leaf_hash: str
    """Hash of that record's leaf, in hex."""
    remaining: list[str]
    """What still holds what was erased, and until when."""
    backups_until: date
    """The day from which no backup made before the erasure should exist any more."""


@router.post(
    "/erasures",
    summary="Erase what is held on a nominal",
    response_model=ErasureAnswer,
    responses=describe(400, 401, 403, 413, 415, 422, 503),
    openapi_extra={"requestBody": body_of(ErasureRequest)},
)
async def post_erasure(request: Request, caller: Annotated[Caller, Depends(require("admin"))]) -> ErasureAnswer:
    """Destroys key, content and look-up tags of every record about the nominal; the ledger's proofs stay valid.

    Reading those scores then gives 410. What `remaining` names is left to do (docs/erasure.md).
    """
    wanted = read_form(await read_json_body(request), ErasureRequest)
    state = request.app.state
    eraser: Eraser = state.eraser
    order = Order(wanted.nominal_id, caller.issuer, caller.subject, wanted.authority, wanted.reason)
    done = await run_in_threadpool(eraser.erase, order)
    return ErasureAnswer(
        records=done.records,
        sequence=done.appended.sequence,
        leaf_hash=done.appended.leaf_hash,
        remaining=remaining(sqlite=is_sqlite(state.engine), log_emptied=done.log_emptied),
        backups_until=state.settings.today() + timedelta(days=state.settings.backup_days),
    )


def remaining(*, sqlite: bool, log_emptied: bool) -> list[str]:
    """What still holds what was erased, in the words of the guide."""
    left = ["database files: unused space until `dayzero db scrub` has run"]
    if not (sqlite and log_emptied):
        left.append("write-ahead log: until it has turned over")
    return [*left, "backups: until the last one made before now is gone"]
