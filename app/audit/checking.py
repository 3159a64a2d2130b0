"""Rebuilding a log's tree from its leaves in order, whatever they are read from, and remembering what is wrong."""

from bisect import insort
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from app.audit import merkle
from app.audit.checkpoint import Checkpoint
from app.audit.records import Envelope, to_microseconds

MAX_PROBLEMS = 20
Progress = Callable[[int, int], None]
"""Called now and then with records checked so far and records in all."""


class Problem(NamedTuple):
    """What is wrong, and at which sequence: that of the first record concerned; None where it concerns the whole log."""

    sequence: int | None
    what: str


def _place(problem: Problem) -> tuple[bool, int]:
    return problem.sequence is None, problem.sequence or 0


@dataclass
class Report:
    """What a check found; `size` and `root` (hex) are recomputed from the records themselves.

    `since` is an older checkpoint that the log was compared with.
    """

    log_id: str = ""
    size: int = 0
    root: str = merkle.EMPTY_ROOT.hex()
    erased: int = 0
    since: Checkpoint | None = None
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
        """What the check could not show."""
        if self.since is None:
            return (
                f"Removal of records after size {self.size} cannot be excluded without a checkpoint kept elsewhere: "
                "give one with --since."
            )
        return (
            f"It holds all that the older checkpoint of size {self.since.size} covers, unchanged; "
            f"removal after size {self.size} cannot be excluded without a newer one."
        )


class Leaf(NamedTuple):
    """What a leaf's bytes say: hash, the tree nodes it completes, its fields (None where unreadable) and time."""

    hash: bytes
    completed: list[merkle.Node]
    envelope: Envelope | None
    moment: int


class LogCheck:
    """Rebuilds the tree from leaves in order and remembers the first problems."""

    def __init__(self, log_id: str, since: Checkpoint | None = None) -> None:
        self.report = Report(log_id=log_id, since=since)
        self.frontier: list[bytes] = []
        self.last_time = 0
        self._differing: set[tuple[int, int]] = set()
        self._expected: dict[int, list[tuple[bytes, str]]] = defaultdict(list)
        if since is not None:
            self.expect(since, "the older checkpoint")

    def expect(self, checkpoint: Checkpoint, name: str) -> None:
        """What the tree must be when it has that size; to be said before it has."""
        if checkpoint.size:
            self._expected[checkpoint.size].append((checkpoint.root, name))

    def found(self, sequence: int | None, what: str) -> None:
        """Remembers what is wrong; of more than twenty things those at the lowest sequences."""
        insort(self.report.problems, Problem(sequence, what), key=_place)
        del self.report.problems[MAX_PROBLEMS:]

    def add(self, leaf: bytes) -> Leaf:
        """Takes the next leaf."""
        sequence, hashed = self.report.size, merkle.leaf_hash(leaf)
        completed = merkle.append(self.frontier, sequence, hashed)
        self.report.size += 1
        self._compare()
        try:
            envelope = Envelope.decode(leaf)
            moment = to_microseconds(datetime.fromisoformat(envelope.time))
        except (ValueError, TypeError, AttributeError):
            self.found(sequence, "the leaf is not a well-formed envelope")
            return Leaf(hashed, completed, None, 0)
        if envelope.log_id != self.report.log_id:
            self.found(sequence, "the leaf belongs to another log")
        if moment < self.last_time:
            self.found(sequence, "its time is before that of the record before it")
        self.last_time = moment
        return Leaf(hashed, completed, envelope, moment)

    def _compare(self) -> None:
        size = self.report.size
        for root, name in self._expected.pop(size, ()):
            if root != merkle.root(self.frontier):
                self.found(size - 1, f"the records up to here do not make the root of {name} of size {size}")

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
        for size, expected in sorted(self._expected.items()):
            for _, name in expected:
                self.found(self.report.size, f"the log ends here, but {name} covers {size} records")
        self._expected.clear()
        self.report.root = merkle.root(self.frontier).hex()
        return self.report
