"""The words of an answer. Plain English, the nominal's own figures, never a cause, never a verdict.

Each sentence is made from the same numbers it stands beside; a test holds words and numbers together.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from app.artifacts import GROUPS, Manifest
from app.harm.explanation_answers import Share
from app.harm.features import ROWS

Evidence = Mapping[str, float | None]

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
# Letters of the report's companion paper on explainable and transparent methods, table 1: L limited, M moderate,
# A adequate. Trees are A / M, a support vector machine with Shapley values M / M; a stack is no clearer than its last
# stage, and the recurrent network inside it is not in that table.
COVENANT = {
    "explainable": "M",
    "transparent": "M",
    "reproducible": "exact: every coalition is computed, nothing is sampled",
}
_SLIGHT, _CLEAR = 0.005, 0.03
_COMMON = 20  # of 100: a figure that many share says little by being higher or lower than the rest


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


def sentence(name: str, effect: float, evidence: Evidence, place: Standing | None, *, known: bool = True) -> str:
    """Two sentences on one factor: the figures and where they stand among nominals; what goes with them."""
    told = "" if place is None else f", {_told(place)}"
    fact = f"{_FACTS[name](evidence)}{told}" if known else _NOT_GIVEN[name]
    return f"{fact}. This {direction(effect)} ({points(effect)})."


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


def limits(manifest: Manifest, rows: int) -> list[str]:
    """What the estimate cannot say, with this artefact's own error rates where it carries them."""
    known = [
        "It shows what goes together in past records, not what causes harm.",
        "Suspects are not convicted: an accusation that proves wrong makes this estimate wrong.",
        "Harm that was never reported or recorded is not in it, and harm points are sentence lengths, not danger.",
        "The person harmed next is often not the present victim; a low estimate does not mean that anyone is safe.",
        "Unusual records are estimated from few similar ones, and less surely.",
        "The predicted group is a flag, often not the most probable group: a missed case weighs more than a false alarm.",
        f"The model learnt from {manifest.learnt_from}.",
    ]
    if rows == 1:
        known.insert(0, "Only the index incident is known. Little history is not low risk.")
    rates = error_rates(manifest)
    return [*known, rates] if rates else known


def error_rates(manifest: Manifest) -> str | None:
    """Expected errors per 1,000 people at the population mix, from the artefact's own test; None where it has none.

    Wording after the ethics committee's communication format: out of N people, X identified, Y falsely, Z missed.
    """
    confusion = manifest.metrics.get("population_mix", {}).get("confusion")
    return told_errors(confusion) if confusion else None


class Errors(NamedTuple):
    """Of so many people: how many are put in the highest group, how many of them falsely, how many are missed."""

    flagged: float
    falsely: float
    missed: float


def errors_among(people: float, confusion: Sequence[Sequence[float]]) -> Errors:
    """What a confusion matrix (4, 4), rows true groups, comes to for that many people."""
    scale = people / sum(sum(row) for row in confusion)
    flagged = [scale * row[3] for row in confusion]
    return Errors(sum(flagged), sum(flagged[:3]), scale * sum(confusion[3][:3]))


def told_errors(confusion: Sequence[Sequence[float]], people: int = 1000) -> str:
    """One sentence in the committee's format."""
    errors = errors_among(people, confusion)
    return (
        f"Out of {people:,} people like those it learnt from, we would expect {errors.flagged:.0f} to be put in the highest "
        f"group; {errors.falsely:.0f} of them would turn out not to belong there; and {errors.missed:.0f} who do belong "
        "there would be missed."
    )


def base_rate(manifest: Manifest) -> float | None:
    """Share of all nominals who belong to the highest group, from the artefact's own test; None where it has none."""
    rates = base_rates(manifest)
    return None if rates is None else rates[-1]


def base_rates(manifest: Manifest) -> list[float] | None:
    """Share of all nominals who belong to each group, lowest first, as `base_rate`."""
    confusion = manifest.metrics.get("population_mix", {}).get("confusion")
    if not confusion:
        return None
    people = sum(sum(row) for row in confusion)
    return [float(sum(row) / people) for row in confusion]


def percent(value: float) -> str:
    """A probability in percent, one decimal."""
    return f"{100 * value:.1f} %"


def _listed(found: list[Share]) -> str:
    return " and ".join(f"{one.name} ({points(one.effect)})" for one in found)


def _told(place: Standing) -> str:
    if place.same >= _COMMON:
        return f"the same as about {place.same} in 100 nominals"
    if abs(place.lower - place.higher) <= 10:
        return "about the middle of all nominals"
    if place.lower > place.higher:
        return f"higher than about {min(place.lower, 99)} in 100 nominals"
    return f"lower than about {min(place.higher, 99)} in 100 nominals"


def number(value: float | None) -> str:
    """A figure with no more digits than a reader needs."""
    return "0" if not value else f"{value:,.0f}" if value >= 10 else f"{value:.3g}"


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
