"""The secrets under `<home>/keys/`: made once, never silently replaced.

    index.key        HMAC over actors and nominal ids, so that records can be searched without naming anyone
    encryption.key   wraps each record's own data key
    token.key        Ed25519, signs the local tokens of `dayzero token`
    note.key         Ed25519, signs the log's checkpoints
    ledger           no secret: the id of the log these keys serve

The database remembers the id of each key in use. A lost index key makes records unfindable and a lost encryption key
makes them unreadable, so a missing or different key stops the start instead of being replaced. A purpose that a newer
version added is the one exception: a database that has never used such a key takes one, once.

A rotation (`app/audit/rotation.py`) makes the new key as a file first, then tells the database, and only then puts the
file in the old one's place: wherever it is interrupted, the next start finds one consistent set and finishes. Each
rotation also raises the database's key epoch, so that a process still holding the old keys appends nothing with them.
"""

import contextlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import Connection, Engine, text

from app.database import is_sqlite, read_transaction, write_transaction
from app.errors import SetupError, Unavailable
from app.key_files import (
    KEY_BYTES,
    alone,
    current_path,
    key_id,
    next_path,
    promote,
    read_key,
    read_retired,
    unfinished_path,
    write_key,
)
from app.purposes import KEY_PURPOSES

ADDED_LATER = frozenset({"note"})
"""Purposes that databases of the first version know no key of; they may take one until the first checkpoint is signed."""

ROTATED = "The keys of this log were rotated: restart this process so that it loads them."


@dataclass(frozen=True, repr=False)
class Keys:
    """The secrets in force and, by purpose, their public ids (16 hex digits).

    `earlier_index` and `earlier_encryption` (by id) are what older records were written with,
    `earlier_note` the public halves that older checkpoints were signed with; `epoch` counts the rotations.
    """

    index: bytes
    encryption: bytes
    token: Ed25519PrivateKey
    note: Ed25519PrivateKey
    ids: Mapping[str, str]
    epoch: int = 0
    earlier_index: tuple[bytes, ...] = ()
    earlier_encryption: Mapping[str, bytes] = field(default_factory=dict)
    earlier_note: tuple[Ed25519PublicKey, ...] = ()

    @property
    def indexes(self) -> tuple[bytes, ...]:
        """Every index key that records may have been written with; the one in force first."""
        return (self.index, *self.earlier_index)

    def encryption_of(self, identity: str) -> bytes:
        """The key-encryption key of this id. Errors: Unavailable where it is not loaded."""
        if identity == self.ids["encryption"]:
            return self.encryption
        try:
            return self.earlier_encryption[identity]
        except KeyError:
            raise Unavailable("The record was sealed under an encryption key that is not loaded.") from None


class Recorded(NamedTuple):
    """What the database knows of its keys: ids by purpose, and how often they were rotated."""

    ids: dict[str, str]
    epoch: int


def ensure_keys(home: Path, engine: Engine) -> Keys:
    """The keys of this database; on SQLite makes those that are missing and that the database may still take.

    Errors: SetupError for a key that is missing, unusable, readable by others or not the one the database knows.
    """
    if is_sqlite(engine) and _open_purposes(engine):
        create_keys(home, only_for=engine)
    return load_keys(home, engine)


def load_keys(home: Path, engine: Engine) -> Keys:
    """The keys of this database; one that knows no key of a purpose yet, and may still take it, takes the one here.

    Errors: as `ensure_keys`.
    """
    recorded = _recorded(engine)
    _finish_rotations(home, recorded.ids)
    secrets = {purpose: read_key(current_path(home, purpose), purpose) for purpose in KEY_PURPOSES}
    ids = {purpose: key_id(secret) for purpose, secret in secrets.items()}
    if not recorded.ids:
        _refuse_lost_ledger(home, engine)
    known = _record_ids(engine, ids) if recorded.ids.keys() < ids.keys() else recorded.ids
    _remember_ledger(home, engine)
    for purpose in KEY_PURPOSES:
        if known.get(purpose) != ids[purpose]:
            raise SetupError(
                f"The {purpose} key in {current_path(home, purpose)} is not the one this database was written with: "
                "restore that key from the backup, bring it from the machine that rotated it, "
                "or check DAYZERO_HOME and DAYZERO_DATABASE_URL."
            )
    token, note = (Ed25519PrivateKey.from_private_bytes(secrets[purpose]) for purpose in ("token", "note"))
    return Keys(
        index=secrets["index"],
        encryption=secrets["encryption"],
        token=token,
        note=note,
        ids=ids,
        epoch=recorded.epoch,
        earlier_index=tuple(read_retired(home, "index").values()),
        earlier_encryption=read_retired(home, "encryption"),
        earlier_note=tuple(map(Ed25519PublicKey.from_public_bytes, read_retired(home, "note").values())),
    )


def _finish_rotations(home: Path, recorded: Mapping[str, str]) -> None:
    """A key the database knows already, but whose file was not yet put in place when the rotation was interrupted."""
    for purpose in KEY_PURPOSES:
        waiting = next_path(home, purpose)
        if waiting.exists() and key_id(read_key(waiting, purpose)) == recorded.get(purpose):
            with alone(home):
                if waiting.exists():
                    promote(home, purpose)


def make_next(home: Path, purpose: str) -> bytes:
    """The key that is to follow the one in force, made where an interrupted rotation has not left one."""
    with alone(home):
        path = next_path(home, purpose)
        if not path.exists():
            write_key(path, purpose, os.urandom(KEY_BYTES))
        unfinished_path(home, purpose).touch(mode=0o600)
        return read_key(path, purpose)


def check_epoch(engine: Engine, keys: Keys) -> None:
    """Errors: Unavailable where the keys were rotated since they were loaded."""
    if _recorded(engine).epoch != keys.epoch:
        raise Unavailable(ROTATED)


def create_keys(home: Path, *, only_for: Engine | None = None) -> list[str]:
    """Makes the keys that are missing under `home/keys` and gives their purposes; never touches one that exists.

    With an engine it makes only those that this database, once we are alone, may still take.
    """
    with alone(home):
        wanted = set(KEY_PURPOSES) if only_for is None else _open_purposes(only_for)
        missing = [
            purpose for purpose in KEY_PURPOSES if purpose in wanted and not current_path(home, purpose).exists()
        ]
        for purpose in missing:
            write_key(current_path(home, purpose), purpose, os.urandom(KEY_BYTES))
        return missing


def _refuse_lost_ledger(home: Path, engine: Engine) -> None:
    """Keys that already served a ledger do not quietly begin another: the first may have been deleted."""
    if _ledger_of(home).exists() and _ledger_of(home).read_text(encoding="ascii").strip() != _log_id(engine):
        raise SetupError(
            f"The keys in {home / 'keys'} belong to a ledger that this database does not hold: restore that database, "
            "or move the key folder away to begin a new ledger."
        )


def _remember_ledger(home: Path, engine: Engine) -> None:
    if not _ledger_of(home).exists():
        with contextlib.suppress(OSError):  # keys may lie on a read-only mount
            _ledger_of(home).write_text(f"{_log_id(engine)}\n", encoding="ascii")


def _log_id(engine: Engine) -> str:
    with read_transaction(engine) as connection:
        return str(connection.execute(text("SELECT log_id FROM log_head")).scalar_one())


def _ledger_of(home: Path) -> Path:
    return home / "keys" / "ledger"


def _recorded(engine: Engine) -> Recorded:
    with read_transaction(engine) as connection:
        epoch = connection.execute(text("SELECT key_epoch FROM log_head")).scalar_one()
        return Recorded(_select_ids(connection), int(epoch))


def _select_ids(connection: Connection) -> dict[str, str]:
    rows = connection.execute(text("SELECT purpose, key_id FROM ledger_key")).all()
    return {row.purpose: row.key_id for row in rows}


def _open_purposes(engine: Engine) -> set[str]:
    with read_transaction(engine) as connection:
        return _select_open(connection, _select_ids(connection))


def _select_open(connection: Connection, recorded: dict[str, str]) -> set[str]:
    """Purposes the database may still take a key for: all at first, then those added later, before anything is signed."""
    if not recorded:
        return set(KEY_PURPOSES)
    signed = connection.execute(text("SELECT size FROM checkpoint LIMIT 1")).first()
    return set() if signed else set(ADDED_LATER - recorded.keys())


def _record_ids(engine: Engine, ids: dict[str, str]) -> dict[str, str]:
    """Makes these the database's keys where it may still take them and nobody was faster; gives what is recorded now."""
    lock = "" if is_sqlite(engine) else " FOR UPDATE"
    with write_transaction(engine) as connection:
        size = connection.execute(text(f"SELECT size FROM log_head{lock}")).scalar_one()  # noqa: S608
        recorded = _select_ids(connection)
        if size and not recorded:
            raise SetupError("The database holds records but no longer says with which keys: restore it from a backup.")
        taken = {purpose: ids[purpose] for purpose in _select_open(connection, recorded)}
        rows = [{"purpose": purpose, "key_id": identity} for purpose, identity in taken.items()]
        if rows:
            connection.execute(text("INSERT INTO ledger_key (purpose, key_id) VALUES (:purpose, :key_id)"), rows)
    return recorded | taken
