"""The survival curve as an answer: from day zero, and from the day one scores for given that nothing happened between."""

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.harm.answers import CurveFromAsOf, SurvivalAnswer, Withheld
from app.harm.history import AFTER_DAY_ZERO
from app.harm.model import DAYS
from app.harm.wording import percent

MARKS = (30, 90, 180, 365)
LEAST = 1e-3
"""Below this chance of having come so far without a further incident, nothing is said of those who have: hardly anyone
like them was learnt from, and what is rounded off the curve (some 1e-7) would show in the quotient's fourth decimal."""
ASSUMES = (
    "It assumes that nothing was recorded after day zero, up to and including the day one scores for; an incident that was "
    "not sent, or is not recorded yet, makes it too hopeful."
)
Curve = NDArray[np.float64]


class Since(NamedTuple):
    """What is known of the time from day zero to the day one scores for: how long it is, whether an incident was sent."""

    days: int
    incident: bool = False


JUST_NOW = Since(0)


def since_day_zero(as_of: date, day_zero: date, ignored: Iterable[str]) -> Since:
    """What an answer knows of that time; `ignored` are the reasons for which incidents were left out."""
    return Since((as_of - day_zero).days, AFTER_DAY_ZERO in ignored)


def survival_answer(curve: Curve, since: Since = JUST_NOW, *, daily: bool = False) -> SurvivalAnswer:
    """Summarise a curve (366,), weekly or daily; where days have passed `since` day zero, also the rest of it."""
    days = _shown(DAYS - 1, daily=daily)
    return SurvivalAnswer(
        days=days,
        probability=curve[days].tolist(),
        median_days=_median(curve),
        at={str(day): float(curve[day]) for day in MARKS},
        from_as_of=_from_as_of(curve, since, daily=daily) if since.days else None,
    )


def rest_of(curve: Curve, passed: int) -> Curve:
    """Chance of no further incident by each day 0..365-`passed` from then on, given none so far: S(t + d) / S(t).

    `curve` (366,) never rising, above zero on day `passed`. Returns (366 - passed,), 1.0 first and never rising.
    """
    rest: Curve = curve[passed:] / curve[passed]
    return rest


def withheld(curve: Curve, since: Since) -> Withheld | None:
    """Why nothing can be said of the rest of the curve, if so."""
    if since.incident:
        return "incident-after-day-zero"
    if since.days >= DAYS - 1:
        return "year-is-over"
    return "hardly-anyone-left" if curve[since.days] < LEAST else None


def _from_as_of(curve: Curve, since: Since, *, daily: bool) -> CurveFromAsOf:
    why = withheld(curve, since)
    if why is not None:
        return CurveFromAsOf(
            days_passed=since.days,
            days=[],
            probability=[],
            median_days=None,
            at={},
            withheld=why,
            statement=_WITHHELD[why].format(passed=_days(since.days)),
        )
    rest = rest_of(curve, since.days)
    last = len(rest) - 1
    days = _shown(last, daily=daily)
    return CurveFromAsOf(
        days_passed=since.days,
        days=days,
        probability=rest[days].tolist(),
        median_days=_median(rest),
        at={str(day): float(rest[day]) for day in sorted({*MARKS, last}) if day <= last},
        withheld=None,
        statement=_told(since.days, last, float(rest[-1])),
    )


def _told(passed: int, left: int, chance: float) -> str:
    """The rest of the curve in words."""
    verb = "has" if passed == 1 else "have"
    return (
        f"{_days(passed)} {verb} passed since day zero. Given no further incident in that time, the chance of none in the "
        f"{_days(left)} that are left of the year is {percent(chance)}. {ASSUMES}"
    )


_WITHHELD: dict[Withheld, str] = {
    "incident-after-day-zero": (
        "Withheld: an incident after day zero was sent, so it does not hold that nothing has happened since. The curve speaks "
        "of the time up to the first further incident, and that has come."
    ),
    "year-is-over": "Withheld: {passed} have passed since day zero, and the curve ends there.",
    "hardly-anyone-left": (
        "Withheld: by the curve fewer than 1 in 1,000 would be without a further incident after {passed}, too few to tell "
        "what becomes of them."
    ),
}


def _shown(last: int, *, daily: bool) -> list[int]:
    """The days shown of 0..`last`: all, or every seventh and the last."""
    return list(range(last + 1)) if daily else sorted({*range(0, last + 1, 7), last})


def _median(curve: Curve) -> int | None:
    (found,) = half_days(curve[None]).tolist()
    return None if found < 0 else found


def half_days(curves: NDArray[np.float64]) -> NDArray[np.int64]:
    """First day on which each of N curves (N, days) is one half or less, (N,); -1 where that is never."""
    below = curves <= 0.5
    return np.where(below.any(axis=1), below.argmax(axis=1), -1)


def _days(count: int) -> str:
    return f"{count} day{'' if count == 1 else 's'}"
