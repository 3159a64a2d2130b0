"""The view of an estimate by incidents: shares, what the estimate would be without each, and the words for both."""

from collections import Counter
from collections.abc import Sequence

from app.harm.explanation import TOP, TOP_TWO
from app.harm.explanation_answers import Compared, IncidentEvidence, IncidentExplanation, IncidentShare, Reference
from app.harm.features import ROWS, Features
from app.harm.harm_index import HarmIndex
from app.harm.history import Case
from app.harm.incidents import incident_effects
from app.harm.model import HarmModel
from app.harm.records import IncidentRecord
from app.harm.shapley import Floats
from app.harm.wording import COVENANT, base_rate, direction, limits, number, percent, points, summary

REFERENCE = (
    "The index incident alone, with nothing before it on record; the nominal's age, gender, custody appearances and "
    "the victim's contacts as they are."
)
LIMITS = (
    "An incident's points are its share beside the other incidents, not the change from leaving it out alone; "
    "the estimate without it is given as well, and the two differ where incidents matter together.",
    "With an incident left out, gaps, totals and rates of the others are worked out again; the index incident, "
    "custody appearances and the victim's contacts stay as they are.",
    "It tells how the estimate would read had the incident not been recorded, not what would have happened without it.",
)
_AGAINST = "the index incident alone"
_NOTHING = "No single earlier incident moves it by half a point or more."
_NOTHING_EARLIER = "There is no earlier incident on record that could be left out."
_OLDER = "All older incidents"


def explain_incidents(model: HarmModel, case: Case, features: Features, index: HarmIndex) -> IncidentExplanation:
    """The incident view of one nominal's score, contributions largest first; `features` (1, 20, 19) the nominal's."""
    found = incident_effects(model, case, features)
    (low, low_two), (high, high_two) = found.ends
    order = sorted(range(len(found.players)), key=lambda player: -abs(found.contributions[player, 0]))
    contributions = [
        _share(case, found.players[player].tolist(), found.contributions[player], float(found.without[player]), index)
        for player in order
    ]
    return IncidentExplanation(
        by="incidents",
        explains=TOP,
        value=float(high),
        reference=Reference(value=float(low), description=REFERENCE),
        top_two=Compared(explains=TOP_TWO, value=float(high_two), reference=float(low_two)),
        contributions=contributions,
        summary=summary(
            float(high),
            float(low),
            contributions,
            against=_AGAINST,
            otherwise=_NOTHING if contributions else _NOTHING_EARLIER,
            usual=base_rate(model.bundle.manifest),
        ),
        limits=_limits(model, min(len(case.order), ROWS)),
        covenant=COVENANT,
    )


def _limits(model: HarmModel, rows: int) -> list[str]:
    """The general limits with this view's own behind the first."""
    first, *others = limits(model.bundle.manifest, rows)
    return [first, *LIMITS, *others]


def _share(case: Case, positions: list[int], effects: Floats, without: float, index: HarmIndex) -> IncidentShare:
    """One player's share: an incident, or all older ones, at these history positions."""
    records = [case.request.incidents[case.order[position]] for position in positions]
    harm = float(case.histories.incidents.harm[positions].sum())
    one = records[0] if len(records) == 1 else None
    name = _OLDER if one is None else f"{what_it_is(one, index)} on {one.occurred_on}"
    facts = _older(records, harm) if one is None else f"{name}, recorded as {one.role}, harm score {_days(harm)}"
    left_out = "it" if one is not None else "all of them"
    effect = float(effects[0])
    return IncidentShare(
        name=name,
        effect=effect,
        effect_top_two=float(effects[1]),
        evidence=IncidentEvidence(
            incidents=len(records),
            incident_id=one.incident_id if one else None,
            occurred_on=one.occurred_on if one else None,
            harm=harm,
            role=one.role if one else None,
            without=without,
        ),
        text=(
            f"{facts}. This {direction(effect)} ({points(effect)}). "
            f"Without {left_out} on the record the estimate would be {percent(without)}."
        ),
    )


def what_it_is(incident: IncidentRecord, index: HarmIndex) -> str:
    """What an incident is called: non-crimes as such, the harm index's name, else the classes that were sent."""
    if incident.is_non_crime:
        return "Domestic non-crime" if incident.is_domestic else "Non-crime"
    offence = index.lookup(incident.offence_code) if incident.offence_code else None
    if offence is not None:
        return offence.name
    classes = " and ".join(sorted(incident.offence_class or []))
    return f"Offence recorded as {classes}" if classes else "Offence of another kind"


def _older(records: Sequence[IncidentRecord], harm: float) -> str:
    roles = Counter(record.role for record in records)
    told = " and ".join(f"{role} in {count}" for role, count in sorted(roles.items()))
    span = f"from {records[0].occurred_on} to {records[-1].occurred_on}"
    return f"The {len(records)} incidents before the others, {span}, {told}, harm scores adding up to {_days(harm)}"


def _days(harm: float) -> str:
    return f"{number(harm)} day{'' if harm == 1 else 's'}"
