"""The view of an estimate by incidents: shares, what the estimate would be without each, and the words for both."""

from collections import Counter
from collections.abc import Sequence

from app.harm.explanation_answers import IncidentEvidence, IncidentExplanation, IncidentShare
from app.harm.features import ROWS, Features
from app.harm.harm_index import HarmIndex
from app.harm.history import Case
from app.harm.incidents import incident_effects
from app.harm.model import HarmModel
from app.harm.perspective_words import WORDS
from app.harm.records import IncidentRecord
from app.harm.shapley import Floats
from app.harm.targets import TARGETS, Of, Target
from app.harm.view import second, whole_view
from app.harm.what_if import what_if
from app.harm.wording import moves, number, percent, spoken_day

_REFERENCE = (
    "The index incident alone, with nothing before it on record; the {person}'s age and gender, {as_they_are} as they "
    "are."
)
LIMITS = (
    "An incident's points are its share beside the other incidents. The figure without it is another thing, and is "
    "given as well. The two differ where incidents matter together.",
    "With an incident left out, the gaps, totals and rates of the others are worked out again. The index incident, "
    "{as_they_are} stay as they are.",
    "It tells how the estimate would read if the incident had not been recorded, not what would have happened without it.",
)
_AGAINST = "the index incident alone"
_NOTHING = "No single earlier incident moves it by half a point or more."
_NOTHING_EARLIER = "There is no earlier incident on record that could be left out."
_OLDER = "All older incidents"


def explain_incidents(
    model: HarmModel, case: Case, features: Features, index: HarmIndex, of: Of = "harm"
) -> IncidentExplanation:
    """The incident view of one nominal's score, contributions largest first; `features` (1, 20, 19) the nominal's.

    `of` says which number of the answer is explained.
    """
    target, words = TARGETS[of], WORDS[model.bundle.manifest.subject.perspective]
    found = incident_effects(model, case, features, target)
    shares = [
        _share(case, player.tolist(), effects, float(without), index, target.called)
        for player, effects, without in zip(found.players, found.contributions, found.without, strict=True)
    ]
    contributions = sorted(shares, key=lambda share: -abs(share.effect))
    view = whole_view(
        IncidentExplanation,
        "incidents",
        target,
        model,
        found.ends,
        contributions,
        reference=_REFERENCE.format(person=words.person, as_they_are=words.as_they_are),
        against=_AGAINST,
        otherwise=_NOTHING if contributions else _NOTHING_EARLIER,
        limits=_limits(target, model, min(len(case.order), ROWS)),
    )
    return view if found.answers.groups is None else view.model_copy(update={"what_if": what_if(found, shares)})


def _limits(target: Target, model: HarmModel, rows: int) -> list[str]:
    """The general limits with this view's own behind the first."""
    first, *others = target.limits(model.bundle.manifest, rows)
    words = WORDS[model.bundle.manifest.subject.perspective]
    return [first, *(one.format(as_they_are=words.as_they_are) for one in LIMITS), *others]


def _share(
    case: Case, positions: list[int], effects: Floats, without: float, index: HarmIndex, called: str
) -> IncidentShare:
    """One player's share: an incident, or all older ones, at these history positions."""
    records = [case.request.incidents[case.order[position]] for position in positions]
    harm = float(case.histories.incidents.harm[positions].sum())
    one = records[0] if len(records) == 1 else None
    name = _OLDER if one is None else f"{what_it_is(one, index)} on {spoken_day(one.occurred_on)}"
    facts = _older(records, harm) if one is None else f"{name}, recorded as {one.role}, harm score {_days(harm)}"
    left_out = "it" if one is not None else "all of them"
    effect = float(effects[0])
    return IncidentShare(
        name=name,
        effect=effect,
        effect_top_two=second(effects),
        evidence=IncidentEvidence(
            incidents=len(records),
            incident_id=one.incident_id if one else None,
            occurred_on=one.occurred_on if one else None,
            harm=harm,
            role=one.role if one else None,
            without=without,
        ),
        text=(
            f"{facts}. {moves(effect, called)}. "
            f"Without {left_out} on the record the {called} would be {percent(without)}."
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
    told = " and ".join(f"as {role} in {count}" for role, count in sorted(roles.items()))
    span = f"from {spoken_day(records[0].occurred_on)} to {spoken_day(records[-1].occurred_on)}"
    return f"The {len(records)} oldest incidents, {span}, recorded {told}, with harm scores of {_days(harm)} together"


def _days(harm: float) -> str:
    return f"{number(harm)} day{'' if harm == 1 else 's'}"
