"""How a score is kept: the answer as it was given, the request as it was understood, the whole curve.

Three lines: answer (JSON, all but the audit receipt, which names this very record and so cannot be inside it), request
(JSON, `as_of` and `purpose` filled in, so that scoring it again means the same), curve (float32, base64).
"""

import base64
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from app.audit.records import Idempotency, NewRecord, uuid7
from app.harm.answers import AuditReceipt, ScoreBody
from app.harm.service import Scored
from app.harm.survival import Curve
from app.purposes import DEFAULT_PURPOSE


@dataclass(frozen=True)
class Archived:
    """A stored score: `answer` the bytes given to the caller less the receipt, `request` JSON bytes, `curve` (366,)."""

    answer: bytes
    request: bytes
    curve: Curve

    @property
    def body(self) -> ScoreBody:
        """The answer as a record."""
        return ScoreBody.model_validate_json(self.answer)


def pack(answer: ScoreBody, scored: Scored) -> Archived:
    """Make the stored form of a fresh score."""
    request = scored.case.request
    meant = {"as_of": scored.case.as_of, "purpose": request.purpose or DEFAULT_PURPOSE}
    return Archived(
        answer=answer.model_dump_json().encode(),
        request=request.model_copy(update=meant).model_dump_json().encode(),
        curve=scored.curve,
    )


def to_bytes(archived: Archived) -> bytes:
    """The bytes put under seal; JSON writers escape line breaks, so a line break separates."""
    curve = base64.b64encode(archived.curve.astype("<f4").tobytes())
    return b"\n".join([archived.answer, archived.request, curve])


def from_bytes(payload: bytes) -> Archived:
    """Read back what `to_bytes` wrote."""
    answer, request, curve = payload.split(b"\n")
    return Archived(answer, request, np.frombuffer(base64.b64decode(curve), dtype="<f4").astype(np.float64))


def score_record(
    scored: Scored, caller: tuple[str, str], once: Idempotency | None = None
) -> tuple[ScoreBody, bytes, NewRecord]:
    """Name and date a score: the answer, its bytes as they are given, and the record that holds it.

    `caller` is issuer and subject; `once` the idempotency key the request came with.
    """
    answer = scored.body(uuid7(), datetime.now(UTC))
    archived = pack(answer, scored)
    request = scored.case.request
    issuer, subject = caller
    record = NewRecord(
        event="score",
        issuer=issuer,
        subject=subject,
        payload=to_bytes(archived),
        purpose=request.purpose or DEFAULT_PURPOSE,
        manifest=answer.model.manifest_sha256,
        nominal_ids=(request.nominal.nominal_id,),
        record_id=answer.score_id,
        idempotency=once,
    )
    return answer, archived.answer, record


def with_receipt(answer: bytes, sequence: int, leaf_hash: str) -> bytes:
    """The full answer: the stored bytes with the audit receipt as their last member."""
    receipt = AuditReceipt(sequence=sequence, leaf_hash=leaf_hash).model_dump_json().encode()
    return answer[:-1] + b',"audit":' + receipt + b"}"
