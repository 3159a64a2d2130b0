"""The witness: remembers the newest checkpoint of a log it has seen, and cosigns only what continues it.

It is meant for another machine and another owner than the log's. Three files are its own: the state, which is the last note
it cosigned; `<state>.key`, its private key; `<state>.lock`.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.audit.checkpoint import Checkpoint, continues, open_checkpoint
from app.audit.note import WITNESS, Signer, Verifier, parse_note, parse_signer, plain_name, time_of
from app.errors import SetupError, VerificationFailed
from app.files import write_private


class Source(Protocol):
    """Where a log is asked for its newest checkpoint, and for proofs."""

    def checkpoint(self) -> bytes: ...

    def proof(self, first: int, second: int) -> list[bytes]: ...


class Cosigned(NamedTuple):
    """A checkpoint, its note with the witness's line added, and the size of the one it was compared with (None: none)."""

    checkpoint: Checkpoint
    note: bytes
    before: int | None


class Witness:
    """Cosigns checkpoints of the log that `verifier` is the key of. `name` is taken at the first run only."""

    def __init__(self, state: Path, verifier: Verifier, name: str = "dayzero-witness") -> None:
        self._state = state
        self._key_file = state.with_name(state.name + ".key")
        self._log = verifier
        self._name = name

    def cosign(self, source: Source, *, trust_first: bool = False) -> Cosigned:
        """Fetches, compares, signs and remembers; the state changes only after all of it succeeded.

        `trust_first` allows a first run: there is nothing to compare with yet.
        Errors: VerificationFailed where the log does not continue what was cosigned before; SetupError for unusable files.
        """
        with self._alone():
            known = self._known(trust_first=trust_first)
            note = source.checkpoint()
            new = open_checkpoint(note, self._log)
            if known is not None:
                _demand_continued(known, new, source)
            signer = self._signer(create=known is None)
            line = signer.line(new.text, int(time.time()))
            cosigned = parse_note(note).signed_again(signer.verifier, line)
            _replace(self._state, cosigned)
        return Cosigned(new, cosigned, None if known is None else known.size)

    def verifier(self) -> Verifier:
        """The key that checks this witness's cosignatures. Errors: SetupError before its first run."""
        return self._signer(create=False).verifier

    def _known(self, *, trust_first: bool) -> Checkpoint | None:
        """The last cosigned checkpoint; None at a first run."""
        try:
            note = self._state.read_bytes()
        except FileNotFoundError:
            if trust_first:
                return None
            raise SetupError(
                "The witness has no state yet. Compare the log's key with its owner by other means, then run once with "
                "--trust-first. Did it have a state before? Restore that file instead."
            ) from None
        except OSError:
            raise SetupError("The witness's state cannot be read: check the file's owner.") from None
        parse_note(note).verify(self.verifier())
        return open_checkpoint(note, self._log)

    def _signer(self, *, create: bool) -> Signer:
        if create and not self._key_file.exists():
            self._make_key()
        try:
            signer = parse_signer(self._key_file.read_text(encoding="utf-8"), WITNESS)
        except (OSError, ValueError):
            raise SetupError("The witness's key file is missing or damaged: restore it beside the state.") from None
        return signer

    def _make_key(self) -> None:
        if not plain_name(self._name):
            raise SetupError("The witness's name must not hold spaces or plus.")
        signer = Signer(self._name, WITNESS, Ed25519PrivateKey.generate())
        _replace(self._key_file, f"{signer.secret}\n".encode())

    @contextmanager
    def _alone(self) -> Iterator[None]:
        try:
            lock = os.open(f"{self._state}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            raise SetupError("The witness's folder cannot be written: check --state.") from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


def cosigned_at(note: bytes, witness: Verifier) -> int:
    """When this witness cosigned the note, POSIX seconds. Errors: VerificationFailed where it did not."""
    return time_of(parse_note(note).verify(witness))


def _demand_continued(known: Checkpoint, new: Checkpoint, source: Source) -> None:
    if new.size < known.size:
        raise VerificationFailed(
            f"Not cosigned: the log shows {new.size} records and had {known.size} when it was cosigned last. It was set "
            "back, or this checkpoint is an old one."
        )
    proof = source.proof(known.size, new.size) if 0 < known.size < new.size else []
    if not continues(known, new, proof):
        raise VerificationFailed(
            f"Not cosigned: the log of {new.size} records does not continue the one of {known.size} that was cosigned "
            "last. Records before that were changed, or the proof belongs to other sizes."
        )


def _replace(path: Path, content: bytes) -> None:
    """The old content or the new one, whatever happens in between; readable by its owner only."""
    try:
        write_private(path, content)
    except OSError:
        raise SetupError(f"{path.name} cannot be written: check space and owner of its folder.") from None
