"""What is odd about a record and still usable: each has a code and a sentence, and makes the score less certain."""

from datetime import date, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

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


class Facts(NamedTuple):
    """What oddities hang on: of one history plain values, of N histories columns (N,).

    `used` incidents, on how many different `days`, one of them a 1 January (`placeholder`); whether contacts and date of
    birth are unknown; whether the harm of a used incident was read out of its log, is a median or was assumed; whether
    incidents after day zero were left out; `age` of day zero in days.
    """

    used: Any
    days: Any
    placeholder: Any
    contacts_unknown: Any
    birth_unknown: Any
    inferred: Any
    approximate: Any
    assumed: Any
    left_out: Any
    age: Any


def oddities(facts: Facts) -> dict[str, Any]:
    """Whether each oddity holds, by its code: plain values or columns, as the facts are.

    All but `out-of-distribution`, which only a model can tell.
    """
    return {
        SHORT_HISTORY: facts.used == 1,
        "date-may-be-unknown": facts.placeholder,
        "same-day-incidents": facts.days < facts.used,
        "victim-contacts-unknown": facts.contacts_unknown,
        "birth-date-unknown": facts.birth_unknown,
        CODE: facts.inferred,
        "harm-approximate": facts.approximate,
        ASSUMED: facts.assumed,
        "incidents-after-day-zero": facts.left_out,
        "stale-day-zero": facts.age > STALE_DAYS,
    }


@lru_cache(1 << 16)
def is_placeholder(day: int) -> bool:
    """1 January, by day since 1970-01-01: bulk meets the same days again and again."""
    told = date(1970, 1, 1) + timedelta(days=day)
    return (told.month, told.day) == (1, 1)
