"""What documents say where it matters whom a model is about: someone who may harm or someone to protect, and which cases.

One column a perspective and one a rule of day zero, so that the words can be read side by side. A text names a word
(`{{ about.people }}`, `{{ case.new }}`) and never asks for a family; what only one perspective has stands between
`{% if about.accused %}` and its end.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from app.harm.subject import DayZero, Perspective, Subject


@dataclass(frozen=True)
class Case:
    """What begins a case: `recorded` ones and `new` ones as they come in, `incident` one of them; `function` and `tags` for
    a register; `harmful` and `harmed` who is in scope of which perspective."""

    recorded: str
    new: str
    incident: str
    function: str
    tags: str
    harmful: str
    harmed: str


CASES: Mapping[DayZero, Case] = {
    "stalking": Case(
        recorded="recorded stalking cases",
        new="stalking cases",
        incident="a stalking incident",
        function="deciding which stalking cases are looked at first",
        tags="stalking",
        harmful="suspects and offenders in a recorded stalking incident, or in harassment between present or former partners",
        harmed="people recorded as victims of stalking, or of harassment by a present or former partner",
    ),
    "stalking-and-harassment": Case(
        recorded="recorded cases of stalking and harassment",
        new="cases of stalking and harassment",
        incident="an incident of stalking or harassment",
        function="deciding which cases of stalking and harassment are looked at first",
        tags="stalking, harassment",
        harmful="suspects and offenders in a recorded incident of stalking, harassment, malicious communications or coercive "
        "control",
        harmed="people recorded as victims of stalking, harassment, malicious communications or coercive control",
    ),
}


@dataclass(frozen=True)
class About:
    """Whom a model is about. `{recorded}` and the like are filled in with the words of the case.

    `people` and one `person`; `accused` whether anything is held against them; `harm` what is estimated, `whose` from or
    against whom; `high` those of the higher groups, `worst` those of the highest, `later` the same seen from before;
    `happened` what followed, `is_high` how a share of the higher groups is told; `read` which incidents, `record` what of
    them counts, `figures`, `inputs`, `operational`, `development` which data; `purpose`, `means`, `use` what for, `in_scope`
    and `not_for` whom; `false_alarm`, `miss`, `next`, `short` limits; `weigh` what a force must weigh; `further` event.
    """

    people: str
    person: str
    accused: bool
    harm: str
    whose: str
    high: str
    worst: str
    later: str
    happened: str
    is_high: str
    read: str
    record: str
    figures: str
    inputs: str
    operational: str
    development: str
    purpose: str
    means: str
    use: str
    in_scope: str
    not_for: str
    false_alarm: str
    miss: str
    next: str
    short: str
    weigh: str
    further: str


ABOUT: Mapping[Perspective, About] = {
    "nominal": About(
        people="nominals",
        person="nominal",
        accused=True,
        harm="harm in the year after day zero",
        whose="against anyone",
        high="harmful people",
        worst="the most harmful",
        later="those who went on to the highest harm",
        happened="went on to",
        is_high="harmful",
        read="about the suspect or offender",
        record="the nominal's own record",
        figures="role, custody, the victim's contacts with the force",
        inputs="Gender and age are inputs. Alleged and proven offences are inputs.",
        operational="Gender, date of birth, alleged and proven offences, custody.",
        development="Persons, incidents, involvements, custody appearances and victims' contacts with the force.",
        purpose="Protecting people from serious harm after such an incident is reported, by bringing the cases with most harm "
        "to come before trained people sooner.",
        means="Estimates, from the incidents a force has on record about a suspect or offender in {incident}, how much harm "
        "will be recorded against them in the next twelve months, and when a further incident may come, as advice to triage "
        "officers.",
        use="Advice to trained officers on the order in which {recorded} are looked at.",
        in_scope="{harmful}",
        not_for="any reassurance that someone is safe, the present victim included; victims; people with no such incident on "
        "record",
        false_alarm="A false alarm costs an innocent or harmless person attention they should not have had, and the clinic an "
        "hour.",
        miss="A miss leaves a person without a look that might have protected someone.",
        next="the next victim is often someone else",
        short="Little history is not low risk: such records are called insufficient history.",
        weigh="Weigh that number of people against what is done to them. Decide whether suspects never charged are scored at "
        "all; the section on what is left out shows what that costs.",
        further="No further incident of any kind",
    ),
    "victim": About(
        people="victims",
        person="person",
        accused=False,
        harm="harm suffered in the year after day zero",
        whose="whoever does it",
        high="people who are gravely harmed",
        worst="those harmed most",
        later="those who went on to suffer most",
        happened="suffered",
        is_high="gravely harmed",
        read="in which the person was harmed",
        record="what was recorded as done to the person",
        figures="the person's own contacts with the force",
        inputs="Gender and age are inputs. Offences suffered are inputs; nothing the person is said to have done is.",
        operational="Gender, date of birth, offences suffered, own contacts with the force.",
        development="Persons, incidents, who was harmed in them, and victims' contacts with the force.",
        purpose="Protecting people who have been harmed, by bringing those who may be harmed most before trained people sooner.",
        means="Estimates, from the incidents on record in which a person was harmed, {incident} among them, how much more harm "
        "they may suffer in the next twelve months, and when something further may be done to them, as advice to triage "
        "officers on whom to protect.",
        use="Advice to trained officers on whom to ask and to protect first among those harmed in {recorded}. It never lowers "
        "the attention a nominal gets.",
        in_scope="{harmed}",
        not_for="any reassurance that someone is safe; anything about the person's own conduct; a reason to look less closely "
        "at a nominal; people with no such incident on record",
        false_alarm="A false alarm costs the clinic an hour, and may trouble someone who needed nothing.",
        miss="A miss leaves someone without protection that they needed.",
        next="who would do the harm it does not say",
        short="Little history does not mean that someone is safe: such records are called insufficient history.",
        weigh="Weigh that number of people against what is offered to them, and whether they were asked.",
        further="Nothing further recorded against the person",
    ),
}
"""Every sentence on victims is ours: appendix 7 prints none."""
STAGES: Mapping[str, str] = {
    "xgboost": "boosted trees (XGBoost)",
    "lstm": "a recurrent network (LSTM)",
    "svm": "a support vector machine",
    "rf": "a random forest",
}
"""Models of a stack in words; others go by the name they have in the manifest."""


def case_of(subject: Subject) -> Case:
    """What begins a case."""
    return CASES[subject.day_zero]


def about(subject: Subject) -> About:
    """Whom the model is about, the words of its cases filled in."""
    words, case = ABOUT[subject.perspective], case_of(subject)
    places = {name: getattr(case, name) for name in ("recorded", "incident", "harmful", "harmed")}
    filled = {name: getattr(words, name).format(**places) for name in ("means", "use", "in_scope")}
    return replace(words, **filled)
