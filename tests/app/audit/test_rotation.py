"""Rotating keys: what was written before stays readable, what is written after is under the new key, nothing is lost midway."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from app.audit import rotation as rotation_module
from app.audit.checkpoint import open_checkpoint
from app.audit.contents import Contents
from app.audit.ledger import Ledger
from app.audit.records import Replayed
from app.audit.rotation import Rotated, Rotation
from app.audit.signing import Checkpoints
from app.audit.store import EntryFilter, Store
from app.audit.verify import verify_database
from app.database import check_schema
from app.errors import SetupError, Unavailable, VerificationFailed
from app.key_files import current_path, next_path, retired_path, unfinished_path
from app.keys import Keys, check_epoch, load_keys
from app.purposes import KEY_PURPOSES
from tests.app.audit.samples import a_record, fill, once


@pytest.fixture
def rotation(engine: Engine, keys: Keys, tmp_path: Path) -> Rotation:
    return Rotation(tmp_path, engine, "dayzero-command", "local:keeper")


def whole(engine: Engine, keys: Keys) -> bool:
    report = verify_database(
        engine, verifiers=Checkpoints(engine, keys).verifiers, contents=Contents(engine, keys, every=True)
    )
    assert report.ok, report.problems
    return report.ok


def started(engine: Engine, keys: Keys) -> Ledger:
    ledger = Ledger(engine, keys)
    ledger.start()
    return ledger


@pytest.mark.parametrize("purpose", KEY_PURPOSES)
def test_a_rotated_key_leaves_everything_readable(
    ledger: Ledger, engine: Engine, keys: Keys, rotation: Rotation, tmp_path: Path, purpose: str
) -> None:
    before = fill(ledger, 4)
    ledger.submit(a_record(9, idempotency=once("key"))).result(10)
    Checkpoints(engine, keys).sign()

    done = rotation.rotate(purpose)

    new = load_keys(tmp_path, engine)
    assert (done.before, done.after) == (keys.ids[purpose], new.ids[purpose])
    assert {name for name in KEY_PURPOSES if new.ids[name] != keys.ids[name]} == {purpose}
    assert (new.epoch, keys.epoch) == (1, 0)
    store, later = Store(engine, new), started(engine, new)
    assert [store.open(one.record_id).payload for one in before] == [
        f"payload {number}".encode() for number in range(4)
    ]
    assert later.submit(a_record(9, idempotency=once("key"))).result(10) == Replayed(store.entry(4).record_id)
    after = later.submit(a_record(2)).result(10)
    assert [entry.sequence for entry in store.records_of_nominal("N-2")] == [2, after.sequence]
    mine = EntryFilter(actor_refs=store.actor_refs("dayzero-local", "analyst"))
    assert [entry.sequence for entry in store.list_entries(mine)] == [6, 4, 3, 2, 1, 0]
    assert store.entry(5).event == "key-rotation"
    Checkpoints(engine, new).sign()
    assert whole(engine, new)
    later.close()


@pytest.mark.parametrize("purpose", KEY_PURPOSES)
def test_who_still_holds_the_old_keys_writes_nothing(
    ledger: Ledger, engine: Engine, keys: Keys, rotation: Rotation, purpose: str
) -> None:
    fill(ledger, 2)
    rotation.rotate(purpose)
    with pytest.raises(Unavailable, match="restart"):
        ledger.submit(a_record(3)).result(10)
    with pytest.raises(Unavailable, match="restart"):
        check_epoch(engine, keys)
    with pytest.raises(Unavailable, match="restart"):
        Checkpoints(engine, keys).sign()


def test_the_old_encryption_key_is_destroyed_and_no_record_is_under_it(
    ledger: Ledger, engine: Engine, keys: Keys, rotation: Rotation, tmp_path: Path
) -> None:
    fill(ledger, 3)
    old = current_path(tmp_path, "encryption").read_bytes()
    assert rotation.rotate("encryption") == Rotated(
        keys.ids["encryption"], load_keys(tmp_path, engine).ids["encryption"], changed=4
    )
    with engine.connect() as connection:
        under = connection.execute(text("SELECT DISTINCT kek_id FROM data_key")).scalars().all()
    assert under == [load_keys(tmp_path, engine).ids["encryption"]]
    assert old not in [path.read_bytes() for path in (tmp_path / "keys").rglob("*") if path.is_file()]


def test_a_record_that_does_not_open_keeps_the_old_key(
    ledger: Ledger, engine: Engine, keys: Keys, rotation: Rotation, tmp_path: Path
) -> None:
    appended = fill(ledger, 3)
    spoil, restore = "UPDATE data_key SET wrapped_key = :value WHERE record_id = :id", {"id": appended[1].record_id}
    with engine.begin() as connection:
        query = text("SELECT wrapped_key FROM data_key WHERE record_id = :id")
        whole_key = connection.execute(query, restore).scalar_one()
        connection.execute(text(spoil), restore | {"value": bytes(60)})
    assert rotation.rotate("encryption").left == 1
    assert retired_path(tmp_path, "encryption", keys.ids["encryption"]).exists()
    with engine.begin() as connection:
        connection.execute(text(spoil), restore | {"value": whole_key})
    done = rotation.rotate("encryption")
    assert (done.changed, done.left) == (5, 0)
    assert not list((tmp_path / "keys" / "retired").glob("encryption-*"))
    assert whole(engine, load_keys(tmp_path, engine))


def test_a_finished_rotation_still_shows_the_note_that_hands_over(
    ledger: Ledger, engine: Engine, keys: Keys, rotation: Rotation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(ledger, 3)
    with monkeypatch.context() as patched:
        _interrupt(patched, "load_keys")
        with pytest.raises(KeyboardInterrupt):
            rotation.rotate("note")
    new = Checkpoints(engine, load_keys(tmp_path, engine))  # a service that was started in between
    later = started(engine, load_keys(tmp_path, engine))
    fill(later, 2)
    new.sign()
    later.close()
    done = rotation.rotate("note")
    assert done.before == done.after
    assert open_checkpoint(done.handover, Checkpoints(engine, keys).verifier).size == 4
    assert open_checkpoint(done.handover, new.verifier).size == 4


def test_tags_are_made_anew(ledger: Ledger, engine: Engine, keys: Keys, rotation: Rotation) -> None:
    fill(ledger, 3)

    def tags() -> set[bytes]:
        with engine.connect() as connection:
            return set(connection.execute(text("SELECT tag FROM subject_index")).scalars())

    old = {bytes(tag) for tag in tags()}
    assert rotation.rotate("index").changed == 3
    assert len(tags()) == 3
    assert not old & {bytes(tag) for tag in tags()}


def test_auditors_are_handed_from_one_note_key_to_the_next(
    ledger: Ledger, engine: Engine, keys: Keys, rotation: Rotation, tmp_path: Path
) -> None:
    fill(ledger, 3)
    old = Checkpoints(engine, keys)
    old.sign()
    handover = rotation.rotate("note").handover
    new = Checkpoints(engine, load_keys(tmp_path, engine))
    assert new.verifiers == [new.verifier, old.verifier]
    assert open_checkpoint(handover, old.verifier) == open_checkpoint(handover, new.verifier)
    assert open_checkpoint(handover, old.verifier).size == 4
    assert new.newest() == handover
    later = started(engine, load_keys(tmp_path, engine))
    fill(later, 1)
    note = new.sign().note
    with pytest.raises(VerificationFailed):
        open_checkpoint(note, old.verifier)
    assert not verify_database(engine, verifiers=[old.verifier]).ok
    assert verify_database(engine, verifiers=new.verifiers).ok
    later.close()


def test_a_witness_state_from_before_the_rotation_still_lets_the_service_start(
    ledger: Ledger, engine: Engine, keys: Keys, rotation: Rotation, tmp_path: Path
) -> None:
    fill(ledger, 3)
    state = tmp_path / "witness.note"
    state.write_bytes(Checkpoints(engine, keys).sign().note)
    rotation.rotate("note")
    Checkpoints(engine, load_keys(tmp_path, engine)).check(state)


STEPS: dict[str, str] = {
    "before the database knows": "_exchange",
    "before the file is in place": "load_keys",
    "before older records are brought over": "_bring_over",
}


@pytest.mark.parametrize("purpose", ["index", "encryption"])
@pytest.mark.parametrize("step", STEPS)
def test_an_interrupted_rotation_goes_on(
    ledger: Ledger,
    engine: Engine,
    keys: Keys,
    rotation: Rotation,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    purpose: str,
    step: str,
) -> None:
    fill(ledger, 3)
    with monkeypatch.context() as patched:
        _interrupt(patched, STEPS[step])
        with pytest.raises(KeyboardInterrupt):
            rotation.rotate(purpose)
    assert next_path(tmp_path, purpose).exists() == (step != "before older records are brought over")
    between = load_keys(tmp_path, engine)  # what a start in between finds is one consistent set
    assert Store(engine, between).open(Store(engine, between).entry(0).record_id).payload == b"payload 0"
    assert unfinished_path(tmp_path, purpose).exists()

    rotation.rotate(purpose)

    new = load_keys(tmp_path, engine)
    assert new.epoch == 1
    assert not unfinished_path(tmp_path, purpose).exists()
    assert not next_path(tmp_path, purpose).exists()
    assert whole(engine, new)
    assert [entry.sequence for entry in Store(engine, new).records_of_nominal("N-1")] == [1]


def _interrupt(patched: pytest.MonkeyPatch, where: str) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    if where == "load_keys":
        calls: list[int] = []
        real: Callable[..., Keys] = rotation_module.load_keys

        def second_time(home: Path, engine: Engine) -> Keys:
            calls.append(1)
            if len(calls) == 2:
                raise KeyboardInterrupt
            return real(home, engine)

        patched.setattr(rotation_module, "load_keys", second_time)
    else:
        patched.setattr(Rotation, where, stop)


def test_a_check_that_a_rotation_overtakes_raises_no_false_alarm(
    ledger: Ledger, engine: Engine, keys: Keys, rotation: Rotation, tmp_path: Path
) -> None:
    fill(ledger, 3)
    rotation.rotate("encryption")
    with pytest.raises(Unavailable, match="rotated"):
        verify_database(engine, contents=Contents(engine, keys, every=True))
    assert whole(engine, load_keys(tmp_path, engine))


def test_another_machine_needs_the_new_key(
    ledger: Ledger, engine: Engine, keys: Keys, rotation: Rotation, tmp_path: Path
) -> None:
    fill(ledger, 1)
    old = current_path(tmp_path, "index").read_bytes()
    rotation.rotate("index")
    current_path(tmp_path, "index").write_bytes(old)
    with pytest.raises(SetupError, match="machine that rotated it"):
        load_keys(tmp_path, engine)


def test_the_schema_stays_as_it_was(ledger: Ledger, engine: Engine, rotation: Rotation) -> None:
    fill(ledger, 1)
    for purpose in KEY_PURPOSES:
        rotation.rotate(purpose)
    check_schema(engine)
