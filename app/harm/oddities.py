"""What is odd about a record and still usable: each has a code and a sentence, and makes the score less certain."""

from datetime import date, timedelta
from functools import lru_cache

from app.harm.inferred import CODE, MESSAGE
from app.harm.sufficiency import SHORT_HISTORY

STALE_DAYS = 30
ASSUMED = "harm-assumed"

WARNINGS = {
    SHORT_HISTORY: "Insufficient history: the index incident is all that is known. That is not a sign of low risk.",
    "date-may-be-unknown": "An incident is dated 1 January, which often stands for an unknown date.",
    "same-day-incidents": "Several incidents share a date; their order within the day is by incident id.",
    "victim-contacts-unknown": "The index victim's contacts with the force are unknown and were counted as none.",
    "birth-date-unknown": "The date of birth is unknown; a typical age was assumed.",
    CODE: MESSAGE,
    "harm-approximate": "The harm of an offence rests on the median of its offence group, not on its own figure.",
    ASSUMED: "The harm of a domestic non-crime was assumed: it has neither a score nor a log that was read.",
    "incidents-after-day-zero": "Incidents after the most recent {begins} incident were left out, as in training.",
    "stale-day-zero": "The most recent {begins} incident is over 30 days old; the curve counts from that incident.",
    "out-of-distribution": "A figure of this record lies outside everything the model learnt from; estimates are unsure.",
}


@lru_cache(1 << 16)
def is_placeholder(day: int) -> bool:
    """1 January, by day since 1970-01-01: bulk meets the same days again and again."""
    told = date(1970, 1, 1) + timedelta(days=day)
    return (told.month, told.day) == (1, 1)
