"""How often one caller may ask, and how many bad tokens one address may send. Each worker counts for itself.

A leaky bucket each (the generic cell rate algorithm): a minute's worth may come at once, then they drip. What is kept is
one number a caller or address, in memory, under a keyed hash, and only so many of them: whoever is forgotten starts anew.
"""

import math
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from hashlib import blake2b

from app import metrics
from app.errors import TooManyRequests

WINDOW_SECONDS = 60.0
MOST_KEPT = 10_000


class Rate:
    """At most `most` a minute for each name; 0 means no limit. Thread-safe."""

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._step = WINDOW_SECONDS / most if most else 0.0
        self._clock = clock
        self._lock = threading.Lock()
        self._secret = os.urandom(16)
        self._full_until: OrderedDict[bytes, float] = OrderedDict()

    def wait(self, *name: str) -> float:
        """Counts one and gives 0, or, where that is one too many, the seconds until the next is taken."""
        if not self._step:
            return 0.0
        key = blake2b("\0".join(name).encode(), key=self._secret, digest_size=16).digest()
        now = self._clock()
        with self._lock:
            empty_at = max(self._full_until.pop(key, now), now)
            over = empty_at + self._step - now - WINDOW_SECONDS
            taken = over <= 1e-9  # what adding and subtracting leaves behind
            self._full_until[key] = empty_at + self._step if taken else empty_at
            while len(self._full_until) > MOST_KEPT:
                self._full_until.popitem(last=False)
        return 0.0 if taken else over


class Limits:
    """Both limits of one worker. Errors of both: TooManyRequests."""

    def __init__(self, caller: int = 0, failed: int = 0) -> None:
        self._callers, self._failures = Rate(caller), Rate(failed)

    def count_request(self, issuer: str, subject: str) -> None:
        """One request of an authenticated caller."""
        self._count(self._callers, "caller", issuer, subject)

    def count_failure(self, address: str) -> None:
        """One refused token. Good tokens from the same address are never held up: many people may share it."""
        self._count(self._failures, "address", address)

    @staticmethod
    def _count(rate: Rate, by: str, *name: str) -> None:
        seconds = rate.wait(*name)
        if seconds:
            metrics.RATE_LIMITED.labels(by).inc()
            raise TooManyRequests(by, math.ceil(seconds))
