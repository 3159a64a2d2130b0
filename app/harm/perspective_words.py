"""What answers say where it matters whom they are about: someone who may harm, or someone to protect.

One column a perspective, so that the words can be read side by side. Whoever writes a sentence looks it up by the
perspective of the model that answered; no sentence asks which perspective it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from app.harm.subject import Perspective
from app.harm.sufficiency import HistoryStatus


@dataclass(frozen=True)
class Words:
    """The sentences of one perspective.

    `people` whom someone is compared with; `person` what they are called; `harmed` how the estimate is told, of the top
    group; `in_group` the same in a picture; `groups`, `curve` and `no_further` headings; `little` that little history does
    not reassure; `always` what stands beside every estimate; `curve_sees` what the curve looks at; `as_they_are` what
    stays when an incident is left out; `contacts` whose contacts are counted; `no_accusation` why nothing is left out;
    `warnings` and `statements` (of the history) sentences that take the place of the usual ones, by code.
    """

    people: str
    person: str
    advisory: str
    advisory_short: str
    harmed: str
    in_group: str
    groups: str
    curve: str
    no_further: str
    little: str
    always: tuple[str, ...]
    curve_sees: str
    as_they_are: str
    contacts: str
    no_accusation: str
    warnings: Mapping[str, str]
    statements: Mapping[HistoryStatus, str]


WORDS: Mapping[Perspective, Words] = {
    "nominal": Words(
        people="nominals",
        person="nominal",
        advisory=(
            "Advice to a person, not a decision: read it beside everything else that is known, and record your own "
            "judgement and reason."
        ),
        advisory_short=(
            "Insufficient history: only the index incident is known, so this estimate cannot reassure. Advice to a person, "
            "not a decision: rely on what is known beyond this record."
        ),
        harmed="being in the group of highest future harm ({group}) within 12 months of day zero",
        in_group="chance of group {group}",
        groups="Harm in the 12 months after day zero, percentile group",
        curve="Probability of no further recorded incident of any kind in the year after day zero",
        no_further="no further recorded incident of any kind",
        little="Little history is not low risk.",
        always=(
            "It shows what goes together in past records, not what causes harm.",
            "Suspects are not convicted. Where a claim against them proves wrong, this estimate is wrong.",
            "Harm that was never reported or recorded is not in it. Harm scores follow sentence lengths, not danger: "
            "stalking and control score low.",
            "The person harmed next is often not the present victim; no figure here means that anyone is safe.",
            "An unusual record has few like it to learn from, so its estimate is less sure.",
        ),
        curve_sees="The curve looks at harm, time, age, custody and contacts, not at kinds of offence, roles or gender.",
        as_they_are="custody and the victim's contacts",
        contacts="the victim of the index incident",
        no_accusation="No earlier incident is recorded with the nominal as suspect only, so there is nothing to leave out.",
        warnings={},
        statements={},
    ),
    "victim": Words(
        people="victims",
        person="person",
        advisory=(
            "Advice to a person, not a decision: it is about someone to protect. Read it beside everything else that is "
            "known of them, ask them, and record your own judgement and reason. It never lowers the attention a nominal gets."
        ),
        advisory_short=(
            "Insufficient history: only the index incident is known, so this estimate cannot reassure. Advice to a person, "
            "not a decision: it is about someone to protect. Ask them, and rely on what is known beyond this record."
        ),
        harmed="being among those who are harmed most ({group}) within 12 months of day zero",
        in_group="chance of being among those harmed most ({group})",
        groups="Harm suffered in the 12 months after day zero, percentile group",
        curve="Probability that nothing further against this person is recorded in the year after day zero",
        no_further="nothing further recorded against this person",
        little="Little history does not mean that someone is safe.",
        always=(
            "It shows what goes together in past records, not what causes harm, and nothing in it is the person's own doing.",
            "It estimates what others may do to them; who that would be it does not say.",
            "Harm that was never reported or recorded is not in it, and many who are harmed do not report it. Harm scores "
            "follow sentence lengths, not what was suffered: stalking and control score low.",
            "A low figure never means that this person is safe, and takes nothing away from what is done about the nominal.",
            "An unusual record has few like it to learn from, so its estimate is less sure.",
        ),
        curve_sees="The curve looks at harm, time, age and contacts, not at kinds of offence or gender.",
        as_they_are="their contacts with the force",
        contacts="this person",
        no_accusation="A victim is not accused of anything in these incidents, so there is nothing to leave out.",
        warnings={
            "short-history": (
                "Insufficient history: the index incident is all that is known. That does not mean that this person is safe."
            ),
            "victim-contacts-unknown": "This person's contacts with the force are unknown and were counted as none.",
        },
        statements={
            "insufficient": (
                "Insufficient history: only the index incident is known, which is too little to estimate from. A low figure "
                "here does not mean that this person is safe."
            ),
        },
    ),
}
"""Every sentence on victims is ours: appendix 7 prints none."""
