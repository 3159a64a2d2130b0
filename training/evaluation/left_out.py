"""What is not measured of a family, each with its reason: the reason stands in the file and on the page.

Keys are sections, or what a world stands for where the whole world is not measured.
"""

from collections.abc import Mapping

from training.evaluation.standing import UNEQUAL
from training.families import SH_NOMINAL, STALKING_NOMINAL, STALKING_VICTIM

ON_REQUEST = "Left out of this run with --leave-out."
_ZOO = (
    "The report ranks its 168 combinations of models on stalking nominals alone (appendix 5); the ranking stands in the "
    "evaluation of that family."
)
_RISK = (
    "The report's relative risks come from printed counts, not from a model; they are computed again in the evaluation of "
    "stalking nominals."
)
_MORE_PEOPLE = (
    "Nine more forces would have to be invented and taught. What ten times the people teach is measured once, for stalking "
    "nominals, with the same stages."
)
_UNEQUAL = (
    "A force whose recording disadvantages one group is invented of stalking nominals only. Whether the audit finds a planted "
    "inequality is shown there; the audit here is the same code."
)
LEFT_OUT: Mapping[str, Mapping[str, str]] = {
    STALKING_NOMINAL.name: {},
    STALKING_VICTIM.name: {
        "zoo": _ZOO,
        "relative_risk": _RISK,
        "public_recidivism": (
            "The two public sets are of people released from prison and say nothing of people who are harmed. The same "
            "survival code is held to them in the evaluation of stalking nominals."
        ),
        "more_people": _MORE_PEOPLE,
        UNEQUAL: _UNEQUAL,
    },
    SH_NOMINAL.name: {"zoo": _ZOO, "relative_risk": _RISK, "more_people": _MORE_PEOPLE, UNEQUAL: _UNEQUAL},
}


def left_out(family: str) -> Mapping[str, str]:
    """What is not measured of a family, name -> reason."""
    return LEFT_OUT[family]
