"""Who vouches for an artefact: a C2SP signed note beside the manifest, `manifest.sig`.

    dayzero artefact
    stalking-nominal/1
    9b1f...                    SHA-256 of manifest.json, which holds the digest of every other file

    — force-data-science Az3grlgtzPIC...

The first line keeps it from being taken for a checkpoint, should the same key ever sign both. Keys have the form of the
log's: `name+hash+base64` the public half, `PRIVATE+KEY+` in front of the other.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.audit.note import LOG, SignedNote, Signer, Verifier, parse_note, parse_signer, parse_verifier, plain_name
from app.errors import SetupError, VerificationFailed

SIGNATURE = "manifest.sig"
MAX_KEY_BYTES = 4096
_TITLE = "dayzero artefact"


def statement(name: str, manifest_sha256: str) -> str:
    """The text that is signed; `name` is `<family>/<version>`, the digest hex."""
    return f"{_TITLE}\n{name}\n{manifest_sha256}\n"


def sign(name: str, manifest_sha256: str, signer: Signer, before: bytes | None = None) -> bytes:
    """The signature file; where `before` signs this very manifest, its other signatures stay."""
    text = statement(name, manifest_sha256)
    old = None if before is None else parse_note(before)
    note = old if old is not None and old.text == text else SignedNote(text, ())
    return note.signed_again(signer.verifier, signer.line(text))


def signed_by(name: str, manifest_sha256: str, signature: bytes, trusted: Sequence[Verifier]) -> str:
    """Name of the trusted key that signed. Errors: VerificationFailed where none did, or one did wrongly."""
    note = parse_note(signature)
    if note.text != statement(name, manifest_sha256):
        raise VerificationFailed("The signature is that of another manifest.")
    known = {(one.name, one.key_id) for one in note.signatures}
    own = [verifier for verifier in trusted if (verifier.name, verifier.key_id) in known]
    if not own:
        raise VerificationFailed("No key of DAYZERO_ARTIFACT_KEYS signed it.")
    for verifier in own:
        note.verify(verifier)
    return own[0].name


def read_trusted(path: Path) -> list[Verifier]:
    """The verifier keys in a file, one a line, or in every file of a folder. Errors: SetupError."""
    try:
        files = sorted(one for one in path.iterdir() if one.is_file()) if path.is_dir() else [path]
        lines = [line for file in files for line in _text(file).splitlines() if line.strip()]
        verifiers = [parse_verifier(line) for line in lines]
    except (OSError, ValueError):
        raise SetupError("DAYZERO_ARTIFACT_KEYS is not a file or folder of verifier keys that can be read.") from None
    except VerificationFailed as error:
        raise SetupError(f"DAYZERO_ARTIFACT_KEYS: {error.detail}") from None
    if not verifiers or any(verifier.kind != LOG for verifier in verifiers):
        raise SetupError("DAYZERO_ARTIFACT_KEYS holds no verifier key, or one of a witness.")
    return verifiers


def make_key(file: Path, name: str) -> Verifier:
    """Writes a new private key, for its owner only, and its public half as `<file>.pub`.

    Errors: SetupError where either is there already, for a name with blanks or plus, or where the disk fails.
    """
    public = file.with_name(f"{file.name}.pub")
    if not plain_name(name):
        raise SetupError("The key's name must not be empty or hold spaces or plus.")
    if public.exists():
        raise SetupError(f"{public} is there already; keys are never overwritten.")
    signer = Signer(name, LOG, Ed25519PrivateKey.generate())
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as opened:
            opened.write(f"{signer.secret}\n")
        public.write_text(f"{signer.verifier}\n", encoding="utf-8")
    except FileExistsError:
        raise SetupError(f"{file} is there already; keys are never overwritten.") from None
    except OSError as error:
        raise SetupError(f"{file} cannot be written: {error.strerror}.") from None
    return signer.verifier


def read_signer(file: Path) -> Signer:
    """The private key in a file. Errors: SetupError."""
    try:
        return parse_signer(_text(file), LOG)
    except (OSError, ValueError):
        raise SetupError(f"{file} is not a signing key: make one with `dayzero artifacts keygen`.") from None


def _text(file: Path) -> str:
    with file.open("rb") as opened:
        return opened.read(MAX_KEY_BYTES).decode("utf-8")
