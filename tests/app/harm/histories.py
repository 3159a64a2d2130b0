"""Random histories for property tests: short and long, same-day, harmless, eliminated, after day zero."""

import random
from datetime import date, timedelta

from hypothesis import strategies as st

from tests.app.harm.feature_oracle import PlainIncident, PlainNominal

FIRST = date(1996, 1, 1)
CLASSES = ("harassment", "violent", "sexual", "stalking", "domestic")
HARMS = (0.0, 0.0, 1.0, 10.0, 182.25, 365.0, 5475.0)
ROLES = ("offender", "suspect", "suspect", "suspect_eliminated")
GENDERS = ("male", "female", "other", "unknown")


def random_nominal(seed: int, longest: int) -> PlainNominal:
    """A nominal drawn with one seed; up to `longest` incidents, many of them on shared days."""
    draw = random.Random(seed)
    span = draw.choice([0, 12, 400, 9000])
    size = draw.randint(1, draw.choice([1, 3, longest]))
    names = draw.sample([f"{draw.choice('aZ09')}{tail}{number:x}" for number in range(size) for tail in "._:/-"], size)
    incidents = [
        PlainIncident(
            incident_id=name,
            on=FIRST + timedelta(days=draw.randint(0, span)),
            harm=draw.choice(HARMS),
            classes=set(draw.sample(CLASSES, draw.randint(0, 3))),
            role=draw.choice(ROLES),
        )
        for name in names
    ]
    if draw.random() < 0.8:
        incidents[0].classes.add("stalking")
    return PlainNominal(
        born=draw.choice([None, date(1930, 1, 1) + timedelta(days=draw.randint(0, 24_000))]),
        gender=draw.choice(GENDERS),
        contacts=draw.randint(0, 40),
        custody=[FIRST + timedelta(days=draw.randint(0, span)) for _ in range(draw.randint(0, 6))],
        incidents=incidents,
    )


def nominals(longest: int = 30) -> st.SearchStrategy[PlainNominal]:
    """Random nominals for hypothesis."""
    return st.integers(0, 2**32).map(lambda seed: random_nominal(seed, longest))
