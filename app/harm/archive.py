"""How a score is kept: the answer as it was given, the request as it was understood, the whole curve.

Three lines: answer (JSON, all but the audit receipt, which names this very record and so cannot be inside it), request
(JSON, `as_of` and `purpose` filled in, so that scoring it again means the same), curve (float32, base64). A fourth (JSON)
where the score was given on terms: withheld until a view is recorded, or as the correction of another.
"""

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from pydantic import BaseModel, ConfigDict

from app.audit.records import Idempotency, NewRecord, uuid7
from app.harm.answers import AuditReceipt, ScoreBody
from app.harm.service import Scored
from app.harm.survival import Curve
from app.purposes import DEFAULT_PURPOSE


class Terms(BaseModel):
    """On what terms a score was given: withheld until a view is recorded; which score it corrects, on which challenge."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    withheld: bool = False
    corrects: str | None = None
    challenge: str | None = None

    @property
    def plain(self) -> bool:
        """Whether there are none: nothing of them is stored then."""
        return not (self.withheld or self.corrects or self.challenge)

    @property
    def about(self) -> tuple[str, ...]:
        """The records that a score on these terms is about."""
        return tuple(one for one in (self.corrects, self.challenge) if one is not None)


PLAIN = Terms()


@dataclass(frozen=True)
class Archived:
    """A stored score: `answer` the bytes given to the caller less the receipt, `request` JSON bytes, `curve` (366,)."""

    answer: bytes
    request: bytes
    curve: Curve
    terms: Terms = PLAIN

    @property
    def body(self) -> ScoreBody:
        """The answer as a record."""
        return ScoreBody.model_validate_json(self.answer)

    @property
    def flag(self) -> str:
        """The group it puts the nominal into."""
        return str(json.loads(self.answer)["harm"]["predicted_group"])

    @property
    def nominal_id(self) -> str:
        """Whom it is about."""
        return str(json.loads(self.request)["nominal"]["nominal_id"])


def pack(answer: ScoreBody, scored: Scored, terms: Terms = PLAIN) -> Archived:
    """Make the stored form of a fresh score."""
    request = scored.case.request
    meant = {"as_of": scored.case.as_of, "purpose": request.purpose or DEFAULT_PURPOSE}
    return Archived(
        answer=answer.model_dump_json().encode(),
        request=request.model_copy(update=meant).model_dump_json().encode(),
        curve=scored.curve,
        terms=terms,
    )


def to_bytes(archived: Archived) -> bytes:
    """The bytes put under seal; JSON writers escape line breaks, so a line break separates."""
    curve = base64.b64encode(archived.curve.astype("<f4").tobytes())
    terms = [] if archived.terms.plain else [archived.terms.model_dump_json().encode()]
    return b"\n".join([archived.answer, archived.request, curve, *terms])


def from_bytes(payload: bytes) -> Archived:
    """Read back what `to_bytes` wrote."""
    answer, request, curve, *terms = payload.split(b"\n")
    days = np.frombuffer(base64.b64decode(curve), dtype="<f4").astype(np.float64)
    return Archived(answer, request, days, Terms.model_validate_json(terms[0]) if terms else PLAIN)


def told(payload: bytes) -> dict[str, object]:
    """The whole of it as JSON, for those who may see everything: the curve with a value for each of its 366 days."""
    archived = from_bytes(payload)
    return {
        "answer": json.loads(archived.answer),
        "request": json.loads(archived.request),
        "curve": archived.curve.tolist(),
        "terms": archived.terms.model_dump(),
    }


def score_record(
    scored: Scored,
    caller: tuple[str, str],
    once: Idempotency | None = None,
    terms: Terms = PLAIN,
    *,
    score_id: str | None = None,
) -> tuple[ScoreBody, bytes, NewRecord]:
    """Name and date a score: the answer, its bytes as they are given, and the record that holds it.

    `caller` is issuer and subject; `once` the idempotency key the request came with; `terms` those it is given on;
    `score_id` a new one by default.
    """
    answer = scored.body(score_id or uuid7(), datetime.now(UTC))
    archived = pack(answer, scored, terms)
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
        about=terms.about,
        record_id=answer.score_id,
        idempotency=once,
    )
    return answer, archived.answer, record


def answer_in(payload: bytes) -> bytes:
    """The answer alone out of what `to_bytes` wrote."""
    return payload[: payload.index(b"\n")]


def with_receipt(answer: bytes, sequence: int, leaf_hash: str) -> bytes:
    """The full answer: the stored bytes with the audit receipt as their last member."""
    receipt = AuditReceipt(sequence=sequence, leaf_hash=leaf_hash).model_dump_json().encode()
    return answer[:-1] + b',"audit":' + receipt + b"}"
