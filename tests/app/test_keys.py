"""Keys are made once, only where nothing can be lost by it, and everything odd about them stops the start."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from app.audit.ledger import Ledger
from app.audit.signing import Checkpoints
from app.database import open_database, sqlite_url, upgrade
from app.errors import SetupError
from app.keys import Keys, create_keys, ensure_keys, load_keys
from app.purposes import KEY_PURPOSES
from tests.app.audit.samples import fill
from tests.databases import Postgres


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def key_files(home: Path) -> dict[str, bytes]:
    return {purpose: (home / "keys" / f"{purpose}.key").read_bytes() for purpose in KEY_PURPOSES}


def test_first_start_on_sqlite_makes_keys_that_stay(sqlite_engine: Engine, home: Path) -> None:
    keys = ensure_keys(home, sqlite_engine)
    made = key_files(home)
    again = ensure_keys(home, sqlite_engine)
    assert (again.ids, again.index, again.encryption) == (keys.ids, keys.index, keys.encryption)
    assert key_files(home) == made
    assert len({keys.index, keys.encryption, keys.token.private_bytes_raw(), keys.note.private_bytes_raw()}) == 4
    assert (home / "keys").stat().st_mode & 0o777 == 0o700
    for purpose in KEY_PURPOSES:
        assert (home / "keys" / f"{purpose}.key").stat().st_mode & 0o777 == 0o600
    kept = {path.name for path in (home / "keys").iterdir()}
    assert kept == {".lock", "ledger", *(f"{purpose}.key" for purpose in KEY_PURPOSES)}


def test_keys_do_not_show_themselves(sqlite_engine: Engine, home: Path) -> None:
    keys = ensure_keys(home, sqlite_engine)
    for shown in (repr(keys), str(keys)):
        assert keys.index.hex() not in shown
        assert repr(keys.index) not in shown


def test_postgres_gets_no_keys_by_itself(postgres: Postgres, home: Path) -> None:
    url = postgres.new_database()
    engine = open_database(url)
    with pytest.raises(SetupError, match="dayzero keys create"):
        ensure_keys(home, engine)
    assert create_keys(home) == list(KEY_PURPOSES)
    keys = ensure_keys(home, engine)
    made = key_files(home)
    assert create_keys(home) == []
    assert key_files(home) == made
    assert load_keys(home, engine).ids == keys.ids
    engine.dispose()
    postgres.drop(url)


@pytest.mark.parametrize("purpose", KEY_PURPOSES)
def test_a_key_that_went_missing_is_never_replaced(sqlite_engine: Engine, home: Path, purpose: str) -> None:
    ensure_keys(home, sqlite_engine)
    (home / "keys" / f"{purpose}.key").unlink()
    with pytest.raises(SetupError, match=f"{purpose} key .* missing"):
        ensure_keys(home, sqlite_engine)
    create_keys(home)
    with pytest.raises(SetupError, match=f"{purpose} key .* is not the one"):
        ensure_keys(home, sqlite_engine)


def test_a_crash_between_making_and_recording_is_harmless(sqlite_engine: Engine, home: Path) -> None:
    create_keys(home)
    (home / "keys" / "token.key").rename(home / "keys" / "token.half")
    made = (home / "keys" / "index.key").read_bytes()
    keys = ensure_keys(home, sqlite_engine)
    assert (home / "keys" / "index.key").read_bytes() == made
    assert load_keys(home, sqlite_engine).ids == keys.ids


def test_records_without_recorded_keys_stop_the_start(sqlite_engine: Engine, home: Path) -> None:
    ledger = Ledger(sqlite_engine, ensure_keys(home, sqlite_engine))
    ledger.start()
    fill(ledger, 1)
    ledger.close()
    with sqlite_engine.begin() as connection:
        connection.execute(text("DELETE FROM ledger_key"))
    with pytest.raises(SetupError, match="no longer says"):
        ensure_keys(home, sqlite_engine)


def swap_with_index(path: Path) -> None:
    path.write_bytes((path.parent / "index.key").read_bytes())


SPOILED: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.write_bytes(b""),
    "half written": lambda path: path.write_bytes(path.read_bytes()[:60]),
    "without its checksum": lambda path: path.write_bytes(path.read_bytes()[:-18]),
    "one digit changed": lambda path: path.write_bytes(path.read_bytes().replace(path.read_bytes()[40:41], b"g", 1)),
    "one bit flipped": lambda path: path.write_bytes(bytes(b ^ (i == 50) for i, b in enumerate(path.read_bytes()))),
    "garbage": lambda path: path.write_bytes(os.urandom(200)),
    "huge": lambda path: path.write_bytes(b"a" * 10_000_000),
    "text": lambda path: path.write_text("a b c d"),
    "not ASCII": lambda path: path.write_text("é é é é"),
    "another purpose": swap_with_index,
    "a folder": lambda path: (path.unlink(), path.mkdir()),
    "readable by the group": lambda path: path.chmod(0o640),
    "readable by all": lambda path: path.chmod(0o604),
    "folder open to writing": lambda path: path.parent.chmod(0o770),
}


@pytest.mark.parametrize("how", SPOILED)
def test_spoiled_keys_stop_the_start_in_one_clear_sentence(sqlite_engine: Engine, home: Path, how: str) -> None:
    keys: Keys = ensure_keys(home, sqlite_engine)
    path = home / "keys" / "encryption.key"
    SPOILED[how](path)
    with pytest.raises(SetupError) as caught:
        ensure_keys(home, sqlite_engine)
    told = caught.value.detail
    assert "encryption" in told or "keys" in told
    assert any(way in told for way in ("backup", "chmod", "owner"))
    assert told.count("\n") == 0
    assert keys.encryption.hex()[:8] not in told


ENSURE = """
import sys; from pathlib import Path; from app.database import *; from app.keys import *
engine = open_database(sys.argv[1]); upgrade(engine); print(ensure_keys(Path(sys.argv[2]), engine).ids)
"""


def test_processes_that_start_together_share_one_set(home: Path) -> None:
    command = [sys.executable, "-c", ENSURE, sqlite_url(home), str(home)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(4)]
    outputs = [process.communicate(timeout=60) for process in running]
    assert [err for _, err in outputs] == [b""] * 4
    assert len({out for out, _ in outputs}) == 1


def test_another_home_on_the_same_database_is_refused(tmp_path: Path, sqlite_engine: Engine, home: Path) -> None:
    ensure_keys(home, sqlite_engine)
    with pytest.raises(SetupError, match="missing"):
        ensure_keys(tmp_path / "elsewhere", sqlite_engine)


def test_a_home_that_cannot_be_written(tmp_path: Path, sqlite_engine: Engine) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SetupError, match="DAYZERO_HOME"):
        ensure_keys(tmp_path / "file", sqlite_engine)


def test_keys_that_serve_one_ledger_begin_no_other(tmp_path: Path, home: Path, sqlite_engine: Engine) -> None:
    """The first may have been deleted; moving the keys away says that a new one is meant."""
    first = ensure_keys(home, sqlite_engine)
    other = open_database(sqlite_url(tmp_path / "other"))
    upgrade(other)
    with pytest.raises(SetupError, match="belong to a ledger"):
        ensure_keys(home, other)
    assert ensure_keys(home, sqlite_engine).ids == first.ids
    (home / "keys").rename(home / "keys-of-the-first")
    assert ensure_keys(home, other).ids != first.ids
    other.dispose()


def forget_note_key(engine: Engine, home: Path) -> None:
    """What a database and a home of the first release look like."""
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM ledger_key WHERE purpose = 'note'"))
    (home / "keys" / "note.key").unlink(missing_ok=True)


def test_a_database_of_the_first_release_takes_a_note_key_once(
    engine: Engine, home: Path, request: pytest.FixtureRequest
) -> None:
    create_keys(home)
    ledger = Ledger(engine, load_keys(home, engine))
    ledger.start()
    fill(ledger, 2)
    ledger.close()
    others = {purpose: made for purpose, made in key_files(home).items() if purpose != "note"}
    forget_note_key(engine, home)
    if "postgres" in request.node.callspec.id:
        with pytest.raises(SetupError, match="dayzero keys create"):
            ensure_keys(home, engine)
        assert create_keys(home) == ["note"]
    keys = ensure_keys(home, engine)
    assert {purpose: made for purpose, made in key_files(home).items() if purpose != "note"} == others
    assert ensure_keys(home, engine).ids == keys.ids
    (home / "keys" / "note.key").unlink()
    with pytest.raises(SetupError, match=r"note key .* missing"):
        ensure_keys(home, engine)


def test_no_new_note_key_once_something_was_signed(sqlite_engine: Engine, home: Path) -> None:
    Checkpoints(sqlite_engine, ensure_keys(home, sqlite_engine)).sign()
    forget_note_key(sqlite_engine, home)
    with pytest.raises(SetupError, match=r"note key .* missing"):
        ensure_keys(home, sqlite_engine)
    create_keys(home)
    with pytest.raises(SetupError, match=r"note key .* is not the one"):
        ensure_keys(home, sqlite_engine)


@pytest.mark.parametrize("purpose", ["index", "encryption", "token"])
def test_no_other_purpose_may_be_taken_later(sqlite_engine: Engine, home: Path, purpose: str) -> None:
    ensure_keys(home, sqlite_engine)
    with sqlite_engine.begin() as connection:
        connection.execute(text("DELETE FROM ledger_key WHERE purpose = :purpose"), {"purpose": purpose})
    with pytest.raises(SetupError, match=f"{purpose} key .* is not the one"):
        ensure_keys(home, sqlite_engine)
