"""Exchanging a key of a log for a new one, and bringing what the old one protected under the new one.

    1  the new key is written to a file of its own
    2  one transaction appends a `key-rotation` record, tells the database the new key's id and raises its key epoch;
       for the note key it also stores a checkpoint that both keys have signed, which hands auditors from one to the other
    3  the file takes the old one's place
    4  encryption: every data key is wrapped anew, and the old key is destroyed
       index: every look-up tag is computed anew; the old key stays, since callers' names in the leaves stay
       note: of the old key only the public half stays; token: nothing stays, its tokens are void

Wherever this is interrupted, running it again goes on. Processes that still hold the old keys append nothing after step 2
and say so on `/health/ready`; restart them.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, Engine, bindparam, delete, insert, select, text, update

from app.audit import merkle, tables
from app.audit.appending import Appender, Head, draft
from app.audit.checkpoint import Checkpoint
from app.audit.note import LOG, Signer
from app.audit.opening import open_sealed
from app.audit.records import Envelope, NewRecord, look_up_tags
from app.audit.sealing import Wrapping, wrap_again
from app.audit.signing import Checkpoints
from app.database import driver_sql, driver_transaction, read_transaction, write_transaction
from app.errors import Unavailable
from app.key_files import key_id, next_path, retired_path, unfinished_path
from app.keys import Keys, load_keys, make_next
from app.purposes import OWN_PURPOSE

PAGE = 50
Progress = Callable[[int, int], None]
"""Called now and then with records done so far and records in all."""

_entry, _key, _payload = tables.entry.c, tables.data_key.c, tables.payload.c
_CONTENTS = (
    select(_entry.envelope, _key.wrapped_key, _key.kek_id, _payload.nonce, _payload.ciphertext)
    .select_from(
        tables.entry.join(tables.data_key, _entry.record_id == _key.record_id).join(
            tables.payload, _entry.record_id == _payload.record_id
        )
    )
    .where(_entry.sequence >= bindparam("first"), _entry.sequence < bindparam("end"))
)
_WRAP = (
    update(tables.data_key)
    .where(_key.record_id == bindparam("which"))
    .values(wrapped_key=bindparam("wrapped_key"), kek_id=bindparam("kek_id"))
)
_DROP_TAGS = delete(tables.subject_index).where(tables.subject_index.c.record_id == bindparam("which"))
_ADD_TAG = insert(tables.subject_index)
_INSERT_CHECKPOINT = insert(tables.checkpoint)
_SET_KEY = text("UPDATE ledger_key SET key_id = :key_id WHERE purpose = :purpose")
_RAISE_EPOCH = "UPDATE log_head SET key_epoch = key_epoch + 1"


@dataclass(frozen=True, slots=True)
class Rotated:
    """What a rotation did: the ids before and after (the same where an interrupted one was only finished), how many
    records were brought under the new key, and how many could not be; for the note key the note both keys signed."""

    before: str
    after: str
    changed: int = 0
    left: int = 0
    handover: bytes | None = None


@dataclass(frozen=True, slots=True)
class Rotation:
    """Rotates keys below `home` for the log in `engine`, which connects as the role that owns the tables.

    `issuer` and `subject` are who does it; `origin` is the log's name in its checkpoints; `witness_state` is the witness's
    last note, where there is one, which the log must continue before its note key is exchanged.
    """

    home: Path
    engine: Engine
    issuer: str
    subject: str
    origin: str | None = None
    witness_state: Path | None = None

    def rotate(self, purpose: str, progress: Progress = lambda *_: None) -> Rotated:
        """Exchanges the key of a purpose.

        Errors: Unavailable, SetupError where files or database refuse; VerificationFailed where the note key was to sign a
        log that does not continue its newest checkpoint or the witness's.
        """
        keys = load_keys(self.home, self.engine)
        before, handover = keys.ids[purpose], None
        if next_path(self.home, purpose).exists() or not unfinished_path(self.home, purpose).exists():
            handover = self._exchange(purpose, keys, make_next(self.home, purpose))
            keys = load_keys(self.home, self.engine)
        changed, left = 0, 0
        if purpose == "encryption":
            changed, left = self._wrap_anew(keys, progress)
        elif purpose == "index":
            changed, left = self._tag_anew(keys, progress)
        elif purpose == "note" and handover is None:
            handover = Checkpoints(self.engine, keys, self.origin).newest_handover()
        # even where records are left: one that never opens must not stand in the way of every later rotation
        unfinished_path(self.home, purpose).unlink(missing_ok=True)
        return Rotated(before, keys.ids[purpose], changed, left, handover)

    def _exchange(self, purpose: str, keys: Keys, secret: bytes) -> bytes | None:
        """Step 2; the note that both keys signed where it was the note key."""
        after = key_id(secret)
        told = {"purpose": purpose, "before": keys.ids[purpose], "after": after}
        record = NewRecord("key-rotation", self.issuer, self.subject, json.dumps(told).encode(), purpose=OWN_PURPOSE)
        appender, handover = Appender(self.engine, keys), None
        with driver_transaction(self.engine) as cursor:
            head = appender.lock_head(cursor)
            if purpose == "note":  # never put two signatures under a log that was altered
                Checkpoints(self.engine, keys, self.origin).check(self.witness_state)
            appender.append_within(cursor, head, [draft(record, keys, head.log_id)])
            if purpose == "note":
                handover = self._sign_both(head, keys, secret)
                cursor.execute(driver_sql(self.engine, _INSERT_CHECKPOINT), {"size": head.size + 1, "note": handover})
            cursor.execute(driver_sql(self.engine, _SET_KEY), {"key_id": after, "purpose": purpose})
            cursor.execute(_RAISE_EPOCH)
        return handover

    def _sign_both(self, head: Head, keys: Keys, secret: bytes) -> bytes:
        """`head` after the append: its frontier is that of one record more than its size."""
        origin = self.origin or f"dayzero/{head.log_id}"
        checkpoint = Checkpoint(origin, head.size + 1, merkle.root(head.frontier))
        signers = [Signer(origin, LOG, key) for key in (keys.note, Ed25519PrivateKey.from_private_bytes(secret))]
        return f"{checkpoint.text}\n{''.join(one.line(checkpoint.text) for one in signers)}".encode()

    def _wrap_anew(self, keys: Keys, progress: Progress) -> tuple[int, int]:
        """Every data key under the key in force; the old keys are destroyed when nothing is under them any more."""
        new = Wrapping(keys.encryption, keys.ids["encryption"])

        def wrap(connection: Connection, row: Any) -> bool:
            if row.kek_id == new.identity:
                return False
            old = Wrapping(keys.encryption_of(row.kek_id), row.kek_id)
            leaf = Envelope.decode(row.envelope)
            wrapped = wrap_again(row.wrapped_key, leaf.record_id, leaf.log_id, old, new)
            connection.execute(_WRAP, {"which": leaf.record_id, "wrapped_key": wrapped, "kek_id": new.identity})
            return True

        changed, left = self._bring_over(wrap, progress)
        if not left:
            for identity in keys.earlier_encryption:
                retired_path(self.home, "encryption", identity).unlink(missing_ok=True)
        return changed, left

    def _tag_anew(self, keys: Keys, progress: Progress) -> tuple[int, int]:
        """Every look-up tag under the index key in force, from the names under seal."""

        def tag(connection: Connection, row: Any) -> bool:
            leaf = Envelope.decode(row.envelope)
            opened = open_sealed(keys, leaf, row)
            tags = look_up_tags(keys.index, opened.nominal_ids, opened.about)
            if tags:
                connection.execute(_DROP_TAGS, {"which": leaf.record_id})
                connection.execute(_ADD_TAG, [{"tag": one, "record_id": leaf.record_id} for one in tags])
            return bool(tags)

        return self._bring_over(tag, progress)

    def _bring_over(self, change: Callable[[Connection, Any], bool], progress: Progress) -> tuple[int, int]:
        """Offers every record that has its content to `change`, fifty a transaction: how many it changed, how many it could
        not because they do not open. The log's head is locked meanwhile, so that nothing is erased under our hands."""
        with read_transaction(self.engine) as connection:
            total = int(connection.execute(select(tables.log_head.c.size)).scalar_one())
        changed, left = 0, 0
        for start in range(0, total, PAGE):
            with write_transaction(self.engine) as connection:
                connection.execute(select(tables.log_head.c.size).with_for_update())
                for row in connection.execute(_CONTENTS, {"first": start, "end": start + PAGE}).all():
                    try:
                        changed += change(connection, row)
                    except (Unavailable, ValueError):  # a record that does not open, or a leaf that somebody wrote
                        left += 1
            progress(min(start + PAGE, total), total)
        return changed, left
