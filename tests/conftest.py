"""Fixtures that more than one folder of tests uses."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import Engine

from app.audit.ledger import Ledger
from app.audit.store import Store
from app.database import is_sqlite, open_database, sqlite_url, upgrade
from app.keys import Keys, create_keys, load_keys
from tests.databases import Postgres, running_postgres

settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")  # how fast an example is says what else the machine does, not whether it is right


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A real PostgreSQL for the whole session. Tests that stop it start it again."""
    with running_postgres() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A fresh database with our tables: an SQLite file, then a PostgreSQL database."""
    if request.param == "sqlite":
        url = sqlite_url(tmp_path)
        engine = open_database(url)
        upgrade(engine)
        engine.dispose()
        yield url
    else:
        server: Postgres = request.getfixturevalue("postgres")
        url = server.new_database()
        yield url
        server.drop(url)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = open_database(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def sqlite_engine(tmp_path: Path) -> Iterator[Engine]:
    """For what does not depend on the kind of database."""
    engine = open_database(sqlite_url(tmp_path))
    assert is_sqlite(engine)
    upgrade(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def keys(engine: Engine, tmp_path: Path) -> Keys:
    create_keys(tmp_path)
    return load_keys(tmp_path, engine)


@pytest.fixture
def ledger(engine: Engine, keys: Keys) -> Iterator[Ledger]:
    ledger = Ledger(engine, keys)
    ledger.start()
    yield ledger
    ledger.close()


@pytest.fixture
def store(engine: Engine, keys: Keys) -> Store:
    return Store(engine, keys)
