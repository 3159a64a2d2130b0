"""The order of a run: some parts are being scored while the records of others are committed."""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

from app.bulk.pools import Pending, Pool
from app.bulk.work import Run, Work

COMMITTING = 2
"""Parts whose records are being committed while the next one is sealed."""

Scored = TypeVar("Scored")
Scored_contra = TypeVar("Scored_contra", contravariant=True)
Answers = TypeVar("Answers")
Answers_co = TypeVar("Answers_co", covariant=True)


class Committing(Protocol[Answers_co]):
    """A part whose records were handed in."""

    def answers(self) -> Answers_co:
        """What may be told of it, once all is durable. Errors: Unavailable."""


class Records(Protocol[Scored_contra, Answers_co]):
    """Whoever records."""

    def record(self, scored: Scored_contra, /) -> Committing[Answers_co]:
        """Hands in one part."""


def in_order(
    parts: Iterable[Work[Scored]], run: Run, pool: Pool, recorder: Records[Scored, Answers]
) -> Iterator[Answers]:
    """The answers of each part, in the order of the parts, committed."""
    scoring: deque[Pending[Scored]] = deque()
    committing: deque[Committing[Answers]] = deque()
    for part in parts:
        scoring.append(pool.submit(run, part))
        if len(scoring) > pool.ahead:
            committing.append(recorder.record(scoring.popleft().result()))
        if len(committing) > COMMITTING:
            yield committing.popleft().answers()
    while scoring or committing:
        if scoring:
            committing.append(recorder.record(scoring.popleft().result()))
        yield committing.popleft().answers()
