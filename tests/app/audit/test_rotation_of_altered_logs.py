"""Rotating keys over a log that somebody altered: nothing false is signed, and nothing spoilt keeps a key in force."""

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from app.audit.checkpoint import Checkpoint, sign_checkpoint
from app.audit.ledger import Ledger
from app.audit.note import LOG, Signer
from app.audit.rotation import Rotation
from app.audit.signing import Checkpoints
from app.database import is_sqlite
from app.errors import VerificationFailed
from app.keys import Keys, load_keys
from tests.app.audit.samples import fill


@pytest.fixture
def rotation(engine: Engine, keys: Keys, tmp_path: Path) -> Rotation:
    return Rotation(tmp_path, engine, "dayzero-command", "local:keeper")


@pytest.mark.parametrize("purpose", ["index", "encryption"])
@pytest.mark.parametrize("what", ["a content", "a leaf"])
def test_what_does_not_open_stands_in_the_way_of_no_rotation(
    ledger: Ledger, engine: Engine, rotation: Rotation, purpose: str, what: str
) -> None:
    """Else whoever spoils one row keeps a stolen key in force."""
    spoilt = fill(ledger, 3)[1].record_id
    table, column = {"a content": ("data_key", "wrapped_key"), "a leaf": ("entry", "envelope")}[what]
    with engine.begin() as connection:
        if table == "entry":
            where = "" if is_sqlite(engine) else " ON entry"
            for guard in ("update", "insert") if is_sqlite(engine) else ("change",):
                connection.execute(text(f"DROP TRIGGER entry_refuse_{guard}{where}"))
        spoil = text(f"UPDATE {table} SET {column} = :value WHERE record_id = :id")
        connection.execute(spoil, {"value": bytes(60), "id": spoilt})
    first, second = rotation.rotate(purpose), rotation.rotate(purpose)
    assert first.before != first.after == second.before != second.after
    assert first.left == second.left == 1


def test_a_log_that_was_altered_is_not_handed_to_a_new_key(
    ledger: Ledger, engine: Engine, keys: Keys, rotation: Rotation, tmp_path: Path
) -> None:
    fill(ledger, 3)
    Checkpoints(engine, keys).sign()
    with engine.begin() as connection:
        connection.execute(text("UPDATE log_head SET frontier = :other"), {"other": bytes(64)})
    with pytest.raises(VerificationFailed, match="does not continue"):
        rotation.rotate("note")
    assert load_keys(tmp_path, engine).ids == keys.ids


def test_a_log_that_was_set_back_behind_its_witness_is_not_handed_over(
    ledger: Ledger, engine: Engine, keys: Keys, rotation: Rotation, tmp_path: Path
) -> None:
    fill(ledger, 3)
    elsewhere, state = Checkpoints(engine, keys), tmp_path / "witness.note"
    ahead = Checkpoint(elsewhere.verifier.name, 9, bytes(32))
    state.write_bytes(sign_checkpoint(ahead, Signer(ahead.origin, LOG, keys.note)))
    with pytest.raises(VerificationFailed, match="DAYZERO_WITNESS_STATE"):
        replace(rotation, witness_state=state).rotate("note")
    assert load_keys(tmp_path, engine).ids == keys.ids
