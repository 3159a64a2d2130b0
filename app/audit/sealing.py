"""Encrypting what a record holds, each under a data key of its own, so that destroying that key erases the record.

    data key        32 random bytes; stored wrapped by AES-256-GCM under the key-encryption key, bound to log, record, key
    encryption key  HKDF-SHA256(data key, "dayzero payload encryption"), for AES-256-GCM with the context as additional data
    commitment key  HKDF-SHA256(data key, "dayzero key commitment"); commitment = HMAC-SHA256(commitment key, context)
    context         log id | record id

The commitment stands in the leaf: AES-GCM alone would let a ciphertext be opened to something else under another key.
"""

import hmac
import os
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.errors import Unavailable

NONCE_BYTES = 12
_KEY_BYTES = 32


class Tampered(Unavailable):
    """The stored bytes are not those that were recorded, or the key is another one."""

    def __init__(self) -> None:
        super().__init__("The stored record does not match the audit log: run `dayzero audit verify`.")


@dataclass(frozen=True, slots=True)
class Sealed:
    """What is stored of one payload: ciphertext under `nonce`, and the data key under the key-encryption key."""

    nonce: bytes
    ciphertext: bytes
    wrapped_key: bytes
    commitment: bytes

    @property
    def digest(self) -> bytes:
        return ciphertext_digest(self.nonce, self.ciphertext)


def ciphertext_digest(nonce: bytes, ciphertext: bytes) -> bytes:
    return sha256(nonce + ciphertext).digest()


def keyed_hash(key: bytes, message: bytes) -> bytes:
    """HMAC-SHA256. Not `hmac.digest`: for so few bytes, that one's letting go of the interpreter lock costs most."""
    mac = HMAC(key, SHA256())
    mac.update(message)
    return mac.finalize()


def seal(plaintext: bytes, *, log_id: str, record_id: str, encryption_key: bytes, kek_id: str) -> Sealed:
    """`encryption_key` is the key-encryption key, `kek_id` its public name."""
    context = _context(log_id, record_id)
    random = os.urandom(_KEY_BYTES + 2 * NONCE_BYTES)
    data_key, nonce, wrap_nonce = random[:32], random[32:44], random[44:]
    wrapped = AESGCM(encryption_key).encrypt(wrap_nonce, data_key, _wrap_context(context, kek_id))
    ciphertext = AESGCM(_payload_key(data_key)).encrypt(nonce, plaintext, context)
    return Sealed(nonce, ciphertext, wrap_nonce + wrapped, _commitment(data_key, context))


def unseal(sealed: Sealed, *, log_id: str, record_id: str, encryption_key: bytes, kek_id: str) -> bytes:
    """The plaintext. Errors: Tampered unless commitment, additional data and tags all agree."""
    context = _context(log_id, record_id)
    wrap_nonce, wrapped = sealed.wrapped_key[:NONCE_BYTES], sealed.wrapped_key[NONCE_BYTES:]
    try:
        data_key = AESGCM(encryption_key).decrypt(wrap_nonce, wrapped, _wrap_context(context, kek_id))
        if not hmac.compare_digest(_commitment(data_key, context), sealed.commitment):
            raise Tampered
        return AESGCM(_payload_key(data_key)).decrypt(sealed.nonce, sealed.ciphertext, context)
    except (InvalidTag, ValueError):
        raise Tampered from None


@dataclass(frozen=True, slots=True, repr=False)
class Wrapping:
    """A key-encryption key and its public name."""

    key: bytes
    identity: str


def wrap_again(wrapped_key: bytes, record_id: str, log_id: str, old: Wrapping, new: Wrapping) -> bytes:
    """A data key taken from under one key-encryption key and put under another. Errors: Tampered where it is not under `old`."""
    context, nonce = _context(log_id, record_id), os.urandom(NONCE_BYTES)
    try:
        data_key = AESGCM(old.key).decrypt(
            wrapped_key[:NONCE_BYTES], wrapped_key[NONCE_BYTES:], _wrap_context(context, old.identity)
        )
    except (InvalidTag, ValueError):
        raise Tampered from None
    return nonce + AESGCM(new.key).encrypt(nonce, data_key, _wrap_context(context, new.identity))


def _context(log_id: str, record_id: str) -> bytes:
    return f"{log_id}|{record_id}".encode()


def _wrap_context(context: bytes, kek_id: str) -> bytes:
    return context + b"|" + kek_id.encode()


def _payload_key(data_key: bytes) -> bytes:
    return HKDF(SHA256(), _KEY_BYTES, None, b"dayzero payload encryption").derive(data_key)


def _commitment(data_key: bytes, context: bytes) -> bytes:
    commitment_key = HKDF(SHA256(), _KEY_BYTES, None, b"dayzero key commitment").derive(data_key)
    return keyed_hash(commitment_key, context)
