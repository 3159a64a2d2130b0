"""The 19 features in slow plain Python, written from the domain definitions alone.

Shares nothing with `app.harm.features`: no arrays, no tables, one loop inside another, floats from `math`.
"""

from dataclasses import dataclass
from datetime import date


@dataclass
class PlainIncident:
    incident_id: str
    on: date
    harm: float
    classes: set[str]  # harassment violent sexual stalking domestic
    role: str  # offender, suspect, suspect_eliminated


@dataclass
class PlainNominal:
    born: date | None
    gender: str
    contacts: int
    custody: list[date]
    incidents: list[PlainIncident]


def known_history(nominal: PlainNominal, as_of: date) -> list[PlainIncident]:
    """Incidents up to day zero, oldest first, the index incident last; empty without a stalking incident."""
    seen = [one for one in nominal.incidents if one.role != "suspect_eliminated"]
    stalking = [one for one in seen if "stalking" in one.classes and one.on <= as_of]
    if not stalking:
        return []
    index = max(stalking, key=lambda one: (one.on, one.incident_id.encode()))
    before = [one for one in seen if one.on <= index.on and one is not index]
    return [*sorted(before, key=lambda one: (one.on, one.incident_id.encode())), index]


def decay(days: int) -> float:
    return 0.99 ** max(0, days - 30)


def oracle_features(nominal: PlainNominal, as_of: date, unknown_age: float) -> list[list[float]]:
    """Twenty rows of nineteen numbers, float64, oldest first, padding in front."""
    history = known_history(nominal, as_of)
    if not history:
        return [[0.0] * 19 for _ in range(20)]
    day_zero = history[-1].on
    total = sum(one.harm for one in history)
    rows = []
    for i, one in enumerate(history):
        gap = (one.on - history[i - 1].on).days if i else 0
        to_zero = (day_zero - one.on).days
        rate = one.harm / total if total else 0.0
        momentum = rate / max(gap, 1) if i else 0.0
        born_known = nominal.born is not None
        age = (one.on - nominal.born).days / 365.25 if born_known else unknown_age - to_zero / 365.25
        faded = sum(earlier.harm * decay((one.on - earlier.on).days) for earlier in history[: i + 1])
        rows.append(
            [
                age,
                one.harm,
                to_zero,
                sum(earlier.harm for earlier in history[: i + 1]),
                gap,
                rate,
                momentum,
                faded,
                momentum * decay(to_zero),
                sum(appearance <= one.on for appearance in nominal.custody),
                *[float(name in one.classes) for name in ("harassment", "violent", "sexual", "stalking", "domestic")],
                float(one.role == "offender"),
                float(one.role == "suspect"),
                nominal.contacts,
                {"male": 1, "female": 2}.get(nominal.gender, 0),
            ]
        )
    last = rows[-20:]
    return [[0.0] * 19 for _ in range(20 - len(last))] + last
