"""Scoring by a service: one request by `POST /score`, many by `POST /score/bulk`, read while they are written."""

import asyncio
import contextlib
import json
import ssl
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator
from itertools import islice
from typing import TypeVar
from urllib.parse import SplitResult, urlsplit

import h11
import httpx2

from app.errors import SetupError, Unavailable

CALL_LINES = 100_000
LONGEST_WAIT = 60
SILENT_SECONDS = 120.0
CONTINUE_SECONDS = 5.0
"""How long to wait for leave to send the body; what stands between may not know how to give it."""
_READ_BYTES = 1 << 16
_LONGEST_REFUSAL = 1 << 16
Value = TypeVar("Value")


class _Refused(Exception):
    """The whole call was refused before a line was read: `seconds` until it may be tried again, None where that is no use."""

    def __init__(self, body: bytes, seconds: int | None) -> None:
        super().__init__()
        self.body, self.seconds = body, seconds


def post_one(server: str, token: str | None, raw: bytes) -> bytes:
    """The answer, or the problem, of one request. Raises SetupError where no service answers."""
    headers = {"Authorization": f"Bearer {_checked(token)}", "Content-Type": "application/json"}
    try:
        with httpx2.Client(base_url=server, headers=headers, timeout=30) as client:
            answer = client.post("/score", content=raw)
            while answer.status_code == 429:  # more than the service takes from one caller: it says how long to wait
                time.sleep(_seconds(answer.headers.get("Retry-After", "")))
                answer = client.post("/score", content=raw)
            return answer.content
    except (httpx2.InvalidURL, ValueError):
        raise _no_address() from None
    except httpx2.HTTPError as error:
        raise SetupError(f"The service did not answer ({type(error).__name__}).") from None


def post_lines(server: str, token: str | None, lines: Iterable[bytes], take: Callable[[bytes], None]) -> None:
    """Sends each line (no line break in it) and hands every answer to `take`, in order, as it comes.

    As many calls as it takes, of at most `CALL_LINES`. Raises SetupError where no service answers or it refuses the call,
    Unavailable where the connection ends before the last answer: what was sent meanwhile may have been recorded.
    """
    address, checked = _address(server), _checked(token)
    waiting = iter(lines)
    while first := list(islice(waiting, 1)):
        exchange = _Exchange(address, checked, first, islice(waiting, CALL_LINES - 1), take)
        try:
            asyncio.run(exchange.run())
        except OSError as error:
            raise SetupError(f"The service did not answer ({type(error).__name__}).") from None
        except (h11.RemoteProtocolError, TimeoutError):
            raise _cut_off() from None


class _Exchange:
    """One call of `POST /score/bulk`; lines that were not answered are kept, in case the call has to be made again."""

    def __init__(
        self, address: SplitResult, token: str, first: list[bytes], more: Iterator[bytes], take: Callable[[bytes], None]
    ) -> None:
        self._address, self._token, self._more, self._take = address, token, more, take
        self._unanswered = deque(first)
        self._may_go_on = asyncio.Event()
        self._done = False

    async def run(self) -> None:
        """Makes the call; again where the service asks to wait. Errors: as `post_lines`."""
        while True:
            try:
                await self._call()
            except _Refused as refused:
                if refused.seconds is None:
                    raise SetupError(f"The service refused the call: {_detail(refused.body)}") from None
                await asyncio.sleep(refused.seconds)
            else:
                return

    async def _call(self) -> None:
        host, port, tls = self._address.hostname, self._address.port, self._address.scheme == "https"
        context = ssl.create_default_context() if tls else None
        reader, writer = await asyncio.open_connection(host, port or (443 if tls else 80), ssl=context)
        connection = h11.Connection(h11.CLIENT)
        sending = asyncio.create_task(self._send(connection, writer))
        try:
            await self._receive(connection, reader)
            if not self._done:
                raise _cut_off()
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
            writer.close()

    async def _send(self, connection: h11.Connection, writer: asyncio.StreamWriter) -> None:
        request = h11.Request(
            method="POST",
            target=f"{self._address.path.rstrip('/')}/score/bulk",
            headers=[
                ("Host", self._address.netloc),
                ("Authorization", f"Bearer {self._token}"),
                ("Content-Type", "application/x-ndjson"),
                ("Transfer-Encoding", "chunked"),
                ("Expect", "100-continue"),  # a refusal is then read before the body would be cut off
                ("Connection", "close"),
            ],
        )
        writer.write(connection.send(request) or b"")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._may_go_on.wait(), CONTINUE_SECONDS)
        for line in list(self._unanswered):
            await self._send_line(connection, writer, line)
        for line in self._more:
            self._unanswered.append(line)
            await self._send_line(connection, writer, line)
        writer.write(connection.send(h11.EndOfMessage()) or b"")
        await writer.drain()

    @staticmethod
    async def _send_line(connection: h11.Connection, writer: asyncio.StreamWriter, line: bytes) -> None:
        writer.write(connection.send(h11.Data(line + b"\n")) or b"")
        await writer.drain()  # waits while the service does not read

    async def _receive(self, connection: h11.Connection, reader: asyncio.StreamReader) -> None:
        status, seconds, rest = 0, 1, b""
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                connection.receive_data(await _soon(reader.read(_READ_BYTES)))
            elif isinstance(event, h11.InformationalResponse):
                self._may_go_on.set()
            elif isinstance(event, h11.Response):
                status, seconds = event.status_code, _seconds(dict(event.headers).get(b"retry-after", b"").decode())
            elif isinstance(event, h11.Data):
                *whole, rest = (rest + bytes(event.data)).split(b"\n")
                for line in whole if status == 200 else ():
                    self._answered(line)
                rest = rest if status == 200 else rest[:_LONGEST_REFUSAL]
            elif isinstance(event, h11.EndOfMessage | h11.ConnectionClosed):
                if status != 200:
                    raise _Refused(rest, seconds if status in {429, 503} else None)
                return

    def _answered(self, line: bytes) -> None:
        if line.startswith(b'{"done"'):
            self._done = not self._unanswered
        elif self._unanswered:
            self._unanswered.popleft()
            self._take(line)


async def _soon(reading: Awaitable[Value]) -> Value:
    async with asyncio.timeout(SILENT_SECONDS):
        return await reading


def _checked(token: str | None) -> str:
    if not token or not token.isascii() or not token.isprintable():
        raise SetupError("Put a bearer token into DAYZERO_TOKEN to use --server.")
    return token


def _address(server: str) -> SplitResult:
    try:
        parts = urlsplit(server)
        known = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        known = False
    if not known:
        raise _no_address()
    return parts


def _no_address() -> SetupError:
    return SetupError("--server is not an address such as http://127.0.0.1:8000.")


def _cut_off() -> Unavailable:
    return Unavailable(
        "The service's answer ended before the last line. What was sent and not answered may have been scored: ask it for "
        "the newest scores before sending the rest again."
    )


def _detail(body: bytes) -> str:
    try:
        problem = json.loads(body)
        return f"{problem['detail']} ({problem['type']})"
    except (ValueError, KeyError, TypeError):
        return "it gave no reason."


def _seconds(retry_after: str) -> int:
    """How long to wait; what stands between may also send a date, or nothing."""
    return min(int(retry_after), LONGEST_WAIT) if retry_after.isdecimal() else 1
