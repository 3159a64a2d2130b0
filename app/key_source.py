"""Where an identity provider's keys come from, and how long they are believed.

The address comes from the settings alone; it is asked over TLS, without following redirects, for at most two seconds
and 256 KiB. The set fetched last serves for an hour. An id that is not in it makes it be fetched again, at most every ten
seconds; while nobody can say whether a key exists, callers are told to come back (503) instead of being called strangers.
"""

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx2
import structlog

from app import metrics
from app.errors import NotAuthenticated, SetupError, Unavailable
from app.jwks import Key, read_keys
from app.tokens import Rejection

FETCH_SECONDS = 2.0
MAX_DOCUMENT = 256 << 10
REFRESH_SECONDS = 300.0
RETRY_SECONDS = 10.0
KEEP_SECONDS = 3600.0

log = structlog.get_logger()
Fetch = Callable[[], Awaitable[bytes]]


class FetchFailed(Exception):
    """Why there is no document: a word for the log, none that the provider sent."""


class KeySource:
    """The keys as fetched last. `fetch` gives the document or raises FetchFailed; `clock` counts seconds."""

    def __init__(self, fetch: Fetch, clock: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._clock = clock
        self._keys: dict[str, Key] = {}
        self._good_at: float | None = None
        self._tried_at: float | None = None
        self._failed = False
        self._alone = asyncio.Lock()

    @property
    def fault(self) -> str | None:
        """Why no token can be checked now; None while there are keys to do it with. Safe to ask from any thread."""
        return None if self._fresh() else "The identity provider's keys could not be fetched for an hour, or ever."

    async def key(self, key_id: str) -> Key:
        """Errors: NotAuthenticated where the provider has no such key, Unavailable where it cannot be asked."""
        found = self._known(key_id)
        if found is None:
            await self._fetch_again()
            found = self._known(key_id)
        if found is not None:
            return found
        if self._failed or not self._fresh():
            raise Unavailable("The identity provider's keys cannot be fetched now; try again.")
        raise NotAuthenticated(Rejection.UNKNOWN_KEY)

    async def refresh(self) -> None:
        """Fetch once; a failure leaves what is known in place."""
        self._tried_at = self._clock()
        try:
            async with asyncio.timeout(FETCH_SECONDS):
                keys = read_keys(await self._fetch())
            if not keys:
                raise FetchFailed("no-usable-key")
        except Exception as error:  # noqa: BLE001 - whatever it is, old keys serve and the next round tries again
            self._failed = True
            metrics.KEY_FETCHES.labels("failed").inc()
            why = str(error) if isinstance(error, FetchFailed) else type(error).__name__
            log.warning("provider-keys-not-fetched", reason=why)
            return
        self._keys, self._good_at, self._failed = keys, self._clock(), False
        metrics.KEY_FETCHES.labels("fetched").inc()
        metrics.KEYS_FETCHED.set_to_current_time()

    async def keep_fresh(self) -> None:
        """Fetch now and then, for ever."""
        while True:
            await asyncio.sleep(RETRY_SECONDS if self._failed else REFRESH_SECONDS)
            async with self._alone:
                await self.refresh()

    async def _fetch_again(self) -> None:
        """Whoever comes during a fetch waits for it and does not begin another."""
        async with self._alone:
            if self._tried_at is None or self._clock() - self._tried_at >= RETRY_SECONDS:
                await self.refresh()

    def _known(self, key_id: str) -> Key | None:
        return self._keys.get(key_id) if self._fresh() else None

    def _fresh(self) -> bool:
        return self._good_at is not None and self._clock() - self._good_at < KEEP_SECONDS


def over_tls(url: str, authority: Path | None) -> Fetch:
    """A fetch of `url`; `authority` is a PEM file to trust instead of the usual certificate authorities.

    Errors: SetupError where that file is unusable.
    """
    try:
        context = httpx2.create_ssl_context() if authority is None else ssl.create_default_context(cafile=authority)
    except (OSError, ssl.SSLError):
        raise SetupError("DAYZERO_JWKS_CA is not a PEM file of certificates that can be read.") from None

    async def fetch() -> bytes:
        try:
            async with (
                httpx2.AsyncClient(verify=context, timeout=FETCH_SECONDS, follow_redirects=False) as client,
                client.stream("GET", url, headers={"Accept-Encoding": "identity"}) as answer,
            ):
                return await _document(answer)
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
            raise FetchFailed(type(error).__name__) from None

    return fetch


async def _document(answer: httpx2.Response) -> bytes:
    if answer.status_code != 200:
        raise FetchFailed(f"status-{answer.status_code}")
    if answer.headers.get("content-encoding", "identity") != "identity":
        raise FetchFailed("compressed")
    document = bytearray()
    async for chunk in answer.aiter_raw():
        document += chunk
        if len(document) > MAX_DOCUMENT:
            raise FetchFailed("too-large")
    return bytes(document)
