"""The kinds of tampering, each done to an open SQLite copy of a sound log whose guards were removed.

Each says which record must be named as the first bad one.
"""

import random
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from app.audit import merkle
from app.audit.checkpoint import Checkpoint
from app.keys import Keys

SIZE = 60
SIGNED_AT = (7, 20, 41, SIZE)

Connection = sqlite3.Connection
Expected = int | range | None
"""The first bad record that must be named, or where it must lie; None where only the log as a whole can be named."""


class Original(NamedTuple):
    """A sound log as a file, an older copy of it, and the checkpoint an auditor kept."""

    file: Path
    older: Path
    home: Path
    keys: Keys
    kept: Checkpoint
    verifiers: list[Any]


# What may be done to a row


def _flip(value: Any, rng: random.Random) -> Any:
    """The value with one bit, character or unit changed."""
    if isinstance(value, bytes):
        place = rng.randrange(len(value))
        return value[:place] + bytes([value[place] ^ 1 << rng.randrange(8)]) + value[place + 1 :]
    if isinstance(value, str):
        place = rng.randrange(len(value))
        other = rng.choice([sign for sign in "0123456789abcdef" if sign != value[place]])
        return value[:place] + other + value[place + 1 :]
    return value + rng.choice((-1, 1)) * rng.randrange(1, 1000) if value is not None else bytes(32)


def _held(connection: Connection) -> list[tuple[int, str]]:
    """Sequence and id of every record whose content was not erased."""
    query = "SELECT sequence, record_id FROM entry JOIN data_key USING (record_id) ORDER BY sequence"
    return list(connection.execute(query))


def _change_entry(column: str) -> Callable[..., Expected]:
    def tamper(connection: Connection, rng: random.Random, _: Original) -> Expected:
        sequence = rng.randrange(SIZE)
        (value,) = connection.execute(f"SELECT {column} FROM entry WHERE sequence = ?", [sequence]).fetchone()
        connection.execute(f"UPDATE entry SET {column} = ? WHERE sequence = ?", [_flip(value, rng), sequence])
        return sequence

    return tamper


def _change_content(table: str, column: str) -> Callable[..., Expected]:
    def tamper(connection: Connection, rng: random.Random, _: Original) -> Expected:
        sequence, record_id = rng.choice(_held(connection))
        (value,) = connection.execute(f"SELECT {column} FROM {table} WHERE record_id = ?", [record_id]).fetchone()
        connection.execute(f"UPDATE {table} SET {column} = ? WHERE record_id = ?", [_flip(value, rng), record_id])
        return sequence

    return tamper


def _delete_content(*tables: str) -> Callable[..., Expected]:
    def tamper(connection: Connection, rng: random.Random, _: Original) -> Expected:
        sequence, record_id = rng.choice(_held(connection)[:-1])  # the last is the erasure's own, which has no tags
        for table in tables:
            connection.execute(f"DELETE FROM {table} WHERE record_id = ?", [record_id])
        return sequence

    return tamper


PAYLOAD, DATA_KEY = ("payload", "nonce, ciphertext"), ("data_key", "wrapped_key")


def _swap_content(*parts: tuple[str, str]) -> Callable[..., Expected]:
    def tamper(connection: Connection, rng: random.Random, _: Original) -> Expected:
        one, other = sorted(rng.sample(_held(connection), 2))
        for table, columns in parts:
            read = f"SELECT {columns} FROM {table} WHERE record_id = ?"
            values = [connection.execute(read, [record_id]).fetchone() for _, record_id in (one, other)]
            sets = ", ".join(f"{column} = ?" for column in columns.split(", "))
            for (_, record_id), new in zip((one, other), reversed(values), strict=True):
                connection.execute(f"UPDATE {table} SET {sets} WHERE record_id = ?", [*new, record_id])
        return one[0]

    return tamper


def _delete_entry(connection: Connection, rng: random.Random, _: Original) -> Expected:
    sequence = rng.randrange(SIZE)
    connection.execute("DELETE FROM entry WHERE sequence = ?", [sequence])
    return sequence


def _swap_entries(connection: Connection, rng: random.Random, _: Original) -> Expected:
    one, other = sorted(rng.sample(range(SIZE), 2))
    for old, new in ((one, 999), (other, one), (999, other)):
        connection.execute("UPDATE entry SET sequence = ? WHERE sequence = ?", [new, old])
    return range(one & ~1, one + 1)  # rows moved whole agree with themselves; the tree knows them by pairs


def _swap_leaves(connection: Connection, rng: random.Random, _: Original) -> Expected:
    one, other = sorted(rng.sample(range(SIZE), 2))
    read = "SELECT envelope FROM entry WHERE sequence = ?"
    leaves = [connection.execute(read, [place]).fetchone()[0] for place in (one, other)]
    for place, leaf in ((one, leaves[1]), (other, leaves[0])):
        connection.execute("UPDATE entry SET envelope = ? WHERE sequence = ?", [leaf, place])
    return one


def _change_node(connection: Connection, rng: random.Random, _: Original) -> Expected:
    level, index, value = rng.choice(connection.execute('SELECT level, "index", hash FROM node').fetchall())
    connection.execute('UPDATE node SET hash = ? WHERE level = ? AND "index" = ?', [_flip(value, rng), level, index])
    return int(index) << int(level)


def _delete_node(connection: Connection, rng: random.Random, _: Original) -> Expected:
    level, index = rng.choice(connection.execute('SELECT level, "index" FROM node').fetchall())
    connection.execute('DELETE FROM node WHERE level = ? AND "index" = ?', [level, index])
    return int(index) << int(level)


def _change_head(column: str) -> Callable[..., Expected]:
    def tamper(connection: Connection, rng: random.Random, _: Original) -> Expected:
        (value,) = connection.execute(f"SELECT {column} FROM log_head").fetchone()
        connection.execute(f"UPDATE log_head SET {column} = ?", [_flip(value, rng)])
        return None

    return tamper


def _change_checkpoint(connection: Connection, rng: random.Random, _: Original) -> Expected:
    size = rng.choice(SIGNED_AT)
    (note,) = connection.execute("SELECT note FROM checkpoint WHERE size = ?", [size]).fetchone()
    connection.execute("UPDATE checkpoint SET note = ? WHERE size = ?", [_flip(note, rng), size])
    return size - 1


def _change_tag(connection: Connection, rng: random.Random, _: Original) -> Expected:
    record_id, tag = rng.choice(connection.execute("SELECT record_id, tag FROM subject_index").fetchall())
    connection.execute("UPDATE subject_index SET tag = ? WHERE record_id = ?", [_flip(tag, rng), record_id])
    return int(connection.execute("SELECT sequence FROM entry WHERE record_id = ?", [record_id]).fetchone()[0])


def _add_entry(connection: Connection, rng: random.Random, _: Original) -> Expected:
    copied = rng.randrange(SIZE)
    connection.execute(
        "INSERT INTO entry SELECT ?, 'x', leaf_hash, event, actor_ref, recorded_at, manifest, envelope FROM entry "
        "WHERE sequence = ?",
        [SIZE, copied],
    )
    return SIZE


# The whole log, made to agree with itself


def _rebuild(connection: Connection) -> None:
    """Tree and head as an honest log of these leaves would have them."""
    leaves = connection.execute("SELECT sequence, envelope FROM entry ORDER BY sequence").fetchall()
    connection.execute("DELETE FROM node")
    frontier: list[bytes] = []
    for sequence, envelope in leaves:
        hashed = merkle.leaf_hash(envelope)
        connection.execute("UPDATE entry SET leaf_hash = ? WHERE sequence = ?", [hashed, sequence])
        connection.executemany("INSERT INTO node VALUES (?, ?, ?)", merkle.append(frontier, sequence, hashed))
    (last,) = connection.execute("SELECT max(recorded_at) FROM entry").fetchone()
    head = [len(leaves), merkle.pack(frontier), last]
    connection.execute("UPDATE log_head SET size = ?, frontier = ?, last_time = ?", head)


def _cut(connection: Connection, size: int) -> None:
    gone = "(SELECT record_id FROM entry WHERE sequence >= ?)"
    for table in ("payload", "data_key", "subject_index", "idempotency"):
        connection.execute(f"DELETE FROM {table} WHERE record_id IN {gone}", [size])
    connection.execute("DELETE FROM entry WHERE sequence >= ?", [size])
    connection.execute("DELETE FROM checkpoint WHERE size > ?", [size])


def _truncate(connection: Connection, rng: random.Random, _: Original) -> Expected:
    """The newest records gone without a trace in the database: only the kept checkpoint knows of them."""
    size = rng.randrange(1, SIZE)
    _cut(connection, size)
    _rebuild(connection)
    return None


def _rewrite(connection: Connection, rng: random.Random, _: Original) -> Expected:
    """One record never happened, or was another purpose's; everything after it is made anew."""
    sequence = rng.randrange(SIZE)
    (leaf,) = connection.execute("SELECT envelope FROM entry WHERE sequence = ?", [sequence]).fetchone()
    old, new = (b"stalking-triage", b"case-review") if b"stalking-triage" in leaf else (b"subject-rights", b"audit")
    changed = leaf.replace(old, new)
    connection.execute("UPDATE entry SET envelope = ? WHERE sequence = ?", [changed, sequence])
    connection.execute("DELETE FROM checkpoint")
    _rebuild(connection)
    return None


def _restore(connection: Connection, _: random.Random, sound: Original) -> Expected:
    """An older copy of the whole database put in its place."""
    with sqlite3.connect(sound.older) as older:
        older.backup(connection)
    return None


ENTRY_COLUMNS = ("record_id", "leaf_hash", "event", "actor_ref", "recorded_at", "manifest", "envelope")
KINDS: dict[str, Callable[[Connection, random.Random, Original], Expected]] = {
    **{f"entry.{name} changed": _change_entry(name) for name in ENTRY_COLUMNS},
    "entry deleted": _delete_entry,
    "entry added": _add_entry,
    "two entries swapped": _swap_entries,
    "two leaves swapped": _swap_leaves,
    "node changed": _change_node,
    "node deleted": _delete_node,
    **{f"log_head.{name} changed": _change_head(name) for name in ("log_id", "size", "frontier", "last_time")},
    "checkpoint changed": _change_checkpoint,
    **{f"payload.{name} changed": _change_content("payload", name) for name in ("nonce", "ciphertext", "record_id")},
    **{
        f"data_key.{name} changed": _change_content("data_key", name) for name in ("wrapped_key", "kek_id", "record_id")
    },
    "payload deleted": _delete_content("payload"),
    "data key deleted": _delete_content("data_key"),
    "content deleted": _delete_content("payload", "data_key", "subject_index"),
    "tag changed": _change_tag,
    "tags deleted": _delete_content("subject_index"),
    "two payloads swapped": _swap_content(PAYLOAD),
    "two data keys swapped": _swap_content(DATA_KEY),
    "two contents swapped": _swap_content(PAYLOAD, DATA_KEY),
    "newest records cut off": _truncate,
    "history rewritten": _rewrite,
    "older database restored": _restore,
}
