"""Whom a model is about: whose part in incidents it reads, and which incidents it counts a day zero from.

A family's manifest says both, and nothing in the service knows a family by its name. What follows from a perspective
for requests and features stands here; what follows for the words of an answer stands in `perspective_words`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from app.harm.features import CLASSES, FEATURES, OFFENDER, SURVIVAL_FEATURES, SUSPECT, VICTIM

Flags = NDArray[np.bool_]
Perspective = Literal["nominal", "victim"]
"""Of those who harm (the report's main models) or of those who are harmed (appendix 7)."""
DayZero = Literal["stalking", "stalking-and-harassment"]
"""Which incidents day zero is counted from: stalking (report, section 2.1) or the whole group (appendix 6)."""

BEGINS: Mapping[DayZero, str] = {"stalking": "stalking", "stalking-and-harassment": "stalking or harassment"}
"""What such an incident is called."""


class Subject(BaseModel):
    """The block of a manifest that tells families apart; a manifest without it is of stalking nominals."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    perspective: Perspective = "nominal"
    day_zero: DayZero = "stalking"

    @property
    def side(self) -> "Side":
        """What the perspective reads."""
        return SIDES[self.perspective]


@dataclass(frozen=True)
class Side:
    """What a perspective reads of a record.

    `roles` of the person in an incident -> the code in a history; `left_out` roles that are taken and ignored; any other
    role is a fault. `features` are those it has, in the order of `FEATURES`; the columns of all others are zero.
    """

    roles: Mapping[str, int]
    left_out: tuple[str, ...]
    features: tuple[str, ...]

    @property
    def taken(self) -> tuple[str, ...]:
        """Roles that are no fault."""
        return (*self.roles, *self.left_out)

    @property
    def survival_features(self) -> tuple[str, ...]:
        """Those of the report's table 3 that it has."""
        return tuple(name for name in SURVIVAL_FEATURES if name in self.features)


SIDES: Mapping[Perspective, Side] = {
    "nominal": Side({"offender": OFFENDER, "suspect": SUSPECT}, ("suspect_eliminated",), FEATURES),
    # Custody is the report's (appendix 7); that one role alone says nothing is ours.
    "victim": Side(
        {"victim": VICTIM},
        (),
        tuple(name for name in FEATURES if name not in {"custody_count", "is_offender", "is_suspect"}),
    ),
}


def begins_case(classes: Flags, harassing: Flags, day_zero: DayZero) -> Flags:
    """Incidents that day zero can be counted from, (M,): harassment between partners is stalking (section 2.1).

    `classes` (M, 5) as `CLASSES`; `harassing` (M,) offences of the stalking and harassment subgroup, in which malicious
    communications and coercive control have no class of their own.
    """
    stalking: Flags = classes[:, CLASSES.index("stalking")]
    return stalking if day_zero == "stalking" else stalking | harassing
