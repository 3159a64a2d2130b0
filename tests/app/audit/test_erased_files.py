"""What the database files themselves hold after an erasure and the documented procedure: nothing of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from app.audit.erasing import Eraser, scrub
from app.audit.ledger import Ledger
from app.database import open_database, sqlite_url, upgrade
from app.errors import Unavailable
from app.keys import Keys, create_keys, ensure_keys
from tests.app.audit.samples import a_record, once
from tests.app.audit.test_erasing import ORDER, check
from tests.databases import Postgres


def pieces_of(engine: Engine, record_ids: list[str]) -> list[bytes]:
    """Bytes that stand for these records in the files: keys, nonces, tags, and windows of their ciphertexts."""
    found: list[bytes] = []
    with engine.connect() as connection:
        for record_id in record_ids:
            one = {"id": record_id}
            found += connection.execute(text("SELECT wrapped_key FROM data_key WHERE record_id = :id"), one).scalars()
            found += connection.execute(text("SELECT tag FROM subject_index WHERE record_id = :id"), one).scalars()
            found += connection.execute(text("SELECT body_tag FROM idempotency WHERE record_id = :id"), one).scalars()
            cipher = connection.execute(text("SELECT ciphertext FROM payload WHERE record_id = :id"), one).scalar_one()
            found += [bytes(cipher[place : place + 24]) for place in range(0, len(cipher) - 24, 509)]
    return [bytes(piece) for piece in found]


def left_in(files: list[Path], pieces: list[bytes]) -> list[str]:
    held = {path.name: path.read_bytes() for path in files}
    return [name for name, content in held.items() for piece in pieces if piece in content]


def write_people(ledger: Ledger) -> list[str]:
    """Records of a few sizes about many people, as a year would leave them; gives those about N-3."""
    about: list[str] = []
    for number in range(120):
        who = f"N-{number % 8}"
        payload = f"{number} ".encode() + bytes(
            (number * 31 + place) % 251 for place in range(200 + 700 * (number % 7))
        )
        record = a_record(
            number,
            payload=payload,
            nominal_ids=(who,),
            idempotency=once(f"key {number}", body=sha256(payload).digest()),
        )
        appended = ledger.submit(record).result(10)
        about += [appended.record_id] if who == "N-3" else []
    return about


@contextmanager
def full_log(url: str, home: Path) -> Iterator[tuple[Engine, Keys, list[bytes]]]:
    """A log about many people, and what stands for N-3 in its files."""
    engine = open_database(url)
    upgrade(engine)
    create_keys(home)
    keys = ensure_keys(home, engine)
    ledger = Ledger(engine, keys)
    ledger.start()
    try:
        yield engine, keys, pieces_of(engine, write_people(ledger))
    finally:
        ledger.close()
        engine.dispose()


def sqlite_files(home: Path) -> list[Path]:
    return [path for name in ("dayzero.db", "dayzero.db-wal") if (path := home / name).exists()]


def test_nothing_is_left_in_the_sqlite_files(tmp_path: Path) -> None:
    with full_log(sqlite_url(tmp_path), tmp_path) as (engine, keys, pieces):
        assert left_in(sqlite_files(tmp_path), pieces)
        assert Eraser(engine, keys).erase(ORDER).log_emptied
        scrub(engine)
        assert left_in(sqlite_files(tmp_path), pieces) == []
        assert check(engine, keys) == []


def test_scrub_says_when_a_reader_keeps_the_log_from_being_emptied(tmp_path: Path) -> None:
    with full_log(sqlite_url(tmp_path), tmp_path) as (engine, keys, pieces):
        with engine.connect() as reader, reader.begin():
            reader.execute(text("SELECT count(*) FROM payload"))
            assert not Eraser(engine, keys).erase(ORDER).log_emptied
            with pytest.raises(Unavailable, match="write-ahead log"):
                scrub(engine)
            assert left_in(sqlite_files(tmp_path), pieces)
        scrub(engine)
        assert left_in(sqlite_files(tmp_path), pieces) == []


@pytest.fixture
def emptying(postgres: Postgres) -> Iterator[Postgres]:
    """A server set up as the guide asks: no old segment of the write-ahead log is kept to be used again."""
    settings = ("wal_recycle = off", "min_wal_size = '32MB'")
    for setting in settings:
        postgres.administer(f"ALTER SYSTEM SET {setting}")
    postgres.administer("SELECT pg_reload_conf()")
    yield postgres
    for setting in settings:
        postgres.administer(f"ALTER SYSTEM RESET {setting.split(' ', maxsplit=1)[0]}")
    postgres.administer("SELECT pg_reload_conf()")


def test_nothing_is_left_in_the_postgres_files(emptying: Postgres, tmp_path: Path) -> None:
    if emptying.data is None:
        pytest.skip("the files of this PostgreSQL are not on this machine")

    def files() -> list[Path]:
        return [path for path in emptying.data.rglob("*") if path.is_file() and {"base", "pg_wal"} & set(path.parts)]

    with full_log(emptying.new_database(), tmp_path) as (engine, keys, pieces):
        assert left_in(files(), pieces)
        Eraser(engine, keys).erase(ORDER)
        scrub(engine)
        scrub(engine)  # a segment goes when the checkpoint after the next one no longer needs it
        assert left_in(files(), pieces) == []
        assert check(engine, keys) == []
