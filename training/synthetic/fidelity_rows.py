"""One row of the fidelity table: a figure of the report, how far off it may be, and what was found."""

import math
from dataclasses import dataclass

EXACT, SHOWN = 0.0, math.nan
"""Tolerances: to the last one, and not held to anything."""


@dataclass(frozen=True)
class Row:
    """One figure: what the report (or, marked ours, the design) gives, the tolerance either way, and what was found.

    `published` and `tolerance` in the figure's own `unit` (count, share, days, times, years); `published` NaN where the
    report prints none, `tolerance` NaN where the figure is only shown, `measured` NaN where there was nobody to
    measure it on.
    """

    figure: str
    section: str
    published: float
    tolerance: float
    measured: float
    unit: str = "share"

    @property
    def name(self) -> str:
        """Figure and where it stands, unique in the table."""
        return f"{self.figure} ({self.section})"

    @property
    def passes(self) -> bool:
        """Within the tolerance; figures that are only shown always pass, those nobody could be measured on never."""
        return math.isnan(self.tolerance) or abs(self.measured - self.published) <= self.tolerance


def counted(figure: str, section: str, published: float, within: float, measured: float) -> Row:
    """A count that may be off by a share of itself."""
    return Row(figure, section, published, published * within, measured, "count")
