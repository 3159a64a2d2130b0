"""`POST /subject-exports`: all that is held on a nominal. Making one is itself recorded, first."""

import json
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from app.answer import Answer
from app.audit.export import in_chunks
from app.audit.ledger import Ledger
from app.audit.records import NewRecord
from app.audit.store import Entry, Store
from app.audit.subject_export import export_subject, held_on
from app.body import read_json_body
from app.described import described
from app.forms import Identifier, body_of, read_form
from app.problems import describe
from app.security import Caller, require

router = APIRouter(tags=["subject rights"])


class SubjectExportRequest(BaseModel):
    """On whom. In a body, because an identifier in an address ends up in other people's logs."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, json_schema_extra=described)
    nominal_id: Identifier
    """The nominal, as sent with a score."""


class ExportedBy(Answer):
    """Who made a record."""

    issuer: str
    """Who vouched for them."""
    subject: str
    """What they are called."""


class ExportedRecord(Answer):
    """One record: where it stands, who made it, and everything it holds."""

    sequence: int
    """Its place in the log, from 0."""
    record_id: str
    """Its id."""
    event: str
    """What was done."""
    purpose: str
    """Why."""
    manifest_sha256: str | None
    """The model version it rests on, by the digest of its manifest."""
    leaf_hash: str
    """Hash of its leaf, in hex."""
    time: datetime
    """When."""
    erased: bool
    """Whether its content was erased."""
    by: ExportedBy | None
    """Who did it; null where it was erased."""
    about: list[str]
    """Records it is about."""
    names_others: int
    """Further nominals named in it: what it says of them is not for this data subject."""
    content: object
    """Everything it holds; null where it was erased."""


class SubjectExport(Answer):
    """Everything held on a nominal."""

    format: str
    """Name of this form of export."""
    nominal_id: str
    """The nominal."""
    note: str
    """What is in it, and what is not."""
    records: list[ExportedRecord]
    """Oldest first; the last one is that of this export."""
    held: int
    """Records with their content."""
    erased: int
    """Records whose content was erased while this was written."""


@router.post(
    "/subject-exports",
    summary="Export everything that is held on a nominal",
    response_model=SubjectExport,
    responses=describe(400, 401, 403, 413, 415, 422, 503),
    openapi_extra={"requestBody": body_of(SubjectExportRequest)},
)
async def post_subject_export(
    request: Request, caller: Annotated[Caller, Depends(require("audit:unseal"))]
) -> Response:
    """Scores with requests and answers, views, decisions, challenges, replays, and who read, searched or exported them."""
    wanted = read_form(await read_json_body(request), SubjectExportRequest)
    entries = await run_in_threadpool(_record_export, request, caller, wanted.nominal_id)
    state = request.app.state
    pieces = in_chunks(export_subject(state.store, wanted.nominal_id, entries, state.readers))
    headers = {"Content-Disposition": 'attachment; filename="dayzero-subject-export.json"'}
    return StreamingResponse(pieces, media_type="application/json", headers=headers)


def _record_export(request: Request, caller: Caller, nominal_id: str) -> list[Entry]:
    """What is held, and the record of its export, which names the scores that somebody saw by it."""
    store: Store = request.app.state.store
    ledger: Ledger = request.app.state.ledger
    entries = held_on(store, nominal_id)
    scores = tuple(entry.record_id for entry in entries if entry.event == "score")
    told = json.dumps({"route": "/subject-exports", "records": len(entries)}).encode()
    record = NewRecord(
        "export",
        caller.issuer,
        caller.subject,
        told,
        purpose="subject-rights",
        nominal_ids=(nominal_id,),
        about=scores,
    )
    appended = ledger.append_and_wait(record)
    return [*entries, store.entry_of(appended.record_id)]
