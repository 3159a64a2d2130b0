"""The sentence on one factor: the nominal's own figures, and where they stand among nominals."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from app.harm.features import ROWS
from app.harm.wording import number, percent

Evidence = Mapping[str, float | None]

_COMMON = 20  # of 100: a figure that many share says little by being higher or lower than the rest


class Standing(NamedTuple):
    """Of 100 nominals, how many have a lower, the same and a higher figure."""

    lower: int
    same: int
    higher: int

    @property
    def percentile(self) -> float:
        """The middle of the span the figure stands at."""
        return self.lower + self.same / 2


def standing(percentiles: Sequence[float], value: float) -> Standing:
    """Where a value stands on the 0th to 100th percentile of the population."""
    lower = min(bisect_left(percentiles, value), 100)
    last = max(bisect_right(percentiles, value) - 1, lower)
    return Standing(lower, last - lower, 100 - last)


def fact(name: str, evidence: Evidence, place: Standing | None, *, known: bool = True) -> str:
    """What the record says of one factor, and where that stands among nominals; without the full stop."""
    told = "" if place is None else f", {_told(place)}"
    return f"{_FACTS[name](evidence)}{told}" if known else _NOT_GIVEN[name]


def _told(place: Standing) -> str:
    if place.same >= _COMMON:
        return f"the same as about {place.same} in 100 nominals"
    if abs(place.lower - place.higher) <= 10:
        return "about the middle of all nominals"
    if place.lower > place.higher:
        return f"higher than about {min(place.lower, 99)} in 100 nominals"
    return f"lower than about {min(place.higher, 99)} in 100 nominals"


def _of(count: float | None, evidence: Evidence, what: str) -> str:
    total = evidence["incidents"] or 0
    return f"{number(count)} of {_incidents(total)} {what}"


def _incidents(total: float) -> str:
    """How many incidents a count is out of: beyond twenty only the most recent stand on their own."""
    if total == ROWS:
        return f"the {ROWS} most recent incidents"
    return f"{number(total)} incident{'' if total == 1 else 's'}"


def _timing(evidence: Evidence) -> str:
    gap = evidence["days_since_previous"]
    if gap is None:
        return "There is no earlier incident on record"
    covered = number(evidence["days_covered"])
    span = f"The {_incidents(evidence['incidents'] or 0).removeprefix('the ')} span {covered} days"
    return f"{span}; the gap before the index incident is {number(gap)} days"


# Each sentence ends with the figure whose place among all nominals follows it.
_FACTS: dict[str, Callable[[Evidence], str]] = {
    "age": lambda e: f"Aged {number(e['age_at_index'])} at the index incident",
    "harm severity": lambda e: (
        f"The most harmful of {_incidents(e['incidents'] or 0)} scores {number(e['highest_harm'])} days; harm on the whole "
        f"record adds up to {number(e['cumulative_harm'])} days"
    ),
    "harm pattern": lambda e: (
        "It is the only incident on record, so there is no pattern"
        if e["incidents"] == 1
        else f"The index incident holds {percent(e['index_harm_rate'] or 0)} of all harm on record"
    ),
    "timing": _timing,
    "offence types": lambda e: (
        f"{_of(e['violent'], e, 'violent')}, {number(e['sexual'])} sexual and {number(e['harassment'])} harassment"
    ),
    "stalking pattern": lambda e: _of(e["stalking"], e, "counted as stalking"),
    "domestic context": lambda e: _of(e["domestic"], e, "domestic"),
    "role": lambda e: (
        f"Offender in {number(e['offender'])} and suspect in {number(e['suspect'])} of {_incidents(e['incidents'] or 0)}"
    ),
    "custody": lambda e: f"Custody appearances up to day zero: {number(e['custody_appearances'])}",
    "victim contacts": lambda e: (
        f"The index victim had contacted the force {number(e['victim_contacts'])} times before day zero"
    ),
}
_NOT_GIVEN = {
    "age": "The date of birth was not given and a typical age was assumed",
    "victim contacts": "The index victim's contacts with the force were not given and were counted as none",
}
