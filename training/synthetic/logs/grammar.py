"""A small language of phrases: text, `(one|another)` choices that may be nested, and `{places}` filled from outside.

expand(parse("{m} was (shouting|swearing) at {f}"), dice, {"m": ..., "f": ...}) -> "susp was swearing at IP"
"""

import tomllib
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from app.errors import SetupError

_BLOCK = 1 << 16
Filling = Mapping[str, Callable[["Dice"], str]]


class Place(NamedTuple):
    """Something to be filled in, by name."""

    name: str


class Choice(NamedTuple):
    """One of several phrases."""

    of: tuple["Phrase", ...]


Phrase = tuple[str | Place | Choice, ...]


class Dice:
    """Chance, drawn in blocks from one stream: the same stream, the same throws."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._throws: Iterator[float] = iter(())

    def chance(self) -> float:
        """A number in [0, 1)."""
        for throw in self._throws:
            return throw
        self._throws = iter(self._rng.random(_BLOCK).tolist())
        return next(self._throws)

    def below(self, count: int) -> int:
        """A whole number in [0, count)."""
        return int(self.chance() * count)


def read_tables(name: str) -> dict[str, Any]:
    """One of the TOML tables beside this file."""
    return tomllib.loads(Path(__file__).with_name(name).read_text(encoding="utf-8"))


@cache
def parse(text: str) -> Phrase:
    """Read a phrase. Raises SetupError where brackets do not match."""
    phrase, rest = _parse(text, 0)
    if rest != len(text):
        raise SetupError("A phrase of the log grammar closes a bracket it never opened.")
    return phrase


def _parse(text: str, at: int) -> tuple[Phrase, int]:
    parts: list[str | Place | Choice] = []
    while at < len(text) and text[at] not in "|)":
        if text[at] == "{":
            end = text.index("}", at)
            parts.append(Place(text[at + 1 : end]))
            at = end + 1
        elif text[at] == "(":
            choice, at = _parse_choice(text, at + 1)
            parts.append(choice)
        else:
            end = min((found for mark in "{(|)" if (found := text.find(mark, at)) >= 0), default=len(text))
            parts.append(text[at:end])
            at = end
    return tuple(parts), at


def _parse_choice(text: str, at: int) -> tuple[Choice, int]:
    found = []
    while True:
        phrase, at = _parse(text, at)
        found.append(phrase)
        if at >= len(text):
            raise SetupError("A phrase of the log grammar opens a bracket it never closes.")
        at += 1
        if text[at - 1] == ")":
            return Choice(tuple(found)), at


def expand(phrase: Phrase, dice: Dice, filling: Filling) -> str:
    """One way of saying it."""
    said = []
    for part in phrase:
        if isinstance(part, str):
            said.append(part)
        elif isinstance(part, Place):
            said.append(filling[part.name](dice))
        else:
            said.append(expand(part.of[dice.below(len(part.of))], dice, filling))
    return "".join(said)


def every_way(phrase: Phrase) -> Iterator[str]:
    """Every way of saying it, places left as `{name}`."""
    options = [
        [part] if isinstance(part, str)
        else [f"{{{part.name}}}"] if isinstance(part, Place)
        else [way for one in part.of for way in every_way(one)]
        for part in phrase
    ]  # fmt: skip
    return ("".join(ways) for ways in product(*options))
