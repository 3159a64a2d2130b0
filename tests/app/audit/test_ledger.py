"""Appending: order, durability, repeats, failures and recovery, on both databases."""

import asyncio
import threading
import time
from concurrent.futures import Future
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, text

from app.audit import appending
from app.audit import ledger as ledger_module
from app.audit.ledger import Ledger
from app.audit.merkle import leaf_hash
from app.audit.records import Appended, NewRecord, Replayed
from app.audit.store import EntryFilter, Store
from app.audit.verify import verify_database
from app.database import Duplicate, open_database
from app.errors import IdempotencyMismatch, Unavailable
from app.keys import Keys
from tests import patient
from tests.app.audit.samples import a_record, fill, once


def test_appended_records_are_stored_and_verify(ledger: Ledger, store: Store, engine: Engine) -> None:
    before = datetime.now(UTC)
    appended = fill(ledger, 30)
    assert [one.sequence for one in appended] == list(range(30))
    for number, one in enumerate(appended):
        entry = store.entry(number)
        assert (entry.record_id, entry.leaf_hash, entry.time) == (one.record_id, one.leaf_hash, one.time)
        assert leaf_hash(entry.leaf).hex() == one.leaf_hash
        assert store.open_record(one.record_id) == f"payload {number}".encode()
    assert before <= appended[0].time <= appended[-1].time <= datetime.now(UTC)
    report = verify_database(engine)
    assert (report.ok, report.size, report.erased, report.log_id) == (True, 30, 0, ledger.log_id)


def test_async_append(ledger: Ledger) -> None:
    async def many() -> list[Appended]:
        return await asyncio.gather(*(ledger.append(a_record(number)) for number in range(20)))

    assert sorted(one.sequence for one in asyncio.run(many())) == list(range(20))


def test_no_personal_data_outside_the_payload(ledger: Ledger, engine: Engine) -> None:
    canary = "CANARY-7391"
    record = a_record(
        issuer=canary, subject=canary, payload=canary.encode(), nominal_ids=(canary,), idempotency=once(canary)
    )
    ledger.submit(record).result(10)
    tables = ("entry", "node", "payload", "data_key", "subject_index", "idempotency", "log_head", "ledger_key")
    with engine.connect() as connection:
        for table in tables:
            for row in connection.execute(text(f"SELECT * FROM {table}")):
                stored = b" ".join(value if isinstance(value, bytes) else str(value).encode() for value in row)
                assert canary.encode() not in stored, table


def test_same_idempotency_key_is_answered_by_the_first_record(ledger: Ledger, store: Store) -> None:
    first = ledger.submit(a_record(1, idempotency=once("key"))).result(10)
    assert ledger.submit(a_record(2, idempotency=once("key"))).result(10) == Replayed(first.record_id)
    with pytest.raises(IdempotencyMismatch):
        ledger.submit(a_record(3, idempotency=once("key", body=bytes(32)))).result(10)
    assert isinstance(ledger.submit(a_record(4, idempotency=once("key", route="/other"))).result(10), Appended)
    assert isinstance(ledger.submit(a_record(5, subject="other", idempotency=once("key"))).result(10), Appended)
    assert store.size() == 3
    actor = ("dayzero-local", "analyst")
    assert store.find_idempotent(*actor, once("key")) == first.record_id
    assert store.find_idempotent(*actor, once("another")) is None
    with pytest.raises(IdempotencyMismatch):
        store.find_idempotent(*actor, once("key", body=bytes(32)))


class Held:
    """Keeps the writer busy with one record, so that what follows is one batch."""

    def __init__(self, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
        self.let_go, self.batches = threading.Event(), []
        append = ledger._appender.append

        def slow(drafts):
            self.batches.append(len(drafts))
            self.let_go.wait(patient.SECONDS)
            return append(drafts)

        monkeypatch.setattr(ledger._appender, "append", slow)
        self.first = ledger.submit(a_record())
        assert patient.waited(lambda: bool(self.batches))


def test_one_batch_with_repeats_conflicts_and_taken_ids(
    ledger: Ledger, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Held(ledger, monkeypatch)
    new, taken = a_record(1, idempotency=once("key")), a_record(9)
    futures: list[Future] = [
        ledger.submit(new),
        ledger.submit(a_record(2, idempotency=once("key"))),
        ledger.submit(a_record(3, idempotency=once("key", body=bytes(32)))),
        ledger.submit(taken),
        ledger.submit(replace(taken, payload=b"another with the same id")),
        ledger.submit(a_record(4)),
    ]
    held.let_go.set()
    outcomes = [future.exception(10) or future.result(10) for future in futures]
    kinds = [type(one) for one in outcomes]
    assert kinds == [Appended, Replayed, IdempotencyMismatch, Appended, Duplicate, Appended]
    assert outcomes[1] == Replayed(new.record_id)
    assert held.batches[:2] == [1, 6]
    assert verify_database(engine).size == 4
    assert verify_database(engine).ok


def test_waiting_records_share_a_commit_of_at_most_256(
    ledger: Ledger, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Held(ledger, monkeypatch)
    futures = [ledger.submit(a_record(number)) for number in range(300)]
    held.let_go.set()
    assert [future.result(30).sequence for future in futures] == list(range(1, 301))
    assert held.batches == [1, 256, 44]
    assert verify_database(engine).ok


def test_full_queue_refuses_at_once(engine: Engine, keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = Ledger(engine, keys, max_queue=3)
    ledger.start()
    held = Held(ledger, monkeypatch)
    waiting = [ledger.submit(a_record(number)) for number in range(3)]
    with pytest.raises(Unavailable):
        ledger.submit(a_record())
    held.let_go.set()
    assert [future.result(10).sequence for future in waiting] == [1, 2, 3]
    ledger.close()


def test_close_writes_what_waits_and_then_refuses(engine: Engine, keys: Keys) -> None:
    ledger = Ledger(engine, keys)
    with pytest.raises(Unavailable):
        ledger.submit(a_record())
    ledger.start()
    futures = [ledger.submit(a_record(number)) for number in range(600)]
    ledger.close()
    assert {type(future.result(0)) for future in futures} == {Appended}
    with pytest.raises(Unavailable):
        ledger.submit(a_record())
    ledger.close()


def test_a_writer_that_does_not_answer_is_unavailable(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_module, "ANSWER_SECONDS", 0.05)
    held = Held(ledger, monkeypatch)
    with pytest.raises(Unavailable):
        asyncio.run(ledger.append(a_record()))
    with pytest.raises(Unavailable):
        ledger.append_and_wait(a_record())
    held.let_go.set()
    assert held.first.result(10).sequence == 0
    assert ledger.submit(a_record()).result(10).sequence == 1, "what was refused is not stored afterwards"


def test_old_idempotency_keys_are_forgotten(ledger: Ledger, engine: Engine, store: Store) -> None:
    old = ledger.submit(a_record(1, idempotency=once("key"))).result(10)
    a_day = appending.IDEMPOTENCY_MICROSECONDS
    with engine.begin() as connection:
        connection.execute(text("UPDATE idempotency SET created_at = created_at - :a_day"), {"a_day": a_day})
    assert store.find_idempotent("dayzero-local", "analyst", once("key")) is None
    new = ledger.submit(a_record(2, idempotency=once("key", body=bytes(32)))).result(10)
    assert (old.sequence, new.sequence) == (0, 1)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT record_id FROM idempotency")).scalars().all() == [new.record_id]


def test_times_never_go_back(ledger: Ledger, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    first = fill(ledger, 1)[0]
    real = time.time_ns

    class Yesterday:
        @staticmethod
        def time_ns() -> int:
            return real() - 24 * 3600 * 10**9

    monkeypatch.setattr(appending, "time", Yesterday)
    second = ledger.submit(a_record()).result(10)
    assert second.time == first.time
    assert verify_database(engine).ok


def test_a_failed_statement_stores_nothing_and_the_writer_goes_on(ledger: Ledger, store: Store, engine: Engine) -> None:
    fill(ledger, 2)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE data_key RENAME TO away"))
    for future in [ledger.submit(a_record(number)) for number in range(5)]:
        assert isinstance(future.exception(10), Unavailable)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE away RENAME TO data_key"))
    assert store.size() == 2
    assert ledger.submit(a_record()).result(10).sequence == 2
    assert verify_database(engine).ok


def test_two_ledgers_on_one_database_interleave(engine: Engine, keys: Keys, database_url: str) -> None:
    second_engine = open_database(database_url)
    ledgers = [Ledger(engine, keys), Ledger(second_engine, keys)]
    for one in ledgers:
        one.start()
    futures = [ledgers[number % 2].submit(a_record(number)) for number in range(200)]
    assert sorted(future.result(30).sequence for future in futures) == list(range(200))
    for one in ledgers:
        one.close()
    second_engine.dispose()
    assert verify_database(engine).ok


def test_listing(ledger: Ledger, store: Store) -> None:
    appended = fill(ledger, 6)
    read = ledger.submit(a_record(7, event="read", subject="other", manifest=None, purpose="audit")).result(10)

    def found(**wanted: object) -> list[int]:
        return [entry.sequence for entry in store.list_entries(EntryFilter(**wanted))]

    assert found() == [6, 5, 4, 3, 2, 1, 0]
    assert found(event="read") == [6] == found(actor_refs=store.actor_refs("dayzero-local", "other"))
    assert found(manifest_sha256="ab" * 32) == [5, 4, 3, 2, 1, 0]
    assert found(manifest_sha256="cd" * 32) == []
    assert found(record_id=appended[3].record_id) == [3]
    assert found(since=read.time)[0] == 6
    assert set(found(until=appended[4].time)) == {one.sequence for one in appended if one.time < appended[4].time}
    assert set(found(since=appended[2].time)) == {6} | {
        one.sequence for one in appended if one.time >= appended[2].time
    }
    assert [entry.sequence for entry in store.list_entries(EntryFilter(), before=4, limit=2)] == [3, 2]
    assert [entry.sequence for entry in store.list_entries(EntryFilter(), after=4)] == [5, 6]
    assert [entry.record_id for entry in store.records_of_nominal("N-3")] == [appended[3].record_id]
    assert store.records_of_nominal("N-none") == []


def test_a_failed_append_shows_until_one_succeeds(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """Readiness asks for this, whatever kind of failure it was."""
    for failure in (Unavailable("no"), RuntimeError("a fault of ours")):

        def failing(*_: object, error: Exception = failure) -> None:
            raise error

        with monkeypatch.context() as broken:
            broken.setattr(ledger._appender, "append", failing)
            with pytest.raises(Unavailable):
                ledger.submit(NewRecord("read", "i", "s", b"x")).result(5)
        assert ledger.failing
        ledger.submit(NewRecord("read", "i", "s", b"x")).result(5)
        assert not ledger.failing
