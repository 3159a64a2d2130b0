"""Erasing a nominal: nothing of them is left, everything else is, and every proof still holds."""

import json
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import Engine, event, text

from app.audit import proofs
from app.audit.appending import Appender
from app.audit.contents import Contents
from app.audit.erasing import Eraser, Order, scrub
from app.audit.ledger import Ledger
from app.audit.merkle import verify_inclusion
from app.audit.records import Appended
from app.audit.signing import Checkpoints
from app.audit.store import Store
from app.audit.verify import verify_database
from app.database import is_sqlite, open_database, sqlite_url, upgrade
from app.errors import Erased, Unavailable
from app.keys import Keys, create_keys, ensure_keys
from tests.app.audit.samples import a_record, fill, once
from tests.databases import Postgres

ORDER = Order("N-3", "dayzero-local", "officer", "DPO/2026/14", "subject-request")


@pytest.fixture
def eraser(engine: Engine, keys: Keys) -> Eraser:
    return Eraser(engine, keys)


def check(engine: Engine, keys: Keys) -> list[tuple[int | None, str]]:
    return [tuple(one) for one in verify_database(engine, contents=Contents(engine, keys, every=True)).problems]


def test_an_erased_nominal_is_gone_and_the_proof_stays(
    ledger: Ledger, engine: Engine, keys: Keys, store: Store, eraser: Eraser
) -> None:
    appended = fill(ledger, 6)
    second = ledger.submit(a_record(7, nominal_ids=("N-3", "N-5"))).result(10)
    before = Checkpoints(engine, keys).sign().checkpoint
    proof = proofs.inclusion(engine, 3, before.size)

    done = eraser.erase(ORDER)

    assert (done.records, done.appended.sequence, done.log_emptied) == (2, 7, is_sqlite(engine))
    for record in (appended[3], second):
        with pytest.raises(Erased):
            store.open(record.record_id)
        assert store.entry_of(record.record_id).erased
    assert store.records_of_nominal("N-3") == []
    assert store.open(appended[5].record_id).payload == b"payload 5"
    leaf = bytes.fromhex(appended[3].leaf_hash)
    after = Checkpoints(engine, keys).sign().checkpoint
    assert verify_inclusion(leaf, 3, before.size, proof, before.root)
    assert verify_inclusion(leaf, 3, after.size, proofs.inclusion(engine, 3, after.size), after.root)
    assert check(engine, keys) == []
    assert verify_database(engine).erased == 2


def test_the_erasures_own_record_names_records_and_no_person(
    ledger: Ledger, engine: Engine, store: Store, eraser: Eraser
) -> None:
    appended = fill(ledger, 5)
    done = eraser.erase(ORDER)
    opened = store.open(done.appended.record_id)
    told = json.loads(opened.payload)
    assert told == {"authority": "DPO/2026/14", "reason": "subject-request", "records": [appended[3].record_id]}
    assert (opened.issuer, opened.subject, opened.nominal_ids) == ("dayzero-local", "officer", ())
    assert store.entry_of(done.appended.record_id).event == "erasure"


def test_nothing_held_is_recorded_all_the_same(ledger: Ledger, store: Store, eraser: Eraser) -> None:
    fill(ledger, 2)
    assert eraser.erase(ORDER).records == 0
    assert eraser.erase(ORDER).appended.sequence == 3
    assert store.size() == 4


def test_a_retry_after_the_erasure_is_told_so(ledger: Ledger, store: Store, eraser: Eraser) -> None:
    ledger.submit(a_record(3, idempotency=once("key"))).result(10)
    eraser.erase(ORDER)
    for body in (once("key"), once("key", body=bytes(32))):
        with pytest.raises(Erased):
            ledger.submit(a_record(3, idempotency=body)).result(10)
        with pytest.raises(Erased):
            store.find_idempotent("dayzero-local", "analyst", body)
    assert isinstance(ledger.submit(a_record(3, idempotency=once("another"))).result(10), Appended)


def test_an_erasure_that_cannot_be_recorded_erases_nothing(
    ledger: Ledger, engine: Engine, store: Store, eraser: Eraser
) -> None:
    appended = fill(ledger, 5)
    with engine.begin() as connection:
        connection.execute(text("UPDATE log_head SET key_epoch = 1"))
    with pytest.raises(Unavailable, match="rotated"):
        eraser.erase(ORDER)
    assert store.open(appended[3].record_id).payload == b"payload 3"


def test_an_erasure_is_one_transaction(
    ledger: Ledger, store: Store, eraser: Eraser, monkeypatch: pytest.MonkeyPatch
) -> None:
    appended = fill(ledger, 5)
    monkeypatch.setattr(Appender, "append_within", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        eraser.erase(ORDER)
    assert store.open(appended[3].record_id).payload == b"payload 3"
    assert [entry.sequence for entry in store.records_of_nominal("N-3")] == [3]


def test_many_records_take_no_more_statements_than_one(tmp_path: Path) -> None:
    """Appends wait meanwhile: a statement for each record made thousands take longer than anyone waits."""
    engine = open_database(sqlite_url(tmp_path))
    upgrade(engine)
    keys = ensure_keys(tmp_path, engine)
    ledger, eraser, seen = Ledger(engine, keys), Eraser(engine, keys), []
    ledger.start()
    for count, who in ((1, "N-1"), (40, "N-40")):
        for one in [ledger.submit(a_record(nominal_ids=(who,))) for _ in range(count)]:
            one.result(10)
    event.listen(engine, "checkout", lambda connection, *_: connection.set_trace_callback(seen.append))
    assert eraser.erase(replace(ORDER, nominal_id="N-1")).records == 1
    few = len(seen)
    seen.clear()
    assert eraser.erase(replace(ORDER, nominal_id="N-40")).records == 40
    assert len(seen) <= few + 5  # tree nodes
    assert check(engine, keys) == []
    ledger.close()
    engine.dispose()


TAMPERINGS = {
    "a key is destroyed": ("DELETE FROM data_key WHERE record_id = :id", "its key is gone, but its payload is not"),
    "contents are destroyed": (
        "DELETE FROM data_key WHERE record_id = :id; DELETE FROM payload WHERE record_id = :id",
        "its content is gone, but no erasure names it",
    ),
    "a payload is destroyed": ("DELETE FROM payload WHERE record_id = :id", "its payload is missing"),
    "a wrapped key is exchanged": (
        "UPDATE data_key SET wrapped_key = (SELECT wrapped_key FROM data_key WHERE record_id <> :id LIMIT 1) "
        "WHERE record_id = :id",
        "its payload does not open under its key",
    ),
    "tags are removed": (
        "DELETE FROM subject_index WHERE record_id = :id",
        "the tags it is looked up by are not those of its nominal",
    ),
}


@pytest.mark.parametrize("name", TAMPERINGS)
def test_what_was_emptied_by_somebody_else_is_found(ledger: Ledger, engine: Engine, keys: Keys, name: str) -> None:
    appended = fill(ledger, 6)
    statements, told = TAMPERINGS[name]
    with engine.begin() as connection:
        for statement in statements.split("; "):
            connection.execute(text(statement), {"id": appended[4].record_id})
    problems = check(engine, keys)
    assert problems[0][0] == 4
    assert any(told in what for _, what in problems)


def test_contents_put_back_after_an_erasure_are_found(
    ledger: Ledger, engine: Engine, keys: Keys, eraser: Eraser
) -> None:
    appended = fill(ledger, 5)
    tables = ("data_key", "payload", "subject_index")
    with engine.connect() as connection:
        query = "SELECT * FROM {} WHERE record_id = :id"
        rows = {
            table: dict(connection.execute(text(query.format(table)), {"id": appended[3].record_id}).mappings().one())
            for table in tables
        }
    eraser.erase(ORDER)
    with engine.begin() as connection:
        for table, row in rows.items():
            values = ", ".join(f":{name}" for name in row)
            connection.execute(text(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({values})"), row)
    assert (3, "an erasure names it, but its content is still there") in check(engine, keys)


# What the database files themselves hold


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


def test_nothing_is_left_in_the_sqlite_files(tmp_path: Path) -> None:
    engine = open_database(sqlite_url(tmp_path))
    upgrade(engine)
    keys = ensure_keys(tmp_path, engine)
    ledger = Ledger(engine, keys)
    ledger.start()
    pieces = pieces_of(engine, write_people(ledger))
    files = [tmp_path / "dayzero.db", tmp_path / "dayzero.db-wal"]
    assert left_in(files, pieces)
    assert Eraser(engine, keys).erase(ORDER).log_emptied
    scrub(engine)
    assert left_in([path for path in files if path.exists()], pieces) == []
    assert check(engine, keys) == []
    ledger.close()
    engine.dispose()


def test_scrub_says_when_a_reader_keeps_the_log_from_being_emptied(tmp_path: Path) -> None:
    engine = open_database(sqlite_url(tmp_path))
    upgrade(engine)
    keys = ensure_keys(tmp_path, engine)
    ledger = Ledger(engine, keys)
    ledger.start()
    pieces = pieces_of(engine, write_people(ledger))
    files = [tmp_path / "dayzero.db", tmp_path / "dayzero.db-wal"]
    with engine.connect() as reader, reader.begin():
        reader.execute(text("SELECT count(*) FROM payload"))
        assert not Eraser(engine, keys).erase(ORDER).log_emptied
        with pytest.raises(Unavailable, match="write-ahead log"):
            scrub(engine)
        assert left_in(files, pieces)
    scrub(engine)
    assert left_in(files, pieces) == []
    ledger.close()
    engine.dispose()


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
    engine = open_database(emptying.new_database())
    create_keys(tmp_path)
    keys = ensure_keys(tmp_path, engine)
    ledger = Ledger(engine, keys)
    ledger.start()
    pieces = pieces_of(engine, write_people(ledger))

    def files() -> list[Path]:
        return [path for path in emptying.data.rglob("*") if path.is_file() and {"base", "pg_wal"} & set(path.parts)]

    assert left_in(files(), pieces)
    Eraser(engine, keys).erase(ORDER)
    scrub(engine)
    scrub(engine)  # a segment goes when the checkpoint after the next one no longer needs it
    assert left_in(files(), pieces) == []
    assert check(engine, keys) == []
    ledger.close()
    engine.dispose()


def test_a_record_made_to_look_like_an_erasure_is_told_and_stops_nothing(
    ledger: Ledger, engine: Engine, keys: Keys
) -> None:
    fill(ledger, 6)
    with engine.begin() as connection:
        leaf = bytes(connection.execute(text("SELECT envelope FROM entry WHERE sequence = 4")).scalar_one())
        forged = leaf.replace(b'"event":"score"', b'"event":"erasure"')
        for trigger in ("entry_refuse_update", "entry_refuse_change"):
            table = "" if is_sqlite(engine) else " ON entry"
            connection.execute(text(f"DROP TRIGGER IF EXISTS {trigger}{table}"))
        connection.execute(text("UPDATE entry SET envelope = :leaf WHERE sequence = 4"), {"leaf": forged})
    assert check(engine, keys)[0] == (4, "the leaf is not the one its stored hash was made from")
