"""What a worker does, in this process, in another one or on a cluster: a part in, scores ready to be recorded out.

Nothing here knows the ledger or its keys. Ids are given here, from the run's seed and each request's number, so that
the same nominal of the same run has the same id however often it is computed, and can be recorded only once.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple, Protocol, TypeVar

from app.audit.records import NewRecord, uuid7_of
from app.bulk.batch import Asked, read_line, score_each, told
from app.errors import SetupError
from app.harm.archive import score_record
from app.harm.golden import check_golden
from app.harm.harm_index import HarmIndex
from app.harm.records import ScoreRequest
from app.harm.service import Scored, Scorer


class Named(NamedTuple):
    """A request, or what is wrong with it, and whom it is about where that is known."""

    nominal_id: str | None
    asked: Asked


Result_co = TypeVar("Result_co", covariant=True)


class Work(Protocol[Result_co]):
    """Some of what a run scores; goes to workers, so it can be pickled."""

    @property
    def first(self) -> int:
        """Number of the first nominal or request in the run."""

    def __len__(self) -> int:
        """How many there are."""

    def scored(self, scorer: Scorer, run: "Run") -> Result_co:
        """What is handed back."""


class Part(Protocol):
    """Requests of a run; `first` the number of the first."""

    @property
    def first(self) -> int:
        """As in `Work`."""

    def __len__(self) -> int:
        """As in `Work`."""

    def scored(self, scorer: Scorer, run: "Run") -> "list[Line]":
        """An answer for each."""

    def requests(self, index: HarmIndex) -> list[Named]:
        """Them, read and checked."""

    def bodies(self, index: HarmIndex) -> Iterator[tuple[str | None, bytes]]:
        """Whom each is about, where known, and the request as it is sent, without a line break."""


@dataclass(frozen=True)
class LinePart:
    """Lines of NDJSON."""

    first: int
    lines: Sequence[bytes]

    def __len__(self) -> int:
        return len(self.lines)

    def scored(self, scorer: Scorer, run: "Run") -> "list[Line]":
        """An answer for each line."""
        return score_part(scorer, run, self)

    def requests(self, _: HarmIndex) -> list[Named]:
        """Each line as a request."""
        asked = [read_line(line) for line in self.lines]
        return [Named(one.nominal.nominal_id if isinstance(one, ScoreRequest) else None, one) for one in asked]

    def bodies(self, _: HarmIndex) -> Iterator[tuple[str | None, bytes]]:
        """The lines as they are."""
        return ((None, line.rstrip(b"\r\n")) for line in self.lines)


@dataclass(frozen=True)
class Run:
    """What all parts of a run share: who scores (issuer, subject), on which day, and what ids are made of."""

    caller: tuple[str, str]
    today: date
    began: int
    seed: bytes

    def ids(self, first: int, count: int) -> list[str]:
        """Score ids of `count` requests from number `first` on."""
        return [uuid7_of(self.began, self.seed, number) for number in range(first, first + count)]


class Line(NamedTuple):
    """One answer not yet recorded: the record to append, or the problem in its place."""

    nominal_id: str | None
    record: NewRecord | None
    problem: bytes


def score_part(scorer: Scorer, run: Run, part: Part) -> list[Line]:
    """An answer for each request of the part."""
    named = part.requests(scorer.index)
    outcomes = score_each(scorer, [one.asked for one in named], run.today)
    each = zip(run.ids(part.first, len(named)), named, outcomes, strict=True)
    return [_line(run, score_id, one.nominal_id, outcome) for score_id, one, outcome in each]


def _line(run: Run, score_id: str, nominal_id: str | None, outcome: Scored | Exception) -> Line:
    if isinstance(outcome, Exception):
        return Line(nominal_id, None, told(outcome)[1])
    _, _, record = score_record(outcome, run.caller, score_id=score_id)
    return Line(nominal_id, record, b"")


_here: list[Scorer] = []


def prepare(scorer: Scorer) -> None:
    """Makes these models the ones of this process. Raises SetupError where golden cases do not reproduce."""
    check_golden(scorer)
    _here[:] = [scorer]


def score_here(run: Run, work: Work[Result_co]) -> Result_co:
    """The work, with what `prepare` loaded."""
    if not _here:
        raise SetupError("This worker has not loaded the models.")
    return work.scored(_here[0], run)
