"""What a run has answered so far, beside the file it will become: a run that was killed goes on where it stopped.

Two hidden files: `.OUT.run` says what the run is (no personal data), `.OUT.half` holds the answers, a line each, in order.
A record is durable before its line is written, never the other way round: the ledger is asked about whatever comes after
the last whole part, so that nothing is recorded twice.
"""

import os
import secrets
import time
from collections.abc import Iterator
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from pydantic import BaseModel, ConfigDict, ValidationError

from app.bulk.batch import PART
from app.bulk.work import Run
from app.errors import SetupError
from app.files import check_target, write_private

_ID_WITHIN = 512
"""A line's id stands within so many bytes."""


class _State(BaseModel):
    """`.OUT.run`: what must be the same for a run to go on, and what its ids are made of."""

    model_config = ConfigDict(extra="forbid", strict=True)
    same: dict[str, Any]
    today: str
    began: int
    seed: str


class RunFile:
    """`.OUT.run` of one run: `run` what its parts share, `resumed` whether it was there already, `half` where answers go."""

    def __init__(self, out: Path, same: dict[str, Any], caller: tuple[str, str], today: date) -> None:
        """`same` says of which input, model and ledger the answers are; a run goes on for the day it began on.

        Raises SetupError where `out` cannot be written, or where a run of something else was left unfinished.
        """
        check_target(out)
        self._out, self.half, self._kept = out, out.with_name(f".{out.name}.half"), out.with_name(f".{out.name}.run")
        same = {"caller": list(caller)} | same
        try:
            state = self._begun(same)
            self.resumed = state is not None
            if state is None:
                state = _State(
                    same=same, today=str(today), began=time.time_ns() // 1_000_000, seed=secrets.token_hex(32)
                )
                self.half.unlink(missing_ok=True)
                write_private(self._kept, state.model_dump_json().encode())
            self.run = Run(caller, date.fromisoformat(state.today), state.began, bytes.fromhex(state.seed))
        except OSError as error:
            raise cannot_be_written(out, error) from None

    def _begun(self, same: dict[str, Any]) -> _State | None:
        """The run that was left unfinished, None where there is none."""
        if not self._kept.exists():
            return None
        try:
            found = _State.model_validate_json(self._kept.read_bytes())
        except ValidationError:
            found = None
        if found is None or found.same != same:
            raise SetupError(
                f"{self._kept} is left of an unfinished run with other requests, another model or another ledger. Give "
                "that run's arguments to finish it, or delete the file to begin anew."
            )
        return found

    def open(self) -> BinaryIO:
        """The file of answers, to read what is there and add to it. Raises OSError."""
        return os.fdopen(os.open(self.half, os.O_RDWR | os.O_CREAT, 0o600), "r+b")

    def finish(self, made: Path) -> None:
        """Puts `made` in the place of `out`, and forgets the run. Raises OSError."""
        made.replace(self._out)
        self._kept.unlink()
        self.half.unlink(missing_ok=True)


def cannot_be_written(out: Path, error: OSError) -> SetupError:
    """What is said where the disk refuses."""
    return SetupError(f"{out} cannot be written: {error.strerror}.")


class Journal:
    """Answers of one run. `run` what its parts share; `done` how many lines an earlier, unfinished run left here."""

    def __init__(self, out: Path, same: dict[str, Any], caller: tuple[str, str], today: date) -> None:
        """As `RunFile`."""
        self._state = RunFile(out, {"part": PART} | same, caller, today)
        self.run, self.resumed = self._state.run, self._state.resumed
        try:
            self._file = self._state.open()
            self.done = self._cut_to_whole_parts()
        except OSError as error:
            raise cannot_be_written(out, error) from None

    def _cut_to_whole_parts(self) -> int:
        """Cuts off what was not written to its end, and gives how many lines stay."""
        done = size = 0
        for lines in self._parts():
            ids = self.run.ids(done, PART)
            if len(lines) < PART or not all(map(_is_whole, lines, ids)):
                break
            done, size = done + PART, size + sum(map(len, lines))
        self._file.truncate(size)
        self._file.seek(size)
        return done

    def _parts(self) -> Iterator[list[bytes]]:
        self._file.seek(0)
        while lines := list(islice(self._file, PART)):
            yield lines

    def kept(self) -> Iterator[list[bytes]]:
        """The lines of the earlier run, in parts; then writing goes on after them."""
        yield from self._parts()
        self._file.seek(0, os.SEEK_END)

    def write(self, lines: list[bytes]) -> None:
        """Adds lines. Raises OSError."""
        self._file.writelines(lines)
        self._file.flush()

    def finish(self, instead: Path | None = None) -> None:
        """Puts the answers, or the file made of them, in the place of `out`, and forgets the run."""
        os.fsync(self._file.fileno())
        self._state.finish(instead or self._state.half)

    def close(self) -> None:
        """Leaves what is written for another run to go on with."""
        self._file.close()


def _is_whole(line: bytes, score_id: str) -> bool:
    """Whether a line is this request's answer, or a problem, written to its end."""
    if not line.endswith(b"}\n"):
        return False
    head = line[:_ID_WITHIN]
    return score_id.encode() in head or (b'"type":' in head and b'"score_id":' not in head)
