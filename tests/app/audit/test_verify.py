"""Whatever is done to a log behind the service's back is found and named; nothing is found where nothing was done."""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, text

from app.audit.export import export_ndjson, verify_export
from app.audit.ledger import Ledger
from app.audit.sealing import Tampered
from app.audit.store import Store
from app.audit.verify import verify_database
from app.database import APPEND_ONLY, expected_triggers, is_sqlite
from app.errors import Erased, NotFound, Unavailable
from tests.app.audit.samples import a_record, fill

SIZE = 21
BAD = 6

Tamper = Callable[[Connection], object]


def run(*statements: str) -> Tamper:
    def tamper(connection: Connection) -> None:
        for statement in statements:
            connection.execute(text(statement))

    return tamper


def rewrite(where: str, change: Callable[[bytes], bytes], *, also_hash: bool) -> Tamper:
    """Changes a leaf; `also_hash`: by someone who knows how the hash is made."""

    def tamper(connection: Connection) -> None:
        from app.audit.merkle import leaf_hash

        leaf = change(bytes(connection.execute(text(f"SELECT envelope FROM entry WHERE {where}")).scalar_one()))
        connection.execute(text(f"UPDATE entry SET envelope = :leaf WHERE {where}"), {"leaf": leaf})
        if also_hash:
            connection.execute(text(f"UPDATE entry SET leaf_hash = :h WHERE {where}"), {"h": leaf_hash(leaf)})

    return tamper


def swap(table: str, columns: str, first: str, second: str) -> Tamper:
    """Exchanges columns of two rows."""

    def tamper(connection: Connection) -> None:
        rows = [connection.execute(text(f"SELECT {columns} FROM {table} WHERE {row}")).one() for row in (first, second)]
        names = [name.strip() for name in columns.split(",")]
        sets = ", ".join(f"{name} = :{name}" for name in names)
        for where, values in ((first, rows[1]), (second, rows[0])):
            connection.execute(text(f"UPDATE {table} SET {sets} WHERE {where}"), dict(zip(names, values, strict=True)))

    return tamper


def of(sequence: int) -> str:
    return f"record_id = (SELECT record_id FROM entry WHERE sequence = {sequence})"


NINES = {"nine": b"\x09" * 32}


def nines(statement: str) -> Tamper:
    return lambda connection: connection.execute(text(statement), NINES)


def replaced(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    def change(leaf: bytes) -> bytes:
        assert old in leaf
        return leaf.replace(old, new)

    return change


TAMPERINGS: dict[str, tuple[Tamper, int | None]] = {
    "leaf": (rewrite(f"sequence = {BAD}", replaced(b"score", b"audit"), also_hash=False), BAD),
    "leaf and its hash": (rewrite(f"sequence = {BAD}", replaced(b"triage", b"tirage"), also_hash=True), BAD),
    "leaf, hash and column": (
        lambda connection: (
            rewrite(f"sequence = {BAD}", replaced(b'"score"', b'"read"'), also_hash=True)(connection),
            run(f"UPDATE entry SET event = 'read' WHERE sequence = {BAD}")(connection),
        ),
        BAD,
    ),
    "last leaf and its hash": (rewrite("sequence = 20", replaced(b"triage", b"tirage"), also_hash=True), 20),
    "leaf is not JSON": (rewrite(f"sequence = {BAD}", lambda leaf: leaf[:-1], also_hash=True), BAD),
    "leaf hash": (nines(f"UPDATE entry SET leaf_hash = :nine WHERE sequence = {BAD}"), BAD),
    "event": (run(f"UPDATE entry SET event = 'read' WHERE sequence = {BAD}"), BAD),
    "time": (run(f"UPDATE entry SET recorded_at = recorded_at + 1 WHERE sequence = {BAD}"), BAD),
    "actor": (nines(f"UPDATE entry SET actor_ref = :nine WHERE sequence = {BAD}"), BAD),
    "manifest": (run(f"UPDATE entry SET manifest = NULL WHERE sequence = {BAD}"), BAD),
    "record id": (run(f"UPDATE entry SET record_id = 'x' WHERE sequence = {BAD}"), BAD),
    "row deleted": (run(f"DELETE FROM entry WHERE sequence = {BAD}"), BAD),
    "first row deleted": (run("DELETE FROM entry WHERE sequence = 0"), 0),
    "last row deleted": (run("DELETE FROM entry WHERE sequence = 20"), 20),
    "two leaves swapped": (swap("entry", "envelope", "sequence = 6", "sequence = 9"), BAD),
    "two rows swapped": (
        run(
            "UPDATE entry SET sequence = 99 WHERE sequence = 6",
            "UPDATE entry SET sequence = 6 WHERE sequence = 9",
            "UPDATE entry SET sequence = 9 WHERE sequence = 99",
        ),
        BAD,
    ),
    "row added at the end": (
        run(
            "INSERT INTO entry SELECT 21, 'x', leaf_hash, event, actor_ref, recorded_at, manifest, envelope "
            "FROM entry WHERE sequence = 20"
        ),
        21,
    ),
    "node": (nines("UPDATE node SET hash = :nine WHERE level = 1 AND \"index\" = 3"), BAD),
    "higher node": (nines("UPDATE node SET hash = :nine WHERE level = 4"), 0),
    "node deleted": (run("DELETE FROM node WHERE level = 1 AND \"index\" = 3"), BAD),
    "node added": (nines('INSERT INTO node (level, "index", hash) VALUES (7, 7, :nine)'), None),
    "frontier": (nines("UPDATE log_head SET frontier = :nine"), None),
    "head moved back": (run("UPDATE log_head SET size = 20"), 20),
    "payload": (nines(f"UPDATE payload SET ciphertext = :nine WHERE {of(BAD)}"), BAD),
    "nonce": (run(f"UPDATE payload SET nonce = ciphertext WHERE {of(BAD)}"), BAD),
    "payloads swapped": (swap("payload", "nonce, ciphertext", of(BAD), of(9)), BAD),
    "payload deleted": (run(f"DELETE FROM payload WHERE {of(BAD)}"), BAD),
    "payload added": (run(f"INSERT INTO payload SELECT 'x', nonce, ciphertext FROM payload WHERE {of(BAD)}"), None),
}  # fmt: skip


def drop_triggers(engine: Engine) -> None:
    with engine.begin() as connection:
        for name in expected_triggers(engine):
            table = next(table for table in APPEND_ONLY if name.startswith(table))
            connection.execute(text(f"DROP TRIGGER {name}" if is_sqlite(engine) else f"DROP TRIGGER {name} ON {table}"))


def tamper_with(engine: Engine, name: str) -> int | None:
    tamper, first_bad = TAMPERINGS[name]
    drop_triggers(engine)
    with engine.begin() as connection:
        tamper(connection)
    return first_bad


@pytest.mark.parametrize("name", TAMPERINGS)
def test_tampering_is_found_and_named(ledger: Ledger, engine: Engine, name: str) -> None:
    fill(ledger, SIZE)
    assert verify_database(engine).ok
    first_bad = tamper_with(engine, name)
    report = verify_database(engine)
    assert not report.ok
    assert report.first_bad == first_bad, report.problems


@pytest.mark.parametrize("size", [0, 1, 2, 255, 256, 257])
def test_no_false_alarm(sqlite_engine: Engine, tmp_path: Path, size: int) -> None:
    from app.keys import ensure_keys

    ledger = Ledger(sqlite_engine, ensure_keys(tmp_path, sqlite_engine))
    ledger.start()
    fill(ledger, size)
    ledger.close()
    seen: list[tuple[int, int]] = []
    report = verify_database(sqlite_engine, lambda *now: seen.append(now))
    assert (report.ok, report.size, report.first_bad) == (True, size, None)
    assert seen == ([(size, size)] if size else [])
    assert f"size {size} " in report.caveat


def test_pages_join_up(ledger: Ledger, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(ledger, SIZE)
    whole = verify_database(engine)
    for page in (1, 2, 3, 7, 20, 21):
        monkeypatch.setattr("app.audit.verify.PAGE", page)
        report = verify_database(engine)
        assert (report.ok, report.root) == (True, whole.root)
    tamper_with(engine, "node")
    assert verify_database(engine).first_bad == BAD


def test_an_erased_record_still_verifies(ledger: Ledger, engine: Engine, store: Store) -> None:
    appended = fill(ledger, SIZE)
    with engine.begin() as connection:
        run(f"DELETE FROM data_key WHERE {of(3)}", f"DELETE FROM payload WHERE {of(3)}")(connection)
    report = verify_database(engine)
    assert (report.ok, report.erased) == (True, 1)
    assert [store.entry(number).erased for number in (2, 3)] == [False, True]
    with pytest.raises(Erased):
        store.open_record(appended[3].record_id)


@pytest.mark.parametrize("name", ["leaf", "leaf hash", "payload", "nonce", "payloads swapped", "payload deleted"])
def test_a_tampered_record_is_not_shown(ledger: Ledger, engine: Engine, store: Store, name: str) -> None:
    appended = fill(ledger, SIZE)
    tamper_with(engine, name)
    with pytest.raises(Tampered) as caught:
        store.open_record(appended[BAD].record_id)
    assert isinstance(caught.value, Unavailable)
    assert store.open_record(appended[BAD + 1].record_id) == b"payload 7"


def test_data_keys_cannot_be_exchanged(ledger: Ledger, engine: Engine, store: Store) -> None:
    appended = fill(ledger, 3)
    with engine.begin() as connection:
        swap("data_key", "wrapped_key", of(0), of(1))(connection)
    with pytest.raises(Tampered):
        store.open_record(appended[0].record_id)


def test_unknown_records_are_not_found(ledger: Ledger, store: Store) -> None:
    for ask in (lambda: store.entry(0), lambda: store.entry_of("x"), lambda: store.open_record("x")):
        with pytest.raises(NotFound):
            ask()


@pytest.fixture
def exported(ledger: Ledger, engine: Engine) -> list[bytes]:
    fill(ledger, SIZE)
    return list(export_ndjson(engine))


def test_an_export_verifies_by_itself(exported: list[bytes], engine: Engine, tmp_path: Path) -> None:
    file = tmp_path / "log.ndjson"
    file.write_bytes(b"".join(exported))
    for source in (file, exported):
        report = verify_export(source)
        assert (report.ok, report.size, report.root) == (True, SIZE, verify_database(engine).root)
    assert len(exported) == SIZE + 1
    assert json.loads(exported[5])["sequence"] == 4


def test_export_of_nothing(engine: Engine) -> None:
    assert verify_export(export_ndjson(engine)).ok


def edited_leaf(line: bytes) -> bytes:
    fields = json.loads(line)
    leaf = b64decode(fields["leaf"]).replace(b"stalking", b"skating!")
    return json.dumps(fields | {"leaf": b64encode(leaf).decode()}).encode()


EDITS: dict[str, tuple[Callable[[list[bytes]], list[bytes]], int | None]] = {
    "empty": (lambda lines: [], None),
    "no header": (lambda lines: lines[1:], None),
    "other format": (lambda lines: [lines[0].replace(b"log-1", b"log-2"), *lines[1:]], None),
    "size as text": (lambda lines: [lines[0].replace(b":21", b':"21"'), *lines[1:]], None),
    "other log": (lambda lines: [lines[0].replace(b'log_id":"', b'log_id":"x'), *lines[1:]], 0),
    "line removed": (lambda lines: [*lines[:4], *lines[5:]], 3),
    "line doubled": (lambda lines: [*lines[:4], *lines[3:]], 3),
    "cut off": (lambda lines: lines[:-1], 20),
    "cut in a line": (lambda lines: [*lines[:-1], lines[-1][:-9]], 20),
    "line added": (lambda lines: [*lines, lines[-1].replace(b":20}", b":21}")], 22),
    "leaf edited": (lambda lines: [*lines[:4], edited_leaf(lines[4]), *lines[5:]], None),
    "not base64": (lambda lines: [*lines[:4], b'{"leaf": "*", "sequence": 3}', *lines[5:]], 3),
    "not an object": (lambda lines: [*lines[:4], b"[]", *lines[5:]], 3),
    "binary": (lambda lines: [*lines[:4], b"\xff\xfe\n", *lines[5:]], 3),
}


@pytest.mark.parametrize("name", EDITS)
def test_an_edited_export_is_found(exported: list[bytes], name: str) -> None:
    edit, first_bad = EDITS[name]
    report = verify_export(edit(exported))
    assert not report.ok
    assert report.first_bad == first_bad, report.problems


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200, deadline=None)
@given(data=st.data())
def test_any_changed_byte_of_an_export_is_found(exported: list[bytes], data: st.DataObject) -> None:
    """Except where JSON itself means the same: then the records read are the same too."""
    whole = b"".join(exported)
    place = data.draw(st.integers(0, len(whole) - 1))
    value = data.draw(st.integers(0, 255).filter(lambda value: value != whole[place]))
    changed = (whole[:place] + bytes([value]) + whole[place + 1 :]).splitlines(keepends=True)
    report, original = verify_export(changed), verify_export(exported)
    same = report.ok and (report.root, report.size, report.log_id) == (original.root, original.size, original.log_id)
    assert not report.ok or same


def test_a_record_with_another_encryption_key_says_so(ledger: Ledger, engine: Engine, store: Store) -> None:
    record = ledger.submit(a_record()).result(10)
    with engine.begin() as connection:
        run("UPDATE data_key SET kek_id = 'older'")(connection)
    with pytest.raises(Unavailable, match="encryption key"):
        store.open_record(record.record_id)
