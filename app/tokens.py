"""What any bearer token must be before anyone asks whose it is: its form, its signature, its times.

A compact JWS (RFC 7515) of three parts. Header and claims are JSON that can be read in only one way; a header with
anything else than the members listed here is refused, so `jku`, `jwk`, `x5u`, `x5c`, `crit` and `b64` are never honoured.
"""

import re
from base64 import urlsafe_b64decode
from enum import StrEnum
from typing import Any, NamedTuple

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from app.errors import MalformedInput, NotAuthenticated
from app.strict_json import read_json

MAX_TOKEN_BYTES = 8192
LEEWAY = 5
"""Seconds that clocks may differ."""

_BEARER = re.compile(r"[Bb]earer ([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)", re.ASCII)
_HEADER_MEMBERS = {"alg", "typ", "kid", "x5t", "x5t#S256"}  # the last two only name a certificate; nobody reads them
_TYPES = {"jwt", "at+jwt", "application/at+jwt"}
_JWS = jwt.PyJWS()

PublicKey = RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey


class Rejection(StrEnum):
    """Why a token was refused. A closed list: it is a metric's label and stands in the log."""

    MISSING = "missing"
    FORM = "form"
    TOO_LONG = "too-long"
    HEADER = "header"
    ALGORITHM = "algorithm"
    UNKNOWN_KEY = "unknown-key"
    SIGNATURE = "signature"
    CLAIMS = "claims"
    ISSUER = "issuer"
    AUDIENCE = "audience"
    EXPIRED = "expired"
    NOT_YET = "not-yet-valid"
    LIFETIME = "lifetime"
    LOCAL_OFF = "local-tokens-off"


class Header(NamedTuple):
    """What a token says of itself before its signature is checked: to be used for nothing but finding the key."""

    algorithm: str
    key_id: str


class Verified(NamedTuple):
    """Whom a good token speaks for, what it allows, and until when (seconds since 1970)."""

    issuer: str
    subject: str
    scopes: frozenset[str]
    expires: int


def bearer_token(authorization: str | None) -> str:
    """The token of an `Authorization` header. Errors: NotAuthenticated."""
    if authorization is None:
        raise NotAuthenticated(Rejection.MISSING)
    if len(authorization) > MAX_TOKEN_BYTES + len("Bearer "):
        raise NotAuthenticated(Rejection.TOO_LONG)
    match = _BEARER.fullmatch(authorization)
    if match is None:
        raise NotAuthenticated(Rejection.FORM)
    return match[1]


def read_header(token: str) -> Header:
    """Errors: NotAuthenticated for a header with more or other members than a signed access token needs."""
    first = token.split(".", 1)[0]
    try:
        header = read_json(urlsafe_b64decode(first + "=" * (-len(first) % 4)))
    except (MalformedInput, ValueError):
        raise NotAuthenticated(Rejection.HEADER) from None
    if not isinstance(header, dict) or header.keys() - _HEADER_MEMBERS:
        raise NotAuthenticated(Rejection.HEADER)
    algorithm, key_id, kind = header.get("alg"), header.get("kid"), header.get("typ", "JWT")
    if not isinstance(algorithm, str) or not isinstance(kind, str) or kind.lower() not in _TYPES:
        raise NotAuthenticated(Rejection.HEADER)
    if not isinstance(key_id, str) or not key_id:
        raise NotAuthenticated(Rejection.UNKNOWN_KEY)
    return Header(algorithm, key_id)


def read_claims(token: str, key: PublicKey, algorithm: str) -> dict[str, Any]:
    """The claims, once the signature is found to be this key's by this algorithm. Errors: NotAuthenticated."""
    try:
        payload = _JWS.decode_complete(token, key, [algorithm])["payload"]
    except (jwt.PyJWTError, ValueError, TypeError):
        raise NotAuthenticated(Rejection.SIGNATURE) from None
    try:
        claims = read_json(payload)
    except MalformedInput:
        raise NotAuthenticated(Rejection.CLAIMS) from None
    if not isinstance(claims, dict):
        raise NotAuthenticated(Rejection.CLAIMS)
    return claims


def check_times(issued: int, begins: int, expires: int, *, now: float, longest: int) -> None:
    """Seconds since 1970; `longest` is how long a token may be valid. Errors: NotAuthenticated."""
    if expires <= now - LEEWAY:
        raise NotAuthenticated(Rejection.EXPIRED)
    if max(issued, begins) > now + LEEWAY:
        raise NotAuthenticated(Rejection.NOT_YET)
    if not 0 < expires - issued <= longest:
        raise NotAuthenticated(Rejection.LIFETIME)
