"""Lines out of a body while it arrives: never more than one line and what came with it is held."""

import asyncio
from collections.abc import AsyncIterator, Iterator

from app.body import MAX_BODY, body_ended
from app.bulk.batch import line_too_long
from app.errors import Fault, InputTooLarge

MAX_LINES = 100_000
MOST_TOGETHER = 16
"""Lines scored in one go: more gain little, and whoever waits beside them waits longer."""
SILENT_SECONDS = 60.0
"""How long a caller may send nothing, or take nothing, until the call is given up."""

Line = bytes | InputTooLarge


class Splitter:
    """Cuts chunks into lines; a line over the limit is dropped as it arrives, and told as an error in its place."""

    def __init__(self) -> None:
        self._begun = bytearray()
        self._dropping = False

    def feed(self, chunk: bytes) -> Iterator[Line]:
        """The lines that `chunk` completes."""
        *ends, rest = chunk.split(b"\n")
        for end in ends:
            yield self._completed(end)
        self._hold(rest)

    def end(self) -> Iterator[Line]:
        """A last line without a line break."""
        if self._begun or self._dropping:
            yield self._completed(b"")

    def _completed(self, end: bytes) -> Line:
        self._hold(end)
        line = line_too_long() if self._dropping else bytes(self._begun)
        self._begun.clear()
        self._dropping = False
        return line

    def _hold(self, piece: bytes) -> None:
        if self._dropping:
            return
        self._begun += piece
        if len(self._begun) > MAX_BODY + 1:  # a carriage return may stand before the line break
            self._dropping = True
            self._begun.clear()


async def lines_together(stream: AsyncIterator[bytes]) -> AsyncIterator[list[Line]]:
    """Lines as they come, some at a time, blank ones left out: whatever is complete is handed on, nothing is waited for.

    Raises InputTooLarge after `MAX_LINES` (blank ones count), MalformedInput where nothing comes for `SILENT_SECONDS`,
    ClientDisconnect.
    """
    splitter, count = Splitter(), 0
    async for found in _completed_by(stream, splitter):
        taken = found[: MAX_LINES - count]
        count += len(found)
        written = [line for line in taken if not isinstance(line, bytes) or line.strip()]
        for first in range(0, len(written), MOST_TOGETHER):
            yield written[first : first + MOST_TOGETHER]
        if count > MAX_LINES:
            raise InputTooLarge(
                f"More than {MAX_LINES} lines in one call; send the rest in another.", [Fault("", "line-count")]
            )


async def _completed_by(stream: AsyncIterator[bytes], splitter: Splitter) -> AsyncIterator[list[Line]]:
    try:
        while True:
            async with asyncio.timeout(SILENT_SECONDS):
                chunk = await anext(stream, None)
            if chunk is None:
                yield list(splitter.end())
                return
            yield list(splitter.feed(chunk))
    except TimeoutError:
        raise body_ended() from None
