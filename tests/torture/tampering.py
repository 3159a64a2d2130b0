"""Every kind of tampering by someone who writes to the database, each on a copy of a sound log; all must be found.

They know how everything is made, and can rewrite the whole tree so that it agrees with itself. They do not hold the note key,
and an auditor kept the newest checkpoint.
"""

import random
import sqlite3
from pathlib import Path
from typing import Any

from app.audit.contents import Contents
from app.audit.erasing import Eraser, Order
from app.audit.signing import Checkpoints
from app.audit.verify import verify_database
from app.database import open_database
from tests.app.audit.samples import a_record, once
from tests.torture.kinds import KINDS, SIGNED_AT, SIZE, Connection, Original
from tests.torture.logs import Log, scratch, sqlite_log
from tests.torture.report import Row, Scale

FULL = 10_000
ERASED = "N-4"


def original(log: Log, folder: Path) -> Original:
    """Sixty records of several kinds, one erasure, four checkpoints."""
    checkpoints = Checkpoints(log.engine, log.keys)
    older = folder / "older.db"
    with log.ledger() as ledger:
        for number in range(SIZE - 1):
            if number == SIZE // 2:
                _copy(Path(str(log.engine.url.database)), older)
            event = ("score", "read", "decision")[number % 3]
            record = a_record(number, event=event, nominal_ids=(f"N-{number % 9}",), idempotency=once(f"key {number}"))
            ledger.submit(record).result(30)
            if number + 1 in SIGNED_AT:
                checkpoints.sign()
        Eraser(log.engine, log.keys).erase(Order(ERASED, "issuer", "officer", "DPO/1", "court-order"))
    kept = checkpoints.sign().checkpoint
    sound = folder / "sound.db"
    _copy(Path(str(log.engine.url.database)), sound)
    return Original(sound, older, log.home, log.keys, kept, checkpoints.verifiers)


def try_all(scale: Scale) -> list[Row]:
    """The full run's ten thousand, on SQLite; the kinds themselves are also tested on PostgreSQL (test_verify)."""
    tries, missed, misnamed = scale.of(FULL, len(KINDS) * 3), [], []
    with scratch(in_memory=True) as folder, sqlite_log(folder) as log:
        sound = original(log, folder)
        if not _report(sound, sound.file).ok:
            return [Row("tampering found", "SQLite", 0, "a sound log is not found sound", "all", held=False)]
        for number in range(tries):
            kind = list(KINDS)[number % len(KINDS)]
            found, named = _try(sound, folder / "victim.db", kind, random.Random(number))
            missed += [] if found else [f"{kind} (seed {number})"]
            misnamed += [] if named else [f"{kind} (seed {number})"]
    result = f"{tries - len(missed)} found, {tries - len(misnamed)} with the first bad record named"
    worst = "; ".join([*missed[:3], *misnamed[:3]])
    held = not missed and not misnamed
    return [
        Row("tampering found and named", f"SQLite, {len(KINDS)} kinds", tries, f"{result} {worst}".strip(), "all", held)
    ]


def _try(sound: Original, victim: Path, kind: str, rng: random.Random) -> tuple[bool, bool]:
    for leftover in victim.parent.glob(f"{victim.name}*"):
        leftover.unlink()
    victim.write_bytes(sound.file.read_bytes())
    connection = sqlite3.connect(victim, isolation_level=None)
    _drop_guards(connection)
    expected = KINDS[kind](connection, rng, sound)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    report = _report(sound, victim)
    where = range(expected, expected + 1) if isinstance(expected, int) else expected
    return not report.ok, not report.ok and (where is None or report.first_bad in where)


def _report(sound: Original, file: Path) -> Any:
    engine = open_database(f"sqlite:///{file}")
    try:
        contents = Contents(engine, sound.keys, every=True)
        return verify_database(engine, verifiers=sound.verifiers, since=sound.kept, contents=contents)
    finally:
        engine.dispose()


def _copy(source: Path, target: Path) -> None:
    with sqlite3.connect(source) as from_, sqlite3.connect(target) as to:
        from_.backup(to)


def _drop_guards(connection: Connection) -> None:
    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {name}")
