"""Reading the audit log: entries by place, id or filter, and the decrypted payload of one record. Writes nothing."""

import json
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, Select, select

from app.audit import records, tables
from app.audit.appending import IDEMPOTENCY_MICROSECONDS, another_body
from app.audit.merkle import leaf_hash
from app.audit.records import Envelope
from app.audit.sealing import Sealed, Tampered, ciphertext_digest, unseal
from app.database import read_transaction
from app.errors import Erased, NotFound, Unavailable
from app.keys import Keys

MAX_PAGE = 500

_entry, _key, _payload, _once = tables.entry.c, tables.data_key.c, tables.payload.c, tables.idempotency.c
_WITH_KEY = tables.entry.outerjoin(tables.data_key, _entry.record_id == _key.record_id)
_ENTRIES = select(_entry.sequence, _entry.leaf_hash, _entry.envelope, _key.kek_id).select_from(_WITH_KEY)


@dataclass(frozen=True, slots=True)
class Entry:
    """One record as the log shows it; digests are hex, `leaf` is the exact leaf, `erased` that its payload is gone."""

    sequence: int
    record_id: str
    event: str
    time: datetime
    actor_ref: str
    purpose: str
    manifest_sha256: str | None
    leaf: bytes
    leaf_hash: str
    erased: bool


@dataclass(frozen=True, slots=True)
class EntryFilter:
    """What to list; None leaves a field open. `since` is included, `until` is not."""

    record_id: str | None = None
    actor_ref: str | None = None
    event: str | None = None
    manifest_sha256: str | None = None
    since: datetime | None = None
    until: datetime | None = None


class Opened(NamedTuple):
    """A decrypted record: who acted, and what was handed in as `NewRecord.payload`."""

    issuer: str
    subject: str
    payload: bytes


class Store:
    """Reads of one database. Errors everywhere: Unavailable when the database does not answer."""

    def __init__(self, engine: Engine, keys: Keys) -> None:
        self._engine = engine
        self._keys = keys

    def size(self) -> int:
        """Records in the log; also the readiness question whether the database answers."""
        with read_transaction(self._engine) as connection:
            return _size(connection)

    def entry(self, sequence: int) -> Entry:
        """Errors: NotFound, Tampered when the leaf is not the one that was recorded."""
        with read_transaction(self._engine) as connection:
            return _one(connection, _ENTRIES.where(_entry.sequence == sequence))

    def entry_of(self, record_id: str) -> Entry:
        """Errors: as `entry`."""
        with read_transaction(self._engine) as connection:
            return _one(connection, _ENTRIES.where(_entry.record_id == record_id))

    def list_entries(
        self, wanted: EntryFilter, *, before: int | None = None, after: int | None = None, limit: int = 100
    ) -> list[Entry]:
        """Newest first from below sequence `before`, or, where `after` is given, oldest first from above it; at most 500."""
        query = _ENTRIES.where(*_conditions(wanted))
        if before is not None:
            query = query.where(_entry.sequence < before)
        if after is not None:
            query = query.where(_entry.sequence > after)
        order = _entry.sequence.desc() if after is None else _entry.sequence.asc()
        with read_transaction(self._engine) as connection:
            query = _within(connection, query, wanted)
            rows = connection.execute(query.order_by(order).limit(min(limit, MAX_PAGE))).all()
        return [_to_entry(row) for row in rows]

    def open_record(self, record_id: str) -> bytes:
        """The payload as it was handed in. Errors: as `open`."""
        return self.open(record_id).payload

    def open(self, record_id: str) -> Opened:
        """Decrypts one record after checking it against its leaf.

        Errors: NotFound, Erased when its data key is gone, Tampered (an Unavailable) when anything does not agree.
        """
        with read_transaction(self._engine) as connection:
            entry = _one(connection, _ENTRIES.where(_entry.record_id == record_id))
            key = connection.execute(select(tables.data_key).where(_key.record_id == record_id)).one_or_none()
            stored = connection.execute(select(tables.payload).where(_payload.record_id == record_id)).one_or_none()
        if key is None:
            raise Erased("The record's content has been erased.")
        envelope = Envelope.decode(entry.leaf)
        if stored is None or ciphertext_digest(stored.nonce, stored.ciphertext).hex() != envelope.ciphertext_sha256:
            raise Tampered
        return self._unseal(envelope, key, stored)

    def _unseal(self, envelope: Envelope, key: Any, stored: Any) -> Opened:
        if key.kek_id != self._keys.ids["encryption"]:
            raise Unavailable("The record was sealed under an encryption key that is not loaded.")
        plain = unseal(
            Sealed(stored.nonce, stored.ciphertext, key.wrapped_key, bytes.fromhex(envelope.key_commitment)),
            log_id=envelope.log_id,
            record_id=envelope.record_id,
            encryption_key=self._keys.encryption,
            kek_id=key.kek_id,
        )
        named, _, payload = plain.partition(b"\n")
        actor = json.loads(named)
        return Opened(actor["issuer"], actor["subject"], payload)

    def find_idempotent(self, actor_ref: str, route: str, key: str, body_sha256: bytes) -> str | None:
        """The record that answered this caller's key on this route within 24 hours; None where it is new.

        Errors: IdempotencyMismatch where it came with another body.
        """
        tag = records.idempotency_tag(self._keys.index, bytes.fromhex(actor_ref), route, key)
        oldest = time.time_ns() // 1000 - IDEMPOTENCY_MICROSECONDS
        query = select(_once.record_id, _once.body_tag).where(_once.key_tag == tag, _once.created_at >= oldest)
        with read_transaction(self._engine) as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            return None
        if row.body_tag != records.body_tag(self._keys.index, body_sha256):
            raise another_body()
        return str(row.record_id)

    def records_of_nominal(self, nominal_id: str) -> list[str]:
        """Ids of all records about a nominal, oldest first."""
        subject = tables.subject_index.c
        about = subject.tag == records.nominal_tag(self._keys.index, nominal_id)
        query = select(subject.record_id).join_from(
            tables.subject_index, tables.entry, subject.record_id == _entry.record_id
        )
        with read_transaction(self._engine) as connection:
            return list(connection.execute(query.where(about).order_by(_entry.sequence)).scalars())

    def actor_ref(self, issuer: str, subject: str) -> str:
        """The caller's name in the log (hex)."""
        return records.actor_ref(self._keys.index, issuer, subject).hex()


def _size(connection: Connection) -> int:
    return int(connection.execute(select(tables.log_head.c.size)).scalar_one())


def _one(connection: Connection, query: Select[Any]) -> Entry:
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFound("There is no such record.")
    return _to_entry(row)


def _to_entry(row: Any) -> Entry:
    try:
        envelope = Envelope.decode(row.envelope)
    except ValueError:
        raise Tampered from None
    if leaf_hash(row.envelope) != row.leaf_hash:
        raise Tampered
    return Entry(
        sequence=row.sequence,
        record_id=envelope.record_id,
        event=envelope.event,
        time=datetime.fromisoformat(envelope.time),
        actor_ref=envelope.actor_ref,
        purpose=envelope.purpose,
        manifest_sha256=envelope.manifest_sha256,
        leaf=bytes(row.envelope),
        leaf_hash=row.leaf_hash.hex(),
        erased=row.kek_id is None,
    )


def _conditions(wanted: EntryFilter) -> list[Any]:
    equal = (
        (_entry.record_id, wanted.record_id),
        (_entry.event, wanted.event),
        (_entry.actor_ref, wanted.actor_ref and bytes.fromhex(wanted.actor_ref)),
        (_entry.manifest, wanted.manifest_sha256 and bytes.fromhex(wanted.manifest_sha256)),
    )
    return [column == value for column, value in equal if value is not None]


def _within(connection: Connection, query: Select[Any], wanted: EntryFilter) -> Select[Any]:
    if wanted.since is not None:
        query = query.where(_entry.sequence >= _first_at(connection, wanted.since))
    if wanted.until is not None:
        query = query.where(_entry.sequence < _first_at(connection, wanted.until))
    return query


def _first_at(connection: Connection, moment: datetime) -> int:
    """The first sequence recorded at or after a time: a binary search, because times never go back along the log."""
    target = records.to_microseconds(moment)
    low, high = 0, _size(connection)
    while low < high:
        middle = (low + high) // 2
        found = connection.execute(select(_entry.recorded_at).where(_entry.sequence == middle)).scalar_one_or_none()
        if found is None:
            raise Tampered
        low, high = (middle + 1, high) if found < target else (low, middle)
    return low
