"""Receipts: all that is needed to check, anywhere and without the service, that one record is in the log.

A receipt is JSON: `format`, `sequence`, `leaf` (base64 of the exact leaf), `inclusion` (hex, as the service's proofs give
them), `checkpoint` (the signed note) and `key`, which is there to be compared, never to be trusted.
"""

import json
from base64 import b64decode, b64encode
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import Engine

from app.audit import merkle, proofs
from app.audit.checkpoint import Checkpoint, open_checkpoint
from app.audit.note import MAX_NOTE_BYTES, Verifier
from app.audit.records import Envelope
from app.audit.signing import Signed
from app.audit.store import Entry
from app.errors import VerificationFailed

MAX_RECEIPT_BYTES = 4 * MAX_NOTE_BYTES

HexHash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Receipt(BaseModel):
    """The file's members."""

    model_config = ConfigDict(extra="forbid", strict=True)
    format: Literal["dayzero-receipt-1"]
    sequence: Annotated[int, Field(ge=0)]
    leaf: str
    inclusion: Annotated[list[HexHash], Field(max_length=64)]
    checkpoint: str
    key: str


class Proven(NamedTuple):
    """What a receipt proves: this record stands at this place of the log that the checkpoint covers."""

    envelope: Envelope
    sequence: int
    leaf_hash: str
    checkpoint: Checkpoint


def make_receipt(engine: Engine, entry: Entry, signed: Signed, verifier: Verifier) -> bytes:
    """The receipt of one record under a checkpoint that covers it. Errors: VerificationFailed where it would not hold."""
    hashes = proofs.inclusion(engine, entry.sequence, signed.checkpoint.size)
    receipt = Receipt(
        format="dayzero-receipt-1",
        sequence=entry.sequence,
        leaf=b64encode(entry.leaf).decode(),
        inclusion=[one.hex() for one in hashes],
        checkpoint=signed.note.decode(),
        key=str(verifier),
    )
    written = receipt.model_dump_json(indent=1).encode() + b"\n"
    verify_receipt(written, verifier)
    return written


def verify_receipt(raw: bytes, *verifiers: Verifier) -> Proven:
    """Checks signature, proof and leaf with the key that is given, not the one inside. Errors: VerificationFailed."""
    try:
        receipt = Receipt.model_validate_json(raw[: MAX_RECEIPT_BYTES + 1])
        leaf = b64decode(receipt.leaf, validate=True)
        envelope = Envelope.decode(leaf)
    except (ValidationError, ValueError, RecursionError):
        raise VerificationFailed("The file is not a receipt of this kind of log.") from None
    checkpoint = open_checkpoint(receipt.checkpoint.encode(errors="replace"), *verifiers)
    hashed = merkle.leaf_hash(leaf)
    path = [bytes.fromhex(one) for one in receipt.inclusion]
    if not merkle.verify_inclusion(hashed, receipt.sequence, checkpoint.size, path, checkpoint.root):
        raise VerificationFailed("The proof does not lead from the record to the checkpoint's root.")
    return Proven(envelope, receipt.sequence, hashed.hex(), checkpoint)


def is_receipt(raw: bytes) -> bool:
    """Whether a file means to be a receipt and not an export."""
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and found.get("format") == "dayzero-receipt-1"
