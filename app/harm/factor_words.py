"""The sentence on one factor: a person's own figures, and where they stand among people alike."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from app.harm.features import ROWS
from app.harm.perspective_words import Words
from app.harm.wording import number, percent

Evidence = Mapping[str, float | None]

_COMMON = 20  # of 100: a figure that many share says little by being higher or lower than the rest


class Standing(NamedTuple):
    """Of 100 people alike, how many have a lower, the same and a higher figure."""

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


def fact(name: str, evidence: Evidence, place: Standing | None, words: Words, *, known: bool = True) -> str:
    """What the record says of one factor, and where that stands among people alike; without the full stop."""
    told = "" if place is None else f", {_told(place, words.people, *_THAN.get(name, _THAN_OTHERWISE))}"
    said = f"{_FACTS[name](evidence)}{told}" if known else _NOT_GIVEN[name]
    said = said.format(contacts=words.contacts)
    return f"{said[0].upper()}{said[1:]}"


def _told(place: Standing, people: str, more: str, less: str) -> str:
    if place.same >= _COMMON:
        return f"the same as about {place.same} in 100 {people}"
    if abs(place.lower - place.higher) <= 10:
        return f"about the middle of all {people}"
    if place.lower > place.higher:
        return f"{more} than about {min(place.lower, 99)} in 100 {people}"
    return f"{less} than about {min(place.higher, 99)} in 100 {people}"


def _incidents(evidence: Evidence) -> str:
    """The incidents a count is out of: beyond twenty only the most recent stand on their own."""
    total = evidence["incidents"] or 0
    return f"the {ROWS} most recent incidents" if total == ROWS else f"the {number(total)} incidents"


def _only(evidence: Evidence) -> bool:
    return evidence["incidents"] == 1


def _counted(count: float | None) -> str:
    return number(count) if count else "none"


def _share(evidence: Evidence, name: str, what: str) -> str:
    """How many of the incidents are of one kind."""
    count = evidence[name] or 0
    if _only(evidence):
        return f"The index incident is {'' if count else 'not '}{what}"
    told = "All of" if count == evidence["incidents"] else f"{number(count)} of" if count else "None of"
    return f"{told} {_incidents(evidence)} {'are' if count > 1 else 'is'} {what}"


def _offence_types(evidence: Evidence) -> str:
    if _only(evidence):
        kinds = [kind for kind in ("violent", "sexual", "harassment") if evidence[kind]]
        return f"The index incident counts as {' and '.join(kinds) or 'neither violent nor sexual nor harassment'}"
    others = f"{_counted(evidence['sexual'])} sexual and {_counted(evidence['harassment'])} harassment"
    return f"{_share(evidence, 'violent', 'violent')}, {others}"


def _timing(evidence: Evidence) -> str:
    gap = evidence["days_since_previous"]
    if gap is None:
        return "There is no earlier incident on record, so no gap before this one"
    span = f"T{_incidents(evidence)[1:]} span {_days(evidence['days_covered'])}"
    return f"{span}; the gap before the index incident is {_days(gap)}"


def _severity(evidence: Evidence) -> str:
    total = _days(evidence["cumulative_harm"])
    if _only(evidence):
        return f"The harm score of the only incident on record is {total}"
    highest = f"The highest harm score of {_incidents(evidence)} is {_days(evidence['highest_harm'])}"
    return f"{highest}; the whole record comes to {total}"


def _pattern(evidence: Evidence) -> str:
    if _only(evidence):
        return "The index incident is the only one on record and holds all of its harm"
    return f"The index incident holds {percent(evidence['index_harm_rate'] or 0)} of all harm on record"


def _role(evidence: Evidence) -> str:
    if _only(evidence):
        return f"Recorded as {'offender' if evidence['offender'] else 'suspect'} in the index incident"
    offender, suspect = _counted(evidence["offender"]), _counted(evidence["suspect"])
    return f"Recorded as offender in {offender} and as suspect in {suspect} of {_incidents(evidence)}"


def _contacts(evidence: Evidence) -> str:
    count = evidence["victim_contacts"] or 0
    often = {0: "not contacted the force", 1: "contacted the force once"}
    told = often.get(int(count), f"contacted the force {number(count)} times")
    return f"{{contacts}} had {told} before day zero"


def _custody(evidence: Evidence) -> str:
    count = evidence["custody_appearances"] or 0
    return f"{number(count) if count else 'No'} custody appearance{'' if count == 1 else 's'} up to day zero"


def _days(count: float | None) -> str:
    return f"{number(count)} day{'' if count == 1 else 's'}"


# Each sentence ends with the figure whose place among all nominals follows it.
_FACTS: dict[str, Callable[[Evidence], str]] = {
    "age": lambda e: f"Aged {e['age_at_index'] or 0:.1f} years at the index incident",
    "harm severity": _severity,
    "harm pattern": _pattern,
    "timing": _timing,
    "offence types": _offence_types,
    "stalking pattern": lambda e: _share(e, "stalking", "counted as stalking"),
    "domestic context": lambda e: _share(e, "domestic", "domestic"),
    "role": _role,
    "custody": _custody,
    "victim contacts": _contacts,
}
_THAN_OTHERWISE = ("higher", "lower")
_THAN = {
    "age": ("older", "younger"),
    "timing": ("longer", "shorter"),
    "custody": ("more", "fewer"),
    "victim contacts": ("more", "fewer"),
}
_NOT_GIVEN = {
    "age": "The date of birth was not given and a typical age was assumed",
    "victim contacts": "The contacts of {contacts} with the force were not given and were counted as none",
}
