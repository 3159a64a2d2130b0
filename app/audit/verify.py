"""Checking a whole log: every leaf, node, copy, time and ciphertext in the database against the tree they must make.

What this cannot show: that the newest records were not cut off, or the whole log rewritten by someone who could write to the
database. For that the result must be compared with a root that was noted elsewhere, such as a signed checkpoint.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, Select, func, select

from app.audit import merkle, tables
from app.audit.records import Envelope, to_microseconds
from app.audit.sealing import ciphertext_digest
from app.database import read_transaction

PAGE = 1000
MAX_PROBLEMS = 20
Progress = Callable[[int, int], None]
"""Called now and then with records checked so far and records in all."""

_entry, _key, _payload, _node = tables.entry.c, tables.data_key.c, tables.payload.c, tables.node.c


class Problem(NamedTuple):
    """What is wrong, and at which sequence: that of the first record concerned; None where it concerns the whole log."""

    sequence: int | None
    what: str


@dataclass
class Report:
    """What a check found; `size` and `root` (hex) are recomputed from the records themselves."""

    log_id: str = ""
    size: int = 0
    root: str = merkle.EMPTY_ROOT.hex()
    erased: int = 0
    problems: list[Problem] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.problems

    @property
    def first_bad(self) -> int | None:
        """The lowest sequence that something is wrong at."""
        return min((problem.sequence for problem in self.problems if problem.sequence is not None), default=None)

    @property
    def caveat(self) -> str:
        return f"Removal of records after size {self.size} cannot be excluded without a checkpoint."


class Leaf(NamedTuple):
    """What a leaf's bytes say: hash, the tree nodes it completes, its fields (None where unreadable) and time."""

    hash: bytes
    completed: list[merkle.Node]
    envelope: Envelope | None
    moment: int


class LogCheck:
    """Rebuilds the tree from leaves in order and remembers the first problems."""

    def __init__(self, log_id: str) -> None:
        self.report = Report(log_id=log_id)
        self.frontier: list[bytes] = []
        self._last_time = 0
        self._differing: set[tuple[int, int]] = set()

    def found(self, sequence: int | None, what: str) -> None:
        if len(self.report.problems) < MAX_PROBLEMS:
            self.report.problems.append(Problem(sequence, what))

    def add(self, leaf: bytes) -> Leaf:
        """Takes the next leaf."""
        sequence, hashed = self.report.size, merkle.leaf_hash(leaf)
        completed = merkle.append(self.frontier, sequence, hashed)
        self.report.size += 1
        try:
            envelope = Envelope.decode(leaf)
            moment = to_microseconds(datetime.fromisoformat(envelope.time))
        except (ValueError, TypeError, AttributeError):
            self.found(sequence, "the leaf is not a well-formed envelope")
            return Leaf(hashed, completed, None, 0)
        if envelope.log_id != self.report.log_id:
            self.found(sequence, "the leaf belongs to another log")
        if moment < self._last_time:
            self.found(sequence, "its time is before that of the record before it")
        self._last_time = max(moment, self._last_time)
        return Leaf(hashed, completed, envelope, moment)

    def tree_differs(self, level: int, index: int) -> None:
        """A stored subtree is not the one these leaves make; only the lowest such ones are worth telling."""
        if not self._differing & {(level - 1, 2 * index), (level - 1, 2 * index + 1), (level, index)}:
            first, last = index << level, ((index + 1) << level) - 1
            self.found(first, f"the stored tree does not agree with the records {first} to {last}")
        self._differing.add((level, index))

    def leaf_differs(self, sequence: int) -> None:
        self.found(sequence, "the leaf is not the one its stored hash was made from")
        self._differing.add((0, sequence))

    def finish(self) -> Report:
        self.report.root = merkle.root(self.frontier).hex()
        self.report.problems.sort(key=lambda problem: (problem.sequence is None, problem.sequence or 0))
        return self.report


def verify_database(engine: Engine, progress: Progress | None = None) -> Report:
    """Checks the log up to the size its head has now; appending may go on. Errors: Unavailable."""
    with read_transaction(engine) as connection:
        head = connection.execute(_HEAD).one()
    check = LogCheck(head.log_id)
    while check.report.size < head.size:
        reached = check.report.size
        with read_transaction(engine) as connection:
            _check_page(connection, check, head.size)
        if progress is not None:
            progress(check.report.size, head.size)
        if check.report.size < min(reached + PAGE, head.size):
            check.found(check.report.size, "the record is missing: the sequence has a gap")
            return check.finish()  # positions after a gap mean nothing
    _check_head(check, head)
    return check.finish()


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


def _check_page(connection: Connection, check: LogCheck, size: int) -> None:
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
    stored = _stored_nodes(connection, start, check.report.size)
    for level, index, expected in completed:
        if stored.get((level, index)) != expected:
            check.tree_differs(level, index)


def _rows(start: int, end: int) -> Select[Any]:
    keyed = tables.entry.outerjoin(tables.data_key, _entry.record_id == _key.record_id)
    joined = keyed.outerjoin(tables.payload, _entry.record_id == _payload.record_id)
    return (
        select(tables.entry, _payload.nonce, _payload.ciphertext, _key.record_id.label("has_key"))
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
    if row.has_key is None:
        check.report.erased += 1
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
