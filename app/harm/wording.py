"""The words of an answer. Plain English, the nominal's own figures, never a cause, never a verdict.

Each sentence is made from the same numbers it stands beside; a test holds words and numbers together.
"""

from collections.abc import Sequence
from datetime import date

from app.harm.explanation_answers import Share

_SLIGHT, _CLEAR = 0.5, 3.0  # percentage points


def points(effect: float) -> str:
    """An effect as signed percentage points, one decimal."""
    shown = round(100 * effect, 1)
    return f"{shown:+.1f} points" if shown else "0.0 points"


def moves(effect: float, called: str = "estimate") -> str:
    """The sentence on an effect: direction and size in the words used everywhere, held to the points beside them.

    `called` is what gets higher or lower. Words follow the points as shown, so that equal points have equal words.
    """
    shown = abs(round(100 * effect, 1))
    if shown < _SLIGHT:
        told = f"makes {'little' if shown else 'no'} difference to the {called}"
    else:
        size = "clearly" if shown >= _CLEAR else "slightly"
        told = f"is associated with a {size} {'higher' if effect > 0 else 'lower'} {called}"
    return f"This {told} ({points(effect)})"


def summary(
    value: float,
    reference: float,
    contributions: Sequence[Share],
    *,
    chance: str,
    people: str,
    called: str,
    against: str,
    otherwise: str,
    usual: float | None,
) -> str:
    """Two or three sentences: the estimate, the comparison, what moves it most each way.

    `chance` names what is estimated and `called` what gets higher or lower; `against` names what the reference is;
    `otherwise` is said where nothing moves the estimate by half a point; `usual` is the share among all `people` alike.
    """
    among_all = "" if usual is None else f" and {percent(usual)} among all {people}"
    lines = [
        f"The estimated chance of {chance} is {percent(value)}, against {percent(reference)} for {against}{among_all}."
    ]
    told = [found for found in contributions if abs(round(100 * found.effect, 1)) >= _SLIGHT]
    raising = [found for found in told if found.effect > 0][:2]
    lowering = [found for found in told if found.effect < 0][:2]
    if raising:
        lines.append(f"What goes most with a higher {called}: {_listed(raising)}.")
    if lowering:
        lines.append(f"What goes most with a lower {called}: {_listed(lowering)}.")
    if not raising and not lowering:
        lines.append(otherwise)
    return " ".join(lines)


def percent(value: float) -> str:
    """A probability in percent, one decimal."""
    return f"{100 * value:.1f} %"


def _listed(found: list[Share]) -> str:
    return " and ".join(f"{one.name} ({points(one.effect)})" for one in found)


def spoken_day(day: date) -> str:
    """A date as it is read."""
    return f"{day.day} {day:%B %Y}"


def number(value: float | None) -> str:
    """A figure with no more digits than a reader needs."""
    return "0" if not value else f"{value:,.0f}" if value >= 10 else f"{value:.3g}"
