"""Who may score in bulk beside the single scores, and where the work is done."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from app import metrics
from app.errors import Unavailable

MAX_CALLS = 4
THREADS = 2
"""One computes while the other waits for its records to be durable."""
Result = TypeVar("Result")


class BulkDoor:
    """Lets one call of a caller in at a time, and a few in all; their batches take turns in two threads."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="bulk")
        self._inside: set[tuple[str, str]] = set()

    def enter(self, issuer: str, subject: str) -> Callable[[], None]:
        """Takes a place and gives how to leave it. Raises Unavailable where this caller has one already, or none is left."""
        caller = (issuer, subject)
        if caller in self._inside or len(self._inside) >= MAX_CALLS:
            raise Unavailable("Another bulk call of yours is under way, or too many of others; try again.")
        self._inside.add(caller)
        metrics.BULK_CALLS.set(len(self._inside))
        return partial(self._leave, caller)

    def _leave(self, caller: tuple[str, str]) -> None:
        self._inside.discard(caller)
        metrics.BULK_CALLS.set(len(self._inside))

    async def run(self, work: Callable[[], Result]) -> Result:
        """What `work` returns."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    def close(self) -> None:
        """Takes no more work."""
        self._pool.shutdown(wait=False, cancel_futures=True)
