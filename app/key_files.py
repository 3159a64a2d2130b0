"""The files below `<home>/keys/`: written whole or not at all, read only where nobody else could have read or replaced them.

<purpose>.key                 the key in force, one line: magic, purpose, hex digits, checksum
<purpose>.next                a key that a rotation made and the database does not know yet
retired/<purpose>-<id>.key    a key that was in force before; of a note key only the public half
"""

import fcntl
import hmac
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.errors import SetupError
from app.files import write_private

KEY_BYTES = 32
RETIRED = {"index": "index", "encryption": "encryption", "note": "note-public"}
"""What is kept of a key that is no longer in force: all of it, or of a signing key only what checks with it."""

_MAGIC = "dayzero-key-1"


def current_path(home: Path, purpose: str) -> Path:
    return home / "keys" / f"{purpose}.key"


def next_path(home: Path, purpose: str) -> Path:
    return home / "keys" / f"{purpose}.next"


def unfinished_path(home: Path, purpose: str) -> Path:
    """There while a rotation has still to bring older records under the new key."""
    return home / "keys" / f"{purpose}.unfinished"


def retired_path(home: Path, purpose: str, identity: str) -> Path:
    return home / "keys" / "retired" / f"{purpose}-{identity}.key"


def key_id(secret: bytes) -> str:
    """A public name for a key, from which the key cannot be computed."""
    return hmac.digest(secret, b"dayzero key id", "sha256")[:8].hex()


@contextmanager
def alone(home: Path) -> Iterator[None]:
    """Holds the key folder's lock; makes the folder. Errors: SetupError where it cannot be written."""
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


def promote(home: Path, purpose: str) -> None:
    """Makes the key a rotation made the one in force, and keeps the one before where it is still needed.

    May be interrupted anywhere and done again. The caller holds the lock, and the database knows the new key already.
    """
    old = read_key(current_path(home, purpose), purpose)
    if purpose in RETIRED:
        kept = retired_path(home, purpose, key_id(old))
        kept.parent.mkdir(mode=0o700, exist_ok=True)
        write_key(kept, RETIRED[purpose], _public_half(old) if purpose == "note" else old)
    next_path(home, purpose).replace(current_path(home, purpose))


def read_retired(home: Path, purpose: str) -> dict[str, bytes]:
    """Keys of a purpose that were in force before, by the id they had."""
    found = sorted((home / "keys" / "retired").glob(f"{purpose}-*.key"))
    return {path.stem.removeprefix(f"{purpose}-"): read_key(path, RETIRED[purpose]) for path in found}


def _public_half(secret: bytes) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()


def write_key(path: Path, purpose: str, secret: bytes) -> None:
    """All or nothing: a crash leaves either no key or a whole one. The caller holds the lock."""
    try:
        write_private(path, _line(purpose, secret))
    except OSError:
        raise SetupError(f"The {purpose} key cannot be written to {path.parent}: check space and owner.") from None


def read_key(path: Path, purpose: str) -> bytes:
    _refuse_open_folder(path.parent)
    try:
        with path.open("rb") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                raise SetupError(f"The {purpose} key can be read by others: run `chmod 600 {path}`.")
            raw = file.read(1024)
    except FileNotFoundError:
        raise SetupError(
            f"The {purpose} key {path} is missing: restore it from the backup, "
            "or run `dayzero keys create` if this database has never used one."
        ) from None
    except OSError:
        raise SetupError(f"The {purpose} key {path} cannot be read: check its owner.") from None
    return _decode(raw, path, purpose)


def _decode(raw: bytes, path: Path, purpose: str) -> bytes:
    try:
        secret = bytes.fromhex(raw.split()[2].decode("ascii"))
    except (ValueError, IndexError):
        secret = b""
    if len(secret) != KEY_BYTES or not hmac.compare_digest(raw, _line(purpose, secret)):
        raise SetupError(f"The {purpose} key {path} is damaged or not a key file: restore it from the backup.")
    return secret


def _line(purpose: str, secret: bytes) -> bytes:
    """What a key file holds, to the byte."""
    return f"{_MAGIC} {purpose} {secret.hex()} {_checksum(purpose, secret)}\n".encode()


def _refuse_open_folder(folder: Path) -> None:
    if folder.exists() and stat.S_IMODE(folder.stat().st_mode) & 0o022:
        raise SetupError(f"Others may replace the keys in {folder}: run `chmod 700 {folder}`.")


def _checksum(purpose: str, secret: bytes) -> str:
    """Finds cut-off and flipped bytes; says nothing of the key."""
    return hmac.digest(secret, f"dayzero key file {purpose}".encode(), "sha256")[:8].hex()
