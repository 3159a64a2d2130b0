"""Erasing all that is held on one nominal, in one transaction with the record that says so.

Of each of their records the data key, the ciphertext, the look-up tags and the tag of the request's body are destroyed. The
leaf stays, so every proof made before or after still verifies. The erasure's own record names the records it emptied, never
the nominal: a record without content that no erasure names was emptied by somebody else (`verify` tells).
"""

import json
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, bindparam, delete, select, text, update
from sqlalchemy.sql.expression import ClauseElement

from app.audit import tables
from app.audit.appending import FORGOTTEN, Appender, draft
from app.audit.records import Appended, NewRecord
from app.audit.store import nominal_tags
from app.database import driver_sql, driver_transaction, is_sqlite, storage_errors, writer_lock
from app.errors import Unavailable
from app.keys import Keys

SCRUBBED = ("payload", "data_key", "subject_index", "idempotency")
_EMPTY_LOG = "PRAGMA wal_checkpoint(TRUNCATE)"

_about = select(tables.subject_index.c.record_id).where(tables.subject_index.c.tag == bindparam("tag"))
_ERASE: tuple[ClauseElement, ...] = (  # the tags last: by them the others are found
    update(tables.idempotency)
    .where(tables.idempotency.c.record_id.in_(_about))
    .values(body_tag=bindparam("forgotten")),
    delete(tables.data_key).where(tables.data_key.c.record_id.in_(_about)),
    delete(tables.payload).where(tables.payload.c.record_id.in_(_about)),
    delete(tables.subject_index).where(tables.subject_index.c.record_id.in_(_about)),
)
"""Each for all records under one tag at once: nobody appends meanwhile, so thousands must not take longer than a few."""


@dataclass(frozen=True, slots=True)
class Order:
    """Who wants what erased, on which authority (a reference, never a person's story) and for which reason."""

    nominal_id: str
    issuer: str
    subject: str
    authority: str
    reason: str


@dataclass(frozen=True, slots=True)
class Erasure:
    """What was done: how many records were emptied, the record of it, and whether the write-ahead log is empty, too."""

    records: int
    appended: Appended
    log_emptied: bool


class Eraser:
    """Erases in one database; `engine` connects as the role that may delete (DAYZERO_ERASURE_URL)."""

    def __init__(self, engine: Engine, keys: Keys) -> None:
        self._engine, self._keys = engine, keys
        self._appender = Appender(engine, keys)
        self._about = driver_sql(engine, _about)
        self._erase = [driver_sql(engine, statement) for statement in _ERASE]

    def erase(self, order: Order) -> Erasure:
        """Empties every record about the nominal; with nothing held on them only the order itself is recorded.

        Errors: Unavailable where the database failed: nothing was erased then.
        """
        with driver_transaction(self._engine) as cursor:
            head = self._appender.lock_head(cursor)
            emptied = self._empty(cursor, nominal_tags(self._keys, order.nominal_id))
            own = draft(_told(order, emptied), self._keys, head.log_id)
            (appended,) = self._appender.append_within(cursor, head, [own])
        if not isinstance(appended, Appended):
            raise Unavailable("The erasure was not recorded.")
        return Erasure(len(emptied), appended, self._empty_log())

    def _empty(self, cursor: Any, tags: Sequence[bytes]) -> list[str]:
        """Destroys what the records under these tags hold, and gives their ids."""
        emptied: set[str] = set()
        for tag in tags:
            about = {row[0] for row in cursor.execute(self._about, {"tag": tag}).fetchall()}
            for statement in self._erase if about else ():
                cursor.execute(statement, {"tag": tag, "forgotten": FORGOTTEN})
            emptied |= about
        return sorted(emptied)

    def _empty_log(self) -> bool:
        """SQLite's write-ahead log still holds the pages as they were until it is emptied; a reader may prevent that now.

        PostgreSQL's is emptied by its administrator (docs/erasure.md).
        """
        if not is_sqlite(self._engine):
            return False
        with storage_errors(self._engine), closing(self._engine.raw_connection()) as connection:
            return _empty_log(connection)


def _empty_log(connection: Any) -> bool:
    """Empties SQLite's write-ahead log; False where a reader, or the time it takes, prevents it."""
    busy, _, _ = connection.cursor().execute(_EMPTY_LOG).fetchone()
    return not busy


def _told(order: Order, emptied: Sequence[str]) -> NewRecord:
    told = {"authority": order.authority, "reason": order.reason, "records": list(emptied)}
    return NewRecord("erasure", order.issuer, order.subject, json.dumps(told).encode(), purpose="subject-rights")


def named_by(payload: bytes) -> list[str]:
    """The records an erasure's own record says it emptied."""
    records: list[str] = json.loads(payload)["records"]
    return records


def scrub(engine: Engine) -> None:
    """Rewrites what erasures left unused inside the database files, and turns the write-ahead log over.

    SQLite: the whole file. PostgreSQL: four tables, each locked while it is written anew; the role must own them and may
    need `pg_checkpoint` and the right to call `pg_switch_wal`. Errors: Unavailable where the database refuses,
    and where somebody who reads SQLite's file keeps its write-ahead log from being emptied.
    """
    if is_sqlite(engine):
        with storage_errors(engine), writer_lock(engine), closing(engine.raw_connection()) as raw:
            raw.cursor().execute("VACUUM")
            if not _empty_log(raw):
                raise Unavailable(
                    "The file was rewritten, but its write-ahead log is in use and still holds what was there: run it "
                    "again when nobody reads the database."
                )
        return
    alone = engine.execution_options(isolation_level="AUTOCOMMIT")
    with storage_errors(engine), alone.connect() as connection:
        connection.execute(text("SET lock_timeout = '60s'"))
        for table in SCRUBBED:
            connection.execute(text(f"VACUUM (FULL) {table}"))
        for statement in ("CHECKPOINT", "SELECT pg_switch_wal()", "CHECKPOINT"):
            connection.execute(text(statement))
