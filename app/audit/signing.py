"""The log's own checkpoints: signed when it has grown, kept beside it, never two that contradict each other.

Any number of processes may sign. Each checkpoint is signed only after it was proven to continue the newest one that is
stored, so a log that was altered or set back behind the service's back gets no signature.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, insert, select

from app import metrics
from app.audit import merkle, proofs, tables
from app.audit.checkpoint import Checkpoint, continues, open_checkpoint, sign_checkpoint
from app.audit.note import LOG, MAX_NOTE_BYTES, Signer, Verifier
from app.database import Duplicate, read_transaction, write_transaction
from app.errors import SetupError, Unavailable, VerificationFailed
from app.keys import ROTATED, Keys

_size, _note = tables.checkpoint.c.size, tables.checkpoint.c.note


class Signed(NamedTuple):
    """A checkpoint and its note, byte for byte."""

    checkpoint: Checkpoint
    note: bytes


class Head(NamedTuple):
    """Where the log ends now: records, and the time of the newest (microseconds since 1970)."""

    size: int
    last_time: int


class Checkpoints:
    """Signs and keeps the checkpoints of one database.

    `origin` is the log's name for ever; None means `dayzero/<log id>`. Errors everywhere: Unavailable when the database
    does not answer.
    """

    def __init__(self, engine: Engine, keys: Keys, origin: str | None = None) -> None:
        self._engine = engine
        self._epoch = keys.epoch
        with read_transaction(engine) as connection:
            log_id = connection.execute(select(tables.log_head.c.log_id)).scalar_one()
        self._signer = Signer(origin or f"dayzero/{log_id}", LOG, keys.note)
        self._earlier = [Verifier(self._signer.name, LOG, key.public_bytes_raw()) for key in keys.earlier_note]

    @property
    def verifier(self) -> Verifier:
        """What auditors check with; its name is the origin."""
        return self._signer.verifier

    @property
    def verifiers(self) -> list[Verifier]:
        """The keys that this log's checkpoints were ever signed with, the one in force first."""
        return [self.verifier, *self._earlier]

    def head(self) -> Head:
        with read_transaction(self._engine) as connection:
            row = connection.execute(select(tables.log_head)).one()
        return Head(row.size, row.last_time)

    def newest(self) -> bytes:
        """The newest signed note. Errors: Unavailable where none was signed yet."""
        with read_transaction(self._engine) as connection:
            note = _newest(connection)
        if note is None:
            raise Unavailable("No checkpoint has been signed yet; try again.")
        return note

    def sign(self) -> Signed:
        """The checkpoint over all there is now; signed and stored unless it was already.

        Errors: VerificationFailed where the log does not continue the newest checkpoint, Unavailable where the keys were
        rotated since.
        """
        with read_transaction(self._engine) as connection:
            stored = _newest(connection)  # before the head: that one may grow in between, never shrink
            current = self._current(connection)
            old = None if stored is None else self._own(stored)
            if old is not None:
                _demand_continued(connection, old, current, "the newest checkpoint it signed")
        signed = Signed(current, stored if stored and old == current else sign_checkpoint(current, self._signer))
        if signed.note != stored:
            self._keep(signed)
        metrics.CHECKPOINT_SIZE.set(current.size)
        metrics.CHECKPOINT_TIME.set_to_current_time()
        return signed

    def check(self, witness_state: Path | None) -> None:
        """Whether the log continues its newest checkpoint and the one the witness cosigned last.

        Errors: VerificationFailed where it does not (a restored backup, a log set back), SetupError where the witness's
        file cannot be read.
        """
        with read_transaction(self._engine) as connection:
            stored = _newest(connection)
            current = self._current(connection)
            if stored is not None:
                _demand_continued(connection, self._own(stored), current, "the newest checkpoint it signed")
            if witness_state is not None:
                witnessed = open_checkpoint(_read(witness_state), *self.verifiers)
                _demand_continued(connection, witnessed, current, "the checkpoint in DAYZERO_WITNESS_STATE")

    def _current(self, connection: Connection) -> Checkpoint:
        row = connection.execute(select(tables.log_head)).one()
        if row.key_epoch != self._epoch:
            raise Unavailable(ROTATED)
        return Checkpoint(self._signer.name, row.size, merkle.root(merkle.unpack(row.frontier)))

    def _own(self, note: bytes) -> Checkpoint:
        try:
            return open_checkpoint(note, self.verifier)
        except VerificationFailed as error:
            raise VerificationFailed(
                f"The newest stored checkpoint is not one of this log's ({error.detail}) "
                "Is DAYZERO_ORIGIN another one than before?"
            ) from None

    def _keep(self, signed: Signed) -> None:
        row: dict[str, Any] = {"size": signed.checkpoint.size, "note": signed.note}
        try:
            with write_transaction(self._engine) as connection:
                connection.execute(insert(tables.checkpoint), row)
        except Duplicate:  # another worker was faster, and its note has the same bytes
            pass


def _newest(connection: Connection) -> bytes | None:
    note = connection.execute(select(_note).order_by(_size.desc()).limit(1)).scalar_one_or_none()
    return None if note is None else bytes(note)


def _demand_continued(connection: Connection, old: Checkpoint, current: Checkpoint, which: str) -> None:
    if old.size > current.size:
        raise VerificationFailed(
            f"The log ends at {current.size} records, but {which} covers {old.size}: the database was set back or "
            "restored from a backup. Find out what happened to it before serving again."
        )
    proof: Sequence[bytes] = proofs.consistency_in(connection, old.size, current.size) if old.size else []
    if not continues(old, current, list(proof)):
        raise VerificationFailed(
            f"The log does not continue {which} (of size {old.size}): records before it were changed. "
            "Run `dayzero audit verify`."
        )


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_NOTE_BYTES + 1)
    except OSError:
        raise SetupError(
            "The file of DAYZERO_WITNESS_STATE cannot be read: restore it, or leave the setting out until the witness "
            "has signed for the first time."
        ) from None
