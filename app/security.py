"""Who is calling: a token of the identity provider or a local one, and the scopes that routes demand.

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
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from app import metrics
from app.errors import Fault, InvalidInput, NotAllowed, NotAuthenticated
from app.keys import Keys
from app.limits import Limits
from app.provider import Provider
from app.scopes import MAX_HOURS, SCOPES
from app.tokens import Header, Rejection, Verified, bearer_token, check_times, read_claims, read_header

ISSUER, AUDIENCE = "dayzero-local", "dayzero"
_ALGORITHM = "EdDSA"
_CACHE_SECONDS = 60
_CACHE_SIZE = 1024
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


def _verify_local(token: str, header: Header, keys: Keys) -> Verified:
    """Errors: NotAuthenticated."""
    if header.algorithm != _ALGORITHM:
        raise NotAuthenticated(Rejection.ALGORITHM)
    told = read_claims(token, keys.token.public_key(), _ALGORITHM)
    for claim, expected, reason in (("iss", ISSUER, Rejection.ISSUER), ("aud", AUDIENCE, Rejection.AUDIENCE)):
        if told.get(claim) != expected:
            raise NotAuthenticated(reason)
    try:
        claims = _Claims.model_validate(told)
    except ValidationError:
        raise NotAuthenticated(Rejection.CLAIMS) from None
    check_times(claims.iat, claims.nbf, claims.exp, now=time.time(), longest=MAX_HOURS * 3600)
    scopes = frozenset(claims.scope.split(" "))
    if not scopes <= set(SCOPES):
        raise NotAuthenticated(Rejection.CLAIMS)
    return Verified(claims.iss, claims.sub, scopes, claims.exp)


class Authenticator:
    """Knows whose token is good. `provider` None: local tokens only."""

    def __init__(self, keys: Keys, provider: Provider | None = None, *, local: bool = True) -> None:
        self._keys = keys
        self._provider = provider
        self._local = local
        self._remembered = _Remembered()

    async def authenticate(self, authorization: str | None) -> Caller:
        """The caller a header `Authorization: Bearer <token>` speaks for.

        Errors: NotAuthenticated for anything odd, Unavailable where the provider's keys cannot be had.
        """
        token = bearer_token(authorization)
        found = self._remembered.get(token)
        return found or self._remembered.put(token, await self._verify(token))

    async def _verify(self, token: str) -> Verified:
        header = read_header(token)
        if header.key_id == self._keys.ids["token"]:
            if not self._local:
                raise NotAuthenticated(Rejection.LOCAL_OFF)
            return _verify_local(token, header, self._keys)
        if self._provider is None:
            raise NotAuthenticated(Rejection.UNKNOWN_KEY)
        return await self._provider.verify(token, header)


class _Remembered:
    """Tokens whose signature was checked within the last minute: checking takes as long as scoring does."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._callers: OrderedDict[bytes, tuple[float, Caller]] = OrderedDict()

    def get(self, token: str) -> Caller | None:
        found = self._callers.get(_digest(token))
        return found[1] if found and time.time() < found[0] else None

    def put(self, token: str, verified: Verified) -> Caller:
        caller = Caller(verified.issuer, verified.subject, verified.scopes)
        until = min(time.time() + _CACHE_SECONDS, verified.expires)
        with self._lock:
            self._callers[_digest(token)] = (until, caller)
            while len(self._callers) > _CACHE_SIZE:
                self._callers.popitem(last=False)
        return caller


def _digest(token: str) -> bytes:
    return sha256(token.encode()).digest()


class require(SecurityBase):  # noqa: N801 - read at the route: Depends(require("audit"))
    """A dependency that lets a caller with any one of these scopes through, and gives the Caller.

    Asks `request.app.state.authenticator` and `.limits`. `scopes` says what it demands, so that a test can walk the
    routes; being a FastAPI security scheme it also appears in the OpenAPI document.
    Errors: NotAuthenticated without one valid token, TooManyRequests, NotAllowed without the scope, Unavailable.
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
        authenticator: Authenticator = request.app.state.authenticator
        limits: Limits = request.app.state.limits
        try:
            if len(headers) > 1:
                raise NotAuthenticated(Rejection.FORM)
            caller = await authenticator.authenticate(headers[0] if headers else None)
        except NotAuthenticated as error:
            metrics.TOKENS_REJECTED.labels(error.reason).inc()
            request.state.reason = error.reason
            limits.count_failure(request.client.host if request.client else "")
            raise
        request.state.caller = caller
        limits.count_request(caller.issuer, caller.subject)
        if not caller.scopes & self.scopes:
            raise NotAllowed(f"This needs a token with scope {' or '.join(sorted(self.scopes))}.")
        return caller
