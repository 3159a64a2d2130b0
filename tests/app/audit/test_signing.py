"""Checkpoints of a real ledger: signed when it grows, by any number of workers, and never over a log that was set back."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from app.audit import proofs
from app.audit.ledger import Ledger
from app.audit.signing import Checkpoints
from app.audit.verify import verify_database
from app.database import open_database
from app.errors import DayZeroError, NotFound, SetupError, Unavailable, VerificationFailed
from app.keys import Keys
from tests import patient
from tests.app.audit import rfc6962
from tests.app.audit.samples import fill
from tests.app.audit.test_verify import drop_triggers

ROOT = Path(__file__).parents[3]


@pytest.fixture
def checkpoints(engine: Engine, keys: Keys) -> Checkpoints:
    return Checkpoints(engine, keys)


def leaves(engine: Engine) -> list[bytes]:
    with engine.connect() as connection:
        return [
            rfc6962.leaf(leaf)
            for leaf in connection.execute(text("SELECT envelope FROM entry ORDER BY sequence")).scalars()
        ]


def stored(engine: Engine) -> list[int]:
    with engine.connect() as connection:
        return list(connection.execute(text("SELECT size FROM checkpoint ORDER BY size")).scalars())


def test_a_checkpoint_covers_all_there_is(checkpoints: Checkpoints, ledger: Ledger, engine: Engine) -> None:
    with pytest.raises(Unavailable):
        checkpoints.newest()
    assert checkpoints.sign().checkpoint.size == 0
    for size in (1, 2, 7, 40):
        fill(ledger, size - len(leaves(engine)))
        signed = checkpoints.sign()
        assert checkpoints.newest() == signed.note == checkpoints.sign().note
        assert rfc6962.read_checkpoint(signed.note.decode(), str(checkpoints.verifier)) == (
            size,
            rfc6962.tree_root(leaves(engine)),
        )
    assert stored(engine) == [0, 1, 2, 7, 40]
    assert checkpoints.verifier.name == f"dayzero/{ledger.log_id}"
    report = verify_database(engine, verifiers=[checkpoints.verifier])
    assert (report.ok, report.problems) == (True, [])


def test_proofs_out_of_the_database(ledger: Ledger, engine: Engine) -> None:
    fill(ledger, 37)
    hashed = leaves(engine)
    for size in range(1, 38):
        root = rfc6962.tree_root(hashed[:size])
        for sequence in {0, size // 2, size - 1}:
            path = proofs.inclusion(engine, sequence, size)
            assert rfc6962.root_of_path(hashed[sequence], sequence, size, path) == root
        old = rfc6962.tree_root(hashed[: size // 3 + 1])
        found = rfc6962.roots_of_proof(size // 3 + 1, size, proofs.consistency(engine, size // 3 + 1, size), old)
        assert found == (old, root)
    for ask in (lambda: proofs.inclusion(engine, 0, 38), lambda: proofs.consistency(engine, 1, 38)):
        with pytest.raises(NotFound):
            ask()


def test_a_hole_in_the_tree_gives_no_proof(ledger: Ledger, engine: Engine) -> None:
    fill(ledger, 8)
    drop_triggers(engine)
    with engine.begin() as connection:
        connection.execute(text('DELETE FROM node WHERE level = 2 AND "index" = 0'))
    with pytest.raises(Unavailable, match="audit verify"):
        proofs.inclusion(engine, 7, 8)


def test_workers_that_sign_at_once(engine: Engine, keys: Keys, ledger: Ledger, database_url: str) -> None:
    engines = [open_database(database_url) for _ in range(4)]
    signers = [Checkpoints(one, keys) for one in engines]
    notes: list[set[bytes]] = []
    failed: list[DayZeroError] = []
    for growth in range(6):
        fill(ledger, growth + 1)
        start, found = threading.Barrier(4), set()

        def sign(one: Checkpoints, start: threading.Barrier = start, found: set[bytes] = found) -> None:
            try:
                start.wait(10)
                found.add(one.sign().note)
            except DayZeroError as error:
                failed.append(error)

        threads = [threading.Thread(target=sign, args=[one]) for one in signers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        notes.append(found)
    assert not failed
    assert [len(one) for one in notes] == [1] * 6
    assert stored(engine) == [1, 3, 6, 10, 15, 21]
    for one in engines:
        one.dispose()


SIGN = """
import sys; from pathlib import Path; from app.audit.signing import *; from app.database import *; from app.keys import *
engine = open_database(sys.argv[1]); signer = Checkpoints(engine, load_keys(Path(sys.argv[2]), engine))
while not Path(sys.argv[3]).exists(): signer.sign()
print('done')
"""


def test_processes_that_sign_while_the_log_grows(
    engine: Engine, keys: Keys, ledger: Ledger, database_url: str, tmp_path: Path
) -> None:
    end = tmp_path / "end"
    command = [sys.executable, "-c", SIGN, database_url, str(tmp_path), str(end)]
    running = [
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(3)
    ]

    def signed_often() -> bool:
        fill(ledger, 3)
        return len(stored(engine)) > 30

    signed = patient.waited(signed_often)
    end.touch()
    assert [process.communicate() for process in running] == [("done\n", "")] * 3
    assert signed
    report = verify_database(engine, verifiers=[Checkpoints(engine, keys).verifier])
    assert report.ok, report.problems


def set_back(engine: Engine, size: int, frontier: bytes) -> None:
    """What a careful forger does: entries and nodes after `size` go, and the head says so."""
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM entry WHERE sequence >= :size"), {"size": size})
        connection.execute(text('DELETE FROM node WHERE ("index" + 1) * (1 << level) > :size'), {"size": size})
        last = connection.execute(text("SELECT max(recorded_at) FROM entry")).scalar_one()
        head = {"s": size, "f": frontier, "t": last}
        connection.execute(text("UPDATE log_head SET size = :s, frontier = :f, last_time = :t"), head)
        known = "(SELECT record_id FROM entry)"
        for table in ("payload", "data_key", "subject_index", "idempotency"):
            connection.execute(text(f"DELETE FROM {table} WHERE record_id NOT IN {known}"))


@pytest.fixture
def frontier_of_12(ledger: Ledger, engine: Engine) -> bytes:
    fill(ledger, 12)
    with engine.connect() as connection:
        return bytes(connection.execute(text("SELECT frontier FROM log_head")).scalar_one())


def test_a_log_that_was_cut_is_not_signed_and_found(
    checkpoints: Checkpoints, ledger: Ledger, engine: Engine, frontier_of_12: bytes
) -> None:
    old = checkpoints.sign()
    fill(ledger, 9)
    newer = checkpoints.sign()
    drop_triggers(engine)
    set_back(engine, 12, frontier_of_12)
    for ask in (checkpoints.sign, lambda: checkpoints.check(None)):
        with pytest.raises(VerificationFailed, match="set back or restored"):
            ask()
    assert verify_database(engine).first_bad == 12
    with engine.begin() as connection:  # the forger thinks of the checkpoints, too: what is left is whole in itself
        connection.execute(text("DELETE FROM checkpoint WHERE size > 12"))
    assert verify_database(engine).ok
    assert checkpoints.sign().note == old.note
    report = verify_database(engine, verifiers=[checkpoints.verifier], since=newer.checkpoint)
    assert not report.ok
    assert "covers 21 records" in report.problems[0].what


def test_a_restored_database_is_not_served(
    checkpoints: Checkpoints, ledger: Ledger, engine: Engine, frontier_of_12: bytes, tmp_path: Path
) -> None:
    kept = tmp_path / "witness"
    fill(ledger, 4)
    kept.write_bytes(checkpoints.sign().note)
    checkpoints.check(kept)
    fill(ledger, 3)
    checkpoints.check(kept)
    drop_triggers(engine)
    set_back(engine, 12, frontier_of_12)
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM checkpoint"))
    checkpoints.check(None)
    with pytest.raises(VerificationFailed, match="DAYZERO_WITNESS_STATE covers 16"):
        checkpoints.check(kept)
    fill(ledger, 20)  # and growing past the old size does not hide it
    with pytest.raises(VerificationFailed, match="does not continue"):
        checkpoints.check(kept)
    kept.unlink()
    with pytest.raises(SetupError, match="DAYZERO_WITNESS_STATE"):
        checkpoints.check(kept)
    kept.write_bytes(b"\xff" * 100_000)
    with pytest.raises(VerificationFailed, match="not a signed note"):
        checkpoints.check(kept)


TAMPERINGS: dict[str, tuple[str, int]] = {
    "note": ("UPDATE checkpoint SET note = :note WHERE size = 12", 11),
    "size": ("UPDATE checkpoint SET size = 11 WHERE size = 12", 10),
    "added": ("INSERT INTO checkpoint (size, note) SELECT 5, note FROM checkpoint", 4),
    "garbage": ("INSERT INTO checkpoint (size, note) VALUES (7, :note)", 6),
}


@pytest.mark.parametrize("name", TAMPERINGS)
def test_stored_checkpoints_are_checked(
    checkpoints: Checkpoints, engine: Engine, frontier_of_12: bytes, name: str
) -> None:
    checkpoints.sign()
    drop_triggers(engine)
    statement, first_bad = TAMPERINGS[name]
    with engine.begin() as connection:
        connection.execute(text(statement), {"note": b"nothing"} if ":note" in statement else {})
    assert verify_database(engine).first_bad == first_bad
    assert verify_database(engine, verifiers=[checkpoints.verifier]).first_bad == first_bad


def test_a_rewritten_log_gets_no_signature(checkpoints: Checkpoints, ledger: Ledger, engine: Engine) -> None:
    fill(ledger, 5)
    checkpoints.sign()
    drop_triggers(engine)
    with engine.begin() as connection:
        connection.execute(text("UPDATE node SET hash = :h WHERE level = 2"), {"h": bytes(32)})
    fill(ledger, 4)
    with pytest.raises(VerificationFailed, match="does not continue"):
        checkpoints.sign()


def test_another_origin_or_key_is_refused(engine: Engine, keys: Keys, ledger: Ledger) -> None:
    Checkpoints(engine, keys, "example.com/one").sign()
    with pytest.raises(VerificationFailed, match="DAYZERO_ORIGIN"):
        Checkpoints(engine, keys, "example.com/two").check(None)
    Checkpoints(engine, keys, "example.com/one").check(None)
