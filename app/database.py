"""The engine, durable write transactions and the schema's version, for SQLite and PostgreSQL.

SQLite: WAL, `synchronous=FULL` (a commit survives a power cut), `secure_delete=ON` (erased bytes are overwritten), and
an flock taken before `BEGIN IMMEDIATE`: SQLite's own waiting is a sleep loop that can starve a writer for seconds.
PostgreSQL 15: short lock and idle limits, so that one stuck client cannot stop everyone's appends.
"""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DisconnectionError, IntegrityError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.sql.expression import ClauseElement

from app.errors import SetupError, Unavailable

REVISION = "0002"
"""The schema this program needs: the newest file in `app/migrations/versions`."""

APPEND_ONLY = ("entry", "node", "checkpoint")
"""Tables whose rows may be added and read, never changed, removed or overwritten."""

_NOT_ALLOWED = "The database role may not do this: see docs/keys.md, Database roles, for which URL each task needs."
_WRITES = "dayzero_writes"
_MIGRATION_LOCK = 0x64617930  # "day0": an arbitrary number all our migrations lock on
_SQLITE_PRAGMAS = ("busy_timeout=2000", "journal_mode=WAL", "synchronous=FULL", "secure_delete=ON")
_REST_SECONDS = 1.0
_SQLITE_GUARDS = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
_POSTGRES_GUARDS = (  # 'A': fires always, whatever a session sets
    "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled = 'A' AND pg_table_is_visible(tgrelid) "
    "UNION SELECT conname FROM pg_constraint WHERE contype IN ('p', 'u') AND pg_table_is_visible(conrelid)"
)
_POSTGRES_LIMITS = "SET lock_timeout = '2s'; SET idle_in_transaction_session_timeout = '5s'"


def open_database(url: str) -> Engine:
    """An engine for `sqlite:///path` or `postgresql://...`; connects only when used.

    Errors: SetupError for any other kind of database, and for SQLite in memory, which would keep nothing.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise SetupError("DAYZERO_DATABASE_URL is not a database URL: use sqlite:///file or postgresql://...") from None
    match parsed.get_backend_name():
        case "sqlite":
            return _open_sqlite(parsed)
        case "postgresql" | "postgres":
            return _open_postgres(parsed.set(drivername="postgresql+psycopg"))
    raise SetupError("DAYZERO_DATABASE_URL must begin with sqlite:/// or postgresql://.")


def sqlite_url(home: Path) -> str:
    """The default database: a file in the home folder."""
    return URL.create("sqlite", database=str(home / "dayzero.db")).render_as_string()


def is_sqlite(engine: Engine) -> bool:
    return engine.dialect.name == "sqlite"


class Duplicate(Unavailable):
    """A row with this key is already stored."""


@contextmanager
def storage_errors(engine: Engine) -> Iterator[None]:
    """Turns every failure of the database, from SQLAlchemy or straight from the driver, into Unavailable."""
    driver = engine.dialect.loaded_dbapi
    try:
        yield
    except (IntegrityError, driver.IntegrityError) as error:
        raise Duplicate("The record store already has a record with this id.") from error
    except (SQLAlchemyError, driver.Error) as error:
        raise Unavailable(
            _NOT_ALLOWED if _lacks_right(error) else "The record store cannot answer now; try again."
        ) from error


def _lacks_right(error: Exception) -> bool:
    """Whether PostgreSQL refused because of the role (SQLSTATE 42501), where trying again helps nobody."""
    return getattr(getattr(error, "orig", error), "sqlstate", None) == "42501"


@contextmanager
def writer_lock(engine: Engine) -> Iterator[None]:
    """Queues this process behind other writers of one SQLite file; nothing to do on PostgreSQL.

    Opened anew each time: an flock belongs to the open file, so a shared one would not keep two threads apart.
    """
    if not is_sqlite(engine):
        yield
        return
    try:
        handle = os.open(f"{engine.url.database}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Unavailable("The record store's lock file cannot be opened.") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


@contextmanager
def write_transaction(engine: Engine) -> Iterator[Connection]:
    """One durable transaction. Leaving the block without an error means that it is on disk."""
    writing = engine.execution_options(**{_WRITES: True})
    with storage_errors(engine), writer_lock(engine), writing.connect() as connection, connection.begin():
        yield connection


@contextmanager
def driver_transaction(engine: Engine) -> Iterator[Any]:
    """The same with the driver's own cursor, for the append path, where SQLAlchemy's share is as long as the disk's."""
    with storage_errors(engine), writer_lock(engine):
        connection: Any = engine.raw_connection()
        try:
            cursor = connection.cursor()
            if is_sqlite(engine):
                cursor.execute("BEGIN IMMEDIATE")
                yield cursor
                connection.commit()
            else:  # statements whose result nobody reads travel together with the commit
                with connection.driver_connection.pipeline():
                    yield cursor
                    cursor.execute("COMMIT")
        finally:
            connection.close()  # back to the pool, which rolls back what was not committed


@contextmanager
def read_transaction(engine: Engine) -> Iterator[Connection]:
    with storage_errors(engine), engine.connect() as connection, connection.begin():
        yield connection


def driver_sql(engine: Engine, statement: ClauseElement) -> str:
    """The statement's text for a driver's cursor, with parameters by name."""
    dialect = sqlite.dialect(paramstyle="named") if is_sqlite(engine) else engine.dialect
    return str(statement.compile(dialect=dialect))


def upgrade(engine: Engine) -> None:
    """Brings the schema up to `REVISION`; several processes may start at once, one of them does the work."""
    if current_revision(engine) == REVISION:
        return
    from app.migrations import migrate  # noqa: PLC0415 - Alembic takes .3 s to import and is needed once

    with write_transaction(engine) as connection:
        if not is_sqlite(engine):
            connection.execute(text("SET LOCAL lock_timeout = '60s'"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
        migrate(connection)


def current_revision(engine: Engine) -> str | None:
    """The schema's revision; None for a database without our tables."""
    with read_transaction(engine) as connection:
        if not engine.dialect.has_table(connection, "alembic_version"):
            return None
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def check_schema(engine: Engine) -> None:
    """Refuses a schema of another version and append-only tables that lost a trigger.

    Errors: SetupError with what to do next, Unavailable when the database does not answer.
    """
    found = current_revision(engine)
    if found is None or found < REVISION:
        raise SetupError("The database has not been brought up to date: run `dayzero db upgrade` first.")
    if found != REVISION:
        raise SetupError("The database was made by a newer Day Zero: install that version, or restore a backup.")
    for fault in schema_faults(engine):
        raise SetupError(fault)


def schema_faults(engine: Engine) -> list[str]:
    """What is wrong with a database of our version: guards that were removed, durability that was switched off."""
    faults = []
    with read_transaction(engine) as connection:
        missing = (expected_triggers(engine) | _expected_keys(engine)) - _guards(connection)
        if missing:
            faults.append(
                f"What keeps the audit log append-only is missing ({', '.join(sorted(missing))}): "
                "find out who removed it and run `dayzero audit verify` before serving again."
            )
        if not is_sqlite(engine) and connection.execute(text("SHOW synchronous_commit")).scalar() == "off":
            faults.append("PostgreSQL has synchronous_commit off and may lose acknowledged records: switch it on.")
    return faults


def expected_triggers(engine: Engine) -> set[str]:
    """PostgreSQL has none against overwriting INSERTs: its unique keys refuse them, and an upsert is an UPDATE."""
    kinds = ("update", "delete", "insert") if is_sqlite(engine) else ("change", "truncate")
    return {f"{table}_refuse_{kind}" for table in APPEND_ONLY for kind in kinds}


def _expected_keys(engine: Engine) -> set[str]:
    return set() if is_sqlite(engine) else {"entry_pkey", "entry_record_id", "node_pkey", "checkpoint_pkey"}


def _guards(connection: Connection) -> set[str]:
    """Names of the triggers and unique keys there are; on PostgreSQL, of triggers that no session can switch off."""
    query = _SQLITE_GUARDS if connection.dialect.name == "sqlite" else _POSTGRES_GUARDS
    return set(connection.execute(text(query)).scalars())


def _open_sqlite(url: URL) -> Engine:
    if not url.database or url.database == ":memory:" or url.query:
        raise SetupError("DAYZERO_DATABASE_URL must name a file after sqlite:///, without options.")
    path = Path(url.database).absolute()
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
    except OSError:
        raise SetupError("The SQLite file of DAYZERO_DATABASE_URL cannot be created: check its folder.") from None
    engine = create_engine(
        URL.create("sqlite+pysqlite", database=str(path)), hide_parameters=True, pool_size=8, pool_timeout=2
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    event.listen(engine, "checkout", _refuse_another_file(path))
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver must not begin transactions of its own
    for pragma in _SQLITE_PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _refuse_another_file(path: Path) -> Callable[..., None]:
    """A file that was deleted or replaced under a running service would take records nobody can ever read."""
    opened = path.stat()

    def check(*_: object) -> None:
        found = path.stat() if path.exists() else None
        if found is None or (found.st_dev, found.st_ino) != (opened.st_dev, opened.st_ino):
            raise Unavailable("The database file was removed or replaced: stop the service and restore the file.")

    return check


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _open_postgres(url: URL) -> Engine:
    engine = create_engine(
        url,
        hide_parameters=True,
        pool_size=8,
        pool_timeout=2,
        connect_args={"connect_timeout": 2, "tcp_user_timeout": 3000, "keepalives_idle": 30},
    )
    event.listen(engine, "connect", _prepare_postgres)
    event.listen(engine, "checkin", _note_use)
    event.listen(engine, "checkout", _ask_after_rest)
    return engine


def _prepare_postgres(connection: Any, _record: object) -> None:
    connection.execute(_POSTGRES_LIMITS)
    connection.commit()


def _note_use(_connection: object, record: ConnectionPoolEntry) -> None:
    record.info["used"] = time.monotonic()


def _ask_after_rest(connection: Any, record: ConnectionPoolEntry, _proxy: object) -> None:
    """Finds connections that a restarted server has dropped; one in busy use is not asked, it would cost a round trip."""
    if time.monotonic() - record.info.get("used", time.monotonic()) < _REST_SECONDS:
        return
    try:
        connection.execute("SELECT 1")
        connection.rollback()
    except Exception as error:
        raise DisconnectionError from error  # tells the pool to open another one
