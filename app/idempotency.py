"""The `Idempotency-Key` header: same caller, route, key and body bytes = the same stored answer."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.requests import Request

from app.audit.records import Idempotency
from app.errors import Fault, InvalidInput, StillRunning

MAX_KEY = 255
WAIT_SECONDS = 2.0


def idempotency_of(request: Request, route: str, body: bytes) -> Idempotency | None:
    """The key a request carries, None without one. Raises InvalidInput for one that is empty, long or not ASCII."""
    keys = request.headers.getlist("idempotency-key")
    if not keys:
        return None
    key = keys[0]
    if len(keys) > 1 or not 0 < len(key) <= MAX_KEY or not (key.isascii() and key.isprintable()):
        fault = Fault("/header/idempotency-key", "1-to-255-printable-ascii")
        raise InvalidInput("The Idempotency-Key header cannot be used.", [fault])
    return Idempotency(route=route, key=key, body_sha256=hashlib.sha256(body).digest())


class Running:
    """Keys being worked on in this process. Across processes the append transaction decides."""

    def __init__(self) -> None:
        self._running: dict[tuple[str, ...], asyncio.Event] = {}

    @asynccontextmanager
    async def alone(self, *key: str) -> AsyncIterator[None]:
        """Hold `key`; wait 2 s for whoever holds it now. Raises StillRunning after that."""
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                while (held := self._running.get(key)) is not None:
                    await held.wait()
        except TimeoutError:
            raise StillRunning("Ask again with the same key in a moment.") from None
        self._running[key] = done = asyncio.Event()
        try:
            yield
        finally:
            del self._running[key]
            done.set()
