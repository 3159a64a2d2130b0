"""Many requests scored together: each gets its score or the reason why not, and none stops the others."""

from collections.abc import Sequence
from datetime import date

import structlog

from app.body import MAX_BODY
from app.errors import DayZeroError, Fault, InputTooLarge
from app.harm.records import ScoreRequest, read_request
from app.harm.service import Scored, Scorer
from app.logs import where
from app.problems import INTERNAL, Kind, kind_of, problem_body

PART = 256
"""Requests scored together: more gain nothing, and one commit of the ledger holds as many."""

Asked = ScoreRequest | DayZeroError
Outcome = Scored | Exception


def read_line(raw: bytes) -> Asked:
    """A request, or what is wrong with it."""
    if len(raw.rstrip(b"\r\n")) > MAX_BODY:
        return line_too_long()
    try:
        return read_request(raw)
    except DayZeroError as error:
        return error


def line_too_long() -> InputTooLarge:
    """What a line is told that is longer than a body may be."""
    return InputTooLarge(f"The line is over {MAX_BODY} bytes.", [Fault("", "body-size")])


def score_each(scorer: Scorer, asked: Sequence[Asked], today: date) -> list[Outcome]:
    """An outcome for each, in order: a fault of ours in one of them costs that one alone."""
    requests = [one for one in asked if isinstance(one, ScoreRequest)]
    outcomes: list[Outcome] = []
    try:
        outcomes += scorer.score_all(requests, today)
    except Exception:  # noqa: BLE001 - whatever it was, the others are scored without the one it came from
        outcomes += [_alone(scorer, request, today) for request in requests]
    scored = iter(outcomes)
    return [next(scored) if isinstance(one, ScoreRequest) else one for one in asked]


def told(error: Exception) -> tuple[Kind, bytes]:
    """The kind and the body of the problem that stands in a line's place."""
    if isinstance(error, DayZeroError) and (kind := kind_of(error)) is not INTERNAL:
        return kind, problem_body(kind, error.detail, error.faults)
    structlog.get_logger().error("unexpected", error=type(error).__name__, where=where(error))
    return INTERNAL, problem_body(INTERNAL, "The error was logged.")


def _alone(scorer: Scorer, request: ScoreRequest, today: date) -> Outcome:
    try:
        return scorer.score_all([request], today)[0]
    except Exception as error:  # noqa: BLE001 - told and logged in this line's place
        return error
