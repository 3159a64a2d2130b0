"""The secrets under `<home>/keys/`: made once, never silently replaced.

    index.key        HMAC over actors and nominal ids, so that records can be searched without naming anyone
    encryption.key   wraps each record's own data key
    token.key        Ed25519, signs the local tokens of `dayzero token`
    note.key         Ed25519, signs the log's checkpoints
    ledger           no secret: the id of the log these keys serve

The database remembers the id of each key in use. A lost index key makes records unfindable and a lost encryption key
makes them unreadable, so a missing or different key stops the start instead of being replaced. A purpose that a newer
version added is the one exception: a database that has never used such a key takes one, once.
"""

import contextlib
import fcntl
import hmac
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, Engine, text

from app.database import is_sqlite, read_transaction, write_transaction
from app.errors import SetupError

PURPOSES = ("index", "encryption", "token", "note")
ADDED_LATER = frozenset({"note"})
"""Purposes that databases of the first version know no key of; they may take one until the first checkpoint is signed."""

KEY_BYTES = 32
_MAGIC = "dayzero-key-1"


@dataclass(frozen=True, repr=False)
class Keys:
    """The secrets and, by purpose, their public ids (16 hex digits)."""

    index: bytes
    encryption: bytes
    token: Ed25519PrivateKey
    note: Ed25519PrivateKey
    ids: dict[str, str]


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
    secrets = {purpose: _read(_path(home, purpose), purpose) for purpose in PURPOSES}
    ids = {purpose: key_id(secret) for purpose, secret in secrets.items()}
    recorded = _recorded_ids(engine)
    if not recorded:
        _refuse_lost_ledger(home, engine)
    if recorded.keys() < ids.keys():
        recorded = _record_ids(engine, ids)
    _remember_ledger(home, engine)
    for purpose in PURPOSES:
        if recorded.get(purpose) != ids[purpose]:
            raise SetupError(
                f"The {purpose} key in {_path(home, purpose)} is not the one this database was written with: "
                "restore that key from the backup, or check DAYZERO_HOME and DAYZERO_DATABASE_URL."
            )
    token, note = (Ed25519PrivateKey.from_private_bytes(secrets[purpose]) for purpose in ("token", "note"))
    return Keys(secrets["index"], secrets["encryption"], token, note, ids)


def create_keys(home: Path, *, only_for: Engine | None = None) -> list[str]:
    """Makes the keys that are missing under `home/keys` and gives their purposes; never touches one that exists.

    With an engine it makes only those that this database, once we are alone, may still take.
    """
    with _alone(home):
        wanted = set(PURPOSES) if only_for is None else _open_purposes(only_for)
        missing = [purpose for purpose in PURPOSES if purpose in wanted and not _path(home, purpose).exists()]
        for purpose in missing:
            _write(_path(home, purpose), purpose, os.urandom(KEY_BYTES))
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


def key_id(secret: bytes) -> str:
    """A public name for a key, from which the key cannot be computed."""
    return hmac.digest(secret, b"dayzero key id", "sha256")[:8].hex()


def _path(home: Path, purpose: str) -> Path:
    return home / "keys" / f"{purpose}.key"


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Holds the key folder's lock; makes the folder."""
    folder = home / "keys"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        raise SetupError(f"The key folder {folder} cannot be written: check DAYZERO_HOME and its owner.") from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _write(path: Path, purpose: str, secret: bytes) -> None:
    """All or nothing: a crash leaves either no key or a whole one. The caller holds the lock."""
    half = path.with_suffix(".half")
    half.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(f"{_MAGIC} {purpose} {secret.hex()} {_checksum(purpose, secret)}\n")
            file.flush()
            os.fsync(file.fileno())
        half.rename(path)
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError:
        raise SetupError(f"The {purpose} key cannot be written to {path.parent}: check space and owner.") from None


def _read(path: Path, purpose: str) -> bytes:
    _refuse_open_folder(path.parent)
    try:
        with path.open("rb") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                raise SetupError(f"The {purpose} key can be read by others: run `chmod 600 {path}`.")
            words = file.read(1024).split()
    except FileNotFoundError:
        raise SetupError(
            f"The {purpose} key {path} is missing: restore it from the backup, "
            "or run `dayzero keys create` if this database has never used one."
        ) from None
    except OSError:
        raise SetupError(f"The {purpose} key {path} cannot be read: check its owner.") from None
    return _decode(words, path, purpose)


def _decode(words: list[bytes], path: Path, purpose: str) -> bytes:
    try:
        magic, written_for, digits, checksum = (word.decode("ascii") for word in words)
        secret = bytes.fromhex(digits)
    except ValueError:
        magic, written_for, checksum, secret = "", "", "", b""
    sound = (magic, written_for, len(secret)) == (_MAGIC, purpose, KEY_BYTES)
    if not sound or not hmac.compare_digest(checksum, _checksum(purpose, secret)):
        raise SetupError(f"The {purpose} key {path} is damaged or not a key file: restore it from the backup.")
    return secret


def _refuse_open_folder(folder: Path) -> None:
    if folder.exists() and stat.S_IMODE(folder.stat().st_mode) & 0o022:
        raise SetupError(f"Others may replace the keys in {folder}: run `chmod 700 {folder}`.")


def _checksum(purpose: str, secret: bytes) -> str:
    """Finds cut-off and flipped bytes; says nothing of the key."""
    return hmac.digest(secret, f"dayzero key file {purpose}".encode(), "sha256")[:8].hex()


def _recorded_ids(engine: Engine) -> dict[str, str]:
    with read_transaction(engine) as connection:
        return _select_ids(connection)


def _select_ids(connection: Connection) -> dict[str, str]:
    rows = connection.execute(text("SELECT purpose, key_id FROM ledger_key")).all()
    return {row.purpose: row.key_id for row in rows}


def _open_purposes(engine: Engine) -> set[str]:
    with read_transaction(engine) as connection:
        return _select_open(connection, _select_ids(connection))


def _select_open(connection: Connection, recorded: dict[str, str]) -> set[str]:
    """Purposes the database may still take a key for: all at first, then those added later, before anything is signed."""
    if not recorded:
        return set(PURPOSES)
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
