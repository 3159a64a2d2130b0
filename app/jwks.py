"""A provider's set of public keys (RFC 7517): which of them may check tokens, and by which algorithms."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWK, PyJWTError

from app.errors import MalformedInput
from app.scopes import ALGORITHMS
from app.strict_json import read_json
from app.tokens import PublicKey

MIN_RSA_BITS, MAX_RSA_BITS = 2048, 8192  # below it is weak, above it each check costs too much
MAX_KEYS = 64
_CURVES = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}
_OF_RSA = frozenset(name for name in ALGORITHMS if name[:2] in {"RS", "PS"})


class Key(NamedTuple):
    """A public key and the algorithms it may be used with."""

    public: PublicKey
    algorithms: frozenset[str]


def read_keys(document: bytes) -> dict[str, Key]:
    """The usable keys of a JWKS by key id; empty where there is none, or where the document is not a key set.

    Left out are keys without an id, for encryption, of another kind, too short, with a private part, and those that
    share an id with another: it would not be clear which one was meant.
    """
    try:
        found = read_json(document)
    except MalformedInput:
        return {}
    members = found.get("keys") if isinstance(found, dict) else None
    if not isinstance(members, list) or len(members) > MAX_KEYS:
        return {}
    named = [one for one in members if isinstance(one, dict) and isinstance(one.get("kid"), str) and one["kid"]]
    names = [one["kid"] for one in named]
    return {one["kid"]: key for one in named if names.count(one["kid"]) == 1 and (key := _key(one)) is not None}


def _key(member: Mapping[str, Any]) -> Key | None:
    operations = member.get("key_ops", ["verify"])
    for_checking = member.get("use", "sig") == "sig" and isinstance(operations, list) and "verify" in operations
    if not for_checking or member.get("kty") not in ("RSA", "EC", "OKP") or "d" in member:
        return None
    try:
        public = PyJWK({name: member[name] for name in ("kty", "crv", "n", "e", "x", "y") if name in member}).key
    except (PyJWTError, ValueError, TypeError, AttributeError):
        return None
    stated = member.get("alg")
    algorithms = _algorithms(public) & (set(ALGORITHMS) if stated is None else {str(stated)})
    return Key(public, algorithms) if algorithms else None


def _algorithms(public: object) -> frozenset[str]:
    """What a key of this kind and size may be used with; nothing where it is too weak."""
    match public:
        case RSAPublicKey() if MIN_RSA_BITS <= public.key_size <= MAX_RSA_BITS:
            return _OF_RSA
        case EllipticCurvePublicKey() if public.curve.name in _CURVES:
            return frozenset({_CURVES[public.curve.name]})
        case Ed25519PublicKey():
            return frozenset({"EdDSA"})
    return frozenset()
