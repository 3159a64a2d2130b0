"""Nominals of an extract scored as columns: no request, no answer and no object for any one of them. Needs Arrow."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from app.bulk.batch import score_each, told
from app.bulk.extract_part import PeoplePart
from app.bulk.table.rows import Refused, score_rows
from app.bulk.work import Run
from app.errors import DayZeroError
from app.extract.columns import read_columns
from app.extract.people import People
from app.harm.columns import figures
from app.harm.service import Scorer
from app.problems import MAX_FAULTS

COLUMN_PART = 2048
"""Nominals scored together, and the rows one record of the ledger vouches for: from about a thousand on more gain nothing."""


@dataclass(frozen=True)
class ColumnPart:
    """Nominals as columns, the first of them number `first` of the run, for the model of this family."""

    first: int
    people: People
    family: str

    def __len__(self) -> int:
        return len(self.people)

    def scored(self, scorer: Scorer, run: Run) -> pa.RecordBatch:
        """A row for each, not yet numbered or recorded."""
        model = scorer.models[self.family]
        subject = model.bundle.manifest.subject
        read, people = read_columns(self.people, scorer.index, subject), self.people
        refused = self._refused(np.flatnonzero(read.doubtful).tolist(), scorer, run)
        if refused:
            people = people.take(np.setdiff1d(np.arange(len(people)), list(refused)))
            read = read_columns(people, scorer.index, subject)
        found = figures(model, read.known) if len(people) else None
        return score_rows(model, people.as_of, self.people.nominal_id, found, refused)

    def _refused(self, doubtful: list[int], scorer: Scorer, run: Run) -> dict[int, Refused]:
        """Who of the doubtful is refused: each is asked as the service would be asked."""
        found = {}
        for row in doubtful:
            part = PeoplePart(0, self.people.part(row, row + 1), {"explain": "none", "model": self.family})
            ((_, asked),) = part.requests(scorer.index)
            (outcome,) = score_each(scorer, [asked], run.today)
            if isinstance(outcome, Exception):
                found[row] = _why(outcome)
        return found


def _why(error: Exception) -> Refused:
    kind, _ = told(error)
    faults = error.faults[:MAX_FAULTS] if isinstance(error, DayZeroError) else ()
    return Refused(kind.slug, kind.status, [{"pointer": fault.pointer, "rule": fault.rule} for fault in faults])


def column_parts(people: People, family: str, start: int) -> Iterator[ColumnPart]:
    """Parts from nominal `start` on."""
    for first in range(start, len(people), COLUMN_PART):
        yield ColumnPart(first, people.part(first, min(first + COLUMN_PART, len(people))), family)
