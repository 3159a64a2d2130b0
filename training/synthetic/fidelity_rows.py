"""One row of the fidelity table: a figure of the report, how far off it may be, and what was found."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

Unit = Literal["count", "share", "days", "times", "years", "index"]
Side = Literal["either way", "at least", "at most"]
OURS = "ours"
"""In the place of a section, or behind it: what the report does not print, but implies or the design asks for."""
EXACT, SHOWN = 0.0, math.nan
"""Tolerances: to the last one, and not held to anything."""


@dataclass(frozen=True)
class Row:
    """One figure: what the report (or, marked ours, the design) gives, the tolerance, and what was found.

    `published` and `tolerance` in the figure's own `unit` (count, share, days, times, years, index); `published` NaN
    where the report prints none, `tolerance` NaN where the figure is only shown, `measured` NaN where there was nobody
    to measure it on. `side`: whether the tolerance holds either way, or the figure must only be `at least` or `at most`.
    """

    figure: str
    section: str
    published: float
    tolerance: float
    measured: float
    unit: Unit = "share"
    side: Side = "either way"

    @property
    def name(self) -> str:
        """Figure and where it stands, unique in the table."""
        return f"{self.figure} ({self.section})"

    @property
    def passes(self) -> bool:
        """Within the tolerance; figures that are only shown always pass, those nobody could be measured on never."""
        difference = self.measured - self.published
        off = {"either way": abs(difference), "at least": -difference, "at most": difference}[self.side]
        return math.isnan(self.tolerance) or off <= self.tolerance


def counted(figure: str, section: str, published: float, within: float, measured: float) -> Row:
    """A count that may be off by a share of itself."""
    return Row(figure, section, published, published * within, measured, "count")


def as_json(row: Row) -> dict[str, Any]:
    """The row as plain values; null for what is NaN."""
    told = asdict(row)
    return {name: None if value != value else value for name, value in told.items()}  # noqa: PLR0124


def as_row(told: Mapping[str, Any]) -> Row:
    """The row of its plain values."""
    values: dict[str, Any] = {name: math.nan if value is None else value for name, value in told.items()}
    return Row(**values)


def figure_text(value: float | None, unit: Unit) -> str:
    """A figure as people write it: `28,279`, `53.7 %`, `129.0`; a dash where there is none."""
    if value is None or math.isnan(value):
        return "–"
    if unit == "share":
        return f"{100 * value:.1f} %"
    if unit in ("count", "days") and abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3f}" if unit == "index" else f"{value:,.1f}"
