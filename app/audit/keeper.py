"""Looks after the log while the service runs: signs it soon after it grew, and breaks an hour's silence."""

import threading
import time
from collections.abc import Callable

import structlog

from app.audit.ledger import ANSWER_SECONDS, Ledger
from app.audit.records import Idempotency, NewRecord
from app.audit.signing import Checkpoints, Head
from app.errors import DayZeroError
from app.logs import where
from app.purposes import OWN_PURPOSE

HEARTBEAT_SECONDS = 3600.0
_ISSUER, _SUBJECT = "dayzero", "heartbeat"

log = structlog.get_logger()


class Keeper:
    """A thread that signs at start, every `interval` seconds where the log has grown, and at the end.

    A log whose newest record is older than `heartbeat` seconds gets a `heartbeat` record: without it, a log that is no
    longer written to would look like a quiet one. An empty log has no age and gets none.
    """

    def __init__(
        self, checkpoints: Checkpoints, ledger: Ledger, *, interval: float, heartbeat: float = HEARTBEAT_SECONDS
    ) -> None:
        self._checkpoints = checkpoints
        self._ledger = ledger
        self._interval = interval
        self._heartbeat = heartbeat
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="checkpoints", daemon=True)

    def start(self) -> None:
        """Signs at once, so that whoever asks finds a checkpoint; a database that fails now is tried again later."""
        _guarded(self.tend)
        self._thread.start()

    def close(self, timeout: float = ANSWER_SECONDS) -> None:
        """Stops, and signs what was appended last."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join(timeout)
            _guarded(self._checkpoints.sign)

    def tend(self) -> None:
        """One round. Errors: Unavailable, VerificationFailed where the log does not continue its newest checkpoint."""
        head = self._checkpoints.head()
        if head.size and time.time() - head.last_time / 1e6 > self._heartbeat:
            self._beat(head)
        self._checkpoints.sign()

    def _beat(self, head: Head) -> None:
        """However many workers notice the silence, its idempotency key lets one of them break it."""
        once = Idempotency("heartbeat", str(head.size), bytes(32))
        record = NewRecord("heartbeat", _ISSUER, _SUBJECT, b"{}", purpose=OWN_PURPOSE, idempotency=once)
        self._ledger.append_and_wait(record)

    def _run(self) -> None:
        while not self._ending.wait(self._interval):
            _guarded(self.tend)


def _guarded(work: Callable[[], object]) -> None:
    """No failure ends the thread; each is told, and the next round tries again."""
    try:
        work()
    except DayZeroError as error:
        log.warning("checkpoint-not-signed", error=type(error).__name__, reason=error.detail)
    except Exception as error:  # noqa: BLE001 - its text may hold anything
        log.error("checkpoint-not-signed", error=type(error).__name__, where=where(error))  # noqa: TRY400
