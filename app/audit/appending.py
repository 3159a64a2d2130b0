"""One transaction that adds a batch of records to the log: lock the head, insert, advance the head, commit durably."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Engine, bindparam, delete, insert, select, update
from sqlalchemy.sql.expression import ClauseElement

from app.audit import merkle, tables
from app.audit.records import (
    Appended,
    Envelope,
    NewRecord,
    Replayed,
    actor_ref,
    body_tag,
    format_time,
    idempotency_tag,
    nominal_tag,
    to_datetime,
)
from app.audit.sealing import Sealed, seal
from app.database import driver_sql, driver_transaction
from app.errors import IdempotencyMismatch
from app.keys import Keys

IDEMPOTENCY_MICROSECONDS = 24 * 3600 * 1_000_000

Outcome = Appended | Replayed | IdempotencyMismatch


_head, _idempotency = tables.log_head.c, tables.idempotency.c
_INSERTS = {
    table.name: insert(table)
    for table in (
        tables.entry, tables.node, tables.payload, tables.data_key, tables.subject_index, tables.idempotency,
    )
}  # fmt: skip
_STATEMENTS: dict[str, ClauseElement] = _INSERTS | {
    "lock head": select(_head.size, _head.frontier, _head.last_time).with_for_update(),
    "advance head": update(tables.log_head).values(
        size=bindparam("size"), frontier=bindparam("frontier"), last_time=bindparam("last_time")
    ),
    "find key": select(_idempotency.record_id, _idempotency.body_tag).where(
        _idempotency.key_tag == bindparam("key_tag")
    ),
    "forget keys": delete(tables.idempotency).where(_idempotency.created_at < bindparam("before")),
}


class Head(NamedTuple):
    """The locked head: leaves so far, frontier (changed in place while appending), and the time new records get."""

    size: int
    frontier: list[bytes]
    moment: int


class Once(NamedTuple):
    """The keyed hashes of a caller's idempotency key and of the body it came with."""

    key_tag: bytes
    body_tag: bytes


@dataclass(frozen=True, slots=True)
class Draft:
    """A record with everything computed that needs neither the head nor the lock."""

    log_id: str
    record: NewRecord
    actor: bytes
    sealed: Sealed
    kek_id: str
    tags: tuple[bytes, ...]
    once: Once | None

    def envelope(self, moment: int) -> bytes:
        record = self.record
        return Envelope(
            log_id=self.log_id,
            record_id=record.record_id,
            event=record.event,
            time=format_time(moment),
            actor_ref=self.actor.hex(),
            purpose=record.purpose,
            manifest_sha256=record.manifest,
            ciphertext_sha256=self.sealed.digest.hex(),
            key_commitment=self.sealed.commitment.hex(),
        ).encode()


def draft(record: NewRecord, keys: Keys, log_id: str) -> Draft:
    """Seals the record's payload; the caller's name goes in front of it, one line of JSON."""
    actor = actor_ref(keys.index, record.issuer, record.subject)
    named = json.dumps({"issuer": record.issuer, "subject": record.subject}).encode() + b"\n" + record.payload
    kek_id = keys.ids["encryption"]
    sealed = seal(named, log_id=log_id, record_id=record.record_id, encryption_key=keys.encryption, kek_id=kek_id)
    tags = tuple({nominal_tag(keys.index, nominal_id) for nominal_id in record.nominal_ids})
    return Draft(log_id, record, actor, sealed, kek_id, tags, _once(record, keys, actor))


def _once(record: NewRecord, keys: Keys, actor: bytes) -> Once | None:
    given = record.idempotency
    if given is None:
        return None
    return Once(idempotency_tag(keys.index, actor, given.route, given.key), body_tag(keys.index, given.body_sha256))


class Appender:
    """Appends batches to the log of one database.

    The statements are compiled once and run on the driver's own cursor: through SQLAlchemy the seven of them cost more
    than the disk does.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._sql = {name: driver_sql(engine, statement) for name, statement in _STATEMENTS.items()}

    def append(self, drafts: Sequence[Draft]) -> list[Outcome]:
        """Stores all that are new and says, in order, what became of each; on any error none is stored.

        Errors: Unavailable when the database failed, its subclass Duplicate when a record id is already in the log.
        """
        with driver_transaction(self._engine) as cursor:
            size, packed, last_time = cursor.execute(self._sql["lock head"]).fetchone()
            moment = max(time.time_ns() // 1000, last_time)  # a clock set back must not reorder the log
            repeats = self._repeats(cursor, drafts, moment)
            fresh = [one for one, repeat in zip(drafts, repeats, strict=True) if repeat is None]
            stored = iter(self._store(cursor, fresh, Head(size, merkle.unpack(packed), moment)))
        return [next(stored) if repeat is None else repeat for repeat in repeats]

    def _repeats(
        self, cursor: Any, drafts: Sequence[Draft], moment: int
    ) -> list[Replayed | IdempotencyMismatch | None]:
        """For each draft, how its idempotency key was answered before; None where the record is new."""
        if all(one.once is None for one in drafts):
            return [None] * len(drafts)
        cursor.execute(self._sql["forget keys"], {"before": moment - IDEMPOTENCY_MICROSECONDS})
        known: dict[bytes, tuple[str, bytes]] = {}
        return [one.once and self._repeat(cursor, one.record.record_id, one.once, known) for one in drafts]

    def _repeat(
        self, cursor: Any, new_id: str, once: Once, known: dict[bytes, tuple[str, bytes]]
    ) -> Replayed | IdempotencyMismatch | None:
        found = known.get(once.key_tag)
        found = found or cursor.execute(self._sql["find key"], {"key_tag": once.key_tag}).fetchone()
        if found is None:
            known[once.key_tag] = (new_id, once.body_tag)  # a second one in this same batch is a repeat
            return None
        record_id, body = found
        return Replayed(record_id) if body == once.body_tag else another_body()

    def _store(self, cursor: Any, drafts: Sequence[Draft], head: Head) -> list[Appended]:
        if not drafts:
            return []
        rows: dict[str, list[dict[str, Any]]] = {name: [] for name in _INSERTS}
        appended = []
        time_given = to_datetime(head.moment)
        for sequence, one in enumerate(drafts, start=head.size):
            envelope = one.envelope(head.moment)
            leaf = merkle.leaf_hash(envelope)
            rows["node"].extend(map(_node_row, merkle.append(head.frontier, sequence, leaf)))
            rows["entry"].append(_entry_row(one, sequence, leaf, head.moment, envelope))
            _add_payload_rows(rows, one, head.moment)
            appended.append(Appended(one.record.record_id, sequence, leaf.hex(), time_given))
        for name, some in rows.items():
            if len(some) == 1:  # executemany has its own preparations
                cursor.execute(self._sql[name], some[0])
            elif some:
                cursor.executemany(self._sql[name], some)
        advanced = {"size": head.size + len(drafts), "frontier": merkle.pack(head.frontier), "last_time": head.moment}
        cursor.execute(self._sql["advance head"], advanced)
        return appended


def another_body() -> IdempotencyMismatch:
    return IdempotencyMismatch("This Idempotency-Key was used before with another body.")


def _node_row(node: merkle.Node) -> dict[str, Any]:
    return dict(zip(("level", "index", "hash"), node, strict=True))


def _entry_row(one: Draft, sequence: int, leaf: bytes, moment: int, envelope: bytes) -> dict[str, Any]:
    record = one.record
    return {
        "sequence": sequence,
        "record_id": record.record_id,
        "leaf_hash": leaf,
        "event": record.event,
        "actor_ref": one.actor,
        "recorded_at": moment,
        "manifest": None if record.manifest is None else bytes.fromhex(record.manifest),
        "envelope": envelope,
    }


def _add_payload_rows(rows: dict[str, list[dict[str, Any]]], one: Draft, moment: int) -> None:
    record_id, sealed = one.record.record_id, one.sealed
    rows["payload"].append({"record_id": record_id, "nonce": sealed.nonce, "ciphertext": sealed.ciphertext})
    rows["data_key"].append({"record_id": record_id, "wrapped_key": sealed.wrapped_key, "kek_id": one.kek_id})
    rows["subject_index"].extend({"tag": tag, "record_id": record_id} for tag in one.tags)
    if one.once is not None and one.record.idempotency is not None:
        asked = {"actor_ref": one.actor, "route": one.record.idempotency.route, "created_at": moment}
        rows["idempotency"].append(one.once._asdict() | asked | {"record_id": record_id})
