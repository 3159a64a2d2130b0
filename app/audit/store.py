"""Reading the audit log: entries by place, id or filter, and the decrypted payload of one record. Writes nothing."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Select, select

from app.audit import records, tables
from app.audit.appending import IDEMPOTENCY_MICROSECONDS, once_names, repeated
from app.audit.merkle import leaf_hash
from app.audit.opening import Opened, open_sealed
from app.audit.records import Envelope, Idempotency, Replayed
from app.audit.sealing import Tampered
from app.database import read_transaction
from app.errors import Erased, IdempotencyMismatch, NotFound
from app.keys import Keys

MAX_PAGE = 500
OPENED_AT_ONCE = 50

_entry, _key, _payload, _once = tables.entry.c, tables.data_key.c, tables.payload.c, tables.idempotency.c
_subject = tables.subject_index
_WITH_KEY = tables.entry.outerjoin(tables.data_key, _entry.record_id == _key.record_id)
_SEALED = select(_key.record_id, _key.wrapped_key, _key.kek_id, _payload.nonce, _payload.ciphertext).select_from(
    tables.data_key.outerjoin(tables.payload, _key.record_id == _payload.record_id)
)
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
    actor_refs: tuple[str, ...] | None = None
    event: str | None = None
    manifest_sha256: str | None = None
    since: datetime | None = None
    until: datetime | None = None


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

    def entries_of(self, record_ids: Sequence[str]) -> dict[str, Entry]:
        """Those of some records that are in the log, by id. Errors: Tampered."""
        with read_transaction(self._engine) as connection:
            rows = connection.execute(_ENTRIES.where(_entry.record_id.in_(record_ids))).all()
        return {entry.record_id: entry for entry in map(_to_entry, rows)}

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
            stored = connection.execute(_SEALED.where(_key.record_id == record_id)).one_or_none()
        if stored is None:
            raise Erased("The record's content has been erased.")
        return open_sealed(self._keys, Envelope.decode(entry.leaf), stored)

    def open_all(self, entries: Sequence[Entry]) -> Iterator[tuple[Entry, Opened | None]]:
        """`open` for many, some at a time and in order; None where a record was erased."""
        for start in range(0, len(entries), OPENED_AT_ONCE):
            some = entries[start : start + OPENED_AT_ONCE]
            which = _key.record_id.in_([entry.record_id for entry in some])
            with read_transaction(self._engine) as connection:
                stored = {row.record_id: row for row in connection.execute(_SEALED.where(which))}
            for entry in some:
                row = stored.get(entry.record_id)
                yield entry, None if row is None else open_sealed(self._keys, Envelope.decode(entry.leaf), row)

    def find_idempotent(self, issuer: str, subject: str, given: Idempotency) -> str | None:
        """The record that answered this caller's key on this route within 24 hours; None where it is new.

        Errors: IdempotencyMismatch where it came with another body, Erased where that record is no more.
        """
        oldest = time.time_ns() // 1000 - IDEMPOTENCY_MICROSECONDS
        with read_transaction(self._engine) as connection:
            for once in once_names(self._keys, issuer, subject, given):
                known = (_once.key_tag == once.key_tag, _once.created_at >= oldest)
                row = connection.execute(select(_once.record_id, _once.body_tag).where(*known)).one_or_none()
                if row is not None:
                    return _answered(repeated(row.record_id, row.body_tag, once.body_tag))
        return None

    def records_of_nominal(self, nominal_id: str) -> list[Entry]:
        """All records about a nominal that were not erased, oldest first."""
        about = tables.subject_index.c.tag.in_(nominal_tags(self._keys, nominal_id))
        named = select(tables.subject_index.c.record_id).where(about)
        with read_transaction(self._engine) as connection:
            rows = connection.execute(_ENTRIES.where(_entry.record_id.in_(named)).order_by(_entry.sequence)).all()
        return [_to_entry(row) for row in rows]

    def records_about(
        self, record_ids: Sequence[str], *, event: str | None = None, actor_refs: tuple[str, ...] | None = None
    ) -> dict[str, list[Entry]]:
        """For each of these records, those about it that were not erased, oldest first; of one event, of one caller."""
        wanted = EntryFilter(event=event, actor_refs=actor_refs)
        tags = {tag: record_id for record_id in record_ids for tag in record_tags(self._keys, record_id)}
        found: dict[str, list[Entry]] = {record_id: [] for record_id in record_ids}
        joined = _WITH_KEY.join(_subject, _entry.record_id == _subject.c.record_id)
        query = select(*_ENTRIES.selected_columns, _subject.c.tag).select_from(joined)
        query = query.where(_subject.c.tag.in_(tags), *_conditions(wanted)).order_by(_entry.sequence)
        with read_transaction(self._engine) as connection:
            rows = connection.execute(query).all() if tags else []
        for row in rows:
            found[tags[bytes(row.tag)]].append(_to_entry(row))
        return found

    def actor_refs(self, issuer: str, subject: str) -> tuple[str, ...]:
        """The caller's names in the log (hex), one for each index key there ever was; today's first."""
        return tuple(records.actor_ref(index, issuer, subject).hex() for index in self._keys.indexes)


def nominal_tags(keys: Keys, nominal_id: str) -> list[bytes]:
    """What records about a nominal may be found by, under each index key there ever was."""
    return [records.nominal_tag(index, nominal_id) for index in keys.indexes]


def record_tags(keys: Keys, record_id: str) -> list[bytes]:
    """What records about a record may be found by, likewise."""
    return [records.record_tag(index, record_id) for index in keys.indexes]


def _answered(outcome: Replayed | IdempotencyMismatch | Erased) -> str:
    if isinstance(outcome, Replayed):
        return outcome.record_id
    raise outcome


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
        (_entry.manifest, wanted.manifest_sha256 and bytes.fromhex(wanted.manifest_sha256)),
    )
    found = [column == value for column, value in equal if value is not None]
    if wanted.actor_refs is not None:
        found.append(_entry.actor_ref.in_([bytes.fromhex(one) for one in wanted.actor_refs]))
    return found


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
