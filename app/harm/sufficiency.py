"""Whether a history is enough to estimate from: a status of its own, so that no low figure is ever shown alone.

Insufficient is what the published model's five missed rape offenders had in common (section 4.2): the index incident and
nothing before it. `docs/decisions/0023-statements-beside-a-score.md` has what was measured.
"""

from collections.abc import Iterable
from typing import Literal

HistoryStatus = Literal["sufficient", "insufficient"]

SHORT_HISTORY = "short-history"
"""Code of the warning that only the index incident is known; it and the status say the same."""

STATEMENTS: dict[HistoryStatus, str] = {
    "sufficient": "Earlier incidents are known; that does not mean that everything is known.",
    "insufficient": (
        "Insufficient history: only the index incident is known, which is too little to estimate from. A low figure here is "
        "not a sign of low risk."
    ),
}


def status_of(warnings: Iterable[str]) -> HistoryStatus:
    """The status that goes with these warning codes."""
    return "insufficient" if SHORT_HISTORY in warnings else "sufficient"
