"""Refusals that are counted, not recorded one by one: otherwise strangers could fill the ledger.

At most once a minute, and at the end, one record says how many there were of each kind. It names neither caller nor
address: nobody's word is good enough for that before a token was checked.
"""

import asyncio
import json
import threading
from collections import Counter

import structlog

from app.audit.ledger import Ledger
from app.audit.records import NewRecord
from app.errors import Unavailable
from app.problems import Kind
from app.purposes import OWN_PURPOSE

SUMMARY_SECONDS = 60.0
COUNTED = frozenset({400, 401, 413, 415, 429})
_ISSUER, _SUBJECT = "dayzero", "refusals"

log = structlog.get_logger()


class Refusals:
    """Counts of one worker, by type of problem. Thread-safe."""

    def __init__(self, ledger: Ledger, interval: float = SUMMARY_SECONDS) -> None:
        self._ledger = ledger
        self._interval = interval
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def note(self, kind: Kind) -> None:
        """One more of this kind, where it is of those that are only counted."""
        if kind.status in COUNTED:
            with self._lock:
                self._counts[kind.slug] += 1

    async def summarise(self) -> None:
        """Append what was counted since the last time, if anything; what cannot be appended is kept for the next."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
        if not counts:
            return
        told = json.dumps({"summary": dict(sorted(counts.items()))}).encode()
        try:
            await self._ledger.append(NewRecord("refusal", _ISSUER, _SUBJECT, told, purpose=OWN_PURPOSE))
        except Unavailable as error:
            log.warning("refusals-not-recorded", reason=error.detail)
            with self._lock:
                self._counts.update(counts)

    async def keep_summarising(self) -> None:
        """Once a minute, for ever."""
        while True:
            await asyncio.sleep(self._interval)
            await asyncio.shield(self.summarise())  # a stop just now must not lose what it has taken
