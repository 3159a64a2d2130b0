"""The survival curve as an answer: weekly or daily, with its marks and its median."""

import numpy as np
from numpy.typing import NDArray

from app.harm.answers import SurvivalAnswer
from app.harm.model import DAYS

WEEKLY = [*range(0, DAYS, 7), DAYS - 1]
MARKS = (30, 90, 180, 365)
Curve = NDArray[np.float64]


def survival_answer(curve: Curve, *, daily: bool = False) -> SurvivalAnswer:
    """Summarise a curve (366,), weekly or daily."""
    days = list(range(DAYS)) if daily else WEEKLY
    below = np.flatnonzero(curve <= 0.5)
    return SurvivalAnswer(
        days=days,
        probability=curve[days].tolist(),
        median_days=int(below[0]) if len(below) else None,
        at={str(day): float(curve[day]) for day in MARKS},
    )
