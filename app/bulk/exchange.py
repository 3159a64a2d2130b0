"""An answer that is written while the request is still being read."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing

import structlog
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.body import body_ended
from app.bulk.batch import told
from app.bulk.lines import SILENT_SECONDS, Line

AHEAD = 2
"""Batches being worked on while earlier answers are sent."""
NDJSON = "application/x-ndjson"

log = structlog.get_logger()


class Exchange(Response):
    """Answers batches of lines in order. Nothing is read while the caller does not take what is ready.

    `answer` gives the lines of a batch; `batches` ends, or raises what the caller is told last. Starlette's own streaming
    answer would listen for the caller's leaving, and take the rest of the body for that.
    """

    def __init__(
        self,
        batches: AsyncIterator[list[Line]],
        answer: Callable[[list[Line]], Awaitable[bytes]],
        leave: Callable[[], None],
    ) -> None:
        """`leave` is called at the end, whatever the end is."""
        super().__init__(media_type=NDJSON)
        self._batches, self._answer, self._leave = batches, answer, leave

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI
        """Sends the answer."""
        try:
            await self._exchange(send)
        finally:
            self._leave()

    async def _exchange(self, send: Send) -> None:
        headers = [(name, value) for name, value in self.raw_headers if name != b"content-length"]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        async with aclosing(self._answers()) as answers:
            async for content in answers:
                try:
                    async with asyncio.timeout(SILENT_SECONDS):
                        await send({"type": "http.response.body", "body": content, "more_body": True})
                except TimeoutError:  # the answer stays without an end, and the connection is closed
                    log.warning("bulk-answer-not-taken")
                    return
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _answers(self) -> AsyncGenerator[bytes]:
        """Lines in order; the last says how many, or why there are no more."""
        working: asyncio.Queue[asyncio.Task[bytes] | Exception | None] = asyncio.Queue(AHEAD)
        feeding = asyncio.create_task(self._feed(working))
        count = 0
        try:
            while isinstance(task := await working.get(), asyncio.Task):
                content = await task
                count += content.count(b"\n")
                yield content
            yield b'{"done": true, "lines": %d}\n' % count if task is None else told(task)[1] + b"\n"
        finally:
            feeding.cancel()
            await asyncio.gather(feeding, return_exceptions=True)
            while not working.empty():
                if isinstance(task := working.get_nowait(), asyncio.Task):
                    task.cancel()

    async def _feed(self, working: "asyncio.Queue[asyncio.Task[bytes] | Exception | None]") -> None:
        """Begins with each batch as it comes; waits while `AHEAD` are under way."""
        ended: Exception | None = None
        try:
            async for lines in self._batches:
                await working.put(asyncio.create_task(self._work(lines)))
        except ClientDisconnect:
            ended = body_ended()
        except Exception as error:  # noqa: BLE001 - told in the last line, or logged
            ended = error
        await working.put(ended)

    async def _work(self, lines: list[Line]) -> bytes:
        return await self._answer(lines)
