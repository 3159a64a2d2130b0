"""A bounded place for long computations: one running, a few waiting, the rest told to come back."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from app import metrics
from app.errors import Unavailable

MAX_WAITING = 8
Result = TypeVar("Result")


class Admission:
    """Runs one computation at a time beside the event loop, so that short requests are not held up by long ones."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="explain")
        self._held = 0

    async def run(self, work: Callable[[], Result]) -> Result:
        """Return what `work` returns. Raises Unavailable where one is running and eight are waiting."""
        if self._held > MAX_WAITING:
            raise Unavailable("Too many explanations are under way; try again.")
        self._held += 1
        metrics.EXPLAINING.set(self._held)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._held -= 1
            metrics.EXPLAINING.set(self._held)

    def close(self) -> None:
        """Stop taking work."""
        self._pool.shutdown(wait=False, cancel_futures=True)
