"""One line of the table that the torture run prints."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """A promise, where it was tried, how often, what came out, and what had to (empty: only measured)."""

    promise: str
    where: str
    tries: int
    result: str
    target: str
    held: bool = True


@dataclass(frozen=True, slots=True)
class Scale:
    """How much: `share` of the full run's tries, 1 for all of them."""

    share: float

    def of(self, full: int, least: int = 1) -> int:
        return max(least, round(full * self.share))


Trial = Callable[[Scale], "list[Row]"]
"""One part of the run."""
