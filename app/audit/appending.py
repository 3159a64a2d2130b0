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
    Idempotency,
    NewRecord,
    Replayed,
    actor_ref,
    body_tag,
    format_time,
    idempotency_tag,
    look_up_tags,
    to_datetime,
)
from app.audit.sealing import Sealed, seal
from app.database import driver_sql, driver_transaction
from app.errors import Erased, IdempotencyMismatch, Unavailable
from app.keys import ROTATED, Keys

IDEMPOTENCY_MICROSECONDS = 24 * 3600 * 1_000_000

FORGOTTEN = bytes(32)
"""Stands for the body of an idempotency key whose record was erased: no keyed hash of a body is that."""

Outcome = Appended | Replayed | IdempotencyMismatch | Erased


_head, _idempotency = tables.log_head.c, tables.idempotency.c
_INSERTS = {
    table.name: insert(table)
    for table in (
        tables.entry, tables.node, tables.payload, tables.data_key, tables.subject_index, tables.idempotency,
    )
}  # fmt: skip
_STATEMENTS: dict[str, ClauseElement] = _INSERTS | {
    "lock head": select(_head.size, _head.frontier, _head.last_time, _head.log_id, _head.key_epoch).with_for_update(),
    "advance head": update(tables.log_head).values(
        size=bindparam("size"), frontier=bindparam("frontier"), last_time=bindparam("last_time")
    ),
    "find key": select(_idempotency.record_id, _idempotency.body_tag).where(
        _idempotency.key_tag == bindparam("key_tag")
    ),
    "forget keys": delete(tables.idempotency).where(_idempotency.created_at < bindparam("before")),
}


class Head(NamedTuple):
    """The locked head: leaves so far, frontier (changed in place while appending), the time new records get, which log."""

    size: int
    frontier: list[bytes]
    moment: int
    log_id: str


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
    once: tuple[Once, ...]
    """Its idempotency key as every index key names it, the one in force first; empty without one."""

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
    """Seals the record's payload; who acted, and on whom, goes in front of it, one line of JSON."""
    actor = actor_ref(keys.index, record.issuer, record.subject)
    kek_id = keys.ids["encryption"]
    sealed = seal(
        opened_form(record), log_id=log_id, record_id=record.record_id, encryption_key=keys.encryption, kek_id=kek_id
    )
    tags = tuple(look_up_tags(keys.index, record.nominal_ids, record.about))
    once = once_names(keys, record.issuer, record.subject, record.idempotency)
    return Draft(log_id, record, actor, sealed, kek_id, tags, once)


def opened_form(record: NewRecord) -> bytes:
    """What is put under seal: a line of JSON with the names, and then the payload as it was handed in."""
    names = {"issuer": record.issuer, "subject": record.subject, "nominals": record.nominal_ids}
    if record.about:
        names["about"] = record.about
    return json.dumps(names).encode() + b"\n" + record.payload


def once_names(keys: Keys, issuer: str, subject: str, given: Idempotency | None) -> tuple[Once, ...]:
    """A caller's idempotency key as each index key names it; retries may come from before a rotation."""
    if given is None:
        return ()
    return tuple(
        Once(
            idempotency_tag(index, actor_ref(index, issuer, subject), given.route, given.key),
            body_tag(index, given.body_sha256),
        )
        for index in keys.indexes
    )


class Appender:
    """Appends batches to the log of one database.

    The statements are compiled once and run on the driver's own cursor: through SQLAlchemy the seven of them cost more
    than the disk does.
    """

    def __init__(self, engine: Engine, keys: Keys) -> None:
        self._engine = engine
        self._epoch = keys.epoch
        self._sql = {name: driver_sql(engine, statement) for name, statement in _STATEMENTS.items()}

    def append(self, drafts: Sequence[Draft]) -> list[Outcome]:
        """Stores all that are new and says, in order, what became of each; on any error none is stored.

        Errors: Unavailable when the database failed, its subclass Duplicate when a record id is already in the log.
        """
        with driver_transaction(self._engine) as cursor:
            return self.append_within(cursor, self.lock_head(cursor), drafts)

    def lock_head(self, cursor: Any) -> Head:
        """Locks the log's end for this transaction. Errors: Unavailable where the keys were rotated meanwhile."""
        size, packed, last_time, log_id, epoch = cursor.execute(self._sql["lock head"]).fetchone()
        if epoch != self._epoch:
            raise Unavailable(ROTATED)
        moment = max(time.time_ns() // 1000, last_time)  # a clock set back must not reorder the log
        return Head(size, merkle.unpack(packed), moment, log_id)

    def append_within(self, cursor: Any, head: Head, drafts: Sequence[Draft]) -> list[Outcome]:
        """`append` as part of a larger transaction that locked `head`."""
        repeats = self._repeats(cursor, drafts, head.moment)
        fresh = [one for one, repeat in zip(drafts, repeats, strict=True) if repeat is None]
        stored = iter(self._store(cursor, fresh, head))
        return [next(stored) if repeat is None else repeat for repeat in repeats]

    def _repeats(
        self, cursor: Any, drafts: Sequence[Draft], moment: int
    ) -> list[Replayed | IdempotencyMismatch | Erased | None]:
        """For each draft, how its idempotency key was answered before; None where the record is new."""
        if not any(one.once for one in drafts):
            return [None] * len(drafts)
        cursor.execute(self._sql["forget keys"], {"before": moment - IDEMPOTENCY_MICROSECONDS})
        known: dict[bytes, tuple[str, bytes]] = {}
        return [self._repeat(cursor, one, known) if one.once else None for one in drafts]

    def _repeat(
        self, cursor: Any, one: Draft, known: dict[bytes, tuple[str, bytes]]
    ) -> Replayed | IdempotencyMismatch | Erased | None:
        for once in one.once:
            found = known.get(once.key_tag)
            found = found or cursor.execute(self._sql["find key"], {"key_tag": once.key_tag}).fetchone()
            if found is not None:
                record_id, body = found
                return repeated(record_id, body, once.body_tag)
        known[one.once[0].key_tag] = (
            one.record.record_id,
            one.once[0].body_tag,
        )  # a second one in this batch repeats it
        return None

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


def repeated(record_id: str, known_body: bytes, body: bytes) -> Replayed | IdempotencyMismatch | Erased:
    """What a second request with a known idempotency key is answered with."""
    if known_body == FORGOTTEN:
        return Erased("The record that answered this Idempotency-Key has been erased.")
    if known_body != body:
        return IdempotencyMismatch("This Idempotency-Key was used before with another body.")
    return Replayed(record_id)


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
    if one.record.idempotency is not None:
        asked = {"actor_ref": one.actor, "route": one.record.idempotency.route, "created_at": moment}
        rows["idempotency"].append(one.once[0]._asdict() | asked | {"record_id": record_id})
