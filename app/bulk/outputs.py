"""Where answers go: a journal that becomes NDJSON or Parquet, a file written in one go, or standard output."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Protocol, Self

import click
from rich.console import Console

from app.bulk.journal import Journal
from app.bulk.sources import NEEDS_ARROW, PARQUET
from app.errors import SetupError
from app.files import written_whole
from app.harm.answers import ScoreAnswer
from app.terminal import show_score

Answers = Sequence[tuple[str | None, bytes]]
"""Whom each is about, where known, and the answer or problem."""
Keep = Callable[[list[bytes]], None]


class Output(Protocol):
    """Takes answers in order and counts those that are `problems`."""

    problems: int

    def write(self, answers: Answers) -> None:
        """Adds some. Raises OSError."""


class Printed(AbstractContextManager["Printed"]):
    """To the terminal: as a person reads it where there is just one, else a line each."""

    def __init__(self, *, alone: bool, named: bool) -> None:
        self._alone, self._named, self.problems = alone, named, 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to end."""

    def write(self, answers: Answers) -> None:
        """Prints them."""
        for nominal_id, answer in answers:
            self.problems += is_problem(answer)
            if self._alone and sys.stdout.isatty() and not is_problem(answer):
                show_score(ScoreAnswer.model_validate_json(answer), Console())
            else:
                click.echo(line_of(nominal_id if self._named else None, answer).rstrip(b"\n"))


class Filed:
    """To a file; `keep` each takes the lines of some answers."""

    def __init__(self, *keep: Keep, named: bool, problems: int = 0) -> None:
        self._keep, self._named, self.problems = keep, named, problems

    def write(self, answers: Answers) -> None:
        """Adds lines."""
        lines = [line_of(nominal_id if self._named else None, answer) for nominal_id, answer in answers]
        self.problems += sum(is_problem(answer) for _, answer in answers)
        for keep in self._keep:
            keep(lines)


@contextmanager
def kept(journal: Journal, out: Path, *, named: bool) -> Iterator[Output]:
    """Answers after those the journal already has; in the place of `out` when the block ends without an error.

    Raises SetupError where it cannot be written or Arrow is missing; the journal stays, for another run to go on.
    """
    table = out.suffix == PARQUET
    problems = 0
    try:
        with ExitStack() as opened:
            adding = [opened.enter_context(_table(out))] if table else []
            for lines in journal.kept():
                problems += sum(b'"score_id":' not in line for line in lines)
                for add in adding:
                    add(lines)
            yield Filed(journal.write, *adding, named=named or table, problems=problems)
        journal.finish(_half(out) if table else None)
    except OSError as error:
        raise SetupError(f"{out} cannot be written: {error.strerror}.") from None
    finally:
        journal.close()
        _half(out).unlink(missing_ok=True)


@contextmanager
def whole(out: Path, *, named: bool) -> Iterator[Output]:
    """Answers that take the place of `out` when the block ends without an error. Raises SetupError as `kept`."""
    if out.suffix != PARQUET:
        with written_whole(out, private=True) as file:
            yield Filed(file.writelines, named=named)
        return
    try:
        with _table(out) as add:
            yield Filed(add, named=True)
        _half(out).replace(out)
    except OSError as error:
        raise SetupError(f"{out} cannot be written: {error.strerror}.") from None
    finally:
        _half(out).unlink(missing_ok=True)


@contextmanager
def _table(out: Path) -> Iterator[Keep]:
    """A Parquet table beside `out`, whole when the block ends without an error. Raises SetupError where Arrow is missing."""
    try:
        from app.bulk.parquet import ParquetTable  # noqa: PLC0415 - Arrow is an extra
    except ImportError:
        raise SetupError(NEEDS_ARROW) from None
    table = ParquetTable(_half(out))
    yield table.add
    table.close()


def _half(out: Path) -> Path:
    return out.with_name(f".{out.name}.table")


def line_of(nominal_id: str | None, answer: bytes) -> bytes:
    """A line of NDJSON; with `nominal_id` as its first member where that is given."""
    if nominal_id is None:
        return answer + b"\n"
    return b'{"nominal_id":' + json.dumps(nominal_id).encode() + b"," + answer[1:] + b"\n"


def is_problem(answer: bytes) -> bool:
    """Whether this is a problem and not a score: a score's id comes first."""
    return not answer.startswith(b'{"score_id"')
