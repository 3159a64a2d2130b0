"""Records to append in tests, and ways to wait for them."""

from hashlib import sha256

from app.audit.ledger import Ledger
from app.audit.records import Appended, Idempotency, NewRecord

MANIFEST = "ab" * 32
BODY = sha256(b"a body").digest()


def a_record(number: int = 0, **changes: object) -> NewRecord:
    fields = {
        "event": "score",
        "issuer": "dayzero-local",
        "subject": "analyst",
        "payload": f"payload {number}".encode(),
        "manifest": MANIFEST,
        "nominal_ids": (f"N-{number}",),
    }
    return NewRecord(**(fields | changes))


def once(key: str, body: bytes = BODY, route: str = "/score") -> Idempotency:
    return Idempotency(route=route, key=key, body_sha256=body)


def fill(ledger: Ledger, count: int) -> list[Appended]:
    futures = [ledger.submit(a_record(number)) for number in range(count)]
    return [future.result(30) for future in futures]
