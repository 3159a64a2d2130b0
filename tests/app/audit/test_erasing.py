"""Erasing a nominal: nothing of them is left, everything else is, and every proof still holds."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, event, text

from app.audit import proofs
from app.audit.appending import Appender
from app.audit.contents import Contents
from app.audit.erasing import Eraser, Order
from app.audit.ledger import Ledger
from app.audit.merkle import verify_inclusion
from app.audit.records import Appended
from app.audit.signing import Checkpoints
from app.audit.store import Store
from app.audit.verify import verify_database
from app.database import is_sqlite, open_database, sqlite_url, upgrade
from app.errors import Erased, Unavailable
from app.keys import Keys, ensure_keys
from tests.app.audit.samples import a_record, fill, once

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
