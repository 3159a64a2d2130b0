"""Checkpoints: a log's size and root, signed (c2sp.org/tlog-checkpoint).

    dayzero/01a2...          origin: which log
    41                       size: records covered
    CsUYapGGPo4dkMgI...      root of the RFC 6962 tree over them, base64

    — dayzero/01a2... Az3grlgtzPICa5OS8npV...

One kept elsewhere pins everything before it: the log can no longer be cut below it or changed in it unnoticed.
"""

import re
from base64 import b64decode, b64encode
from dataclasses import dataclass

from app.audit import merkle
from app.audit.note import Signer, Verifier, parse_note
from app.errors import VerificationFailed

MAX_SIZE = 2**53 - 1
_SIZE = re.compile(r"0|[1-9][0-9]{0,15}", re.ASCII)
_ROOT = re.compile(r"[A-Za-z0-9+/]{43}=", re.ASCII)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a checkpoint says; `root` is 32 bytes."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"


def sign_checkpoint(checkpoint: Checkpoint, signer: Signer) -> bytes:
    """The signed note. Ed25519 draws nothing at random: every process that signs the same size writes the same bytes."""
    return f"{checkpoint.text}\n{signer.line(checkpoint.text)}".encode()


def open_checkpoint(raw: bytes, *verifiers: Verifier) -> Checkpoint:
    """The checkpoint in a note that one of these keys signed for the log of the same name; several where keys were rotated.

    Errors: VerificationFailed for everything else.
    """
    note = parse_note(raw)
    known = [one for one in verifiers if note.carries(one)] or list(verifiers)
    for verifier in known:
        note.verify(verifier)
    checkpoint = parse_text(note.text)
    if any(checkpoint.origin != one.name for one in known):
        raise VerificationFailed("The checkpoint is that of another log: its origin is not the key's name.")
    return checkpoint


def parse_text(text: str) -> Checkpoint:
    """Reads the three lines; extension lines are refused, because this log writes none.

    Errors: VerificationFailed.
    """
    lines = text.split("\n")
    if len(lines) != 4 or lines[3] or not lines[0]:
        raise VerificationFailed("The note is not a checkpoint: it has other lines than origin, size and root.")
    if not _SIZE.fullmatch(lines[1]) or int(lines[1]) > MAX_SIZE:
        raise VerificationFailed("The note is not a checkpoint: the size is not a plain number.")
    root = b64decode(lines[2]) if _ROOT.fullmatch(lines[2]) else b""
    if b64encode(root).decode() != lines[2] or len(root) != merkle.HASH_BYTES:
        raise VerificationFailed("The note is not a checkpoint: the root is not 32 bytes in base64.")
    if lines[1] == "0" and root != merkle.EMPTY_ROOT:
        raise VerificationFailed("The note is not a checkpoint: an empty log has another root.")
    return Checkpoint(lines[0], int(lines[1]), root)


def continues(old: Checkpoint, new: Checkpoint, proof: list[bytes]) -> bool:
    """Whether the log of `old` is the beginning of that of `new`. An empty log is the beginning of every log."""
    if old.origin != new.origin or old.size > new.size:
        return False
    return old.size == 0 or merkle.verify_consistency(old.size, new.size, old.root, new.root, proof)
