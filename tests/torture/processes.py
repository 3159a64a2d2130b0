"""Other processes that append to a log: what they were told is durable, and how long they waited for it."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Engine

from app.audit.store import Entry, EntryFilter, Store
from app.audit.verify import verify_database
from tests.torture.logs import Log

ROOT = Path(__file__).parents[2]
PATIENCE = 60


def appender(log: Log, count: int, name: str) -> subprocess.Popen[str]:
    """Prints `sequence leaf_hash` for every acknowledged record; idempotency keys are shared when `name` is `same`."""
    command = [sys.executable, "-m", "tests.app.audit.appender", log.url, str(log.home), str(count), name]
    return subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, pipesize=1 << 20
    )


def acknowledged(process: subprocess.Popen[str]) -> dict[int, str]:
    """What it printed in whole lines before it ended."""
    output, _ = process.communicate(timeout=600)
    lines = [line.split() for line in output.splitlines(keepends=True) if line.endswith("\n")]
    return {int(sequence): leaf for sequence, leaf in lines}


class Missing(NamedTuple):
    """What is wrong with a log that acknowledged these records."""

    lost: int
    sound: bool


def compare(log: Log, told: dict[int, str]) -> Missing:
    """Acknowledged records that are not where it was said they are, and whether the log as a whole is sound."""
    return Missing(lost_of(log, told), verify_database(log.engine).ok)


def lost_of(log: Log, told: dict[int, str]) -> int:
    store = Store(log.engine, log.keys)
    held = {entry.sequence: entry.leaf_hash for entry in _all(store)}
    return sum(held.get(sequence) != leaf for sequence, leaf in told.items())


def wait_for_size(engine: Engine, log: Log, size: int) -> None:
    """Errors: TimeoutError where the log does not grow to `size` in time."""
    store, deadline = Store(engine, log.keys), time.monotonic() + PATIENCE
    while store.size() < size:
        if time.monotonic() > deadline:
            raise TimeoutError("the log does not grow")
        time.sleep(0.01)


def _all(store: Store) -> Iterator[Entry]:
    after = -1
    while page := store.list_entries(EntryFilter(), after=after, limit=500):
        yield from page
        after = page[-1].sequence
