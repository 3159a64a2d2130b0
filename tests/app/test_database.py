"""Engines, migrations, and the triggers that keep the log append-only."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, text
from sqlalchemy.exc import DBAPIError

from app.audit import tables
from app.audit.ledger import Ledger
from app.database import (
    REVISION,
    check_schema,
    current_revision,
    expected_triggers,
    is_sqlite,
    open_database,
    read_transaction,
    sqlite_url,
    upgrade,
    write_transaction,
)
from app.errors import SetupError, Unavailable
from app.migrations import configuration
from tests.app.audit.samples import fill
from tests.databases import Postgres


@pytest.mark.parametrize(
    "url", ["", "nonsense", "mysql://host/db", "sqlite://", "sqlite:///:memory:", "sqlite:///f?mode=ro"]
)
def test_unusable_urls(url: str) -> None:
    with pytest.raises(SetupError, match="DAYZERO_DATABASE_URL"):
        open_database(url)


def test_sqlite_settings(sqlite_engine: Engine) -> None:
    with read_transaction(sqlite_engine) as connection:
        found = {name: connection.execute(text(f"PRAGMA {name}")).scalar() for name in ("journal_mode", "synchronous")}
        secure = connection.execute(text("PRAGMA secure_delete")).scalar()
    assert (found, secure) == ({"journal_mode": "wal", "synchronous": 2}, 1)
    assert Path(str(sqlite_engine.url.database)).stat().st_mode & 0o077 == 0


def test_postgres_settings(postgres: Postgres) -> None:
    engine = open_database(postgres.url())
    with read_transaction(engine) as connection:
        limits = [connection.execute(text(f"SHOW {name}")).scalar() for name in ("lock_timeout", "synchronous_commit")]
        idle = connection.execute(text("SHOW idle_in_transaction_session_timeout")).scalar()
    engine.dispose()
    assert [*limits, idle] == ["2s", "on", "5s"]


def test_a_database_that_does_not_answer_is_unavailable_soon() -> None:
    with socket.socket() as deaf:  # takes connections and never says a word
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(8)
        engine = open_database(f"postgresql://x@127.0.0.1:{deaf.getsockname()[1]}/x")
        began = time.monotonic()
        with pytest.raises(Unavailable):
            check_schema(engine)
        assert time.monotonic() - began < 30, "two seconds, and not the minutes of the driver's own patience"
        engine.dispose()


def test_errors_do_not_repeat_what_was_sent(engine: Engine) -> None:
    with pytest.raises(Unavailable) as caught, write_transaction(engine) as connection:
        connection.execute(text("SELECT * FROM nowhere WHERE name = :name"), {"name": "CANARY"})
    assert "CANARY" not in f"{caught.value}{caught.value.__cause__}"


def test_upgrade_makes_the_tables_that_the_code_knows(engine: Engine) -> None:
    upgrade(engine)
    assert current_revision(engine) == REVISION
    check_schema(engine)
    found = inspect(engine)
    for table in tables.metadata.tables.values():
        columns = {one["name"]: (one["nullable"], type(one["type"]).__name__) for one in found.get_columns(table.name)}
        dialect = engine.dialect
        assert columns == {
            column.name: (bool(column.nullable), spelled(column.type.dialect_impl(dialect).compile(dialect)))
            for column in table.columns
        }
        key = found.get_pk_constraint(table.name)["constrained_columns"]
        assert set(key) == {column.name for column in table.primary_key}
        unique = {name for one in found.get_unique_constraints(table.name) for name in one["column_names"]}
        assert unique == {column.name for column in table.columns if column.unique}


def spelled(kind: str) -> str:
    return kind.partition("(")[0]


def test_revision_is_the_newest_migration() -> None:
    assert ScriptDirectory.from_config(configuration()).get_heads() == [REVISION]


def test_a_database_without_tables_asks_for_an_upgrade(tmp_path: Path) -> None:
    engine = open_database(sqlite_url(tmp_path))
    assert current_revision(engine) is None
    with pytest.raises(SetupError, match="dayzero db upgrade"):
        check_schema(engine)
    engine.dispose()


@pytest.mark.parametrize(("revision", "told"), [("0000", "dayzero db upgrade"), ("9999", "newer Day Zero")])
def test_another_revision_is_refused(engine: Engine, revision: str, told: str) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})
    with pytest.raises(SetupError, match=told):
        check_schema(engine)


UPGRADE = "import sys; from app.database import *; upgrade(open_database(sys.argv[1])); print('done')"


def test_several_processes_may_upgrade_at_once(postgres: Postgres, tmp_path: Path) -> None:
    empty = f"empty_{os.getpid()}"
    postgres.administer(f"CREATE DATABASE {empty}")
    urls = [sqlite_url(tmp_path), postgres.url(empty)]
    commands = [[sys.executable, "-c", UPGRADE, url] for url in urls for _ in range(3)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for command in commands]
    outputs = [process.communicate(timeout=60) for process in running]
    assert [(out, err) for out, err in outputs] == [(b"done\n", b"")] * 6
    for url in urls:
        engine = open_database(url)
        check_schema(engine)
        engine.dispose()
    postgres.administer(f"DROP DATABASE {empty}")


FORBIDDEN = [
    "UPDATE entry SET event = 'read'",
    "UPDATE entry SET event = event WHERE sequence = -1" ,
    "DELETE FROM entry WHERE sequence = 1",
    "DELETE FROM node",
    "UPDATE node SET hash = hash",
    "DELETE FROM checkpoint WHERE size = 7",
    "UPDATE checkpoint SET note = note",
    "INSERT INTO checkpoint SELECT * FROM checkpoint",
    "INSERT INTO entry SELECT * FROM entry WHERE sequence = 1",
    "INSERT INTO entry SELECT 77, record_id, leaf_hash, event, actor_ref, recorded_at, manifest, envelope FROM entry "
    "WHERE sequence = 1",
    "INSERT INTO node SELECT * FROM node",
    "INSERT INTO entry SELECT * FROM entry WHERE sequence = 1 ON CONFLICT (sequence) DO UPDATE SET event = 'read'",
]  # fmt: skip
SQLITE_FORBIDDEN = [
    "INSERT OR REPLACE INTO entry SELECT * FROM entry WHERE sequence = 1",
    "REPLACE INTO entry SELECT 77, record_id, leaf_hash, event, actor_ref, recorded_at, manifest, envelope FROM entry "
    "WHERE sequence = 1",
    "REPLACE INTO node SELECT * FROM node",
    "REPLACE INTO checkpoint SELECT * FROM checkpoint",
    "UPDATE OR REPLACE entry SET sequence = 0 WHERE sequence = 1",
]
POSTGRES_FORBIDDEN = [
    "TRUNCATE entry",
    "TRUNCATE node, checkpoint",
    "SET session_replication_role = replica; DELETE FROM entry WHERE sequence = 1",
    "SET session_replication_role = replica; TRUNCATE entry",
]


def test_append_only_tables_refuse_everything_else(ledger: Ledger, engine: Engine) -> None:
    fill(ledger, 8)
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO checkpoint (size, note) VALUES (7, :note)"), {"note": b"x"})
    own = SQLITE_FORBIDDEN if is_sqlite(engine) else POSTGRES_FORBIDDEN
    before = contents(engine)
    for statement in [*FORBIDDEN, *own]:
        if is_sqlite(engine) and statement.endswith("sequence = -1"):
            continue  # its triggers fire for each row, and there is none
        with pytest.raises(DBAPIError, match=r"append-only|unique"), engine.begin() as connection:
            connection.execute(text(statement))
    assert contents(engine) == before


def contents(engine: Engine) -> list[list[tuple]]:
    with engine.connect() as connection:
        queries = ("SELECT * FROM entry ORDER BY 1", "SELECT * FROM node ORDER BY 1, 2", "SELECT * FROM checkpoint")
        return [[tuple(row) for row in connection.execute(text(query))] for query in queries]


def test_a_missing_trigger_is_noticed(engine: Engine) -> None:
    check_schema(engine)
    for name in sorted(expected_triggers(engine)):
        table = name.split("_", 1)[0]
        with engine.connect() as connection:
            drop = f"DROP TRIGGER {name}" if is_sqlite(engine) else f"DROP TRIGGER {name} ON {table}"
            with connection.begin() as transaction:
                connection.execute(text(drop))
                transaction.commit()
        with pytest.raises(SetupError, match=name):
            check_schema(engine)


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("ALTER TABLE entry DISABLE TRIGGER entry_refuse_change", "entry_refuse_change"),
        ("ALTER TABLE node ENABLE TRIGGER node_refuse_truncate", "node_refuse_truncate"),
        ("ALTER TABLE entry DROP CONSTRAINT entry_record_id", "entry_record_id"),
        ("ALTER TABLE checkpoint DROP CONSTRAINT checkpoint_pkey", "checkpoint_pkey"),
    ],
)
def test_postgres_guards_that_were_weakened_are_noticed(postgres: Postgres, statement: str, named: str) -> None:
    url = postgres.new_database()
    engine = open_database(url)
    with engine.begin() as connection:
        connection.execute(text(statement))
    with pytest.raises(SetupError, match=named):
        check_schema(engine)
    engine.dispose()
    postgres.drop(url)


def test_postgres_that_may_lose_commits_is_refused(postgres: Postgres) -> None:
    url = postgres.new_database()
    engine = open_database(url)
    with engine.begin() as connection:
        connection.execute(text(f'ALTER DATABASE "{engine.url.database}" SET synchronous_commit = off'))
    engine.dispose()
    with pytest.raises(SetupError, match="synchronous_commit"):
        check_schema(engine)
    engine.dispose()
    postgres.drop(url)
