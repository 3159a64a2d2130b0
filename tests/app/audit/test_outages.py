"""A database that is stopped, locked or unwritable: Unavailable soon, nothing lost, and back when it is back."""

import time
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from app.audit.ledger import Ledger
from app.audit.records import Appended
from app.audit.store import Store
from app.audit.verify import verify_database
from app.database import open_database, sqlite_url, upgrade
from app.errors import Unavailable
from app.keys import create_keys, ensure_keys, load_keys
from tests.app.audit.samples import a_record, fill
from tests.databases import Postgres


@pytest.fixture
def stoppable(postgres: Postgres) -> Postgres:
    if not postgres.can_stop:
        pytest.skip("this PostgreSQL is not ours to stop")
    return postgres


def recovered(ledger: Ledger) -> Appended:
    """The first success; a connection dropped within the last second of its use may cost one more failure."""
    try:
        return ledger.submit(a_record()).result(10)
    except Unavailable:
        return ledger.submit(a_record()).result(10)


@pytest.mark.parametrize("crash", [False, True])
def test_postgres_stopped_and_started(stoppable: Postgres, tmp_path: Path, crash: bool) -> None:
    url = stoppable.new_database()
    engine = open_database(url)
    create_keys(tmp_path)
    ledger = Ledger(engine, keys := load_keys(tmp_path, engine))
    ledger.start()
    stored = fill(ledger, 5)
    stoppable.stop(crash=crash)
    try:
        assert isinstance(ledger.submit(a_record()).exception(10), Unavailable)
        with pytest.raises(Unavailable):
            Store(engine, keys).size()
    finally:
        stoppable.start()
    assert recovered(ledger).sequence == 5
    report = verify_database(engine)
    assert (report.ok, report.size) == (True, 6)
    assert [Store(engine, keys).entry(number).leaf_hash for number in range(5)] == [one.leaf_hash for one in stored]
    ledger.close()
    engine.dispose()
    stoppable.drop(url)


def test_a_locked_head_is_unavailable_after_two_seconds(ledger: Ledger, engine: Engine) -> None:
    fill(ledger, 1)
    other = open_database(engine.url.render_as_string(hide_password=False))
    with other.connect() as connection:
        lock = "UPDATE log_head SET id = 1"  # takes SQLite's only write lock, or the row's
        connection.execute(text(lock))
        began = time.monotonic()
        assert isinstance(ledger.submit(a_record()).exception(10), Unavailable)
        assert time.monotonic() - began > 1, "it had waited"
    other.dispose()
    assert ledger.submit(a_record()).result(10).sequence == 1


def test_sqlite_file_that_cannot_be_written(tmp_path: Path) -> None:
    engine = open_database(sqlite_url(tmp_path))
    upgrade(engine)
    ledger = Ledger(engine, ensure_keys(tmp_path, engine))
    ledger.start()
    fill(ledger, 1)
    lock = Path(f"{engine.url.database}.lock")
    lock.unlink()
    lock.mkdir()
    assert isinstance(ledger.submit(a_record()).exception(10), Unavailable)
    lock.rmdir()
    assert ledger.submit(a_record()).result(10).sequence == 1
    ledger.close()
    engine.dispose()
