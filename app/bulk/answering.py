"""Lines in, lines out: scored together, recorded together, and told only when every record is durable."""

from collections.abc import Callable, Sequence
from datetime import date
from functools import partial
from typing import NamedTuple

from app import metrics
from app.audit.ledger import Ledger
from app.bulk.batch import Asked, read_line, score_each, told
from app.bulk.lines import Line
from app.bulk.recorder import appended_by
from app.errors import DayZeroError, Fault, InvalidInput
from app.harm.archive import score_record, with_receipt
from app.harm.records import ScoreRequest
from app.harm.service import Scored, Scorer
from app.middleware import RECORDED_REFUSALS, refusal_record
from app.problems import kind_of
from app.purposes import DEFAULT_PURPOSE
from app.refusals import Refusals
from app.security import Caller

METHOD, ROUTE = "POST", "/score/bulk"
VIEWS = ("none", "factors")

Told = Callable[[], bytes]
"""Waits until what it tells is durable. Errors: Unavailable."""


class Desk(NamedTuple):
    """What one call of `POST /score/bulk` works with; `purpose` is that of its header, None without one."""

    scorer: Scorer
    ledger: Ledger
    refusals: Refusals
    caller: Caller
    purpose: str | None

    def answer(self, lines: Sequence[Line], today: date) -> bytes:
        """A score or a problem for each line, in order, each with its line break."""
        outcomes = score_each(self.scorer, [self._asked(line) for line in lines], today)
        return b"".join([told_line() + b"\n" for told_line in [self._begun(outcome) for outcome in outcomes]])

    def _asked(self, line: Line) -> Asked:
        asked = read_line(line) if isinstance(line, bytes) else line
        if not isinstance(asked, ScoreRequest):
            return asked
        if asked.explain not in VIEWS:
            fault = Fault("/explain", "not-in-bulk", VIEWS)
            return InvalidInput("In bulk a score is explained by factors, or not at all.", [fault])
        return asked.model_copy(update={"purpose": asked.purpose or self.purpose or DEFAULT_PURPOSE})

    def _begun(self, outcome: Scored | Exception) -> Told:
        """Hands in what has to be recorded before this outcome may be told."""
        try:
            return self._scored(outcome) if isinstance(outcome, Scored) else self._refused(outcome)
        except DayZeroError as error:  # the ledger's queue is full, or closed
            return partial(self._problem, error)

    def _scored(self, outcome: Scored) -> Told:
        answer, given, record = score_record(outcome, (self.caller.issuer, self.caller.subject))
        waiting = self.ledger.submit(record)

        def tell() -> bytes:
            try:
                appended = appended_by(waiting)
            except DayZeroError as error:
                return self._problem(error)
            codes = (warning.code for warning in answer.history.warnings)
            metrics.count_score(answer.model.family, answer.harm.predicted_group, codes)
            return with_receipt(given, appended.sequence, appended.leaf_hash)

        return tell

    def _refused(self, error: Exception) -> Told:
        if not isinstance(error, DayZeroError) or kind_of(error).status not in RECORDED_REFUSALS:
            return partial(self._problem, error)
        waiting = self.ledger.submit(refusal_record(self.caller, METHOD, ROUTE, error))

        def tell() -> bytes:
            try:
                appended_by(waiting)
            except DayZeroError as unavailable:
                return self._problem(unavailable)
            return self._problem(error)

        return tell

    def _problem(self, error: Exception) -> bytes:
        kind, body = told(error)
        metrics.PROBLEMS.labels(kind.slug).inc()
        self.refusals.note(kind)
        return body
