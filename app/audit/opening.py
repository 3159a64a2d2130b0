"""Opening one record: from its leaf, its wrapped data key and its ciphertext to what was handed in."""

import json
from typing import Any, NamedTuple

from app.audit.records import Envelope
from app.audit.sealing import Sealed, Tampered, ciphertext_digest, unseal
from app.keys import Keys


class Opened(NamedTuple):
    """A decrypted record: who acted, on whom, what was handed in as `NewRecord.payload`, and which records it is about."""

    issuer: str
    subject: str
    nominal_ids: tuple[str, ...]
    payload: bytes
    about: tuple[str, ...] = ()


def open_sealed(keys: Keys, leaf: Envelope, stored: Any) -> Opened:
    """Decrypts `stored` (wrapped_key, kek_id, nonce, ciphertext) after checking it against the leaf.

    Errors: Tampered (an Unavailable) when anything does not agree, Unavailable where its encryption key is not loaded.
    """
    if stored.nonce is None or ciphertext_digest(stored.nonce, stored.ciphertext).hex() != leaf.ciphertext_sha256:
        raise Tampered
    try:
        commitment = bytes.fromhex(leaf.key_commitment)
    except ValueError:  # a leaf that somebody wrote
        raise Tampered from None
    plain = unseal(
        Sealed(stored.nonce, stored.ciphertext, stored.wrapped_key, commitment),
        log_id=leaf.log_id,
        record_id=leaf.record_id,
        encryption_key=keys.encryption_of(stored.kek_id),
        kek_id=stored.kek_id,
    )
    names, _, payload = plain.partition(b"\n")
    told = json.loads(names)
    nominals, about = tuple(told.get("nominals", ())), tuple(told.get("about", ()))
    return Opened(told["issuer"], told["subject"], nominals, payload, about)
