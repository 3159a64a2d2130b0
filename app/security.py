"""Who is calling: local tokens (Ed25519, at most eight hours) and the scopes that routes demand.

Everything that is odd about a token is the same NotAuthenticated. A route states its scopes: `Depends(require(...))`;
the check sees only the request's headers, so it never reads a body.
"""

import re
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Literal
from uuid import uuid4

import jwt
from fastapi import Request
from fastapi.openapi.models import HTTPBearer
from fastapi.security.base import SecurityBase
from jwt.types import Options
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from app.errors import Fault, InvalidInput, NotAllowed, NotAuthenticated
from app.keys import Keys
from app.scopes import MAX_HOURS, SCOPES

ISSUER, AUDIENCE = "dayzero-local", "dayzero"
MAX_TOKEN_BYTES = 8192
_ALGORITHM = "EdDSA"
_LEEWAY = 5  # seconds that clocks may differ
_CACHE_SECONDS = 60
_CACHE_SIZE = 1024
_HEADER = re.compile(r"[Bb]earer ([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)")
_SUBJECT = r"^[A-Za-z0-9][A-Za-z0-9 ._:@/+-]{0,127}$"


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated person or system. Issuer and subject go into encrypted payloads only, never into a log line."""

    issuer: str
    subject: str
    scopes: frozenset[str]


class _Claims(BaseModel):
    """A local token's claims, all of them needed and no others; times are seconds since 1970."""

    model_config = ConfigDict(strict=True, extra="forbid")
    iss: Literal["dayzero-local"]
    aud: Literal["dayzero"]
    sub: Annotated[str, StringConstraints(pattern=_SUBJECT)]
    scope: str
    iat: int
    nbf: int
    exp: int
    jti: Annotated[str, StringConstraints(min_length=1, max_length=64)]


def issue_token(keys: Keys, subject: str, scopes: Iterable[str], hours: float = MAX_HOURS) -> str:
    """A local token. Errors: InvalidInput for an unknown or missing scope, an odd subject, or hours not in (0, 8]."""
    wanted = sorted(set(scopes))
    rules = {
        "/subject": bool(re.fullmatch(_SUBJECT, subject)),
        "/scope": bool(wanted) and set(wanted) <= set(SCOPES),
        "/hours": hours * 3600 >= 1 and hours <= MAX_HOURS,
    }
    faults = [Fault(pointer, "not-allowed") for pointer, kept in rules.items() if not kept]
    if faults:
        raise InvalidInput(
            f"A token needs a plain subject, scopes out of {', '.join(SCOPES)}, and 0 to 8 hours.", faults
        )
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": subject, "scope": " ".join(wanted), "jti": uuid4().hex}
    times = {"iat": now, "nbf": now, "exp": now + int(hours * 3600)}
    return jwt.encode(claims | times, keys.token, algorithm=_ALGORITHM, headers={"kid": keys.ids["token"]})


def authenticate(authorization: str | None, keys: Keys) -> Caller:
    """The caller a header `Authorization: Bearer <token>` speaks for. Errors: NotAuthenticated for anything odd."""
    if authorization is None:
        raise NotAuthenticated("A bearer token is needed.")
    if len(authorization) > MAX_TOKEN_BYTES + len("Bearer "):
        raise NotAuthenticated("The token is too long.")
    match = _HEADER.fullmatch(authorization)
    if match is None:
        raise NotAuthenticated("The Authorization header is not `Bearer` and one token.")
    token = match[1]
    return _verified.get(token, keys) or _verified.put(token, keys, _verify(token, keys))


def _verify(token: str, keys: Keys) -> _Claims:
    options: Options = {"require": ["iss", "aud", "sub", "iat", "nbf", "exp", "jti"]}
    try:
        decoded = jwt.decode_complete(
            token, keys.token.public_key(), [_ALGORITHM], options, audience=AUDIENCE, issuer=ISSUER, leeway=_LEEWAY
        )
        claims = _Claims.model_validate(decoded["payload"])
    except jwt.ExpiredSignatureError:
        raise NotAuthenticated("The token has expired.") from None
    except (jwt.PyJWTError, ValidationError, ValueError, TypeError, OverflowError):
        raise NotAuthenticated("The token is not valid.") from None
    longest = MAX_HOURS * 3600
    if decoded["header"].keys() - {"alg", "typ", "kid"} or not 0 < claims.exp - claims.iat <= longest:
        raise NotAuthenticated("The token is not valid.")
    if not set(claims.scope.split(" ")) <= set(SCOPES):
        raise NotAuthenticated("The token is not valid.")
    return claims


class _Verified:
    """Tokens whose signature was checked within the last minute: checking takes as long as scoring does."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._callers: OrderedDict[bytes, tuple[float, Caller]] = OrderedDict()

    def get(self, token: str, keys: Keys) -> Caller | None:
        found = self._callers.get(_digest(token, keys))
        return found[1] if found and time.time() < found[0] else None

    def put(self, token: str, keys: Keys, claims: _Claims) -> Caller:
        caller = Caller(claims.iss, claims.sub, frozenset(claims.scope.split(" ")))
        until = min(time.time() + _CACHE_SECONDS, claims.exp)
        with self._lock:
            self._callers[_digest(token, keys)] = (until, caller)
            while len(self._callers) > _CACHE_SIZE:
                self._callers.popitem(last=False)
        return caller


_verified = _Verified()


def _digest(token: str, keys: Keys) -> bytes:
    return sha256(f"{keys.ids['token']} {token}".encode()).digest()


class require(SecurityBase):  # noqa: N801 - read at the route: Depends(require("audit"))
    """A dependency that lets a caller with any one of these scopes through, and gives the Caller.

    Reads the keys from `request.app.state.keys`. `scopes` says what it demands, so that a test can walk the routes;
    being a FastAPI security scheme it also appears in the OpenAPI document.
    Errors: NotAuthenticated without one valid token, NotAllowed without the scope.
    """

    def __init__(self, *any_of_scopes: str) -> None:
        unknown = set(any_of_scopes) - set(SCOPES)
        if unknown or not any_of_scopes:
            raise ValueError("a route demands scopes out of SCOPES")
        self.scopes = frozenset(any_of_scopes)
        self.scheme_name = "bearer"
        self.model = HTTPBearer(bearerFormat="JWT")

    async def __call__(self, request: Request) -> Caller:
        headers = request.headers.getlist("authorization")
        if len(headers) > 1:
            raise NotAuthenticated("There is more than one Authorization header.")
        caller = authenticate(headers[0] if headers else None, request.app.state.keys)
        request.state.caller = caller
        if not caller.scopes & self.scopes:
            raise NotAllowed(f"This needs a token with scope {' or '.join(sorted(self.scopes))}.")
        return caller
