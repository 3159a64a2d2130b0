"""Tokens of an OAuth2 identity provider: fixed issuer, audience and algorithms, keys from its own address."""

import time
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from app.errors import NotAuthenticated
from app.key_source import KeySource, over_tls
from app.scopes import SCOPES
from app.settings import Settings
from app.tokens import Header, Rejection, Verified, check_times, read_claims

LONGEST = 24 * 3600
"""Seconds a provider's token may be valid."""

Scopes = str | list[str]


class _Claims(BaseModel):
    """The claims that are looked at; providers send many more. Times are whole seconds since 1970."""

    model_config = ConfigDict(strict=True)
    iss: str
    aud: str | list[str]
    sub: Annotated[str, StringConstraints(pattern=r"^[\x20-\x7e]{1,255}$")]
    iat: int
    exp: int
    nbf: int | None = None
    cnf: None = None  # a token bound to a key of its sender proves nothing to whoever does not check the binding
    scope: Scopes = ""
    scp: Scopes = ""
    roles: Scopes = ""


class Provider:
    """The provider of one deployment."""

    def __init__(self, settings: Settings, keys: KeySource) -> None:
        self.keys = keys
        self._issuer, self._audience = settings.issuer, settings.audience
        self._algorithms = frozenset(settings.algorithms)
        self._scope_claims = settings.scope_claims

    async def verify(self, token: str, header: Header) -> Verified:
        """Errors: NotAuthenticated, Unavailable where the provider's keys cannot be had."""
        if header.algorithm not in self._algorithms:
            raise NotAuthenticated(Rejection.ALGORITHM)
        key = await self.keys.key(header.key_id)
        if header.algorithm not in key.algorithms:
            raise NotAuthenticated(Rejection.ALGORITHM)
        try:
            claims = _Claims.model_validate(read_claims(token, key.public, header.algorithm))
        except ValidationError:
            raise NotAuthenticated(Rejection.CLAIMS) from None
        if claims.iss != self._issuer:
            raise NotAuthenticated(Rejection.ISSUER)
        if self._audience not in ([claims.aud] if isinstance(claims.aud, str) else claims.aud):
            raise NotAuthenticated(Rejection.AUDIENCE)
        begins = claims.iat if claims.nbf is None else claims.nbf
        check_times(claims.iat, begins, claims.exp, now=time.time(), longest=LONGEST)
        return Verified(claims.iss, claims.sub, self._scopes(claims), claims.exp)

    def _scopes(self, claims: _Claims) -> frozenset[str]:
        """The scopes of ours that the claims of DAYZERO_SCOPE_CLAIMS name; what else they name grants nothing."""
        named: set[str] = set()
        for claim in self._scope_claims:
            value = getattr(claims, claim)
            named |= set(value.split(" ") if isinstance(value, str) else value)
        return frozenset(named & set(SCOPES))


def open_provider(settings: Settings) -> Provider | None:
    """The provider of the settings; None where they name none. Errors: SetupError."""
    if settings.jwks_url is None:
        return None
    return Provider(settings, KeySource(over_tls(settings.jwks_url, settings.jwks_ca)))
