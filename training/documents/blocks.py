"""What a page is made of: chapters of words, tables and pictures. The template only lays them out."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from markupsafe import Markup

from training.documents.words import UNSAID


@dataclass(frozen=True)
class Cell:
    """One figure of a table: what is shown, and the number it is sorted by."""

    shown: str
    order: float | None = None
    mark: str = ""

    @property
    def parts(self) -> tuple[str, str]:
        """What is shown, and its interval, which a narrow column puts on a line of its own."""
        value, bracket, ends = self.shown.partition(" (")
        return (value, f"({ends}") if bracket and self.order is not None else (self.shown, "")


Line = list["str | Cell"]
"""One row of a table, its name first."""


@dataclass(frozen=True)
class Table:
    """A table with a caption; `rows` of texts and cells, first column the row's name; `sortable` by its heads."""

    caption: str
    heads: Sequence[str]
    rows: Sequence[Line]
    sortable: bool = False
    note: str = ""

    @cached_property
    def lines(self) -> list[list[Cell]]:
        """Rows with every text as a cell."""
        return [[cell if isinstance(cell, Cell) else Cell(cell) for cell in row] for row in self.rows]

    @cached_property  # the template asks once a cell
    def numeric(self) -> list[bool]:
        """Which columns are sorted as numbers."""
        return [any(cell.order is not None for cell in column) for column in zip(*self.lines, strict=True)]


@dataclass(frozen=True)
class Picture:
    """A drawing, already made safe for the page, with the words under it."""

    svg: Markup
    caption: str


@dataclass(frozen=True)
class Words:
    """A paragraph, or a list where there are several."""

    lines: Sequence[str]
    strong: bool = False


Block = Table | Picture | Words


@dataclass(frozen=True)
class Chapter:
    """One part of the page; without blocks it says why there are none (`absent`)."""

    anchor: str
    title: str
    asks: str
    blocks: Sequence[Block] = field(default_factory=tuple)
    absent: str = UNSAID

    @property
    def kinds(self) -> list[tuple[str, Any]]:
        """Blocks with the name of the macro that lays each out."""
        return [(type(block).__name__.lower(), block) for block in self.blocks]
