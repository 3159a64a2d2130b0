"""Proofs out of the stored tree, with a query or two each.

A proof is planned first, by running the pure code on a tree of blanks to see which subtrees it reads; these are fetched
together, and the code runs again on the real ones.
"""

from collections.abc import Callable, Collection
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, and_, bindparam, or_, select

from app.audit import merkle, tables
from app.audit.merkle import ReadNode
from app.audit.sealing import Tampered
from app.database import read_transaction
from app.errors import NotFound

_entry, _node = tables.entry.c, tables.node.c
_LEAVES = select(_entry.sequence, _entry.leaf_hash).where(_entry.sequence.in_(bindparam("leaves", expanding=True)))
_AT_ONCE = 32
_NODES = select(_node.level, _node.index, _node.hash).where(
    or_(
        *(
            and_(_node.level == bindparam(f"level{place}"), _node.index == bindparam(f"index{place}"))
            for place in range(_AT_ONCE)
        )
    )
)
"""The same statement for every proof, because compiling one takes longer than running it; written out, because SQLite
reads the whole table for `(level, index) IN (...)`."""

_BLANK = bytes(merkle.HASH_BYTES)
Proof = TypeVar("Proof", bytes, list[bytes])


def inclusion(engine: Engine, sequence: int, size: int) -> list[bytes]:
    """That record `sequence` is in the tree of the first `size` records.

    Errors: NotFound where the log is shorter, ValueError unless sequence < size, Tampered where the tree has holes.
    """
    with read_transaction(engine) as connection:
        _demand_size(connection, size)
        return _compute(connection, lambda read: merkle.inclusion_proof(read, sequence, size))


def consistency(engine: Engine, first: int, second: int) -> list[bytes]:
    """That the first `first` records are the beginning of the first `second`.

    Errors: NotFound where the log is shorter, ValueError unless 0 < first <= second, Tampered where the tree has holes.
    """
    with read_transaction(engine) as connection:
        _demand_size(connection, second)
        return consistency_in(connection, first, second)


def consistency_in(connection: Connection, first: int, second: int) -> list[bytes]:
    """The same within a transaction, for sizes known to be in the log."""
    return _compute(connection, lambda read: merkle.consistency_proof(read, first, second))


def _demand_size(connection: Connection, size: int) -> None:
    if size > connection.execute(select(tables.log_head.c.size)).scalar_one():
        raise NotFound("The log has not that many records yet.")


def _compute(connection: Connection, proof: Callable[[ReadNode], Proof]) -> Proof:
    planned: set[tuple[int, int]] = set()

    def plan(level: int, index: int) -> bytes:
        planned.add((level, index))
        return _BLANK

    proof(plan)
    found = _fetch(connection, planned)
    if found.keys() != planned:
        raise Tampered
    return proof(lambda level, index: found[level, index])


def _fetch(connection: Connection, wanted: Collection[tuple[int, int]]) -> dict[tuple[int, int], bytes]:
    inner = [place for place in wanted if place[0]]
    leaves = [index for level, index in wanted if not level]
    found: dict[tuple[int, int], bytes] = {}
    rows: Any
    if leaves:
        rows = connection.execute(_LEAVES, {"leaves": leaves})
        found |= {(0, sequence): value for sequence, value in rows}
    for start in range(0, len(inner), _AT_ONCE):
        places = inner[start : start + _AT_ONCE]
        places += places[-1:] * (_AT_ONCE - len(places))
        levels = {f"level{place}": level for place, (level, _) in enumerate(places)}
        indices = {f"index{place}": index for place, (_, index) in enumerate(places)}
        rows = connection.execute(_NODES, levels | indices)
        found |= {(level, index): value for level, index, value in rows}
    return found
