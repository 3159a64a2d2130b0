"""Checking a whole log in its database: every leaf, node, copy, time, ciphertext and stored checkpoint against the tree.

What this cannot show: that the newest records were not cut off together with their checkpoints, or the whole log rewritten
by someone who also holds its key. For that it must be compared with a checkpoint that was kept elsewhere.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Engine, Select, func, select

from app.audit import merkle, tables
from app.audit.checking import Leaf, LogCheck, Progress, Report
from app.audit.checkpoint import Checkpoint, open_checkpoint, parse_text
from app.audit.contents import Contents
from app.audit.note import Verifier, parse_note
from app.audit.records import Envelope
from app.audit.sealing import ciphertext_digest
from app.database import read_transaction
from app.errors import VerificationFailed

PAGE = 1000

_entry, _key, _payload, _node = tables.entry.c, tables.data_key.c, tables.payload.c, tables.node.c
_checkpoint = tables.checkpoint.c


def verify_database(
    engine: Engine,
    progress: Progress | None = None,
    *,
    verifiers: Sequence[Verifier] = (),
    since: Checkpoint | None = None,
    contents: Contents | None = None,
) -> Report:
    """Checks the log up to the size its head has now; appending may go on.

    With `verifiers` the stored checkpoints must carry a signature of one of them, too; `since` is an older checkpoint to
    compare with; with `contents` records are opened as well as that can tell more. Errors: Unavailable.
    """
    with read_transaction(engine) as connection:
        newest = connection.execute(select(func.max(_checkpoint.size))).scalar_one()  # before the head, which grows
        head = connection.execute(_HEAD).one()
    check = LogCheck(head.log_id, since)
    if newest is not None and newest > head.size:
        check.found(head.size, f"the log ends here, but a checkpoint of {newest} records is stored")
    while check.report.size < head.size:
        reached = check.report.size
        with read_transaction(engine) as connection:
            _expect_checkpoints(connection, check, verifiers, min(reached + PAGE, head.size))
            _check_page(connection, check, head.size, contents)
        if progress is not None:
            progress(check.report.size, head.size)
        if check.report.size < min(reached + PAGE, head.size):
            check.found(check.report.size, "the record is missing: the sequence has a gap")
            return check.finish()  # positions after a gap mean nothing
    _check_head(check, head)
    if contents is not None:
        contents.finish(check)
    return check.finish()


def _expect_checkpoints(connection: Connection, check: LogCheck, verifiers: Sequence[Verifier], end: int) -> None:
    """The stored checkpoints of the next page; one that is not what it should be is told at its last record."""
    within = _checkpoint.size.between(check.report.size + 1, end)
    for size, note in connection.execute(select(_checkpoint.size, _checkpoint.note).where(within)):
        try:
            checkpoint = open_checkpoint(note, *verifiers) if verifiers else parse_text(parse_note(note).text)
        except VerificationFailed:
            check.found(size - 1, f"the stored checkpoint of size {size} is not one of this log's")
            continue
        if checkpoint.size != size:
            check.found(size - 1, f"the stored checkpoint of size {size} says that it is of size {checkpoint.size}")
        else:
            check.expect(checkpoint, "the stored checkpoint")


_HEAD = select(
    tables.log_head,
    select(func.max(_entry.sequence)).scalar_subquery().label("newest"),
    select(func.count()).select_from(tables.node).scalar_subquery().label("nodes"),
    select(func.count(_payload.record_id))
    .select_from(tables.payload.outerjoin(tables.entry, _payload.record_id == _entry.record_id))
    .where(_entry.record_id.is_(None))
    .scalar_subquery()
    .label("strays"),
)
"""One statement, so that all of it is from one moment."""


def _check_head(check: LogCheck, head: Any) -> None:
    size = check.report.size
    _check_frontier(check, merkle.unpack(head.frontier))
    if head.last_time != check.last_time:
        check.found(None, "the stored time of the newest record is not that record's")
    if head.newest is not None and head.newest >= size:
        check.found(size, "there are records after the end of the log")
    if head.nodes != sum(size >> level for level in range(1, size.bit_length())):
        check.found(None, "the number of stored tree nodes is wrong")
    if head.strays:
        check.found(None, f"{head.strays} stored payloads belong to no record")


def _check_frontier(check: LogCheck, stored: list[bytes]) -> None:
    size, start = check.report.size, 0
    if len(stored) != len(check.frontier):
        check.found(None, "the stored head is not that of a log of this size")
        return
    levels = [level for level in reversed(range(size.bit_length())) if size >> level & 1]
    for level, expected, found in zip(levels, check.frontier, stored, strict=True):
        if found != expected:
            check.tree_differs(level, start >> level)
        start += 1 << level


def _check_page(connection: Connection, check: LogCheck, size: int, contents: Contents | None) -> None:
    """Checks the next PAGE records; stops early, short of them, at a gap."""
    start = check.report.size
    completed: list[merkle.Node] = []
    with connection.execute(_rows(start, min(start + PAGE, size)), execution_options={"yield_per": 50}) as rows:
        for row in rows:  # a few at a time: a payload may be a megabyte
            if row.sequence != check.report.size:
                break
            leaf = check.add(row.envelope)
            completed += leaf.completed
            _check_row(check, row, leaf)
            if contents is not None and leaf.envelope is not None:
                contents.look(check, row, leaf.envelope)
    stored = _stored_nodes(connection, start, check.report.size)
    for level, index, expected in completed:
        if stored.get((level, index)) != expected:
            check.tree_differs(level, index)


def _rows(start: int, end: int) -> Select[Any]:
    keyed = tables.entry.outerjoin(tables.data_key, _entry.record_id == _key.record_id)
    joined = keyed.outerjoin(tables.payload, _entry.record_id == _payload.record_id)
    return (
        select(tables.entry, _payload.nonce, _payload.ciphertext, _key.wrapped_key, _key.kek_id)
        .select_from(joined)
        .where(_entry.sequence >= start, _entry.sequence < end)
        .order_by(_entry.sequence)
    )


def _check_row(check: LogCheck, row: Any, leaf: Leaf) -> None:
    if leaf.hash != row.leaf_hash:
        check.leaf_differs(row.sequence)
    if leaf.envelope is None:
        return
    _check_copies(check, row, leaf.envelope, leaf.moment)
    if row.kek_id is None:
        check.report.erased += 1
        if row.nonce is not None:
            check.found(row.sequence, "its key is gone, but its payload is not: no erasure leaves it so")
    elif row.nonce is None:
        check.found(row.sequence, "its payload is missing")
    if row.nonce is not None and ciphertext_digest(row.nonce, row.ciphertext).hex() != leaf.envelope.ciphertext_sha256:
        check.found(row.sequence, "its payload is not the one that was recorded")


def _check_copies(check: LogCheck, row: Any, leaf: Envelope, moment: int) -> None:
    manifest = None if row.manifest is None else row.manifest.hex()
    stored = (row.record_id, row.event, row.actor_ref.hex(), manifest, row.recorded_at)
    meant = (leaf.record_id, leaf.event, leaf.actor_ref, leaf.manifest_sha256, moment)
    if stored == meant:
        return
    names = ("record_id", "event", "actor_ref", "manifest", "recorded_at")
    for name, one, other in zip(names, stored, meant, strict=True):
        if one != other:
            check.found(row.sequence, f"the column {name} does not agree with the leaf")


def _stored_nodes(connection: Connection, start: int, end: int) -> dict[tuple[int, int], bytes]:
    """The nodes that leaves [start, end) complete: those whose last leaf is among them."""
    stored = {}
    for level in range(1, end.bit_length()):
        query = select(_node.index, _node.hash).where(
            _node.level == level, _node.index >= start >> level, _node.index < end >> level
        )
        for index, value in connection.execute(query):
            stored[level, index] = value
    return stored
