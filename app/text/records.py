"""What a log may be when it is sent, and what is read out of it."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, NamedTuple, Protocol

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

MAX_TEXT = 20_000
_LINES = {"\t", "\n", "\r"}


def _is_printable(text: str) -> bool:
    return not any(unicodedata.category(sign) in {"Cc", "Cs"} and sign not in _LINES for sign in text)


def sendable(text: str) -> bool:
    """Whether a request may hold the text as a log."""
    return 0 < len(text) <= MAX_TEXT and _is_printable(text)


def _printable(text: str) -> str:
    """Refuse control characters and halves of characters: no typed log holds them, and what shows it may obey them."""
    if not _is_printable(text):
        raise PydanticCustomError("no-control-characters", "control characters")
    return text


LogText = Annotated[str, Field(min_length=1, max_length=MAX_TEXT), AfterValidator(_printable)]
"""The text of an incident log. Never repeated in an error, a log line or a file name; stored only under seal."""


class TermEffect(NamedTuple):
    """A term, and by how many days the mean harm would be lower without it (below zero: higher)."""

    term: str
    effect: float


class ReadBy(NamedTuple):
    """The very model that read a text."""

    family: str
    version: str
    manifest_sha256: str
    learnt_from: str


@dataclass(frozen=True)
class Inferred:
    """Harm read out of one text: the likeliest of `scores` (days), the chance of each, the terms that mattered.

    `terms` is None where more texts came at once than are explained.
    """

    score: float
    scores: tuple[float, ...]
    probabilities: tuple[float, ...]
    terms: tuple[TermEffect, ...] | None
    by: ReadBy


class ReadsLogs(Protocol):
    """Whatever infers harm from logs."""

    identity: ReadBy

    def read(self, texts: Sequence[str]) -> list[Inferred | None]:
        """What each text says; None where nothing can be read out of it."""
