"""Logs to ill-treat: a database with keys and a ledger, on SQLite or PostgreSQL."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine

from app.audit.ledger import Ledger
from app.database import open_database, sqlite_url, upgrade
from app.keys import Keys, create_keys, load_keys
from tests.databases import Postgres

FAST = Path("/dev/shm")


@dataclass(frozen=True)
class Log:
    """An open log in a home of its own."""

    url: str
    home: Path
    engine: Engine
    keys: Keys

    @contextmanager
    def ledger(self) -> Iterator[Ledger]:
        ledger = Ledger(self.engine, self.keys)
        ledger.start()
        try:
            yield ledger
        finally:
            ledger.close()


@contextmanager
def scratch(*, in_memory: bool = False) -> Iterator[Path]:
    """A folder for one trial; in memory where only the number of tries counts, not what the disk does."""
    folder = Path(tempfile.mkdtemp(prefix="dayzero-torture-", dir=FAST if in_memory and FAST.is_dir() else None))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def sqlite_log(home: Path) -> Iterator[Log]:
    engine = open_database(sqlite_url(home))
    upgrade(engine)
    create_keys(home)
    yield Log(sqlite_url(home), home, engine, load_keys(home, engine))
    engine.dispose()


@contextmanager
def postgres_log(server: Postgres, home: Path) -> Iterator[Log]:
    url = server.new_database()
    engine = open_database(url)
    create_keys(home)
    yield Log(url, home, engine, load_keys(home, engine))
    engine.dispose()
    server.drop(url)


@contextmanager
def a_log(where: str, server: Postgres) -> Iterator[Log]:
    """A fresh log on `SQLite` or `PostgreSQL`, on the disk."""
    with ExitStack() as stack:
        home = stack.enter_context(scratch())
        yield stack.enter_context(sqlite_log(home) if where == "SQLite" else postgres_log(server, home))


KINDS = ("SQLite", "PostgreSQL")
