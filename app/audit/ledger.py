"""The only way into the audit log: a queue and one writer thread in each process.

A record that finds the writer idle is committed at once; records that arrive during a commit form the next batch. A
future is resolved only after its record is durable.
"""

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from sqlalchemy import Engine, select

from app import metrics
from app.audit import tables
from app.audit.appending import Appender, Draft, Outcome, draft
from app.audit.records import Appended, NewRecord, Replayed
from app.database import Duplicate, read_transaction
from app.errors import DayZeroError, Unavailable
from app.keys import Keys

MAX_BATCH = 256
MAX_QUEUE = 4096
ANSWER_SECONDS = 10.0
"""How long `append` waits. A record that is being stored by then stays: one too many is allowed, one too few is not."""

log = logging.getLogger(__name__)

FAILING_SECONDS = 5.0
"""How long a failed append counts against readiness when nothing has been appended since."""

Answer = Appended | Replayed


@dataclass(frozen=True, slots=True)
class _Waiting:
    draft: Draft
    answer: Future[Answer]
    since: float


class Ledger:
    """Appends records to the log of one database. Any number of processes may each have one."""

    def __init__(self, engine: Engine, keys: Keys, *, max_queue: int = MAX_QUEUE) -> None:
        self._engine = engine
        self._keys = keys
        self._appender = Appender(engine, keys)
        self._queue: queue.Queue[_Waiting | None] = queue.Queue(max_queue)
        self._writer = threading.Thread(target=self._write, name="ledger", daemon=True)
        self._open = False
        self._failed_at = -FAILING_SECONDS
        self.log_id = ""

    def start(self) -> None:
        """Errors: Unavailable when the database does not answer."""
        with read_transaction(self._engine) as connection:
            self.log_id = connection.execute(select(tables.log_head.c.log_id)).scalar_one()
        self._open = True
        self._writer.start()

    def close(self, timeout: float = ANSWER_SECONDS) -> None:
        """Refuses new records, writes those that wait, stops the writer."""
        if self._open:
            self._open = False
            self._queue.put(None)
            self._writer.join(timeout)

    def submit(self, record: NewRecord) -> Future[Answer]:
        """Seals the record and queues it.

        The future gives Appended once the record is durable, or Replayed where its idempotency key already has one. It
        raises IdempotencyMismatch, or Unavailable where the database failed: nothing was stored then, except that a
        connection lost at the very commit may have stored a record nobody was told of.

        Errors: Unavailable at once when the queue is full or the ledger is not running.
        """
        if not self._open:
            raise Unavailable("The audit log is not running.")
        since = time.perf_counter()
        waiting = _Waiting(draft(record, self._keys, self.log_id), Future(), since)
        try:
            self._queue.put_nowait(waiting)
        except queue.Full:
            metrics.LEDGER_FAILURES.labels("queue-full").inc()
            raise Unavailable("Too many records wait for the audit log; try again.") from None
        return waiting.answer

    async def append(self, record: NewRecord) -> Answer:
        """`submit`, awaited; Unavailable after ANSWER_SECONDS."""
        answer = asyncio.wrap_future(self.submit(record))
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await answer
        except TimeoutError:
            raise Unavailable("The audit log did not answer in time; try again.") from None

    @property
    def failing(self) -> bool:
        """True while the last append failed and that was within FAILING_SECONDS: what readiness should know."""
        return time.monotonic() - self._failed_at < FAILING_SECONDS

    def append_and_wait(self, record: NewRecord) -> Answer:
        """`append` for threads."""
        answer = self.submit(record)
        try:
            return answer.result(ANSWER_SECONDS)
        except TimeoutError:
            answer.cancel()  # as a task that gives up waiting does
            raise Unavailable("The audit log did not answer in time; try again.") from None

    def _write(self) -> None:
        metrics.LEDGER_QUEUE.set_function(self._queue.qsize)
        while (batch := self._next_batch()) is not None:
            wanted = [waiting for waiting in batch if waiting.answer.set_running_or_notify_cancel()]
            if wanted:  # a record nobody waits for any more was answered with a refusal and must not appear afterwards
                self._commit(wanted)

    def _next_batch(self) -> list[_Waiting] | None:
        """Waits for a record and takes what else is there; None when closed and empty."""
        batch: list[_Waiting] = []
        first = self._queue.get()
        if first is None:
            return None
        batch.append(first)
        while len(batch) < MAX_BATCH:
            try:
                following = self._queue.get_nowait()
            except queue.Empty:
                break
            if following is None:
                self._queue.put(None)  # close() waits for exactly this: once more, after the batch
                break
            batch.append(following)
        return batch

    def _commit(self, batch: Sequence[_Waiting]) -> None:
        """Stores the batch and answers everyone in it; no failure may end the writer thread."""
        try:
            outcomes: Sequence[Outcome | Exception] = self._appender.append([waiting.draft for waiting in batch])
            self._failed_at = -FAILING_SECONDS
            _measure(batch)
        except Duplicate as error:
            if len(batch) > 1:  # one of them has a record id that is taken: the others must not suffer
                for waiting in batch:
                    self._commit([waiting])
                return
            outcomes = [error]
        except DayZeroError as error:
            self._failed_at = time.monotonic()
            metrics.LEDGER_FAILURES.labels("database").inc(len(batch))
            log.warning("audit append failed", extra={"records": len(batch)})
            outcomes = [error] * len(batch)
        except Exception:
            self._failed_at = time.monotonic()
            metrics.LEDGER_FAILURES.labels("unexpected").inc(len(batch))
            log.exception("audit append failed unexpectedly", extra={"records": len(batch)})
            outcomes = [Unavailable("The audit log failed.") for _ in batch]
        for waiting, outcome in zip(batch, outcomes, strict=True):
            _resolve(waiting.answer, outcome)


def _measure(batch: Sequence[_Waiting]) -> None:
    metrics.LEDGER_BATCH.observe(len(batch))
    now = time.perf_counter()
    for waiting in batch:
        metrics.LEDGER_SECONDS.observe(now - waiting.since)


def _resolve(answer: Future[Answer], outcome: Outcome | Exception) -> None:
    if isinstance(outcome, Exception):
        answer.set_exception(outcome)
    else:
        answer.set_result(outcome)
