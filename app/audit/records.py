"""What an audit record is: what callers hand in, the envelope that becomes the tree's leaf, and the keyed look-up tags.

The envelope is RFC 8785 canonical JSON without personal data; it can never be erased. Who acted, and everything about
the case, is in the encrypted payload. The envelope holds that ciphertext's digest: neither can be exchanged unnoticed.
"""

import json
import os
import re
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from app.audit.sealing import keyed_hash
from app.errors import Fault, InvalidInput
from app.purposes import DEFAULT_PURPOSE, PURPOSES

ENVELOPE_VERSION = 1
EVENTS = (
    "score", "decision", "view", "challenge", "export", "erasure", "replay", "read", "refusal", "heartbeat",
    "key-rotation", "priority", "batch",
)  # fmt: skip

_SHA256 = re.compile(r"[0-9a-f]{64}")
_UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_CANONICAL = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_uuid_lock = threading.Lock()
_uuid_last = 0


def uuid7() -> str:
    """RFC 9562 UUID version 7: milliseconds, 12 bits of fraction, 62 random bits; rising within a process."""
    global _uuid_last  # noqa: PLW0603 - the order of all ids of this process hangs on it
    with _uuid_lock:
        ticks = time.time_ns() * 4096 // 1_000_000  # 48 bits of milliseconds and 12 of their fraction
        _uuid_last = ticks = max(ticks, _uuid_last + 1)
    return _written(ticks, int.from_bytes(os.urandom(8)))


def uuid7_of(milliseconds: int, seed: bytes, number: int) -> str:
    """The version 7 UUID that record `number` of a run always gets, so that it can be recorded only once.

    `milliseconds` since 1970, when the run began; `seed` its random bytes.
    """
    mixed = int.from_bytes(keyed_hash(seed, number.to_bytes(8))[:10])
    return _written(milliseconds << 12 | mixed >> 68, mixed)


def _written(ticks: int, random: int) -> str:
    """`ticks` 48 bits of milliseconds and 12 more; of `random` the lowest 62 bits."""
    low = random & ((1 << 62) - 1)
    digits = f"{(ticks >> 12 << 80) | (7 << 76) | ((ticks & 0xFFF) << 64) | (2 << 62) | low:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


@dataclass(frozen=True, slots=True)
class Idempotency:
    """A caller's Idempotency-Key on a route, and the SHA-256 of the exact body it came with."""

    route: str
    key: str
    body_sha256: bytes


@dataclass(frozen=True, slots=True)
class NewRecord:
    """A record to append.

    `manifest` is the SHA-256 (hex) of the artefact's manifest; `nominal_ids` make the record findable and erasable.
    `about` names the records that this one is about, so that it is found from each of them; it erases nothing.
    Errors: InvalidInput where event, purpose, manifest or record id is not of the kind the ledger keeps.
    """

    event: str
    issuer: str
    subject: str
    payload: bytes
    purpose: str = DEFAULT_PURPOSE
    manifest: str | None = None
    nominal_ids: tuple[str, ...] = ()
    about: tuple[str, ...] = ()
    record_id: str = field(default_factory=uuid7)
    idempotency: Idempotency | None = None

    def __post_init__(self) -> None:
        rules = {
            "/event": self.event in EVENTS,
            "/purpose": self.purpose in PURPOSES,
            "/manifest": self.manifest is None or bool(_SHA256.fullmatch(self.manifest)),
            "/record_id": bool(_UUID7.fullmatch(self.record_id)),
            "/about": all(map(_UUID7.fullmatch, self.about)),
            "/route": self.idempotency is None or len(self.idempotency.route) <= 64,
        }
        faults = [Fault(pointer, "closed-list-or-form") for pointer, kept in rules.items() if not kept]
        if faults:
            raise InvalidInput("The record is not of a kind the audit log keeps.", faults)


class Appended(NamedTuple):
    """A record that is durably stored: its place in the log and its leaf hash (hex), and the time it was given."""

    record_id: str
    sequence: int
    leaf_hash: str
    time: datetime


class Replayed(NamedTuple):
    """Nothing was appended: this idempotency key was answered before, by this record."""

    record_id: str


@dataclass(frozen=True, slots=True)
class Envelope:
    """The fields of a leaf; all digests are hex."""

    log_id: str
    record_id: str
    event: str
    time: str
    actor_ref: str
    purpose: str
    manifest_sha256: str | None
    ciphertext_sha256: str
    key_commitment: str
    version: int = ENVELOPE_VERSION

    def encode(self) -> bytes:
        """The exact leaf bytes: RFC 8785 canonical JSON.

        Written out, because a log is checked a million leaves at a time. Values that would need escaping (only a forger's
        would) go the long way; for text, a small integer and null under sorted ASCII names the standard library writes what
        the RFC asks for. A test holds both against a general encoder.
        """
        manifest = "null" if self.manifest_sha256 is None else f'"{self.manifest_sha256}"'
        leaf = (
            f'{{"actor_ref":"{self.actor_ref}","ciphertext_sha256":"{self.ciphertext_sha256}","event":"{self.event}",'
            f'"key_commitment":"{self.key_commitment}","log_id":"{self.log_id}","manifest_sha256":{manifest},'
            f'"purpose":"{self.purpose}","record_id":"{self.record_id}","time":"{self.time}","version":{self.version}}}'
        )
        quotes = _QUOTES if self.manifest_sha256 is None else _QUOTES + 2
        if leaf.isascii() and leaf.isprintable() and "\\" not in leaf and leaf.count('"') == quotes:
            return leaf.encode()
        return _CANONICAL.encode({name: getattr(self, name) for name in _SORTED_FIELDS}).encode()

    @classmethod
    def decode(cls, leaf: bytes) -> "Envelope":
        """Errors: ValueError unless these are the exact bytes that encoding the same fields gives."""
        try:
            envelope = cls(**json.loads(leaf.decode()))
        except (TypeError, RecursionError):
            raise ValueError("not an envelope") from None
        known = type(envelope.version) is int and envelope.version == ENVELOPE_VERSION  # 1.0 is equal, too
        if not known or envelope.encode() != leaf:
            raise ValueError("not a canonical envelope of a known version")
        return envelope


_QUOTES = 2 * 10 + 2 * 8
"""Quotation marks round ten names and the eight values that are always text."""

_SORTED_FIELDS = tuple(sorted(field.name for field in fields(Envelope)))


def format_time(microseconds: int) -> str:
    """RFC 3339 UTC, always with six decimals."""
    return to_datetime(microseconds).isoformat(timespec="microseconds").replace("+00:00", "Z")


def to_datetime(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)


def to_microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)


def actor_ref(index_key: bytes, issuer: str, subject: str) -> bytes:
    """A caller's name in the log: recomputable by whoever holds the index key, meaningless to everyone else."""
    return _tag(index_key, issuer, subject)


def nominal_tag(index_key: bytes, nominal_id: str) -> bytes:
    return _tag(index_key, "nominal", nominal_id)


def record_tag(index_key: bytes, record_id: str) -> bytes:
    """What records about another record are found by."""
    return _tag(index_key, "record", record_id)


def look_up_tags(index_key: bytes, nominal_ids: Iterable[str], about: Iterable[str]) -> set[bytes]:
    """All that one record is looked up by, under one index key."""
    nominals = {nominal_tag(index_key, nominal_id) for nominal_id in nominal_ids}
    return nominals | {record_tag(index_key, record_id) for record_id in about}


def idempotency_tag(index_key: bytes, actor: bytes, route: str, key: str) -> bytes:
    return _tag(index_key, "idempotency", actor.hex(), route, key)


def body_tag(index_key: bytes, body_sha256: bytes) -> bytes:
    return _tag(index_key, "body", body_sha256.hex())


def _tag(index_key: bytes, *parts: str) -> bytes:
    return keyed_hash(index_key, "\0".join(parts).encode())
