"""What auditors take away: checkpoint, verifier key, proofs and exports. All but an export append nothing to the log."""

import json
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import PlainTextResponse, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from app.answer import Answer
from app.audit import proofs
from app.audit.checkpoint import MAX_SIZE
from app.audit.export import export_csv, export_ndjson, in_chunks
from app.audit.ledger import Ledger
from app.audit.records import NewRecord
from app.audit.routes import Auditor
from app.audit.signing import Checkpoints
from app.errors import Fault, InvalidInput, Unavailable, VerificationFailed
from app.problems import describe

router = APIRouter(prefix="/audit", tags=["audit"])

NDJSON, CSV = "application/x-ndjson", "text/csv"
_TEXT: dict[int | str, dict[str, Any]] = {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}}
_FILE: dict[int | str, dict[str, Any]] = {
    200: {"content": {kind: {"schema": {"type": "string"}} for kind in (NDJSON, CSV)}, "description": "The whole log"}
}

Sequence = Annotated[int, Field(ge=0, le=MAX_SIZE, description="place in the log, counted from 0")]
Size = Annotated[int, Field(ge=1, le=MAX_SIZE, description="a number of records, counted from the first")]


class InclusionQuery(BaseModel):
    """Which record, in the tree of which size."""

    model_config = ConfigDict(extra="forbid")
    sequence: Sequence
    size: Size


class ConsistencyQuery(BaseModel):
    """The sizes of an older and of a newer checkpoint."""

    model_config = ConfigDict(extra="forbid")
    first: Size
    second: Size


class ProofAnswer(Answer):
    """Hashes in hex, in the order of RFC 6962, section 2.1."""

    hashes: list[str]
    """Hashes in hex, in the order of RFC 6962."""


@router.get(
    "/checkpoint",
    summary="The newest signed checkpoint",
    response_class=PlainTextResponse,
    responses={**_TEXT, **describe(401, 403, 503)},
)
def show_checkpoint(request: Request, _: Auditor) -> Response:
    """A C2SP signed note with origin, size and root. Keep it: the log can never again show less or other than that."""
    checkpoints: Checkpoints = request.app.state.checkpoints
    return PlainTextResponse(checkpoints.newest())


@router.get(
    "/key",
    summary="The key that checkpoints are signed with",
    response_class=PlainTextResponse,
    responses={**_TEXT, **describe(401, 403)},
)
def show_key(request: Request, _: Auditor) -> Response:
    """The C2SP verifier key, `name+hash+base64`. Compare it once with `dayzero keys show` by other means."""
    checkpoints: Checkpoints = request.app.state.checkpoints
    return PlainTextResponse(f"{checkpoints.verifier}\n")


@router.get(
    "/proof/inclusion", summary="Prove that a record is in the log", responses=describe(401, 403, 404, 422, 503)
)
def prove_inclusion(request: Request, _: Auditor, query: Annotated[InclusionQuery, Query()]) -> ProofAnswer:
    """The path from record `sequence` to the root of the first `size` records (RFC 6962, 2.1.1)."""
    if query.sequence >= query.size:
        fault = Fault("/query/size", "greater-than-sequence")
        raise InvalidInput("A record is only in trees that are larger than its sequence.", [fault])
    return _answer(proofs.inclusion(request.app.state.engine, query.sequence, query.size))


@router.get(
    "/proof/consistency",
    summary="Prove that the log was only added to",
    responses=describe(401, 403, 404, 422, 503),
)
def prove_consistency(request: Request, _: Auditor, query: Annotated[ConsistencyQuery, Query()]) -> ProofAnswer:
    """That the first `first` records are the beginning of the first `second` (RFC 6962, 2.1.2)."""
    if query.first > query.second:
        fault = Fault("/query/second", "not-less-than-first")
        raise InvalidInput("A log is only consistent with a later state of it.", [fault])
    return _answer(proofs.consistency(request.app.state.engine, query.first, query.second))


@router.get(
    "/export",
    summary="Export the log",
    response_class=StreamingResponse,
    responses={**_FILE, **describe(401, 403, 422, 503)},
)
def export(
    request: Request,
    caller: Auditor,
    kind: Annotated[Literal["ndjson", "csv"], Query(alias="format", description="ndjson is the evidence")] = "ndjson",
) -> Response:
    """The public part of every record up to a checkpoint signed for it, which covers the record of this export, too.

    The NDJSON is what `dayzero audit verify FILE --key VKEY` checks anywhere; the CSV is for reading.
    """
    ledger: Ledger = request.app.state.ledger
    told = json.dumps({"route": "/audit/export", "format": kind}).encode()
    ledger.append_and_wait(NewRecord("export", caller.issuer, caller.subject, told, purpose="audit"))
    checkpoints: Checkpoints = request.app.state.checkpoints
    try:
        signed = checkpoints.sign()
    except VerificationFailed as error:
        raise Unavailable(error.detail) from None
    write, media = (export_csv, CSV) if kind == "csv" else (export_ndjson, NDJSON)
    headers = {"Content-Disposition": f'attachment; filename="dayzero-audit-{signed.checkpoint.size}.{kind}"'}
    return StreamingResponse(in_chunks(write(request.app.state.engine, signed)), media_type=media, headers=headers)


def _answer(hashes: list[bytes]) -> ProofAnswer:
    return ProofAnswer(hashes=[one.hex() for one in hashes])
