"""The words of an answer. Plain English, the nominal's own figures, never a cause, never a verdict.

Each sentence is made from the same numbers it stands beside; a test holds words and numbers together.
"""

from collections.abc import Sequence

from app.artifacts import GROUPS
from app.harm.explanation_answers import Share

REFERENCE = (
    "A record with as many incidents as this one, each at the middle value of all nominals for its place in the "
    "record, and the nominal's own gender."
)
ADVISORY = (
    "Advice to a person, not a decision: read it beside everything else that is known, and record your own judgement "
    "and reason."
)
ADVISORY_SHORT = (
    "Insufficient history: only the index incident is known, so this estimate cannot reassure. Advice to a person, "
    "not a decision: rely on what is known beyond this record."
)
_SLIGHT, _CLEAR = 0.005, 0.03


def points(effect: float) -> str:
    """An effect as signed percentage points, one decimal."""
    shown = round(100 * effect, 1)
    return f"{shown:+.1f} points" if shown else "0.0 points"


def direction(effect: float) -> str:
    """How an effect is told: direction and size in the words used everywhere."""
    if abs(effect) < _SLIGHT:
        return "makes little difference to the estimate"
    size = "clearly" if abs(effect) >= _CLEAR else "slightly"
    return f"is associated with a {size} {'higher' if effect > 0 else 'lower'} estimate"


def summary(
    value: float,
    reference: float,
    contributions: Sequence[Share],
    *,
    against: str,
    otherwise: str,
    usual: float | None = None,
) -> str:
    """Two or three sentences: the estimate, the comparison, what moves it most each way.

    `against` names what the reference is; `otherwise` is said where nothing moves the estimate by half a point; `usual`
    is the share of all nominals who belong to the group.
    """
    among_all = "" if usual is None else f" and {percent(usual)} among all nominals"
    lines = [
        f"The estimated chance of being in the group of highest future harm ({GROUPS[3]}) within 12 months of day zero "
        f"is {percent(value)}, against {percent(reference)} for {against}{among_all}."
    ]
    raising = [found for found in contributions if found.effect >= _SLIGHT][:2]
    lowering = [found for found in contributions if found.effect <= -_SLIGHT][:2]
    if raising:
        lines.append(f"What goes most with a higher estimate: {_listed(raising)}.")
    if lowering:
        lines.append(f"What goes most with a lower estimate: {_listed(lowering)}.")
    if not raising and not lowering:
        lines.append(otherwise)
    return " ".join(lines)


def percent(value: float) -> str:
    """A probability in percent, one decimal."""
    return f"{100 * value:.1f} %"


def _listed(found: list[Share]) -> str:
    return " and ".join(f"{one.name} ({points(one.effect)})" for one in found)


def number(value: float | None) -> str:
    """A figure with no more digits than a reader needs."""
    return "0" if not value else f"{value:,.0f}" if value >= 10 else f"{value:.3g}"
