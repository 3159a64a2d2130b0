"""PostgreSQL roles: who serves cannot delete or alter, who erases cannot touch the tree."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.engine import make_url

from app.audit.erasing import Eraser, Order
from app.audit.ledger import Ledger
from app.audit.rotation import Rotation
from app.audit.signing import Checkpoints
from app.audit.store import Store
from app.audit.verify import verify_database
from app.database import check_schema, open_database, sqlite_url
from app.database_roles import grant, owns_tables
from app.errors import SetupError, Unavailable
from app.keys import create_keys, load_keys
from tests.app.audit.samples import a_record, fill, once
from tests.databases import Postgres


class Roles(NamedTuple):
    owner: Engine
    serving: Engine
    erasing: Engine


@pytest.fixture
def roles(postgres: Postgres) -> Iterator[Roles]:
    url = postgres.new_database()
    names = ("dayzero_serves", "dayzero_erases")
    for name in names:
        postgres.administer(f"CREATE ROLE {name} LOGIN PASSWORD 'secret'")
    engines = Roles(
        open_database(url),
        *(open_database(make_url(url).set(username=name, password="secret").render_as_string(False)) for name in names),
    )
    grant(engines.owner, *names)
    yield engines
    for engine in engines:
        engine.dispose()
    postgres.drop(url)
    for name in names:
        postgres.administer(f"DROP ROLE {name}")


def test_each_role_can_do_its_work(roles: Roles, tmp_path: Path) -> None:
    create_keys(tmp_path)
    keys = load_keys(tmp_path, roles.serving)
    check_schema(roles.serving)
    ledger = Ledger(roles.serving, keys)
    ledger.start()
    appended = fill(ledger, 4)
    ledger.submit(a_record(3, idempotency=once("key"))).result(10)
    Checkpoints(roles.serving, keys).sign()
    done = Eraser(roles.erasing, keys).erase(Order("N-3", "issuer", "officer", "DPO/1", "court-order"))
    assert done.records == 2
    assert Store(roles.serving, keys).entry_of(appended[3].record_id).erased
    assert verify_database(roles.serving).ok
    assert [owns_tables(engine) for engine in roles] == [True, False, False]
    ledger.close()


FORBIDDEN = {
    "serving": (
        "UPDATE entry SET event = 'read'", "DELETE FROM entry", "TRUNCATE node", "DELETE FROM checkpoint",
        "ALTER TABLE entry DISABLE TRIGGER ALL", "DROP TRIGGER entry_refuse_change ON entry", "DROP TABLE payload",
        "DELETE FROM payload", "DELETE FROM data_key", "UPDATE data_key SET kek_id = ''", "DELETE FROM subject_index",
        "UPDATE ledger_key SET key_id = ''", "DELETE FROM log_head", "SET session_replication_role = replica",
        "UPDATE log_head SET key_epoch = 0", "UPDATE log_head SET log_id = ''",
    ),
    "erasing": (
        "UPDATE entry SET event = 'read'", "DELETE FROM entry", "DELETE FROM node", "INSERT INTO checkpoint VALUES (9, '')",
        "DELETE FROM log_head", "UPDATE payload SET ciphertext = ''", "UPDATE data_key SET kek_id = ''", "TRUNCATE payload",
        "UPDATE log_head SET key_epoch = 0", "UPDATE idempotency SET record_id = ''",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("role", "statement"), [(role, one) for role, some in FORBIDDEN.items() for one in some])
def test_a_role_can_do_nothing_else(roles: Roles, role: str, statement: str) -> None:
    with pytest.raises(Exception, match=r"permission denied|must be owner"), getattr(roles, role).begin() as connection:
        connection.execute(text(statement))


def test_a_role_without_the_right_to_erase_erases_nothing(roles: Roles, tmp_path: Path) -> None:
    create_keys(tmp_path)
    keys = load_keys(tmp_path, roles.serving)
    ledger = Ledger(roles.serving, keys)
    ledger.start()
    appended = fill(ledger, 4)
    with pytest.raises(Unavailable, match="Database roles"):
        Eraser(roles.serving, keys).erase(Order("N-3", "issuer", "officer", "DPO/1", "court-order"))
    with pytest.raises(Unavailable, match="Database roles"):
        Rotation(tmp_path, roles.serving, "issuer", "keeper").rotate("index")
    store = Store(roles.serving, keys)
    assert store.open(appended[3].record_id).payload == b"payload 3"
    assert store.size() == 4
    ledger.close()


def test_an_unknown_role_and_sqlite_are_refused(roles: Roles, tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="does not exist"):
        grant(roles.owner, "nobody_here", None)
    with pytest.raises(SetupError, match="no roles"):
        grant(open_database(sqlite_url(tmp_path)), "any", None)
