"""`GET /audit` and `GET /audit/{sequence}`: the log for those who supervise. Reading it is itself recorded, first."""

import json
from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from app.answer import Answer
from app.audit.ledger import Ledger
from app.audit.records import EVENTS, NewRecord
from app.audit.store import MAX_PAGE, Entry, EntryFilter, Store
from app.body import read_json_body
from app.described import described
from app.errors import Fault, InvalidInput
from app.forms import Identifier, Moment, body_of, read_form
from app.problems import describe
from app.security import Caller, require

LARGEST_SEQUENCE = 2**53 - 1  # what JSON numbers hold exactly everywhere
HEX_DIGEST = r"^[0-9a-f]{64}$"
UUID7 = r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"


router = APIRouter(prefix="/audit", tags=["audit"])


class AuditQuery(BaseModel):
    """Which records to list."""

    model_config = ConfigDict(extra="forbid")
    score: Annotated[str | None, Field(pattern=UUID7, description="a score's id")] = None
    actor: Annotated[str | None, Field(pattern=HEX_DIGEST, description="an `actor_ref` seen in a record")] = None
    event: Annotated[Literal[EVENTS] | None, Field(description="what was done")] = None  # type: ignore[valid-type]
    manifest: Annotated[str | None, Field(pattern=HEX_DIGEST, description="SHA-256 of a model version's manifest")] = (
        None
    )
    since: Annotated[Moment | None, Field(alias="from", description="first time, included")] = None
    until: Annotated[Moment | None, Field(alias="to", description="last time, not included")] = None
    cursor: Annotated[str | None, Field(max_length=64, description="`next` of the answer before")] = None
    limit: Annotated[int, Field(ge=1, le=MAX_PAGE, description="how many at most")] = 100


class AuditEntry(Answer):
    """One record's public part."""

    sequence: int
    """Place in the log, from 0."""
    record_id: str
    """The record's id; of a score the `score_id`."""
    event: str
    """What was done."""
    time: datetime
    """When it was recorded."""
    actor_ref: str
    """Who did it, under a name that only holders of the index key can work out."""
    purpose: str
    """What it was done for."""
    manifest_sha256: str | None
    """Digest of the manifest of the model that answered; null where no model did."""
    leaf_hash: str
    """Hash of the record's leaf in the tree, in hex."""
    erased: bool
    """Whether its content was erased; the leaf and every proof stay."""


class AuditPage(Answer):
    """Newest first; `next` fetches older ones and is null at the end."""

    entries: list[AuditEntry]
    """Records, newest first."""
    next: str | None
    """Cursor of the following page; null at the end."""


class NominalSearch(BaseModel):
    """Whose records to list. In a body, because an identifier in an address ends up in other people's logs."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, json_schema_extra=described)
    nominal_id: Identifier
    """The nominal, as sent with a score."""


class NominalRecords(Answer):
    """Every record about one nominal that was not erased, oldest first."""

    entries: list[AuditEntry]
    """Records, oldest first."""


class AuditRecord(AuditEntry):
    """One record with its exact leaf bytes in base64: SHA-256 of a zero byte and these is `leaf_hash`."""

    leaf: str
    """The exact leaf bytes, in base64."""


Auditor = Annotated[Caller, Depends(require("audit"))]


@router.get("", summary="List audit records", responses=describe(401, 403, 422, 503))
def list_records(request: Request, caller: Auditor, query: Annotated[AuditQuery, Query()]) -> AuditPage:
    before = None if query.cursor is None else _read_cursor(query.cursor)
    _record_read(request, caller, "/audit", query.model_dump(mode="json", exclude_none=True, by_alias=True))
    store: Store = request.app.state.store
    entries = store.list_entries(_filter(query), before=before, limit=query.limit + 1)
    page = entries[: query.limit]
    more = len(entries) > len(page)
    return AuditPage(entries=[_shown(entry) for entry in page], next=_cursor(page[-1].sequence) if more else None)


@router.post(
    "/search",
    summary="List the records about a nominal",
    response_model=NominalRecords,
    responses=describe(400, 401, 403, 413, 415, 422, 503),
    openapi_extra={"requestBody": body_of(NominalSearch)},
)
async def search_records(request: Request, caller: Auditor) -> NominalRecords:
    """Scores, decisions, exports and searches such as this one, whoever made them."""
    wanted = read_form(await read_json_body(request), NominalSearch)
    return await run_in_threadpool(_search, request, caller, wanted.nominal_id)


def _search(request: Request, caller: Caller, nominal_id: str) -> NominalRecords:
    _record_read(request, caller, "/audit/search", {}, (nominal_id,))
    store: Store = request.app.state.store
    return NominalRecords(entries=[_shown(entry) for entry in store.records_of_nominal(nominal_id)])


@router.get("/{sequence}", summary="Show one audit record", responses=describe(401, 403, 404, 422, 503))
def show_record(
    request: Request, caller: Auditor, sequence: Annotated[int, Path(ge=0, le=LARGEST_SEQUENCE)]
) -> AuditRecord:
    _record_read(request, caller, "/audit/{sequence}", {"sequence": sequence})
    store: Store = request.app.state.store
    entry = store.entry(sequence)
    return AuditRecord(**_shown(entry).model_dump(), leaf=b64encode(entry.leaf).decode())


def _record_read(
    request: Request, caller: Caller, route: str, asked: dict[str, Any], nominal_ids: tuple[str, ...] = ()
) -> None:
    """Errors: Unavailable where the read cannot be recorded; then nothing is shown."""
    ledger: Ledger = request.app.state.ledger
    payload = json.dumps({"route": route, "asked": asked}).encode()
    ledger.append_and_wait(
        NewRecord("read", caller.issuer, caller.subject, payload, purpose="audit", nominal_ids=nominal_ids)
    )


def _filter(query: AuditQuery) -> EntryFilter:
    return EntryFilter(
        record_id=query.score,
        actor_refs=None if query.actor is None else (query.actor,),
        event=query.event,
        manifest_sha256=query.manifest,
        since=query.since,
        until=query.until,
    )


def _shown(entry: Entry) -> AuditEntry:
    return AuditEntry(**{name: getattr(entry, name) for name in AuditEntry.model_fields})


def _cursor(sequence: int) -> str:
    return urlsafe_b64encode(f"before {sequence}".encode()).decode().rstrip("=")


def _read_cursor(cursor: str) -> int:
    try:
        word, digits = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii").split(" ")
        sequence = int(digits)
    except ValueError:
        word, sequence = "", -1
    if word != "before" or not 0 <= sequence <= LARGEST_SEQUENCE or _cursor(sequence) != cursor:
        raise InvalidInput("The cursor is not one that this list gave.", [Fault("/query/cursor", "cursor")])
    return sequence
