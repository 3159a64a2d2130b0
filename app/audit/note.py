"""C2SP signed notes: a text and, below an empty line, signatures of it, each under a named key (c2sp.org/signed-note).

Two kinds of signature are known here, both Ed25519: that of a log over the text, and the timestamped cosignature of a
witness (c2sp.org/tlog-cosignature). Signatures of unknown keys are ignored; a wrong one of a known key spoils the note.
"""

import binascii
import re
from base64 import b64decode, b64encode
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from app.errors import VerificationFailed

LOG, WITNESS = 0x01, 0x04
"""Signature types: over the text as it is, and over a time and the text."""

MAX_NOTE_BYTES = 65536
MAX_SIGNATURES = 64
_PRIVATE = "PRIVATE+KEY+"
_DASH = "\N{EM DASH} "
_VKEY = re.compile(r"([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_TIME_BYTES = 8


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key under its name; as text it is the C2SP verifier key `name+hash+base64`."""

    name: str
    kind: int
    public: bytes

    @property
    def key_id(self) -> bytes:
        return sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{b64encode(bytes([self.kind]) + self.public).decode()}"

    def signed(self, text: str, signature: bytes) -> bool:
        """Whether `signature` (without the key id in front) is this key's over `text`."""
        stamp = signature[:_TIME_BYTES] if self.kind == WITNESS else b""
        try:
            public = Ed25519PublicKey.from_public_bytes(self.public)
            public.verify(signature[len(stamp) :], _message(text, stamp))
        except (InvalidSignature, ValueError):
            return False
        return True


class Signature(NamedTuple):
    """One signature line."""

    name: str
    key_id: bytes
    signature: bytes

    @property
    def line(self) -> str:
        return f"{_DASH}{self.name} {b64encode(self.key_id + self.signature).decode()}\n"


@dataclass(frozen=True, slots=True)
class SignedNote:
    """A note taken apart; nothing of it is to be trusted before `verify`."""

    text: str
    signatures: tuple[Signature, ...]

    def verify(self, verifier: Verifier) -> Signature:
        """The key's signature. Errors: VerificationFailed where there is none, or a wrong one."""
        own = self._of(verifier)
        if not own:
            raise VerificationFailed("The note is not signed by the key that was given.")
        if not all(verifier.signed(self.text, one.signature) for one in own):
            raise VerificationFailed("The note carries a wrong signature of the key that was given.")
        return own[0]

    def carries(self, verifier: Verifier) -> bool:
        """Whether there is a signature in this key's name; a wrong one, perhaps."""
        return bool(self._of(verifier))

    def signed_again(self, verifier: Verifier, line: str) -> bytes:
        """The note with this line of the key's instead of those it carries from the key now."""
        own = self._of(verifier)
        others = "".join(one.line for one in self.signatures if one not in own)
        return f"{self.text}\n{others}{line}".encode()

    def _of(self, verifier: Verifier) -> list[Signature]:
        return [one for one in self.signatures if (one.name, one.key_id) == (verifier.name, verifier.key_id)]


@dataclass(frozen=True, slots=True, repr=False)
class Signer:
    """A private key under its name."""

    name: str
    kind: int
    private: Ed25519PrivateKey

    @property
    def verifier(self) -> Verifier:
        return Verifier(self.name, self.kind, self.private.public_key().public_bytes_raw())

    @property
    def secret(self) -> str:
        """The private counterpart of a verifier key, in its usual form: `PRIVATE+KEY+name+hash+base64`."""
        encoded = b64encode(bytes([self.kind]) + self.private.private_bytes_raw()).decode()
        return f"{_PRIVATE}{self.name}+{self.verifier.key_id.hex()}+{encoded}"

    def line(self, text: str, moment: int = 0) -> str:
        """The signature line over `text`, with its newline; `moment` (POSIX seconds) goes into a witness's."""
        stamp = moment.to_bytes(_TIME_BYTES) if self.kind == WITNESS else b""
        return Signature(self.name, self.verifier.key_id, stamp + self.private.sign(_message(text, stamp))).line


def time_of(cosignature: Signature) -> int:
    """When a witness signed, POSIX seconds."""
    return int.from_bytes(cosignature.signature[:_TIME_BYTES])


def parse_signer(written: str, kind: int) -> Signer:
    """What `Signer.secret` gave. Errors: ValueError unless it is a whole private key of this kind."""
    if not written.startswith(_PRIVATE):
        raise ValueError("not a private key")
    name, hashed, encoded = written.removeprefix(_PRIVATE).strip().split("+", 2)
    decoded = b64decode(encoded, validate=True)
    signer = Signer(name, kind, Ed25519PrivateKey.from_private_bytes(decoded[1:]))
    if decoded[:1] != bytes([kind]) or signer.verifier.key_id.hex() != hashed:
        raise ValueError("damaged, or a key for something else")
    return signer


def parse_verifier(vkey: str) -> Verifier:
    """Errors: VerificationFailed unless this is a verifier key of one of the two kinds and its hash is right."""
    match = _VKEY.fullmatch(vkey.strip())
    encoded = _decode(match[3]) if match else None
    if match is None or encoded is None or len(encoded) != 33 or encoded[0] not in {LOG, WITNESS}:
        raise VerificationFailed("The key is not a verifier key: `name+hash+base64`, as `dayzero keys show` prints it.")
    verifier = Verifier(match[1], encoded[0], encoded[1:])
    if not plain_name(verifier.name) or verifier.key_id.hex() != match[2]:
        raise VerificationFailed("The verifier key is damaged: its hash is not that of its name and key.")
    return verifier


def parse_note(raw: bytes) -> SignedNote:
    """Errors: VerificationFailed for anything that is not a signed note."""
    text, signatures = _split(raw)
    lines = signatures.split("\n")[:-1]
    if not 0 < len(lines) <= MAX_SIGNATURES:
        raise _not_a_note("it has no signature, or too many")
    return SignedNote(text, tuple(map(_signature, lines)))


def plain_name(name: str) -> bool:
    """Whether a key may be called this: something, without white space or plus."""
    return bool(name) and not any(sign.isspace() or sign == "+" or ord(sign) < 0x20 for sign in name)


def _split(raw: bytes) -> tuple[str, str]:
    """The text with its last newline, and the signature lines."""
    if len(raw) > MAX_NOTE_BYTES:
        raise _not_a_note("it is too long")
    try:
        note = raw.decode()
    except UnicodeDecodeError:
        raise _not_a_note("it is not UTF-8") from None
    if _CONTROL.search(note) or not note.endswith("\n"):
        raise _not_a_note("it holds control characters, or ends within a line")
    text, separator, signatures = note.rpartition("\n\n")
    if not separator or not text:
        raise _not_a_note("it has no text, or no empty line before the signatures")
    return text + "\n", signatures


def _signature(line: str) -> Signature:
    words = line.removeprefix(_DASH).split(" ")
    decoded = _decode(words[-1])
    well_formed = line.startswith(_DASH) and len(words) == 2 and plain_name(words[0])
    if not well_formed or decoded is None or len(decoded) < 5:
        raise _not_a_note("a signature line is malformed")
    return Signature(words[0], decoded[:4], decoded[4:])


def _decode(encoded: str) -> bytes | None:
    """Base64 that encodes back to the very same text, so that no byte can change unnoticed; else None."""
    try:
        decoded = b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return None
    return decoded if b64encode(decoded).decode() == encoded else None


def _message(text: str, stamp: bytes) -> bytes:
    """What is signed; a time, where there is one, in words before the text."""
    before = f"cosignature/v1\ntime {int.from_bytes(stamp)}\n" if stamp else ""
    return (before + text).encode()


def _not_a_note(why: str) -> VerificationFailed:
    return VerificationFailed(f"This is not a signed note: {why}.")
